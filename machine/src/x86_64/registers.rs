//! Control and model-specific registers, by the manual's names.

use core::arch::asm;

pub const EFER: u32 = 0xc000_0080;
pub const STAR: u32 = 0xc000_0081;
pub const LSTAR: u32 = 0xc000_0082;
pub const CSTAR: u32 = 0xc000_0083;
pub const SFMASK: u32 = 0xc000_0084;
pub const FS_BASE: u32 = 0xc000_0100;
pub const GS_BASE: u32 = 0xc000_0101;
pub const KERNEL_GS_BASE: u32 = 0xc000_0102;
pub const APIC_BASE: u32 = 0x1b;
pub const TSC_DEADLINE: u32 = 0x6e0;

pub const EFER_SYSCALL: u64 = 1 << 0;
pub const EFER_NO_EXECUTE: u64 = 1 << 11;

pub const CR0_WRITE_PROTECT: u64 = 1 << 16;
pub const CR0_MONITOR: u64 = 1 << 1;
pub const CR0_EMULATE: u64 = 1 << 2;
pub const CR0_NATIVE_ERRORS: u64 = 1 << 5;
pub const CR0_TASK_SWITCHED: u64 = 1 << 3;

pub const CR4_GLOBAL_PAGES: u64 = 1 << 7;
pub const CR4_FXSAVE: u64 = 1 << 9;
pub const CR4_SIMD_EXCEPTIONS: u64 = 1 << 10;
pub const CR4_UMIP: u64 = 1 << 11;
pub const CR4_FSGSBASE: u64 = 1 << 16;
pub const CR4_XSAVE: u64 = 1 << 18;
pub const CR4_SMEP: u64 = 1 << 20;
pub const CR4_SMAP: u64 = 1 << 21;

/// # Safety
/// The register exists on this CPU, and reading it has no effect that breaks
/// memory safety.
#[inline]
pub unsafe fn read_msr(register: u32) -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: passed on to the caller.
    unsafe {
        asm!("rdmsr", in("ecx") register, out("eax") low, out("edx") high,
            options(nostack, preserves_flags));
    }
    u64::from(high) << 32 | u64::from(low)
}

/// # Safety
/// The register exists on this CPU, and the value keeps the kernel's
/// assumptions about it.
#[inline]
pub unsafe fn write_msr(register: u32, value: u64) {
    let (low, high) = (value as u32, (value >> 32) as u32);
    // SAFETY: passed on to the caller.
    unsafe {
        asm!("wrmsr", in("ecx") register, in("eax") low, in("edx") high,
            options(nostack, preserves_flags));
    }
}

macro_rules! control_register {
    ($read:ident, $write:ident, $name:literal) => {
        #[inline]
        pub fn $read() -> u64 {
            let value: u64;
            // SAFETY: reading a control register in ring 0 has no effect.
            unsafe {
                asm!(concat!("mov {}, ", $name), out(reg) value,
                    options(nostack, preserves_flags));
            }
            value
        }

        /// # Safety
        /// The value keeps the kernel's assumptions: paging, protection and
        /// whatever is mapped stay as the caller's code needs them.
        #[inline]
        pub unsafe fn $write(value: u64) {
            // SAFETY: passed on to the caller.
            unsafe {
                asm!(concat!("mov ", $name, ", {}"), in(reg) value,
                    options(nostack, preserves_flags));
            }
        }
    };
}

control_register!(read_cr0, write_cr0, "cr0");
control_register!(read_cr3, write_cr3, "cr3");
control_register!(read_cr4, write_cr4, "cr4");

/// The address of the last page fault on this CPU.
#[inline]
pub fn read_cr2() -> usize {
    let value: usize;
    // SAFETY: reading a control register in ring 0 has no effect.
    unsafe { asm!("mov {}, cr2", out(reg) value, options(nostack, preserves_flags)) };
    value
}

/// The time stamp counter. Not ordered against other instructions: the error
/// is some nanoseconds.
#[inline]
pub fn read_tsc() -> u64 {
    // SAFETY: the instruction exists on every x86-64 CPU and has no effect.
    unsafe { core::arch::x86_64::_rdtsc() }
}

#[inline]
pub fn disable_interrupts() {
    // SAFETY: not taking interrupts breaks nobody's memory.
    unsafe { asm!("cli", options(nostack)) }
}

#[inline]
pub fn enable_interrupts() {
    // SAFETY: called only where the kernel is ready for every handler.
    unsafe { asm!("sti", options(nostack)) }
}

/// Stops until an interrupt; interrupts are on from the instruction after
/// `sti`, so none is lost between the two.
#[inline]
pub fn enable_interrupts_and_halt() {
    // SAFETY: as for `enable_interrupts`.
    unsafe { asm!("sti", "hlt", options(nostack)) }
}

/// Stops this CPU for good.
pub fn halt_for_ever() -> ! {
    loop {
        // SAFETY: with interrupts off nothing but a non-maskable interrupt
        // wakes the CPU, and then it halts again.
        unsafe { asm!("cli", "hlt", options(nostack)) }
    }
}
