//! Holders and waiters against a naive model: in any state, whoever holds a lock
//! is as urgent as the most urgent of all who wait for it, directly or not.

use super::*;
use std::cell::Cell;
use std::rc::Rc;

#[derive(Debug)]
struct Fake {
    id: usize,
    own: Cell<u8>,
    lent: Cell<u8>,
}

type Thread = Rc<Fake>;

impl Bearer for Thread {
    fn is(&self, other: &Self) -> bool {
        self.id == other.id
    }
    fn level(&self) -> u8 {
        self.own.get().min(self.lent.get())
    }
    fn lend(&self, level: u8) {
        self.lent.set(level);
    }
}

fn threads(levels: &[u8]) -> Vec<Thread> {
    let make = |(id, &own): (usize, &u8)| {
        Rc::new(Fake {
            id,
            own: Cell::new(own),
            lent: Cell::new(u8::MAX),
        })
    };
    levels.iter().enumerate().map(make).collect()
}

fn levels(threads: &[Thread]) -> Vec<u8> {
    threads.iter().map(Bearer::level).collect()
}

#[test]
fn urgency_goes_along_a_chain_and_back() {
    let t = threads(&[100, 90, 50, 10]);
    let mut locks = Locks::new();
    locks.wait('a', &t[0], &t[1]).unwrap();
    locks.wait('b', &t[1], &t[2]).unwrap();
    assert_eq!(levels(&t), [50, 50, 50, 10]);
    locks.wait('b', &t[1], &t[3]).unwrap();
    assert_eq!(levels(&t), [10, 10, 50, 10]);
    locks.give_up(&t[3]);
    assert_eq!(levels(&t), [50, 50, 50, 10]);
    t[2].own.set(20);
    locks.changed(&t[2]);
    assert_eq!(levels(&t), [20, 20, 20, 10]);
    assert!(locks.hand_over('a').unwrap().is(&t[1]));
    assert_eq!(levels(&t), [100, 20, 20, 10]);
    assert!(locks.holder('a').is_none());
    assert!(locks.hand_over('b').unwrap().is(&t[2]));
    assert_eq!(levels(&t), [100, 90, 20, 10]);
    assert!(locks.locks.is_empty());
}

#[test]
fn the_most_urgent_is_next_and_the_first_of_its_equals() {
    let t = threads(&[100, 30, 20, 20, 100]);
    let mut locks = Locks::new();
    for waiter in &t[1..] {
        locks.wait(0, &t[0], waiter).unwrap();
    }
    let order: Vec<usize> = core::iter::from_fn(|| locks.hand_over(0))
        .map(|t| t.id)
        .collect();
    assert_eq!(order, [2, 3, 1, 4]);
}

#[test]
fn a_circle_is_refused() {
    let t = threads(&[1, 2, 3]);
    let mut locks = Locks::new();
    locks.wait('a', &t[0], &t[1]).unwrap();
    locks.wait('b', &t[1], &t[2]).unwrap();
    assert_eq!(locks.wait('c', &t[2], &t[0]), Err(Errno::EDEADLK));
    assert_eq!(locks.wait('c', &t[0], &t[0]), Err(Errno::EDEADLK));
    assert!(!locks.has_waiters('c'));
    assert_eq!(levels(&t), [1, 2, 3]);
}

#[test]
fn locks_of_one_that_ends_are_known_until_they_are_marked() {
    let t = threads(&[100, 50, 60]);
    let mut locks = Locks::new();
    locks.wait('a', &t[0], &t[1]).unwrap();
    locks.wait('b', &t[0], &t[2]).unwrap();
    let mut woken = Vec::new();
    locks.end(&t[0], |thread| woken.push(thread.id));
    woken.sort_unstable();
    assert_eq!(woken, [1, 2]);
    assert!(locks.holder('a').unwrap().is(&t[1]) && !locks.has_waiters('a'));
    // Others may come meanwhile.
    locks.wait('a', &t[1], &t[2]).unwrap();
    locks.marked('a');
    assert!(locks.has_waiters('a'));
    locks.marked('b');
    assert!(locks.holder('b').is_none());
}

/// Many threads and locks at random.
#[test]
fn nobody_waits_for_the_less_urgent() {
    const LOCKS: usize = 6;
    let mut random = 1u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(99);
        (random >> 33) as usize % below
    };
    let t = threads(&[90, 80, 70, 60, 50, 40, 100, 100]);
    let mut locks: Locks<usize, Thread> = Locks::new();
    let mut holders: [Option<usize>; LOCKS] = [None; LOCKS];
    let mut waits: Vec<Option<usize>> = vec![None; t.len()];
    for _ in 0..20_000 {
        let (thread, key) = (next(t.len()), next(LOCKS));
        match (holders[key], waits[thread]) {
            (_, Some(_)) if next(3) == 0 => {
                locks.give_up(&t[thread]);
                waits[thread] = None;
            }
            (_, Some(_)) => {
                t[thread].own.set(next(110) as u8);
                locks.changed(&t[thread]);
            }
            (None, None) => holders[key] = Some(thread),
            (Some(holder), None) if holder == thread => {
                holders[key] = locks.hand_over(key).map(|next| next.id);
                if let Some(next) = holders[key] {
                    assert_eq!(waits[next].take(), Some(key));
                }
            }
            (Some(holder), None) => {
                let mut at = Some(holder);
                while let Some(other) = at
                    && other != thread
                {
                    at = waits[other].and_then(|key| holders[key]);
                }
                let expected = if at.is_some() {
                    Err(Errno::EDEADLK)
                } else {
                    Ok(())
                };
                let result = locks.wait(key, &t[holder], &t[thread]);
                assert_eq!(result, expected);
                if result.is_ok() {
                    waits[thread] = Some(key);
                }
            }
        }
        // Each as urgent as itself or the most urgent that waits for it: by
        // passing urgency on until nothing changes.
        let mut expected: Vec<u8> = t.iter().map(|thread| thread.own.get()).collect();
        for _ in 0..t.len() {
            for (waiter, key) in waits.iter().enumerate() {
                if let Some(holder) = key.and_then(|key| holders[key]) {
                    expected[holder] = expected[holder].min(expected[waiter]);
                }
            }
        }
        assert_eq!(levels(&t), expected);
    }
}
