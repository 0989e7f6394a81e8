//! A queue as an inode and as an open file. Reading it tells of it, and not its
//! messages.

use abi::Errno;
use alloc::sync::Arc;
use core::sync::atomic::Ordering::Relaxed;
use sync::{Mutex, rank};

use super::{Notification, Queue};
use crate::files::inode::{Inode, Kind, Metadata, Owner, Statistics};
use crate::files::open_file::{Description, File, Operations, Whence};
use crate::files::text::Text;
use crate::files::{Sink, Source};
use crate::sched;

/// The device number of queues, which no file system has.
const DEVICE: u64 = 0xc;
/// The size of the text, as Linux says it.
const SIZE: u64 = 80;

pub struct OpenQueue {
    pub queue: Arc<Queue>,
    offset: Mutex<u64, rank::FileOffset>,
}

impl OpenQueue {
    /// `flags` may have an access mode and O_NONBLOCK. ENOMEM.
    pub fn open(queue: Arc<Queue>, flags: usize) -> Result<Arc<File>, Errno> {
        let operations = OpenQueue {
            queue: queue.clone(),
            offset: Mutex::new(0),
        };
        File::new(queue, flags as u32, operations)
    }
}

impl Operations for OpenQueue {
    fn read(&self, open: &Description, into: &mut Sink<'_>) -> Result<usize, Errno> {
        let mut offset = self.offset.lock();
        let count = self.read_at(open, *offset, into)?;
        *offset += count as u64;
        Ok(count)
    }

    fn read_at(&self, _: &Description, offset: u64, into: &mut Sink<'_>) -> Result<usize, Errno> {
        let text = self.queue.describe()?;
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        Ok(into.put(text.as_bytes().get(from..).unwrap_or_default()))
    }

    fn write(&self, _: &Description, _: &mut Source<'_>) -> Result<usize, Errno> {
        Err(Errno::EINVAL)
    }

    fn write_at(&self, _: &Description, _: u64, _: &mut Source<'_>) -> Result<usize, Errno> {
        Err(Errno::EINVAL)
    }

    fn seek(&self, _: &Description, by: i64, whence: Whence) -> Result<u64, Errno> {
        let mut offset = self.offset.lock();
        let base = match whence {
            Whence::Start => 0,
            Whence::Current => *offset,
            Whence::End => SIZE,
            Whence::Next(_) => return Err(Errno::EINVAL),
        };
        *offset = base.checked_add_signed(by).ok_or(Errno::EINVAL)?;
        Ok(*offset)
    }

    fn ready(&self, _: &Description) -> i16 {
        self.queue.ready()
    }

    fn watchers(&self) -> Option<&crate::files::watch::Watchers> {
        Some(&self.queue.watchers)
    }

    /// A process that closes any of its descriptors of the queue is not told any more.
    fn descriptor_closed(&self) {
        if let Some(group) = sched::current().user_group() {
            self.queue.forget(group);
        }
    }
}

impl Queue {
    fn describe(&self) -> Result<Text, Errno> {
        let state = self.state.lock();
        let bytes = state.messages.bytes();
        let notification = state.notification.as_ref();
        let told = notification.filter(|notification| !notification.is_stale());
        let (how, signal, pid) = told.map(Notification::describe).unwrap_or_default();
        drop(state);
        let mut text = Text::default();
        text.add(format_args!(
            "QSIZE:{bytes:<10} NOTIFY:{how:<5} SIGNO:{signal:<5} NOTIFY_PID:{pid:<6}\n"
        ))?;
        Ok(text)
    }

    pub fn owner(&self) -> Owner {
        Owner {
            user: self.user.load(Relaxed),
            group: self.group.load(Relaxed),
        }
    }

    pub fn permissions(&self) -> u32 {
        self.permissions.load(Relaxed)
    }
}

impl Inode for Queue {
    fn kind(&self) -> Kind {
        Kind::Regular
    }

    fn metadata(&self) -> Metadata {
        let permissions = self.permissions();
        Metadata {
            owner: self.owner(),
            size: SIZE,
            ..Metadata::without_content(DEVICE, self.number, Kind::Regular, permissions, self.made)
        }
    }

    fn open(self: Arc<Self>, flags: u32) -> Result<Arc<File>, Errno> {
        OpenQueue::open(self, flags as usize)
    }

    fn set_permissions(&self, permissions: u32) -> Result<(), Errno> {
        self.permissions.store(permissions, Relaxed);
        Ok(())
    }

    fn set_owner(&self, user: Option<u32>, group: Option<u32>) -> Result<(), Errno> {
        let set = |id: Option<u32>, place: &core::sync::atomic::AtomicU32| {
            id.into_iter().for_each(|id| place.store(id, Relaxed));
        };
        set(user, &self.user);
        set(group, &self.group);
        Ok(())
    }

    fn statistics(&self) -> Result<Statistics, Errno> {
        /// `MQUEUE_MAGIC` (statfs(2)).
        const MAGIC: u32 = 0x1980_0202;
        Ok(Statistics::without_room(MAGIC, DEVICE))
    }
}
