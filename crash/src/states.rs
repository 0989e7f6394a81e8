//! The states that a power failure may leave the disk in, numbered.
//!
//! A flush ends an epoch. What was written in an epoch that has not ended may
//! be there or not, each block for itself, and a block in part: the disk writes
//! whole sectors, and those in any order. What is there of the last epoch at
//! its very end has no less variety than at any moment within, and all promises
//! of the epoch count by then; so choices are made at the ends of epochs, and
//! within only the prefixes are looked at.

use kernel::files::ext4::BLOCK;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::recording::Event;

const SECTOR: usize = 512;
const SECTORS: u32 = (BLOCK / SECTOR) as u32;
/// Blocks of an epoch of which every subset is a state.
const EXHAUSTIVE: usize = 8;
/// Subsets of an epoch with more.
const SAMPLES: u64 = 48;
/// Blocks of an epoch that are torn, and ways to do so at random.
const TORN: usize = 64;
const TEARS: u64 = 2;

/// What is there of the blocks that were written since the last flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    All,
    /// Those of the bits.
    Bits(u64),
    AllBut(usize),
    Only(usize),
    /// A random part.
    Sample(u64),
    /// Those before `index`, or all, and of that one some sectors.
    Torn {
        index: usize,
        sectors: u8,
        rest: bool,
    },
}

/// A state of the disk; see the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct State {
    /// Events that have happened.
    pub cut: usize,
    /// Those that are durable.
    pub flushed: usize,
    pub choice: Choice,
}

/// A state that differs from all others, by its number.
#[derive(Clone, Copy, Debug)]
pub struct Distinct {
    pub number: usize,
    pub state: State,
    /// The cut of the state with the same content that comes first.
    pub first_cut: usize,
}

/// A write to come: its block and content.
type Pending<'e> = (u64, &'e [u8]);

/// The blocks written in `events`.
pub fn writes(events: &[Event]) -> Vec<Pending<'_>> {
    let mut writes = Vec::new();
    for event in events {
        if let Event::Write { block, bytes } = event {
            writes.push((*block, bytes.as_slice()));
        }
    }
    writes
}

impl State {
    /// Calls `put` with each range of bytes that this state has beyond what is
    /// durable, in their order: the offset on the disk, and the bytes.
    pub fn apply(&self, events: &[Event], put: &mut dyn FnMut(u64, &[u8])) {
        let pending = writes(&events[self.flushed..self.cut]);
        let mut random = match self.choice {
            Choice::Sample(seed) => Random(seed),
            _ => Random(0),
        };
        // Some lose nearly all, some nearly nothing.
        let odds = 1 + random.below(7);
        for (at, (block, bytes)) in pending.into_iter().enumerate() {
            let offset = block * BLOCK as u64;
            let whole = match self.choice {
                Choice::All => true,
                Choice::Bits(bits) => bits >> at & 1 != 0,
                Choice::AllBut(index) => at != index,
                Choice::Only(index) => at == index,
                Choice::Sample(_) => random.below(8) < odds,
                Choice::Torn { index, rest, .. } => at < index || (rest && at > index),
            };
            match self.choice {
                Choice::Torn { index, sectors, .. } if index == at => {
                    for sector in (0..SECTORS).filter(|sector| sectors >> sector & 1 != 0) {
                        let from = sector as usize * SECTOR;
                        put(offset + from as u64, &bytes[from..from + SECTOR]);
                    }
                }
                _ if whole => put(offset, bytes),
                _ => {}
            }
        }
    }
}

/// All states of a recording.
pub fn all(events: &[Event], seed: u64) -> Vec<State> {
    let mut states = Vec::new();
    let mut flushed = 0;
    for cut in 0..=events.len() {
        let ends = cut == events.len() || events[cut] == Event::Flush;
        states.push(State {
            cut,
            flushed,
            choice: Choice::All,
        });
        if ends {
            let pending = writes(&events[flushed..cut]).len();
            let choices = choices(pending, seed ^ (cut as u64) << 20);
            states.extend(choices.into_iter().map(|choice| State {
                cut,
                flushed,
                choice,
            }));
            flushed = cut;
        }
    }
    states
}

/// The choices at the end of an epoch of `count` blocks.
fn choices(count: usize, seed: u64) -> Vec<Choice> {
    let mut choices = Vec::new();
    if count <= EXHAUSTIVE {
        choices.extend((0..1 << count).map(Choice::Bits));
    } else {
        choices.extend((0..count).map(Choice::AllBut));
        choices.extend((0..count).map(Choice::Only));
        choices.extend((0..SAMPLES).map(|sample| Choice::Sample(mix(seed + sample))));
    }
    let mut random = Random(seed);
    for turn in 0..count.min(TORN) {
        let index = match count <= TORN {
            true => turn,
            false => random.below(count as u64) as usize,
        };
        let prefixes = (1..SECTORS).map(|sectors| ((1u32 << sectors) - 1) as u8);
        let others: Vec<u8> = (0..TEARS).map(|_| random.draw() as u8).collect();
        for sectors in prefixes.chain(others) {
            choices.extend([false, true].map(|rest| Choice::Torn {
                index,
                sectors,
                rest,
            }));
        }
    }
    choices
}

