//! Kernel stacks: in an area of their own, each with unmapped pages below it,
//! so that an overflow faults instead of overwriting a neighbour.
//!
//! A freed stack keeps its frames and goes to a small cache of the CPU, last in
//! first out and not zeroed. Beyond that, stacks go back in batches: unmapped,
//! flushed on every CPU once for all, then their frames freed.

use super::ipi;
use super::paging::{self, Rights};
use crate::address::{KERNEL_STACKS, PAGE_SIZE};
use crate::cpu::MAX;
use crate::memory::frames::Run;
use crate::memory::local::{Local, Slot};
use crate::task::OutOfMemory;
use alloc::vec::Vec;
use arrayvec::ArrayVec;
use core::mem::{self, ManuallyDrop};
use core::sync::atomic::{AtomicUsize, Ordering};
use sync::{SpinLock, rank};

/// Bytes of a stack. Less optimised code, as the checked kernel's, takes more.
pub const SIZE: usize = if cfg!(debug_assertions) { 8 } else { 4 } * PAGE_SIZE;
/// Distance from one stack to the next; the lower half is the guard.
const STRIDE: usize = 2 * SIZE;
/// Stacks there can be: 32 GiB of addresses.
const SLOTS: usize = 1 << 20;
/// Free stacks a CPU keeps, and how many go back at a time.
const KEPT: usize = 32;
const BATCH: usize = KEPT / 2;

/// A mapped stack: its number, which says where it is, and its frames.
struct Mapped {
    number: u32,
    /// Only held: they are free again when it goes.
    _frames: Run,
}

/// A stack to run on.
pub struct Stack(ManuallyDrop<Mapped>);

/// Numbers that were used and are free again. Room for all that are in use is
/// made beforehand, so that giving one back needs no memory.
static UNUSED: SpinLock<Vec<u32>, rank::KernelMap> = SpinLock::new(Vec::new());
/// Numbers from here on were never used.
static NEXT: AtomicUsize = AtomicUsize::new(0);

type Cache = ArrayVec<Mapped, KEPT>;

/// The shared part is the number of stacks in the cache.
static CACHES: Local<Cache, AtomicUsize> =
    Local::new([const { Slot::new(Cache::new_const(), AtomicUsize::new(0)) }; MAX]);

/// Frames of stacks that wait for their next task: as good as free.
pub fn spare_frames() -> usize {
    let stacks = CACHES.shared().map(|kept| kept.load(Ordering::Relaxed));
    stacks.sum::<usize>() * (SIZE / PAGE_SIZE)
}

/// Frees the stacks that the CPUs keep. Waits for the other CPUs.
pub fn free_spares() {
    for slot in CACHES.slots() {
        let taken = slot.with(|cache, kept| {
            kept.store(0, Ordering::Relaxed);
            mem::take(cache)
        });
        if !taken.is_empty() {
            unmap(taken);
        }
    }
}

/// Does `act` to what this CPU keeps.
fn with_cache<R>(act: impl FnOnce(&mut Cache) -> R) -> R {
    CACHES.with(|cache, kept| {
        let result = act(cache);
        kept.store(cache.len(), Ordering::Relaxed);
        result
    })
}

impl Stack {
    pub fn new() -> Result<Self, OutOfMemory> {
        let mapped = match with_cache(Cache::pop) {
            Some(mapped) => mapped,
            None => map_new()?,
        };
        Ok(Self(ManuallyDrop::new(mapped)))
    }

    /// The first address above it; 16-byte aligned.
    pub fn top(&self) -> usize {
        base(self.0.number) + SIZE
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: taken once, for the stack goes.
        let mapped = unsafe { ManuallyDrop::take(&mut self.0) };
        let excess = with_cache(|cache| {
            // The oldest go; the newest are warm.
            let excess = cache
                .is_full()
                .then(|| cache.drain(..BATCH).collect::<ArrayVec<_, BATCH>>());
            cache.push(mapped);
            excess
        });
        if let Some(batch) = excess {
            unmap(batch);
        }
    }
}

fn base(number: u32) -> usize {
    KERNEL_STACKS + number as usize * STRIDE + (STRIDE - SIZE)
}

#[cold]
fn map_new() -> Result<Mapped, OutOfMemory> {
    let frames = Run::alloc(SIZE / PAGE_SIZE).ok_or(OutOfMemory)?;
    let number = take_number()?;
    for offset in (0..SIZE).step_by(PAGE_SIZE) {
        let (address, physical) = (base(number) + offset, frames.physical() + offset);
        if paging::map_page(address, physical, Rights::DATA).is_err() {
            unmap(ArrayVec::<_, 1>::from_iter([Mapped {
                number,
                _frames: frames,
            }]));
            return Err(OutOfMemory);
        }
    }
    Ok(Mapped {
        number,
        _frames: frames,
    })
}

fn take_number() -> Result<u32, OutOfMemory> {
    let mut unused = UNUSED.lock();
    if let Some(number) = unused.pop() {
        return Ok(number);
    }
    let number = NEXT.load(Ordering::Relaxed);
    if number >= SLOTS || unused.try_reserve(number + 1).is_err() {
        return Err(OutOfMemory);
    }
    NEXT.store(number + 1, Ordering::Relaxed);
    Ok(number as u32)
}

/// Takes the pages of stacks away from every CPU, then frees their frames.
#[cold]
fn unmap<const N: usize>(batch: ArrayVec<Mapped, N>) {
    for mapped in &batch {
        for offset in (0..SIZE).step_by(PAGE_SIZE) {
            paging::unmap_page(base(mapped.number) + offset);
        }
    }
    ipi::flush_everywhere();
    let mut unused = UNUSED.lock();
    for mapped in &batch {
        // Room was made when the number was first used.
        unused.push(mapped.number);
    }
}

/// Whether `address` lies in the guard of some stack.
pub fn is_guard(address: usize) -> bool {
    within(address).is_some_and(|offset| offset < STRIDE - SIZE)
}

/// Whether `address` lies on some stack.
pub fn is_stack(address: usize) -> bool {
    within(address).is_some_and(|offset| offset >= STRIDE - SIZE)
}

/// How far `address` is into the place of a stack.
fn within(address: usize) -> Option<usize> {
    let end = KERNEL_STACKS + NEXT.load(Ordering::Relaxed) * STRIDE;
    (KERNEL_STACKS..end)
        .contains(&address)
        .then(|| (address - KERNEL_STACKS) % STRIDE)
}
