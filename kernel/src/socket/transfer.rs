//! Sending and receiving.

use super::message::{Ancillary, Credentials, Message, discard};
use super::{Endpoint, Kind, Name};
use crate::files::allocate::try_zeroed;
use crate::files::wait::wait_unless;
use crate::files::{File, Sink, Source};
use crate::thread;
use abi::Errno;
use abi::file::{POLLIN, POLLOUT};
use abi::signal::SIGPIPE;
use abi::socket::*;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;

/// The most of a stream that is one message.
const PART: usize = 32 * 1024;

/// What is sent besides the bytes, and how.
#[derive(Default)]
pub struct Outgoing {
    /// To whom; to the peer if none is named.
    pub to: Option<Arc<Endpoint>>,
    pub files: Vec<Arc<File>>,
    pub flags: usize,
    pub nonblocking: bool,
}

/// What was received besides the bytes.
#[derive(Default)]
pub struct Received {
    /// The bytes, or with MSG_TRUNC those that the message had.
    pub count: usize,
    /// MSG_TRUNC if it had more than there was room for.
    pub flags: usize,
    pub files: Vec<Arc<File>>,
    pub credentials: Option<Credentials>,
    pub from: Option<Name>,
}

/// When a call that may take `time` ends.
pub fn deadline(time: u64) -> Option<u64> {
    (time != 0).then(|| machine::time::now().saturating_add(time))
}

impl Endpoint {
    /// Sends; how many bytes were sent. EPIPE, with SIGPIPE unless MSG_NOSIGNAL
    /// says no; ENOTCONN, ECONNREFUSED, EMSGSIZE; EAGAIN, EINTR.
    pub fn send(self: &Arc<Self>, from: &mut Source<'_>, what: Outgoing) -> Result<usize, Errno> {
        let silent = what.flags & MSG_NOSIGNAL != 0;
        if what.flags & MSG_OOB != 0 || self.is_netlink {
            return Err(Errno::EOPNOTSUPP);
        }
        let sent = self.send_parts(from, what);
        // Only a stream's writer is signaled, as on Linux.
        if sent == Err(Errno::EPIPE) && !silent && self.kind == Kind::Stream {
            thread::send_to_self(SIGPIPE);
        }
        sent
    }

    fn send_parts(
        self: &Arc<Self>,
        from: &mut Source<'_>,
        mut what: Outgoing,
    ) -> Result<usize, Errno> {
        let total = from.remaining();
        let limit = self.send_limit.load(Ordering::Relaxed);
        let is_stream = self.kind == Kind::Stream;
        if is_stream && what.to.is_some() {
            let is_connected = self.peer().is_some();
            return Err(if is_connected {
                Errno::EISCONN
            } else {
                Errno::EOPNOTSUPP
            });
        }
        if !is_stream && total > limit {
            return Err(Errno::EMSGSIZE);
        }
        let nonblocking = what.nonblocking || what.flags & MSG_DONTWAIT != 0;
        let until = deadline(self.send_time.load(Ordering::Relaxed));
        let mut files = Ancillary::new(core::mem::take(&mut what.files))?;
        let mut done = 0;
        loop {
            let length = match is_stream {
                true => (total - done).min(PART).min(limit.max(1)),
                false => total,
            };
            if is_stream && length == 0 && (done > 0 || total == 0) {
                self.target(None)?;
                break;
            }
            let part = self.send_part(
                from,
                length,
                what.to.as_ref(),
                &mut files,
                (nonblocking, until),
            );
            match part {
                Ok(sent) => done += sent,
                Err(_) if done > 0 => break,
                Err(error) => {
                    files.into_iter().for_each(discard);
                    return Err(error);
                }
            }
            if !is_stream || done == total || from.faulted() {
                break;
            }
        }
        files.into_iter().for_each(discard);
        Ok(done)
    }

    /// To whom it may send now.
    fn target(self: &Arc<Self>, to: Option<&Arc<Endpoint>>) -> Result<Arc<Endpoint>, Errno> {
        if self.may_not_write() {
            return Err(Errno::EPIPE);
        }
        if let Some(error) = self.take_error() {
            return Err(error);
        }
        let peer = match to {
            Some(to) if self.kind == Kind::Datagram => to.clone(),
            _ => self.peer().ok_or(Errno::ENOTCONN)?,
        };
        if self.kind != Kind::Datagram {
            // It may have been shut before it was connected.
            return match peer.may_not_read() {
                true => Err(Errno::EPIPE),
                false => Ok(peer),
            };
        }
        if peer.is_closed() {
            let own = self.peer().is_some_and(|own| Arc::ptr_eq(&own, &peer));
            if to.is_none() && own {
                self.disconnect();
            }
            return Err(Errno::ECONNREFUSED);
        }
        if peer.may_not_read() {
            return Err(Errno::EPIPE);
        }
        match peer.takes_from(self) {
            true => Ok(peer),
            false => Err(Errno::EPERM),
        }
    }