/// The states that differ in what is on the disk. Of those that do not, the one
/// by which the most was promised stands for all.
pub fn distinct(base: &[u8], events: &[Event], states: &[State]) -> Vec<Distinct> {
    let mut durable = Content::new(base);
    let mut done = 0;
    let mut known: HashMap<u64, usize> = HashMap::new();
    let mut distinct: Vec<Distinct> = Vec::new();
    for (number, &state) in states.iter().enumerate() {
        for (block, bytes) in writes(&events[done..state.flushed]) {
            durable.put(block, bytes);
        }
        done = state.flushed;
        let hash = durable.hash_with(state, events);
        let found = Distinct {
            number,
            state,
            first_cut: state.cut,
        };
        match known.get(&hash) {
            // Numbers ascend with the cut, and so do promises.
            Some(&at) => {
                distinct[at].number = number;
                distinct[at].state = state;
            }
            None => {
                known.insert(hash, distinct.len());
                distinct.push(found);
            }
        }
    }
    distinct.sort_by_key(|distinct| distinct.number);
    distinct
}

/// A disk, with a hash of its content that costs no more than what changes.
struct Content {
    bytes: Vec<u8>,
    hashes: HashMap<u64, u64>,
    sum: u64,
}

impl Content {
    fn new(base: &[u8]) -> Content {
        Content {
            bytes: base.to_vec(),
            hashes: HashMap::new(),
            sum: 0,
        }
    }

    fn block(&self, block: u64) -> &[u8] {
        let at = block as usize * BLOCK;
        &self.bytes[at..at + BLOCK]
    }

    /// The part of the hash that a block has; as the base counts for nothing,
    /// blocks that were never written need not be read.
    fn hash_of(&mut self, block: u64) -> u64 {
        if let Some(hash) = self.hashes.get(&block) {
            return *hash;
        }
        let hash = hash(block, self.block(block));
        self.hashes.insert(block, hash);
        hash
    }

    fn put(&mut self, block: u64, bytes: &[u8]) {
        let new = hash(block, bytes);
        let old = self.hash_of(block);
        self.sum = self.sum.wrapping_sub(old).wrapping_add(new);
        self.hashes.insert(block, new);
        let at = block as usize * BLOCK;
        self.bytes[at..at + BLOCK].copy_from_slice(bytes);
    }

    fn hash_with(&mut self, state: State, events: &[Event]) -> u64 {
        let mut changed: HashMap<u64, Vec<u8>> = HashMap::new();
        state.apply(events, &mut |offset, bytes| {
            let block = offset / BLOCK as u64;
            let within = offset as usize % BLOCK;
            let content = changed
                .entry(block)
                .or_insert_with(|| self.block(block).to_vec());
            content[within..within + bytes.len()].copy_from_slice(bytes);
        });
        let mut sum = self.sum;
        for (block, bytes) in changed {
            let old = self.hash_of(block);
            sum = sum.wrapping_sub(old).wrapping_add(hash(block, &bytes));
        }
        sum
    }
}

fn hash(block: u64, bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (block, bytes).hash(&mut hasher);
    hasher.finish()
}

/// Splitmix64.
pub struct Random(pub u64);

impl Random {
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.draw() % bound
    }
}

fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn write(block: u64, value: u8) -> Event {
        let bytes = vec![value; BLOCK];
        Event::Write { block, bytes }
    }

    fn image(base: &[u8], events: &[Event], state: State) -> Vec<u8> {
        let mut image = base.to_vec();
        let mut put = |offset: u64, bytes: &[u8]| {
            image[offset as usize..offset as usize + bytes.len()].copy_from_slice(bytes);
        };
        for (block, bytes) in writes(&events[..state.flushed]) {
            put(block * BLOCK as u64, bytes);
        }
        state.apply(events, &mut put);
        image
    }

    #[test]
    fn every_subset_and_no_state_twice() {
        let base = vec![0; 4 * BLOCK];
        let events = [
            write(0, 1),
            write(1, 2),
            write(0, 3),
            Event::Flush,
            write(2, 4),
        ];
        let states = all(&events, 7);
        let images: BTreeSet<Vec<u8>> = states
            .iter()
            .map(|&state| image(&base, &events, state))
            .collect();
        let firsts = |image: &Vec<u8>| [image[0], image[BLOCK], image[2 * BLOCK]];
        let is_whole = |image: &&Vec<u8>| {
            let mut blocks = image.chunks_exact(BLOCK);
            blocks.all(|block| block.iter().all(|byte| *byte == block[0]))
        };
        let whole: BTreeSet<_> = images.iter().filter(is_whole).map(firsts).collect();
        let mut expected = BTreeSet::new();
        for (first, second) in [0, 1, 3].into_iter().flat_map(|a| [(a, 0), (a, 2)]) {
            expected.insert([first, second, 0]);
        }
        // What was flushed stays.
        expected.insert([3, 2, 4]);
        assert_eq!(whole, expected);
        assert!(images.len() > whole.len() + 8, "blocks are torn too");
        let distinct = distinct(&base, &events, &states);
        assert_eq!(distinct.len(), images.len());
    }

    #[test]
    fn the_most_promises_count() {
        let promise = Event::Promise(workload::Promise {
            thread: 0,
            operation: 0,
        });
        let events = [write(0, 1), Event::Flush, promise];
        let distinct = distinct(&[0; BLOCK], &events, &all(&events, 1));
        let last = distinct.last().unwrap();
        assert_eq!((last.state.cut, last.first_cut), (3, 1));
    }

    #[test]
    fn large_epochs_are_sampled() {
        let events: Vec<Event> = (0..100).map(|block| write(block, 9)).collect();
        let count = all(&events, 1).len();
        assert!((1000..3000).contains(&count), "{count}");
    }
}
