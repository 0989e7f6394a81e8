//! What is held, in debug builds, and the check of each acquisition against it.
//!
//! Purpose: panic with both chains (the thread's sleeping locks, the CPU's spin
//! locks) at the first lock that is taken out of order, whether or not it would
//! have deadlocked this time. Key types: [`Chain`]; [`Order`], what an
//! acquisition asks for. Locks: none; a chain is changed only by the thread or
//! the CPU it belongs to, with interrupts off. In release builds, and under
//! loom, a chain is empty and nothing is called.

#[cfg(all(debug_assertions, not(loom)))]
pub use checked::Chain;
#[cfg(all(debug_assertions, not(loom)))]
pub(crate) use checked::{check_may_sleep, released, taken, taking};
#[cfg(not(all(debug_assertions, not(loom))))]
pub use unchecked::Chain;
#[cfg(not(all(debug_assertions, not(loom))))]
pub(crate) use unchecked::{check_may_sleep, released, taken, taking};

/// How an acquisition stands to locks of its own rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(all(debug_assertions, not(loom))), allow(dead_code))]
pub(crate) enum Order {
    /// None of the same rank may be held.
    Strict,
    /// Others of the rank may be held: the caller keeps an order among them.
    Nested,
}

#[cfg(not(all(debug_assertions, not(loom))))]
mod unchecked {
    use super::{super::Rank, Order};

    /// The locks somebody holds; it takes no room in this build.
    #[derive(Debug)]
    pub struct Chain(());

    impl Chain {
        /// An empty chain.
        pub const fn new() -> Self {
            Self(())
        }
    }

    #[inline(always)]
    pub(crate) fn taking<R: Rank>(_lock: *const (), _order: Order) {}

    #[inline(always)]
    pub(crate) fn taken<R: Rank>(_lock: *const ()) {}

    #[inline(always)]
    pub(crate) fn released<R: Rank>(_lock: *const ()) {}

    #[inline(always)]
    pub(crate) fn check_may_sleep() {}
}

#[cfg(all(debug_assertions, not(loom)))]
mod checked {
    use core::fmt;
    use core::panic::Location;
    use core::ptr;
    use core::sync::atomic::{AtomicPtr, AtomicU8, AtomicUsize, Ordering::Relaxed};

    use super::super::{Kind, Rank, TABLE};
    use super::Order;
    use crate::{cpu_local, interrupts, preempt, scheduler};

    /// More locks at once than this is a mistake in itself, except for nested
    /// ones; those beyond it are not recorded.
    const DEPTH: usize = 24;

    /// The locks somebody holds, in the order they were taken. Only the owner
    /// changes it; the fields are atomic so that it can be part of a shared
    /// struct.
    pub struct Chain {
        length: AtomicUsize,
        links: [Link; DEPTH],
    }

    struct Link {
        lock: AtomicPtr<()>,
        level: AtomicU8,
        place: AtomicPtr<Location<'static>>,
    }

    impl Link {
        const fn new() -> Self {
            Self {
                lock: AtomicPtr::new(ptr::null_mut()),
                level: AtomicU8::new(0),
                place: AtomicPtr::new(ptr::null_mut()),
            }
        }

        fn copy_from(&self, other: &Self) {
            self.lock.store(other.lock.load(Relaxed), Relaxed);
            self.level.store(other.level.load(Relaxed), Relaxed);
            self.place.store(other.place.load(Relaxed), Relaxed);
        }
    }

    impl Chain {
        /// An empty chain.
        pub const fn new() -> Self {
            Self {
                length: AtomicUsize::new(0),
                links: [const { Link::new() }; DEPTH],
            }
        }

        fn held(&self) -> &[Link] {
            &self.links[..self.length.load(Relaxed).min(DEPTH)]
        }

        fn push(&self, level: u8, lock: *const (), place: &'static Location<'static>) {
            let length = self.length.load(Relaxed);
            if let Some(link) = self.links.get(length) {
                link.lock.store(lock.cast_mut(), Relaxed);
                link.level.store(level, Relaxed);
                link.place.store(ptr::from_ref(place).cast_mut(), Relaxed);
                self.length.store(length + 1, Relaxed);
            }
        }

