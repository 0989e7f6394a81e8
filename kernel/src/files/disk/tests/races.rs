//! What one thread does between two steps of another.

use super::meanwhile::{Call, Racing};
use super::*;
use crate::files::inode::Maker;
use crate::files::inode::Position;
use std::sync::mpsc::channel;
use std::thread;

impl Racing {
    fn make(&self, name: &[u8]) -> Arc<dyn Inode> {
        let root = self.root.clone();
        root.create(name, New::Regular, Maker::root(0o644)).unwrap()
    }

    /// Unmounts, and lets e2fsck look at what is left.
    fn end(self) {
        unmount(self.root).unwrap();
        self.disk.check();
    }
}

fn write_at(file: &Arc<dyn Inode>, offset: u64, bytes: &[u8]) -> usize {
    let written = file.write_at(Position::At(offset), &mut Source::kernel(bytes));
    written.unwrap().0
}

#[test]
fn a_stat_does_not_forget_a_link() {
    let racing = Racing::new();
    let file = racing.make(b"a");
    write_at(&file, 0, b"precious");
    file.sync(false, None).unwrap();
    // The next stat asks the volume.
    write_at(&file, 0, b"precious");
    let (root, target) = (racing.root.clone(), file.clone());
    racing.volume.at(Call::Attributes, move || {
        root.link(b"b", target).unwrap();
    });
    file.metadata();
    assert_eq!(file.metadata().links, 2);
    racing.root.unlink(b"a").unwrap();
    file.sync(false, None).unwrap();
    drop(file);
    while shrink_names(racing.root.fs(), true) > 0 {}
    racing.root.fs().release_left();
    let file = racing.root.lookup(b"b").unwrap();
    let mut bytes = [0; 8];
    let read = file.read_at(0, &mut Sink::kernel(&mut bytes));
    assert_eq!((read, &bytes), (Ok(8), b"precious"));
    drop(file);
    racing.end();
}

#[test]
fn a_stat_between_the_steps_of_a_change_counts_names_right() {
    let racing = Racing::new();
    let file = racing.make(b"a");
    racing.root.link(b"b", file.clone()).unwrap();
    // Blocks came: the next stat asks the volume.
    write_at(&file, 0, b"x");
    file.sync(false, None).unwrap();
    // As if the volume had removed the name already, and its node not yet.
    let place = racing.root.place_of(b"b");
    volume::Volume::unlink(&racing.volume.volume, place).unwrap();
    assert_eq!(file.metadata().links, 2);
    volume::Volume::link(&racing.volume.volume, place, file.metadata().number as u32).unwrap();
    racing.root.unlink(b"b").unwrap();
    assert_eq!(file.metadata().links, 1);
    drop(file);
    racing.end();
}

#[test]
fn a_stat_does_not_undo_a_change_of_permissions() {
    let racing = Racing::new();
    let file = racing.make(b"a");
    // Blocks came: the next stat asks the volume.
    write_at(&file, 0, b"x");
    file.sync(false, None).unwrap();
    let peer = file.clone();
    racing.volume.at(Call::Attributes, move || {
        peer.set_permissions(0o600).unwrap();
    });
    assert_eq!(file.metadata().permissions, 0o600);
    assert_eq!(file.metadata().permissions, 0o600);
    drop(file);
    racing.end();
}

#[test]
fn allocation_cuts_nothing_off() {
    let racing = Racing::new();
    let file = racing.make(b"a");
    let peer = file.clone();
    let (allocated, has_allocated) = channel();
    let (ended, has_ended) = channel();
    racing.volume.at(Call::Allocate, move || {
        allocated.send(()).unwrap();
    });
    racing.volume.at(Call::Reserve, || ());
    // Half of it is written by the second call.
    racing.volume.at(Call::Reserve, move || {
        thread::spawn(move || {
            peer.allocate(0, 600 << 10, true).unwrap();
            drop(peer);
            ended.send(()).unwrap();
        });
        has_allocated.recv().unwrap();
        // The peer sees the file shorter than it becomes, if it looks at all.
        (0..10_000).for_each(|_| thread::yield_now());
    });
    let count = write_at(&file, 0, &vec![7; 1 << 20]);
    has_ended.recv().unwrap();
    assert_eq!((count, file.metadata().size), (1 << 20, 1 << 20));
    drop(file);
    racing.end();
}

#[test]
fn a_hole_is_not_written_back_while_it_is_allocated() {
    let racing = Racing::new();
    let file = racing.make(b"a");
    write_at(&file, 0, &[7; 8192]);
    let cache = file.pages_to_map().unwrap();
    racing.volume.at(Call::Allocate, move || {
        assert!(cache.is_writing_back());
    });
    file.allocate(0, 16384, true).unwrap();
    file.sync(false, None).unwrap();
    drop(file);
    racing.end();
}

