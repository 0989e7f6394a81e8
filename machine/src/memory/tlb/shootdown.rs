//! Making every CPU forget translations: those that run the space are
//! interrupted and waited for; those at rest find out later; those that never
//! loaded the page table, or have loaded another since, are left alone.
//!
//! Each shootdown has a generation of its page table. A CPU that has forgotten
//! everything up to a generation says so in its view, and that is what the
//! initiator waits for. The lock (`Shootdown`, one in each page table) admits
//! one initiator at a time; it is held with interrupts on, and an initiator
//! that waits answers others.

use super::extents::{Extents, RUNS};
use super::{mmu, view};
use crate::cpu;
use crate::memory::page_table::PageTable;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
use sync::{SpinLock, interrupts, preempt, rank};

/// Which CPUs may hold translations of a page table, and what they must forget.
pub struct Holders {
    /// The CPUs that have the page table loaded, at rest or not.
    cpus: AtomicU32,
    /// Goes up with each shootdown, under the lock.
    generation: AtomicU64,
    lock: SpinLock<(), rank::Shootdown>,
    request: Request,
    /// The space is gone; see [`PageTable::retire`].
    retired: AtomicBool,
}

/// The last shootdown. Written under the lock; read without it, between two
/// looks at `generation`, which is 0 while the rest is being written.
struct Request {
    generation: AtomicU64,
    runs: [(AtomicUsize, AtomicUsize); RUNS],
}

impl Request {
    fn write(&self, generation: u64, extents: &Extents) {
        self.generation.store(0, Ordering::SeqCst);
        for (index, (start, pages)) in self.runs.iter().enumerate() {
            let run = extents.runs().get(index).copied().unwrap_or((0, 0));
            start.store(run.0, Ordering::Relaxed);
            pages.store(run.1, Ordering::Relaxed);
        }
        if !extents.is_everything() {
            self.generation.store(generation, Ordering::SeqCst);
        }
    }

    /// What to forget for exactly `generation`, if that is known page by page.
    fn read(&self, generation: u64) -> Option<Extents> {
        if self.generation.load(Ordering::SeqCst) != generation {
            return None;
        }
        let runs = self
            .runs
            .iter()
            .map(|(start, pages)| (start.load(Ordering::Relaxed), pages.load(Ordering::Relaxed)));
        let extents = Extents::from_runs(runs.take_while(|run| run.1 != 0));
        fence(Ordering::SeqCst);
        (self.generation.load(Ordering::SeqCst) == generation).then_some(extents)
    }
}

impl Holders {
    pub(in crate::memory) const fn new() -> Self {
        Self {
            cpus: AtomicU32::new(0),
            generation: AtomicU64::new(1),
            lock: SpinLock::new(()),
            request: Request {
                generation: AtomicU64::new(0),
                runs: [const { (AtomicUsize::new(0), AtomicUsize::new(0)) }; RUNS],
            },
            retired: AtomicBool::new(false),
        }
    }

    pub(super) fn bit(cpu: usize) -> u32 {
        1 << cpu
    }

    pub(super) fn join(&self, bit: u32) {
        self.cpus.fetch_or(bit, Ordering::SeqCst);
    }

    pub(super) fn part(&self, bit: u32) {
        self.cpus.fetch_and(!bit, Ordering::SeqCst);
    }

    #[inline]
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::SeqCst)
    }

    pub(in crate::memory) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::SeqCst)
    }

    /// Some CPU has the page table loaded.
    pub(in crate::memory) fn are_any(&self) -> bool {
        self.cpus.load(Ordering::SeqCst) != 0
    }

    /// Another CPU than this one may hold translations. Changes of the page
    /// table made before are seen by CPUs that join later.
    pub(in crate::memory) fn elsewhere(&self) -> bool {
        fence(Ordering::SeqCst);
        let _pinned = preempt::disable();
        self.cpus.load(Ordering::SeqCst) & !Self::bit(cpu::id()) != 0
    }
}

