//! What each interrupt vector means, and who handles it.

use super::{apic, console, io_apic, ipi, time};
use crate::hooks;
use core::sync::atomic::{AtomicUsize, Ordering};
pub use io_apic::Trigger;

/// The vector of device line 0; the others follow.
const FIRST_LINE: u8 = 0x30;
/// Device lines there is a vector for.
pub const LINES: usize = 128;

pub const TIMER: u8 = 0xf0;
pub const KICK: u8 = 0xf1;
pub const SHOOTDOWN: u8 = 0xf2;
pub const SPURIOUS: u8 = 0xff;

/// The vector of a device line below [`LINES`].
pub fn vector_of(line: usize) -> u8 {
    FIRST_LINE + line as u8
}

/// Lets device line `line` interrupt; `Hooks::device` is called for it.
pub fn enable_line(line: usize, trigger: Trigger) -> bool {
    io_apic::enable(line, trigger, super::area::of(0).apic_id.get())
}

/// Lines from the top down are for messages, which no controller has a line for.
static NEXT_MESSAGE_LINE: AtomicUsize = AtomicUsize::new(LINES);

/// A line for a device that interrupts by message (MSI, MSI-X).
pub fn take_message_line() -> Option<usize> {
    let next = NEXT_MESSAGE_LINE.fetch_sub(1, Ordering::Relaxed) - 1;
    // The lower half stays with the controllers.
    (next >= LINES / 2).then_some(next)
}

/// Address and data of the message that raises `line` on the boot CPU
/// (Intel's manual, volume 3, section 11.11).
pub fn message(line: usize) -> (u32, u32) {
    let target = super::area::of(0).apic_id.get() & 0xff;
    (0xfee0_0000 | target << 12, vector_of(line).into())
}

/// Handles one interrupt, which came in user mode or in the kernel, with
/// interrupts off.
pub fn dispatch(vector: u8, in_user_mode: bool) {
    let _handler = sync::interrupts::enter_handler();
    match vector {
        SPURIOUS => {}
        TIMER => {
            apic::end_of_interrupt();
            time::fired(in_user_mode);
        }
        KICK => {
            apic::end_of_interrupt();
            if let Some(hooks) = hooks::get() {
                hooks.kicked();
            }
        }
        SHOOTDOWN => {
            apic::end_of_interrupt();
            ipi::answer();
        }
        _ => {
            device(vector);
            apic::end_of_interrupt();
        }
    }
}

fn device(vector: u8) {
    let line = usize::from(vector.wrapping_sub(FIRST_LINE));
    if line >= LINES {
        return;
    }
    if line == console::line() {
        console::interrupt();
    } else if let Some(hooks) = hooks::get() {
        hooks.device(line);
    }
}
