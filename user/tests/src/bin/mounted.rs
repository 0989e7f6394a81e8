//! `mounted TAIL DISK...`: mounts disks that a crash has left, one after the
//! other, reads all that is there, and writes what it has seen (a `Report`) to
//! the disk, from byte TAIL on, which is behind the file system. `cargo weft
//! crash` judges it.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;
use weft::abi::file::*;
use weft::{Errno, file, storage};
use workload::{Report, Seen};

weft::program!(main);

const MOUNT: &CStr = c"/disk";

fn main() -> i32 {
    let mut words = weft::args().skip(1);
    let tail = words
        .next()
        .and_then(|word| word.to_str().ok()?.parse().ok());
    let Some(tail) = tail else {
        weft::eprintln!("usage: mounted TAIL DISK...");
        return 2;
    };
    let _ = file::mkdir(MOUNT);
    let mut code = 0;
    for disk in words {
        if let Err(error) = look_at(disk, tail) {
            weft::eprintln!("mounted: {disk:?}: {error}");
            code = 1;
        }
    }
    code
}

fn look_at(disk: &CStr, tail: i64) -> Result<(), Errno> {
    storage::mount(disk, MOUNT, c"ext4", 0)?;
    let mut report = Report::new();
    read_folder(MOUNT, b"", &mut report)?;
    storage::unmount(MOUNT)?;
    let fd = file::open(disk, O_WRONLY)?;
    file::seek(fd, tail, SEEK_SET)?;
    file::write_all(fd, report.bytes())?;
    storage::sync_file(fd)?;
    file::close(fd)
}

/// Tells of all that is in `folder`, whose path on the disk is `path`.
fn read_folder(folder: &CStr, path: &[u8], report: &mut Report) -> Result<(), Errno> {
    for name in names(folder)? {
        if path.is_empty() && name.as_bytes() == b"lost+found" {
            continue;
        }
        let join = |folder: &[u8]| [folder, name.as_bytes()].concat();
        let inner = join(path);
        let file =
            CString::new(join(&[folder.to_bytes(), b"/"].concat())).map_err(|_| Errno::EINVAL)?;
        let stat = file::lstat(&file)?;
        let is_folder = stat.mode & S_IFMT == S_IFDIR;
        let content = match is_folder {
            true => Vec::new(),
            false => content(&file, stat.size as usize)?,
        };
        report.add(Seen {
            number: stat.ino as u32,
            links: stat.nlink as u32,
            is_folder,
            path: &inner,
            content: &content,
        });
        if is_folder {
            read_folder(&file, &[&inner, &b"/"[..]].concat(), report)?;
        }
    }
    Ok(())
}

fn names(folder: &CStr) -> Result<Vec<CString>, Errno> {
    let fd = file::open(folder, O_RDONLY | O_DIRECTORY)?;
    let mut names: Vec<CString> = Vec::new();
    let mut buffer = [0; 4096];
    while file::read_folder(fd, &mut buffer, |entry| {
        if entry.name != c"." && entry.name != c".." {
            names.push(entry.name.into());
        }
    })? {}
    file::close(fd)?;
    Ok(names)
}

/// One byte more is asked for than the file should have.
fn content(name: &CStr, size: usize) -> Result<Vec<u8>, Errno> {
    let mut bytes = alloc::vec![0; size + 1];
    let fd = file::open(name, O_RDONLY)?;
    let length = file::read_full(fd, &mut bytes)?;
    file::close(fd)?;
    bytes.truncate(length);
    Ok(bytes)
}
