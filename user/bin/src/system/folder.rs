//! Folders and paths.

use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;
use weft::abi::file::*;
use weft::{Errno, file};

/// Folders inside each other that programs follow: each costs stack.
pub const DEPTH: usize = 512;

/// The names in a folder, sorted, without `.` and `..`.
pub fn entries(name: &CStr) -> Result<Vec<CString>, Errno> {
    let fd = file::open(name, O_RDONLY | O_DIRECTORY)?;
    let mut names: Vec<CString> = Vec::new();
    let mut buffer = [0; 4096];
    let result = loop {
        let step = file::read_folder(fd, &mut buffer, |entry| {
            if entry.name != c"." && entry.name != c".." {
                names.push(entry.name.into());
            }
        });
        match step {
            Ok(true) => {}
            Ok(false) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    file::close(fd)?;
    names.sort_unstable();
    result.map(|()| names)
}

/// `FOLDER/NAME`.
pub fn join(folder: &CStr, name: &CStr) -> CString {
    let folder = folder.to_bytes();
    let slash: &[u8] = if folder.ends_with(b"/") { b"" } else { b"/" };
    // Neither holds a zero.
    CString::new([folder, slash, name.to_bytes()].concat()).unwrap_or_default()
}

/// The last name of a path, without slashes at its end.
pub fn last_name(path: &CStr) -> CString {
    let path = path.to_bytes();
    let end = path.iter().rposition(|byte| *byte != b'/');
    let path = &path[..end.map_or(0, |end| end + 1)];
    let start = path.iter().rposition(|byte| *byte == b'/');
    CString::new(&path[start.map_or(0, |start| start + 1)..]).unwrap_or_default()
}

pub fn is_folder(name: &CStr) -> bool {
    file::stat(name).is_ok_and(|stat| stat.mode & S_IFMT == S_IFDIR)
}

/// Where a file goes that is copied or moved to `target`: into it, if it is a
/// folder.
pub fn destination(source: &CStr, target: &CStr) -> CString {
    match is_folder(target) {
        true => join(target, &last_name(source)),
        false => target.into(),
    }
}
