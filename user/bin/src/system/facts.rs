//! What `test` asks about files, answered by the system.

use crate::shell::condition::Files;
use alloc::ffi::CString;
use weft::abi::file::*;
use weft::file;

pub struct Facts;

fn stat(path: &[u8]) -> Option<Stat> {
    file::stat(&CString::new(path).ok()?).ok()
}

impl Files for Facts {
    fn is(&mut self, letter: u8, path: &[u8]) -> bool {
        let Ok(name) = CString::new(path) else {
            return false;
        };
        let access = |mode| file::access(&name, mode).is_ok();
        let kind = |wanted: u32| stat(path).is_some_and(|stat| stat.mode & S_IFMT == wanted);
        let bit = |bit: u32| stat(path).is_some_and(|stat| stat.mode & bit != 0);
        match letter {
            b'r' => access(4),
            b'w' => access(2),
            b'x' => access(1),
            b'f' => kind(S_IFREG),
            b'd' => kind(S_IFDIR),
            b'p' => kind(S_IFIFO),
            b'c' => kind(S_IFCHR),
            b'b' => kind(0o060000),
            b'S' => kind(0o140000),
            b'u' => bit(0o4000),
            b'g' => bit(0o2000),
            b'k' => bit(0o1000),
            b's' => stat(path).is_some_and(|stat| stat.size > 0),
            b'h' | b'L' => file::lstat(&name).is_ok_and(|stat| stat.mode & S_IFMT == S_IFLNK),
            b't' => {
                let fd = core::str::from_utf8(path)
                    .ok()
                    .and_then(|fd| fd.parse().ok());
                fd.is_some_and(|fd| file::terminal(fd).is_ok())
            }
            _ => stat(path).is_some(),
        }
    }

    fn compare(&mut self, operator: &[u8], a: &[u8], b: &[u8]) -> bool {
        let time = |stat: Stat| (stat.mtime, stat.mtime_nsec);
        match (stat(a), stat(b), operator) {
            (Some(a), Some(b), b"-ef") => (a.dev, a.ino) == (b.dev, b.ino),
            (Some(a), Some(b), b"-nt") => time(a) > time(b),
            (Some(a), Some(b), b"-ot") => time(a) < time(b),
            // A file that is there is newer than one that is not.
            (Some(_), None, b"-nt") | (None, Some(_), b"-ot") => true,
            _ => false,
        }
    }
}
