//! Disks that fail, and who is told.

use super::*;
use crate::files::inode::Maker;

#[test]
fn an_aborted_volume_is_left_with_what_it_cannot_write() {
    let mounted = Mounted::new(&[]);
    mounted.file("kept", b"kept").unwrap();
    mounted.root.sync_file_system().unwrap();
    mounted.file("lost", &[7; 50_000]).unwrap();
    let lost = mounted.open("lost", O_RDWR);
    mounted.disk.fail_all(Access::Write);
    // The data find their place, what names them does not.
    assert_eq!(lost.sync(false), Err(Errno::EIO));
    assert_eq!(mounted.root.sync_file_system(), Err(Errno::EIO));
    assert_eq!(mounted.make("more").err(), Some(Errno::EROFS));
    assert_eq!(write(&lost, b"more"), Err(Errno::EROFS));
    assert_eq!(mounted.unmount(), Err(Errno::EBUSY));
    drop(lost);
    mounted.unmount().unwrap();
    let (disk, alone) = mounted.crash();
    let mounted = Mounted::of(disk, alone);
    assert_eq!(mounted.content("kept").unwrap(), b"kept");
    assert_eq!(mounted.content("lost").err(), Some(Errno::ENOENT));
    mounted.again().unmount().unwrap();
}

#[test]
fn dirty_pages_of_an_aborted_volume_take_no_memory() {
    let mounted = Mounted::new(&[]);
    mounted.make("file").unwrap();
    let file = mounted.open("file", O_RDWR);
    mounted.disk.fail_all(Access::Write);
    assert_eq!(mounted.root.sync_file_system(), Err(Errno::EIO));
    mounted.disk.heal();
    let before = cache::dirty_total();
    assert_eq!(write(&file, &[7; 5000]), Err(Errno::EROFS));
    assert_eq!(cache::dirty_total(), before);
    drop(file);
    // Dirty before the volume was aborted.
    mounted.unmount().unwrap();
    assert_eq!(cache::dirty_total(), 0);
    drop(mounted.crash());
}

#[test]
fn what_cannot_be_written_is_not_thrown_away() {
    let mounted = Mounted::new(&[]);
    let folder = mounted.root.clone();
    let made = folder.create(b"folder", New::Directory, Maker::root(0o755));
    drop(made.unwrap());
    for path in ["file", "folder/file"] {
        mounted.file(path, &[7; 50_000]).unwrap();
    }
    mounted.disk.fail_all(Access::WritePages);
    assert_eq!(mounted.unmount(), Err(Errno::EIO));
    shrink(true);
    mounted.disk.heal();
    let mounted = mounted.again();
    for path in ["file", "folder/file"] {
        assert!(mounted.content(path).unwrap() == [7; 50_000], "{path}");
    }
    mounted.unmount().unwrap();
}

#[test]
fn an_error_is_told_once_to_each_open_file() {
    let mounted = Mounted::new(&[]);
    mounted.file("file", b"before").unwrap();
    let (one, other) = (mounted.open("file", O_RDWR), mounted.open("file", O_RDONLY));
    write(&one, b"after").unwrap();
    mounted.disk.fail_all(Access::WritePages);
    assert_eq!(one.sync(false), Err(Errno::EIO));
    mounted.disk.heal();
    assert_eq!(one.sync(false), Ok(()));
    assert_eq!(other.sync(true), Err(Errno::EIO));
    assert_eq!(other.sync(true), Ok(()));
    // One who comes later is not told what others know.
    assert_eq!(mounted.open("file", O_RDWR).sync(false), Ok(()));
    drop((one, other));
    assert_eq!(mounted.again().content("file").unwrap(), b"aftere");
}

#[test]
fn who_syncs_all_is_told_of_any_file() {
    let mounted = Mounted::new(&[]);
    mounted.file("file", b"content").unwrap();
    mounted.disk.fail_all(Access::WritePages);
    assert_eq!(mounted.root.sync_file_system(), Err(Errno::EIO));
    mounted.disk.heal();
    assert_eq!(mounted.root.sync_file_system(), Ok(()));
    mounted.file("lost", b"content").unwrap();
    mounted.disk.fail_all(Access::Write);
    assert_eq!(mounted.root.sync_file_system(), Err(Errno::EIO));
    assert_eq!(mounted.root.sync_file_system(), Err(Errno::EIO));
    mounted.unmount().unwrap();
    drop(mounted.crash());
}

#[test]
fn a_read_that_fails_is_told_and_can_be_tried_again() {
    let mounted = Mounted::new(&[]);
    mounted.file("file", b"content").unwrap();
    let mounted = mounted.again();
    mounted.disk.fail_all(Access::ReadPages);
    assert_eq!(mounted.content("file"), Err(Errno::EIO));
    mounted.disk.fail_all(Access::Read);
    shrink(true);
    assert_eq!(mounted.content("missing"), Err(Errno::EIO));
    assert_eq!(mounted.make("other").err(), Some(Errno::EIO));
    mounted.disk.heal();
    assert_eq!(mounted.content("file").unwrap(), b"content");
    mounted.make("other").unwrap();
    mounted.unmount().unwrap();
}

#[test]
fn a_synchronous_write_is_durable_when_it_returns() {
    let mounted = Mounted::new(&[]);
    for (name, flags) in [("all", O_SYNC), ("data", O_DSYNC)] {
        mounted.make(name).unwrap();
        let plain = mounted.open(name, O_WRONLY);
        let flushes = || mounted.disk.count(Access::Flush);
        let before = flushes();
        write(&plain, b"plain").unwrap();
        assert_eq!(flushes(), before, "{name}");
        let file = mounted.open(name, O_WRONLY | flags);
        for byte in 0..3 {
            let before = flushes();
            assert_eq!(write(&file, &[byte; 3000]), Ok(3000));
            assert!(flushes() > before, "{name}");
            let copy = Memory::holding(mounted.disk.disk.contents());
            let found = size_and_byte(copy, name, u64::from(byte) * 3000);
            assert_eq!(found, (3000 * u64::from(byte + 1), byte), "{name}");
        }
        let before = flushes();
        let mut source = Source::kernel(b"x");
        file.write_at(0, &mut source).unwrap();
        assert!(flushes() > before, "{name}");
    }
    mounted.unmount().unwrap();
}
