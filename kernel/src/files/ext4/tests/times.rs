//! Times of files.

use super::super::Ext4;
use super::super::storage::BLOCK;
use super::image::Memory;
use super::model::{MAKER, page, place};
use crate::files::disk::volume::{Changes, Volume};
use crate::files::inode::New;

#[test]
fn the_time_of_change_does_not_go_back() {
    let memory = Memory::format(16 << 20, &["-N", "512"]);
    let volume = Ext4::open(memory.clone(), false).unwrap();
    let (number, _) = volume.create(place(2, "f"), New::Regular, MAKER).unwrap();
    let changes = Changes {
        permissions: Some(0o600),
        ..Changes::default()
    };
    volume.update(number, changes).unwrap();
    let changed = volume.attributes(number).unwrap().changed;
    // What was written before gets to the disk only now.
    let size = BLOCK as u64;
    volume.write(number, 0, &[page(7)], size, 1000).unwrap();
    let attributes = volume.attributes(number).unwrap();
    assert_eq!(attributes.modified, 1000);
    assert!(attributes.changed >= changed);
}
