//! `pressure`: files, names and programs that together want more memory than
//! there is. For a small machine with a disk: the current folder lies on it.
#![no_std]
#![no_main]
#![forbid(unsafe_code)]

use core::ffi::CStr;
use weft::abi::file::*;
use weft::abi::memory::*;
use weft::check::Test;
use weft::process::Ended;
use weft::{Errno, call, check, file, process, tests, wild};

weft::program!(main);

const PAGE: usize = PAGE_SIZE;

const TESTS: &[Test] = tests![
    a_mapped_file_may_be_larger_than_memory,
    processes_share_a_file_larger_than_memory,
    programs_get_memory_that_files_fill,
    names_give_memory_back,
    programs_get_memory_that_names_fill,
];

fn main() -> i32 {
    check::run(&[TESTS])
}

fn memory() -> usize {
    process::system().unwrap().totalram as usize
}

fn free_memory() -> usize {
    process::system().unwrap().freeram as usize
}

/// Maps the first `length` bytes of a file.
fn map(fd: i32, length: usize, protection: usize, flags: usize) -> usize {
    let arguments = [0, length, protection, flags, fd as usize, 0];
    wild::call(call::MMAP, arguments).unwrap()
}

/// Writes the number of each page through a shared mapping.
fn fill(fd: i32, length: usize) {
    file::truncate(fd, length as u64).unwrap();
    let base = map(fd, length, PROT_READ | PROT_WRITE, MAP_SHARED);
    for page in 0..length / PAGE {
        wild::word(base + page * PAGE).store(page as u32, core::sync::atomic::Ordering::Relaxed);
    }
    wild::unmap(base, length).unwrap();
}

/// Finds them through a mapping.
fn is_there(fd: i32, length: usize, flags: usize) -> bool {
    let base = map(fd, length, PROT_READ, flags);
    let is_right = |page: usize| {
        let word = wild::word(base + page * PAGE);
        word.load(core::sync::atomic::Ordering::Relaxed) == page as u32
    };
    let all = (0..length / PAGE).all(is_right);
    wild::unmap(base, length).unwrap();
    all
}

fn a_mapped_file_may_be_larger_than_memory() {
    let length = 4 * memory();
    let fd = file::open(c"large", O_RDWR | O_CREAT | O_TRUNC).unwrap();
    fill(fd, length);
    assert!(is_there(fd, length, MAP_SHARED));
    assert!(is_there(fd, length, MAP_PRIVATE));
    let mut buffer = [0; 16 * PAGE];
    file::seek(fd, 0, SEEK_SET).unwrap();
    for part in 0..length / buffer.len() {
        assert_eq!(file::read_full(fd, &mut buffer), Ok(buffer.len()));
        for (page, bytes) in buffer.chunks_exact(PAGE).enumerate() {
            let number = (part * 16 + page) as u32;
            assert!(bytes.starts_with(&number.to_le_bytes()));
            assert!(bytes[4..].iter().all(|&byte| byte == 0));
        }
    }
    file::close(fd).unwrap();
    file::unlink(c"large").unwrap();
}

fn processes_share_a_file_larger_than_memory() {
    let length = 2 * memory();
    let fd = file::open(c"shared", O_RDWR | O_CREAT | O_TRUNC).unwrap();
    fill(fd, length);
    let readers = [MAP_SHARED, MAP_PRIVATE, MAP_SHARED]
        .map(|flags| check::start_child(move || assert!(is_there(fd, length, flags))));
    for reader in readers {
        assert_eq!(check::wait_for(reader), Ended::Exited(0));
    }
    file::close(fd).unwrap();
    file::unlink(c"shared").unwrap();
}

fn a_program_gets_most_of_memory() {
    let wanted = memory() / 10 * 7;
    let child = check::in_child(move || {
        let base = wild::map(wanted);
        for page in (0..wanted).step_by(PAGE) {
            wild::store(base + page, 1);
        }
    });
    assert_eq!(child, Ended::Exited(0));
}

fn programs_get_memory_that_files_fill() {
    let length = 2 * memory();
    let fd = file::open(c"cached", O_RDWR | O_CREAT | O_TRUNC).unwrap();
    fill(fd, length);
    assert!(is_there(fd, length, MAP_SHARED));
    a_program_gets_most_of_memory();
    file::close(fd).unwrap();
    file::unlink(c"cached").unwrap();
}

/// Writes a number's digits over the last ones of a name.
fn name(number: usize, buffer: &mut [u8; 16]) -> &CStr {
    *buffer = *b"names/name-0000\0";
    let mut rest = number;
    for digit in buffer[11..15].iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    CStr::from_bytes_with_nul(buffer).unwrap()
}

fn names_give_memory_back() {
    const NAMES: usize = 3000;
    let mut buffer = [0; 16];
    file::mkdir(c"names").unwrap();
    let round = |buffer: &mut [u8; 16]| {
        for number in 0..NAMES {
            let fd = file::open(name(number, buffer), O_WRONLY | O_CREAT | O_EXCL).unwrap();
            file::write_all(fd, b"a page").unwrap();
            file::close(fd).unwrap();
        }
        for number in 0..NAMES {
            assert_eq!(file::stat(name(number, buffer)).unwrap().size, 6);
        }
        let used = free_memory();
        check::drop_caches();
        assert!(free_memory() > used + NAMES * PAGE, "pages come back");
        for number in 0..NAMES {
            file::unlink(name(number, buffer)).unwrap();
        }
        check::drop_caches();
        free_memory()
    };
    let first = round(&mut buffer);
    let second = round(&mut buffer);
    // What the kernel's allocators keep grows no further.
    assert!(second + 64 * PAGE >= first, "{second} after {first}");
    file::rmdir(c"names").unwrap();
}

/// What is remembered of names that are not there takes memory, too.
fn programs_get_memory_that_names_fill() {
    const FOLDERS: usize = 64;
    const NAMES: usize = 2500;
    let mut path = *b"absent-00/a-name-that-nothing-has-0000-and-that-goes-on-and-on-\
        so-that-it-takes-room-so-that-it-takes-room-so-that-it-takes-room-so-that-it-takes-room-\
        so-that-it-takes-room-so-that-it-takes-room-so-that-it-takes-room-so-that-it-takes-room\0";
    let folder = |number: usize| {
        let mut folder = *b"absent-00\0";
        folder[7] = b'0' + (number / 10) as u8;
        folder[8] = b'0' + (number % 10) as u8;
        folder
    };
    for number in 0..FOLDERS {
        let folder = folder(number);
        let folder = CStr::from_bytes_with_nul(&folder).unwrap();
        file::mkdir(folder).unwrap();
        path[..9].copy_from_slice(&folder.to_bytes()[..9]);
        for number in 0..NAMES {
            let mut rest = number;
            for digit in path[34..38].iter_mut().rev() {
                *digit = b'0' + (rest % 10) as u8;
                rest /= 10;
            }
            let path = CStr::from_bytes_with_nul(&path).unwrap();
            assert_eq!(file::stat(path).map(|_| ()), Err(Errno::ENOENT));
        }
    }
    a_program_gets_most_of_memory();
    for number in 0..FOLDERS {
        let folder = folder(number);
        file::rmdir(CStr::from_bytes_with_nul(&folder).unwrap()).unwrap();
    }
}
