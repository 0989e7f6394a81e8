//! The segment descriptors, task state and interrupt descriptors of a CPU.
//!
//! The order of the descriptors is what `syscall` and `sysret` require: kernel
//! code, kernel data; user data, user code (SDM volume 3, 5.8.8).

use super::area::Area;
use super::entry;
use super::registers::{
    CSTAR, EFER, EFER_SYSCALL, GS_BASE, KERNEL_GS_BASE, LSTAR, SFMASK, STAR, read_msr, write_msr,
};
use crate::vdso::CPU_SEGMENT;
use core::arch::asm;
use core::cell::{Cell, UnsafeCell};
use core::mem::{offset_of, size_of};

pub const KERNEL_CODE: u16 = 0x08;
pub const KERNEL_DATA: u16 = 0x10;
const TASK_STATE: u16 = 0x28;

/// Flags that a system call clears: carry to overflow as far as the kernel
/// cares, trap, interrupt, direction, I/O level, nested task, alignment check.
const FLAGS_CLEARED: u64 = 0x4_7700;

/// Exceptions with a stack of their own: they can come when the stack pointer
/// is not the kernel's. The order is that of the stacks in the task state.
pub const OWN_STACK: [u8; 4] = [1, 2, 8, 18];

#[repr(C)]
pub struct Gdt([u64; 8]);

impl Gdt {
    pub const fn new() -> Self {
        Self([
            0,
            0x00af_9b00_0000_ffff,
            0x00cf_9300_0000_ffff,
            0x00cf_f300_0000_ffff,
            0x00af_fb00_0000_ffff,
            0,
            0,
            0,
        ])
    }

    /// Data that user mode can only ask for its limit: the CPU's number.
    fn set_cpu(&mut self, cpu: usize) {
        let index = usize::from(CPU_SEGMENT / 8);
        self.0[index] = 0x0040_f100_0000_0000 | cpu as u64;
    }

    fn set_task_state(&mut self, state: *const TaskState) {
        let base = state as u64;
        let limit = size_of::<TaskState>() as u64 - 1;
        self.0[5] = limit | (base & 0xff_ffff) << 16 | 0x89 << 40 | (base >> 24 & 0xff) << 56;
        self.0[6] = base >> 32;
    }
}

/// The task state segment: which stacks the CPU switches to.
#[repr(C, packed(4))]
pub struct TaskState {
    _reserved: u32,
    rsp: [Cell<u64>; 3],
    _reserved2: u64,
    ist: [Cell<u64>; 7],
    _reserved3: u64,
    _reserved4: u16,
    io_map: u16,
}

impl TaskState {
    pub const RSP0: usize = offset_of!(Self, rsp);

    pub const fn new() -> Self {
        Self {
            _reserved: 0,
            rsp: [const { Cell::new(0) }; 3],
            _reserved2: 0,
            ist: [const { Cell::new(0) }; 7],
            _reserved3: 0,
            _reserved4: 0,
            io_map: size_of::<Self>() as u16,
        }
    }

    /// Sets the stack (its top) of the exceptions with stack number `index`
    /// from 0.
    pub fn set_own_stack(&self, index: usize, top: usize) {
        let base = (&raw const self.ist).cast::<u64>().cast_mut();
        assert!(index < 7, "there are seven such stacks");
        // SAFETY: in bounds of the field, which is made of cells; packed, so
        // by an unaligned write.
        unsafe { base.add(index).write_unaligned(top as u64) };
    }
}

/// One interrupt gate.
#[derive(Clone, Copy)]
#[repr(C, align(16))]
struct Gate {
    low: u64,
    high: u64,
}

/// The interrupt descriptors, the same for all CPUs.
struct Idt(UnsafeCell<[Gate; 256]>);

// SAFETY: written once by the boot CPU before others run, then read by CPUs.
unsafe impl Sync for Idt {}

static IDT: Idt = Idt(UnsafeCell::new([Gate { low: 0, high: 0 }; 256]));

#[repr(C, packed)]
struct Pointer {
    limit: u16,
    base: u64,
}

/// Fills in the interrupt descriptors. Once, on the boot CPU.
pub fn prepare_interrupts() {
    for vector in 0..=255u8 {
        let handler = entry::stub(vector) as u64;
        let stack = OWN_STACK.iter().position(|&own| own == vector);
        let stack = stack.map_or(0, |index| index as u64 + 1);
        // A breakpoint and an overflow check may come from user programs.
        let user = u64::from(vector == 3 || vector == 4) * 3;
        let gate = Gate {
            low: handler & 0xffff
                | u64::from(KERNEL_CODE) << 16
                | stack << 32
                | (0x8e | user << 5) << 40
                | (handler >> 16 & 0xffff) << 48,
            high: handler >> 32,
        };
        // SAFETY: no other CPU runs yet and this one takes no traps.
        unsafe { (*IDT.0.get())[usize::from(vector)] = gate };
    }
}

/// Loads all tables on this CPU, number `cpu`, whose block is `area`, and the
/// registers that lead system calls in.
pub fn load(cpu: usize, area: &'static Area) {
    assert!(cpu < 1 << 16, "the number is a segment's limit");
    // SAFETY: only this CPU touches its block, and does not use it yet.
    unsafe {
        let gdt = &mut *area.gdt.get();
        gdt.set_task_state(&raw const area.state);
        gdt.set_cpu(cpu);
    }
    let gdt = Pointer {
        limit: size_of::<Gdt>() as u16 - 1,
        base: area.gdt.get() as u64,
    };
    let idt = Pointer {
        limit: size_of::<Idt>() as u16 - 1,
        base: IDT.0.get() as u64,
    };
    // SAFETY: 1. The tables are static and filled in. 2. The far return loads
    // a code segment like the one in use. 3. `gs` is the block from here on,
    // and what `swapgs` leaves is the user's base, zero.
    unsafe {
        asm!(
            "lgdt [{gdt}]",
            "push {code}",
            "lea {scratch}, [rip + 2f]",
            "push {scratch}",
            "retfq",
            "2:",
            "mov ss, {data:e}",
            "mov ds, {zero:e}",
            "mov es, {zero:e}",
            "mov fs, {zero:e}",
            "mov gs, {zero:e}",
            "lidt [{idt}]",
            "ltr {task:x}",
            gdt = in(reg) &raw const gdt,
            idt = in(reg) &raw const idt,
            code = const KERNEL_CODE,
            data = in(reg) u32::from(KERNEL_DATA),
            zero = in(reg) 0,
            task = in(reg) TASK_STATE,
            scratch = out(reg) _,
        );
        write_msr(GS_BASE, core::ptr::from_ref(area) as u64);
        write_msr(KERNEL_GS_BASE, 0);
        write_msr(EFER, read_msr(EFER) | EFER_SYSCALL);
        // sysret takes data from +8 and code from +16 of the upper half.
        write_msr(STAR, u64::from(KERNEL_CODE) << 32 | 0x13 << 48);
        write_msr(LSTAR, entry::syscall_address() as u64);
        write_msr(CSTAR, 0);
        write_msr(SFMASK, FLAGS_CLEARED);
    }
}