#[test]
fn room_is_promised_once() {
    let racing = Racing::new();
    let [a, b, rest] = [b"a", b"b", b"c"].map(|name| racing.make(name));
    let free = racing.root.fs().statistics().free_blocks;
    // For 100 pages at their worst, and a few more.
    rest.allocate(0, (free - 370) * 4096, true).unwrap();
    let bytes = vec![7; 100 * 4096];
    let (peer, more) = (b.clone(), bytes.clone());
    racing.volume.at(Call::Reserve, move || {
        let write = move || write_at(&peer, 0, &more);
        let count = thread::spawn(write).join().unwrap();
        assert!(count < 100 * 4096, "the same room was promised to both");
    });
    assert_eq!(write_at(&a, 0, &bytes), bytes.len());
    assert_eq!((a.sync(false, None), b.sync(false, None)), (Ok(()), Ok(())));
    drop((a, b, rest));
    racing.end();
}

#[test]
fn what_was_not_cut_off_does_not_come_back() {
    let racing = Racing::new();
    let file = racing.make(b"a");
    write_at(&file, 0, &vec![7; 1 << 20]);
    file.sync(false, None).unwrap();
    racing.volume.fail_once(Call::SetSize, Errno::EIO);
    assert_eq!(file.set_size(10), Err(Errno::EIO));
    // It stays as short as it seems until the rest is cut off.
    let grow = || file.write_at(Position::At(1 << 19), &mut Source::kernel(b"x"));
    racing.volume.fail_once(Call::SetSize, Errno::EIO);
    assert_eq!(grow(), Err(Errno::EIO));
    racing.volume.fail_once(Call::SetSize, Errno::EIO);
    assert_eq!(file.set_size(1 << 19), Err(Errno::EIO));
    assert_eq!(file.metadata().size, 10);
    assert_eq!(grow(), Ok((1, (1 << 19) + 1)));
    let mut bytes = vec![1; (1 << 19) - 10];
    let read = file.read_at(10, &mut Sink::kernel(&mut bytes));
    assert_eq!(read, Ok(bytes.len()));
    assert!(bytes.iter().all(|&byte| byte == 0));
    drop(file);
    racing.end();
}

#[test]
fn who_syncs_ends_a_cut_that_failed() {
    let racing = Racing::new();
    let file = racing.make(b"a");
    write_at(&file, 0, &vec![7; 1 << 20]);
    file.sync(false, None).unwrap();
    racing.volume.fail_once(Call::SetSize, Errno::EIO);
    assert_eq!(file.set_size(10), Err(Errno::EIO));
    file.sync(false, None).unwrap();
    let number = file.metadata().number as u32;
    let found = volume::Volume::attributes(&racing.volume.volume, number).unwrap();
    assert_eq!((found.size, found.allocated), (10, 4096));
    drop(file);
    racing.end();
}

#[test]
fn a_cut_without_memory_is_tried_again() {
    let racing = Racing::new();
    let file = racing.make(b"a");
    write_at(&file, 0, &[7; 10_000]);
    racing.volume.fail_once(Call::SetSize, Errno::ENOMEM);
    assert_eq!(file.set_size(10), Ok(()));
    drop(file);
    racing.end();
}

#[test]
fn a_time_that_is_set_while_pages_are_written_stays() {
    let racing = Racing::new();
    let file = racing.make(b"a");
    write_at(&file, 0, b"x");
    let peer = file.clone();
    racing.volume.at(Call::Write, move || {
        peer.set_times(None, Some(1_000_000_000)).unwrap();
    });
    cache::flush_all();
    file.sync(false, None).unwrap();
    let number = file.metadata().number as u32;
    let on_disk = Volume::attributes(&racing.volume.volume, number).unwrap();
    assert_eq!(
        (file.metadata().modified, on_disk.modified),
        (1_000_000_000, 1_000_000_000)
    );
    drop(file);
    racing.end();
}

#[test]
fn who_frees_waits_for_what_is_being_freed() {
    let racing = Racing::new();
    let file = racing.make(b"a");
    racing.root.unlink(b"a").unwrap();
    let fs = racing.root.fs().clone();
    let (told, hears) = channel();
    racing.volume.at(Call::Release, move || {
        // A peer would go on only after this.
        told.send(fs.releasing.try_lock().is_none()).unwrap();
    });
    drop(file);
    racing.root.fs().release_left();
    assert_eq!(hears.recv(), Ok(true));
    racing.end();
}
