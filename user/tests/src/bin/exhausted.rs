//! `exhausted`: calls while the kernel has no memory left, down to its reserve:
//! they fail, and the kernel lives. For a small machine with a disk.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::ffi::CStr;
use weft::abi::file::*;
use weft::abi::memory::*;
use weft::abi::signal::SIGKILL;
use weft::check::Test;
use weft::process::Ended;
use weft::{Errno, call, check, file, process, tests, wild};

weft::program!(main);

const PAGE: usize = PAGE_SIZE;

const TESTS: &[Test] = tests![
    proc_is_read_without_memory,
    calls_fail_without_memory,
    every_call_on_files_answers,
    programs_start_without_memory,
];

fn main() -> i32 {
    check::run(&[TESTS])
}

/// Address space that is mapped in so many pieces that the kernel has no
/// memory for one more.
struct Hog {
    base: usize,
    pages: usize,
}

impl Hog {
    fn new() -> Hog {
        const PAGES: usize = 1 << 22;
        let arguments = [
            0,
            PAGES * PAGE,
            PROT_NONE,
            MAP_PRIVATE | MAP_ANONYMOUS,
            usize::MAX,
            0,
        ];
        let base = wild::call(call::MMAP, arguments).unwrap();
        let mut hog = Hog { base, pages: 0 };
        hog.fill();
        hog
    }

    /// Takes all there is.
    fn fill(&mut self) {
        loop {
            let page = self.base + 2 * self.pages * PAGE;
            match wild::protect(page, PAGE, PROT_READ) {
                Ok(()) => self.pages += 1,
                Err(error) => return assert_eq!(error, Errno::ENOMEM),
            }
        }
    }

    /// Gives some pieces back.
    fn shrink(&mut self, pieces: usize) {
        self.pages -= pieces;
        let start = self.base + 2 * self.pages * PAGE;
        // This may need a piece more for a moment.
        let _ = wild::unmap(start, 2 * pieces * PAGE);
    }
}

/// Success or want of memory, which is also the room of files in memory.
fn or_no_memory<T>(result: Result<T, Errno>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(Errno::ENOMEM | Errno::ENOSPC) => None,
        Err(error) => panic!("{error:?}"),
    }
}

/// Takes all memory: a process may have so many pieces only, so some help.
fn exhaust() -> Hog {
    // What a helper takes at most.
    const SHARE: u64 = 6 << 20;
    let (filled, write) = file::pipe().unwrap();
    let (never, _keep) = file::pipe().unwrap();
    while process::system().unwrap().freeram > 2 * SHARE {
        check::start_child(|| {
            let _hog = Hog::new();
            file::write_all(write, b"x").unwrap();
            // Until the test has ended.
            file::read(never, &mut [0]).unwrap();
        });
        file::read_full(filled, &mut [0]).unwrap();
    }
    Hog::new()
}

/// How often `while_short` calls.
const TIMES: usize = 65;

/// Calls `act`, and then again with less and less taken. Who finds no memory for
/// its own pages is ended, which is no failure: the kernel has to live.
fn while_short(mut act: impl FnMut(usize)) {
    let ended = check::in_child(|| {
        // Once with memory: the program's own pages are there from then on.
        act(0);
        let mut hog = exhaust();
        for time in 1..TIMES {
            act(time);
            hog.shrink(16);
        }
    });
    let may_be = [Ended::Exited(0), Ended::Signaled(SIGKILL as u8)];
    assert!(may_be.contains(&ended), "{ended:?}");
}

fn proc_is_read_without_memory() {
    const FILES: [&CStr; 3] = [c"/proc/mounts", c"/proc/meminfo", c"/proc/diskstats"];
    let mut open = [0; 200];
    while_short(|_| {
        for name in FILES {
            // They take memory, until there is none for one more.
            let mut count = 0;
            while count < open.len()
                && let Some(fd) = or_no_memory(file::open(name, O_RDONLY))
            {
                open[count] = fd;
                count += 1;
            }
            for &fd in &open[..count] {
                file::close(fd).unwrap();
            }
        }
    });
}

/// A name in the folder of the test.
fn name(number: usize, buffer: &mut [u8; 36]) -> &CStr {
    *buffer = *b"exhausted/a-long-name-of-a-file-000\0";
    for (place, digit) in buffer[32..35].iter_mut().rev().zip([1, 10, 100]) {
        *place = b'0' + (number / digit % 10) as u8;
    }
    CStr::from_bytes_with_nul(buffer).unwrap()
}

