//! The idle thread of each CPU: takes work from busier CPUs, halts when there
//! is none, and passes on threads that may not run here any more.

use super::class::Class;
use super::entity::Entity;
use super::run_queue::Arrival;
use super::{IDLE, ONLINE, QUEUES, TASKS, give_way, online, place, this_queue};
use crate::thread::Thread;
use core::sync::atomic::AtomicUsize;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use machine::cpu::{self, PerCpu};
use machine::page_table;

/// Counts, for each CPU, how often its idle thread was about to halt.
static PASSES: PerCpu<AtomicUsize> = PerCpu::new([const { AtomicUsize::new(0) }; cpu::MAX]);

/// Makes the running boot code this CPU's idle thread. [`run`] must follow.
pub fn start_this_cpu() {
    let cpu = cpu::id();
    let idle = Thread::idle(Entity::new(1 << cpu, Class::OTHER));
    idle.entity.cpu.store(cpu as u32, Relaxed);
    QUEUES.of(cpu).lock().set_idle(idle.clone());
    TASKS.start_cpu(idle);
    IDLE.fetch_or(1 << cpu, Relaxed);
    ONLINE.fetch_or(1 << cpu, Relaxed);
}

/// Where every CPU but the first begins.
pub fn start_other_cpu() -> ! {
    start_this_cpu();
    run()
}

/// The idle thread's life.
pub fn run() -> ! {
    loop {
        page_table::shed();
        // From this check to the halt no interrupt can come between: a kick
        // in that time ends the halt at once.
        let interrupts = sync::interrupts::off();
        PASSES.of(cpu::id()).fetch_add(1, Release);
        let outgoing = this_queue().outgoing.take();
        if let Some(thread) = outgoing {
            place(thread);
            drop(interrupts);
            continue;
        }
        IDLE.fetch_or(1 << cpu::id(), Relaxed);
        let work = this_queue().ready() > 0 || steal();
        if work {
            drop(interrupts);
            give_way(Arrival::Preempted);
        } else {
            cpu::wait_for_interrupt();
            drop(interrupts);
        }
    }
}

/// Makes the CPUs that are idle let go of spaces that are gone, and waits for
/// them. The caller holds no spin lock.
pub fn shed_everywhere() {
    let idles = |cpu| (IDLE.load(Relaxed) & online()) >> cpu & 1 == 1;
    for cpu in (0..cpu::count()).filter(|&cpu| cpu != cpu::id()) {
        // The pass that ends first may have begun before.
        for _ in 0..2 {
            let seen = PASSES.of(cpu).load(Acquire);
            if idles(cpu) {
                machine::kick(cpu);
            }
            while idles(cpu) && PASSES.of(cpu).load(Acquire) == seen {
                cpu::relax();
            }
        }
    }
}

/// Moves a thread from the longest queue to this one. Called with interrupts off.
fn steal() -> bool {
    let here = cpu::id();
    let mut busiest = (0, here);
    for cpu in (0..cpu::count()).filter(|&cpu| cpu != here) {
        if let Some(queue) = QUEUES.of(cpu).try_lock() {
            busiest = busiest.max((queue.ready(), cpu));
        }
    }
    if busiest.0 == 0 {
        return false;
    }
    let Some(thread) = QUEUES.of(busiest.1).lock().steal(here) else {
        return false;
    };
    // On no queue and on no CPU: nobody else can find it.
    let mut queue = this_queue();
    thread.entity.cpu.store(here as u32, Relaxed);
    queue.enqueue(thread, Arrival::Woken);
    true
}
