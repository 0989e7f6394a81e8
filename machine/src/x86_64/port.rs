//! Port input and output.

use core::arch::asm;

/// # Safety
/// A write to the port does not break memory safety: the caller knows the
/// device behind it.
#[inline]
pub unsafe fn write_u8(port: u16, value: u8) {
    // SAFETY: passed on to the caller.
    unsafe { asm!("out dx, al", in("dx") port, in("al") value, options(nostack, preserves_flags)) }
}

/// # Safety
/// As for `write_u8`.
#[inline]
pub unsafe fn write_u16(port: u16, value: u16) {
    // SAFETY: passed on to the caller.
    unsafe { asm!("out dx, ax", in("dx") port, in("ax") value, options(nostack, preserves_flags)) }
}

/// # Safety
/// As for `write_u8`: reading may change the state of the device.
#[inline]
pub unsafe fn read_u8(port: u16) -> u8 {
    let value: u8;
    // SAFETY: passed on to the caller.
    unsafe {
        asm!("in al, dx", in("dx") port, out("al") value, options(nostack, preserves_flags));
    }
    value
}

/// # Safety
/// As for `write_u8`.
#[inline]
pub unsafe fn write_u32(port: u16, value: u32) {
    // SAFETY: passed on to the caller.
    unsafe {
        asm!("out dx, eax", in("dx") port, in("eax") value, options(nostack, preserves_flags));
    }
}

/// # Safety
/// As for `read_u8`.
#[inline]
pub unsafe fn read_u32(port: u16) -> u32 {
    let value;
    // SAFETY: passed on to the caller.
    unsafe {
        asm!("in eax, dx", in("dx") port, out("eax") value, options(nostack, preserves_flags));
    }
    value
}
