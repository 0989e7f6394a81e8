//! The end of a kernel that has found a bug: says what, where and by whom, then
//! turns the machine off with a status of its own.
//!
//! Nothing here takes a lock. The addresses of the backtrace come before their
//! names, so that they are out if looking up the names goes wrong.

use super::registers::{disable_interrupts, halt_for_ever, read_cr2, read_cr3};
use super::traps::{Frame, access};
use super::{ipi, log, paging, power, stack, symbols};
use crate::{cpu, hooks};
use arrayvec::ArrayVec;
use core::arch::asm;
use core::fmt;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicUsize, Ordering};

/// The CPU that panics, plus one; 0 while none does.
static PANICKING: AtomicUsize = AtomicUsize::new(0);

const DEPTH: usize = 32;

/// A backtrace: return addresses, innermost first.
type Trace = ArrayVec<usize, DEPTH>;

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    let base: usize;
    // SAFETY: reads a register.
    unsafe { asm!("mov {}, rbp", out(reg) base, options(nomem, nostack, preserves_flags)) };
    finish(format_args!("{info}"), &trace(None, base), None)
}

/// An exception that the kernel does not expect.
pub fn exception(vector: u8, frame: &Frame) -> ! {
    let (name, error) = (name(vector), frame.error);
    finish(
        format_args!("{name} (exception {vector}, error code {error:#x}) in the kernel"),
        &trace(Some(frame.ip()), frame.rbp as usize),
        Some(frame),
    )
}

pub fn page_fault(address: usize, frame: &Frame) -> ! {
    if stack::is_guard(address) {
        stack_overflow(frame);
    }
    let present = if frame.error & 1 != 0 {
        "protected"
    } else {
        "unmapped"
    };
    finish(
        format_args!(
            "page fault in the kernel: {:?} of {present} address {address:#018x}",
            access(frame.error)
        ),
        &trace(Some(frame.ip()), frame.rbp as usize),
        Some(frame),
    )
}

pub fn stack_overflow(frame: &Frame) -> ! {
    let address = read_cr2();
    finish(
        format_args!("kernel stack overflow: the guard page at {address:#018x} was hit"),
        &trace(Some(frame.ip()), frame.rbp as usize),
        Some(frame),
    )
}

fn name(vector: u8) -> &'static str {
    match vector {
        0 => "divide error",
        1 => "debug exception",
        3 => "breakpoint",
        6 => "invalid instruction",
        7 => "no floating point",
        8 => "double fault",
        10 => "invalid task state",
        11 => "segment not present",
        12 => "stack fault",
        13 => "protection fault",
        16 | 19 => "floating point exception",
        17 => "alignment fault",
        _ => "unexpected exception",
    }
}

/// Follows the frame pointers from `base`, after the address `first`.
fn trace(first: Option<usize>, mut base: usize) -> Trace {
    let mut trace: Trace = first.into_iter().collect();
    while !trace.is_full() && is_frame(base) {
        // SAFETY: `is_frame` says two words of a mapped stack lie there; if
        // they do not, this faults, and the panic within the panic ends it.
        let (next, address) = unsafe { *(base as *const (usize, usize)) };
        if !paging::code().contains(&address) {
            break;
        }
        trace.push(address);
        if next <= base {
            break;
        }
        base = next;
    }
    trace
}

/// Whether a frame may lie at `base`: on a kernel stack, or on the boot stack.
fn is_frame(base: usize) -> bool {
    base.is_multiple_of(8) && (stack::is_stack(base) || paging::is_image_data(base))
}

/// Describes the running thread as the kernel knows it.
struct Current;

impl fmt::Display for Current {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match hooks::get() {
            Some(hooks) => hooks.describe_current(f),
            None => f.write_str("none yet"),
        }
    }
}

fn finish(message: fmt::Arguments, trace: &Trace, frame: Option<&Frame>) -> ! {
    disable_interrupts();
    let own = cpu::id() + 1;
    match PANICKING.compare_exchange(0, own, Ordering::SeqCst, Ordering::SeqCst) {
        Ok(_) => {}
        Err(other) if other == own => {
            log::line_unlocked(format_args!("weft: panic within the panic: {message}"));
            power::off_after_panic();
        }
        Err(_) => halt_for_ever(),
    }
    ipi::stop_others();
    log::line_unlocked(format_args!("weft: kernel panic"));
    log::line_unlocked(format_args!("{message}"));
    log::line_unlocked(format_args!(
        "backtrace: {trace:#018x?}",
        trace = Flat(trace)
    ));
    if let Some(frame) = frame {
        registers(frame);
    }
    let mut exact = frame.is_some();
    for &address in trace {
        // A return address may lie behind its function's end, where the call
        // never returns: the byte before it is the call's.
        let back = usize::from(!core::mem::take(&mut exact));
        match symbols::lookup(address - back) {
            Some((name, offset)) => {
                let offset = offset + back;
                log::line_unlocked(format_args!("  {address:#018x} {name}+{offset:#x}"));
            }
            None => log::line_unlocked(format_args!("  {address:#018x}")),
        }
    }
    log::line_unlocked(format_args!("cpu {}, thread: {Current}", own - 1));
    power::off_after_panic()
}

/// Addresses in one line.
struct Flat<'a>(&'a Trace);

impl fmt::Debug for Flat<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for address in self.0 {
            write!(f, "{address:#x} ")?;
        }
        Ok(())
    }
}

fn registers(frame: &Frame) {
    log::line_unlocked(format_args!(
        "rip {:#018x} rsp {:#018x} rbp {:#018x} flags {:#x} cr2 {:#018x} cr3 {:#x}",
        frame.rip,
        frame.rsp,
        frame.rbp,
        frame.rflags,
        read_cr2(),
        read_cr3(),
    ));
    log::line_unlocked(format_args!(
        "rax {:#x} rbx {:#x} rcx {:#x} rdx {:#x} rsi {:#x} rdi {:#x} r8 {:#x} r9 {:#x}",
        frame.rax, frame.rbx, frame.rcx, frame.rdx, frame.rsi, frame.rdi, frame.r8, frame.r9,
    ));
    log::line_unlocked(format_args!(
        "r10 {:#x} r11 {:#x} r12 {:#x} r13 {:#x} r14 {:#x} r15 {:#x}",
        frame.r10, frame.r11, frame.r12, frame.r13, frame.r14, frame.r15,
    ));
}
