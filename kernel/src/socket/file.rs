//! Sockets as open files.

use super::Endpoint;
use super::transfer::Outgoing;
use crate::files::inode::{Inode, Kind, Metadata, Statistics};
use crate::files::open_file::{Description, File, Operations};
use crate::files::watch::Watchers;
use crate::files::{Sink, Source};
use crate::memory::user;
use abi::Errno;
use abi::file::O_RDWR;
use abi::socket::SIOCOUTQ;
use abi::tty::FIONREAD;
use alloc::sync::Arc;

/// The device number of sockets, which no file system has.
const DEVICE: u64 = 0x9;

/// An open socket.
pub struct Socket {
    pub endpoint: Arc<Endpoint>,
}

impl Socket {
    /// An open file on `endpoint`; `flags` may have O_NONBLOCK. ENOMEM.
    pub fn open(endpoint: Arc<Endpoint>, flags: usize) -> Result<Arc<File>, Errno> {
        let inode = endpoint.clone();
        File::new(inode, (O_RDWR | flags) as u32, Socket { endpoint })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.endpoint.close();
    }
}

impl Operations for Socket {
    fn read(&self, open: &Description, into: &mut Sink<'_>) -> Result<usize, Errno> {
        let received = self.endpoint.receive(into, 0, open.nonblocking())?;
        Ok(received.count)
    }

    fn write(&self, open: &Description, from: &mut Source<'_>) -> Result<usize, Errno> {
        let what = Outgoing {
            nonblocking: open.nonblocking(),
            ..Outgoing::default()
        };
        self.endpoint.send(from, what)
    }

    fn ready(&self, _open: &Description) -> i16 {
        self.endpoint.ready()
    }

    fn watchers(&self) -> Option<&Watchers> {
        Some(&self.endpoint.watchers)
    }

    fn ioctl(&self, _open: &Description, request: usize, argument: usize) -> Result<usize, Errno> {
        let endpoint = &self.endpoint;
        let count = match request {
            FIONREAD if endpoint.is_listening() => return Err(Errno::EINVAL),
            FIONREAD => endpoint
                .inbox
                .readable(endpoint.kind != super::Kind::Datagram),
            SIOCOUTQ => endpoint.peer().map_or(0, |peer| peer.inbox.used()),
            _ => return Err(Errno::ENOTTY),
        };
        user::write_value(argument, &(count as i32))?;
        Ok(0)
    }
}

impl Inode for Endpoint {
    fn kind(&self) -> Kind {
        Kind::Socket
    }

    fn metadata(&self) -> Metadata {
        Metadata::without_content(DEVICE, self.number(), Kind::Socket, 0o777, self.made)
    }

    fn open(self: Arc<Self>, _flags: u32) -> Result<Arc<File>, Errno> {
        // It has no name to open it by.
        Err(Errno::ENXIO)
    }

    fn statistics(&self) -> Result<Statistics, Errno> {
        /// `SOCKFS_MAGIC` (statfs(2)).
        const MAGIC: u32 = 0x534f_434b;
        Ok(Statistics::without_room(MAGIC, DEVICE))
    }
}