    /// Sends one message of up to `length` bytes, with the files if they have not
    /// gone yet.
    fn send_part(
        self: &Arc<Self>,
        from: &mut Source<'_>,
        length: usize,
        to: Option<&Arc<Endpoint>>,
        files: &mut Option<alloc::boxed::Box<Ancillary>>,
        (nonblocking, until): (bool, Option<u64>),
    ) -> Result<usize, Errno> {
        self.wait_for_room(length, to, nonblocking, until)?;
        let mut bytes = try_zeroed(length)?.into_vec();
        let taken = from.take(&mut bytes);
        if taken < length && (taken == 0 || self.kind != Kind::Stream) {
            return Err(Errno::EFAULT);
        }
        bytes.truncate(taken);
        let mut message = Message {
            cost: super::message::cost_of(bytes.len()),
            bytes,
            start: 0,
            credentials: Credentials::sent(),
            files: files.take(),
            from: self.name(),
        };
        let limit = self.send_limit.load(Ordering::Relaxed);
        let failed = loop {
            let peer = match self.wait_for_room(taken, to, nonblocking, until) {
                Ok(peer) => peer,
                Err(error) => break error,
            };
            let refuses = || peer.is_closed() || peer.may_not_read();
            match peer.inbox.add(message, limit, refuses) {
                Ok(None) => {
                    peer.inbox.readers.wake_one();
                    peer.watchers.notify(POLLIN);
                    return Ok(taken);
                }
                Ok(Some(back)) => message = back,
                Err((error, back)) => {
                    message = back;
                    break error;
                }
            }
        };
        *files = message.files.take();
        Err(failed)
    }

    /// Waits until a message of `length` bytes has room where it goes, which may
    /// change meanwhile.
    fn wait_for_room(
        self: &Arc<Self>,
        length: usize,
        to: Option<&Arc<Endpoint>>,
        nonblocking: bool,
        until: Option<u64>,
    ) -> Result<Arc<Endpoint>, Errno> {
        let limit = self.send_limit.load(Ordering::Relaxed);
        loop {
            let peer = self.target(to)?;
            if peer.inbox.has_room(length, limit) {
                return Ok(peer);
            }
            let over = || {
                let ended = peer.is_closed() || peer.may_not_read() || self.may_not_write();
                (ended || peer.inbox.has_room(length, limit)).then_some(())
            };
            wait_unless(nonblocking, &peer.inbox.writers, until, over)?;
        }
    }

    /// Receives what there is, at least a message or a byte; nothing at the end.
    /// ENOTCONN, EINVAL, ECONNRESET; EAGAIN, EINTR.
    pub fn receive(
        &self,
        into: &mut Sink<'_>,
        flags: usize,
        nonblocking: bool,
    ) -> Result<Received, Errno> {
        if flags & MSG_OOB != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        let is_stream = self.kind == Kind::Stream;
        match (self.kind, self.peer().is_some()) {
            (Kind::Stream, false) => return Err(Errno::EINVAL),
            (Kind::SeqPacket, false) => return Err(Errno::ENOTCONN),
            _ => {}
        }
        let mut received = Received::default();
        if is_stream && into.remaining() == 0 && self.inbox.is_empty() {
            return Ok(received);
        }
        let nonblocking = nonblocking || flags & MSG_DONTWAIT != 0;
        let until = deadline(self.receive_time.load(Ordering::Relaxed));
        let all = is_stream && flags & MSG_WAITALL != 0 && flags & MSG_PEEK == 0;
        loop {
            let reading = self.reading.lock();
            let over = match self.inbox.is_empty() {
                true => Ok(false),
                false if is_stream => {
                    let taken = self.take_bytes(into, flags, &mut received);
                    taken.map(|boundary| !all || boundary || into.remaining() == 0)
                }
                false => self.take_message(into, flags, &mut received).map(|()| true),
            };
            drop(reading);
            if !matches!(over, Ok(false)) {
                if !self.inbox.is_empty() {
                    // The wake-up that brought this reader may have been for two.
                    self.inbox.readers.wake_one();
                }
                return over.map(|_| received);
            }
            // What has come is given before an error is told.
            let some = received.count > 0;
            let error = if some { None } else { self.take_error() };
            if let Some(error) = error {
                return Err(error);
            }
            if self.may_not_read() && self.inbox.is_empty() {
                return Ok(received);
            }
            let come = || (!self.inbox.is_empty() || self.may_not_read()).then_some(());
            match wait_unless(nonblocking, &self.inbox.readers, until, come) {
                Ok(()) => {}
                Err(_) if some => return Ok(received),
                Err(error) => return Err(error),
            }
        }
    }

