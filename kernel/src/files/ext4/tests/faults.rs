//! Disks that fail: any call of the disk may end with EIO. Whoever asked is
//! told, an operation that fails leaves no trace in memory, and the disk stays
//! what some operation made it, none before the last that was made durable.

use super::super::Ext4;
use super::compare::compare;
use super::failing::{ACCESSES, Access, Failing, Fault};
use super::image::Memory;
use super::model::{Model, Random};
use super::pair::{Pair, pair};
use crate::files::disk::volume::Volume;
use abi::Errno;
use std::sync::Arc;
use std::vec::Vec;

const STEPS: usize = 100;
/// The run without a fault.
const HEALTHY: &str = "healthy";

/// A run on a disk with a fault.
struct Run {
    disk: Arc<Failing>,
    pair: Pair,
    /// The model when it was last made durable, and after each step since.
    since: Vec<Model>,
}

impl Run {
    fn new(seed: u64) -> Run {
        let disk = Failing::new(Memory::format(16 << 20, &["-N", "256", "-J", "size=4"]));
        let mut pair = pair(disk.clone(), seed);
        pair.appends = true;
        pair.may_fail = true;
        let since = Vec::from([pair.model.clone()]);
        Run { disk, pair, since }
    }

    fn steps(&mut self) {
        for _ in 0..STEPS {
            self.pair.step();
            self.since.push(self.pair.model.clone());
            let volume = &self.pair.volume;
            match self.pair.random.below(12) {
                0 | 1 => match volume.commit() {
                    Ok(()) => drop(self.since.drain(..self.since.len() - 1)),
                    Err(error) => assert_eq!(error, Errno::EIO),
                },
                2 => {
                    // It may have been aborted before.
                    let _ = volume.checkpoint();
                }
                // So that there is something to be read.
                3 | 4 => drop(volume.shrink(true)),
                _ => {}
            }
        }
    }

    /// What there is in memory, and then on the disk.
    fn check(self, name: &str) {
        let Run { disk, pair, since } = self;
        assert_eq!(disk.heal(), name != HEALTHY, "{name}: no call has failed");
        if let Err(difference) = compare(&pair.volume, &pair.model) {
            panic!("{name}: an operation that failed has left something: {difference}");
        }
        let left = pair.volume.unmount();
        let possible = match left {
            Ok(()) => &since[since.len() - 1..],
            Err(_) => &since[..],
        };
        let volume = match Ext4::open(disk.disk.clone(), false) {
            Ok(volume) => volume,
            Err(error) => panic!("{name}: it cannot be mounted: {error}"),
        };
        let mut difference = None;
        let found = possible.iter().rev().any(|model| {
            let result = compare(&volume, model);
            difference = difference.take().or(result.clone().err());
            result.is_ok()
        });
        assert!(found, "{name}: it differs from the last: {difference:?}");
        volume.unmount().unwrap();
        disk.disk.check();
    }
}

#[test]
fn a_disk_that_fails_loses_nothing_that_was_durable() {
    let mut random = Random::new(3);
    for seed in 0..6 {
        let mut healthy = Run::new(seed);
        let counts = |disk: &Failing| ACCESSES.map(|access| disk.count(access));
        let before = counts(&healthy.disk);
        healthy.steps();
        let after = counts(&healthy.disk);
        healthy.check(HEALTHY);
        for (index, access) in ACCESSES.into_iter().enumerate() {
            for always in [false, true] {
                let most = after[index] - before[index];
                if most == 0 {
                    continue;
                }
                let fault = Fault {
                    access,
                    after: random.below(most as u64) as usize,
                    always,
                };
                let mut run = Run::new(seed);
                run.disk.fail(fault);
                run.steps();
                run.check(&std::format!("seed {seed}, {fault:?}"));
            }
        }
    }
}

#[test]
fn a_disk_that_fails_as_it_is_left_says_what_its_journal_holds() {
    let mut after = 0;
    loop {
        let mut run = Run::new(1);
        run.steps();
        for _ in 0..10 {
            run.pair.step();
        }
        run.disk.fail(Fault {
            access: Access::Write,
            after,
            always: true,
        });
        let left = run.pair.volume.unmount();
        assert_eq!(left.is_err(), run.disk.heal());
        run.disk.disk.check_as_linux_mounts();
        if left.is_ok() {
            break;
        }
        after += 1;
    }
    // The transaction, its end, home, an empty journal, the superblock.
    assert!(after >= 5, "{after}");
}

#[test]
fn a_volume_is_left_without_what_was_deleted_while_open() {
    for seed in 0..5 {
        let disk = Memory::format(16 << 20, &["-N", "256", "-J", "size=4"]);
        let mut pair = pair(disk.clone(), seed);
        pair.keeps_orphans = true;
        for _ in 0..STEPS {
            pair.step();
        }
        pair.volume.unmount().unwrap();
        // As it is: nothing is left for the next mount.
        disk.check();
    }
}

#[test]
fn a_volume_is_left_clean_while_others_change_it() {
    let disk = Memory::format(16 << 20, &["-N", "256", "-J", "size=4"]);
    let mut pair = pair(disk.clone(), 1);
    pair.may_fail = true;
    let volume = pair.volume.clone();
    std::thread::scope(|scope| {
        let left = scope.spawn(move || volume.unmount());
        while !left.is_finished() {
            pair.step();
        }
        left.join().unwrap().unwrap();
    });
    // No journal is in use, and nothing comes later.
    disk.check();
    pair.step();
    assert_eq!(pair.volume.commit(), Ok(()));
    disk.check();
}

/// A disk that a crash has left with a journal to be replayed, and with inodes
/// that were deleted while open.
fn crashed(seed: u64) -> (Arc<Memory>, Model) {
    let disk = Memory::format(16 << 20, &["-N", "256", "-J", "size=4"]);
    let mut pair = pair(disk.clone(), seed);
    pair.keeps_orphans = true;
    for _ in 0..STEPS {
        pair.step();
    }
    pair.volume.commit().unwrap();
    (Memory::holding(disk.contents()), pair.model.clone())
}

#[test]
fn a_mount_that_fails_can_be_tried_again() {
    for seed in 0..3 {
        let (crashed, model) = crashed(seed);
        for access in [Access::Read, Access::Write, Access::Flush] {
            let mut after = 0;
            loop {
                let disk = Failing::new(Memory::holding(crashed.contents()));
                disk.fail(Fault {
                    access,
                    after,
                    always: false,
                });
                let mounted = Ext4::open(disk.clone(), false);
                if disk.heal() {
                    // The fault was met.
                    assert_eq!(mounted.err(), Some(Errno::EIO), "{access:?} {after}");
                } else {
                    assert!(mounted.is_ok(), "{access:?} {after}");
                    break;
                }
                let again = Ext4::open(disk.disk.clone(), false).unwrap();
                if let Err(difference) = compare(&again, &model) {
                    panic!("seed {seed}, {access:?} {after}: {difference}");
                }
                again.unmount().unwrap();
                disk.disk.check();
                // The first ones one by one, and then some.
                after += 1 + after / 8;
            }
            assert!(after > 0, "{access:?}");
        }
    }
}
