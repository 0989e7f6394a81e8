//! Blocks that a file gets while something else is under way.

use super::super::Ext4;
use super::super::storage::BLOCK;
use super::failing::{Access, Failing};
use super::image::Memory;
use super::model::{MAKER, page, place};
use crate::files::disk::volume::Volume;
use crate::files::inode::New;
use std::format;
use std::sync::Arc;
use std::vec::Vec;

#[test]
fn a_hole_is_allocated_while_it_is_written() {
    let disk = Memory::format(32 << 20, &["-N", "512"]);
    let storage = Failing::new(disk.clone());
    let volume = Arc::new(Ext4::open(storage.clone(), false).unwrap());
    let (number, _) = volume.create(place(2, "f"), New::Regular, MAKER).unwrap();
    volume.commit().unwrap();
    let peer = volume.clone();
    storage.before(Access::WritePages, move || {
        let allocate = move || Volume::allocate(&*peer, number, 0, 4 * BLOCK as u64, false);
        std::thread::spawn(allocate).join().unwrap().unwrap();
    });
    let size = 2 * BLOCK as u64;
    volume
        .write(number, 0, &[page(7), page(7)], size, 0)
        .unwrap();
    let two = [page(0), page(0)];
    volume.read(number, 0, &two).unwrap();
    for frame in &two {
        let mut bytes = [0; BLOCK];
        frame.read(0, &mut bytes);
        assert_eq!(bytes, [7; BLOCK]);
    }
    volume.unmount().unwrap();
    disk.check();
}

/// The rest of an extent is written as zeroes where room is short.
#[test]
fn zeroes_do_not_hit_blocks_that_were_cut_off_meanwhile() {
    let disk = Memory::format(32 << 20, &["-N", "512"]);
    let storage = Failing::new(disk.clone());
    let volume = Arc::new(Ext4::open(storage.clone(), false).unwrap());
    let make = |name| volume.create(place(2, name), New::Regular, MAKER);
    let [(f, _), (g, _), (rest, _)] = ["f", "g", "rest"].map(|name| make(name).unwrap());
    let pages = |count: u64| count * BLOCK as u64;
    let free = volume.room().free_blocks;
    volume.allocate(rest, 0, pages(free - 200), true).unwrap();
    volume.allocate(f, 0, pages(100), true).unwrap();
    // Ten pages that may need three blocks each, and are written as if there were
    // more: it is less than data may need now.
    volume.reserve(g, 100..110).unwrap();
    let content: Vec<_> = (0..10).map(|_| page(9)).collect();
    volume.write(g, 100, &content, pages(110), 0).unwrap();
    let peer = volume.clone();
    storage.before(Access::WritePages, move || {
        let cut = move || {
            peer.set_size(f, pages(10)).unwrap();
            // There is room besides what was cut off.
            let content: Vec<_> = (0..60).map(|_| page(8)).collect();
            peer.write(g, 0, &content, pages(110), 0).unwrap();
        };
        std::thread::spawn(cut).join().unwrap();
    });
    volume.write(f, 5, &[page(7)], pages(10), 0).unwrap();
    let bytes = |number, index| {
        let frame = [page(0)];
        volume.read(number, index, &frame).unwrap();
        let mut bytes = [0; BLOCK];
        frame[0].read(0, &mut bytes);
        bytes
    };
    for index in 0..60 {
        assert_eq!(bytes(g, index), [8; BLOCK]);
    }
    for index in 0..10 {
        assert_eq!(bytes(f, index), [if index == 5 { 7 } else { 0 }; BLOCK]);
    }
    volume.unmount().unwrap();
    disk.check();
}

/// On a disk on which no two free blocks are neighbours.
#[test]
fn not_every_group_is_read_for_a_short_run() {
    let memory = Memory::format(
        16 << 20,
        &[
            "-N",
            "4096",
            "-g",
            "256",
            "-J",
            "size=4",
            "-O",
            "^resize_inode",
        ],
    );
    let disk = Failing::new(memory);
    let volume = Ext4::open(disk.clone(), false).unwrap();
    let mut files = Vec::new();
    for index in 0.. {
        let name = format!("{index}");
        let Ok((number, _)) = volume.create(place(2, &name), New::Regular, MAKER) else {
            break;
        };
        files.push((name, number));
        if volume
            .write(number, 0, &[page(1)], BLOCK as u64, 0)
            .is_err()
        {
            break;
        }
    }
    for (name, number) in files.iter().step_by(2) {
        volume.unlink(place(2, name)).unwrap();
        volume.release(*number).unwrap();
    }
    volume.commit().unwrap();
    volume.checkpoint().unwrap();
    volume.shrink(true);
    let before = disk.count(Access::Read);
    let found = volume.state.lock().find_blocks(0, 64).unwrap();
    assert!(found.end - found.start < 64, "{found:?}");
    let read = disk.count(Access::Read) - before;
    let groups = volume.state.lock().geometry.groups;
    assert!(read < groups as usize, "{read} blocks for {groups} groups");
}
