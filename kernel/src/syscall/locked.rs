//! mlock, mlock2, munlock, mlockall, munlockall and mincore.

use crate::memory::{Lock, pages, user};
use crate::thread::Current;
use abi::Errno;
use abi::memory::*;
use core::ops::Range;

/// mlock(2).
pub fn mlock(current: &Current, address: usize, length: usize) -> Result<usize, Errno> {
    lock(current, address, length, Lock::Full)
}

/// mlock2(2).
pub fn mlock2(
    current: &Current,
    address: usize,
    length: usize,
    flags: usize,
) -> Result<usize, Errno> {
    match flags as u32 as usize {
        0 => lock(current, address, length, Lock::Full),
        MLOCK_ONFAULT => lock(current, address, length, Lock::OnFault),
        _ => Err(Errno::EINVAL),
    }
}

/// munlock(2).
pub fn munlock(current: &Current, address: usize, length: usize) -> Result<usize, Errno> {
    lock(current, address, length, Lock::Off)
}

fn lock(current: &Current, address: usize, length: usize, lock: Lock) -> Result<usize, Errno> {
    let range = whole_pages(address, length)?;
    let space = current.space();
    space.lock(range.clone(), lock)?;
    if lock == Lock::Full {
        let made = space.make_present(range, &|| !current.must_exit());
        made.map_err(|error| match error {
            Errno::ENOMEM => Errno::EAGAIN,
            Errno::EINTR => Errno::EINTR,
            _ => Errno::ENOMEM,
        })?;
    }
    Ok(0)
}

/// The pages that a range touches: EINVAL, ENOMEM if it ends nowhere.
fn whole_pages(address: usize, length: usize) -> Result<Range<usize>, Errno> {
    let start = address & !(PAGE_SIZE - 1);
    let length = length.wrapping_add(address - start);
    let end = length
        .checked_next_multiple_of(PAGE_SIZE)
        .and_then(|length| start.checked_add(length));
    pages(start, end.ok_or(Errno::EINVAL)? - start).ok_or(Errno::ENOMEM)
}

/// mlockall(2).
pub fn mlockall(current: &Current, flags: usize) -> Result<usize, Errno> {
    let flags = flags as u32 as usize;
    let what = flags & !MCL_ONFAULT;
    if what == 0 || what & !(MCL_CURRENT | MCL_FUTURE) != 0 {
        return Err(Errno::EINVAL);
    }
    let lock = match flags & MCL_ONFAULT {
        0 => Lock::Full,
        _ => Lock::OnFault,
    };
    let asked = |flag| (flags & flag != 0).then_some(lock);
    let space = current.space();
    space.lock_all(asked(MCL_CURRENT), asked(MCL_FUTURE).unwrap_or(Lock::Off))?;
    if flags & MCL_CURRENT != 0 {
        space.fill_locked(0..USER_END, &|| !current.must_exit());
    }
    Ok(0)
}

/// munlockall(2).
pub fn munlockall(current: &Current) -> Result<usize, Errno> {
    current.space().lock_all(Some(Lock::Off), Lock::Off)?;
    Ok(0)
}

/// mincore(2).
pub fn mincore(
    current: &Current,
    address: usize,
    length: usize,
    vector: usize,
) -> Result<usize, Errno> {
    /// Pages that are looked at with one hold of the space's lock.
    const AT_ONCE: usize = 512;
    if !address.is_multiple_of(PAGE_SIZE) {
        return Err(Errno::EINVAL);
    }
    let range = pages(address, length).ok_or(Errno::ENOMEM)?;
    let mut bytes = [0; AT_ONCE];
    for first in range.clone().step_by(AT_ONCE * PAGE_SIZE) {
        let part = first..range.end.min(first + AT_ONCE * PAGE_SIZE);
        let bytes = &mut bytes[..part.len() / PAGE_SIZE];
        current.space().residence(part, bytes)?;
        let done = (first - range.start) / PAGE_SIZE;
        let at = vector.checked_add(done).ok_or(Errno::EFAULT)?;
        user::write_bytes(at, bytes)?;
    }
    Ok(0)
}
