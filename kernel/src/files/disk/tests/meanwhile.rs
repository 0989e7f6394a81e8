//! A volume in whose calls something else happens, or which fails them: for tests
//! of what comes between a question and the use of its answer, and of errors.

use super::super::volume::{Attributes, Changes, Number, Place, Room, Volume as VolumeCalls};
use super::*;
use crate::files::inode::Maker;
use crate::files::inode::{Listed, Sought};
use core::ops::Range;
use machine::frames::Frame;
use std::boxed::Box;
use std::sync::Mutex as HostMutex;

/// Where something can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Before the answer is used.
    Attributes,
    Reserve,
    /// Before it is carried out.
    Write,
    /// Once it is done.
    Allocate,
    SetSize,
    Update,
    Release,
    Commit,
}

/// A call that fails, once or until all is well again.
struct Fault {
    call: Call,
    error: Errno,
    once: bool,
}

type Act = Box<dyn FnOnce() + Send>;

/// See the module.
pub struct Meanwhile {
    pub volume: Ext4,
    acts: HostMutex<Vec<(Call, Act)>>,
    fault: HostMutex<Option<Fault>>,
}

impl Meanwhile {
    pub fn new(disk: Arc<Memory>) -> Arc<Meanwhile> {
        Arc::new(Meanwhile {
            volume: Ext4::open(disk, false).unwrap(),
            acts: HostMutex::default(),
            fault: HostMutex::new(None),
        })
    }

    /// Does this at the next such call, or at one after those that have their
    /// own.
    pub fn at(&self, call: Call, act: impl FnOnce() + Send + 'static) {
        self.acts.lock().unwrap().push((call, Box::new(act)));
    }

    /// Lets such calls fail until `heal`.
    pub fn fail(&self, call: Call, error: Errno) {
        let once = false;
        *self.fault.lock().unwrap() = Some(Fault { call, error, once });
    }

    /// Lets the next such call fail.
    pub fn fail_once(&self, call: Call, error: Errno) {
        let once = true;
        *self.fault.lock().unwrap() = Some(Fault { call, error, once });
    }

    pub fn heal(&self) {
        *self.fault.lock().unwrap() = None;
    }

    fn check(&self, call: Call) -> Result<(), Errno> {
        let mut fault = self.fault.lock().unwrap();
        let Some(Fault { error, once, .. }) = fault.as_ref().filter(|it| it.call == call) else {
            return Ok(());
        };
        let error = *error;
        if *once {
            *fault = None;
        }
        Err(error)
    }

    fn act(&self, call: Call) {
        let mut acts = self.acts.lock().unwrap();
        let at = acts.iter().position(|&(when, _)| when == call);
        let act = at.map(|at| acts.remove(at));
        drop(acts);
        if let Some((_, act)) = act {
            act();
        }
    }
}

/// A mounted volume in whose calls something can happen.
pub struct Racing {
    pub disk: Arc<Memory>,
    pub volume: Arc<Meanwhile>,
    pub root: Arc<Node>,
    pub _alone: MutexGuard<'static, ()>,
}

impl Racing {
    pub fn new() -> Racing {
        static DEVICE: AtomicU64 = AtomicU64::new(2000);
        let alone = arena::exclusive();
        let disk = Memory::format(16 << 20, &["-J", "size=4"]);
        let volume = Meanwhile::new(disk.clone());
        let device = DEVICE.fetch_add(1, Ordering::Relaxed);
        let root = DiskFs::mount(volume.clone(), device, false).unwrap();
        Racing {
            disk,
            volume,
            root,
            _alone: alone,
        }
    }
}

impl VolumeCalls for Meanwhile {
    fn root(&self) -> Number {
        VolumeCalls::root(&self.volume)
    }

    fn room(&self) -> Room {
        self.volume.room()
    }

    fn largest_size(&self) -> u64 {
        self.volume.largest_size()
    }

    fn attributes(&self, inode: Number) -> Result<Attributes, Errno> {
        let found = self.volume.attributes(inode);
        self.act(Call::Attributes);
        found
    }

    fn update(&self, inode: Number, changes: Changes) -> Result<(), Errno> {
        self.check(Call::Update)?;
        self.volume.update(inode, changes)
    }

    fn look_up(&self, place: Place<'_>) -> Result<Number, Errno> {
        VolumeCalls::look_up(&self.volume, place)
    }

    fn list(
        &self,
        directory: Number,
        from: u64,
        emit: &mut dyn FnMut(Listed<'_>) -> bool,
    ) -> Result<(), Errno> {
        self.volume.list(directory, from, emit)
    }

    fn create(
        &self,
        place: Place<'_>,
        new: New<'_>,
        maker: Maker,
    ) -> Result<(Number, Attributes), Errno> {
        self.volume.create(place, new, maker)
    }

    fn link(&self, place: Place<'_>, inode: Number) -> Result<(), Errno> {
        self.volume.link(place, inode)
    }

    fn unlink(&self, place: Place<'_>) -> Result<(), Errno> {
        self.volume.unlink(place)
    }

    fn remove_directory(&self, place: Place<'_>) -> Result<(), Errno> {
        self.volume.remove_directory(place)
    }

    fn rename(&self, from: Place<'_>, to: Place<'_>, replace: Replace) -> Result<(), Errno> {
        self.volume.rename(from, to, replace)
    }

    fn release(&self, inode: Number) -> Result<(), Errno> {
        self.act(Call::Release);
        self.check(Call::Release)?;
        self.volume.release(inode)
    }

    fn read_link(&self, inode: Number) -> Result<Vec<u8>, Errno> {
        self.volume.read_link(inode)
    }

    fn read(&self, inode: Number, first: u64, frames: &[Frame]) -> Result<(), Errno> {
        self.volume.read(inode, first, frames)
    }

    fn write(
        &self,
        inode: Number,
        first: u64,
        frames: &[Frame],
        size: u64,
        modified: u64,
    ) -> Result<(), Errno> {
        self.act(Call::Write);
        self.check(Call::Write)?;
        self.volume.write(inode, first, frames, size, modified)
    }

    fn reserve(&self, inode: Number, pages: Range<u64>) -> Result<bool, Errno> {
        let result = self.volume.reserve(inode, pages);
        self.act(Call::Reserve);
        result
    }

    fn reserve_again(&self) {
        self.volume.reserve_again();
    }

    fn unreserve(&self, pages: u64) {
        VolumeCalls::unreserve(&self.volume, pages);
    }

    fn set_size(&self, inode: Number, size: u64) -> Result<(), Errno> {
        self.check(Call::SetSize)?;
        self.volume.set_size(inode, size)
    }

    fn allocate(
        &self,
        inode: Number,
        offset: u64,
        length: u64,
        extends: bool,
    ) -> Result<(), Errno> {
        let result = self.volume.allocate(inode, offset, length, extends);
        self.act(Call::Allocate);
        result
    }

    fn seek(&self, inode: Number, offset: u64, sought: Sought, size: u64) -> Result<u64, Errno> {
        self.volume.seek(inode, offset, sought, size)
    }

    fn commit(&self) -> Result<(), Errno> {
        self.check(Call::Commit)?;
        VolumeCalls::commit(&self.volume)
    }

    fn shrink(&self, all: bool) -> usize {
        self.volume.shrink(all)
    }

    fn unmount(&self) -> Result<(), Errno> {
        self.volume.unmount()
    }
}
