//! Open ends of pipes: how they are made, and what they do as open files.
//!
//! An end counts itself in its pipe for as long as it exists; the last one of
//! its side wakes those who wait on the other.

use alloc::sync::{Arc, Weak};
use core::sync::atomic::Ordering;

use abi::Errno;
use abi::file::{O_ACCMODE, O_NONBLOCK, O_RDONLY, O_RDWR, O_WRONLY};
use abi::tty::FIONREAD;
use sync::{SpinLock, rank};

use super::Pipe;
use crate::files::allocate::try_arc;
use crate::files::buffer::{Sink, Source};
use crate::files::inode::{Inode, Kind, Metadata, Statistics};
use crate::files::open_file::{Description, File, Operations};
use crate::files::watch::Watchers;
use crate::memory::user;

/// The device number of pipes, which no file system has.
const PIPE_DEVICE: u64 = 0xb;

/// One open end, or both of a FIFO opened for reading and writing.
pub struct PipeEnd {
    pipe: Arc<Pipe>,
    reads: bool,
    writes: bool,
}

impl PipeEnd {
    fn new(pipe: &Arc<Pipe>, reads: bool, writes: bool) -> PipeEnd {
        pipe.open_end(reads, writes);
        PipeEnd {
            pipe: pipe.clone(),
            reads,
            writes,
        }
    }
}

impl PipeEnd {
    pub fn pipe(&self) -> &Arc<Pipe> {
        &self.pipe
    }
}

impl Drop for PipeEnd {
    fn drop(&mut self) {
        self.pipe.close_end(self.reads, self.writes);
    }
}

impl Operations for PipeEnd {
    fn read(&self, open: &Description, into: &mut Sink<'_>) -> Result<usize, Errno> {
        self.pipe.read(open.nonblocking(), into)
    }

    fn write(&self, open: &Description, from: &mut Source<'_>) -> Result<usize, Errno> {
        self.pipe.write(open.nonblocking(), from)
    }

    fn ready(&self, _open: &Description) -> i16 {
        self.pipe.ready(self.reads, self.writes)
    }

    fn watchers(&self) -> Option<&Watchers> {
        Some(&self.pipe.watchers)
    }

    fn ioctl(&self, _open: &Description, request: usize, argument: usize) -> Result<usize, Errno> {
        match request {
            FIONREAD => {
                user::write_value(argument, &(self.pipe.used() as i32))?;
                Ok(0)
            }
            _ => Err(Errno::ENOTTY),
        }
    }
}

/// A new pipe's end to read from and end to write to. `flags` may have
/// O_NONBLOCK. ENOMEM.
pub fn open_pair(flags: u32) -> Result<[Arc<File>; 2], Errno> {
    let pipe = try_arc(Pipe::new())?;
    let reader = PipeEnd::new(&pipe, true, false);
    let writer = PipeEnd::new(&pipe, false, true);
    let flags = flags & O_NONBLOCK as u32;
    Ok([
        File::new(pipe.clone(), O_RDONLY as u32 | flags, reader)?,
        File::new(pipe, O_WRONLY as u32 | flags, writer)?,
    ])
}

/// The pipe behind a FIFO's name, while an end of it is open.
pub type FifoPipe = SpinLock<Weak<Pipe>, rank::Fifo>;

/// Opens the FIFO `inode`. Waits for a peer of the other side, unless it is
/// opened for both (fifo(7)): ENXIO for a writer that must not wait, EINTR.
pub fn open_fifo(inode: Arc<dyn Inode>, fifo: &FifoPipe, flags: u32) -> Result<Arc<File>, Errno> {
    let access = flags as usize & O_ACCMODE;
    let nonblocking = flags as usize & O_NONBLOCK != 0;
    let (reads, writes) = (access != O_WRONLY, access != O_RDONLY);
    let pipe = shared_pipe(fifo)?;
    if access == O_WRONLY && nonblocking && !pipe.has_readers() {
        return Err(Errno::ENXIO);
    }
    let (readers, writers) = (
        pipe.readers_ever.load(Ordering::Acquire),
        pipe.writers_ever.load(Ordering::Acquire),
    );
    let end = PipeEnd::new(&pipe, reads, writes);
    if access != O_RDWR && !nonblocking {
        // A peer that came and went meanwhile counts as well.
        let met = || match reads {
            true => pipe.has_writers() || pipe.writers_ever.load(Ordering::Acquire) != writers,
            false => pipe.has_readers() || pipe.readers_ever.load(Ordering::Acquire) != readers,
        };
        pipe.opening
            .wait_interruptible(|| met().then_some(()), None)
            .map_err(|_| Errno::EINTR)?;
    }
    File::new(inode, flags, end)
}

/// The pipe that is open now, or a new one.
fn shared_pipe(fifo: &FifoPipe) -> Result<Arc<Pipe>, Errno> {
    if let Some(pipe) = fifo.lock().upgrade() {
        return Ok(pipe);
    }
    let fresh = try_arc(Pipe::new())?;
    let mut current = fifo.lock();
    match current.upgrade() {
        Some(pipe) => Ok(pipe),
        None => {
            *current = Arc::downgrade(&fresh);
            Ok(fresh)
        }
    }
}

impl Inode for Pipe {
    fn kind(&self) -> Kind {
        Kind::Fifo
    }

    fn metadata(&self) -> Metadata {
        Metadata {
            owner: self.owner,
            ..Metadata::without_content(PIPE_DEVICE, self.number, Kind::Fifo, 0o600, self.made)
        }
    }

    /// It has no name of its own: by a link of `/proc`. Its ends are there already.
    fn open(self: Arc<Self>, flags: u32) -> Result<Arc<File>, Errno> {
        let access = flags as usize & O_ACCMODE;
        let end = PipeEnd::new(&self, access != O_WRONLY, access != O_RDONLY);
        File::new(self, flags, end)
    }

    fn statistics(&self) -> Result<Statistics, Errno> {
        /// `PIPEFS_MAGIC` (statfs(2)).
        const MAGIC: u32 = 0x5049_5045;
        Ok(Statistics::without_room(MAGIC, PIPE_DEVICE))
    }
}
