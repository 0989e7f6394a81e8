//! The disks there are, by name: `vda`, `vdb`, and so on.

use alloc::sync::Arc;

use arrayvec::ArrayVec;
use sync::OnceCell;

use super::Disk;
use crate::files::allocate::try_arc;
use crate::files::inode::device_number;

/// As many letters as names have.
const MOST: usize = 26;

static DISKS: OnceCell<ArrayVec<Arc<Disk>, MOST>> = OnceCell::new();

/// Takes over the machine's disks. Once, at boot.
pub fn find_all() {
    let mut disks = ArrayVec::new();
    machine::disk::Disk::find(&mut |device| {
        let disk = try_arc(Disk::new(device));
        let kept = disk.is_ok_and(|disk| disks.try_push(disk).is_ok());
        if !kept {
            log::warn!("there are more disks than names or memory for them");
        }
    });
    // Boot calls this once.
    let _ = DISKS.set(disks);
}

/// As Linux numbers virtio disks, with room for their partitions.
pub const MAJOR: u32 = 254;
pub const MINORS: u32 = 16;

/// The device number of disk `index`.
pub const fn number(index: usize) -> u64 {
    device_number(MAJOR, index as u32 * MINORS)
}

/// Which disk a device number stands for.
pub fn index_of(device: u64) -> Option<usize> {
    (0..MOST).find(|&index| number(index) == device)
}

/// The disk that a name as `/dev/vda` or `vda` stands for.
pub fn find_name(name: &str) -> Option<usize> {
    let name = name.strip_prefix("/dev/").unwrap_or(name);
    match name.strip_prefix("vd")?.as_bytes() {
        [letter @ b'a'..=b'z'] => Some(usize::from(letter - b'a')),
        _ => None,
    }
}

/// The disk `vda` (0), `vdb` (1), …
pub fn find(index: usize) -> Option<Arc<Disk>> {
    DISKS.get()?.get(index).cloned()
}

/// Calls `act` for each disk, with its number.
pub fn for_each(mut act: impl FnMut(usize, &Arc<Disk>)) {
    for (index, disk) in DISKS.get().into_iter().flatten().enumerate() {
        act(index, disk);
    }
}

/// Makes durable what was written to any disk. An error leaves it to be
/// flushed again, and who synchronises a file is told then.
pub fn flush_all() {
    for disk in DISKS.get().into_iter().flatten() {
        if let Err(error) = disk.flush_written() {
            log::error!("a disk cannot be flushed: {error}");
        }
    }
}

/// Line `line` interrupts; false if no disk does so there.
pub fn interrupt(line: usize) -> bool {
    let mut known = false;
    for disk in DISKS.get().into_iter().flatten() {
        if disk.device.line() == line {
            disk.interrupt();
            known = true;
        }
    }
    known
}
