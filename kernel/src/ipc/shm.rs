//! Shared memory as System V has it (shmget(2)): a file without a name that is found
//! by an id, and lives until it is removed and nobody has it attached.
//!
//! Each mapping of a segment has an [`Attachment`], which counts: those that fork
//! makes are copies of it, and it goes with the mapping. A spin lock guards what a
//! segment says of itself.

use abi::Errno;
use abi::ipc::{IpcPerm, SHM_DEST, SHM_LOCKED, ShmidDs};
use abi::memory::PAGE_SIZE;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use sync::{SpinLock, rank};

use super::ids::Ids;
use super::permission::Permission;
use super::room::Room;
use super::setting::Setting;
use crate::credentials::Capability;
use crate::files::allocate::try_arc;
use crate::files::clock::seconds;
use crate::memory::FileRange;
use crate::sched;
use crate::thread::{Current, Tid};

/// `/proc/sys/kernel`: the bytes of a segment, the pages of all, and their number.
pub static SHMMAX: Setting = Setting::new(usize::MAX - (1 << 24), 0..=usize::MAX);
pub static SHMALL: Setting = Setting::new(usize::MAX - (1 << 24), 0..=usize::MAX);
pub static SHMMNI: Setting = Setting::new(4096, 0..=32_768);

static SEGMENTS: Ids<Segment> = Ids::new();
/// The pages of all segments.
static PAGES: AtomicUsize = AtomicUsize::new(0);

struct State {
    permission: Permission,
    count: usize,
    /// Who has attached or detached it last, and when that was, in seconds.
    last: Tid,
    attached: u64,
    detached: u64,
    changed: u64,
    /// It can be attached no more.
    gone: bool,
}

/// See the module.
pub struct Segment {
    size: usize,
    creator: Tid,
    memory: FileRange,
    state: SpinLock<State, rank::IpcObject>,
    room: Room,
}

/// The id of the segment with this key: shmget(2).
pub fn get(current: &Current, key: i32, size: usize, flags: usize) -> Result<i32, Errno> {
    let fits = |segment: &Segment| {
        if segment.size < size {
            return Err(Errno::EINVAL);
        }
        segment.state.lock().permission.check(current, flags as u32)
    };
    let make = || {
        if size == 0 || size > SHMMAX.get() {
            return Err(Errno::EINVAL);
        }
        let length = size
            .checked_next_multiple_of(PAGE_SIZE)
            .ok_or(Errno::ENOSPC)?;
        let room = Room::take(&PAGES, length / PAGE_SIZE, SHMALL.get())?;
        try_arc(Segment {
            size,
            creator: current.tgid(),
            memory: FileRange::zeroes(length)?,
            state: SpinLock::new(State {
                permission: Permission::new(current, flags),
                count: 0,
                last: 0,
                attached: 0,
                detached: 0,
                changed: seconds(),
                gone: false,
            }),
            room,
        })
    };
    SEGMENTS.find_or_make(key, flags, SHMMNI.get(), fits, make)
}

/// What has this id: EINVAL.
pub fn find(id: i32) -> Result<Found, Errno> {
    SEGMENTS.get(id).map(|segment| Found { id, segment })
}

/// What is at this place of the table: EINVAL.
pub fn at(place: i32) -> Result<Found, Errno> {
    SEGMENTS
        .at(place)
        .map(|(id, segment)| Found { id, segment })
}

/// What all segments take.
#[derive(Default)]
pub struct Used {
    pub segments: usize,
    pub pages: usize,
    /// Those of the pages that are in memory.
    pub resident: usize,
    /// The greatest place in the table.
    pub greatest_place: usize,
}

pub fn used() -> Result<Used, Errno> {
    let mut resident = 0;
    each(|found| {
        resident += found.segment.resident() / PAGE_SIZE;
        Ok(())
    })?;
    Ok(Used {
        segments: SEGMENTS.count(),
        pages: PAGES.load(Relaxed),
        resident,
        greatest_place: SEGMENTS.greatest_place(),
    })
}

/// Calls `act` with each of them.
pub fn each(mut act: impl FnMut(&Found) -> Result<(), Errno>) -> Result<(), Errno> {
    SEGMENTS.each(|id, segment| act(&Found { id, segment }))
}

