//! A state of the disk, mounted or checked without a copy of the whole: what is
//! durable is shared, and what differs lies over it.

use std::collections::HashMap;
use std::fs::File;
use std::io::Result;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use abi::Errno;
use kernel::files::ext4::{BLOCK, Block, Storage};
use machine::frames::Frame;

type Over = HashMap<u64, Box<[u8; BLOCK]>>;

/// See the module.
pub struct Disk {
    under: Arc<Vec<u8>>,
    over: Mutex<Over>,
}

impl Disk {
    pub fn new(under: Arc<Vec<u8>>) -> Disk {
        Disk {
            under,
            over: Mutex::default(),
        }
    }

    fn over(&self) -> MutexGuard<'_, Over> {
        self.over
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn read_block(&self, over: &Over, number: u64, into: &mut [u8]) {
        match over.get(&number) {
            Some(block) => into.copy_from_slice(&block[..]),
            None => {
                let at = number as usize * BLOCK;
                into.copy_from_slice(&self.under[at..at + BLOCK]);
            }
        }
    }

    fn change<R>(&self, number: u64, act: impl FnOnce(&mut [u8; BLOCK]) -> R) -> R {
        let mut over = self.over();
        let mut block = match over.remove(&number) {
            Some(block) => block,
            None => {
                let mut block = Box::new([0; BLOCK]);
                self.read_block(&over, number, &mut block[..]);
                block
            }
        };
        let result = act(&mut block);
        over.insert(number, block);
        result
    }

    /// Writes bytes that lie in one block.
    pub fn put(&self, offset: u64, bytes: &[u8]) {
        let within = offset as usize % BLOCK;
        self.change(offset / BLOCK as u64, |block| {
            block[within..within + bytes.len()].copy_from_slice(bytes);
        });
    }

    /// Writes an image file, with holes for what is zero.
    pub fn save(&self, path: &Path) -> Result<()> {
        let file = File::create(path)?;
        file.set_len(self.under.len() as u64)?;
        let over = self.over();
        let mut block = [0; BLOCK];
        for number in 0..self.blocks() {
            self.read_block(&over, number, &mut block);
            if block.iter().any(|byte| *byte != 0) {
                file.write_all_at(&block, number * BLOCK as u64)?;
            }
        }
        Ok(())
    }
}

impl Storage for Disk {
    fn blocks(&self) -> u64 {
        (self.under.len() / BLOCK) as u64
    }

    fn read(&self, number: u64, block: &mut Block) -> Answer<()> {
        self.read_block(&self.over(), number, &mut block[..]);
        Ok(())
    }

    fn write(&self, blocks: &[(u64, &Block)]) -> Answer<()> {
        for (number, block) in blocks {
            self.change(*number, |content| content.copy_from_slice(&block[..]));
        }
        Ok(())
    }

    fn read_pages(&self, first: u64, frames: &[Frame]) -> Answer<()> {
        let over = self.over();
        let mut bytes = [0; BLOCK];
        for (frame, number) in frames.iter().zip(first..) {
            self.read_block(&over, number, &mut bytes);
            frame.write(0, &bytes);
        }
        Ok(())
    }

    fn write_pages(&self, first: u64, frames: &[Frame]) -> Answer<()> {
        for (frame, number) in frames.iter().zip(first..) {
            self.change(number, |content| frame.read(0, &mut content[..]));
        }
        Ok(())
    }

    fn flush(&self) -> Answer<()> {
        Ok(())
    }
}

/// The kernel's results.
type Answer<T> = core::result::Result<T, Errno>;
