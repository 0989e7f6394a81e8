//! One end: what it is connected to, its name, and what was set for it.

use super::inbox::Inbox;
use super::message::Credentials;
use super::names::{self, Bound, Name};
use crate::files::allocate::try_arc;
use crate::files::clock;
use crate::files::watch::Watchers;
use abi::Errno;
use abi::file::{POLLERR, POLLHUP, POLLIN, POLLOUT, POLLRDHUP};
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicU16, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use sync::{Mutex, SpinLock, rank};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Stream,
    Datagram,
    /// Connected as a stream, and in whole messages.
    SeqPacket,
}

/// Which ways are to be shut (shutdown(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shut {
    pub reading: bool,
    pub writing: bool,
}

/// Nothing more comes; nothing more is sent; the socket is closed.
const READ_SHUT: u32 = 1;
const WRITE_SHUT: u32 = 2;
const CLOSED: u32 = 4;

/// How much may be under way at first, as on Linux.
const FIRST_LIMIT: usize = 212_992;

/// Connections that nobody has accepted yet.
pub(super) struct Backlog {
    pub waiting: VecDeque<Arc<Endpoint>>,
    pub most: usize,
}

#[derive(Default)]
pub(super) struct Link {
    pub bound: Option<Bound>,
    /// Its name: its own, or that of who has accepted it.
    pub name: Option<Name>,
    /// Where what it sends goes. Ends that are connected have each other until
    /// one is closed.
    pub peer: Option<Arc<Endpoint>>,
    pub peer_credentials: Option<Credentials>,
    /// Of a listening socket, and who made it listen.
    pub backlog: Option<Backlog>,
    pub listener: Credentials,
}

/// See the module.
pub struct Endpoint {
    pub kind: Kind,
    /// Hears of the kernel only.
    pub is_netlink: bool,
    number: u64,
    pub(super) made: u64,
    pub(super) link: SpinLock<Link, rank::SocketLink>,
    pub(super) inbox: Inbox,
    /// Held by who reads.
    pub(super) reading: Mutex<(), rank::SocketRead>,
    flags: AtomicU32,
    /// An error to be told once, by its number.
    error: AtomicU16,
    /// How many bytes may be under way from here, and to here as far as that is told.
    pub send_limit: AtomicUsize,
    pub receive_limit: AtomicUsize,
    /// How long a call waits, in nanoseconds; 0: as long as it takes.
    pub send_time: AtomicU64,
    pub receive_time: AtomicU64,
    /// Messages are read with their sender's credentials.
    pub passes_credentials: AtomicU32,
    pub(super) watchers: Watchers,
}

static NEXT_NUMBER: AtomicU64 = AtomicU64::new(1);

impl Endpoint {
    /// ENOMEM.
    pub fn new(kind: Kind) -> Result<Arc<Endpoint>, Errno> {
        Endpoint::make(kind, false)
    }

    pub(super) fn make(kind: Kind, is_netlink: bool) -> Result<Arc<Endpoint>, Errno> {
        try_arc(Endpoint {
            kind,
            is_netlink,
            number: NEXT_NUMBER.fetch_add(1, Ordering::Relaxed),
            made: clock::now(),
            link: SpinLock::new(Link::default()),
            inbox: Inbox::new(),
            reading: Mutex::new(()),
            flags: AtomicU32::new(0),
            error: AtomicU16::new(0),
            send_limit: AtomicUsize::new(FIRST_LIMIT),
            receive_limit: AtomicUsize::new(FIRST_LIMIT),
            send_time: AtomicU64::new(0),
            receive_time: AtomicU64::new(0),
            passes_credentials: AtomicU32::new(0),
            watchers: Watchers::new(),
        })
    }

    pub fn number(&self) -> u64 {
        self.number
    }

    fn has(&self, flag: u32) -> bool {
        self.flags.load(Ordering::Acquire) & flag != 0
    }

    pub fn is_closed(&self) -> bool {
        self.has(CLOSED)
    }

    pub fn may_not_read(&self) -> bool {
        self.has(READ_SHUT)
    }

    pub fn may_not_write(&self) -> bool {
        self.has(WRITE_SHUT)
    }

