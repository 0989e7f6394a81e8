//! Bad paths, and strings that are nowhere or have no end.

use crate::bad::{BAD, PAGE};
use alloc::ffi::CString;
use core::ffi::CStr;
use weft::abi::file::*;
use weft::abi::memory::*;
use weft::check::Test;
use weft::{Errno, call, file, tests, wild};

pub const TESTS: &[Test] = tests![
    bad_paths,
    bad_path_pointers,
    bad_names,
    bad_strings_at_the_edge,
    bad_exec_arguments,
];

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
