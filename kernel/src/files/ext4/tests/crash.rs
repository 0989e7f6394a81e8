//! Crashes: the writes to a disk are recorded, and images rebuilt of what may
//! be there after a cut: everything before the last flush, some of what came
//! after it, in any order, the last of it perhaps in part. What is mounted then
//! must be the model after some operation, not before the last one that was
//! made durable. Operations go on while a commit is being written.

use super::super::Ext4;
use super::super::storage::{BLOCK, Block, Storage};
use super::compare::compare;
use super::image::Memory;
use super::model::{Model, Random};
use super::pair::{Pair, pair};
use crate::files::disk::volume::Volume;
use abi::Errno;
use machine::frames::Frame;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::vec::Vec;

const SECTOR: usize = 512;

#[derive(Clone)]
enum Event {
    Write(usize, Vec<u8>),
    Flush,
}

/// A disk that keeps all that happens to it.
struct Recorder {
    disk: Arc<Memory>,
    events: Mutex<Vec<Event>>,
    /// Whoever is told of each flush before it happens, and lets it go on.
    flushes: Mutex<Option<(Sender<()>, Receiver<()>)>>,
}

impl Recorder {
    fn note(&self, number: u64, bytes: &[u8]) {
        let event = Event::Write(number as usize, bytes.to_vec());
        self.events.lock().unwrap().push(event);
    }

    fn count(&self) -> usize {
        self.events.lock().unwrap().len()
    }
}

impl Storage for Recorder {
    fn blocks(&self) -> u64 {
        self.disk.blocks()
    }

    fn read(&self, number: u64, block: &mut Block) -> Result<(), Errno> {
        self.disk.read(number, block)
    }

    fn write(&self, blocks: &[(u64, &Block)]) -> Result<(), Errno> {
        for (number, block) in blocks {
            self.note(*number, &block[..]);
        }
        self.disk.write(blocks)
    }

    fn read_pages(&self, first: u64, frames: &[Frame]) -> Result<(), Errno> {
        self.disk.read_pages(first, frames)
    }

    fn write_pages(&self, first: u64, frames: &[Frame]) -> Result<(), Errno> {
        for (frame, number) in frames.iter().zip(first..) {
            let mut bytes = [0; BLOCK];
            frame.read(0, &mut bytes);
            self.note(number, &bytes);
        }
        self.disk.write_pages(first, frames)
    }

    fn flush(&self) -> Result<(), Errno> {
        if let Some((flush, go_on)) = &*self.flushes.lock().unwrap() {
            flush.send(()).unwrap();
            go_on.recv().unwrap();
        }
        self.events.lock().unwrap().push(Event::Flush);
        Ok(())
    }
}

/// What was recorded of a run.
struct History {
    base: Vec<u8>,
    events: Vec<Event>,
    /// The model after each operation, with the events that had happened when
    /// it began.
    models: Vec<(usize, Model)>,
    /// Which models were durable once so many events had happened.
    durable: Vec<(usize, usize)>,
}

fn record(seed: u64, steps: usize) -> History {
    // Large enough that no operation has to wait for a commit.
    let disk = Memory::format(32 << 20, &["-N", "512"]);
    let base = disk.contents();
    let recorder = Arc::new(Recorder {
        disk,
        events: Mutex::default(),
        flushes: Mutex::new(None),
    });
    let mut pair: Pair = pair(recorder.clone(), seed);
    pair.appends = true;
    let mut history = History {
        base,
        events: Vec::new(),
        models: Vec::from([(0, pair.model.clone())]),
        durable: Vec::from([(0, 0)]),
    };
    for _ in 0..steps {
        history.step(&recorder, &mut pair);
        match pair.random.below(12) {
            0 => history.commit(&recorder, &mut pair),
            1 if pair.random.below(4) == 0 => pair.volume.checkpoint().unwrap(),
            _ => {}
        }
    }
    history.events = recorder.events.lock().unwrap().clone();
    history
}

