//! Power failures at every write, with any part of what was not flushed.

use std::sync::Arc;
use std::vec::Vec;

use abi::Errno;

use super::Random;
use super::disk::{Disk, after_cut, last_flush};
use super::workload::{Workload, format, open};
use crate::files::ext4::storage::Block;

#[test]
fn every_cut_leaves_whole_transactions() {
    for seed in 1..4 {
        let mut random = Random(seed);
        let mut workload = Workload::new();
        for _ in 0..30 {
            workload.step(&mut random);
        }
        let events = workload.disk.events();
        let mut with_less = 0;
        for count in 0..=events.len() {
            let bytes = after_cut(&format(), &events[..count], &mut random);
            let disk = Disk::new(bytes);
            recover_through_cuts(&disk, &mut random);
            let flushed = last_flush(&events[..count]);
            let commits = workload.check(&disk, count, flushed);
            let commits = commits.unwrap_or_else(|why| panic!("seed {seed}, cut {count}: {why}"));
            with_less += usize::from(commits < 30);
        }
        assert!(with_less > events.len() / 2);
    }
}

/// Recovers, with a power failure in the middle of the first try.
fn recover_through_cuts(disk: &Arc<Disk>, random: &mut Random) {
    let before = disk.bytes();
    open(disk).recover().unwrap();
    let after = disk.bytes();
    let events = disk.events();
    let cut = random.below(events.len() + 1);
    let again = Disk::new(after_cut(&before, &events[..cut], random));
    let mut journal = open(&again);
    journal.recover().unwrap();
    assert!(!journal.needs_recovery());
    // Blocks of the file system; the journal's numbers may have gone on.
    let homes = 30 * crate::files::ext4::storage::BLOCK;
    assert!(again.bytes()[..homes] == after[..homes]);
    goes_on(&again, random);
}

/// What is written after a recovery is found by the next, and nothing else.
fn goes_on(disk: &Arc<Disk>, random: &mut Random) {
    let mut journal = open(disk);
    journal.start().unwrap();
    let mut block = Block::new().unwrap();
    block.fill(random.next() as u8);
    let block = Arc::new(block);
    journal.commit(&[(3, block.clone())], &[]).unwrap();
    let before = disk.bytes();
    open(disk).recover().unwrap();
    let mut expected = before;
    let size = block.len();
    expected[3 * size..4 * size].copy_from_slice(&block[..]);
    assert!(disk.bytes()[..30 * size] == expected[..30 * size]);
}

#[test]
fn a_failed_write_aborts() {
    for left in 0..20 {
        let disk = Disk::new(format());
        let mut journal = open(&disk);
        journal.start().unwrap();
        disk.fail_after(left);
        let block = Arc::new(Block::new().unwrap());
        let blocks: Vec<_> = (0..8).map(|number| (number, block.clone())).collect();
        // A superblock, a descriptor, eight blocks, a commit, and two flushes.
        let expected = if left < 13 { Err(Errno::EIO) } else { Ok(()) };
        assert_eq!(journal.commit(&blocks, &[]), expected);
        assert_eq!(journal.is_aborted(), left < 13);
        if journal.is_aborted() {
            assert_eq!(journal.commit(&blocks, &[]), Err(Errno::EROFS));
            assert_eq!(journal.checkpointed(), Err(Errno::EROFS));
        }
    }
}

#[test]
fn what_does_not_fit_changes_nothing() {
    let disk = Disk::new(format());
    let mut journal = open(&disk);
    journal.start().unwrap();
    let block = Arc::new(Block::new().unwrap());
    let blocks: Vec<_> = (0..90).map(|number| (number % 30, block.clone())).collect();
    let before = disk.event_count();
    assert_eq!(journal.commit(&blocks, &[]), Err(Errno::ENOSPC));
    assert_eq!(disk.event_count(), before);
    assert_eq!(journal.commit(&blocks[..5], &[]), Ok(()));
}
