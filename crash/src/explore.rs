//! Checking many states, on all the host's CPUs.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use anyhow::{Context, Result, anyhow};
use kernel::files::ext4::BLOCK;
use workload::Promise;

use crate::disk::Disk;
use crate::model::Done;
use crate::recording::Event;
use crate::states::{self, Distinct, State};
use crate::{fsck, judge, tree};

/// What was recorded, and what was done.
pub struct Recording {
    pub base: Vec<u8>,
    pub events: Vec<Event>,
    pub done: Done,
}

/// A state that must not be.
#[derive(Debug)]
pub struct Failure {
    pub number: usize,
    pub state: State,
    pub why: String,
}

/// States that one worker takes at a time: neighbours, whose durable part it
/// needs to build once.
const PORTION: usize = 16;

impl Recording {
    /// Checks states; those that must not be.
    pub fn check_all(&self, wanted: &[Distinct], folder: &Path) -> Result<Vec<Failure>> {
        let next = AtomicUsize::new(0);
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let mut failures = thread::scope(|scope| {
            let work = |index| {
                let image = folder.join(format!("worker-{index}.img"));
                let next = &next;
                scope.spawn(move || self.check_portions(wanted, next, image))
            };
            let workers: Vec<_> = (0..workers).map(work).collect();
            let mut failures = Vec::new();
            for worker in workers {
                let found = worker.join().map_err(|_| anyhow!("a check has panicked"))?;
                failures.extend(found);
            }
            anyhow::Ok(failures)
        })?;
        failures.sort_by_key(|failure| failure.number);
        Ok(failures)
    }

    /// One worker: checks one portion after another.
    fn check_portions(
        &self,
        wanted: &[Distinct],
        next: &AtomicUsize,
        image: PathBuf,
    ) -> Vec<Failure> {
        let mut failures = Vec::new();
        let mut worker = Worker::new(self, image);
        loop {
            let start = next.fetch_add(PORTION, Ordering::Relaxed);
            let Some(rest) = wanted.get(start..) else {
                return failures;
            };
            for distinct in rest.iter().take(PORTION) {
                if let Err(error) = worker.check(distinct.state) {
                    failures.push(Failure {
                        number: distinct.number,
                        state: distinct.state,
                        why: format!("{error:#}"),
                    });
                }
            }
        }
    }

    /// What was promised before a cut.
    pub fn promises(&self, cut: usize) -> Vec<Promise> {
        let promise = |event: &Event| match event {
            Event::Promise(promise) => Some(*promise),
            _ => None,
        };
        self.events[..cut].iter().filter_map(promise).collect()
    }

    /// Writes the image of a state.
    pub fn save(&self, state: State, image: &Path) -> Result<()> {
        let mut worker = Worker::new(self, image.to_owned());
        worker
            .disk(state)
            .save(image)
            .context("cannot write the image")
    }
}

struct Worker<'r> {
    recording: &'r Recording,
    /// With the first `done` events.
    durable: Arc<Vec<u8>>,
    done: usize,
    image: PathBuf,
}

impl<'r> Worker<'r> {
    fn new(recording: &'r Recording, image: PathBuf) -> Worker<'r> {
        Worker {
            recording,
            durable: Arc::new(recording.base.clone()),
            done: 0,
            image,
        }
    }

    /// The disk in a state; states come in the order of their numbers.
    fn disk(&mut self, state: State) -> Disk {
        let events = &self.recording.events;
        let durable = Arc::make_mut(&mut self.durable);
        for (block, bytes) in states::writes(&events[self.done..state.flushed]) {
            let at = block as usize * BLOCK;
            durable[at..at + BLOCK].copy_from_slice(bytes);
        }
        self.done = state.flushed;
        let disk = Disk::new(self.durable.clone());
        state.apply(events, &mut |offset, bytes| disk.put(offset, bytes));
        disk
    }

    fn check(&mut self, state: State) -> Result<()> {
        let promises = self.recording.promises(state.cut);
        let image = self.image.clone();
        let disk = self.disk(state);
        check_disk(disk, &self.recording.done, &promises, &image)
    }
}

/// Checks one disk, with room for its image in a file.
pub fn check_disk(disk: Disk, done: &Done, promises: &[Promise], image: &Path) -> Result<()> {
    disk.save(image).context("cannot write an image")?;
    fsck::check_flag(image)?;
    fsck::replay(image)?;
    fsck::check(image).context("after e2fsck has replayed the journal")?;
    let disk = Arc::new(disk);
    let tree = tree::read(disk.clone())?;
    disk.save(image).context("cannot write an image")?;
    fsck::check(image).context("after Weft has mounted it and left it")?;
    judge::judge(done, promises, &tree)
}
