//! Bad pointers, lengths and handles.

use alloc::ffi::CString;
use core::ffi::CStr;
use weft::abi::file::*;
use weft::abi::memory::*;
use weft::abi::time::*;
use weft::check::Test;
use weft::process::Ended;
use weft::{Errno, call, check, file, process, tests, thread, wild};

pub const TESTS: &[Test] = tests![
    bad_descriptors,
    bad_buffers,
    bad_lengths,
    bad_vectors,
    bad_paths,
    bad_path_pointers,
    bad_names,
    bad_result_pointers,
    bad_strings_at_the_edge,
    bad_exec_arguments,
    bad_wait_arguments,
    bad_times,
    bad_futexes,
    bad_seeks,
    bad_signals,
    bad_flags,
    bad_structures_at_the_edge,
    descriptors_run_out_cleanly,
];

const PAGE: usize = PAGE_SIZE;

/// Addresses nobody may pass: null, low, not canonical, the kernel's, the
/// last ones.
const BAD: [usize; 9] = [
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

type PathCall = (usize, fn(usize) -> [usize; 3]);

/// Calls with a path; the arguments for one at an address.
const PATH_CALLS: [PathCall; 12] = [
    (call::OPEN, |path| [path, 0, 0]),
    (call::STAT, |path| [path, 0, 0]),
    (call::LSTAT, |path| [path, 0, 0]),
    (call::CHDIR, |path| [path, 0, 0]),
    (call::UNLINK, |path| [path, 0, 0]),
    (call::RMDIR, |path| [path, 0, 0]),
    (call::LINK, |path| {
        [path, c"/bad-target".as_ptr() as usize, 0]
    }),
    (call::RENAME, |path| {
        [path, c"/bad-target".as_ptr() as usize, 0]
    }),
    (call::EXECVE, |path| [path, 0, 0]),
    (call::ACCESS, |path| [path, 0, 0]),
    (call::READLINK, |path| [path, c"".as_ptr() as usize, 1]),
    (call::OPENAT, |path| [AT_FDCWD as usize, path, 0]),
];

fn path_call(which: &PathCall, path: usize) -> Result<usize, Errno> {
    let room = wild::map(PAGE);
    let mut args = which.1(path);
    if matches!(which.0, call::STAT | call::LSTAT | call::READLINK) {
        args[1] = room;
    }
    let result = wild::call(which.0, args);
    wild::unmap(room, PAGE).unwrap();
    result
}

fn fails(path: &CStr, errors: &[Errno]) {
    for which in &PATH_CALLS {
        let result = path_call(which, path.as_ptr() as usize);
        let name = call::name(which.0);
        assert!(
            result.is_err_and(|error| errors.contains(&error)),
            "{name:?} {path:?}: {result:?}"
        );
    }
}

fn bad_paths() {
    fails(c"", &[Errno::ENOENT]);
    fails(c"/nosuch", &[Errno::ENOENT]);
    fails(c"/nosuch/deeper", &[Errno::ENOENT]);
    let plain = c"/bad-plain";
    file::close(file::open(plain, O_CREAT | O_WRONLY).unwrap()).unwrap();
    fails(c"/bad-plain/deeper", &[Errno::ENOTDIR]);
    fails(c"/bad-plain/", &[Errno::ENOTDIR]);
    fails(c"/bad-plain/..", &[Errno::ENOTDIR]);
    file::unlink(plain).unwrap();
    let long_name = CString::new(alloc::vec![b'a'; NAME_MAX + 1]).unwrap();
    fails(&long_name, &[Errno::ENAMETOOLONG]);
    let long_path = CString::new(b"/a".repeat(PATH_MAX)).unwrap();
    fails(&long_path, &[Errno::ENAMETOOLONG]);
    // As long as can be, and not there.
    let longest = CString::new([b"/".as_slice(), &[b'a'; NAME_MAX]].concat()).unwrap();
    fails(&longest, &[Errno::ENOENT]);
    let dots = CString::new(b"/.".repeat(PATH_MAX / 2 - 1)).unwrap();
    assert!(file::stat(&dots).is_ok());
}

fn bad_path_pointers() {
    for pointer in BAD {
        for which in &PATH_CALLS {
            let result = path_call(which, pointer);
            assert_eq!(
                result,
                Err(Errno::EFAULT),
                "{:?} {pointer:#x}",
                call::name(which.0)
            );
        }
        for number in [call::MKDIR, call::MKNOD, call::CREAT, call::SYMLINK] {
            let second = if number == call::SYMLINK { pointer } else { 0 };
            let result = wild::call(number, [pointer, second, 0]);
            assert_eq!(
                result,
                Err(Errno::EFAULT),
                "{:?} {pointer:#x}",
                call::name(number)
            );
        }
        let good = c"/bad-target".as_ptr() as usize;
        for number in [call::LINK, call::SYMLINK, call::RENAME] {
            assert!(wild::call(number, [c"/dev/null".as_ptr() as usize, pointer]).is_err());
            assert!(wild::call(number, [pointer, good]).is_err());
        }
    }
    assert_eq!(file::stat(c"/bad-target"), Err(Errno::ENOENT));
}

fn bad_names() {
    for path in [c"/", c"/.", c"/dev/.."] {
        assert!(matches!(
            file::mkdir(path),
            Err(Errno::EEXIST | Errno::EBUSY | Errno::EINVAL | Errno::ENOENT)
        ));
        assert!(file::unlink(path).is_err());
        assert!(file::rmdir(path).is_err());
        assert!(file::link(path, c"/bad-target").is_err());
        assert!(file::open(path, O_RDWR).is_err());
        assert!(file::open(path, O_CREAT | O_WRONLY).is_err());
    }
    assert_eq!(file::unlink(c"/dev"), Err(Errno::EISDIR));
    assert_eq!(file::rmdir(c"/dev/null"), Err(Errno::ENOTDIR));
    assert_eq!(file::rmdir(c"."), Err(Errno::EINVAL));
    assert_eq!(
        file::open(c"/dev/null", O_CREAT | O_EXCL),
        Err(Errno::EEXIST)
    );
    assert_eq!(file::open(c"/dev/null", O_DIRECTORY), Err(Errno::ENOTDIR));
    assert!(file::stat(c"/dev/null").is_ok());
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

/// A string that runs into the end of its memory.
fn bad_strings_at_the_edge() {
    let pages = wild::map(2 * PAGE);
    wild::protect(pages + PAGE, PAGE, PROT_NONE).unwrap();
    let end = pages + PAGE;
    wild::bytes(end - 5, 5).copy_from_slice(b"/dev/");
    for which in &PATH_CALLS {
        let result = path_call(which, end - 5);
        assert_eq!(result, Err(Errno::EFAULT), "{:?}", call::name(which.0));
    }
    // Ended by the very last byte it is good.
    wild::bytes(end - 5, 5).copy_from_slice(b"/dev\0");
    let room = wild::map(PAGE);
    assert_eq!(wild::call(call::STAT, [end - 5, room]), Ok(0));
}

fn bad_exec_arguments() {
    let path = weft::args().next().unwrap();
    let path = path.as_ptr() as usize;
    for pointer in BAD.into_iter().filter(|pointer| *pointer != 0) {
        assert_eq!(
            wild::call(call::EXECVE, [path, pointer, 0]),
            Err(Errno::EFAULT)
        );
        assert_eq!(
            wild::call(call::EXECVE, [path, 0, pointer]),
            Err(Errno::EFAULT)
        );
        let list = [pointer, 0];
        let list = list.as_ptr() as usize;
        assert_eq!(
            wild::call(call::EXECVE, [path, list, 0]),
            Err(Errno::EFAULT)
        );
        assert_eq!(
            wild::call(call::EXECVE, [path, 0, list]),
            Err(Errno::EFAULT)
        );
    }
    let long = CString::new(alloc::vec![b'x'; 4 << 20]).unwrap();
    let list = [long.as_ptr() as usize, 0];
    assert_eq!(
        wild::call(call::EXECVE, [path, list.as_ptr() as usize, 0]),
        Err(Errno::E2BIG)
    );
    let mut many = alloc::vec![c"xxxxxxxxxxxxxxx".as_ptr() as usize; 1 << 20];
    many.push(0);
    assert_eq!(
        wild::call(call::EXECVE, [path, many.as_ptr() as usize, 0]),
        Err(Errno::E2BIG)
    );
}

fn bad_wait_arguments() {
    let child = check::start_child(|| process::exit(3));
    for pointer in BAD.into_iter().filter(|pointer| *pointer != 0) {
        let result = wild::call(call::WAIT4, [child as usize, pointer, 0, 0]);
        assert!(
            matches!(result, Err(Errno::EFAULT)),
            "{pointer:#x} {result:?}"
        );
        // Linux has reaped it by then; Weft has not.
        if process::poll(child) == Err(Errno::ECHILD) {
            return;
        }
        break;
    }
    assert_eq!(
        wild::call(call::WAIT4, [usize::MAX, 0, 0x100, 0]),
        Err(Errno::EINVAL)
    );
}

fn bad_times() {
    for pointer in BAD {
        assert_eq!(
            wild::call(call::NANOSLEEP, [pointer, 0]),
            Err(Errno::EFAULT)
        );
        let args = [CLOCK_MONOTONIC, 0, pointer, 0];
        assert_eq!(wild::call(call::CLOCK_NANOSLEEP, args), Err(Errno::EFAULT));
    }
    for time in [
        (0i64, -1i64),
        (0, 1_000_000_000),
        (-1, 0),
        (i64::MIN, i64::MIN),
    ] {
        let at = &raw const time as usize;
        assert_eq!(
            wild::call(call::NANOSLEEP, [at, 0]),
            Err(Errno::EINVAL),
            "{time:?}"
        );
        let args = [CLOCK_MONOTONIC, 0, at, 0];
        assert_eq!(
            wild::call(call::CLOCK_NANOSLEEP, args),
            Err(Errno::EINVAL),
            "{time:?}"
        );
    }
    // A point in time that has passed.
    let past = Timespec::default();
    let args = [CLOCK_MONOTONIC, TIMER_ABSTIME, &raw const past as usize, 0];
    assert_eq!(wild::call(call::CLOCK_NANOSLEEP, args), Ok(0));
    for clock in [99, usize::MAX >> 1, 1 << 31] {
        let room = wild::map(PAGE);
        assert_eq!(
            wild::call(call::CLOCK_GETTIME, [clock, room]),
            Err(Errno::EINVAL)
        );
    }
}

fn bad_futexes() {
    use weft::abi::futex::*;
    let word = wild::map(PAGE);
    for operation in [FUTEX_WAIT, FUTEX_WAIT | FUTEX_PRIVATE_FLAG] {
        for pointer in BAD.into_iter().filter(|pointer| pointer % 4 == 0) {
            let result = wild::call(call::FUTEX, [pointer, operation, 0, 0]);
            assert_eq!(result, Err(Errno::EFAULT), "{pointer:#x}");
        }
        assert_eq!(
            wild::call(call::FUTEX, [word + 1, operation, 0, 0]),
            Err(Errno::EINVAL)
        );
        assert_eq!(
            wild::call(call::FUTEX, [word, operation, 1, 0]),
            Err(Errno::EAGAIN)
        );
        for pointer in BAD.into_iter().filter(|pointer| *pointer != 0) {
            let result = wild::call(call::FUTEX, [word, operation, 0, pointer]);
            assert_eq!(result, Err(Errno::EFAULT), "time-out at {pointer:#x}");
        }
        let short = Timespec { sec: 0, nsec: 1000 };
        let args = [word, operation, 0, &raw const short as usize];
        assert_eq!(wild::call(call::FUTEX, args), Err(Errno::ETIMEDOUT));
        let odd = Timespec { sec: 0, nsec: -1 };
        let args = [word, operation, 0, &raw const odd as usize];
        assert_eq!(wild::call(call::FUTEX, args), Err(Errno::EINVAL));
    }
    let private = FUTEX_PRIVATE_FLAG;
    assert_eq!(
        wild::call(call::FUTEX, [word + 1, FUTEX_WAKE | private, 1]),
        Err(Errno::EINVAL)
    );
    assert_eq!(
        wild::call(call::FUTEX, [word, FUTEX_WAKE | private, 1]),
        Ok(0)
    );
    let no_bits = [word, FUTEX_WAIT_BITSET | private, 0, 0, 0, 0];
    assert_eq!(wild::call(call::FUTEX, no_bits), Err(Errno::EINVAL));
    assert_eq!(
        wild::call(call::FUTEX, [word, 0x7f, 0, 0]),
        Err(Errno::ENOSYS)
    );
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

fn bad_signals() {
    for pointer in BAD.into_iter().filter(|pointer| *pointer != 0) {
        let args = [10, pointer, 0, 8];
        assert_eq!(
            wild::call(call::RT_SIGACTION, args),
            Err(Errno::EFAULT),
            "{pointer:#x}"
        );
        let args = [10, 0, pointer, 8];
        assert_eq!(
            wild::call(call::RT_SIGACTION, args),
            Err(Errno::EFAULT),
            "{pointer:#x}"
        );
        let args = [0, pointer, 0, 8];
        assert_eq!(
            wild::call(call::RT_SIGPROCMASK, args),
            Err(Errno::EFAULT),
            "{pointer:#x}"
        );
    }
    let action = [0usize; 4];
    let at = action.as_ptr() as usize;
    for signal in [0, 65, 1 << 31, usize::MAX] {
        assert_eq!(
            wild::call(call::RT_SIGACTION, [signal, at, 0, 8]),
            Err(Errno::EINVAL)
        );
    }
    for signal in [9, 19] {
        assert_eq!(
            wild::call(call::RT_SIGACTION, [signal, at, 0, 8]),
            Err(Errno::EINVAL)
        );
    }
    assert_eq!(
        wild::call(call::RT_SIGACTION, [10, at, 0, 4]),
        Err(Errno::EINVAL)
    );
}

fn bad_flags() {
    let path = c"/dev/null".as_ptr() as usize;
    assert_eq!(wild::call(call::PIPE2, [path, 1]), Err(Errno::EINVAL));
    assert_eq!(wild::call(call::DUP3, [0, 30, 1]), Err(Errno::EINVAL));
    assert_eq!(wild::call(call::FCNTL, [0, 9999, 0]), Err(Errno::EINVAL));
    assert_eq!(
        wild::call(call::FCNTL, [0, F_DUPFD, usize::MAX >> 1]),
        Err(Errno::EINVAL)
    );
    let null = file::open(c"/dev/null", O_RDONLY).unwrap() as usize;
    assert_eq!(
        wild::call(call::IOCTL, [null, 0x5401, path]),
        Err(Errno::ENOTTY)
    );
    assert_eq!(
        wild::call(call::IOCTL, [null, 0xdead, 0]),
        Err(Errno::ENOTTY)
    );
    assert_eq!(
        wild::call(call::ARCH_PRCTL, [0xdead, 0]),
        Err(Errno::EINVAL)
    );
    let wild_base = wild::call(call::ARCH_PRCTL, [0x1001, 1 << 63]);
    assert_eq!(wild_base, Err(Errno::EPERM));
    assert_eq!(wild::call(call::REBOOT, [1, 2, 3, 4]), Err(Errno::EINVAL));
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
