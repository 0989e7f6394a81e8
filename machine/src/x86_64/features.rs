//! What this CPU can do. Found once on the boot CPU; the others are the same.

use super::registers::{
    CR0_EMULATE, CR0_MONITOR, CR0_NATIVE_ERRORS, CR0_TASK_SWITCHED, CR0_WRITE_PROTECT,
    CR4_FSGSBASE, CR4_FXSAVE, CR4_GLOBAL_PAGES, CR4_SIMD_EXCEPTIONS, CR4_SMAP, CR4_SMEP, CR4_UMIP,
    CR4_XSAVE, EFER, EFER_NO_EXECUTE, read_cr0, read_cr4, read_msr, write_cr0, write_cr4,
    write_msr,
};
use core::arch::asm;
use core::arch::x86_64::{__cpuid, __cpuid_count};
use core::sync::atomic::{AtomicU32, Ordering};

/// One feature, as a bit of the word of those found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Feature {
    NoExecute = 1 << 0,
    GibPages = 1 << 1,
    Smep = 1 << 2,
    Smap = 1 << 3,
    Umip = 1 << 4,
    FsGsBase = 1 << 5,
    Xsave = 1 << 6,
    XsaveOpt = 1 << 7,
    Avx = 1 << 8,
    X2apic = 1 << 9,
    TscDeadline = 1 << 10,
    Pcid = 1 << 11,
    Invpcid = 1 << 12,
    /// Fast byte-wise `rep movsb` and `rep stosb`, on real hardware.
    Erms = 1 << 13,
    GlobalPages = 1 << 14,
    /// Emulated by QEMU's translator, where `rep` by bytes is slow.
    Tcg = 1 << 15,
    Kvm = 1 << 16,
}

static FOUND: AtomicU32 = AtomicU32::new(0);

/// Whether the feature is there and used.
#[must_use]
#[inline]
pub fn has(feature: Feature) -> bool {
    FOUND.load(Ordering::Relaxed) & feature as u32 != 0
}

/// Asks the CPU. Called once, before anything asks [`has`].
pub fn detect() {
    let mut found = 0;
    let mut note = |present: bool, feature: Feature| {
        if present {
            found |= feature as u32;
        }
    };
    let basic = __cpuid(1);
    note(basic.ecx & 1 << 26 != 0, Feature::Xsave);
    note(
        basic.ecx & 1 << 26 != 0 && basic.ecx & 1 << 28 != 0,
        Feature::Avx,
    );
    note(basic.ecx & 1 << 21 != 0, Feature::X2apic);
    note(basic.ecx & 1 << 24 != 0, Feature::TscDeadline);
    note(basic.ecx & 1 << 17 != 0, Feature::Pcid);
    note(basic.edx & 1 << 13 != 0, Feature::GlobalPages);
    let highest = __cpuid(0).eax;
    if highest >= 7 {
        let extended = __cpuid_count(7, 0);
        note(extended.ebx & 1 << 0 != 0, Feature::FsGsBase);
        note(extended.ebx & 1 << 7 != 0, Feature::Smep);
        note(extended.ebx & 1 << 9 != 0, Feature::Erms);
        note(extended.ebx & 1 << 10 != 0, Feature::Invpcid);
        note(extended.ebx & 1 << 20 != 0, Feature::Smap);
        note(extended.ecx & 1 << 2 != 0, Feature::Umip);
    }
    if highest >= 13 {
        note(__cpuid_count(13, 1).eax & 1 != 0, Feature::XsaveOpt);
    }
    if __cpuid(0x8000_0000).eax >= 0x8000_0001 {
        let amd = __cpuid(0x8000_0001);
        note(amd.edx & 1 << 20 != 0, Feature::NoExecute);
        note(amd.edx & 1 << 26 != 0, Feature::GibPages);
    }
    if basic.ecx & 1 << 31 != 0 {
        // The hypervisor's name, in ebx, ecx, edx.
        let name = __cpuid(0x4000_0000);
        let is = |text: &[u8; 4]| name.ebx == u32::from_le_bytes(*text);
        note(is(b"TCGT"), Feature::Tcg);
        note(is(b"KVMK"), Feature::Kvm);
    }
    FOUND.store(found, Ordering::Relaxed);
}

/// Turns on, on this CPU, what [`detect`] found.
pub fn enable() {
    let mut cr4 = read_cr4() | CR4_FXSAVE | CR4_SIMD_EXCEPTIONS;
    for (feature, bit) in [
        (Feature::GlobalPages, CR4_GLOBAL_PAGES),
        (Feature::Smep, CR4_SMEP),
        (Feature::Smap, CR4_SMAP),
        (Feature::Umip, CR4_UMIP),
        (Feature::FsGsBase, CR4_FSGSBASE),
        (Feature::Xsave, CR4_XSAVE),
    ] {
        if has(feature) {
            cr4 |= bit;
        }
    }
    let cr0 = read_cr0() & !(CR0_EMULATE | CR0_TASK_SWITCHED);
    // SAFETY: 1. The bits guard the kernel or allow user instructions; paging
    // stays on. 2. No mapping has the user bit yet, so SMEP and SMAP forbid
    // nothing the kernel does. 3. The boot code relies on NX already.
    unsafe {
        write_cr4(cr4);
        write_cr0(cr0 | CR0_WRITE_PROTECT | CR0_MONITOR | CR0_NATIVE_ERRORS);
        write_msr(EFER, read_msr(EFER) | EFER_NO_EXECUTE);
    }
    if has(Feature::Xsave) {
        let components: u32 = if has(Feature::Avx) { 7 } else { 3 };
        // SAFETY: XSAVE is enabled above; x87 and SSE are always valid, AVX
        // where the CPU has it.
        unsafe {
            asm!("xsetbv", in("ecx") 0, in("eax") components, in("edx") 0,
                options(nostack, preserves_flags));
        }
    }
}
