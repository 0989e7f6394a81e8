//! Mounts that end, or do not.

use super::meanwhile::{Call, Racing};
use super::*;
use crate::files::inode::Maker;
use crate::files::inode::Position;
use crate::files::{self, mounts, ramfs};
use std::sync::mpsc::channel;
use std::thread;

#[test]
fn a_mount_in_use_is_never_gone() {
    let racing = Racing::new();
    let root: Arc<dyn Inode> = racing.root.clone();
    let outer: Arc<dyn Inode> = ramfs::RamFs::make_root().unwrap();
    mounts::add(None, outer.clone(), b"", "ramfs", false).unwrap();
    let covered = outer
        .create(b"mnt", New::Directory, Maker::root(0o755))
        .unwrap();
    mounts::add(Some(covered.clone()), root.clone(), b"disk", "ext4", false).unwrap();
    let file = root
        .clone()
        .create(b"file", New::Regular, Maker::root(0o644))
        .unwrap();
    let bytes = &mut Source::kernel(b"dirty");
    file.write_at(Position::At(0), bytes).unwrap();
    let (told, hears) = channel();
    let place = covered.clone();
    racing.volume.at(Call::Write, move || {
        // A walk that comes by while dirty pages are written.
        let is_covered = !Arc::ptr_eq(&mounts::enter(place.clone()), &place);
        told.send(is_covered).unwrap();
    });
    assert_eq!(files::unmount(root.clone()), Err(Errno::EBUSY));
    assert_eq!(hears.recv(), Ok(true));
    drop(file);
    // With nobody in it, it goes, though two are in each other's way.
    let Racing {
        root: node,
        disk,
        _alone,
        ..
    } = racing;
    drop(node);
    let peer = root.clone();
    let results = thread::scope(|scope| {
        let one = scope.spawn(|| files::unmount(peer));
        [files::unmount(root), one.join().unwrap()]
    });
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(Arc::ptr_eq(&mounts::enter(covered.clone()), &covered));
    disk.check();
}
