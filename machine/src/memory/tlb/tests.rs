//! Shootdown, with host threads as CPUs that keep translations until told to
//! forget them.

use crate::host::cpu::become_cpu;
use crate::memory::copy;
use crate::memory::frames::{Frame, arena, free_count};
use crate::memory::page_table::{Mapped, PageTable, Rights, leave, shed};
use crate::memory::tlb::take_interrupt;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::vec::Vec;

const PAGE: usize = 0x12_3000;

fn map(table: &PageTable, address: usize, byte: u8) {
    let frame = Frame::alloc_zeroed().expect("memory");
    frame.fill(0, 4096, byte);
    let mut cursor = table.page(address).expect("memory").lock();
    cursor.map(frame, Rights::READ | Rights::WRITE);
}

#[test]
fn an_unmapped_page_is_forgotten_here() {
    let _alone = arena::exclusive();
    let table = PageTable::new().expect("memory");
    map(&table, PAGE, 1);
    table.activate();
    assert_eq!(copy::fetch_u32(PAGE), Ok(0x0101_0101));
    table.unmap(PAGE..PAGE + 4096, &mut table.flush());
    assert_eq!(copy::fetch_u32(PAGE), Err(copy::Fault));
    table.retire();
}

#[test]
fn more_pages_than_are_worth_naming() {
    let _alone = arena::exclusive();
    let free = free_count();
    let table = PageTable::new().expect("memory");
    table.activate();
    for page in 0..600 {
        map(&table, PAGE + page * 4096, 1);
        assert_eq!(copy::store_u32(PAGE + page * 4096, 5), Ok(()));
    }
    table.unmap(PAGE..PAGE + 600 * 4096, &mut table.flush());
    for page in 0..600 {
        assert_eq!(copy::fetch_u32(PAGE + page * 4096), Err(copy::Fault));
    }
    table.retire();
    drop(table);
    assert_eq!(free_count(), free);
}

/// Looks that each CPU took at the page.
type Looks = [AtomicUsize; 4];

/// Returns when each of the CPUs from 1 to `last` has looked once more, from
/// start to end.
fn wait_for_looks(looks: &Looks, last: usize) {
    let before: Vec<usize> = looks.iter().map(|count| count.load(SeqCst)).collect();
    for cpu in 1..=last {
        while looks[cpu].load(SeqCst) < before[cpu] + 2 {
            std::thread::yield_now();
        }
    }
}

/// Lets go of a page table whose space is gone, on every CPU up to `last`.
fn shed_everywhere(last: usize) {
    for cpu in 1..=last {
        become_cpu(cpu);
        shed();
    }
    become_cpu(0);
}

/// CPU 0 maps a page, lets others read it, unmaps it, and gives the frame to
/// someone else at once. Nobody ever reads the next owner's bytes.
#[test]
fn no_cpu_reads_the_next_owner() {
    let _alone = arena::exclusive();
    let table = PageTable::new().expect("memory");
    let done = AtomicBool::new(false);
    let looks = Looks::default();
    std::thread::scope(|scope| {
        for cpu in 1..4 {
            let (table, done, looks) = (&table, &done, &looks);
            scope.spawn(move || {
                become_cpu(cpu);
                table.activate();
                while !done.load(SeqCst) {
                    if let Ok(word) = copy::fetch_u32(PAGE) {
                        assert_eq!(word, 0x0101_0101, "the next owner's bytes");
                    }
                    let look = looks[cpu].fetch_add(1, SeqCst);
                    if look.is_multiple_of(5) {
                        leave();
                        std::thread::yield_now();
                        table.activate();
                    }
                    take_interrupt();
                }
                leave();
            });
        }
        for _ in 0..100 {
            map(&table, PAGE, 1);
            wait_for_looks(&looks, 3);
            table.unmap(PAGE..PAGE + 4096, &mut table.flush());
            let next_owner = Frame::alloc().expect("memory");
            next_owner.fill(0, 4096, 0xee);
            wait_for_looks(&looks, 3);
        }
        done.store(true, SeqCst);
    });
    table.retire();
    shed_everywhere(3);
    assert_eq!(Arc::strong_count(&table), 1, "every CPU has let go");
}

/// A CPU at rest answers nothing, and is not waited for; when it comes back,
/// it has forgotten.
#[test]
fn a_cpu_at_rest_is_left_alone() {
    let _alone = arena::exclusive();
    let table = PageTable::new().expect("memory");
    map(&table, PAGE, 1);
    let meet = Barrier::new(2);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            become_cpu(1);
            table.activate();
            assert_eq!(copy::fetch_u32(PAGE), Ok(0x0101_0101));
            leave();
            meet.wait();
            // The other side unmaps while this CPU does not answer.
            meet.wait();
            table.activate();
            assert_eq!(copy::fetch_u32(PAGE), Err(copy::Fault));
            leave();
        });
        meet.wait();
        table.unmap(PAGE..PAGE + 4096, &mut table.flush());
        meet.wait();
    });
    table.retire();
    shed_everywhere(1);
    assert_eq!(Arc::strong_count(&table), 1);
}

/// The copy of a shared page replaces it on all CPUs: nobody reads the old
/// bytes after somebody could read the new ones.
#[test]
fn a_copied_page_is_seen_by_all() {
    let _alone = arena::exclusive();
    let table = PageTable::new().expect("memory");
    let other = Frame::alloc_zeroed().expect("memory");
    let written = AtomicUsize::new(0);
    let looks = Looks::default();
    const ROUNDS: usize = 100;
    table
        .page(PAGE)
        .expect("memory")
        .lock()
        .map(other.share(), Rights::READ);
    std::thread::scope(|scope| {
        let (table, written, looks) = (&table, &written, &looks);
        for cpu in [1, 2] {
            scope.spawn(move || {
                become_cpu(cpu);
                table.activate();
                while written.load(SeqCst) < ROUNDS {
                    let before = written.load(SeqCst);
                    if let Ok(word) = copy::fetch_u32(PAGE) {
                        assert!(word as usize >= before, "{word} read after {before}");
                    }
                    looks[cpu].fetch_add(1, SeqCst);
                    take_interrupt();
                }
                leave();
            });
        }
        table.activate();
        for round in 1..=ROUNDS {
            let mut cursor = table.page(PAGE).expect("memory").lock();
            // Someone shares the frame, as after a fork.
            let _shared = cursor.share();
            assert!(matches!(
                cursor.query(),
                Mapped::Frame { unique: false, .. }
            ));
            let rights = Rights::READ | Rights::WRITE;
            cursor.replace_by_copy(Frame::alloc().expect("memory"), rights);
            drop(cursor);
            copy::store_u32(PAGE, round as u32).expect("it is writable now");
            written.store(round, SeqCst);
            if round < ROUNDS {
                wait_for_looks(looks, 2);
            }
        }
    });
    table.retire();
    shed_everywhere(2);
}
