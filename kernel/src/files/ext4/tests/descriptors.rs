//! Group descriptors that say what cannot be.

use super::super::Ext4;
use super::super::storage::BLOCK;
use super::image::Memory;
use super::model::{MAKER, page, place};
use crate::files::disk::volume::{Number, Volume};
use crate::files::inode::New;
use abi::Errno;
use std::vec::Vec;

/// A volume without checksums, whose first descriptor lies in block 1; a file.
fn sound() -> (Vec<u8>, Number) {
    let memory = Memory::format(32 << 20, &["-N", "512", "-O", "^metadata_csum"]);
    let volume = Ext4::open(memory.clone(), false).unwrap();
    let (number, _) = volume.create(place(2, "f"), New::Regular, MAKER).unwrap();
    let size = BLOCK as u64;
    volume.write(number, 0, &[page(7)], size, 0).unwrap();
    volume.unmount().unwrap();
    (memory.contents(), number)
}

/// What a mount says if the two bytes at `at` of a descriptor are `value`.
fn mount_with(image: &[u8], at: usize, value: u16) -> Option<Errno> {
    let mut image = image.to_vec();
    image[BLOCK + at..BLOCK + at + 2].copy_from_slice(&value.to_le_bytes());
    Ext4::open(Memory::holding(image), false).err()
}

#[test]
fn descriptors_are_judged_at_the_mount() {
    let (image, _) = sound();
    // The halves of: bitmaps, table, free blocks, free inodes, directories,
    // inodes that were never in use.
    for at in [0x02, 0x06, 0x0a, 0x22, 0x26, 0x2a, 0x2c, 0x2e, 0x30, 0x32] {
        let error = mount_with(&image, at, u16::MAX);
        assert_eq!(error, Some(Errno::EIO), "{at:#x}");
    }
    for at in [0x00, 0x04, 0x08] {
        assert_eq!(mount_with(&image, at, 8192), Some(Errno::EIO), "{at:#x}");
    }
    // The table begins in the volume and ends behind it.
    assert_eq!(mount_with(&image, 0x08, 8191), Some(Errno::EIO));
    assert_eq!(mount_with(&image, 0x0c, 8193), Some(Errno::EIO));
}

#[test]
fn counts_do_not_overflow() {
    let (mut image, number) = sound();
    // As many are free as there can be.
    image[BLOCK + 0x0c..BLOCK + 0x0e].copy_from_slice(&8192u16.to_le_bytes());
    image[BLOCK + 0x0e..BLOCK + 0x10].copy_from_slice(&512u16.to_le_bytes());
    let memory = Memory::holding(image);
    let volume = Ext4::open(memory.clone(), false).unwrap();
    volume.unlink(place(2, "f")).unwrap();
    volume.release(number).unwrap();
    volume.unmount().unwrap();
    // And the next mount finds them right.
    Ext4::open(memory, false).unwrap();
}
