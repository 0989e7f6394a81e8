//! Powering off: by QEMU's exit device, by ACPI, else by standing still.

use super::acpi::PowerOff;
use super::paging;
use super::port::{write_u8, write_u16};
use super::registers::{disable_interrupts, halt_for_ever};
use sync::OnceCell;

const EXIT_DEVICE: u16 = 0xf4;
/// QEMU's status is twice the value plus one: 33 and 35.
const ORDERLY: u8 = 0x10;
const PANIC: u8 = 0x11;

/// How ACPI does it, with a mapped address in place of a physical one.
static ACPI: OnceCell<PowerOff> = OnceCell::new();

/// Keeps what ACPI says. Once, on the boot CPU.
pub fn init(power_off: PowerOff) {
    let power_off = match power_off {
        PowerOff::SleepControl {
            address,
            is_port: false,
            value,
        } => PowerOff::SleepControl {
            address: paging::map_device(address, 1),
            is_port: false,
            value,
        },
        other => other,
    };
    let _ = ACPI.set(power_off);
}

pub fn off() -> ! {
    leave(ORDERLY)
}

/// Ends a machine whose kernel has panicked. Without the exit device it stands
/// still, so that the message can be read.
pub fn off_after_panic() -> ! {
    // SAFETY: the exit device ends the machine; elsewhere the port is unused.
    unsafe { write_u8(EXIT_DEVICE, PANIC) };
    halt_for_ever()
}

fn leave(status: u8) -> ! {
    disable_interrupts();
    // SAFETY: the exit device ends the machine; elsewhere the port is unused.
    // What ACPI names is for turning the power off.
    unsafe {
        write_u8(EXIT_DEVICE, status);
        match ACPI.get() {
            Some(&PowerOff::SleepControl {
                address,
                is_port: true,
                value,
            }) => write_u8(address as u16, value),
            Some(&PowerOff::SleepControl { address, value, .. }) => {
                (address as *mut u8).write_volatile(value);
            }
            Some(&PowerOff::Pm1a { port, value }) => write_u16(port, value),
            Some(PowerOff::None) | None => {}
        }
    }
    halt_for_ever()
}
