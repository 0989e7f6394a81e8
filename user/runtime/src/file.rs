//! Files, folders and pipes. Descriptors are plain numbers, as in C: a program
//! that wants one closed closes it.

use crate::call::{self, raw};
use abi::Errno;
use abi::file::*;
use abi::time::Timespec;
use abi::tty::{Termios, WindowSize};
use core::ffi::CStr;

pub const STDIN: i32 = 0;
pub const STDOUT: i32 = 1;
pub const STDERR: i32 = 2;

fn path(path: &CStr) -> usize {
    path.as_ptr() as usize
}

/// Opens with flags `O_*`; a file created gets mode 0o666 less the umask.
pub fn open(name: &CStr, flags: usize) -> Result<i32, Errno> {
    // SAFETY: the kernel reads the string.
    unsafe { raw(call::OPEN, [path(name), flags, 0o666]) }.map(|fd| fd as i32)
}

/// As [`open`] with `O_CREAT`, and the mode that a file created gets, less the umask.
pub fn create(name: &CStr, flags: usize, mode: u32) -> Result<i32, Errno> {
    // SAFETY: the kernel reads the string.
    unsafe { raw(call::OPEN, [path(name), flags | O_CREAT, mode as usize]) }.map(|fd| fd as i32)
}

pub fn close(fd: i32) -> Result<(), Errno> {
    // SAFETY: touches no memory.
    unsafe { raw(call::CLOSE, [fd as usize]) }.map(drop)
}

/// Reads up to `buffer.len()` bytes; 0 at the end.
pub fn read(fd: i32, buffer: &mut [u8]) -> Result<usize, Errno> {
    // SAFETY: the kernel writes into the buffer, which is borrowed mutably.
    unsafe {
        raw(
            call::READ,
            [fd as usize, buffer.as_mut_ptr() as usize, buffer.len()],
        )
    }
}

/// Writes up to `bytes.len()` bytes.
pub fn write(fd: i32, bytes: &[u8]) -> Result<usize, Errno> {
    // SAFETY: the kernel reads the borrowed bytes.
    unsafe {
        raw(
            call::WRITE,
            [fd as usize, bytes.as_ptr() as usize, bytes.len()],
        )
    }
}

pub fn write_all(fd: i32, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match write(fd, bytes)? {
            0 => return Err(Errno::EIO),
            n => bytes = &bytes[n..],
        }
    }
    Ok(())
}

/// Reads until the buffer is full or the file ends.
pub fn read_full(fd: i32, buffer: &mut [u8]) -> Result<usize, Errno> {
    let mut done = 0;
    while done < buffer.len() {
        match read(fd, &mut buffer[done..])? {
            0 => break,
            n => done += n,
        }
    }
    Ok(done)
}

/// `origin` is one of `SEEK_*`; the new offset from the start.
pub fn seek(fd: i32, offset: i64, origin: usize) -> Result<u64, Errno> {
    // SAFETY: touches no memory.
    unsafe { raw(call::LSEEK, [fd as usize, offset as usize, origin]) }.map(|at| at as u64)
}

pub fn truncate(fd: i32, length: u64) -> Result<(), Errno> {
    // SAFETY: touches no memory.
    unsafe { raw(call::FTRUNCATE, [fd as usize, length as usize]) }.map(drop)
}

/// A pipe: the end to read from, the end to write to.
pub fn pipe() -> Result<(i32, i32), Errno> {
    let mut ends = [0i32; 2];
    // SAFETY: the kernel writes the two words.
    unsafe { raw(call::PIPE2, [ends.as_mut_ptr() as usize, 0]) }?;
    Ok((ends[0], ends[1]))
}

/// A second descriptor for the same open file: the lowest free number.
pub fn dup(fd: i32) -> Result<i32, Errno> {
    // SAFETY: touches no memory.
    unsafe { raw(call::DUP, [fd as usize]) }.map(|fd| fd as i32)
}

/// Makes `to` another descriptor for what `from` has open.
pub fn dup2(from: i32, to: i32) -> Result<i32, Errno> {
    // SAFETY: touches no memory.
    unsafe { raw(call::DUP2, [from as usize, to as usize]) }.map(|fd| fd as i32)
}

