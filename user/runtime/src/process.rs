//! Processes: fork, exec, wait, exit, kill, identity.

use crate::call::{self, raw};
use abi::Errno;
use abi::process::*;
use alloc::vec::Vec;
use core::ffi::{CStr, c_char};

pub use abi::process::Ended;

/// Ends the calling process with all its threads.
pub fn exit(code: i32) -> ! {
    // SAFETY: touches no memory.
    let _ = unsafe { raw(call::EXIT_GROUP, [code as usize]) };
    unreachable!("exit_group returned")
}

/// A copy of this process with one thread, the caller's. In the child `None`,
/// in the parent the child's id.
pub fn fork() -> Result<Option<i32>, Errno> {
    let _stacks = crate::thread::freeze_stacks();
    let _heap = crate::heap::freeze();
    // SAFETY: parent and child no longer share memory; the heap is whole in both.
    let child = unsafe { raw(call::FORK, []) }?;
    Ok((child != 0).then_some(child as i32))
}

/// Runs another program in this process; comes back only with an error. The
/// environment is passed on.
pub fn exec(path: &CStr, args: &[&CStr]) -> Errno {
    let args: Vec<*const c_char> = args
        .iter()
        .map(|arg| arg.as_ptr())
        .chain([core::ptr::null()])
        .collect();
    // SAFETY: strings, and a null at the end.
    unsafe { exec_raw(path.as_ptr(), args.as_ptr()) }
}

/// As [`exec`], with the path and the arguments as C has them: bad pointers
/// are for the kernel to find, so nothing here reads behind them.
///
/// # Safety
/// If this comes to run another program, this one's memory is not needed.
pub(crate) unsafe fn exec_raw(path: *const c_char, args: *const *const c_char) -> Errno {
    let environment = crate::args::environment().pointer();
    let words = [path as usize, args as usize, environment as usize];
    // SAFETY: the kernel reads strings and arrays that outlive the call.
    match unsafe { raw(call::EXECVE, words) } {
        Ok(_) => unreachable!("execve returned without an error"),
        Err(error) => error,
    }
}

/// As [`exec`], with a name without a slash looked up in `folders`, in turn.
pub fn exec_in(folders: &[&[u8]], args: &[&CStr]) -> Errno {
    let Some(name) = args.first() else {
        return Errno::EINVAL;
    };
    if name.to_bytes().contains(&b'/') || name.is_empty() {
        return exec(name, args);
    }
    for folder in folders {
        let path = [folder, b"/".as_slice(), name.to_bytes_with_nul()].concat();
        let Ok(path) = CStr::from_bytes_with_nul(&path) else {
            continue;
        };
        match exec(path, args) {
            Errno::ENOENT | Errno::ENOTDIR => {}
            error => return error,
        }
    }
    Errno::ENOENT
}

/// As [`exec`], with an environment of its own: `NAME=value` each.
pub fn exec_with(path: &CStr, args: &[&CStr], environment: &[&CStr]) -> Errno {
    let pointers = |strings: &[&CStr]| -> Vec<*const c_char> {
        let pointers = strings.iter().map(|string| string.as_ptr());
        pointers.chain([core::ptr::null()]).collect()
    };
    let (args, environment) = (pointers(args), pointers(environment));
    let words = [
        path.as_ptr() as usize,
        args.as_ptr() as usize,
        environment.as_ptr() as usize,
    ];
    // SAFETY: the kernel reads strings and arrays that outlive the call.
    match unsafe { raw(call::EXECVE, words) } {
        Ok(_) => unreachable!("execve returned without an error"),
        Err(error) => error,
    }
}

/// Waits for any child; its id and how it ended.
pub fn wait() -> Result<(i32, Ended), Errno> {
    wait_for(-1)
}

/// Waits for the child `pid`.
pub fn wait_for(pid: i32) -> Result<(i32, Ended), Errno> {
    wait_for_used(pid).map(|(pid, ended, _)| (pid, ended))
}

/// As [`wait_for`], and what the child has used.
pub fn wait_for_used(pid: i32) -> Result<(i32, Ended, Rusage), Errno> {
    let (mut status, mut used) = (0i32, Rusage::default());
    let out = [&raw mut status as usize, &raw mut used as usize];
    loop {
        // SAFETY: the kernel writes the status word and what was used.
        match unsafe { raw(call::WAIT4, [pid as usize, out[0], 0, out[1]]) } {
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error),
            Ok(pid) => return Ok((pid as i32, Ended::from_status(status), used)),
        }
    }
}

