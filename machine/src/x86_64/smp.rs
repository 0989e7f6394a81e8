//! Starting the other CPUs, one after the other.

use super::acpi::Tables;
use super::features::{self, Feature, has};
use super::stack::Stack;
use super::{apic, area, cpu, ipi, paging, segments, time};
use crate::address::direct;
use crate::cpu::MAX;
use arrayvec::ArrayVec;
use core::sync::atomic::{AtomicUsize, Ordering};
use sync::OnceCell;

/// Where the start-up code is copied: a page below 1 MiB, which nobody uses.
pub const TRAMPOLINE: usize = 0x8000;

/// Interrupt controller numbers of the CPUs in the order of their numbers.
static CPUS: OnceCell<ArrayVec<u32, MAX>> = OnceCell::new();
/// What the others run, as a plain number.
static MAIN: AtomicUsize = AtomicUsize::new(0);
/// CPUs that have arrived in Rust.
static ARRIVED: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" {
    safe static trampoline_start: [u8; 0];
    safe static trampoline_end: [u8; 0];
    safe static trampoline_stack: [u8; 0];
    safe static trampoline_argument: [u8; 0];
}

/// Numbers the CPUs, the boot CPU first. Returns how many there are.
pub fn number(tables: &Tables) -> usize {
    let boot = area::own().apic_id.get();
    let mut cpus = ArrayVec::from_iter([boot]);
    for &id in tables.cpus.iter().filter(|&&id| id != boot) {
        // More than there is room for stay halted.
        let _ = cpus.try_push(id);
    }
    let count = cpus.len();
    let _ = CPUS.set(cpus);
    count
}

/// Gives `cpu` the stacks for exceptions that need their own. They live as
/// long as the CPU.
pub fn prepare_own_stacks(cpu: usize) -> Result<(), crate::task::OutOfMemory> {
    for index in 0..segments::OWN_STACK.len() {
        let stack = Stack::new()?;
        area::of(cpu).state.set_own_stack(index, stack.top());
        core::mem::forget(stack);
    }
    Ok(())
}

pub fn start_others(main: fn() -> !) {
    let Some(cpus) = CPUS.get() else { return };
    MAIN.store(main as *const () as usize, Ordering::Release);
    copy_trampoline();
    for (cpu, &target) in cpus.iter().enumerate().skip(1) {
        match Stack::new().and_then(|stack| prepare_own_stacks(cpu).map(|()| stack)) {
            Ok(stack) => {
                start(cpu, target, &stack);
                // The CPU stands on it for ever, or may still come to it.
                core::mem::forget(stack);
            }
            Err(_) => {
                ::log::warn!("no memory to start cpu {cpu} and those after it");
                return;
            }
        }
        if ARRIVED.load(Ordering::Acquire) != cpu {
            ::log::warn!("cpu {cpu} (interrupt controller {target}) does not start");
            return;
        }
    }
}

/// Starts one CPU and waits until it has arrived, a second at most. Its number
/// must be the count of those that run, so later ones wait for it.
fn start(number: usize, target: u32, stack: &Stack) {
    set(&trampoline_stack, stack.top());
    set(&trampoline_argument, number);
    let _off = sync::interrupts::off();
    area::of(number).header.prepare(number as u32);
    area::of(number).apic_id.set(target);
    apic::send_init(target);
    // Real CPUs need 10 ms to reset; emulated ones are ready at once.
    let emulated = has(Feature::Tcg) || has(Feature::Kvm);
    wait(number, if emulated { 100_000 } else { 10_000_000 });
    for _ in 0..2 {
        apic::send_start(target, TRAMPOLINE);
        if wait(number, 500_000_000) {
            // The CPU stands on its stack from now on, for ever.
            return;
        }
    }
}

/// Waits until CPU `number` has arrived, `limit` nanoseconds at most.
fn wait(number: usize, limit: u64) -> bool {
    let end = time::now() + limit;
    while ARRIVED.load(Ordering::Acquire) < number {
        if time::now() > end {
            return false;
        }
        crate::cpu::relax();
    }
    true
}

fn address(symbol: &'static [u8; 0]) -> usize {
    symbol.as_ptr() as usize
}

fn copy_trampoline() {
    let start = address(&trampoline_start);
    let length = address(&trampoline_end) - start;
    // SAFETY: the page below 1 MiB is memory that nobody uses, and the code
    // fits in a page.
    unsafe {
        core::ptr::copy_nonoverlapping(start as *const u8, direct(TRAMPOLINE) as *mut u8, length);
    }
}

/// Sets a word of the copied trampoline.
fn set(symbol: &'static [u8; 0], value: usize) {
    let place = direct(TRAMPOLINE) + (address(symbol) - address(&trampoline_start));
    // SAFETY: the word lies within the copy, which no CPU runs now.
    unsafe { (place as *mut usize).write_volatile(value) };
}

/// Where the other CPUs enter Rust, on the stack they were given.
pub extern "C" fn ap_main(number: usize) -> ! {
    features::enable();
    paging::load_root();
    segments::load(number, area::of(number));
    apic::enable();
    time::start_cpu();
    ipi::join(number);
    cpu::RUNNING.store(number + 1, Ordering::Release);
    // A flush that began before this CPU was counted may have missed it.
    paging::flush_all();
    ARRIVED.store(number, Ordering::Release);
    let main = MAIN.load(Ordering::Acquire) as *const ();
    // SAFETY: `start_others` stored a function of this type.
    let main: fn() -> ! = unsafe { core::mem::transmute(main) };
    main()
}
