//! The boot options: words of the command line. Pure.

use crate::device::disk;
use crate::limits::Limits;
use crate::sched::Policy;
use log::LevelFilter;

/// What the command line asks for.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// `policy=fair|rr`
    pub policy: Policy,
    /// `log=off|error|warn|info|debug|trace`
    pub log: LevelFilter,
    /// `root=/dev/vda`: the disk to boot from, instead of the initial image.
    pub root: Option<usize>,
    /// `console=paced`: see [`crate::device::console::pace`].
    pub paced: bool,
    /// `aslr=on|off`: whether programs are where nobody knows beforehand.
    pub aslr: bool,
    /// `seed=N`: what the random bytes depend on besides the time.
    pub seed: u64,
    /// `limits=xv6`, `limit.NAME=N`: see [`crate::limits`]. The later word wins.
    pub limits: Limits,
}

/// Reads the command line. A word that is not understood is reported with
/// `complain` and left alone: booting with a default beats not booting.
pub fn parse(command_line: &str, mut complain: impl FnMut(&str)) -> Options {
    let mut options = Options {
        policy: Policy::Fair,
        log: LevelFilter::Info,
        paced: false,
        root: None,
        aslr: true,
        seed: 0,
        limits: Limits::WEFT,
    };
    for word in command_line.split_ascii_whitespace() {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        let understood = match key {
            "policy" => Policy::from_name(value).map(|policy| options.policy = policy),
            "log" => value.parse().ok().map(|level| options.log = level),
            "root" => disk::find_name(value).map(|index| options.root = Some(index)),
            "console" => (value == "paced").then(|| options.paced = true),
            "aslr" => ["off", "on"]
                .iter()
                .position(|word| *word == value)
                .map(|on| options.aslr = on == 1),
            "seed" => value.parse().ok().map(|seed| options.seed = seed),
            "limits" => (value == "xv6").then(|| options.limits = Limits::XV6),
            _ => key
                .strip_prefix("limit.")
                .and_then(|name| options.limits.set(name, value)),
        };
        if understood.is_none() {
            complain(word);
        }
    }
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> (Options, Vec<String>) {
        let mut complaints = Vec::new();
        let options = parse(line, |word| complaints.push(word.to_string()));
        (options, complaints)
    }

    #[test]
    fn options_are_read() {
        let (options, complaints) =
            read("policy=rr  log=debug console=paced root=/dev/vdb aslr=off seed=7");
        assert_eq!(
            options,
            Options {
                policy: Policy::RoundRobin,
                log: LevelFilter::Debug,
                paced: true,
                root: Some(1),
                aslr: false,
                seed: 7,
                limits: Limits::WEFT,
            }
        );
        assert!(complaints.is_empty());
    }

    #[test]
    fn limits_are_read() {
        let (options, complaints) = read("limits=xv6 limit.files=20 limit.threads=100");
        assert!(complaints.is_empty());
        let expected = Limits {
            files: 20,
            threads: 100,
            ..Limits::XV6
        };
        assert_eq!(options.limits, expected);
        let bad = "limits=v6 limit.files=3 limit.path=-1 limit.path=63 limit.arguments= limit.inodes=7 limit.x=9";
        let (options, complaints) = read(bad);
        assert_eq!(complaints, bad.split(' ').collect::<Vec<_>>());
        assert_eq!(options.limits, Limits::WEFT);
    }

    #[test]
    fn what_is_not_understood_is_reported() {
        let (options, complaints) =
            read("policy=best quiet log=loud console=big root=/dev/sda aslr=no seed=x");
        assert_eq!(
            options,
            Options {
                policy: Policy::Fair,
                log: LevelFilter::Info,
                paced: false,
                root: None,
                aslr: true,
                seed: 0,
                limits: Limits::WEFT,
            }
        );
        assert_eq!(
            complaints,
            [
                "policy=best",
                "quiet",
                "log=loud",
                "console=big",
                "root=/dev/sda",
                "aslr=no",
                "seed=x"
            ]
        );
    }
}