/// What was used, by whom `RUSAGE_*` says (getrusage(2)).
pub fn used(who: i32) -> Result<Rusage, Errno> {
    let mut used = Rusage::default();
    // SAFETY: the kernel writes what was used.
    unsafe { raw(call::GETRUSAGE, [who as usize, &raw mut used as usize]) }?;
    Ok(used)
}

/// As [`wait_for`], but `None` at once if none has ended.
pub fn poll(pid: i32) -> Result<Option<(i32, Ended)>, Errno> {
    let mut status = 0i32;
    // SAFETY: the kernel writes the status word.
    let pid = unsafe {
        raw(
            call::WAIT4,
            [pid as usize, &raw mut status as usize, WNOHANG, 0],
        )
    }? as i32;
    Ok((pid != 0).then(|| (pid, Ended::from_status(status))))
}

/// wait4(2) as it is: the child and its status word, `None` if `WNOHANG` is
/// among the options and there is nothing to tell.
pub fn wait_status(pid: i32, options: usize) -> Result<Option<(i32, i32)>, Errno> {
    let mut status = 0i32;
    let words = [pid as usize, &raw mut status as usize, options, 0];
    // SAFETY: the kernel writes the status word.
    let pid = unsafe { raw(call::WAIT4, words) }? as i32;
    Ok((pid != 0).then_some((pid, status)))
}

/// Signals a process (all its threads); signal 0 only checks.
pub fn kill(pid: i32, signal: u32) -> Result<(), Errno> {
    // SAFETY: touches no memory of this process.
    unsafe { raw(call::KILL, [pid as usize, signal as usize]) }.map(drop)
}

/// The id of the thread group: of its first thread.
pub fn id() -> i32 {
    // SAFETY: touches no memory.
    unsafe { raw(call::GETPID, []) }.unwrap_or(0) as i32
}

pub fn parent() -> i32 {
    // SAFETY: touches no memory.
    unsafe { raw(call::GETPPID, []) }.unwrap_or(0) as i32
}

/// Starts a session of its own, and with it a process group.
pub fn new_session() -> Result<i32, Errno> {
    // SAFETY: touches no memory.
    unsafe { raw(call::SETSID, []) }.map(|id| id as i32)
}

/// The process group of the caller.
pub fn group() -> i32 {
    // SAFETY: touches no memory.
    unsafe { raw(call::GETPGRP, []) }.unwrap_or(0) as i32
}

/// Puts `pid` (0: the caller) into the process group `group` (0: its own).
pub fn set_group(pid: i32, group: i32) -> Result<(), Errno> {
    // SAFETY: touches no memory.
    unsafe { raw(call::SETPGID, [pid as usize, group as usize]) }.map(drop)
}

/// What happens on `signal`: `SIG_DFL` or `SIG_IGN`.
pub fn set_signal(signal: u32, action: usize) -> Result<(), Errno> {
    debug_assert!(
        action <= abi::signal::SIG_IGN,
        "handlers need a return trampoline"
    );
    let action = abi::signal::SigAction {
        handler: action,
        ..Default::default()
    };
    // SAFETY: the kernel reads one structure; no handler is installed.
    unsafe {
        raw(
            call::RT_SIGACTION,
            [signal as usize, &raw const action as usize, 0, 8],
        )
    }
    .map(drop)
}

pub fn system() -> Result<SysInfo, Errno> {
    let mut info = SysInfo::default();
    // SAFETY: the kernel fills the structure.
    unsafe { raw(call::SYSINFO, [&raw mut info as usize]) }.map(|_| info)
}

/// Ends the whole machine; `status` is for whoever started it.
pub fn power_off(status: u8) -> Errno {
    let words = [
        REBOOT_MAGIC1,
        REBOOT_MAGIC2,
        REBOOT_POWER_OFF,
        status as usize,
    ];
    // SAFETY: touches no memory of this process.
    match unsafe { raw(call::REBOOT, words) } {
        Ok(_) => Errno::EIO,
        Err(error) => error,
    }
}
