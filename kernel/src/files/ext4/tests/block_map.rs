//! Files as ext3 has left them: with a map of blocks where ext4 has extents.

use super::super::Ext4;
use super::super::storage::BLOCK;
use super::image::Memory;
use super::model::{MAKER, page, place};
use crate::files::disk::volume::{Number, Volume};
use crate::files::inode::New;
use abi::Errno;
use std::sync::Arc;

/// A volume with a file of `pages` pages, without extents, as `chattr -e` leaves it.
fn with_block_map(pages: u64) -> (Arc<Memory>, Number) {
    let memory = Memory::format(32 << 20, &["-N", "512"]);
    let volume = Ext4::open(memory.clone(), false).unwrap();
    let (number, _) = volume.create(place(2, "f"), New::Regular, MAKER).unwrap();
    for index in 0..pages {
        let size = (index + 1) * BLOCK as u64;
        volume.write(number, index, &[page(7)], size, 0).unwrap();
    }
    volume
        .change(|state| {
            state.edit(number, |_, loaded| {
                let first = loaded.tree.extents().next();
                let first = first.map_or(0, |extent| extent.physical as u32);
                let inode = &mut loaded.inode;
                inode.set_flags(0);
                inode.body_mut().fill(0);
                for index in 0..pages as u32 {
                    let at = 4 * index as usize;
                    let block = (first + index).to_le_bytes();
                    inode.body_mut()[at..at + 4].copy_from_slice(&block);
                }
                Ok(())
            })
        })
        .unwrap();
    volume.unmount().unwrap();
    memory.check();
    (memory, number)
}

#[test]
fn a_file_without_extents_is_not_read_as_zeroes() {
    let (memory, number) = with_block_map(2);
    let volume = Ext4::open(memory.clone(), false).unwrap();
    let size = 3 * BLOCK as u64;
    assert_eq!(volume.read(number, 0, &[page(1)]), Err(Errno::EIO));
    let written = volume.write(number, 2, &[page(8)], size, 0);
    assert_eq!(written, Err(Errno::EIO));
    assert_eq!(volume.set_size(number, 0), Err(Errno::EIO));
    let allocated = Volume::allocate(&volume, number, 0, size, true);
    assert_eq!(allocated, Err(Errno::EIO));
    assert_eq!(volume.unlink(place(2, "f")), Err(Errno::EIO));
    volume.unmount().unwrap();
    memory.check();
}

#[test]
fn an_empty_file_without_extents_gets_them() {
    let (memory, number) = with_block_map(0);
    let volume = Ext4::open(memory.clone(), false).unwrap();
    let size = BLOCK as u64;
    volume.write(number, 0, &[page(8)], size, 0).unwrap();
    let one = [page(0)];
    volume.read(number, 0, &one).unwrap();
    let mut bytes = [0; BLOCK];
    one[0].read(0, &mut bytes);
    assert_eq!(bytes, [8; BLOCK]);
    volume.unmount().unwrap();
    memory.check();
}
