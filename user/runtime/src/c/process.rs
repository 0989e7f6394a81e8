//! Arguments, fork and exec.

use super::threads;
use crate::{args, process};
use core::ffi::{CStr, c_char, c_int};

/// `argc`, and `argv` in `*argv`.
///
/// # Safety
/// `argv` may be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn weft_arguments(argv: *mut *const *const c_char) -> c_int {
    let args = args::args();
    // SAFETY: the caller's.
    unsafe { *argv = args.pointer().cast() };
    args.count() as c_int
}

/// As fork(2), with the library's own state whole in the child.
#[unsafe(no_mangle)]
pub extern "C" fn weft_fork() -> c_int {
    let _threads = threads::freeze();
    match process::fork() {
        Ok(child) => child.unwrap_or(0),
        Err(error) => -(error.number() as c_int),
    }
}

/// As execve(2) with the present environment. A plain name that is not in the
/// working directory is looked up in `/bin` and `/tests`.
///
/// # Safety
/// `path` is a string, `argv` an array of strings with a null at its end.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn weft_exec(path: *const c_char, argv: *const *const c_char) -> c_int {
    // SAFETY: the caller's.
    let error = unsafe { process::exec_raw(path, argv) };
    if error != abi::Errno::ENOENT {
        return -(error.number() as c_int);
    }
    // SAFETY: the kernel has read it as a string.
    let name = unsafe { CStr::from_ptr(path) };
    if !name.to_bytes().contains(&b'/') {
        for folder in [b"/bin/".as_slice(), b"/tests/"] {
            let path = [folder, name.to_bytes_with_nul()].concat();
            if let Ok(path) = CStr::from_bytes_with_nul(&path) {
                // SAFETY: the caller's.
                unsafe { process::exec_raw(path.as_ptr(), argv) };
            }
        }
    }
    -(error.number() as c_int)
}
