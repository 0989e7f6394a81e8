//! The program's arguments and environment, as the kernel left them on the
//! first stack. Read-only after start, so shared by all threads.

use core::ffi::CStr;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

static START: AtomicPtr<usize> = AtomicPtr::new(core::ptr::null_mut());

/// # Safety
/// `stack` is the start stack of this program, which nobody changes.
#[cfg(not(test))]
pub(crate) unsafe fn set(stack: *const usize) {
    START.store(stack.cast_mut(), Relaxed);
}

/// The zero-ended strings behind a null-ended array of pointers.
#[derive(Clone)]
pub struct Args {
    next: *const *const i8,
}

impl Args {
    /// The array itself.
    pub(crate) fn pointer(&self) -> *const *const i8 {
        self.next
    }
}

impl Iterator for Args {
    type Item = &'static CStr;

    fn next(&mut self) -> Option<&'static CStr> {
        if self.next.is_null() {
            return None;
        }
        // SAFETY: inside the array, which ends with a null that is never passed.
        let string = unsafe { *self.next };
        if string.is_null() {
            return None;
        }
        // SAFETY: as above; the strings live as long as the program.
        unsafe {
            self.next = self.next.add(1);
            Some(CStr::from_ptr(string))
        }
    }
}

/// The arrays on the start stack begin `words` past the count.
fn array(words: impl FnOnce(usize) -> usize) -> Args {
    let start = START.load(Relaxed);
    if start.is_null() {
        return Args {
            next: core::ptr::null(),
        };
    }
    // SAFETY: the count, then that many arguments and their null, then the
    // environment.
    let next = unsafe { start.add(words(*start)) };
    Args { next: next.cast() }
}

/// All arguments, the program's name first.
pub fn args() -> Args {
    array(|_| 1)
}

/// The environment, as `NAME=value` strings.
pub fn environment() -> Args {
    array(|count| count + 2)
}

/// The value of an environment variable.
pub fn variable(name: &str) -> Option<&'static [u8]> {
    environment().find_map(|entry| {
        entry
            .to_bytes()
            .strip_prefix(name.as_bytes())?
            .strip_prefix(b"=")
    })
}

/// The program's own name, without its folder, for messages.
pub fn name() -> &'static str {
    let path = args().next().and_then(|a| a.to_str().ok()).unwrap_or("?");
    path.rsplit('/').next().unwrap_or(path)
}
