//! Many random operations: the volume must agree with the model, and e2fsck find
//! nothing.

use super::super::Ext4;
use super::image::Memory;
use super::model::{Body, MAKER, place};
use super::pair::pair;
use crate::files::disk::volume::Volume;
use crate::files::inode::{Kind, New};
use std::format;
use std::sync::Arc;
use std::vec::Vec;

/// Mounts again after every few hundred steps.
fn run(size: u64, options: &[&str], seed: u64, rounds: usize, steps: usize) {
    let memory = Memory::format(size, options);
    let mut pair = pair(memory.clone(), seed);
    for _ in 0..rounds {
        for _ in 0..steps {
            pair.step();
            if pair.random.below(100) == 0 {
                pair.volume.commit().unwrap();
            }
        }
        pair.compare();
        pair.volume.unmount().unwrap();
        memory.check();
        pair.volume = Arc::new(Ext4::open(memory.clone(), false).unwrap());
        pair.compare();
    }
}

#[test]
fn random_operations_agree_with_the_model() {
    for seed in 0..40 {
        run(32 << 20, &[], seed, 3, 400);
    }
}

#[test]
fn a_full_volume_loses_nothing() {
    run(8 << 20, &["-N", "64"], 7, 3, 1500);
}

#[test]
fn volumes_of_other_shapes() {
    run(48 << 20, &["-O", "^metadata_csum,^64bit"], 11, 2, 400);
    run(48 << 20, &["-g", "1024", "-G", "4"], 12, 2, 400);
    run(32 << 20, &["-I", "128", "-O", "^flex_bg"], 13, 2, 400);
}

#[test]
fn a_directory_with_many_names() {
    let memory = Memory::format(64 << 20, &[]);
    let mut pair = pair(memory.clone(), 1);
    for index in 0..3000 {
        let name = format!("file-{index}");
        let new = pair.volume.create(place(2, &name), New::Regular, MAKER);
        let (number, _) = new.unwrap();
        pair.model.nodes.insert(number, (Body::File(Vec::new()), 1));
        pair.model.names(2).insert(name, number);
    }
    pair.compare();
    for index in (0..3000).step_by(3) {
        let name = format!("file-{index}");
        let number = pair.model.names(2).remove(&name).unwrap();
        pair.model.nodes.remove(&number);
        pair.volume.unlink(place(2, &name)).unwrap();
        pair.volume.release(number).unwrap();
    }
    pair.volume.unmount().unwrap();
    memory.check();
    pair.volume = Arc::new(Ext4::open(memory.clone(), false).unwrap());
    pair.compare();
    assert_eq!(pair.volume.attributes(2).unwrap().kind, Kind::Directory);
}
