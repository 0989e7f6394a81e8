//! The argument of `--file`.

use std::path::PathBuf;
use std::str::FromStr;

/// HOST or HOST:GUEST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileArgument {
    pub host: PathBuf,
    /// An absolute path in the guest.
    pub guest: String,
}

impl FromStr for FileArgument {
    type Err = String;

    fn from_str(argument: &str) -> Result<Self, String> {
        let (host, guest) = match argument.rsplit_once(':') {
            // A colon in the host's file name is taken for one only before an absolute guest path.
            Some((host, guest)) if guest.starts_with('/') => (host, Some(guest)),
            Some((_, guest)) if !guest.contains('/') && !PathBuf::from(argument).exists() => {
                return Err(format!(
                    "the guest's path \"{guest}\" must begin with a slash"
                ));
            }
            _ => (argument, None),
        };
        if host.is_empty() {
            return Err("there is no path before the colon".into());
        }
        let host = PathBuf::from(host);
        let name = || host.file_name().map(|name| name.to_string_lossy());
        let guest = match (guest, name()) {
            (Some(folder), Some(name)) if folder.ends_with('/') => format!("{folder}{name}"),
            (Some(path), _) => path.to_owned(),
            (None, Some(name)) => format!("/{name}"),
            (None, None) => {
                return Err("give the guest's path too: HOST:GUEST".into());
            }
        };
        if guest.split('/').any(|part| part == "..") {
            return Err(format!("the guest's path \"{guest}\" must not contain .."));
        }
        Ok(FileArgument { host, guest })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(argument: &str) -> Result<(String, String), String> {
        FileArgument::from_str(argument).map(|file| (file.host.display().to_string(), file.guest))
    }

    #[test]
    fn file_arguments() {
        let pair = |host: &str, guest: &str| Ok((host.to_owned(), guest.to_owned()));
        assert_eq!(file("a.txt"), pair("a.txt", "/a.txt"));
        assert_eq!(file("../x/a.txt"), pair("../x/a.txt", "/a.txt"));
        assert_eq!(file("a:/etc/b"), pair("a", "/etc/b"));
        assert_eq!(file("x/a:/etc/"), pair("x/a", "/etc/a"));
        assert_eq!(file("a:b/c"), pair("a:b/c", "/c"));
        assert!(file("a:b").is_err());
        assert!(file(":/b").is_err());
        assert!(file("..").is_err());
        assert!(file("a:/x/../y").is_err());
    }
}
