//! How much room there is, and for whom.

use super::*;
use crate::files::inode::Maker;
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

/// Fills the disk with data until there is room for none.
fn fill(mounted: &Mounted) {
    mounted.make("filling").unwrap();
    let filling = mounted.open("filling", O_WRONLY);
    while write(&filling, &[2; 1 << 16]).is_ok() {}
    filling.sync(false).unwrap();
}

/// One page of a file, at page `index`.
fn write_page(inode: &Arc<dyn Inode>, index: u64, byte: u8) -> Result<(), Errno> {
    let position = Position::At(index * 4096);
    inode
        .write_at(position, &mut Source::kernel(&[byte; 4096]))
        .map(|(count, _)| assert_eq!(count, 4096))
}

/// Files of a folder, named by numbers.
fn numbered(mounted: &Mounted, count: usize) -> Vec<Arc<dyn Inode>> {
    let make = |index| mounted.make(&format!("f{index}")).unwrap();
    (0..count).map(make).collect()
}

/// Each splits what is allocated into more pieces than an inode holds: all of
/// them together would need more blocks than there are.
#[test]
fn parts_of_what_is_allocated_can_be_written_on_a_full_disk() {
    const FILES: usize = 150;
    let mounted = Mounted::new(&[]);
    let files = numbered(&mounted, FILES);
    for file in &files {
        file.allocate(0, 10 * 4096, true).unwrap();
    }
    fill(&mounted);
    for index in [1, 3, 5, 7, 9] {
        for file in &files {
            assert_eq!(write_page(file, index, 7), Ok(()));
        }
    }
    assert_eq!(mounted.root.sync_file_system(), Ok(()));
    drop(files);
    let mounted = mounted.again();
    for index in 0..FILES {
        let content = mounted.content(&format!("f{index}")).unwrap();
        for (page, bytes) in content.chunks(4096).enumerate() {
            let expected = if page % 2 == 1 { 7 } else { 0 };
            assert!(bytes.iter().all(|&byte| byte == expected));
        }
    }
    mounted.unmount().unwrap();
}

/// What lies behind the end cannot be written as zeroes.
#[test]
fn a_file_grows_into_what_is_allocated_on_a_full_disk() {
    const FILES: usize = 40;
    const SHORT: usize = 150;
    let mounted = Mounted::new(&[]);
    let files = numbered(&mounted, FILES);
    // These have an extent left in their inodes.
    let short: Vec<_> = (0..SHORT)
        .map(|index| mounted.make(&format!("short{index}")).unwrap())
        .collect();
    for file in &short {
        file.allocate(0, 4 * 4096, false).unwrap();
    }
    for file in &files {
        for index in [0, 2, 4] {
            write_page(file, index, 1).unwrap();
        }
        file.sync(false, None).unwrap();
        file.allocate(6 * 4096, 10 * 4096, false).unwrap();
    }
    fill(&mounted);
    for index in [8, 15, 7] {
        for file in &files {
            assert_eq!(write_page(file, index, 7), Ok(()));
        }
    }
    for index in [1, 3] {
        for file in &short {
            assert_eq!(write_page(file, index, 7), Ok(()));
        }
    }
    assert_eq!(mounted.root.sync_file_system(), Ok(()));
    drop((files, short));
    let mounted = mounted.again();
    for index in 0..FILES {
        let content = mounted.content(&format!("f{index}")).unwrap();
        let pages = content.chunks(4096).map(|page| page[0]);
        assert!(pages.eq([1, 0, 1, 0, 1, 0, 0, 7, 7, 0, 0, 0, 0, 0, 0, 7]));
    }
    for index in 0..SHORT {
        let content = mounted.content(&format!("short{index}")).unwrap();
        assert!(content.chunks(4096).map(|page| page[0]).eq([0, 7, 0, 7]));
    }
    mounted.unmount().unwrap();
}