    pub fn is_listening(&self) -> bool {
        self.link.lock().backlog.is_some()
    }

    pub fn peer(&self) -> Option<Arc<Endpoint>> {
        self.link.lock().peer.clone()
    }

    pub fn name(&self) -> Option<Name> {
        self.link.lock().name.clone()
    }

    pub fn peer_credentials(&self) -> Option<Credentials> {
        self.link.lock().peer_credentials
    }

    /// The error that was not told yet.
    pub fn take_error(&self) -> Option<Errno> {
        match self.error.swap(0, Ordering::AcqRel) {
            0 => None,
            number => Some(Errno::from_number(number)),
        }
    }

    /// Tells everybody who waits for anything of this end.
    pub(super) fn tell_all(&self) {
        self.inbox.readers.wake_all();
        self.inbox.writers.wake_all();
        self.watchers
            .notify(POLLIN | POLLOUT | POLLHUP | POLLERR | POLLRDHUP);
    }

    /// shutdown(2). As on Linux, of one that is not connected as well.
    pub fn shut(&self, shut: Shut) {
        let peer = self.peer();
        let flags = |reading, writing| {
            let reading = if reading { READ_SHUT } else { 0 };
            reading | if writing { WRITE_SHUT } else { 0 }
        };
        self.flags
            .fetch_or(flags(shut.reading, shut.writing), Ordering::AcqRel);
        if let (Some(peer), true) = (&peer, self.kind != Kind::Datagram) {
            peer.flags
                .fetch_or(flags(shut.writing, shut.reading), Ordering::AcqRel);
        }
        self.tell_all();
        if let Some(peer) = peer {
            peer.tell_all();
        }
    }

    /// Its open file is gone, or it never had one.
    pub(super) fn close(&self) {
        self.flags
            .fetch_or(CLOSED | READ_SHUT | WRITE_SHUT, Ordering::AcqRel);
        let mut link = self.link.lock();
        let (bound, peer, backlog) = (link.bound.take(), link.peer.take(), link.backlog.take());
        drop(link);
        if let Some(bound) = bound {
            names::forget(&bound.key);
            // The inode is dropped here, with no lock held.
        }
        for waiting in backlog.into_iter().flat_map(|backlog| backlog.waiting) {
            if let Some(client) = waiting.peer() {
                client.fail();
            }
            waiting.close();
        }
        let unread = self.inbox.clear();
        if let (Some(peer), true) = (&peer, self.kind != Kind::Datagram) {
            if unread {
                peer.fail();
            }
            peer.flags
                .fetch_or(READ_SHUT | WRITE_SHUT, Ordering::AcqRel);
            peer.tell_all();
        }
        self.tell_all();
    }

    /// What this end has sent is lost, and it is told so.
    fn fail(&self) {
        let number = Errno::ECONNRESET.number();
        self.error.store(number, Ordering::Release);
    }

    /// Whether there is room for what this end sends.
    fn can_send(&self) -> bool {
        let link = self.link.lock();
        let Some(peer) = link.peer.clone() else {
            return true;
        };
        drop(link);
        let limit = self.send_limit.load(Ordering::Relaxed);
        // Others may fill a datagram's queue, too: nobody tells of room there.
        self.kind == Kind::Datagram || peer.inbox.used() <= limit / 2
    }

    /// Which of poll(2)'s conditions hold.
    pub fn ready(&self) -> i16 {
        let link = self.link.lock();
        if let Some(backlog) = &link.backlog {
            let any = !backlog.waiting.is_empty();
            return if any { POLLIN } else { 0 };
        }
        let is_connected = link.peer.is_some();
        drop(link);
        let mut ready = 0;
        let (reads, writes) = (self.may_not_read(), self.may_not_write());
        if !self.inbox.is_empty() || reads {
            ready |= POLLIN;
        }
        if reads {
            ready |= POLLRDHUP;
        }
        if reads && writes || self.kind != Kind::Datagram && !is_connected {
            ready |= POLLHUP;
        }
        if self.can_send() {
            ready |= POLLOUT;
        }
        if self.error.load(Ordering::Acquire) != 0 {
            ready |= POLLERR;
        }
        ready
    }
}
