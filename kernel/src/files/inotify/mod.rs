//! Watching files and directories for what happens to them (inotify(7)).
//!
//! An [`Inotify`] is an open file that gives [`events`]. The table of all watches,
//! [`watches`], knows them by the inode they are on. Who does something to a file
//! or a name calls [`notify`] afterwards, which is one relaxed load while nothing is
//! watched.
//!
//! Locks: a spin lock guards the table; within it, one each guards the events of an
//! inotify and where its watches are. No inode is dropped with one of them held.

mod events;
pub mod notify;
mod watches;

pub use notify::{Named, Place};
pub use watches::{add, remove, unmounted};

use abi::Errno;
use abi::file::{O_RDONLY, POLLIN};
use abi::tty::FIONREAD;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use hashbrown::HashMap;
use sync::{SpinLock, WaitQueue, rank};
use zerocopy::IntoBytes;

use self::events::Events;
use super::allocate::try_arc;
use super::anonymous;
use super::buffer::{Sink, Source};
use super::open_file::{Description, File, Operations};
use super::wait::wait_unless;
use super::watch::Watchers;
use crate::ipc::setting::Setting;
use crate::memory::user;

/// `/proc/sys/fs/inotify`.
pub static MAX_QUEUED_EVENTS: Setting = Setting::new(16_384, 0..=i32::MAX as usize);
pub static MAX_USER_INSTANCES: Setting = Setting::new(128, 0..=i32::MAX as usize);
pub static MAX_USER_WATCHES: Setting = Setting::new(65_536, 0..=i32::MAX as usize);

struct State {
    events: Events,
    /// On which inode each watch is, as [`watches`] knows it.
    places: HashMap<i32, usize>,
    /// The last watch that was made.
    last: i32,
}

/// What watches tell, and a read gives.
pub struct Core {
    state: SpinLock<State, rank::InotifyEvents>,
    readers: WaitQueue<(), rank::ThreadQueue>,
    watchers: Watchers,
}

impl Core {
    fn tell(&self, watch: i32, mask: u32, cookie: u32, name: &[u8]) {
        let added = self.state.lock().events.add(watch, mask, cookie, name);
        if added {
            self.readers.wake_one();
            self.watchers.notify(POLLIN);
        }
    }
}

static INSTANCES: AtomicUsize = AtomicUsize::new(0);

/// An open inotify. See the module.
pub struct Inotify {
    core: Arc<Core>,
}

/// One that watches nothing. `flags` may have O_NONBLOCK. EMFILE if there are too
/// many, ENOMEM.
pub fn open(flags: usize) -> Result<Arc<File>, Errno> {
    let state = State {
        events: Events::new(MAX_QUEUED_EVENTS.get())?,
        places: HashMap::new(),
        last: 0,
    };
    let core = try_arc(Core {
        state: SpinLock::new(state),
        readers: WaitQueue::new(),
        watchers: Watchers::new(),
    })?;
    // Counted from here on until it is dropped.
    let before = INSTANCES.fetch_add(1, Relaxed);
    let inotify = Inotify { core };
    if before >= MAX_USER_INSTANCES.get() {
        return Err(Errno::EMFILE);
    }
    anonymous::open(O_RDONLY | flags, inotify)
}

impl Drop for Inotify {
    fn drop(&mut self) {
        INSTANCES.fetch_sub(1, Relaxed);
        watches::remove_all(&self.core);
    }
}

impl Operations for Inotify {
    fn read(&self, open: &Description, into: &mut Sink<'_>) -> Result<usize, Errno> {
        let take = |room| self.core.state.lock().events.take(room);
        let room = into.remaining();
        let first = || take(room);
        let mut event = wait_unless(open.nonblocking(), &self.core.readers, None, first)??;
        let mut done = 0;
        loop {
            done += into.put(event.header().as_bytes());
            done += into.put(&event.name);
            done += into.put_zeros(event.name_room() - event.name.len());
            event = match take(into.remaining()) {
                Some(Ok(event)) => event,
                _ => break,
            };
        }
        // The wake-up that brought this reader may have been for two.
        if !self.core.state.lock().events.is_empty() {
            self.core.readers.wake_one();
        }
        Ok(done)
    }

    fn write(&self, _open: &Description, _from: &mut Source<'_>) -> Result<usize, Errno> {
        Err(Errno::EBADF)
    }

    fn ready(&self, _open: &Description) -> i16 {
        match self.core.state.lock().events.is_empty() {
            true => 0,
            false => POLLIN,
        }
    }

    fn watchers(&self) -> Option<&Watchers> {
        Some(&self.core.watchers)
    }

    fn ioctl(&self, _open: &Description, request: usize, argument: usize) -> Result<usize, Errno> {
        match request {
            FIONREAD => {
                let bytes = self.core.state.lock().events.bytes();
                user::write_value(argument, &(bytes as i32))?;
                Ok(0)
            }
            _ => Err(Errno::ENOTTY),
        }
    }
}