/// Each page in a hole takes a block of extents besides its own.
#[test]
fn pages_in_holes_are_promised_what_their_extents_need() {
    const FILES: usize = 400;
    let mounted = Mounted::new(&[]);
    let files = numbered(&mounted, FILES);
    for file in &files {
        for index in [0, 2, 4, 6] {
            write_page(file, index, 1).unwrap();
        }
    }
    mounted.root.sync_file_system().unwrap();
    let free = mounted.root.fs().statistics().free_blocks;
    let rest = mounted.make("rest").unwrap();
    rest.allocate(0, (free - 500) * 4096, true).unwrap();
    let written = files.iter().map(|file| write_page(file, 8, 7));
    let there = written.take_while(|result| result.is_ok()).count();
    assert!((100..FILES).contains(&there));
    assert_eq!(mounted.root.sync_file_system(), Ok(()));
    drop((files, rest));
    let mounted = mounted.again();
    for index in 0..FILES {
        let content = mounted.content(&format!("f{index}")).unwrap();
        let expected: &[u8] = match index < there {
            true => &[1, 0, 1, 0, 1, 0, 1, 0, 7],
            false => &[1, 0, 1, 0, 1, 0, 1],
        };
        assert!(
            content
                .chunks(4096)
                .map(|page| page[0])
                .eq(expected.iter().copied())
        );
    }
    mounted.unmount().unwrap();
}

#[test]
fn names_do_not_take_what_data_were_promised() {
    let mounted = Mounted::new(&["-N", "4096"]);
    let free = mounted.root.fs().statistics().free_blocks;
    let rest = mounted.make("rest").unwrap();
    rest.allocate(0, (free - 900) * 4096, true).unwrap();
    let file = mounted.make("file").unwrap();
    for index in 0..250 {
        write_page(&file, index * 2, 7).unwrap();
    }
    let folder = |index| {
        let name = format!("folder{index}");
        mounted
            .root
            .clone()
            .create(name.as_bytes(), New::Directory, Maker::root(0o755))
    };
    let made = (0..2000)
        .map(folder)
        .take_while(|made| made.is_ok())
        .count();
    // What is dirty is written before the answer is no, and takes less then.
    assert!((500..650).contains(&made));
    assert_eq!(file.sync(false, None), Ok(()));
    drop((file, rest));
    let mounted = mounted.again();
    let content = mounted.content("file").unwrap();
    let pages = content.chunks(4096).map(|page| page[0]);
    assert!(pages.eq((0..499).map(|index| if index % 2 == 0 { 7 } else { 0 })));
    mounted.unmount().unwrap();
}

#[test]
fn overwriting_takes_no_room_from_others() {
    const PAGES: u64 = 1000;
    let mounted = Mounted::new(&[]);
    mounted.file("old", &[1; PAGES as usize * 4096]).unwrap();
    mounted.root.sync_file_system().unwrap();
    let free = mounted.root.fs().statistics().free_blocks;
    let rest = mounted.make("rest").unwrap();
    rest.allocate(0, (free - 400) * 4096, true).unwrap();
    let (old, new) = (
        mounted.open("old", O_WRONLY),
        mounted.open("rest", O_WRONLY),
    );
    write(&old, &[2; PAGES as usize * 4096]).unwrap();
    new.seek(0, Whence::End).unwrap();
    write(&new, &[3; 50 * 4096]).unwrap();
    // And without writing back what is dirty first.
    let inode = mounted.root.clone().lookup(b"old").unwrap();
    let dirty = inode.pages_to_map().unwrap().dirty() as u64;
    assert_eq!(dirty, PAGES);
    drop((old, new, rest, inode));
    let mounted = mounted.again();
    assert!(mounted.content("old").unwrap() == [2; PAGES as usize * 4096]);
    mounted.unmount().unwrap();
}

#[test]
fn one_call_writes_as_much_as_there_is_room_for() {
    let mounted = Mounted::new(&[]);
    let free = mounted.root.fs().statistics().free_blocks;
    mounted.make("file").unwrap();
    let file = mounted.open("file", O_WRONLY);
    let length = (free as usize - 200) * 4096;
    assert_eq!(write(&file, &vec![7; length]), Ok(length));
    assert_eq!(file.sync(false), Ok(()));
    drop(file);
    assert!(mounted.again().content("file").unwrap() == vec![7; length]);
}
