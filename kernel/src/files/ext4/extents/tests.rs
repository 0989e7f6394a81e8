//! Trees that are deeper than most.

use super::{Extent, Leaf};
use crate::files::disk::volume::Volume;
use crate::files::ext4::Ext4;
use crate::files::ext4::state::Loaded;
use crate::files::ext4::tests::image::Memory;
use crate::files::ext4::tests::model::{MAKER, place};
use crate::files::inode::New;
use std::vec::Vec;

/// More than the inode and one level of index blocks point to.
const LEAVES: u32 = 1500;

#[test]
fn a_tree_may_have_more_than_one_level_of_index_blocks() {
    let memory = Memory::format(64 << 20, &["-N", "512", "-J", "size=8"]);
    let volume = Ext4::open(memory.clone(), false).unwrap();
    let (number, _) = volume.create(place(2, "f"), New::Regular, MAKER).unwrap();
    let before = volume.room().free_blocks;
    // Leaves with one extent each, as holes that are punched leave them.
    for some in 0..LEAVES / 100 {
        let result = volume.change(|state| {
            state.edit(number, |state, Loaded { inode, tree }| {
                let first = tree.leaves.len();
                tree.leaves.retain(|leaf| !leaf.extents.is_empty());
                for index in some * 100..some * 100 + 100 {
                    let extents = Vec::from([Extent {
                        logical: index * 2,
                        length: 1,
                        physical: state.take_block(0)?,
                        unwritten: false,
                    }]);
                    inode.add_blocks(1);
                    tree.leaves.push(Leaf { block: 0, extents });
                }
                let changed = first.min(tree.leaves.len())..tree.leaves.len();
                tree.settle(state, inode, Some(changed))
            })
        });
        result.unwrap();
        volume.commit().unwrap();
    }
    volume.set_size(number, u64::from(LEAVES) * 8192).unwrap();
    volume.unmount().unwrap();
    memory.check();
    let volume = Ext4::open(memory.clone(), false).unwrap();
    let extents = volume.state.lock().map_range(number, 0..LEAVES * 2);
    let extents = extents.unwrap();
    assert_eq!(extents.len(), LEAVES as usize);
    assert!(
        (0..)
            .zip(&extents)
            .all(|(index, extent)| extent.logical == index * 2)
    );
    volume.set_size(number, 100 * 8192).unwrap();
    volume.commit().unwrap();
    memory.check_recovered();
    volume.unlink(place(2, "f")).unwrap();
    volume.release(number).unwrap();
    volume.commit().unwrap();
    assert_eq!(volume.room().free_blocks, before);
    volume.unmount().unwrap();
    memory.check();
}