fn calls_fail_without_memory() {
    let mut buffer = [0; 36];
    file::mkdir(c"exhausted").unwrap();
    while_short(|time| {
        let name = name(time, &mut buffer);
        if let Some(fd) = or_no_memory(file::open(name, O_RDWR | O_CREAT)) {
            or_no_memory(file::write(fd, b"bytes"));
            file::close(fd).unwrap();
        }
        if let Some((read, write)) = or_no_memory(file::pipe()) {
            or_no_memory(file::write(write, b"x"));
            file::close(read).unwrap();
            file::close(write).unwrap();
        }
        or_no_memory(file::current_folder(&mut [0; 64]));
        let nothing = file::stat(c"exhausted/nothing").map(|_| ());
        assert!(matches!(nothing, Err(Errno::ENOENT | Errno::ENOMEM)));
        let _ = file::unlink(name);
    });
    for number in 0..TIMES {
        let _ = file::unlink(name(number, &mut buffer));
    }
    file::rmdir(c"exhausted").unwrap();
}

/// Whatever the answer is.
fn every_call_on_files_answers() {
    file::mkdir(c"exhausted").unwrap();
    file::mkdir(c"exhausted/folder").unwrap();
    let fd = file::open(c"exhausted/file", O_RDWR | O_CREAT).unwrap() as usize;
    let folder = file::open(c"exhausted", O_RDONLY).unwrap() as usize;
    let at = |path: &'static CStr| path.as_ptr() as usize;
    let file = at(c"exhausted/file");
    let one = at(c"exhausted/one");
    let other = at(c"exhausted/other");
    let sub = at(c"exhausted/folder/sub");
    let buffer = wild::map(64 * PAGE);
    let shared = [0, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0];
    let calls: [(usize, [usize; 6]); 32] = [
        (call::LINK, [file, one, 0, 0, 0, 0]),
        (call::SYMLINK, [file, other, 0, 0, 0, 0]),
        (call::READLINK, [other, buffer, PAGE, 0, 0, 0]),
        (call::RENAME, [one, other, 0, 0, 0, 0]),
        (call::MKDIR, [sub, 0o755, 0, 0, 0, 0]),
        (call::RENAME, [sub, one, 0, 0, 0, 0]),
        (call::RMDIR, [one, 0, 0, 0, 0, 0]),
        (call::UNLINK, [other, 0, 0, 0, 0, 0]),
        (call::PWRITE64, [fd, buffer, 64 * PAGE, 0, 0, 0]),
        (call::PREAD64, [fd, buffer, 64 * PAGE, PAGE, 0, 0]),
        (call::READV, [fd, buffer, 1024, 0, 0, 0]),
        (call::WRITEV, [fd, buffer, 1024, 0, 0, 0]),
        (call::POLL, [buffer, 1000, 0, 0, 0, 0]),
        (call::GETDENTS64, [folder, buffer, PAGE, 0, 0, 0]),
        (call::FALLOCATE, [fd, 0, 100 * PAGE, 64 * PAGE, 0, 0]),
        (call::FTRUNCATE, [fd, 200 * PAGE, 0, 0, 0, 0]),
        (call::FTRUNCATE, [fd, 5, 0, 0, 0, 0]),
        (call::MMAP, shared),
        (call::FSYNC, [fd, 0, 0, 0, 0, 0]),
        (call::FDATASYNC, [fd, 0, 0, 0, 0, 0]),
        (call::SYNCFS, [fd, 0, 0, 0, 0, 0]),
        (call::SYNC, [0; 6]),
        (call::FCNTL, [fd, F_DUPFD, 300, 0, 0, 0]),
        (call::DUP2, [fd, 900, 0, 0, 0, 0]),
        (call::CLOSE, [900, 0, 0, 0, 0, 0]),
        (call::PIPE2, [buffer, 0, 0, 0, 0, 0]),
        (call::STATFS, [file, buffer, 0, 0, 0, 0]),
        (call::CHMOD, [file, 0o600, 0, 0, 0, 0]),
        (call::UTIMENSAT, [AT_FDCWD as usize, file, 0, 0, 0, 0]),
        (call::GETCWD, [buffer, PAGE, 0, 0, 0, 0]),
        (call::MKNOD, [one, 0o010_600, 0, 0, 0, 0]),
        (call::UNLINK, [one, 0, 0, 0, 0, 0]),
    ];
    for page in 0..64 {
        wild::store(buffer + page * PAGE, 0);
    }
    while_short(|_| {
        for (number, arguments) in calls {
            let _ = wild::call(number, arguments);
        }
    });
    let left = [c"exhausted/file", c"exhausted/one", c"exhausted/other"];
    for name in left {
        let _ = file::unlink(name);
    }
    for name in [
        c"exhausted/one",
        c"exhausted/folder/sub",
        c"exhausted/folder",
    ] {
        let _ = file::rmdir(name);
    }
    file::rmdir(c"exhausted").unwrap();
}

fn programs_start_without_memory() {
    while_short(|_| {
        let Some(child) = or_no_memory(process::fork()) else {
            return;
        };
        match child {
            // The child may find no memory for its own pages.
            Some(child) => drop(process::wait_for(child).unwrap()),
            None => {
                let _ = process::exec(c"/bin/true", &[c"true"]);
                process::exit(0)
            }
        }
    });
}
