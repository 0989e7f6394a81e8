//! The ranges against bytes, each with its own locks; and locks among threads.

use super::ranges::*;
use super::*;
use crate::files::inode::{Maker, New};
use proptest::prelude::*;
use std::thread;
use std::vec::Vec;

/// The model's files have so many bytes, and the last one stands for all behind.
const BYTES: u64 = 12;
const OWNERS: usize = 3;

#[derive(Clone, Copy, Debug)]
struct Step {
    owner: usize,
    /// `None` unlocks.
    kind: Option<Kind>,
    first: u64,
    last: u64,
}

fn step() -> impl Strategy<Value = Step> {
    let kind = prop_oneof![
        Just(None),
        Just(Some(Kind::Shared)),
        Just(Some(Kind::Exclusive))
    ];
    (0..OWNERS, kind, 0..BYTES, 0..BYTES).prop_map(|(owner, kind, one, other)| Step {
        owner,
        kind,
        first: one.min(other),
        last: one.max(other),
    })
}

/// The model's last byte is the last of all.
fn real(byte: u64) -> u64 {
    match byte {
        byte if byte + 1 == BYTES => Range::END,
        byte => byte,
    }
}

type Model = [[Option<Kind>; BYTES as usize]; OWNERS];

/// The model's locks of one owner as ranges, in order.
fn runs(bytes: &[Option<Kind>]) -> Vec<(Kind, u64, u64)> {
    let mut runs: Vec<(Kind, u64, u64)> = Vec::new();
    for (at, kind) in (0..).zip(bytes) {
        match (kind, runs.last_mut()) {
            (Some(kind), Some(run)) if run.0 == *kind && run.2 + 1 == at => run.2 = at,
            (Some(kind), _) => runs.push((*kind, at, at)),
            (None, _) => {}
        }
    }
    runs.iter()
        .map(|&(kind, first, last)| (kind, first, real(last)))
        .collect()
}

proptest! {
    #[test]
    fn ranges_behave_as_bytes(steps in proptest::collection::vec(step(), 0..60)) {
        let mut ranges = Ranges::default();
        let mut model: Model = Default::default();
        for Step { owner, kind, first, last } in steps {
            let range = Range { first, last: real(last) };
            let bytes = first as usize..=last as usize;
            match kind {
                None => {
                    ranges.remove(Owner::Table(owner), range).unwrap();
                    model[owner][bytes].fill(None);
                }
                Some(kind) => {
                    let lock = Lock { owner: Owner::Table(owner), kind, range, pid: 0 };
                    let others = (0..OWNERS).filter(|other| *other != owner);
                    let free = others.into_iter().all(|other| {
                        model[other][bytes.clone()].iter().flatten().all(|theirs| {
                            kind == Kind::Shared && *theirs == Kind::Shared
                        })
                    });
                    prop_assert_eq!(ranges.against(&lock).next().is_none(), free);
                    if free {
                        ranges.add(lock).unwrap();
                        model[owner][bytes].fill(Some(kind));
                    }
                }
            }
            for (owner, bytes) in model.iter().enumerate() {
                let own = ranges.iter().filter(|lock| lock.owner == Owner::Table(owner));
                let mut own: Vec<_> =
                    own.map(|lock| (lock.kind, lock.range.first, lock.range.last)).collect();
                own.sort_by_key(|lock| lock.1);
                prop_assert_eq!(own, runs(bytes));
            }
        }
    }
}

fn file() -> Arc<dyn Inode> {
    machine::frames::arena::init();
    let root = crate::files::open_root(&[]).unwrap();
    root.create(b"locked", New::Regular, Maker::root(0o600))
        .unwrap()
}

fn exclusive(owner: Owner, first: u64, last: u64) -> Lock {
    Lock {
        owner,
        kind: Kind::Exclusive,
        range: Range { first, last },
        pid: 1,
    }
}

/// Owners that no other test has.
const ONE: Owner = Owner::Table(1);
const OTHER: Owner = Owner::Table(2);

#[test]
fn who_waits_for_who_waits_for_him_is_told() {
    let inode = file();
    let (first, second) = (exclusive(ONE, 0, 0), exclusive(OTHER, 1, 1));
    lock(&inode, Scope::Bytes, first, false).unwrap();
    lock(&inode, Scope::Bytes, second, false).unwrap();
    // Whoever is second learns of it, and gives up what the other waits for.
    let wait = |inode: &Arc<dyn Inode>, wanted: Lock| {
        let result = lock(inode, Scope::Bytes, wanted, true);
        if result.is_err() {
            release(wanted.owner, Some(inode));
        }
        result
    };
    let peer = {
        let inode = inode.clone();
        thread::spawn(move || wait(&inode, exclusive(OTHER, 0, 0)))
    };
    let mine = wait(&inode, exclusive(ONE, 1, 1));
    let results = [mine, peer.join().unwrap()];
    assert!(results.contains(&Err(Errno::EDEADLK)) && results.contains(&Ok(())));
    release(ONE, None);
    release(OTHER, None);
}

#[test]
fn locks_keep_others_out() {
    const ROUNDS: usize = 300;
    let inode = file();
    let value = Arc::new(core::sync::atomic::AtomicUsize::new(0));
    let threads: Vec<_> = (10..14)
        .map(|owner| {
            let (inode, value) = (inode.clone(), value.clone());
            thread::spawn(move || {
                use core::sync::atomic::Ordering::Relaxed;
                let owner = Owner::Open(owner);
                for _ in 0..ROUNDS {
                    let all = exclusive(owner, 0, Range::END);
                    lock(&inode, Scope::Whole, all, true).unwrap();
                    let old = value.load(Relaxed);
                    thread::yield_now();
                    value.store(old + 1, Relaxed);
                    unlock(&inode, Scope::Whole, owner, Range::ALL).unwrap();
                }
            })
        })
        .collect();
    threads
        .into_iter()
        .for_each(|thread| thread.join().unwrap());
    assert_eq!(
        value.load(core::sync::atomic::Ordering::Relaxed),
        4 * ROUNDS
    );
}
