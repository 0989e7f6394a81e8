//! User memory on the host: the copy walks the page table this CPU has loaded,
//! through what stands in for its translation cache, to the frames.

use super::Fault;
use crate::address::PAGE_SIZE;
use crate::hooks::{self, Access};
use crate::memory::frames::pointer;
use crate::memory::page_table::Rights;
use crate::memory::tlb;
use core::sync::atomic::{AtomicU8, AtomicU32, Ordering};
use sync::preempt;

/// The byte at the user's `address`, where the kernel sees it.
fn resolve(address: usize, access: Access) -> Result<*mut u8, Fault> {
    let wanted = match access {
        Access::Read => Rights::READ,
        Access::Write => Rights::WRITE,
        Access::Execute => Rights::EXECUTE,
    };
    loop {
        tlb::take_interrupt();
        match tlb::translate(address / PAGE_SIZE) {
            Some((number, rights)) if rights.contains(wanted) => {
                // SAFETY: an offset within the frame.
                return Ok(unsafe { pointer(number).add(address % PAGE_SIZE) });
            }
            _ => tlb::forget_here(address),
        }
        let resolved = preempt::count() == 0
            && hooks::get().is_some_and(|hooks| hooks.kernel_fault(address, access));
        if !resolved {
            return Err(Fault);
        }
    }
}

/// Calls `act` for each byte, with its index and where the kernel sees it.
fn each(
    address: usize,
    length: usize,
    access: Access,
    mut act: impl FnMut(usize, &AtomicU8),
) -> Result<(), Fault> {
    let mut done = 0;
    while done < length {
        let at = address + done;
        let part = (length - done).min(PAGE_SIZE - at % PAGE_SIZE);
        let start = resolve(at, access)?;
        for index in 0..part {
            // SAFETY: within the frame, whose bytes all users here take as
            // atomic. It may be another's by now, as on a real machine.
            act(done + index, unsafe {
                AtomicU8::from_ptr(start.add(index))
            });
        }
        done += part;
    }
    Ok(())
}

fn word(at: usize, access: Access) -> Result<&'static AtomicU32, Fault> {
    let word = resolve(at, access)?;
    // SAFETY: aligned by the caller's check, and within a frame; frames are
    // part of the arena, which is never freed.
    Ok(unsafe { AtomicU32::from_ptr(word.cast()) })
}

/// # Safety
/// As for the x86-64 back end.
pub(super) unsafe fn copy_in(to: *mut u8, from: usize, length: usize) -> Result<(), Fault> {
    each(from, length, Access::Read, |index, byte| {
        // SAFETY: by this function's contract.
        unsafe { to.add(index).write(byte.load(Ordering::Relaxed)) };
    })
}

/// # Safety
/// As for the x86-64 back end.
pub(super) unsafe fn copy_out(to: usize, from: *const u8, length: usize) -> Result<(), Fault> {
    each(to, length, Access::Write, |index, byte| {
        // SAFETY: by this function's contract.
        byte.store(unsafe { from.add(index).read() }, Ordering::Relaxed);
    })
}

/// # Safety
/// As for the x86-64 back end.
pub(super) unsafe fn zero(to: usize, length: usize) -> Result<(), Fault> {
    each(to, length, Access::Write, |_, byte| {
        byte.store(0, Ordering::Relaxed)
    })
}

/// # Safety
/// As for the x86-64 back end.
pub(super) unsafe fn fetch_u32(from: usize) -> Result<u32, Fault> {
    if from.is_multiple_of(4) {
        return Ok(word(from, Access::Read)?.load(Ordering::SeqCst));
    }
    let mut bytes = [0; 4];
    // SAFETY: passed on to the caller.
    unsafe { copy_in(bytes.as_mut_ptr(), from, 4)? };
    Ok(u32::from_ne_bytes(bytes))
}

/// # Safety
/// As for the x86-64 back end.
pub(super) unsafe fn fetch_u64(from: usize) -> Result<u64, Fault> {
    let mut bytes = [0; 8];
    // SAFETY: passed on to the caller.
    unsafe { copy_in(bytes.as_mut_ptr(), from, 8)? };
    Ok(u64::from_ne_bytes(bytes))
}

/// # Safety
/// As for the x86-64 back end.
pub(super) unsafe fn store_u32(to: usize, value: u32) -> Result<(), Fault> {
    if to.is_multiple_of(4) {
        word(to, Access::Write)?.store(value, Ordering::SeqCst);
        return Ok(());
    }
    // SAFETY: passed on to the caller.
    unsafe { copy_out(to, value.to_ne_bytes().as_ptr(), 4) }
}

/// # Safety
/// As for the x86-64 back end.
pub(super) unsafe fn store_u64(to: usize, value: u64) -> Result<(), Fault> {
    // SAFETY: passed on to the caller.
    unsafe { copy_out(to, value.to_ne_bytes().as_ptr(), 8) }
}

/// # Safety
/// As for the x86-64 back end.
pub(super) unsafe fn compare_exchange_u32(
    at: usize,
    expected: u32,
    new: u32,
) -> Result<u32, Fault> {
    let word = word(at, Access::Write)?;
    let (Ok(was) | Err(was)) =
        word.compare_exchange(expected, new, Ordering::SeqCst, Ordering::SeqCst);
    Ok(was)
}
