//! Bad pointers, lengths and handles.

use weft::abi::file::*;
use weft::abi::memory::*;
use weft::abi::time::*;
use weft::check::Test;
use weft::process::Ended;
use weft::{Errno, call, check, file, tests, thread, wild};

pub const TESTS: &[Test] = tests![
    bad_descriptors,
    bad_buffers,
    bad_lengths,
    bad_vectors,
    bad_result_pointers,
    bad_seeks,
    bad_structures_at_the_edge,
    descriptors_run_out_cleanly,
];

pub const PAGE: usize = PAGE_SIZE;

/// Addresses nobody may pass: null, low, not canonical, the kernel's, the
/// last ones.
pub const BAD: [usize; 9] = [
    0,
    8,
    PAGE - 1,
    1 << 47,
    1 << 63,
    0xffff_8000_0000_0000,
    0xffff_ffff_8000_0000,
    usize::MAX - 7,
    usize::MAX,
];

fn bad_descriptors() {
    for fd in [
        3_000,
        1 << 20,
        1 << 31,
        usize::MAX,
        usize::MAX - 100,
        1 << 32,
        0xffff_ffff,
    ] {
        let buffer = wild::map(PAGE);
        for (number, args) in [
            (call::READ, [fd, buffer, 10]),
            (call::WRITE, [fd, buffer, 10]),
            (call::PREAD64, [fd, buffer, 10]),
            (call::PWRITE64, [fd, buffer, 10]),
            (call::CLOSE, [fd, 0, 0]),
            (call::FSTAT, [fd, buffer, 0]),
            (call::LSEEK, [fd, 0, 0]),
            (call::DUP, [fd, 0, 0]),
            (call::DUP2, [fd, 20, 0]),
            (call::FCNTL, [fd, F_GETFD, 0]),
            (call::IOCTL, [fd, 0x5401, buffer]),
            (call::FTRUNCATE, [fd, 0, 0]),
            (call::GETDENTS64, [fd, buffer, PAGE]),
            (call::READV, [fd, buffer, 1]),
            (call::WRITEV, [fd, buffer, 1]),
        ] {
            // Linux looks at the lower half only: 1 << 32 is descriptor 0.
            if fd as u32 == 0 {
                continue;
            }
            let result = wild::call(number, args);
            assert_eq!(
                result,
                Err(Errno::EBADF),
                "{:?} {fd:#x}",
                call::name(number)
            );
        }
        wild::unmap(buffer, PAGE).unwrap();
    }
    // As a target, too.
    for to in [1 << 20, 1 << 31, 0xffff_ffff] {
        assert_eq!(
            wild::call(call::DUP2, [0, to]),
            Err(Errno::EBADF),
            "{to:#x}"
        );
    }
    let open_at = wild::call(call::OPENAT, [77, c"x".as_ptr() as usize, 0]);
    assert_eq!(open_at, Err(Errno::EBADF));
}

fn scratch() -> i32 {
    let name = c"/bad-scratch";
    let fd = file::open(name, O_RDWR | O_CREAT | O_TRUNC).unwrap();
    file::unlink(name).unwrap();
    file::write_all(fd, &[7; 5000]).unwrap();
    file::seek(fd, 0, SEEK_SET).unwrap();
    fd
}

fn bad_buffers() {
    let fd = scratch();
    let zero = file::open(c"/dev/zero", O_RDONLY).unwrap();
    for pointer in BAD {
        assert_eq!(
            wild::call(call::READ, [fd as usize, pointer, 16]),
            Err(Errno::EFAULT)
        );
        assert_eq!(
            wild::call(call::READ, [zero as usize, pointer, 16]),
            Err(Errno::EFAULT)
        );
        assert_eq!(
            wild::call(call::WRITE, [fd as usize, pointer, 16]),
            Err(Errno::EFAULT)
        );
        assert_eq!(
            wild::call(call::PREAD64, [fd as usize, pointer, 16, 0]),
            Err(Errno::EFAULT)
        );
        assert_eq!(
            wild::call(call::PWRITE64, [fd as usize, pointer, 16, 0]),
            Err(Errno::EFAULT)
        );
    }
    // Nothing was read, nothing was written.
    assert_eq!(file::seek(fd, 0, SEEK_CUR), Ok(0));
    assert_eq!(file::fstat(fd).unwrap().size, 5000);
    // A buffer that ends in nothing: what fitted, or an error.
    let pages = wild::map(2 * PAGE);
    wild::protect(pages + PAGE, PAGE, PROT_NONE).unwrap();
    let edge = pages + PAGE - 100;
    let result = wild::call(call::READ, [fd as usize, edge, 200]);
    assert!(matches!(result, Ok(100) | Err(Errno::EFAULT)), "{result:?}");
    let size = file::fstat(fd).unwrap().size;
    file::seek(fd, 0, SEEK_END).unwrap();
    let result = wild::call(call::WRITE, [fd as usize, edge, 200]);
    assert!(matches!(result, Ok(100) | Err(Errno::EFAULT)), "{result:?}");
    let grown = if result.is_ok() { 100 } else { 0 };
    assert_eq!(file::fstat(fd).unwrap().size, size + grown);
}