impl Segment {
    /// The bytes of it that are in memory.
    pub fn resident(&self) -> usize {
        self.memory.inode.metadata().allocated as usize
    }
}

/// A segment and its id.
pub struct Found {
    pub id: i32,
    pub segment: Arc<Segment>,
}

impl Found {
    /// EACCES.
    pub fn check(&self, current: &Current, wanted: u32) -> Result<(), Errno> {
        self.segment.state.lock().permission.check(current, wanted)
    }

    /// Changes to whom it belongs and who may use it: EPERM, EINVAL.
    pub fn set(&self, current: &Current, new: &IpcPerm) -> Result<(), Errno> {
        let mut state = self.segment.state.lock();
        state.permission.check_owner(current)?;
        state.permission.set(new)?;
        state.changed = seconds();
        Ok(())
    }

    /// Whether it is said to be locked: EPERM. Its pages stay in memory in any case.
    pub fn set_locked(&self, current: &Current, locked: bool) -> Result<(), Errno> {
        let mut state = self.segment.state.lock();
        let permission = &mut state.permission;
        if !current.credentials().may(Capability::LockMemory) {
            permission.check_owner(current)?;
        }
        permission.mode &= !SHM_LOCKED;
        if locked {
            permission.mode |= SHM_LOCKED;
        }
        Ok(())
    }

    /// It goes, once nobody has it attached. EPERM; EIDRM if a peer was faster.
    pub fn remove(&self, current: &Current) -> Result<(), Errno> {
        let mut state = self.segment.state.lock();
        state.permission.check_owner(current)?;
        if state.gone {
            return Err(Errno::EIDRM);
        }
        state.permission.mode |= SHM_DEST;
        state.gone = state.count == 0;
        let gone = state.gone;
        drop(state);
        match gone {
            true => SEGMENTS.remove(self.id),
            false => SEGMENTS.forget_key(self.id),
        }
        Ok(())
    }

    pub fn describe(&self) -> ShmidDs {
        let key = SEGMENTS.key(self.id);
        let state = self.segment.state.lock();
        ShmidDs {
            perm: state.permission.to_abi(self.id, key),
            size: self.segment.size as u64,
            attached: state.attached as i64,
            detached: state.detached as i64,
            changed: state.changed as i64,
            creator: self.segment.creator,
            last: state.last,
            count: state.count as u64,
            ..ShmidDs::default()
        }
    }

    /// How many bytes a mapping of it has.
    pub fn length(&self) -> usize {
        self.segment.room.amount() * PAGE_SIZE
    }

    /// What to map of it: EIDRM if it is gone.
    pub fn attach(&self, may_write: bool) -> Result<FileRange, Errno> {
        let mut state = self.segment.state.lock();
        if state.gone {
            return Err(Errno::EIDRM);
        }
        state.count_one();
        drop(state);
        let attachment = Attachment {
            id: self.id,
            segment: self.segment.clone(),
        };
        Ok(FileRange {
            may_write,
            attachment: Some(attachment),
            ..self.segment.memory.clone()
        })
    }
}

impl State {
    fn count_one(&mut self) {
        self.count += 1;
        self.last = caller();
        self.attached = seconds();
    }
}

/// The running process.
fn caller() -> Tid {
    let thread = sched::current();
    thread.user_group().map_or(0, |group| group.id())
}

/// A mapping's share of a segment. See the module.
pub struct Attachment {
    id: i32,
    segment: Arc<Segment>,
}

impl Clone for Attachment {
    fn clone(&self) -> Attachment {
        self.segment.state.lock().count_one();
        Attachment {
            id: self.id,
            segment: self.segment.clone(),
        }
    }
}

impl Drop for Attachment {
    fn drop(&mut self) {
        let mut state = self.segment.state.lock();
        state.count -= 1;
        state.last = caller();
        state.detached = seconds();
        state.gone = state.count == 0 && state.permission.mode & SHM_DEST != 0;
        let gone = state.gone;
        drop(state);
        if gone {
            SEGMENTS.remove(self.id);
        }
    }
}
