//! The calls on files and descriptors, as they should be used.

use weft::abi::file::*;
use weft::check::Test;
use weft::{Errno, call, file, tests, wild};

pub const TESTS: &[Test] = tests![
    dup_shares_the_offset,
    dup_takes_the_lowest,
    dup2_replaces,
    open_read_write_close,
    link_and_unlink,
    mkdir_and_chdir,
    mknod_makes_a_device,
    fstat_tells,
    poll_tells_what_is_ready,
];

/// A file of this test's own, gone again as soon as it is closed.
fn scratch() -> i32 {
    let name = c"/calls-scratch";
    let fd = file::open(name, O_RDWR | O_CREAT | O_TRUNC).unwrap();
    file::unlink(name).unwrap();
    fd
}

fn dup_shares_the_offset() {
    let fd = scratch();
    let copy = file::dup(fd).unwrap();
    file::write_all(fd, b"hello ").unwrap();
    file::write_all(copy, b"world").unwrap();
    assert_eq!(file::seek(fd, 0, SEEK_CUR), Ok(11));
    file::close(fd).unwrap();
    file::seek(copy, 0, SEEK_SET).unwrap();
    let mut buffer = [0; 20];
    assert_eq!(file::read(copy, &mut buffer), Ok(11));
    assert_eq!(&buffer[..11], b"hello world");
}

fn dup_takes_the_lowest() {
    let first = file::dup(1).unwrap();
    let second = file::dup(1).unwrap();
    assert_eq!(second, first + 1);
    file::close(first).unwrap();
    assert_eq!(file::dup(1), Ok(first));
    assert_eq!(file::control(1, F_DUPFD, 40), Ok(40));
    assert_eq!(file::control(1, F_DUPFD, 40), Ok(41));
}

fn dup2_replaces() {
    let fd = scratch();
    file::write_all(fd, b"abc").unwrap();
    let (read, write) = file::pipe().unwrap();
    assert_eq!(file::dup2(fd, write), Ok(write));
    // The pipe's last writer is gone.
    assert_eq!(file::read(read, &mut [0]), Ok(0));
    assert_eq!(file::fstat(write).unwrap().size, 3);
    // Onto itself: nothing, but only if it is open.
    assert_eq!(file::dup2(fd, fd), Ok(fd));
    assert_eq!(file::dup2(99, 99), Err(Errno::EBADF));
    let args = [fd as usize, fd as usize, 0];
    assert_eq!(wild::call(call::DUP3, args), Err(Errno::EINVAL));
}

fn open_read_write_close() {
    let fd = scratch();
    assert_eq!(file::write(fd, b"0123456789"), Ok(10));
    assert_eq!(file::read(fd, &mut [0; 4]), Ok(0));
    assert_eq!(file::seek(fd, 3, SEEK_SET), Ok(3));
    let mut buffer = [0; 4];
    assert_eq!(file::read(fd, &mut buffer), Ok(4));
    assert_eq!(&buffer, b"3456");
    assert_eq!(file::seek(fd, -2, SEEK_END), Ok(8));
    assert_eq!(file::read(fd, &mut buffer), Ok(2));
    assert_eq!(file::close(fd), Ok(()));
    assert_eq!(file::close(fd), Err(Errno::EBADF));
    assert_eq!(file::read(fd, &mut buffer), Err(Errno::EBADF));
    assert_eq!(file::write(fd, &buffer), Err(Errno::EBADF));
}

