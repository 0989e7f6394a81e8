//! A user of the journal, and the model of what must be on its disk.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::vec::Vec;
use std::{format, string::String, vec};

use super::Random;
use super::disk::Disk;
use crate::files::ext4::journal::Journal;
use crate::files::ext4::storage::{BLOCK, Block, Storage};

/// The file system's blocks, and the journal's between them.
pub const HOMES: Range<u64> = 0..30;
const BLOCKS: usize = 150;
/// Near the end of what they can be, so that they wrap.
const SEQUENCE: u32 = u32::MAX - 7;

pub fn runs() -> Vec<Range<u64>> {
    vec![100..104, 40..82, 110..148]
}

/// A disk with an empty journal, and leavings where nothing was written.
pub fn format() -> Vec<u8> {
    let mut bytes = vec![0xc0; BLOCKS * BLOCK];
    let superblock = &mut bytes[100 * BLOCK..101 * BLOCK];
    superblock[..1024].fill(0);
    let mut put = |at: usize, value: u32| {
        superblock[at..at + 4].copy_from_slice(&value.to_be_bytes());
    };
    put(0, 0xc03b_3998);
    put(4, 4);
    put(0x0c, BLOCK as u32);
    put(0x10, 84);
    put(0x14, 1);
    put(0x18, SEQUENCE);
    superblock[0x30..0x40].copy_from_slice(b"identity of this");
    bytes
}

/// What happens to a block of the file system, in order.
enum Change {
    /// By a commit.
    Logged(usize, Vec<u8>),
    Revoked(usize),
    /// Without the journal, as that many events had happened.
    Data(usize, Vec<u8>),
}

pub struct Workload {
    pub disk: Arc<Disk>,
    journal: Journal,
    history: BTreeMap<u64, Vec<Change>>,
    /// What is not home yet.
    homeless: BTreeMap<u64, Arc<Block>>,
    /// Commits that were begun.
    begun: usize,
    /// How many events there were when each had returned.
    pub returned: Vec<usize>,
    counter: u32,
}

pub fn open(disk: &Arc<Disk>) -> Journal {
    Journal::open(disk.clone(), runs()).unwrap()
}

impl Workload {
    pub fn new() -> Workload {
        let disk = Disk::new(format());
        let mut journal = open(&disk);
        journal.start().unwrap();
        Workload {
            disk,
            journal,
            history: BTreeMap::new(),
            homeless: BTreeMap::new(),
            begun: 0,
            returned: Vec::new(),
            counter: 0,
        }
    }

    /// A content that was not there before; some look like the journal's own.
    pub fn content(&mut self, random: &mut Random) -> Block {
        self.counter += 1;
        let mut block = Block::new().unwrap();
        for word in block.chunks_mut(4) {
            word.copy_from_slice(&self.counter.to_le_bytes());
        }
        if random.below(3) == 0 {
            block[..4].copy_from_slice(&0xc03b_3998_u32.to_be_bytes());
            block[4..8].copy_from_slice(&(1 + random.below(5) as u32).to_be_bytes());
            let near = SEQUENCE.wrapping_add(random.below(40) as u32);
            block[8..12].copy_from_slice(&near.to_be_bytes());
        }
        block
    }

    /// A commit of some blocks, perhaps with some revoked.
    pub fn step(&mut self, random: &mut Random) {
        let mut blocks: BTreeMap<u64, Arc<Block>> = BTreeMap::new();
        for _ in 0..1 + random.below(8) {
            let number = random.below(HOMES.end as usize) as u64;
            let block = self.content(random);
            blocks.insert(number, Arc::new(block));
        }
        let mut revoked = Vec::new();
        for _ in 0..random.below(4) {
            revoked.push(random.below(HOMES.end as usize) as u64);
        }
        self.make_room(blocks.len(), revoked.len());
        self.begun += 1;
        for (number, block) in &blocks {
            let change = Change::Logged(self.begun, block.to_vec());
            self.history.entry(*number).or_default().push(change);
        }
        // Of a block that is both, the new content counts.
        for number in revoked.iter().filter(|number| !blocks.contains_key(number)) {
            let change = Change::Revoked(self.begun);
            self.history.entry(*number).or_default().push(change);
        }
        let list: Vec<_> = blocks
            .iter()
            .map(|(at, block)| (*at, block.clone()))
            .collect();
        self.journal.commit(&list, &revoked).unwrap();
        self.returned.push(self.disk.event_count());
        revoked.retain(|number| !blocks.contains_key(number));
        for number in revoked {
            self.homeless.remove(&number);
            self.write_data(number, random);
        }
        self.homeless.extend(blocks);
    }

    /// A revoked block becomes part of a file.
    fn write_data(&mut self, number: u64, random: &mut Random) {
        let block = self.content(random);
        self.disk.write(&[(number, &block)]).unwrap();
        let change = Change::Data(self.disk.event_count(), block.to_vec());
        self.history.entry(number).or_default().push(change);
    }

    fn make_room(&mut self, blocks: usize, revoked: usize) {
        assert!(blocks <= self.journal.most_blocks());
        if Journal::blocks_for(blocks, revoked) >= self.journal.free_blocks() {
            for (number, block) in &self.homeless {
                self.disk.write(&[(*number, block)]).unwrap();
            }
            self.disk.flush().unwrap();
            self.homeless.clear();
            self.journal.checkpointed().unwrap();
        }
    }

    /// Whether a disk is as some number of commits leave it: at least those
    /// that had returned when the power failed, after `events`, of which
    /// `flushed` were durable.
    pub fn check(&self, disk: &Disk, events: usize, flushed: usize) -> Result<usize, String> {
        let least = self.returned.iter().filter(|at| **at <= events).count();
        let mut reason = String::new();
        for commits in least..=(least + 1).min(self.begun) {
            match self.compare(disk, commits, flushed) {
                Ok(()) => return Ok(commits),
                Err(number) => {
                    reason += &format!("block {number} is not as after {commits} commits; ");
                }
            }
        }
        Err(reason)
    }

    fn compare(&self, disk: &Disk, commits: usize, flushed: usize) -> Result<(), u64> {
        for number in HOMES {
            let mut expected = Some(vec![0xc0; BLOCK]);
            for change in self.history.get(&number).into_iter().flatten() {
                match change {
                    Change::Logged(by, content) if *by <= commits => {
                        expected = Some(content.clone());
                    }
                    Change::Revoked(by) if *by <= commits => expected = None,
                    Change::Data(at, content) if *at <= flushed => {
                        expected = Some(content.clone());
                    }
                    _ => {}
                }
            }
            if expected.is_some_and(|expected| disk.block(number) != expected) {
                return Err(number);
            }
        }
        Ok(())
    }
}
