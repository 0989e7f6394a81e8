//! How much room there is, and for whom.

use super::*;
use crate::files::inode::Position;

#[test]
fn two_disks_have_room_of_their_own() {
    let mounted = Mounted::new(&[]);
    let device = u64::MAX;
    let disk = Memory::format(16 << 20, &["-J", "size=4"]);
    let volume = Arc::new(Ext4::open(disk, false).unwrap());
    let other = DiskFs::mount(volume, device, false).unwrap();
    let free = || {
        let [one, other] = [&mounted.root, &other].map(|root| root.fs().statistics().free_blocks);
        (one, other)
    };
    let before = free();
    mounted.file("file", &[7; 1 << 20]).unwrap();
    assert_eq!(free(), (before.0 - 256, before.1));
    unmount(other).unwrap();
    mounted.unmount().unwrap();
}

#[test]
fn what_was_just_written_counts_as_allocated() {
    let mounted = Mounted::new(&[]);
    let inode = mounted.make("file").unwrap();
    let file = mounted.open("file", O_RDWR);
    let allocated = || inode.metadata().allocated;
    write(&file, &[7; 10_000]).unwrap();
    assert_eq!(allocated(), 3 * 4096);
    file.sync(false).unwrap();
    assert_eq!(allocated(), 3 * 4096);
    // Again, and one page more.
    inode
        .write_at(Position::At(4096), &mut Source::kernel(&[8; 10_000]))
        .unwrap();
    assert_eq!(allocated(), 4 * 4096);
    drop((file, inode));
    mounted.unmount().unwrap();
}

#[test]
fn what_is_allocated_needs_no_room() {
    let mounted = Mounted::new(&[]);
    let file = mounted.make("file").unwrap();
    let free = || mounted.root.fs().statistics().free_blocks;
    let length = (free() - 100) * 4096;
    file.allocate(0, length, true).unwrap();
    let left = free();
    assert_eq!(file.allocate(0, length, true), Ok(()));
    assert_eq!(free(), left);
    assert_eq!(file.allocate(length, 4096 * 100, true), Err(Errno::ENOSPC));
    drop(file);
    mounted.unmount().unwrap();
    mounted.disk.disk.check();
}

/// What is dirty is promised a block each, and may not need it.
#[test]
fn an_allocation_makes_room_first() {
    let mounted = Mounted::new(&[]);
    let [one, two] = ["one", "two"].map(|name| mounted.make(name).unwrap());
    one.allocate(0, 1 << 20, true).unwrap();
    let file = mounted.open("one", O_RDWR);
    write(&file, &[7; 1 << 20]).unwrap();
    let free = mounted.root.fs().statistics().free_blocks;
    two.allocate(0, (free + 100) * 4096, true).unwrap();
    drop((one, two, file));
    mounted.unmount().unwrap();
    mounted.disk.disk.check();
}

#[test]
fn the_last_page_can_be_written_back() {
    let mounted = Mounted::new(&[]);
    let file = mounted.make("file").unwrap();
    let largest = (1 << 44) - 4096;
    assert_eq!(file.set_size(largest + 1), Err(Errno::EFBIG));
    file.set_size(largest).unwrap();
    let write = |at| file.write_at(Position::At(at), &mut Source::kernel(b"xy"));
    assert_eq!(write(largest), Err(Errno::EFBIG));
    assert_eq!(write(largest - 1), Ok((1, largest)));
    assert_eq!(file.sync(false, None), Ok(()));
    drop(file);
    mounted.unmount().unwrap();
    mounted.disk.disk.check();
}

#[test]
fn what_has_blocks_can_be_written_on_a_full_disk() {
    let mounted = Mounted::new(&[]);
    mounted.file("written", &[1; 8192]).unwrap();
    let allocated = mounted.make("allocated").unwrap();
    allocated.allocate(0, 40 * 4096, true).unwrap();
    mounted.make("large").unwrap();
    let large = mounted.open("large", O_WRONLY);
    while write(&large, &[2; 1 << 16]).is_ok() {}
    let (one, other) = (
        mounted.open("written", O_RDWR),
        mounted.open("allocated", O_RDWR),
    );
    assert_eq!(write(&one, &[3; 8192]), Ok(8192));
    assert_eq!(write(&other, &[4; 40 * 4096]), Ok(40 * 4096));
    // Behind their ends there is no room.
    assert_eq!(write(&one, b"x"), Err(Errno::ENOSPC));
    assert_eq!(write(&other, b"x"), Err(Errno::ENOSPC));
    mounted.root.sync_file_system().unwrap();
    drop((one, other, large, allocated));
    let mounted = mounted.again();
    assert_eq!(mounted.content("written").unwrap(), [3; 8192]);
    assert_eq!(mounted.content("allocated").unwrap(), [4; 40 * 4096]);
    mounted.unmount().unwrap();
}