/// fcntl(2) with a number for its argument (`F_*`).
pub fn control(fd: i32, command: usize, argument: usize) -> Result<usize, Errno> {
    // SAFETY: none of the commands of `abi` takes a pointer.
    unsafe { raw(call::FCNTL, [fd as usize, command, argument]) }
}

pub fn stat(name: &CStr) -> Result<Stat, Errno> {
    let mut stat = Stat::default();
    // SAFETY: the kernel reads the string and fills the structure.
    unsafe { raw(call::STAT, [path(name), &raw mut stat as usize]) }.map(|_| stat)
}

/// As [`stat`], but of a symbolic link itself.
pub fn lstat(name: &CStr) -> Result<Stat, Errno> {
    let mut stat = Stat::default();
    // SAFETY: the kernel reads the string and fills the structure.
    unsafe { raw(call::LSTAT, [path(name), &raw mut stat as usize]) }.map(|_| stat)
}

pub fn fstat(fd: i32) -> Result<Stat, Errno> {
    let mut stat = Stat::default();
    // SAFETY: the kernel fills the structure.
    unsafe { raw(call::FSTAT, [fd as usize, &raw mut stat as usize]) }.map(|_| stat)
}

pub fn link(old: &CStr, new: &CStr) -> Result<(), Errno> {
    // SAFETY: the kernel reads the strings.
    unsafe { raw(call::LINK, [path(old), path(new)]) }.map(drop)
}

pub fn symlink(target: &CStr, new: &CStr) -> Result<(), Errno> {
    // SAFETY: the kernel reads the strings.
    unsafe { raw(call::SYMLINK, [path(target), path(new)]) }.map(drop)
}

/// What a symbolic link holds, in `buffer`: cut off if it is longer.
pub fn read_link<'b>(name: &CStr, buffer: &'b mut [u8]) -> Result<&'b [u8], Errno> {
    let words = [path(name), buffer.as_mut_ptr() as usize, buffer.len()];
    // SAFETY: the kernel reads the string and writes into the borrowed buffer.
    let length = unsafe { raw(call::READLINK, words) }?;
    Ok(&buffer[..length])
}

pub fn rename(old: &CStr, new: &CStr) -> Result<(), Errno> {
    // SAFETY: the kernel reads the strings.
    unsafe { raw(call::RENAME, [path(old), path(new)]) }.map(drop)
}

pub fn unlink(name: &CStr) -> Result<(), Errno> {
    // SAFETY: the kernel reads the string.
    unsafe { raw(call::UNLINK, [path(name)]) }.map(drop)
}

pub fn mkdir(name: &CStr) -> Result<(), Errno> {
    // SAFETY: the kernel reads the string.
    unsafe { raw(call::MKDIR, [path(name), 0o777]) }.map(drop)
}

pub fn rmdir(name: &CStr) -> Result<(), Errno> {
    // SAFETY: the kernel reads the string.
    unsafe { raw(call::RMDIR, [path(name)]) }.map(drop)
}

/// A device node; `device` is `major << 8 | minor`.
pub fn mknod(name: &CStr, mode: u32, device: u64) -> Result<(), Errno> {
    // SAFETY: the kernel reads the string.
    unsafe { raw(call::MKNOD, [path(name), mode as usize, device as usize]) }.map(drop)
}

pub fn chdir(name: &CStr) -> Result<(), Errno> {
    // SAFETY: the kernel reads the string.
    unsafe { raw(call::CHDIR, [path(name)]) }.map(drop)
}

/// Whether the file may be read (4), written (2), executed (1), or is there (0).
pub fn access(name: &CStr, mode: usize) -> Result<(), Errno> {
    // SAFETY: the kernel reads the string.
    unsafe { raw(call::ACCESS, [path(name), mode]) }.map(drop)
}

/// Sets the permissions of a file.
pub fn chmod(name: &CStr, mode: u32) -> Result<(), Errno> {
    // SAFETY: the kernel reads the string.
    unsafe { raw(call::CHMOD, [path(name), mode as usize]) }.map(drop)
}

/// Sets the times of access and modification; `UTIME_NOW` and `UTIME_OMIT` as
/// nanoseconds are the present and no change.
pub fn set_times(name: &CStr, times: [Timespec; 2]) -> Result<(), Errno> {
    let words = [AT_FDCWD as usize, path(name), &raw const times as usize, 0];
    // SAFETY: the kernel reads the string and the two times.
    unsafe { raw(call::UTIMENSAT, words) }.map(drop)
}

