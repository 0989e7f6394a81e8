//! Restartable sequences (rseq(2), Linux's `include/uapi/linux/rseq.h`): a thread
//! knows which CPU it runs on from its own memory, and what it does for that CPU's
//! sake starts again if it is not done in one go.
//!
//! A thread registers an area. Whenever it was off its CPU, and before a handler
//! runs, it sees to that area on its way to user mode: the CPU is written there, and
//! if the thread stands within the sequence that the area names, it goes on where
//! that says instead. A thread without an area pays one look for each switch.

use super::{Current, RESUMED, Thread, signal};
use crate::memory::user;
use crate::signal::Info;
use abi::Errno;
use abi::memory::USER_END;
use abi::rseq::*;
use abi::signal::{SI_KERNEL, SIGSEGV};
use core::mem::offset_of;
use core::sync::atomic::Ordering::Relaxed;
use core::sync::atomic::{AtomicU32, AtomicUsize};

/// A thread's own part; only the thread itself changes it.
pub struct Rseq {
    /// 0: none.
    area: AtomicUsize,
    /// What has to stand before the code that a sequence goes on at.
    signature: AtomicU32,
    /// As it was last written.
    cpu: AtomicU32,
}

impl Rseq {
    pub const fn new() -> Rseq {
        Rseq {
            area: AtomicUsize::new(0),
            signature: AtomicU32::new(0),
            cpu: AtomicU32::new(0),
        }
    }

    /// As a process starts that is a copy.
    pub(super) fn inherit(&self, from: &Rseq) {
        self.set(from.area.load(Relaxed), from.signature.load(Relaxed));
        self.cpu.store(from.cpu.load(Relaxed), Relaxed);
    }

    /// A new program knows nothing of it.
    pub(super) fn forget(&self) {
        self.set(0, 0);
    }

    fn set(&self, area: usize, signature: u32) {
        self.area.store(area, Relaxed);
        self.signature.store(signature, Relaxed);
    }
}

impl Thread {
    /// It has come back to a CPU after others ran there.
    #[inline]
    pub(crate) fn resumed(&self) {
        if self.rseq.area.load(Relaxed) != 0 {
            self.pending.fetch_or(RESUMED, Relaxed);
        }
    }
}

/// Registers the caller's area, or takes it back.
///
/// # Errors
/// `EINVAL` for bad flags or another length, alignment or area; `EPERM` for another
/// signature; `EBUSY` if just this is registered; `EFAULT`.
pub fn register(
    current: &Current,
    area: usize,
    length: usize,
    flags: usize,
    signature: u32,
) -> Result<usize, Errno> {
    let own = &current.rseq;
    let registered = own.area.load(Relaxed);
    let is_removal = flags as u32 == RSEQ_FLAG_UNREGISTER;
    let is_known = flags as u32 == 0 || is_removal;
    if !is_known || length as u32 as usize != size_of::<RseqArea>() {
        return Err(Errno::EINVAL);
    }
    if registered != 0 || is_removal {
        if registered == 0 || area != registered {
            return Err(Errno::EINVAL);
        }
        if signature != own.signature.load(Relaxed) {
            return Err(Errno::EPERM);
        }
        if !is_removal {
            return Err(Errno::EBUSY);
        }
        write_cpu(area, 0, RSEQ_CPU_ID_UNINITIALIZED)?;
        own.forget();
        return Ok(0);
    }
    if !area.is_multiple_of(align_of::<RseqArea>()) {
        return Err(Errno::EINVAL);
    }
    if area
        .checked_add(size_of::<RseqArea>())
        .is_none_or(|end| end > USER_END)
    {
        return Err(Errno::EFAULT);
    }
    own.set(area, signature);
    // It is written on the way back.
    own.cpu.store(u32::MAX, Relaxed);
    current.pending.fetch_or(RESUMED, Relaxed);
    Ok(0)
}

fn write_cpu(area: usize, start: u32, id: u32) -> Result<(), Errno> {
    user::write_value(area, &[start, id])
}

/// The thread is about to go back to user mode: if it was off its CPU, its area says
/// where it is now, and a sequence that it was in is left.
#[inline]
pub(super) fn resume(current: &mut Current) {
    if current.pending.load(Relaxed) & RESUMED != 0 {
        see_to_area(current);
    }
}

fn see_to_area(current: &mut Current) {
    // First: who moves the thread from here on asks for another look.
    current.pending.fetch_and(!RESUMED, Relaxed);
    let area = current.rseq.area.load(Relaxed);
    if area == 0 {
        return;
    }
    // No call is made in a sequence.
    if !current.regs().is_from_call() {
        leave_sequence(current);
    }
    let cpu = current.entity.cpu() as u32;
    if current.rseq.cpu.swap(cpu, Relaxed) != cpu && write_cpu(area, cpu, cpu).is_err() {
        fault(current, area);
    }
}

/// If the thread stands in a sequence, it goes on at the place for that.
fn leave_sequence(current: &mut Current) {
    if let Err(area) = try_leave(current) {
        fault(current, area);
    }
}

/// The same before a handler of `signal` runs; false if the thread must end instead,
/// for that signal is what a bad area would be told by.
pub(super) fn leave_for(current: &mut Current, signal: u32) -> bool {
    match try_leave(current) {
        Ok(()) => true,
        Err(_) if signal == SIGSEGV => false,
        Err(area) => {
            fault(current, area);
            true
        }
    }
}

/// The area, if that is no good.
fn try_leave(current: &mut Current) -> Result<(), usize> {
    let area = current.rseq.area.load(Relaxed);
    if area == 0 {
        return Ok(());
    }
    let ip = current.regs().ip();
    let signature = current.rseq.signature.load(Relaxed);
    if let Some(place) = abort_place(area, ip, signature).map_err(|_| area)? {
        current.regs().set_ip(place);
    }
    Ok(())
}

/// Where to go on instead of at `ip`; `None` outside of the sequence. What the area
/// names is forgotten.
///
/// # Errors
/// `EFAULT`, and `EINVAL` for what is no sequence.
fn abort_place(area: usize, ip: usize, signature: u32) -> Result<Option<usize>, Errno> {
    let field = area + offset_of!(RseqArea, sequence);
    let at: u64 = user::read_value(field)?;
    if at == 0 {
        return Ok(None);
    }
    let sequence: RseqSequence = user::read_value(at as usize)?;
    let end = USER_END as u64;
    let (start, length, abort) = (sequence.start, sequence.length, sequence.abort);
    let is_inside = |place: u64| place.wrapping_sub(start) < length;
    let is_sound = start < end && length < end - start && abort < end && !is_inside(abort);
    if sequence.version != 0 || sequence.flags != 0 || !is_sound {
        return Err(Errno::EINVAL);
    }
    let found: u32 = user::read_value((abort as usize).checked_sub(4).ok_or(Errno::EFAULT)?)?;
    if found != signature {
        return Err(Errno::EINVAL);
    }
    user::write_value(field, &0u64)?;
    Ok(is_inside(ip as u64).then_some(abort as usize))
}

/// The area is no good: as for a bad access by the program itself.
#[cold]
fn fault(current: &mut Current, area: usize) {
    if !signal::force(current, Info::fault(SIGSEGV, SI_KERNEL, area)) {
        current.end_by(SIGSEGV);
    }
}
