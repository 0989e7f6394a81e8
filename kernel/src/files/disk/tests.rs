//! Files on a volume in memory that may fail, used as programs use them.

mod errors;
mod kept;
mod meanwhile;
mod mounts;
mod names;
mod path;
mod races;
mod short;
mod space;

use super::*;
use crate::files::buffer::{Sink, Source};
use crate::files::ext4::tests::failing::{Access, Failing};
use crate::files::ext4::tests::image::Memory;
use crate::files::inode::Maker;
use crate::files::inode::{Kind, New, Replace};
use crate::files::open_file::{File, Whence};
use abi::file::{O_DSYNC, O_RDONLY, O_RDWR, O_SYNC, O_WRONLY};
use machine::frames::arena;
use std::sync::MutexGuard;
use std::sync::atomic::AtomicU64;
use std::{format, vec};

/// A mounted volume. Pages are counted for all volumes together, so only one
/// test has one at a time.
struct Mounted {
    disk: Arc<Failing>,
    /// As the list of mounts would hold it.
    root: Arc<Node>,
    alone: MutexGuard<'static, ()>,
}

impl Mounted {
    fn new(options: &[&str]) -> Mounted {
        let alone = arena::exclusive();
        let disk = Memory::format(16 << 20, &[&["-J", "size=4"], options].concat());
        Mounted::of(disk, alone)
    }

    fn of(disk: Arc<Memory>, alone: MutexGuard<'static, ()>) -> Mounted {
        static DEVICE: AtomicU64 = AtomicU64::new(1000);
        let disk = Failing::new(disk);
        let volume = Arc::new(Ext4::open(disk.clone(), false).unwrap());
        let device = DEVICE.fetch_add(1, Ordering::Relaxed);
        let root = DiskFs::mount(volume, device, false).unwrap();
        Mounted { disk, root, alone }
    }

    /// The folder of a path, and the name there.
    fn place<'p>(&self, path: &'p str) -> (Arc<dyn Inode>, &'p [u8]) {
        match path.split_once('/') {
            Some((folder, name)) => {
                let folder = self.root.lookup(folder.as_bytes()).unwrap();
                (folder, name.as_bytes())
            }
            None => (self.root.clone(), path.as_bytes()),
        }
    }

    fn make(&self, path: &str) -> Result<Arc<dyn Inode>, Errno> {
        let (folder, name) = self.place(path);
        folder.create(name, New::Regular, Maker::root(0o644))
    }

    fn open(&self, path: &str, flags: usize) -> Arc<File> {
        let (folder, name) = self.place(path);
        let inode = folder.lookup(name).unwrap();
        inode.open(flags as u32).unwrap()
    }

    /// A new file with this in it.
    fn file(&self, name: &str, bytes: &[u8]) -> Result<(), Errno> {
        self.make(name)?;
        write(&self.open(name, O_WRONLY), bytes).map(drop)
    }

    fn content(&self, path: &str) -> Result<Vec<u8>, Errno> {
        let (folder, name) = self.place(path);
        let inode = folder.lookup(name)?;
        let mut bytes = vec![0; inode.metadata().size as usize + 1];
        let count = inode.read_at(0, &mut Sink::kernel(&mut bytes))?;
        bytes.truncate(count);
        Ok(bytes)
    }

    fn unmount(&self) -> Result<(), Errno> {
        unmount(self.root.clone())
    }

    /// Ends this as a crash would: what is on the disk by now.
    fn crash(self) -> (Arc<Memory>, MutexGuard<'static, ()>) {
        let Mounted { disk, root, alone } = self;
        caretaker::dismiss(root.fs());
        (Memory::holding(disk.disk.contents()), alone)
    }

    /// Unmounts, lets e2fsck look at it, and mounts it again.
    fn again(self) -> Mounted {
        self.unmount().unwrap();
        self.disk.disk.check();
        let (disk, alone) = self.crash();
        Mounted::of(disk, alone)
    }
}

fn write(file: &File, bytes: &[u8]) -> Result<usize, Errno> {
    file.write(&mut Source::kernel(bytes))
}

/// What a mount of the disk as it is finds of a file.
fn size_and_byte(disk: Arc<Memory>, name: &str, at: u64) -> (u64, u8) {
    let volume = Ext4::open(disk, false).unwrap();
    let place = volume::Place {
        directory: Volume::root(&volume),
        name: name.as_bytes(),
    };
    let number = volume.look_up(place).unwrap();
    let frame = machine::frames::Frame::alloc().unwrap();
    let page = core::slice::from_ref(&frame);
    Volume::read(&volume, number, at / 4096, page).unwrap();
    let mut byte = [0];
    frame.read(at as usize % 4096, &mut byte);
    (volume.attributes(number).unwrap().size, byte[0])
}

#[test]
fn a_full_disk_loses_nothing() {
    let mut mounted = Mounted::new(&[]);
    mounted.file("kept", &[1; 10_000]).unwrap();
    mounted.make("large").unwrap();
    let free = mounted.root.fs().statistics().free_blocks;
    let file = mounted.open("large", O_RDWR);
    let mut expected = Vec::new();
    let error = loop {
        let byte = (expected.len() / 7000) as u8;
        match write(&file, &[byte; 7000]) {
            Ok(count) => expected.resize(expected.len() + count, byte),
            Err(error) => break error,
        }
    };
    assert_eq!(error, Errno::ENOSPC);
    assert!(expected.len() as u64 > free * 4096 / 2);
    // All that was taken finds its place.
    assert_eq!(file.sync(false), Ok(()));
    drop(file);
    mounted = mounted.again();
    assert!(mounted.content("large").unwrap() == expected);
    assert!(mounted.content("kept").unwrap() == [1; 10_000]);
    mounted.root.unlink(b"large").unwrap();
    mounted.root.sync_file_system().unwrap();
    assert_eq!(mounted.root.fs().statistics().free_blocks, free);
    mounted.file("after", &[2; 100_000]).unwrap();
    assert!(mounted.again().content("after").unwrap() == [2; 100_000]);
}

