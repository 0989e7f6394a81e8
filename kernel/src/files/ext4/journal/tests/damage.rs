//! Damage of the log: an error or a whole state, and never a panic or a write
//! to where nothing belongs.

use std::sync::Arc;
use std::vec::Vec;

use abi::Errno;

use super::Random;
use super::disk::Disk;
use super::workload::{Workload, open, runs};
use crate::files::ext4::journal::Journal;
use crate::files::ext4::journal::format::Superblock;
use crate::files::ext4::storage::{BLOCK, Block};

fn worked(seed: u64) -> Workload {
    let mut random = Random(seed);
    let mut workload = Workload::new();
    for _ in 0..25 {
        workload.step(&mut random);
    }
    assert!(open(&workload.disk).needs_recovery());
    workload
}

#[test]
fn a_damaged_transaction_is_an_error_or_the_end() {
    let workload = worked(5);
    let bytes = workload.disk.bytes();
    let mut random = Random(6);
    let mut errors = 0;
    for _ in 0..400 {
        let mut damaged = bytes.clone();
        let run = &runs()[1 + random.below(2)];
        let block = run.start as usize + random.below((run.end - run.start) as usize);
        damaged[block * BLOCK + random.below(BLOCK)] ^= 1 << random.below(8);
        let disk = Disk::new(damaged);
        match open(&disk).recover() {
            Err(error) => {
                assert_eq!(error, Errno::EIO);
                assert_eq!(disk.event_count(), 0, "written in spite of damage");
                errors += 1;
            }
            Ok(()) => assert!(!open(&disk).needs_recovery()),
        }
    }
    assert!(errors > 50, "{errors}");
}

#[test]
fn leavings_are_no_damage() {
    let disk = Disk::new(super::workload::format());
    let mut journal = open(&disk);
    journal.start().unwrap();
    for number in [7, 8] {
        let mut block = Block::new().unwrap();
        block.fill(number as u8);
        journal.commit(&[(number, Arc::new(block))], &[]).unwrap();
    }
    // The second transaction's descriptor, its block and its commit block are
    // the first blocks of the second run.
    let mut bytes = disk.bytes();
    bytes[40 * BLOCK + 100] ^= 1;
    let damaged = Disk::new(bytes.clone());
    assert_eq!(open(&damaged).recover(), Err(Errno::EIO));
    // Committed long before the first, so by another file system.
    bytes[42 * BLOCK + 0x30..][..8].fill(0);
    let used_before = Disk::new(bytes);
    assert_eq!(open(&used_before).recover(), Ok(()));
    assert!(used_before.block(7) == [7; BLOCK]);
    assert!(used_before.block(8) == [0xc0; BLOCK]);
}

#[test]
fn blocks_that_belong_nowhere_are_damage() {
    // In the journal itself, and behind the end of the disk.
    for number in [60, 150, 1 << 40] {
        let disk = Disk::new(super::workload::format());
        let mut journal = open(&disk);
        journal.start().unwrap();
        let block = Arc::new(Block::new().unwrap());
        journal.commit(&[(number, block)], &[]).unwrap();
        let before = disk.event_count();
        assert_eq!(open(&disk).recover(), Err(Errno::EIO));
        assert_eq!(disk.event_count(), before);
    }
}

#[test]
fn nothing_in_the_log_is_taken_for_its_own() {
    let disk = Disk::new(super::workload::format());
    let mut journal = open(&disk);
    journal.start().unwrap();
    let magic = 0xc03b_3998_u32.to_be_bytes();
    let mut block = Block::new().unwrap();
    block[..4].copy_from_slice(&magic);
    let block = Arc::new(block);
    let blocks: Vec<_> = (0..5).map(|number| (number, block.clone())).collect();
    journal.commit(&blocks, &[]).unwrap();
    let own = runs().into_iter().flatten();
    let own = own.filter(|number| disk.block(*number).starts_with(&magic));
    // The superblock, a descriptor block and the commit block.
    assert_eq!(own.count(), 3);
    open(&disk).recover().unwrap();
    assert!((0..5).all(|number| disk.block(number) == block[..]));
}

/// Sets features of the journal's superblock, and its checksum.
fn set_features(bytes: &mut [u8], change: impl FnOnce(&mut Superblock)) {
    let at = runs()[0].start as usize * BLOCK;
    let mut block = Block::new().unwrap();
    block.copy_from_slice(&bytes[at..at + BLOCK]);
    let mut superblock = Superblock(block);
    change(&mut superblock);
    superblock.seal();
    bytes[at..at + BLOCK].copy_from_slice(&superblock.0[..]);
}

#[test]
fn no_content_of_the_log_is_a_panic() {
    let workload = worked(7);
    let bytes = workload.disk.bytes();
    let mut random = Random(8);
    for _ in 0..1500 {
        let mut damaged = bytes.clone();
        // Also without checksums, which would find most of it.
        let features = [0x13, 0x11, 3, 2, 1, 0, 0xb, 8][random.below(8)];
        set_features(&mut damaged, |superblock| superblock.set_features(features));
        for _ in 0..1 + random.below(20) {
            let run = &runs()[random.below(3)];
            let block = run.start as usize + random.below((run.end - run.start) as usize);
            // Mostly in the heads, where it matters.
            let reach = [64, 300, BLOCK][random.below(3)];
            let within = random.below(reach);
            damaged[block * BLOCK + within] = random.next() as u8;
        }
        if random.below(2) == 0 {
            set_features(&mut damaged, |_| {});
        }
        let disk = Disk::new(damaged);
        if let Ok(mut journal) = Journal::open(disk.clone(), runs()) {
            let _ = journal.recover();
        }
    }
}

#[test]
fn what_is_not_known_is_refused() {
    let workload = worked(9);
    let refused = |change: &dyn Fn(&mut Superblock)| {
        let mut bytes = workload.disk.bytes();
        set_features(&mut bytes, |superblock| change(superblock));
        Journal::open(Disk::new(bytes), runs()).err() == Some(Errno::EINVAL)
    };
    assert!(!refused(&|_| {}));
    assert!(refused(&|it| it.set_features(0x53)), "unknown");
    assert!(refused(&|it| it.set_features(0x33)), "fast commits");
    assert!(refused(&|it| it.set_features(0x17)), "asynchronous commits");
    assert!(
        refused(&|it| it.set_features(0x1b)),
        "two kinds of checksums"
    );
    assert!(refused(&|it| it.set_start(84, 1)), "a start outside");
    let empty: Vec<core::ops::Range<u64>> = Vec::new();
    assert!(Journal::open(workload.disk.clone(), empty).is_err());
    assert!(Journal::open(workload.disk.clone(), runs()[..2].to_vec()).is_err());
}
