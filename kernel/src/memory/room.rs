//! Making room: what is done when a frame is wanted and none is left.

use super::FaultError;
use crate::files::reclaim;
use crate::sched;

/// Does `act` again while it finds no memory and some can be made free. The
/// caller holds no lock, as what is dropped may be the last of a file; `act`
/// leaves nothing behind when it fails.
#[inline]
pub(super) fn with_room<T>(
    mut act: impl FnMut() -> Result<T, FaultError>,
) -> Result<T, FaultError> {
    let mut result = act();
    if is_missing(&result) {
        result = make_room_for(&mut act);
    }
    result
}

/// Takes back what the CPUs keep for their next uses; whether that was anything.
/// The caller holds no spin lock.
pub fn gather() -> bool {
    sched::shed_everywhere();
    machine::memory::gather()
}

/// What the CPUs keep for their next uses goes first, then what only holds what
/// files have anyway.
#[cold]
fn make_room_for<T>(act: &mut dyn FnMut() -> Result<T, FaultError>) -> Result<T, FaultError> {
    let mut result = Err(FaultError::OutOfMemory);
    if gather() {
        result = act();
    }
    while is_missing(&result) && reclaim::take_back() > 0 {
        result = act();
    }
    result
}

fn is_missing<T>(result: &Result<T, FaultError>) -> bool {
    matches!(result, Err(FaultError::OutOfMemory))
}
