//! Directories that are large, or say that they are.

use super::super::Ext4;
use super::super::bytes::{put_u16, put_u32};
use super::super::storage::BLOCK;
use super::image::Memory;
use super::model::{MAKER, page, place};
use crate::files::disk::volume::{Number, Volume};
use crate::files::inode::New;
use abi::Errno;
use std::format;
use std::string::String;

fn make(volume: &Ext4, name: &str, new: New<'_>) -> Result<Number, Errno> {
    volume.create(place(2, name), new, MAKER).map(|made| made.0)
}

fn long(index: usize) -> String {
    format!("{index:0>250}")
}

/// A directory with an index, and how many names it has.
fn large(volume: &Ext4) -> (Number, usize) {
    let directory = make(volume, "large", New::Directory).unwrap();
    for index in 0..60 {
        let name = long(index);
        let made = volume.create(place(directory, &name), New::Fifo, MAKER);
        made.unwrap();
    }
    (directory, 60)
}

/// Creates names until that fails; those that are there then have been found.
fn create_until_full(volume: &Ext4, directory: Number, mut names: usize) {
    let error = loop {
        let name = long(names);
        match volume.create(place(directory, &name), New::Fifo, MAKER) {
            Ok(_) => names += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error, Errno::ENOSPC);
    let has_index = volume.state.lock().indices.contains_key(&directory);
    assert!(has_index, "it is made again for each name");
    for index in 0..names {
        let name = long(index);
        volume.look_up(place(directory, &name)).unwrap();
    }
    let missing = long(names);
    let found = volume.look_up(place(directory, &missing));
    assert_eq!(found, Err(Errno::ENOENT));
}

#[test]
fn without_inodes_the_index_stays() {
    let memory = Memory::format(16 << 20, &["-N", "128"]);
    let volume = Ext4::open(memory.clone(), false).unwrap();
    let (directory, names) = large(&volume);
    create_until_full(&volume, directory, names);
    volume.unmount().unwrap();
    memory.check();
}

#[test]
fn without_blocks_the_index_stays() {
    let memory = Memory::format(16 << 20, &["-N", "512"]);
    let volume = Ext4::open(memory.clone(), false).unwrap();
    let (directory, names) = large(&volume);
    let file = make(&volume, "f", New::Regular).unwrap();
    let mut pages = 0;
    loop {
        let size = (pages + 1) * BLOCK as u64;
        match volume.write(file, pages, &[page(1)], size, 0) {
            Ok(()) => pages += 1,
            Err(error) => break assert_eq!(error, Errno::ENOSPC),
        }
    }
    create_until_full(&volume, directory, names);
    volume.unmount().unwrap();
    memory.check();
}

#[test]
fn subdirectories_that_cannot_be_counted_are_too_many() {
    for (feature, expected) in [("^dir_nlink", Err(Errno::EMLINK)), ("dir_nlink", Ok(1))] {
        let memory = Memory::format(16 << 20, &["-N", "512", "-O", feature]);
        let volume = Ext4::open(memory, false).unwrap();
        let set = volume.change(|state| {
            state.edit(2, |_, root| {
                root.inode.set_links(65_000);
                Ok(())
            })
        });
        set.unwrap();
        let made = make(&volume, "d", New::Directory);
        let links = volume.attributes(2).unwrap().links;
        assert_eq!(made.map(|_| links), expected);
    }
}

/// It would be read for hours.
#[test]
fn a_directory_has_no_block_twice() {
    let memory = Memory::format(32 << 20, &["-N", "512"]);
    let volume = Ext4::open(memory.clone(), false).unwrap();
    let directory = make(&volume, "d", New::Directory).unwrap();
    let change = volume.change(|state| {
        state.edit(directory, |_, loaded| {
            let inode = &mut loaded.inode;
            inode.set_size(16_000 * BLOCK as u64);
            put_u16(inode.body_mut(), 2, 2);
            for (at, logical) in [(12, 0), (24, 8000)] {
                let body = inode.body_mut();
                put_u32(body, at, logical);
                put_u16(body, at + 4, 8000);
                put_u16(body, at + 6, 0);
                put_u32(body, at + 8, 100);
            }
            Ok(())
        })
    });
    change.unwrap();
    volume.unmount().unwrap();
    let volume = Ext4::open(memory, true).unwrap();
    let found = volume.look_up(place(directory, "x"));
    assert_eq!(found, Err(Errno::EIO));
}
