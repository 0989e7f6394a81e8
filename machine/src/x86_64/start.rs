//! From the boot loader to the kernel's first function, on the boot CPU.

use super::acpi::{self, Tables};
use super::firmware::Firmware;
use super::stack::Stack;
use super::{
    apic, area, console, features, io_apic, log, multiboot2, paging, power, pvh, segments, serial,
    smp, time, virtio,
};
use crate::address::direct;
use crate::boot::BootInfo;
use crate::memory::frames;
use crate::regions::MOST;
use arrayvec::ArrayVec;
use core::arch::{asm, global_asm};
use core::cell::UnsafeCell;
use core::ops::Range;
use sync::OnceCell;

const BOOT_STACK_SIZE: usize = 32 * 1024;

#[repr(C, align(4096))]
struct BootStack(UnsafeCell<[u8; BOOT_STACK_SIZE]>);

// SAFETY: only the boot CPU stands on it.
unsafe impl Sync for BootStack {}

/// What boot runs on until there are frames; and, until each CPU has its own,
/// the stack of exceptions.
static BOOT_STACK: BootStack = BootStack(UnsafeCell::new([0; BOOT_STACK_SIZE]));

static COMMAND_LINE: OnceCell<arrayvec::ArrayString<2048>> = OnceCell::new();
static BOOT: OnceCell<BootInfo> = OnceCell::new();

global_asm!(
    include_str!("boot.s"),
    boot_stack = sym BOOT_STACK,
    boot_stack_size = const BOOT_STACK_SIZE,
    boot_main = sym boot_main,
    ap_main = sym smp::ap_main,
    trampoline = const smp::TRAMPOLINE,
);

/// The first Rust code: boot page tables, boot stack, interrupts off.
/// `protocol` is 1 for PVH and 2 for multiboot2.
extern "C" fn boot_main(protocol: usize, information: usize) -> ! {
    let area = area::of(0);
    area.header.prepare(0);
    segments::prepare_interrupts();
    segments::load(0, area);
    features::detect();
    features::enable();
    log::init();
    serial::init();
    // SAFETY: the boot code passes what the loader left.
    let mut firmware = unsafe {
        match protocol {
            1 => pvh::parse(information),
            2 => multiboot2::parse(information),
            _ => panic!("started by an unknown boot protocol"),
        }
    };
    // SAFETY: the loader's root pointer is right, and the boot page tables show
    // the first 4 GiB.
    let tables = unsafe { acpi::parse(firmware.root_pointer) };
    start_memory(&mut firmware);
    start_devices(&tables);
    let boot = boot_info(firmware, &tables);
    let stack = Stack::new().expect("memory for the first stack");
    let top = stack.top();
    // The boot CPU stands on it for ever.
    core::mem::forget(stack);
    // SAFETY: the stack is new, and nothing on this one is needed again.
    unsafe {
        asm!(
            "mov rsp, {top}",
            "xor ebp, ebp",
            "call {start}",
            "ud2",
            top = in(reg) top,
            in("rdi") boot,
            start = sym start_kernel,
            options(noreturn),
        );
    }
}

extern "C" fn start_kernel(boot: &'static BootInfo) -> ! {
    unsafe extern "Rust" {
        fn weft_kernel_start(boot: &'static BootInfo) -> !;
    }
    // SAFETY: `machine::entry!` defines the function with this type.
    unsafe { weft_kernel_start(boot) }
}

/// Page tables, frames and heap.
fn start_memory(firmware: &mut Firmware) {
    let module = firmware.module.clone();
    let regions = &mut firmware.regions;
    regions.reserve(&paging::image());
    regions.reserve(&module);
    let snapshot = regions.clone();
    paging::init(&snapshot, &mut || regions.take_page());
    let usable: ArrayVec<Range<usize>, { MOST }> = regions
        .usable
        .iter()
        .filter(|range| !range.is_empty())
        .cloned()
        .collect();
    // SAFETY: 1. once, before any use, on the boot CPU. 2. the ranges are what
    // firmware calls usable, less what the image, the module and the page
    // tables take; the direct map shows them.
    unsafe { frames::init(&usable) };
}

/// Interrupt controllers, clocks, console.
fn start_devices(tables: &Tables) {
    apic::init(tables.local_apic);
    apic::enable();
    io_apic::init(tables);
    time::init();
    power::init(tables.power_off);
    virtio::set_places(tables.virtio.clone());
    console::init();
    smp::prepare_own_stacks(0).expect("memory for the first stacks");
}

fn boot_info(firmware: Firmware, tables: &Tables) -> &'static BootInfo {
    let memory = firmware.regions.bytes();
    let module = &firmware.module;
    // SAFETY: the module was kept out of the usable memory, and the direct map
    // shows it; nobody writes to it.
    let initial_image =
        unsafe { core::slice::from_raw_parts(direct(module.start) as *const u8, module.len()) };
    let command_line = COMMAND_LINE.get_or_init(|| firmware.command_line);
    BOOT.get_or_init(|| BootInfo {
        command_line,
        initial_image,
        cpus: smp::number(tables),
        memory,
    })
}
