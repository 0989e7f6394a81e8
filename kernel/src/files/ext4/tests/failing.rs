//! A disk whose calls fail when they are told to, or wait for something else.

use super::super::storage::{Block, Storage};
use super::image::Memory;
use abi::Errno;
use alloc::boxed::Box;
use machine::frames::Frame;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// What is asked of a disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Blocks of metadata, or of the journal.
    Read,
    Write,
    /// Pages of files.
    ReadPages,
    WritePages,
    Flush,
}

pub const ACCESSES: [Access; 5] = [
    Access::Read,
    Access::Write,
    Access::ReadPages,
    Access::WritePages,
    Access::Flush,
];

/// Which of the calls to come fails, counted from 0; `always` those after it too.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub access: Access,
    pub after: usize,
    pub always: bool,
}

type Act = Box<dyn FnOnce() + Send>;

/// See the module.
pub struct Failing {
    pub disk: Arc<Memory>,
    fault: Mutex<Option<Fault>>,
    /// What happens before the next call of a kind.
    act: Mutex<Option<(Access, Act)>>,
    has_failed: AtomicBool,
    counts: [AtomicUsize; ACCESSES.len()],
}

impl Failing {
    pub fn new(disk: Arc<Memory>) -> Arc<Failing> {
        Arc::new(Failing {
            disk,
            fault: Mutex::new(None),
            act: Mutex::new(None),
            has_failed: AtomicBool::new(false),
            counts: Default::default(),
        })
    }

    pub fn fail(&self, fault: Fault) {
        *self.fault.lock().unwrap() = Some(fault);
    }

    /// Every call of this kind.
    pub fn fail_all(&self, access: Access) {
        self.fail(Fault {
            access,
            after: 0,
            always: true,
        });
    }

    /// Does this before the next call of this kind.
    pub fn before(&self, access: Access, act: impl FnOnce() + Send + 'static) {
        *self.act.lock().unwrap() = Some((access, Box::new(act)));
    }

    /// All is well from here on; whether something has failed before.
    pub fn heal(&self) -> bool {
        *self.fault.lock().unwrap() = None;
        self.has_failed.swap(false, SeqCst)
    }

    /// Calls of a kind so far.
    pub fn count(&self, access: Access) -> usize {
        self.counts[access as usize].load(SeqCst)
    }

    fn call(&self, access: Access) -> Result<(), Errno> {
        self.counts[access as usize].fetch_add(1, SeqCst);
        let act = self
            .act
            .lock()
            .unwrap()
            .take_if(|(when, _)| *when == access);
        if let Some((_, act)) = act {
            act();
        }
        let mut fault = self.fault.lock().unwrap();
        let Some(Fault { after, always, .. }) = fault.as_mut().filter(|it| it.access == access)
        else {
            return Ok(());
        };
        if *after > 0 {
            *after -= 1;
            return Ok(());
        }
        if !*always {
            *fault = None;
        }
        self.has_failed.store(true, SeqCst);
        Err(Errno::EIO)
    }
}

impl Storage for Failing {
    fn blocks(&self) -> u64 {
        self.disk.blocks()
    }

    fn read(&self, number: u64, block: &mut Block) -> Result<(), Errno> {
        self.call(Access::Read)?;
        self.disk.read(number, block)
    }

    /// One that fails leaves half of it there.
    fn write(&self, blocks: &[(u64, &Block)]) -> Result<(), Errno> {
        let result = self.call(Access::Write);
        let done = match result {
            Ok(()) => blocks,
            Err(_) => &blocks[..blocks.len() / 2],
        };
        self.disk.write(done)?;
        result
    }

    fn read_pages(&self, first: u64, frames: &[Frame]) -> Result<(), Errno> {
        self.call(Access::ReadPages)?;
        self.disk.read_pages(first, frames)
    }

    fn write_pages(&self, first: u64, frames: &[Frame]) -> Result<(), Errno> {
        let result = self.call(Access::WritePages);
        let done = match result {
            Ok(()) => frames,
            Err(_) => &frames[..frames.len() / 2],
        };
        self.disk.write_pages(first, done)?;
        result
    }

    fn flush(&self) -> Result<(), Errno> {
        self.call(Access::Flush)?;
        self.disk.flush()
    }
}
