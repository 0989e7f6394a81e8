//! A volume that has no memory for some of its calls, or fails them otherwise.

use super::*;
use crate::files::inode::{Listed, Position, Sought};
use machine::frames::Frame;
use std::sync::Mutex;
use volume::{Changes, Maker, Place, Room, Volume};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Commit,
    Release,
    Update,
    Write,
}

/// See the module.
struct Short {
    volume: Ext4,
    fails: Mutex<Option<(Call, Errno)>>,
}

impl Short {
    fn mounted() -> (Arc<Short>, Arc<Node>, MutexGuard<'static, ()>) {
        static DEVICE: AtomicU64 = AtomicU64::new(5000);
        let alone = arena::exclusive();
        let disk = Memory::format(16 << 20, &["-J", "size=4"]);
        let volume = Arc::new(Short {
            volume: Ext4::open(disk, false).unwrap(),
            fails: Mutex::new(None),
        });
        let device = DEVICE.fetch_add(1, Ordering::Relaxed);
        let root = DiskFs::mount(volume.clone(), device, false).unwrap();
        (volume, root, alone)
    }

    fn fail(&self, call: Call, error: Errno) {
        *self.fails.lock().unwrap() = Some((call, error));
    }

    fn heal(&self) {
        *self.fails.lock().unwrap() = None;
    }

    fn check(&self, call: Call) -> Result<(), Errno> {
        match *self.fails.lock().unwrap() {
            Some((which, error)) if which == call => Err(error),
            _ => Ok(()),
        }
    }
}

impl Volume for Short {
    fn root(&self) -> Number {
        Volume::root(&self.volume)
    }

    fn room(&self) -> Room {
        self.volume.room()
    }

    fn largest_size(&self) -> u64 {
        self.volume.largest_size()
    }

    fn attributes(&self, inode: Number) -> Result<Attributes, Errno> {
        self.volume.attributes(inode)
    }

    fn update(&self, inode: Number, changes: Changes) -> Result<(), Errno> {
        self.check(Call::Update)?;
        self.volume.update(inode, changes)
    }

    fn look_up(&self, place: Place<'_>) -> Result<Number, Errno> {
        Volume::look_up(&self.volume, place)
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
        Volume::create(&self.volume, place, new, maker)
    }

    fn link(&self, place: Place<'_>, inode: Number) -> Result<(), Errno> {
        Volume::link(&self.volume, place, inode)
    }

    fn unlink(&self, place: Place<'_>) -> Result<(), Errno> {
        Volume::unlink(&self.volume, place)
    }

    fn remove_directory(&self, place: Place<'_>) -> Result<(), Errno> {
        self.volume.remove_directory(place)
    }

    fn rename(&self, from: Place<'_>, to: Place<'_>, replace: Replace) -> Result<(), Errno> {
        Volume::rename(&self.volume, from, to, replace)
    }

    fn release(&self, inode: Number) -> Result<(), Errno> {
        self.check(Call::Release)?;
        self.volume.release(inode)
    }

    fn read_link(&self, inode: Number) -> Result<Vec<u8>, Errno> {
        Volume::read_link(&self.volume, inode)
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
        self.check(Call::Write)?;
        self.volume.write(inode, first, frames, size, modified)
    }

    fn reserve(&self, pages: u64) -> Result<(), Errno> {
        self.volume.reserve(pages)
    }

    fn reserve_again(&self) {
        self.volume.reserve_again();
    }

    fn unreserve(&self, pages: u64) {
        self.volume.unreserve(pages);
    }

    fn set_size(&self, inode: Number, size: u64) -> Result<(), Errno> {
        self.volume.set_size(inode, size)
    }

    fn allocate(
        &self,
        inode: Number,
        offset: u64,
        length: u64,
        extends: bool,
    ) -> Result<(), Errno> {
        Volume::allocate(&self.volume, inode, offset, length, extends)
    }

    fn seek(&self, inode: Number, offset: u64, sought: Sought, size: u64) -> Result<u64, Errno> {
        Volume::seek(&self.volume, inode, offset, sought, size)
    }

    fn commit(&self) -> Result<(), Errno> {
        self.check(Call::Commit)?;
        Volume::commit(&self.volume)
    }

    fn shrink(&self, all: bool) -> usize {
        self.volume.shrink(all)
    }

    fn unmount(&self) -> Result<(), Errno> {
        self.volume.unmount()
    }
}

fn write_at(file: &Arc<dyn Inode>, at: u64) {
    let from = &mut Source::kernel(b"x");
    file.write_at(Position::At(at), from).unwrap();
}

#[test]
fn what_had_no_memory_is_tried_again() {
    let (volume, root, _alone) = Short::mounted();
    let fs = root.fs();
    let number = |file: &Arc<dyn Inode>| file.metadata().number as Number;
    let file = root.clone().create(b"file", New::Regular, 0o644).unwrap();
    volume.fail(Call::Commit, Errno::ENOMEM);
    assert_eq!(fs.commit(), Err(Errno::ENOMEM));
    assert!(fs.changed.load(Ordering::Acquire));
    volume.heal();
    assert_eq!(fs.commit(), Ok(()));
    assert!(!fs.changed.load(Ordering::Acquire));
    // The time of a change that makes no page dirty.
    file.set_size(4096).unwrap();
    file.sync(false, None).unwrap();
    file.set_size(0).unwrap();
    volume.fail(Call::Update, Errno::ENOMEM);
    assert_eq!(file.sync(false, None), Err(Errno::ENOMEM));
    volume.heal();
    fs.commit().unwrap();
    file.sync(false, None).unwrap();
    let times = |attributes: Attributes| attributes.modified;
    let modified = times(volume.attributes(number(&file)).unwrap());
    assert_eq!(modified, file.metadata().modified);
    // An inode without names.
    let free = volume.room().free_inodes;
    volume.fail(Call::Release, Errno::ENOMEM);
    root.unlink(b"file").unwrap();
    drop(file);
    fs.release_left();
    assert_eq!(volume.room().free_inodes, free);
    volume.heal();
    fs.release_left();
    assert_eq!(volume.room().free_inodes, free + 1);
    unmount(root).unwrap();
}

#[test]
fn shortage_of_memory_is_no_error_of_the_disk() {
    let (volume, root, _alone) = Short::mounted();
    let file = root.clone().create(b"file", New::Regular, 0o644).unwrap();
    let told = file.error_mark().unwrap();
    write_at(&file, 0);
    volume.fail(Call::Write, Errno::ENOMEM);
    for _ in 0..2 {
        assert_eq!(file.sync(false, Some(&told)), Err(Errno::ENOMEM));
        assert_eq!(root.sync_file_system(), Err(Errno::ENOMEM));
    }
    volume.heal();
    assert_eq!(root.sync_file_system(), Ok(()));
    assert_eq!(file.sync(false, Some(&told)), Ok(()));
    drop(file);
    unmount(root).unwrap();
}

#[test]
fn what_needs_pages_on_the_disk_tells_of_those_that_are_not() {
    let (volume, root, _alone) = Short::mounted();
    let file = root.clone().create(b"file", New::Regular, 0o644).unwrap();
    write_at(&file, 4);
    file.sync(false, None).unwrap();
    write_at(&file, 4);
    volume.fail(Call::Write, Errno::EIO);
    assert_eq!(file.seek(0, Sought::Data), Err(Errno::EIO));
    assert_eq!(file.set_size(10_000), Err(Errno::EIO));
    volume.heal();
    assert_eq!(file.set_size(10_000), Ok(()));
    assert_eq!(file.seek(0, Sought::Data), Ok(0));
    drop(file);
    unmount(root).unwrap();
}
