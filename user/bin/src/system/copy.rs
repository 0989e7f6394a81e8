//! Copies files and whole trees, for `cp`, and for `mv` between file systems.

use super::arguments::complain;
use super::folder::{entries, join};
use alloc::ffi::CString;
use core::ffi::CStr;
use weft::abi::file::*;
use weft::abi::time::Timespec;
use weft::{Errno, file};

pub struct Copy {
    /// Folders with what is in them.
    pub recursive: bool,
    /// Symbolic links and special files as what they are, with times and modes.
    pub preserve: bool,
}

impl Copy {
    /// Copies `source` to the name `target`; false if anything failed, which
    /// is reported.
    pub fn run(&self, source: &CStr, target: &CStr) -> bool {
        let found = match self.recursive {
            true => file::lstat(source),
            false => file::stat(source),
        };
        let result = found.and_then(|stat| self.one(source, &stat, target));
        match result {
            Ok(good) => good,
            Err(error) => {
                complain(source, &error);
                false
            }
        }
    }

    fn one(&self, source: &CStr, stat: &Stat, target: &CStr) -> Result<bool, Errno> {
        if file::stat(target).is_ok_and(|other| (other.dev, other.ino) == (stat.dev, stat.ino)) {
            complain(source, &"is the same file as the target");
            return Ok(false);
        }
        let good = match stat.mode & S_IFMT {
            S_IFDIR if !self.recursive => {
                complain(source, &"is a folder; -r copies folders");
                return Ok(false);
            }
            S_IFDIR => return self.folder(source, stat, target),
            S_IFLNK => {
                let mut buffer = [0; PATH_MAX];
                let link = file::read_link(source, &mut buffer)?;
                let link = CString::new(link).map_err(|_| Errno::EINVAL)?;
                return on_target(target, file::symlink(&link, target));
            }
            S_IFREG => content(source, stat, target)?,
            kind if self.recursive => {
                let mode = kind | stat.mode & 0o7777;
                on_target(target, file::mknod(target, mode, stat.rdev))?
            }
            _ => content(source, stat, target)?,
        };
        Ok(good && self.attributes(stat, target)?)
    }

    fn folder(&self, source: &CStr, stat: &Stat, target: &CStr) -> Result<bool, Errno> {
        if is_inside(target, stat) {
            complain(source, &"cannot be copied into itself");
            return Ok(false);
        }
        match file::mkdir(target) {
            Err(Errno::EEXIST) if super::folder::is_folder(target) => {}
            result if !on_target(target, result)? => return Ok(false),
            _ => {}
        }
        let mut good = true;
        for name in entries(source)? {
            good &= self.run(&join(source, &name), &join(target, &name));
        }
        Ok(self.attributes(stat, target)? && good)
    }

    fn attributes(&self, stat: &Stat, target: &CStr) -> Result<bool, Errno> {
        if !self.preserve {
            return Ok(true);
        }
        let time = |sec: i64, nsec: i64| Timespec { sec, nsec };
        let times = [
            time(stat.atime, stat.atime_nsec),
            time(stat.mtime, stat.mtime_nsec),
        ];
        let done = file::chmod(target, stat.mode & 0o7777).and(file::set_times(target, times));
        on_target(target, done)
    }
}

/// A failure that is the target's.
fn on_target(target: &CStr, result: Result<(), Errno>) -> Result<bool, Errno> {
    if let Err(error) = result {
        complain(target, &error);
    }
    Ok(result.is_ok())
}

/// Whether a folder that is there on the way to `path` is that of `stat`.
fn is_inside(path: &CStr, stat: &Stat) -> bool {
    let mut path: CString = path.into();
    for _ in 0..PATH_MAX {
        let parent = join(&path, c"..");
        let at = if file::stat(&path).is_ok() {
            parent
        } else {
            match path.to_bytes().iter().rposition(|byte| *byte == b'/') {
                Some(0) => c"/".into(),
                Some(end) => CString::new(&path.to_bytes()[..end]).unwrap_or_default(),
                None => c".".into(),
            }
        };
        let (Ok(here), Ok(above)) = (file::stat(&at), file::stat(&join(&at, c".."))) else {
            return false;
        };
        if (here.dev, here.ino) == (stat.dev, stat.ino) {
            return true;
        }
        if (here.dev, here.ino) == (above.dev, above.ino) {
            return false;
        }
        path = at;
    }
    false
}

fn content(source: &CStr, stat: &Stat, target: &CStr) -> Result<bool, Errno> {
    let from = file::open(source, O_RDONLY)?;
    let to = match file::create(target, O_WRONLY | O_TRUNC, stat.mode & 0o777) {
        Ok(to) => to,
        Err(error) => {
            let _ = file::close(from);
            return on_target(target, Err(error));
        }
    };
    let mut buffer = [0; 32768];
    let result = loop {
        match file::read(from, &mut buffer) {
            Ok(0) => break Ok(true),
            Ok(length) => match on_target(target, file::write_all(to, &buffer[..length])) {
                Ok(true) => {}
                failed => break failed,
            },
            Err(error) => break Err(error),
        }
    };
    let closed = on_target(target, file::close(to));
    let _ = file::close(from);
    Ok(result? && closed?)
}
