//! A disk in memory that remembers all writes, to be cut off at any of them.

use std::sync::{Arc, Mutex, MutexGuard};
use std::vec::Vec;

use abi::Errno;
use machine::frames::Frame;

use super::Random;
use crate::files::ext4::storage::{BLOCK, Block, Storage};

const SECTOR: usize = 512;

#[derive(Clone)]
pub enum Event {
    Write(u64, Vec<u8>),
    Flush,
}

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    events: Vec<Event>,
    /// Writes and flushes that succeed before all fail.
    left: Option<usize>,
}

pub struct Disk(Mutex<State>);

impl Disk {
    pub fn new(bytes: Vec<u8>) -> Arc<Disk> {
        Arc::new(Disk(Mutex::new(State {
            bytes,
            ..State::default()
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub fn bytes(&self) -> Vec<u8> {
        self.state().bytes.clone()
    }

    pub fn block(&self, number: u64) -> Vec<u8> {
        let at = number as usize * BLOCK;
        self.state().bytes[at..at + BLOCK].to_vec()
    }

    pub fn events(&self) -> Vec<Event> {
        self.state().events.clone()
    }

    pub fn event_count(&self) -> usize {
        self.state().events.len()
    }

    pub fn fail_after(&self, left: usize) {
        self.state().left = Some(left);
    }

    fn act(&self, event: Event) -> Result<(), Errno> {
        let mut state = self.state();
        if let Some(left) = state.left {
            state.left = Some(left.checked_sub(1).ok_or(Errno::EIO)?);
        }
        apply(&mut state.bytes, &event, 0xff);
        state.events.push(event);
        Ok(())
    }
}

/// Carries out those sectors of a write that are in `sectors`.
fn apply(bytes: &mut [u8], event: &Event, sectors: u8) {
    let Event::Write(number, content) = event else {
        return;
    };
    for (index, sector) in content.chunks(SECTOR).enumerate() {
        if sectors & 1 << index != 0 {
            let at = *number as usize * BLOCK + index * SECTOR;
            bytes[at..at + SECTOR].copy_from_slice(sector);
        }
    }
}

/// What may be on a disk after `events`, when the power fails: all that was
/// flushed, and of the rest any sectors of any writes.
pub fn after_cut(initial: &[u8], events: &[Event], random: &mut Random) -> Vec<u8> {
    let mut bytes = initial.to_vec();
    let flushed = last_flush(events);
    for event in &events[..flushed] {
        apply(&mut bytes, event, 0xff);
    }
    let style = random.below(4);
    for event in &events[flushed..] {
        let sectors = match style {
            0 => 0xff,
            1 => 0,
            2 if random.below(2) == 0 => 0xff,
            2 => 0,
            _ => random.next() as u8,
        };
        apply(&mut bytes, event, sectors);
    }
    bytes
}

/// How many of the events are durable for sure.
pub fn last_flush(events: &[Event]) -> usize {
    let flush = |event: &Event| matches!(event, Event::Flush);
    events.iter().rposition(flush).map_or(0, |at| at + 1)
}

impl Storage for Disk {
    fn blocks(&self) -> u64 {
        (self.state().bytes.len() / BLOCK) as u64
    }

    fn read(&self, number: u64, block: &mut Block) -> Result<(), Errno> {
        assert!(number < self.blocks(), "a read outside of the disk");
        block.copy_from_slice(&self.block(number));
        Ok(())
    }

    fn write(&self, blocks: &[(u64, &Block)]) -> Result<(), Errno> {
        for (number, block) in blocks {
            assert!(*number < self.blocks(), "a write outside of the disk");
            self.act(Event::Write(*number, block.to_vec()))?;
        }
        Ok(())
    }

    fn read_pages(&self, _: u64, _: &[Frame]) -> Result<(), Errno> {
        unreachable!("the journal has no pages")
    }

    fn write_pages(&self, _: u64, _: &[Frame]) -> Result<(), Errno> {
        unreachable!("the journal has no pages")
    }

    fn flush(&self) -> Result<(), Errno> {
        self.act(Event::Flush)
    }
}
