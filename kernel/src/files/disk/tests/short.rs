//! A volume that has no memory for some of its calls, or fails them otherwise.

use super::meanwhile::{Call, Racing};
use super::*;
use crate::files::inode::Maker;
use crate::files::inode::{Position, Sought};
use volume::Volume;

fn write_at(file: &Arc<dyn Inode>, at: u64) {
    let from = &mut Source::kernel(b"x");
    file.write_at(Position::At(at), from).unwrap();
}

#[test]
fn what_had_no_memory_is_tried_again() {
    let Racing {
        volume,
        root,
        _alone,
        ..
    } = Racing::new();
    let fs = root.fs();
    let number = |file: &Arc<dyn Inode>| file.metadata().number as Number;
    let file = root
        .clone()
        .create(b"file", New::Regular, Maker::root(0o644))
        .unwrap();
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
    let Racing {
        volume,
        root,
        _alone,
        ..
    } = Racing::new();
    let file = root
        .clone()
        .create(b"file", New::Regular, Maker::root(0o644))
        .unwrap();
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
    let Racing {
        volume,
        root,
        _alone,
        ..
    } = Racing::new();
    let file = root
        .clone()
        .create(b"file", New::Regular, Maker::root(0o644))
        .unwrap();
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

/// Nobody asks for it again: it is the caretaker's business.
#[test]
fn what_had_no_memory_is_committed_in_a_later_round() {
    const ROUND: u64 = 5_000_000_000;
    let racing = Racing::new();
    let (volume, root) = (&racing.volume, &racing.root);
    let mut schedule = caretaker::Schedule::default();
    let file = root
        .clone()
        .create(b"file", New::Regular, Maker::root(0o644))
        .unwrap();
    write_at(&file, 0);
    drop(file);
    cache::flush_all();
    caretaker::round(&mut schedule, 0);
    volume.fail(Call::Commit, Errno::ENOMEM);
    for number in 1..4 {
        caretaker::round(&mut schedule, number * ROUND);
        assert!(!schedule.is_empty());
    }
    volume.heal();
    caretaker::round(&mut schedule, 4 * ROUND);
    assert!(schedule.is_empty());
    let disk = Memory::holding(racing.disk.contents());
    assert_eq!(size_and_byte(disk, "file", 0), (1, b'x'));
    unmount(racing.root).unwrap();
}
