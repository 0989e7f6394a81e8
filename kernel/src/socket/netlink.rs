//! Sockets that hear of the kernel only (netlink(7)). What a C library needs of them is
//! to be told, in a thread of its own, of messages in a queue (mq_notify(3)).

use super::message::{Credentials, Message, cost_of};
use super::{Endpoint, Kind};
use crate::files::allocate::try_zeroed;
use crate::memory::user;
use abi::Errno;
use abi::file::POLLIN;
use alloc::sync::Arc;
use alloc::vec::Vec;

/// What a socket is told.
pub struct Note {
    bytes: Vec<u8>,
}

impl Note {
    /// `length` bytes that stand at an address: EFAULT, ENOMEM.
    pub fn read(at: usize, length: usize) -> Result<Note, Errno> {
        let mut bytes = try_zeroed(length)?.into_vec();
        user::read_bytes(at, &mut bytes)?;
        Ok(Note { bytes })
    }

    /// Sets the byte at `index`, which there is.
    pub fn set(&mut self, index: usize, byte: u8) {
        self.bytes[index] = byte;
    }
}

impl Endpoint {
    /// Of a socket that hears of the kernel only. ENOMEM.
    pub fn netlink() -> Result<Arc<Endpoint>, Errno> {
        Endpoint::make(Kind::Datagram, true)
    }

    /// It can read `note`, if it has room for it; else that is lost.
    pub fn tell(&self, note: Note) {
        let message = Message {
            cost: cost_of(note.bytes.len()),
            bytes: note.bytes,
            start: 0,
            credentials: Credentials::default(),
            files: None,
            from: None,
        };
        let limit = self
            .receive_limit
            .load(core::sync::atomic::Ordering::Relaxed);
        let refuses = || self.is_closed();
        if let Ok(None) = self.inbox.add(message, limit, refuses) {
            self.inbox.readers.wake_one();
            self.watchers.notify(POLLIN);
        }
    }
}