    /// Notes who has sent a message and what goes along with it.
    fn note(&self, flags: usize, received: &mut Received) -> Result<bool, Errno> {
        let noted = self.inbox.with_first(|message| {
            if received.credentials.is_none() {
                received.credentials = Some(message.credentials);
                received.from.clone_from(&message.from);
            }
            match (&message.files, flags & MSG_PEEK != 0) {
                (None, _) => Ok((None, false)),
                (Some(files), true) => {
                    received.files = files.copy_files()?;
                    Ok((None, true))
                }
                (Some(_), false) => Ok((message.files.take(), true)),
            }
        });
        let (files, had_files) = noted.unwrap_or(Ok((None, false)))?;
        if let Some(mut files) = files {
            received.files = files.take_files();
        }
        Ok(had_files)
    }

    /// Takes bytes of a stream, up to the end of a message with which files go
    /// along, or the beginning of another sender's; true if it ended there. Called
    /// by who reads.
    fn take_bytes(
        &self,
        into: &mut Sink<'_>,
        flags: usize,
        received: &mut Received,
    ) -> Result<bool, Errno> {
        if flags & MSG_PEEK != 0 {
            return self.peek_bytes(into, flags, received);
        }
        loop {
            let passes = self.passes_credentials.load(Ordering::Relaxed) != 0;
            let begun = received.count > 0;
            let taken = self.inbox.with_first(|message| {
                let other = received.credentials != Some(message.credentials);
                let stops = begun && passes && other;
                (!stops).then(|| (core::mem::take(&mut message.bytes), message.start))
            });
            let (bytes, start) = match taken {
                None => return Ok(false),
                Some(None) => return Ok(true),
                Some(Some(taken)) => taken,
            };
            let put = into.put(&bytes[start..]);
            received.count += put;
            let had_files = put > 0 && self.note(flags, received)?;
            if start + put == bytes.len() {
                drop(self.inbox.pop());
                self.tell_of_room();
            } else {
                self.inbox.with_first(|message| {
                    message.bytes = bytes;
                    message.start = start + put;
                });
            }
            if received.count == 0 && into.faulted() {
                return Err(Errno::EFAULT);
            }
            if had_files || into.remaining() == 0 {
                return Ok(had_files);
            }
        }
    }

    /// As [`Endpoint::take_bytes`], and leaves all there.
    fn peek_bytes(
        &self,
        into: &mut Sink<'_>,
        flags: usize,
        received: &mut Received,
    ) -> Result<bool, Errno> {
        let mut had_files = false;
        for index in 0.. {
            let Some(bytes) = self.inbox.peek(index, into.remaining())? else {
                break;
            };
            received.count += into.put(&bytes);
            if received.count == 0 && into.faulted() {
                return Err(Errno::EFAULT);
            }
            if index == 0 {
                had_files = self.note(flags, received)?;
            }
            if had_files || into.remaining() == 0 {
                break;
            }
        }
        Ok(had_files)
    }

    /// Takes a whole message. Called by who reads.
    fn take_message(
        &self,
        into: &mut Sink<'_>,
        flags: usize,
        received: &mut Received,
    ) -> Result<(), Errno> {
        let bytes = self.inbox.peek(0, usize::MAX)?.unwrap_or_default();
        let put = into.put(&bytes);
        if put < bytes.len() && into.faulted() {
            return Err(Errno::EFAULT);
        }
        self.note(flags, received)?;
        if put < bytes.len() {
            received.flags |= MSG_TRUNC;
        }
        received.count = match flags & MSG_TRUNC {
            0 => put,
            _ => bytes.len(),
        };
        if flags & MSG_PEEK == 0 {
            drop(self.inbox.pop());
            self.tell_of_room();
        }
        Ok(())
    }

    /// Something was read: who waits for room is told, once there is enough.
    fn tell_of_room(&self) {
        let peer = self.peer();
        let limit = peer
            .as_ref()
            .map_or(usize::MAX, |peer| peer.send_limit.load(Ordering::Relaxed));
        if self.kind == Kind::Datagram || self.inbox.used() <= limit / 2 {
            self.inbox.writers.wake_all();
            if let Some(peer) = peer {
                peer.watchers.notify(POLLOUT);
            }
        }
    }
}
