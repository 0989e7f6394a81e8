//! Making room: what is done when a frame is wanted and none is left.
//!
//! What the CPUs keep for their next uses goes first, then pages that only hold
//! what files have anyway. Nobody who makes room holds a spin lock or the lock
//! of a space, as what is dropped may be the last of a file.

use super::FaultError;
use crate::files::reclaim;
use crate::sched;
use abi::Errno;

/// An error that may be for want of memory.
pub trait Lack {
    /// Takes pages back that help against it; how many. None if memory is not
    /// what is missing.
    fn take_back(&self) -> Option<fn() -> usize>;
}

impl Lack for FaultError {
    fn take_back(&self) -> Option<fn() -> usize> {
        match self {
            FaultError::OutOfMemory => Some(reclaim::take_back),
            FaultError::OutOfCache => Some(reclaim::take_back_for_file),
            _ => None,
        }
    }
}

impl Lack for Errno {
    fn take_back(&self) -> Option<fn() -> usize> {
        (*self == Errno::ENOMEM).then_some(reclaim::take_back)
    }
}

/// Does `act` again while it lacks memory and some can be had. `act` leaves
/// nothing behind when it fails.
#[inline]
pub fn with_room<T, E: Lack>(mut act: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    match act() {
        Err(error) => again(error, &mut act),
        result => result,
    }
}

/// Takes back what the CPUs keep for their next uses; whether that was anything.
pub fn gather() -> bool {
    sched::shed_everywhere();
    machine::memory::gather()
}

/// How often one `act` may have what disks keep of names and metadata: it may
/// need them itself, and would read for ever what goes each time.
const LAST_RESORTS: usize = 3;

#[cold]
fn again<T, E: Lack>(mut error: E, act: &mut dyn FnMut() -> Result<T, E>) -> Result<T, E> {
    let mut made = error.take_back().is_some() && gather();
    let mut last_resorts = 0;
    loop {
        made = made || error.take_back().is_some_and(|take_back| take_back() > 0);
        if !made && error.take_back().is_some() && last_resorts < LAST_RESORTS {
            last_resorts += 1;
            made = reclaim::take_names() > 0;
        }
        if !made {
            return Err(error);
        }
        match act() {
            Err(next) => error = next,
            result => return result,
        }
        made = false;
    }
}