impl History {
    fn step(&mut self, recorder: &Recorder, pair: &mut Pair) {
        let before = recorder.count();
        pair.step();
        self.models.push((before, pair.model.clone()));
    }

    /// A commit, with more operations while each of its parts is on its way.
    fn commit(&mut self, recorder: &Recorder, pair: &mut Pair) {
        let last = self.models.len() - 1;
        let (flush, flushes) = channel();
        let (go_on, resumed) = channel();
        *recorder.flushes.lock().unwrap() = Some((flush, resumed));
        let volume = pair.volume.clone();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                volume.commit().unwrap();
                *recorder.flushes.lock().unwrap() = None;
            });
            while flushes.recv().is_ok() {
                for _ in 0..pair.random.below(6) {
                    self.step(recorder, pair);
                }
                go_on.send(()).unwrap();
            }
        });
        self.durable.push((recorder.count(), last));
    }
}

impl History {
    /// The disk after a cut at event `cut`.
    fn image(&self, cut: usize, random: &mut Random) -> Vec<u8> {
        let mut image = self.base.clone();
        let is_flush = |event: &Event| matches!(event, Event::Flush);
        let flushed = self.events[..cut].iter().rposition(is_flush).unwrap_or(0);
        for event in &self.events[..flushed] {
            apply(&mut image, event, 0..BLOCK);
        }
        // The likely states are: nearly all, nearly nothing, and between.
        let odds = random.below(5);
        let mut late: Vec<&Event> = self.events[flushed..cut].iter().collect();
        while !late.is_empty() {
            let index = match random.below(2) {
                0 => 0,
                _ => random.below(late.len() as u64) as usize,
            };
            let event = late.remove(index);
            if random.below(4) >= odds {
                continue;
            }
            let part = match random.below(16) {
                0 => {
                    let sector = random.below(8) as usize * SECTOR;
                    if random.below(2) == 0 {
                        0..sector
                    } else {
                        sector..BLOCK
                    }
                }
                _ => 0..BLOCK,
            };
            apply(&mut image, event, part);
        }
        image
    }

    /// Mounts what is left after a cut, and finds the model that it is.
    fn check(&self, cut: usize, seed: u64) {
        let mut random = Random::new(seed);
        let disk = Memory::holding(self.image(cut, &mut random));
        let by_tools = random.below(40) == 0;
        if by_tools {
            Memory::holding(disk.contents()).check_recovered();
        }
        let volume = match Ext4::open(disk.clone(), false) {
            Ok(volume) => volume,
            Err(error) => panic!("cut {cut}, seed {seed}: it cannot be mounted: {error}"),
        };
        let durable = self.durable.iter().rev().find(|(count, _)| *count <= cut);
        let first = durable.map_or(0, |&(_, model)| model);
        let later = self.models.partition_point(|(begun, _)| *begun <= cut);
        let candidates = self.models[first..later].iter().rev();
        let mut difference = None;
        let found = candidates.into_iter().any(|(_, model)| {
            let result = compare(&volume, model);
            difference = difference.take().or(result.clone().err());
            result.is_ok()
        });
        assert!(
            found,
            "cut {cut}, seed {seed}: the state is that of no operation from {first} to {later}; \
             from the last it differs in: {difference:?}"
        );
        if by_tools {
            Volume::unmount(&volume).unwrap();
            disk.check();
        }
    }
}

fn apply(image: &mut [u8], event: &Event, part: core::ops::Range<usize>) {
    if let Event::Write(number, bytes) = event {
        let at = number * BLOCK;
        image[at + part.start..at + part.end].copy_from_slice(&bytes[part]);
    }
}

#[test]
fn a_cut_at_any_time_leaves_the_state_of_some_operation() {
    for seed in 0..6 {
        let history = record(seed, 150);
        let mut random = Random::new(seed + 100);
        for round in 0..150 {
            let cut = random.below(history.events.len() as u64 + 1) as usize;
            history.check(cut, seed * 1000 + round);
        }
    }
}