        /// Guards may go in any order, so the entry is looked for from the end.
        fn pop(&self, lock: *const ()) {
            let held = self.held();
            let Some(found) = held
                .iter()
                .rposition(|link| link.lock.load(Relaxed).cast_const() == lock)
            else {
                return;
            };
            for index in found + 1..held.len() {
                held[index - 1].copy_from(&held[index]);
            }
            self.length.store(held.len() - 1, Relaxed);
        }

        /// The first held lock that a lock of `level` must not be taken under.
        fn forbids(&self, level: u8, lock: *const (), order: Order) -> bool {
            self.held().iter().any(|link| {
                let held = link.level.load(Relaxed);
                held > level
                    || held == level && order == Order::Strict
                    || link.lock.load(Relaxed).cast_const() == lock
            })
        }
    }

    impl fmt::Debug for Chain {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let held = self.held();
            if held.is_empty() {
                return f.write_str(" nothing");
            }
            for link in held {
                let level = usize::from(link.level.load(Relaxed));
                // SAFETY: `push` stored a reference to a static, and an entry
                // below `length` was stored by `push` or copied from one.
                let place = unsafe { &*link.place.load(Relaxed) };
                let lock = link.lock.load(Relaxed);
                write!(
                    f,
                    "\n    {} (level {level}) at {lock:p}, {place}",
                    TABLE[level].name
                )?;
            }
            Ok(())
        }
    }

    /// Panics with everything held. The guard keeps the CPU's chain still.
    #[cold]
    #[track_caller]
    fn fail(what: fmt::Arguments<'_>) -> ! {
        // Nothing comes back: the panic prints and stops the machine.
        let _pinned = interrupts::off();
        cpu_local::with_held(|cpu| {
            scheduler::with_held(|thread| {
                panic!(
                    "{what}\n  the thread holds:{thread:?}\n  the cpu holds:{cpu:?}\n  \
                     a lock is taken under lower levels only (see sync/RANKS.md)"
                )
            });
            panic!("{what}\n  the thread's locks are not known\n  the cpu holds:{cpu:?}")
        })
    }

    /// Runs `access` on the chain that locks of the rank belong to, if known.
    fn with_chain<R: Rank>(mut access: impl FnMut(&Chain)) {
        if R::KIND == Kind::Sleeping {
            scheduler::with_held(access);
        } else {
            let pinned = interrupts::off();
            cpu_local::with_held(&mut access);
            drop(pinned);
        }
    }

    /// Checks, before the wait, that a lock may be taken here.
    #[track_caller]
    pub(crate) fn taking<R: Rank>(lock: *const (), order: Order) {
        if R::KIND == Kind::Spinning && interrupts::in_handler() {
            fail(format_args!(
                "{} taken in an interrupt handler, which may have interrupted its holder",
                R::NAME
            ));
        }
        let mut wrong = false;
        with_chain::<R>(|chain| wrong |= chain.forbids(R::LEVEL, lock, order));
        if wrong {
            fail(format_args!(
                "lock order: {} (level {}) at {lock:p} taken out of order",
                R::NAME,
                R::LEVEL
            ));
        }
    }

    /// Records a lock that was just acquired.
    #[track_caller]
    pub(crate) fn taken<R: Rank>(lock: *const ()) {
        let place = Location::caller();
        with_chain::<R>(|chain| chain.push(R::LEVEL, lock, place));
    }

    /// Forgets a lock that is about to be released.
    pub(crate) fn released<R: Rank>(lock: *const ()) {
        with_chain::<R>(|chain| chain.pop(lock));
    }

    /// See [`preempt::might_sleep`].
    #[track_caller]
    pub(crate) fn check_may_sleep() {
        if scheduler::installed().is_none() {
            return;
        }
        if interrupts::in_handler() {
            fail(format_args!("may sleep in an interrupt handler"));
        }
        if preempt::count() != 0 {
            fail(format_args!(
                "may sleep with {} preemption guards alive",
                preempt::count()
            ));
        }
        if !interrupts::enabled() {
            fail(format_args!("may sleep with interrupts off"));
        }
    }
}
