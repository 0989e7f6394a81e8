//! Making connections: pairs, connect, listen and accept.

use super::endpoint::{Backlog, Link};
use super::message::Credentials;
use super::names::{self, Address};
use super::{Endpoint, Kind};
use crate::credentials;
use crate::files::context::Places;
use crate::files::wait::wait_unless;
use abi::Errno;
use abi::file::{POLLIN, POLLOUT};
use alloc::collections::VecDeque;
use alloc::sync::Arc;
use sync::SpinLock;

/// The most connections that may wait to be accepted (`somaxconn`).
const MOST_WAITING: usize = 4096;

impl Endpoint {
    /// Two that are connected. ENOMEM.
    pub fn pair(kind: Kind) -> Result<[Arc<Endpoint>; 2], Errno> {
        let (first, second) = (Endpoint::new(kind)?, Endpoint::new(kind)?);
        let credentials = Some(Credentials::connecting());
        for (end, peer) in [(&first, &second), (&second, &first)] {
            *end.link.lock() = Link {
                peer: Some(peer.clone()),
                peer_credentials: credentials,
                ..Link::default()
            };
        }
        Ok([first, second])
    }

    /// bind(2): EINVAL if it has a name; those of [`names::bind`].
    pub fn bind(
        self: &Arc<Self>,
        address: Address<'_>,
        places: &Places,
        by: &credentials::Credentials,
    ) -> Result<(), Errno> {
        if self.is_netlink {
            return Err(Errno::EOPNOTSUPP);
        }
        if self.name().is_some() {
            return match address {
                // It has one already, as it was asked for.
                Address::Unnamed => Ok(()),
                _ => Err(Errno::EINVAL),
            };
        }
        let bound = names::bind(self, address, places, by)?;
        let mut link = self.link.lock();
        if link.name.is_some() {
            drop(link);
            // A peer was faster.
            names::forget(&bound.key);
            return Err(Errno::EINVAL);
        }
        link.name = Some(bound.name.clone());
        link.bound = Some(bound);
        Ok(())
    }

    /// listen(2): EOPNOTSUPP for datagrams, EINVAL without a name.
    pub fn listen(&self, most: usize) -> Result<(), Errno> {
        if self.kind == Kind::Datagram {
            return Err(Errno::EOPNOTSUPP);
        }
        let credentials = Credentials::connecting();
        let mut link = self.link.lock();
        if link.name.is_none() || link.peer.is_some() {
            return Err(Errno::EINVAL);
        }
        let most = most.min(MOST_WAITING);
        match &mut link.backlog {
            Some(backlog) => backlog.most = most,
            None => {
                link.backlog = Some(Backlog {
                    waiting: VecDeque::new(),
                    most,
                });
            }
        }
        link.listener = credentials;
        drop(link);
        self.inbox.writers.wake_all();
        Ok(())
    }

    /// connect(2) to a name as seen by `by`: ECONNREFUSED, EPROTOTYPE, EISCONN, EINVAL; EAGAIN if
    /// it would have to wait and must not, EINTR.
    pub fn connect(
        self: &Arc<Self>,
        address: Address<'_>,
        places: &Places,
        by: &credentials::Credentials,
        deadline: Option<u64>,
        nonblocking: bool,
    ) -> Result<(), Errno> {
        if self.is_netlink {
            return Err(Errno::EOPNOTSUPP);
        }
        if self.kind == Kind::Datagram {
            return self.aim(names::look_up(self.kind, address, places, by)?);
        }
        loop {
            if self.is_listening() {
                return Err(Errno::EINVAL);
            }
            if self.peer().is_some() {
                return Err(Errno::EISCONN);
            }
            let listener = names::look_up(self.kind, address, places, by)?;
            if self.knock(&listener)? {
                return Ok(());
            }
            let has_room = || listener.has_place().then_some(());
            wait_unless(nonblocking, &listener.inbox.writers, deadline, has_room)?;
        }
    }

    /// Sends to `target` by default from now on: EPERM if that takes from another
    /// only.
    fn aim(self: &Arc<Self>, target: Arc<Endpoint>) -> Result<(), Errno> {
        if !target.takes_from(self) {
            return Err(Errno::EPERM);
        }
        let old = self.link.lock().peer.replace(target);
        drop(old);
        self.tell_all();
        Ok(())
    }

    /// Sends nowhere by default.
    pub fn disconnect(&self) {
        if self.kind == Kind::Datagram {
            let old = self.link.lock().peer.take();
            drop(old);
        }
    }

    /// A datagram's receiver that is connected takes what its peer sends only.
    pub(super) fn takes_from(&self, sender: &Arc<Endpoint>) -> bool {
        let peer = self.peer();
        peer.is_none_or(|peer| Arc::ptr_eq(&peer, sender))
    }

    /// Whether a connection may be added, or is refused at once.
    fn has_place(&self) -> bool {
        let link = self.link.lock();
        let backlog = link.backlog.as_ref();
        let is_over = self.is_closed() || self.may_not_read();
        is_over || backlog.is_none_or(|backlog| backlog.waiting.len() <= backlog.most)
    }

    /// Asks `listener` for a connection; false if too many do. ECONNREFUSED,
    /// EISCONN, ENOMEM.
    fn knock(self: &Arc<Self>, listener: &Arc<Endpoint>) -> Result<bool, Errno> {
        if Arc::ptr_eq(self, listener) {
            return Err(Errno::EINVAL);
        }
        let link = listener.link.lock();
        let (name, credentials) = (link.name.clone(), link.listener);
        drop(link);
        let far = Endpoint::new(self.kind)?;
        *far.link.lock() = Link {
            name,
            peer: Some(self.clone()),
            peer_credentials: Some(Credentials::connecting()),
            ..Link::default()
        };
        let (mut link, mut near) = SpinLock::lock_both(&listener.link, &self.link);
        if near.peer.is_some() || near.backlog.is_some() {
            return Err(Errno::EISCONN);
        }
        let backlog = link.backlog.as_mut().ok_or(Errno::ECONNREFUSED)?;
        if listener.may_not_read() {
            return Err(Errno::ECONNREFUSED);
        }
        if backlog.waiting.len() > backlog.most {
            return Ok(false);
        }
        let waiting = &mut backlog.waiting;
        waiting.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        waiting.push_back(far.clone());
        near.peer = Some(far);
        near.peer_credentials = Some(credentials);
        drop(near);
        drop(link);
        listener.inbox.readers.wake_one();
        listener.watchers.notify(POLLIN);
        self.watchers.notify(POLLOUT);
        Ok(true)
    }

    /// accept(2): EOPNOTSUPP for datagrams, EINVAL if it does not listen; EAGAIN,
    /// EINTR.
    pub fn accept(&self, deadline: Option<u64>, nonblocking: bool) -> Result<Arc<Endpoint>, Errno> {
        if self.kind == Kind::Datagram {
            return Err(Errno::EOPNOTSUPP);
        }
        let take = || {
            let mut link = self.link.lock();
            match &mut link.backlog {
                None => Some(Err(Errno::EINVAL)),
                Some(_) if self.may_not_read() => Some(Err(Errno::EINVAL)),
                Some(backlog) => backlog.waiting.pop_front().map(Ok),
            }
        };
        let accepted = wait_unless(nonblocking, &self.inbox.readers, deadline, take)??;
        self.inbox.writers.wake_all();
        Ok(accepted)
    }
}