/// Says that the space of `table` is gone. Returns when no CPU knows any of
/// its translations, but for CPUs at rest, which never use them.
pub(in crate::memory) fn retire(table: &PageTable) {
    table.holders.retired.store(true, Ordering::SeqCst);
    view::abandon(table);
    let _pinned = preempt::disable();
    let others = table.holders.cpus.load(Ordering::SeqCst) & !Holders::bit(cpu::id());
    if others != 0 {
        tell(table, others, &EVERYTHING);
    }
}

static EVERYTHING: Extents = Extents::everything();

/// Makes every CPU forget what `extents` says about `table`, whose entries are
/// changed already. Returns when all have.
pub(super) fn run(table: &PageTable, extents: &Extents) {
    // The changes come before the look at who might still use the old entries.
    fence(Ordering::SeqCst);
    let _pinned = preempt::disable();
    let here = Holders::bit(cpu::id());
    let cpus = table.holders.cpus.load(Ordering::SeqCst);
    if cpus & here != 0 {
        forget(table, extents);
    }
    if cpus & !here != 0 {
        tell(table, cpus & !here, extents);
    }
}

/// Forgets on this CPU, which has `table` loaded.
fn forget(table: &PageTable, extents: &Extents) {
    if extents.is_everything() {
        // SAFETY: the table is loaded already, and the CPU owns a count on it.
        unsafe { mmu::load(table.root_physical()) };
    } else {
        extents.each().for_each(mmu::forget_page);
    }
}

/// Makes the other CPUs in `cpus` forget, and waits until they have.
#[cold]
#[inline(never)]
fn tell(table: &PageTable, cpus: u32, extents: &Extents) {
    let holders = &table.holders;
    let _one_at_a_time = holders.lock.lock();
    let generation = holders.generation.load(Ordering::Relaxed) + 1;
    holders.request.write(generation, extents);
    holders.generation.store(generation, Ordering::SeqCst);
    // This CPU, if it has the table loaded, has forgotten already.
    let here = view::here();
    if here.seen.load(Ordering::Relaxed) == generation - 1 && is_loaded(here, table) {
        here.seen.store(generation, Ordering::Relaxed);
    }
    let done = |cpu: usize| {
        let view = view::of(cpu);
        !is_loaded(view, table)
            || view.resting.load(Ordering::SeqCst)
            || view.seen.load(Ordering::SeqCst) >= generation
    };
    let each = |cpus: u32| (0..cpu::MAX).filter(move |&cpu| cpus & Holders::bit(cpu) != 0);
    let told = each(cpus)
        .filter(|&cpu| !done(cpu))
        .fold(0, |told, cpu| told | Holders::bit(cpu));
    mmu::interrupt(told);
    for cpu in each(told) {
        while !done(cpu) {
            cpu::relax();
            answer();
        }
    }
}

fn is_loaded(view: &view::View, table: &PageTable) -> bool {
    core::ptr::eq(view.table.load(Ordering::SeqCst), table)
}

/// Forgets what others want this CPU to forget. Called by the handler of their
/// interrupt, and by whoever waits with interrupts off for another CPU.
pub fn answer() {
    let _uninterrupted = interrupts::off();
    let view = view::here();
    if view.resting.load(Ordering::Relaxed) {
        // At the end of rest the CPU looks for itself.
        return;
    }
    // SAFETY: the CPU owns a count on what it has loaded, and cannot load
    // another with interrupts off.
    let Some(table) = (unsafe { view.table.load(Ordering::Relaxed).as_ref() }) else {
        return;
    };
    let generation = table.holders.generation();
    let seen = view.seen.load(Ordering::Relaxed);
    if seen == generation {
        return;
    }
    let request = table.holders.request.read(generation);
    match request {
        Some(extents) if seen + 1 == generation => extents.each().for_each(mmu::forget_page),
        // SAFETY: the table is loaded already.
        _ => unsafe { mmu::load(table.root_physical()) },
    }
    view.seen.store(generation, Ordering::SeqCst);
}
