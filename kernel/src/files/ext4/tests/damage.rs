//! Damaged images: whatever the disk says, the engine refuses it or makes the
//! best of it. It never panics, and nothing goes on for ever.

use super::super::Ext4;
use super::super::storage::BLOCK;
use super::image::Memory;
use super::model::{MAKER, Random, page, place};
use super::pair::pair;
use crate::files::disk::volume::{Number, Volume};
use crate::files::inode::{Kind, New, Replace};
use std::collections::BTreeSet;
use std::format;
use std::string::String;
use std::vec::Vec;

/// More entries than any directory here has, by far.
const MOST_ENTRIES: usize = 100_000;

/// A small volume with all there may be on one, and no checksums that would
/// tell of damage before anything else does: in use, and unmounted.
fn sound() -> [Vec<u8>; 2] {
    let options = ["-N", "512", "-g", "1024", "-O", "^metadata_csum,^64bit"];
    let memory = Memory::format(12 << 20, &options);
    let mut pair = pair(memory.clone(), 3);
    for _ in 0..400 {
        pair.step();
    }
    let volume = pair.volume;
    // A directory with an index, and a file in many pieces.
    let made = volume.create(place(2, "many"), New::Directory, MAKER);
    let (many, _) = made.unwrap();
    for index in 0..200 {
        let name = format!("{index:0>60}");
        volume
            .create(place(many, &name), New::Regular, MAKER)
            .unwrap();
    }
    let (pieces, _) = volume
        .create(place(2, "pieces"), New::Regular, MAKER)
        .unwrap();
    for index in (0..900).step_by(2) {
        volume.write(pieces, index, &[page(7)], 4 << 20, 1).unwrap();
    }
    volume.commit().unwrap();
    let in_use = memory.contents();
    volume.unmount().unwrap();
    memory.check();
    [in_use, memory.contents()]
}

/// Changes a few bytes of blocks that hold something, mostly of metadata.
fn damage(image: &mut [u8], random: &mut Random) {
    let used: Vec<usize> = (0..image.len() / BLOCK)
        .filter(|block| {
            let bytes = &image[block * BLOCK..][..BLOCK];
            let first = bytes[0];
            bytes.iter().any(|&byte| byte != first)
        })
        .collect();
    for _ in 0..1 + random.below(6) {
        let block = match random.below(3) {
            0 => used[random.below(used.len().min(12) as u64) as usize],
            _ => used[random.below(used.len() as u64) as usize],
        };
        let at = block * BLOCK
            + match random.below(3) {
                0 => random.below(64),
                1 => 1024 + random.below(256),
                _ => random.below(BLOCK as u64 - 4),
            } as usize;
        let value = match random.below(6) {
            0 => 0,
            1 => u32::MAX,
            2 => 0x7fff_ffff,
            3 => random.below(4096) as u32,
            _ => random.below(1 << 32) as u32,
        };
        let length = 1 + random.below(4) as usize;
        image[at..at + length].copy_from_slice(&value.to_le_bytes()[..length]);
    }
}

/// Everything that can be found.
fn walk(volume: &Ext4) -> Vec<(Number, String, Number)> {
    let mut found = Vec::new();
    let mut known = BTreeSet::new();
    let mut open = Vec::from([volume.root()]);
    while let Some(directory) = open.pop() {
        if !known.insert(directory) {
            continue;
        }
        let mut names = Vec::new();
        let result = volume.list(directory, 0, &mut |entry| {
            let name = String::from_utf8_lossy(entry.name).into_owned();
            names.push((name, entry.number as Number));
            names.len() < MOST_ENTRIES
        });
        assert!(names.len() < MOST_ENTRIES, "a list without an end");
        let _ = result;
        for (name, number) in names {
            // The damage may be in what the entry leads to.
            let Ok(attributes) = volume.attributes(number) else {
                continue;
            };
            if name.is_empty() || name == "." || name == ".." {
                continue;
            }
            let _ = volume.look_up(place(directory, &name));
            match attributes.kind {
                Kind::Directory => open.push(number),
                Kind::SymbolicLink => drop(volume.read_link(number)),
                _ => {}
            }
            found.push((directory, name, number));
        }
    }
    found
}

/// Uses a volume as programs do; what fails, fails.
fn use_all(volume: &Ext4, random: &mut Random) {
    let found = walk(volume);
    let frames: Vec<_> = (0..8).map(page).collect();
    for (index, (directory, name, number)) in found.iter().enumerate() {
        let at = place(*directory, name);
        let _ = volume.read(*number, random.below(64), &frames);
        let _ = match random.below(7) {
            0 => volume.unlink(at).and_then(|()| volume.release(*number)),
            1 => volume
                .remove_directory(at)
                .and_then(|()| volume.release(*number)),
            2 => volume.write(*number, random.below(300), &frames, 1 << 20, 1),
            3 => volume.set_size(*number, random.below(1 << 21)),
            4 => {
                let new = format!("new-{index}");
                volume.rename(at, place(2, &new), Replace::No)
            }
            5 => {
                let new = format!("made-{index}");
                volume
                    .create(place(*directory, &new), New::Directory, MAKER)
                    .map(drop)
            }
            _ => volume.allocate(*number, 0, 1 << 18, true),
        };
    }
    let _ = volume.commit();
    walk(volume);
    let _ = Volume::unmount(volume);
}

#[test]
fn damage_is_survived() {
    let sound = sound();
    for seed in 0..300 {
        std::eprintln!("seed {seed}");
        let mut random = Random::new(seed);
        let mut image = sound[seed as usize % 2].clone();
        damage(&mut image, &mut random);
        if let Ok(volume) = Ext4::open(Memory::holding(image), false) {
            use_all(&volume, &mut random);
        }
    }
}
