//! The thread library for C: threads are named by their ids, so a table finds
//! what the library knows of them.

use super::result;
use crate::call::{self, raw};
use crate::sync::{Guard, Mutex, RawMutex};
use crate::thread::{self, Thread};
use abi::Errno;
use alloc::collections::BTreeMap;
use core::ffi::c_int;

/// The library's threads that nobody has joined or detached.
static THREADS: Mutex<BTreeMap<c_int, Thread>> = Mutex::new(BTreeMap::new());

/// Keeps the table whole across a fork.
pub fn freeze() -> Guard<'static, BTreeMap<c_int, Thread>, RawMutex> {
    THREADS.lock()
}

type Function = unsafe extern "C" fn(*mut u8, *mut u8);

/// The native clone as it is (`THREAD_CLONE`).
///
/// # Safety
/// The stack is the new thread's alone; the function may run on any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn weft_clone(
    function: Function,
    first: usize,
    second: usize,
    base: usize,
    size: usize,
    flags: usize,
) -> isize {
    thread::note_threads();
    let args = [function as usize, first, second, base, size, flags];
    // SAFETY: the caller's.
    result(unsafe { raw(call::THREAD_CLONE, args) })
}

/// A thread on a stack that the library makes and frees; its id. It shares what
/// the clone flags say.
///
/// # Safety
/// The function may run on any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn weft_thread_create(
    function: Function,
    first: usize,
    second: usize,
    flags: usize,
) -> c_int {
    // SAFETY: two words are two words, by either type.
    let entry: thread::Entry = unsafe { core::mem::transmute(function) };
    // Held until the thread is in the table, so that its joiner finds it.
    let mut threads = THREADS.lock();
    match Thread::create_sharing(entry, first, second, thread::DEFAULT_STACK, flags) {
        Ok(thread) => {
            let id = thread.id();
            threads.insert(id, thread);
            id
        }
        Err(error) => -(error.number() as c_int),
    }
}

/// Waits for one thread, and frees its stack if the library made it.
#[unsafe(no_mangle)]
pub extern "C" fn weft_thread_join(id: c_int) -> c_int {
    match thread::join(id) {
        Ok(()) => {
            forget(id);
            id
        }
        Err(error) => -(error.number() as c_int),
    }
}

/// Waits for any thread child, and frees its stack if the library made it.
#[unsafe(no_mangle)]
pub extern "C" fn weft_thread_join_any() -> c_int {
    loop {
        // SAFETY: nothing is stored through a null pointer.
        match unsafe { raw(call::THREAD_JOIN_ANY, [0]) } {
            Err(Errno::EINTR) => {}
            Err(error) => return -(error.number() as c_int),
            Ok(id) => {
                forget(id as c_int);
                return id as c_int;
            }
        }
    }
}

fn forget(id: c_int) {
    if let Some(thread) = THREADS.lock().remove(&id) {
        thread.joined();
    }
}

/// 0, or an error if there is no such thread.
#[unsafe(no_mangle)]
pub extern "C" fn weft_thread_detach(id: c_int) -> c_int {
    match THREADS.lock().remove(&id) {
        Some(thread) => {
            thread.detach();
            0
        }
        // Made by a bare clone.
        // SAFETY: touches no memory.
        None => result(unsafe { raw(call::THREAD_DETACH, [id as usize]) }) as c_int,
    }
}

#[unsafe(no_mangle)]
pub extern "C" fn weft_thread_exit() -> ! {
    thread::exit()
}