fn bad_lengths() {
    let fd = scratch();
    let page = wild::map(PAGE);
    for length in [usize::MAX, usize::MAX >> 1, 1 << 63] {
        for number in [call::READ, call::WRITE] {
            let result = wild::call(number, [fd as usize, page, length]);
            let sensible = |n| n <= PAGE;
            assert!(
                matches!(result, Err(Errno::EINVAL | Errno::EFAULT)) || result.is_ok_and(sensible),
                "{length:#x} {result:?}"
            );
        }
    }
    let pipe = file::pipe().unwrap();
    let result = wild::call(call::WRITE, [pipe.1 as usize, page, usize::MAX]);
    assert!(
        matches!(result, Err(Errno::EINVAL | Errno::EFAULT)) || result.is_ok_and(|n| n <= PAGE)
    );
    for length in [1, 10, 20] {
        let folder = file::open(c"/", O_RDONLY).unwrap();
        let result = wild::call(call::GETDENTS64, [folder as usize, page, length]);
        assert_eq!(result, Err(Errno::EINVAL), "{length}");
        file::close(folder).unwrap();
    }
    file::chdir(c"/dev").unwrap();
    for length in [1, 2, 4] {
        assert_eq!(
            wild::call(call::GETCWD, [page, length]),
            Err(Errno::ERANGE),
            "{length}"
        );
    }
    assert_eq!(wild::call(call::GETCWD, [page, 5]), Ok(5));
}

fn bad_vectors() {
    let fd = scratch() as usize;
    let page = wild::map(PAGE);
    let set = |at: usize, base: usize, length: usize| {
        wild::word64(page + at * 16).store(base as u64, core::sync::atomic::Ordering::SeqCst);
        wild::word64(page + at * 16 + 8).store(length as u64, core::sync::atomic::Ordering::SeqCst);
    };
    for number in [call::READV, call::WRITEV] {
        for pointer in BAD {
            assert_eq!(wild::call(number, [fd, pointer, 1]), Err(Errno::EFAULT));
        }
        assert_eq!(
            wild::call(number, [fd, page, IOV_MAX + 1]),
            Err(Errno::EINVAL)
        );
        assert_eq!(
            wild::call(number, [fd, page, usize::MAX]),
            Err(Errno::EINVAL)
        );
        assert_eq!(wild::call(number, [fd, page, 0]), Ok(0));
        // Sums that overflow.
        set(0, page, usize::MAX);
        assert_eq!(wild::call(number, [fd, page, 1]), Err(Errno::EINVAL));
        set(0, page + 2048, isize::MAX as usize);
        set(1, page + 2048, isize::MAX as usize);
        let result = wild::call(number, [fd, page, 2]);
        assert!(
            matches!(result, Err(Errno::EINVAL | Errno::EFAULT)) || result.is_ok_and(|n| n <= PAGE)
        );
    }
    set(0, page + 2048, 10);
    set(1, 8, 10);
    let result = wild::call(call::WRITEV, [fd, page, 2]);
    assert!(matches!(result, Ok(10) | Err(Errno::EFAULT)), "{result:?}");
}

