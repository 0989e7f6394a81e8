//! Memory that a volume takes.

use super::super::Ext4;
use super::image::Memory;
use super::model::{MAKER, place};
use crate::files::disk::volume::Volume;
use crate::files::inode::New;
use std::format;

#[test]
fn metadata_can_be_given_back() {
    let memory = Memory::format(256 << 20, &["-J", "size=64"]);
    let volume = Ext4::open(memory.clone(), false).unwrap();
    for index in 0..4 {
        let name = format!("{index}");
        let made = volume.create(place(2, &name), New::Directory, MAKER);
        let (directory, _) = made.unwrap();
        for index in 0..1000 {
            let name = format!("{index:0>250}");
            let made = volume.create(place(directory, &name), New::Fifo, MAKER);
            made.unwrap();
        }
        volume.commit().unwrap();
    }
    assert!(volume.state.lock().buffers.homeless_count() > 200);
    assert!(volume.shrink(true) > 200);
    let state = volume.state.lock();
    assert_eq!(
        (state.buffers.homeless_count(), state.buffers.count()),
        (0, 0)
    );
    assert_eq!((state.loaded.len(), state.indices.len()), (0, 0));
    drop(state);
    volume.unmount().unwrap();
    memory.check();
}
