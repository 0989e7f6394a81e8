//! The order of locks: what the checks of debug builds accept and refuse, and
//! that RANKS.md says what the table in the code says.
#![cfg(not(loom))]

use std::fmt::Write;

use sync::rank::{self, Kind};

/// Where the table is written out; `BLESS=1` in the environment renews it.
const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/RANKS.md");

fn table() -> String {
    let mut text = String::from(
        "# Ranks of locks\n\n\
         Generated from the table in `src/rank.rs` by `BLESS=1 cargo test -p sync --test ranks`.\n\n\
         A lock is taken only while all that is held stands above it. Locks that sleep come\n\
         first: nobody sleeps with a spin lock held. Locks with interrupts off come last:\n\
         handlers take them, whatever the interrupted code holds.\n\n\
         | level | rank | kind | guards |\n|---|---|---|---|\n",
    );
    for (level, line) in rank::TABLE.iter().enumerate() {
        let kind = match line.kind {
            Kind::Sleeping => "sleeps",
            Kind::Spinning => "spins",
            Kind::InterruptsOff => "spins, interrupts off",
        };
        writeln!(
            text,
            "| {level} | {} | {kind} | {} |",
            line.name, line.guards
        )
        .expect("a string takes all");
    }
    text
}

#[test]
#[cfg_attr(miri, ignore = "it reads a file")]
fn the_document_is_the_table() {
    let table = table();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(FILE, &table).expect("RANKS.md can be written");
    }
    let document = std::fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        document == table,
        "sync/RANKS.md is out of date: run `BLESS=1 cargo test -p sync --test ranks`"
    );
}

#[cfg(debug_assertions)]
mod checks {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use sync::rank::{self, Rank};
    use sync::{Mutex, RwLock, SpinLock, TicketLock, interrupts, preempt};

    fn spin<R: Rank>() -> SpinLock<(), R> {
        SpinLock::new(())
    }

    /// The message with which `act` panics.
    fn refused(act: impl FnOnce()) -> String {
        let panic = catch_unwind(AssertUnwindSafe(act)).expect_err("it was accepted");
        *panic.downcast::<String>().expect("the message is made")
    }

    #[test]
    fn inwards_is_right() {
        let (tree, space) = (
            Mutex::<(), rank::Tree>::new(()),
            RwLock::<(), rank::Space>::new(()),
        );
        let (group, heap, queue) = (
            spin::<rank::Group>(),
            TicketLock::<(), rank::Heap>::new(()),
            spin::<rank::RunQueue>(),
        );
        let _guards = (
            tree.lock(),
            space.read(),
            group.lock(),
            heap.lock(),
            queue.lock(),
        );
    }

    #[test]
    fn outwards_is_refused_with_both_chains() {
        let inode = Mutex::<(), rank::Inode>::new(());
        let (heap, group) = (spin::<rank::Heap>(), spin::<rank::Group>());
        let _inode = inode.lock();
        let message = refused(|| {
            let _heap = heap.lock();
            let _group = group.lock();
        });
        let (thread, cpu) = message
            .split_once("the cpu holds:")
            .expect("both chains are there");
        assert!(message.contains("lock order: Group"), "{message}");
        assert!(
            thread.contains("Inode") && thread.contains("ranks.rs:"),
            "{message}"
        );
        assert!(
            cpu.contains("Heap") && cpu.contains("ranks.rs:"),
            "{message}"
        );
        assert_eq!(preempt::count(), 0, "the guards went with the panic");
        assert!(interrupts::enabled());
    }

    #[test]
    fn sleeping_locks_have_their_order_too() {
        let (directory, space) = (
            Mutex::<(), rank::Directory>::new(()),
            RwLock::<(), rank::Space>::new(()),
        );
        let message = refused(|| {
            let _space = space.write();
            let _directory = directory.lock();
        });
        assert!(message.contains("lock order: Directory"), "{message}");
        assert!(message.contains("Space"), "{message}");
        drop(directory.lock());
    }

    #[test]
    fn one_rank_twice_needs_an_order_of_its_own() {
        let (first, second) = (spin::<rank::Group>(), spin::<rank::Group>());
        refused(|| {
            let _first = first.lock();
            let _second = second.lock();
        });
        let (a, b) = SpinLock::lock_both(&first, &second);
        drop((a, b));
        let (b, a) = SpinLock::lock_both(&second, &first);
        drop(a);
        drop(b);
        let _first = first.lock();
        let _second = second.lock_nested();
    }

    #[test]
    fn a_lock_is_not_taken_twice() {
        let lock = spin::<rank::Group>();
        refused(|| {
            let _once = lock.lock();
            let _twice = lock.lock_nested();
        });
    }

    #[test]
    fn what_was_released_is_forgotten_in_any_order() {
        let (group, threads, heap) = (
            spin::<rank::Group>(),
            spin::<rank::Threads>(),
            spin::<rank::Heap>(),
        );
        let outer = group.lock();
        let middle = threads.lock();
        let inner = heap.lock();
        drop(middle);
        drop(outer);
        drop(inner);
        let _outer = group.lock();
        let _middle = threads.lock();
    }

    #[test]
    fn an_attempt_is_never_out_of_order() {
        let (heap, group) = (spin::<rank::Heap>(), spin::<rank::Group>());
        let _heap = heap.lock();
        assert!(group.try_lock().is_some());
    }

    #[test]
    fn a_writer_that_reads_on_still_holds_the_lock() {
        let (space, inode) = (
            RwLock::<(), rank::Space>::new(()),
            Mutex::<(), rank::Inode>::new(()),
        );
        let reading = space.write().downgrade();
        refused(|| drop(inode.lock()));
        drop(reading);
        drop(inode.lock());
    }
}