fn bad_result_pointers() {
    let name = c"/dev/null".as_ptr() as usize;
    let fd = file::open(c"/dev/null", O_RDONLY).unwrap() as usize;
    let folder = file::open(c"/", O_RDONLY).unwrap() as usize;
    let read_only = wild::map(PAGE);
    wild::protect(read_only, PAGE, PROT_READ).unwrap();
    for pointer in BAD.into_iter().chain([read_only]) {
        for (number, args) in [
            (call::STAT, [name, pointer, 0, 0]),
            (call::LSTAT, [name, pointer, 0, 0]),
            (call::FSTAT, [fd, pointer, 0, 0]),
            (call::GETDENTS64, [folder, pointer, 4096, 0]),
            (call::CLOCK_GETTIME, [CLOCK_MONOTONIC, pointer, 0, 0]),
            (call::SYSINFO, [pointer, 0, 0, 0]),
            (call::UNAME, [pointer, 0, 0, 0]),
            (call::GETRANDOM, [pointer, 16, 0, 0]),
            (call::SCHED_GETAFFINITY, [0, 128, pointer, 0]),
            (call::GETCWD, [pointer, 4096, 0, 0]),
        ] {
            let result = wild::call(number, args);
            let name = call::name(number);
            assert_eq!(result, Err(Errno::EFAULT), "{name:?} {pointer:#x}");
        }
    }
}

fn bad_seeks() {
    let fd = scratch();
    file::seek(fd, 10, SEEK_SET).unwrap();
    assert_eq!(file::seek(fd, -1, SEEK_SET), Err(Errno::EINVAL));
    assert_eq!(file::seek(fd, -11, SEEK_CUR), Err(Errno::EINVAL));
    assert_eq!(file::seek(fd, -5001, SEEK_END), Err(Errno::EINVAL));
    assert_eq!(file::seek(fd, 0, 77), Err(Errno::EINVAL));
    let far = file::seek(fd, i64::MAX, SEEK_CUR);
    assert!(
        matches!(far, Err(Errno::EINVAL | Errno::EOVERFLOW)),
        "{far:?}"
    );
    assert_eq!(file::seek(fd, 0, SEEK_CUR), Ok(10));
    assert_eq!(file::truncate(fd, u64::MAX), Err(Errno::EINVAL));
    // Past the largest size there can be: an error, and the file as it was.
    let args = [fd as usize, c"x".as_ptr() as usize, 1, i64::MAX as usize];
    let written = wild::call(call::PWRITE64, args);
    assert!(
        matches!(written, Err(Errno::EFBIG | Errno::ENOSPC | Errno::EINVAL)),
        "{written:?}"
    );
    assert_eq!(file::fstat(fd).unwrap().size, 5000);
}

/// Structures half of which are in nothing: an error, no half a job.
fn bad_structures_at_the_edge() {
    let pages = wild::map(2 * PAGE);
    wild::protect(pages + PAGE, PAGE, PROT_NONE).unwrap();
    let end = pages + PAGE;
    let name = c"/dev/null".as_ptr() as usize;
    assert_eq!(
        wild::call(call::STAT, [name, end - 140]),
        Err(Errno::EFAULT)
    );
    assert_eq!(wild::call(call::STAT, [name, end - 144]), Ok(0));
    assert_eq!(wild::call(call::PIPE2, [end - 4, 0]), Err(Errno::EFAULT));
    assert_eq!(
        wild::call(call::NANOSLEEP, [end - 8, 0]),
        Err(Errno::EFAULT)
    );
    assert_eq!(wild::call(call::SYSINFO, [end - 100]), Err(Errno::EFAULT));
    let next = file::dup(0).unwrap();
    file::close(next).unwrap();
    let (read, _) = file::pipe().unwrap();
    assert_eq!(read, next, "a failed pipe left a descriptor open");
}

fn descriptors_run_out_cleanly() {
    let ended = check::in_child(|| {
        let mut count = 0;
        let error = loop {
            match file::open(c"/dev/null", O_RDONLY) {
                Ok(_) => count += 1,
                Err(error) => break error,
            }
        };
        assert_eq!(error, Errno::EMFILE);
        assert!(count >= 13);
        assert_eq!(file::dup(0), Err(Errno::EMFILE));
        assert_eq!(file::pipe(), Err(Errno::EMFILE));
        file::close(5).unwrap();
        assert_eq!(file::pipe(), Err(Errno::EMFILE), "room for one end only");
        assert_eq!(file::open(c"/dev/null", O_RDONLY), Ok(5));
        // Threads and forks still work.
        assert_eq!(check::in_child(|| ()), Ended::Exited(0));
        assert_eq!(thread::spawn(|| 1).unwrap().join(), Ok(Some(1)));
    });
    assert_eq!(ended, Ended::Exited(0));
}
