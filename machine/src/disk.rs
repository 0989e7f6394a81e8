//! Disks of the machine: requests go in with [`Disk::start`], and come out,
//! in any order, of [`Disk::finished`] after the disk's interrupt.

use crate::arch;
use crate::memory::frames::Frame;

/// Bytes of a sector, the unit of all addresses.
pub const SECTOR: usize = 512;

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Read,
    Write,
    /// Makes durable all writes that finished before. No sectors, no memory.
    Flush,
}

/// A piece of memory that takes part in a request.
pub struct Segment<'a> {
    pub frame: &'a Frame,
    /// Where in the frame it begins, and its length: multiples of a sector.
    pub offset: usize,
    pub length: usize,
}

/// No more requests fit until some have finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// One disk. Its own spin lock is held while it looks at requests.
pub struct Disk(arch::disk::Disk);

impl Disk {
    /// Takes over the disks that the machine has. Once, at boot.
    pub fn find(found: &mut dyn FnMut(Disk)) {
        arch::disk::find(&mut |disk| found(Disk(disk)));
    }

    #[must_use]
    pub fn sectors(&self) -> u64 {
        self.0.sectors()
    }

    #[must_use]
    pub fn read_only(&self) -> bool {
        self.0.read_only()
    }

    /// Segments that one request can have.
    #[must_use]
    pub fn most_segments(&self) -> usize {
        self.0.most_segments()
    }

    /// The line of its interrupt, as `Hooks::device` is told.
    #[must_use]
    pub fn line(&self) -> usize {
        self.0.line()
    }

    /// Starts a request from `sector` on. The frames are the device's until
    /// the request comes back as `token`; the caller keeps them until then too,
    /// as no handler may free them. Busy.
    pub fn start(
        &self,
        operation: Operation,
        sector: u64,
        segments: &[Segment<'_>],
        token: u32,
    ) -> Result<(), Busy> {
        self.0.start(operation, sector, segments, token)
    }

    /// Calls `each` for the requests that have finished, with whether they
    /// succeeded, under the disk's lock; how many there were.
    pub fn finished(&self, each: &mut dyn FnMut(u32, bool)) -> usize {
        self.0.finished(each)
    }
}
