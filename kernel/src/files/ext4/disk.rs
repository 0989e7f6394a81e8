//! [`Storage`] on one of the machine's disks.

use alloc::sync::Arc;
use alloc::vec::Vec;

use abi::Errno;
use machine::disk::{Operation, SECTOR};
use machine::frames::Frame;
use sync::{Mutex, rank};

use super::storage::{BLOCK, Block, Storage};
use crate::device::disk::Disk;
use crate::files::allocate::try_vec;

const SECTORS: u64 = (BLOCK / SECTOR) as u64;
/// Blocks that are written at a time.
const ROOM: usize = 64;

/// A disk, and frames that blocks pass through on their way. One lock for each
/// direction: reads do not wait for a commit.
pub struct DiskStorage {
    disk: Arc<Disk>,
    read: Mutex<Frame, rank::VolumeFrames>,
    write: Mutex<Vec<Frame>, rank::VolumeFrames>,
}

impl DiskStorage {
    /// ENOMEM.
    pub fn new(disk: Arc<Disk>) -> Result<DiskStorage, Errno> {
        let frame = || Frame::alloc().ok_or(Errno::ENOMEM);
        let mut write = try_vec(ROOM)?;
        for _ in 0..ROOM {
            write.push(frame()?);
        }
        Ok(DiskStorage {
            disk,
            read: Mutex::new(frame()?),
            write: Mutex::new(write),
        })
    }
}

impl Storage for DiskStorage {
    fn blocks(&self) -> u64 {
        self.disk.sectors() / SECTORS
    }

    fn is_read_only(&self) -> bool {
        self.disk.read_only()
    }

    fn read(&self, number: u64, block: &mut Block) -> Result<(), Errno> {
        let frame = self.read.lock();
        let frames = core::slice::from_ref(&*frame);
        self.disk
            .transfer(Operation::Read, number * SECTORS, frames, BLOCK)?;
        frame.read(0, &mut block[..]);
        Ok(())
    }

    fn write(&self, blocks: &[(u64, &Block)]) -> Result<(), Errno> {
        let frames = self.write.lock();
        for part in blocks.chunks(ROOM) {
            for (frame, (_, block)) in frames.iter().zip(part) {
                frame.write(0, &block[..]);
            }
            let batch = self.disk.batch();
            let mut at = 0;
            // Neighbours go together.
            for run in part.chunk_by(|a, b| a.0 + 1 == b.0) {
                let frames = &frames[at..at + run.len()];
                let sector = run[0].0 * SECTORS;
                batch.add(Operation::Write, sector, frames, 0, run.len() * BLOCK)?;
                at += run.len();
            }
            batch.wait()?;
        }
        Ok(())
    }

    fn read_pages(&self, first: u64, frames: &[Frame]) -> Result<(), Errno> {
        let length = frames.len() * BLOCK;
        self.disk
            .transfer(Operation::Read, first * SECTORS, frames, length)
    }

    fn write_pages(&self, first: u64, frames: &[Frame]) -> Result<(), Errno> {
        let length = frames.len() * BLOCK;
        self.disk
            .transfer(Operation::Write, first * SECTORS, frames, length)
    }

    fn flush(&self) -> Result<(), Errno> {
        self.disk.flush()
    }
}
