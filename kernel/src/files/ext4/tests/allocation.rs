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
