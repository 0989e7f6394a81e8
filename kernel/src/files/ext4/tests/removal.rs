//! What is left of files and directories that go.

use super::super::Ext4;
use super::super::inode::Inode;
use super::super::state::State;
use super::super::storage::BLOCK;
use super::image::Memory;
use super::model::{MAKER, page, place};
use crate::files::disk::volume::{Number, Volume};
use crate::files::inode::New;
use abi::Errno;
use machine::frames::Frame;
use std::format;
use std::sync::Arc;
use std::vec::Vec;

const ROOT: Number = 2;

fn volume() -> (Arc<Memory>, Ext4) {
    let memory = Memory::format(32 << 20, &["-N", "512"]);
    let volume = Ext4::open(memory.clone(), false).unwrap();
    (memory, volume)
}

fn make(volume: &Ext4, name: &str, new: New<'_>) -> Number {
    volume.create(place(ROOT, name), new, MAKER).unwrap().0
}

/// A file in so many pieces, a page each.
fn in_pieces(volume: &Ext4, name: &str, pieces: u64) -> Number {
    let number = make(volume, name, New::Regular);
    for index in 0..pieces {
        let size = (index * 2 + 1) * BLOCK as u64;
        volume
            .write(number, index * 2, &[page(1)], size, 0)
            .unwrap();
    }
    number
}

/// An inode also counts blocks that its extents do not have: one for attributes.
#[test]
fn a_volume_is_left_though_a_deleted_file_counts_more_blocks() {
    let (_, volume) = volume();
    let number = in_pieces(&volume, "file", 3);
    let count_more = |state: &mut State| {
        state.edit(number, |_, loaded| {
            loaded.inode.add_blocks(1);
            Ok(())
        })
    };
    volume.change(count_more).unwrap();
    volume.unlink(place(ROOT, "file")).unwrap();
    assert_eq!(volume.unmount(), Ok(()));
    assert_eq!(volume.state.lock().first_orphan(), Ok(0));
}

/// The blocks of a directory in many pieces, which are in the journal, have new
/// owners by the time of the next checkpoint.
#[test]
fn a_large_directory_is_not_written_home_when_it_is_gone() {
    let (memory, volume) = volume();
    let target = make(&volume, "target", New::Regular);
    let both = ["a", "b"].map(|name| (name, make(&volume, name, New::Directory)));
    let name = |index: usize| format!("{index:04}{}", "x".repeat(250));
    // They grow in turn, so that none has neighbouring blocks.
    for some in 0..100 {
        for (_, directory) in both {
            for index in some * 15..some * 15 + 15 {
                volume.link(place(directory, &name(index)), target).unwrap();
            }
        }
    }
    volume.checkpoint().unwrap();
    for (own_name, directory) in both {
        for index in 0..1500 {
            volume.unlink(place(directory, &name(index))).unwrap();
        }
        volume.remove_directory(place(ROOT, own_name)).unwrap();
        volume.release(directory).unwrap();
        volume.commit().unwrap();
    }
    let number = make(&volume, "large", New::Regular);
    let frames: Vec<Frame> = (0..64).map(|_| page(0x5a)).collect();
    let mut pages = 0;
    while pages < 6400 {
        let size = (pages + 64) * BLOCK as u64;
        match volume.write(number, pages, &frames, size, 0) {
            Ok(()) => pages += 64,
            Err(error) => {
                assert_eq!(error, Errno::ENOSPC);
                break;
            }
        }
    }
    volume.unmount().unwrap();
    memory.check();
    let volume = Ext4::open(memory, true).unwrap();
    for index in 0..pages {
        let one = [page(0)];
        volume.read(number, index, &one).unwrap();
        let mut bytes = [0; BLOCK];
        one[0].read(0, &mut bytes);
        assert!(bytes.iter().all(|&byte| byte == 0x5a), "page {index}");
    }
}

/// A file that is being cut is an orphan already when it loses its name.
fn removed_while_it_is_cut(volume: &Ext4) -> Number {
    let number = in_pieces(volume, "f", 100);
    let cut = volume.change(|state| state.resize(number, 0, 0));
    assert_eq!(cut, Ok(false), "there is more to come");
    volume.unlink(place(ROOT, "f")).unwrap();
    number
}

#[test]
fn a_file_may_be_removed_while_it_is_cut() {
    let (memory, volume) = volume();
    let number = removed_while_it_is_cut(&volume);
    volume.set_size(number, 0).unwrap();
    volume.release(number).unwrap();
    volume.unmount().unwrap();
    memory.check();
    Ext4::open(memory, false).unwrap();
}

#[test]
fn the_mount_after_a_crash_ends_a_cut_and_a_removal() {
    let (memory, volume) = volume();
    removed_while_it_is_cut(&volume);
    volume.commit().unwrap();
    let volume = Ext4::open(Memory::holding(memory.contents()), false).unwrap();
    assert_eq!(volume.look_up(place(ROOT, "f")), Err(Errno::ENOENT));
    let memory = Memory::holding(memory.contents());
    Volume::unmount(&Ext4::open(memory.clone(), false).unwrap()).unwrap();
    memory.check();
}

#[test]
fn an_inode_without_names_gets_no_new_one() {
    let (memory, volume) = volume();
    let number = make(&volume, "f", New::Regular);
    volume.unlink(place(ROOT, "f")).unwrap();
    let link = volume.link(place(ROOT, "g"), number);
    assert_eq!(link, Err(Errno::ENOENT));
    volume.release(number).unwrap();
    volume.unmount().unwrap();
    memory.check();
}

#[test]
fn what_has_a_name_is_not_freed() {
    let (memory, volume) = volume();
    let number = in_pieces(&volume, "f", 3);
    assert_eq!(volume.release(number), Err(Errno::EIO));
    let attributes = volume.attributes(number).unwrap();
    assert_eq!(attributes.allocated, 3 * BLOCK as u64);
    volume.unmount().unwrap();
    memory.check();
}

/// Mounts what a crash leaves of a removed file whose record `damage` has changed.
fn mount_with_orphan(damage: impl Fn(&mut Inode)) {
    let (memory, volume) = volume();
    make(&volume, "other", New::Regular);
    let number = in_pieces(&volume, "f", 3);
    volume.unlink(place(ROOT, "f")).unwrap();
    let change = |state: &mut State| {
        state.edit(number, |_, loaded| {
            damage(&mut loaded.inode);
            Ok(())
        })
    };
    volume.change(change).unwrap();
    volume.commit().unwrap();
    let memory = Memory::holding(memory.contents());
    let volume = Ext4::open(memory.clone(), false).unwrap();
    // What is removed from now on goes as ever.
    let other = volume.look_up(place(ROOT, "other")).unwrap();
    volume.unlink(place(ROOT, "other")).unwrap();
    volume.release(other).unwrap();
    volume.unmount().unwrap();
    Ext4::open(memory, false).unwrap();
}

#[test]
fn a_damaged_chain_of_orphans_does_not_forbid_the_mount() {
    mount_with_orphan(|inode| inode.set_deleted(99_999));
    mount_with_orphan(|inode| inode.set_deleted(inode.number));
}

#[test]
fn an_orphan_that_cannot_be_freed_does_not_forbid_the_mount() {
    mount_with_orphan(|inode| inode.body_mut().fill(0xff));
    mount_with_orphan(|inode| inode.set_flags(0));
}
