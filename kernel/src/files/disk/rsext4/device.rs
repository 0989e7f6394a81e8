//! A disk as the crate wants it: reads and writes that return when done.
//!
//! Writes are only gathered. They go to the disk, neighbours together and all
//! at once, before a flush, before a read of what they cover, and when there
//! is no room for more. The disk promises nothing before a flush either, so
//! nobody can tell; but an error may show in a later call than the one that it
//! belongs to, at the latest in the flush that would have made it durable.

use alloc::sync::Arc;
use alloc::vec::Vec;

use abi::Errno;
use machine::disk::{Operation, SECTOR};
use machine::frames::Frame;
use rsext4::{
    BlockIo, DeviceCapabilities, DeviceGeometry, Ext4Error, Ext4Result, SectorId, WriteFlags,
};

use crate::device::disk::{Batch, Disk};
use crate::files::allocate::try_vec;

/// Pages of memory for what is on its way: 512 KiB.
const ROOM: usize = 128;
const PAGE: usize = abi::memory::PAGE_SIZE;
/// Sectors of a page.
const SECTORS: u64 = (PAGE / SECTOR) as u64;

pub(super) struct Device {
    disk: Arc<Disk>,
    frames: Vec<Frame>,
    /// What each of the first frames holds, in the order of coming.
    pending: Vec<Pending>,
}

/// A page's worth of sectors, or fewer, to be written from `frames[index]`.
#[derive(Clone, Copy)]
struct Pending {
    sector: u64,
    sectors: u64,
    index: usize,
}

impl Pending {
    fn end(&self) -> u64 {
        self.sector + self.sectors
    }

    fn length(&self) -> usize {
        self.sectors as usize * SECTOR
    }
}

impl Device {
    /// ENOMEM.
    pub(super) fn new(disk: Arc<Disk>) -> Result<Device, Errno> {
        let mut frames = try_vec(ROOM)?;
        for _ in 0..ROOM {
            frames.push(Frame::alloc().ok_or(Errno::ENOMEM)?);
        }
        Ok(Device {
            disk,
            frames,
            pending: try_vec(ROOM)?,
        })
    }

    /// Writes what was gathered.
    fn write_out(&mut self) -> Ext4Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        self.pending.sort_unstable_by_key(|pending| pending.sector);
        let batch = self.disk.batch();
        let mut result = Ok(());
        for run in self
            .pending
            .chunk_by(|a, b| a.end() == b.sector && a.sectors == SECTORS && a.index + 1 == b.index)
        {
            result = result.and(add(&batch, Operation::Write, &self.frames, run));
        }
        result = result.and(batch.wait());
        drop(batch);
        // Also if it failed: who asks again would get the same answer.
        self.pending.clear();
        result.map_err(|_| Ext4Error::io())
    }

    fn covers(&self, from: u64, to: u64) -> bool {
        let touches = |pending: &Pending| pending.sector < to && from < pending.end();
        self.pending.iter().any(touches)
    }
}

/// Adds one transfer for a run of neighbours in neighbouring frames.
fn add(
    batch: &Batch<'_>,
    operation: Operation,
    frames: &[Frame],
    run: &[Pending],
) -> Result<(), Errno> {
    let Some(first) = run.first() else {
        return Ok(());
    };
    let length = run.iter().map(Pending::length).sum();
    let frames = &frames[first.index..first.index + run.len()];
    batch.add(operation, first.sector, frames, 0, length)
}

impl BlockIo for Device {
    fn write(&mut self, buffer: &[u8], sector: SectorId, _count: u32) -> Ext4Result<()> {
        let mut sector = sector.raw();
        for bytes in buffer.chunks(PAGE) {
            let sectors = (bytes.len() / SECTOR) as u64;
            let same = |pending: &&Pending| pending.sector == sector && pending.sectors == sectors;
            let index = match self.pending.iter().find(same) {
                Some(pending) => pending.index,
                None => {
                    if self.pending.len() == ROOM || self.covers(sector, sector + sectors) {
                        self.write_out()?;
                    }
                    let index = self.pending.len();
                    self.pending.push(Pending {
                        sector,
                        sectors,
                        index,
                    });
                    index
                }
            };
            self.frames[index].write(0, bytes);
            sector += sectors;
        }
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8], sector: SectorId, _count: u32) -> Ext4Result<()> {
        let sector = sector.raw();
        let sectors = (buffer.len() / SECTOR) as u64;
        let same = |pending: &&Pending| pending.sector == sector && pending.sectors == sectors;
        if let Some(pending) = self.pending.iter().find(same) {
            self.frames[pending.index].read(0, buffer);
            return Ok(());
        }
        if self.covers(sector, sector + sectors) {
            self.write_out()?;
        }
        // Through the frames that are not in use; at least one is.
        if self.pending.len() == ROOM {
            self.write_out()?;
        }
        let frames = &self.frames[self.pending.len()..];
        let mut sector = sector;
        for bytes in buffer.chunks_mut(frames.len() * PAGE) {
            self.disk
                .transfer(Operation::Read, sector, frames, bytes.len())
                .map_err(|_| Ext4Error::io())?;
            for (frame, bytes) in frames.iter().zip(bytes.chunks_mut(PAGE)) {
                frame.read(0, bytes);
            }
            sector += (bytes.len() / SECTOR) as u64;
        }
        Ok(())
    }

    fn write_with_flags(
        &mut self,
        buffer: &[u8],
        sector: SectorId,
        count: u32,
        flags: WriteFlags,
    ) -> Ext4Result<()> {
        match flags.contains(WriteFlags::FUA) {
            true => Err(Ext4Error::unsupported()),
            false => self.write(buffer, sector, count),
        }
    }

    fn geometry(&self) -> DeviceGeometry {
        DeviceGeometry::new(SECTOR as u32, self.disk.sectors())
    }

    fn capabilities(&self) -> DeviceCapabilities {
        DeviceCapabilities {
            read_only: self.disk.read_only(),
            flush: true,
            ..DeviceCapabilities::default()
        }
    }

    fn flush(&mut self) -> Ext4Result<()> {
        self.write_out()?;
        self.disk.flush().map_err(|_| Ext4Error::io())
    }
}
