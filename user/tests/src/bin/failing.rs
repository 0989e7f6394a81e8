//! `failing PLACE`: uses a disk, /dev/vda, on which one place fails (QEMU's
//! `blkdebug`): a block of a file's data or of a folder, of the journal, or of
//! the table of inodes. The part `crash` of the tests on the host starts it,
//! and looks at the disk afterwards.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::ffi::CString;
use alloc::format;
use core::ffi::CStr;
use weft::abi::file::*;
use weft::{Errno, file, storage};

weft::program!(main);

const MOUNT: &CStr = c"/disk";
const PAGE: [u8; 4096] = [7; 4096];
/// Files that are made until the journal fails: it is not that long.
const MOST: usize = 2000;

fn main() -> i32 {
    let place = weft::args().nth(1).unwrap_or(c"");
    let _ = file::mkdir(MOUNT);
    mount().unwrap();
    match place.to_bytes() {
        b"write" => data_that_cannot_be_written_once(),
        b"read" => data_that_cannot_be_read_once(),
        b"folder" => a_folder_that_cannot_be_read(),
        b"journal" => a_journal_that_cannot_be_written(),
        b"home" => metadata_that_do_not_come_home(),
        _ => {
            weft::eprintln!("usage: failing write|read|folder|journal|home");
            return 2;
        }
    }
    weft::println!("failing: ok");
    0
}

fn mount() -> Result<(), Errno> {
    storage::mount(c"/dev/vda", MOUNT, c"ext4", 0)
}

fn open(name: &CStr, flags: usize) -> i32 {
    file::open(name, flags).unwrap()
}

/// Each open file is told, once; what failed is tried again.
fn data_that_cannot_be_written_once() {
    let (one, other) = (open(c"/disk/data", O_RDWR), open(c"/disk/data", O_RDONLY));
    file::write_all(one, &PAGE).unwrap();
    assert_eq!(storage::sync_file(one), Err(Errno::EIO));
    assert_eq!(storage::sync_file(one), Ok(()));
    assert_eq!(storage::sync_data(other), Err(Errno::EIO));
    assert_eq!(storage::sync_data(other), Ok(()));
    let later = open(c"/disk/data", O_RDWR);
    assert_eq!(storage::sync_file(later), Ok(()));
    for fd in [one, other, later] {
        file::close(fd).unwrap();
    }
    storage::unmount(MOUNT).unwrap();
}

fn data_that_cannot_be_read_once() {
    let fd = open(c"/disk/data", O_RDONLY);
    let mut page = [0; 4096];
    assert_eq!(file::read(fd, &mut page), Err(Errno::EIO));
    assert_eq!(file::read(fd, &mut page), Ok(4096));
    assert_eq!(page, [b'd'; 4096]);
    file::close(fd).unwrap();
    storage::unmount(MOUNT).unwrap();
}

/// The rest of the disk can be used.
fn a_folder_that_cannot_be_read() {
    assert_eq!(file::open(c"/disk/folder/x", O_RDONLY), Err(Errno::EIO));
    let new = file::open(c"/disk/folder/y", O_WRONLY | O_CREAT);
    assert_eq!(new, Err(Errno::EIO));
    assert_eq!(file::unlink(c"/disk/folder/x"), Err(Errno::EIO));
    assert_eq!(file::rmdir(c"/disk/folder"), Err(Errno::EIO));
    keep();
    storage::unmount(MOUNT).unwrap();
}

/// A file that is synced.
fn keep() {
    let fd = open(c"/disk/kept", O_WRONLY | O_CREAT);
    file::write_all(fd, &PAGE).unwrap();
    storage::sync_file(fd).unwrap();
    file::close(fd).unwrap();
}

/// Nothing can be written from then on, and the disk can be left; what was
/// synced before is found again.
fn a_journal_that_cannot_be_written() {
    keep();
    let name = |number| CString::new(format!("/disk/f{number}")).unwrap();
    let make = |number| {
        let fd = file::open(&name(number), O_WRONLY | O_CREAT)?;
        file::write_all(fd, &PAGE)?;
        let synced = storage::sync_file(fd);
        file::close(fd)?;
        synced
    };
    let mut results = (0..MOST).map(make);
    let synced = results.by_ref().take_while(Result::is_ok).count();
    assert!(synced < MOST);
    assert_eq!(make(synced + 1), Err(Errno::EROFS));
    let fd = open(c"/disk/kept", O_RDWR);
    assert_eq!(file::write(fd, &PAGE), Err(Errno::EROFS));
    assert_eq!(storage::sync_file_system(fd), Err(Errno::EIO));
    file::close(fd).unwrap();
    storage::sync();
    storage::unmount(MOUNT).unwrap();
    mount().unwrap();
    for number in 0..synced {
        assert_eq!(file::stat(&name(number)).map(|stat| stat.size), Ok(4096));
    }
    storage::unmount(MOUNT).unwrap();
}

/// They are in the journal, and stay there until a disk can be written.
fn metadata_that_do_not_come_home() {
    keep();
    storage::unmount(MOUNT).unwrap();
    assert_eq!(mount(), Err(Errno::EIO));
}