/// Sets which bits of the mode new files do without; those before.
pub fn umask(mask: u32) -> Result<u32, Errno> {
    // SAFETY: touches no memory.
    unsafe { raw(call::UMASK, [mask as usize]) }.map(|mask| mask as u32)
}

/// The working directory, in `buffer`.
pub fn current_folder(buffer: &mut [u8]) -> Result<&CStr, Errno> {
    // SAFETY: the kernel writes into the borrowed buffer.
    unsafe { raw(call::GETCWD, [buffer.as_mut_ptr() as usize, buffer.len()]) }?;
    CStr::from_bytes_until_nul(buffer).map_err(|_| Errno::ERANGE)
}

/// One entry of a folder.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    pub inode: u64,
    /// `DT_*`.
    pub kind: u8,
    pub name: &'a CStr,
}

/// Reads entries into `buffer` and hands each to `each`; false at the end.
pub fn read_folder(
    fd: i32,
    buffer: &mut [u8],
    mut each: impl FnMut(Entry<'_>),
) -> Result<bool, Errno> {
    // SAFETY: the kernel writes into the borrowed buffer.
    let filled = unsafe {
        raw(
            call::GETDENTS64,
            [fd as usize, buffer.as_mut_ptr() as usize, buffer.len()],
        )
    }?;
    let mut rest = &buffer[..filled];
    while rest.len() > DIRENT_NAME {
        let length = u16::from_ne_bytes([rest[16], rest[17]]) as usize;
        let (record, next) = rest.split_at_checked(length).ok_or(Errno::EIO)?;
        let name = record.get(DIRENT_NAME..).unwrap_or(&[]);
        let name = CStr::from_bytes_until_nul(name).map_err(|_| Errno::EIO)?;
        let mut inode = [0; 8];
        inode.copy_from_slice(&record[..8]);
        each(Entry {
            inode: u64::from_ne_bytes(inode),
            kind: record[18],
            name,
        });
        rest = next;
    }
    Ok(filled > 0)
}

/// The terminal's settings; ENOTTY where `fd` is none.
pub fn terminal(fd: i32) -> Result<Termios, Errno> {
    let mut termios = Termios::default();
    // SAFETY: the kernel fills the structure.
    unsafe {
        raw(
            call::IOCTL,
            [fd as usize, abi::tty::TCGETS, &raw mut termios as usize],
        )
    }
    .map(|_| termios)
}

pub fn set_terminal(fd: i32, termios: &Termios) -> Result<(), Errno> {
    // SAFETY: the kernel reads the structure.
    unsafe {
        raw(
            call::IOCTL,
            [
                fd as usize,
                abi::tty::TCSETS,
                core::ptr::from_ref(termios) as usize,
            ],
        )
    }
    .map(drop)
}

/// Makes the terminal that of the session that the process leads.
pub fn take_terminal(fd: i32) -> Result<(), Errno> {
    // SAFETY: the kernel touches no memory for it.
    unsafe { raw(call::IOCTL, [fd as usize, abi::tty::TIOCSCTTY, 0]) }.map(drop)
}

/// Names the process group that the terminal's keys signal.
pub fn set_foreground(fd: i32, group: i32) -> Result<(), Errno> {
    // SAFETY: the kernel reads one word.
    unsafe {
        raw(
            call::IOCTL,
            [fd as usize, abi::tty::TIOCSPGRP, &raw const group as usize],
        )
    }
    .map(drop)
}

/// The size of the terminal's window, zeroes where nobody has told.
pub fn window_size(fd: i32) -> Result<WindowSize, Errno> {
    let mut size = WindowSize::default();
    let words = [fd as usize, abi::tty::TIOCGWINSZ, &raw mut size as usize];
    // SAFETY: the kernel fills the structure.
    unsafe { raw(call::IOCTL, words) }.map(|_| size)
}

/// Waits until there is something to read, or so many milliseconds; whether
/// there is.
pub fn wait_readable(fd: i32, milliseconds: i32) -> Result<bool, Errno> {
    let mut wanted = PollFd {
        fd,
        events: POLLIN,
        revents: 0,
    };
    let words = [&raw mut wanted as usize, 1, milliseconds as usize];
    // SAFETY: the kernel reads and writes the one structure.
    unsafe { raw(call::POLL, words) }.map(|count| count > 0)
}