fn link_and_unlink() {
    let (one, two) = (c"/calls-one", c"/calls-two");
    let fd = file::open(one, O_RDWR | O_CREAT | O_EXCL).unwrap();
    file::write_all(fd, b"x").unwrap();
    file::link(one, two).unwrap();
    assert_eq!(file::fstat(fd).unwrap().nlink, 2);
    assert_eq!(file::stat(two).unwrap().ino, file::fstat(fd).unwrap().ino);
    assert_eq!(file::link(one, two), Err(Errno::EEXIST));
    file::unlink(one).unwrap();
    assert_eq!(file::stat(one), Err(Errno::ENOENT));
    file::unlink(two).unwrap();
    // Still there for whoever has it open.
    assert_eq!(file::fstat(fd).unwrap().nlink, 0);
    file::seek(fd, 0, SEEK_SET).unwrap();
    assert_eq!(file::read(fd, &mut [0; 4]), Ok(1));
    assert_eq!(file::unlink(two), Err(Errno::ENOENT));
}

fn mkdir_and_chdir() {
    file::mkdir(c"/calls-folder").unwrap();
    assert_eq!(file::mkdir(c"/calls-folder"), Err(Errno::EEXIST));
    file::chdir(c"/calls-folder").unwrap();
    let fd = file::open(c"inside", O_CREAT | O_WRONLY).unwrap();
    file::close(fd).unwrap();
    assert!(file::stat(c"/calls-folder/inside").is_ok());
    assert!(file::stat(c"../calls-folder/./inside").is_ok());
    let mut buffer = [0; 64];
    assert_eq!(file::current_folder(&mut buffer), Ok(c"/calls-folder"));
    assert_eq!(file::rmdir(c"/calls-folder"), Err(Errno::ENOTEMPTY));
    file::unlink(c"inside").unwrap();
    file::chdir(c"/").unwrap();
    file::rmdir(c"/calls-folder").unwrap();
    assert_eq!(file::chdir(c"/calls-folder"), Err(Errno::ENOENT));
    assert_eq!(file::chdir(c"/dev/null"), Err(Errno::ENOTDIR));
}

fn mknod_makes_a_device() {
    let name = c"/calls-null";
    let null = file::stat(c"/dev/null").unwrap();
    assert_eq!(null.mode & S_IFMT, S_IFCHR);
    file::mknod(name, S_IFCHR | 0o666, null.rdev).unwrap();
    assert_eq!(
        file::mknod(name, S_IFCHR | 0o666, null.rdev),
        Err(Errno::EEXIST)
    );
    let fd = file::open(name, O_RDWR).unwrap();
    assert_eq!(file::write(fd, &[1; 100]), Ok(100));
    assert_eq!(file::read(fd, &mut [0; 100]), Ok(0));
    file::unlink(name).unwrap();
}

fn fstat_tells() {
    let fd = scratch();
    file::write_all(fd, &[0; 1000]).unwrap();
    let stat = file::fstat(fd).unwrap();
    assert_eq!((stat.size, stat.mode & S_IFMT), (1000, S_IFREG));
    let folder = file::stat(c"/").unwrap();
    assert_eq!(folder.mode & S_IFMT, S_IFDIR);
    assert_ne!(folder.ino, stat.ino);
}

fn poll_tells_what_is_ready() {
    let (read, write) = file::pipe().unwrap();
    let poll = |fd, events| {
        let mut entry = PollFd {
            fd,
            events,
            revents: 0,
        };
        let count = wild::call(call::POLL, [&raw mut entry as usize, 1, 0]);
        (count, entry.revents)
    };
    assert_eq!(poll(read, POLLIN), (Ok(0), 0));
    assert_eq!(poll(write, POLLOUT), (Ok(1), POLLOUT));
    file::write_all(write, b"x").unwrap();
    assert_eq!(poll(read, POLLIN), (Ok(1), POLLIN));
    file::read(read, &mut [0]).unwrap();
    file::close(write).unwrap();
    assert_eq!(poll(read, POLLIN), (Ok(1), POLLHUP));
    assert_eq!(poll(99, POLLIN), (Ok(1), POLLNVAL));
    assert_eq!(poll(-1, POLLIN), (Ok(0), 0));
    // With nothing to wait for it is a sleep.
    assert_eq!(wild::call(call::POLL, [0, 0, 1]), Ok(0));
}