#[test]
fn a_disk_without_inodes_loses_nothing() {
    let mounted = Mounted::new(&["-N", "32"]);
    mounted.file("kept", b"kept").unwrap();
    let free = mounted.root.fs().statistics().free_inodes;
    for number in 0..free {
        mounted.file(&format!("f{number}"), b"x").unwrap();
    }
    assert_eq!(mounted.make("more").err(), Some(Errno::ENOSPC));
    let folder = mounted.root.clone();
    let made = folder.create(b"folder", New::Directory, Maker::root(0o755));
    assert_eq!(made.err(), Some(Errno::ENOSPC));
    let mounted = mounted.again();
    assert_eq!(mounted.content("kept").unwrap(), b"kept");
    assert_eq!(mounted.content("more"), Err(Errno::ENOENT));
    for number in 0..free {
        mounted
            .root
            .unlink(format!("f{number}").as_bytes())
            .unwrap();
    }
    assert_eq!(mounted.root.fs().statistics().free_inodes, free);
    mounted.file("more", b"more").unwrap();
    assert_eq!(mounted.again().content("more").unwrap(), b"more");
}

#[test]
fn a_file_without_a_name_lives_until_it_is_closed_or_the_disk_crashes() {
    let mounted = Mounted::new(&[]);
    let free = |mounted: &Mounted| {
        mounted.root.sync_file_system().unwrap();
        let room = mounted.root.fs().statistics();
        (room.free_blocks, room.free_inodes)
    };
    let before = free(&mounted);
    mounted.file("file", &[7; 50_000]).unwrap();
    let file = mounted.open("file", O_RDWR);
    mounted.root.unlink(b"file").unwrap();
    assert_eq!(mounted.content("file"), Err(Errno::ENOENT));
    file.seek(0, Whence::End).unwrap();
    write(&file, b"more").unwrap();
    file.sync(false).unwrap();
    let mut bytes = vec![0; 60_000];
    let read = file.read_at(0, &mut Sink::kernel(&mut bytes));
    assert_eq!(read, Ok(50_004));
    assert_eq!(&bytes[49_999..50_004], b"\x07more");
    assert!(free(&mounted) < before);
    // A crash now: the next mount frees it.
    let crashed = Memory::holding(mounted.disk.disk.contents());
    crashed.check_recovered();
    drop(file);
    mounted.root.fs().release_left();
    assert_eq!(free(&mounted), before);
    mounted.unmount().unwrap();
    let (_, alone) = mounted.crash();
    let mounted = Mounted::of(crashed, alone);
    assert_eq!(free(&mounted), before);
    mounted.again().unmount().unwrap();
}

#[test]
fn names_links_and_holes_stay() {
    let mounted = Mounted::new(&[]);
    let longest = "n".repeat(255);
    mounted.file(&longest, b"long").unwrap();
    mounted.file("old", b"old").unwrap();
    mounted.file("new", b"new").unwrap();
    let root = mounted.root.clone();
    let target = root.lookup(b"new").unwrap();
    root.link(b"second", target).unwrap();
    let short = New::SymbolicLink(b"new");
    root.clone()
        .create(b"short", short, Maker::root(0o777))
        .unwrap();
    let far = [b'x'; 3000];
    let long = New::SymbolicLink(&far);
    root.clone()
        .create(b"far", long, Maker::root(0o777))
        .unwrap();
    root.clone()
        .rename(b"new", root.clone(), b"old", Replace::Yes)
        .unwrap();
    mounted.make("holes").unwrap();
    let holes = mounted.open("holes", O_WRONLY);
    for at in [1 << 20, 1 << 34] {
        holes.write_at(at, &mut Source::kernel(b"x")).unwrap();
    }
    drop((holes, root));
    let mounted = mounted.again();
    let root = &mounted.root;
    assert_eq!(mounted.content(&longest).unwrap(), b"long");
    assert_eq!(mounted.content("old").unwrap(), b"new");
    assert_eq!(mounted.content("new"), Err(Errno::ENOENT));
    let second = root.lookup(b"second").unwrap().metadata();
    assert_eq!((second.links, second.size), (2, 3));
    assert_eq!(
        second.number,
        root.lookup(b"old").unwrap().metadata().number
    );
    assert_eq!(root.lookup(b"short").unwrap().read_link().unwrap(), b"new");
    assert_eq!(root.lookup(b"far").unwrap().read_link().unwrap(), far);
    let holes = root.lookup(b"holes").unwrap();
    assert_eq!(holes.kind(), Kind::Regular);
    assert_eq!(holes.metadata().size, (1 << 34) + 1);
    assert_eq!(holes.metadata().allocated, 2 * 4096);
    let mut bytes = [9; 3];
    let read = holes.read_at((1 << 34) - 2, &mut Sink::kernel(&mut bytes));
    assert_eq!((read, bytes), (Ok(3), [0, 0, b'x']));
    drop(holes);
    mounted.unmount().unwrap();
}

#[test]
fn nothing_moves_into_a_directory_that_was_removed() {
    let mounted = Mounted::new(&[]);
    let root = mounted.root.clone();
    let gone = root
        .clone()
        .create(b"d", New::Directory, Maker::root(0o755))
        .unwrap();
    mounted.make("f").unwrap();
    root.remove_directory(b"d").unwrap();
    let moved = root.clone().rename(b"f", gone, b"x", Replace::Yes);
    assert_eq!(moved, Err(Errno::ENOENT));
    assert!(root.lookup(b"f").is_ok());
}
