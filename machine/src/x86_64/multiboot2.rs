//! The boot information of multiboot2, as GRUB passes it.

use super::firmware::{Firmware, read};

const END: u32 = 0;
const COMMAND_LINE: u32 = 1;
const MODULE: u32 = 3;
const MEMORY_MAP: u32 = 6;
const ROOT_POINTER_1: u32 = 14;
const ROOT_POINTER_2: u32 = 15;

#[derive(Clone, Copy)]
#[repr(C)]
struct MapEntry {
    address: u64,
    size: u64,
    kind: u32,
    _reserved: u32,
}

/// Reads the boot information at `physical`.
///
/// # Safety
/// A multiboot2 loader passed that address, and nothing was overwritten yet.
pub unsafe fn parse(physical: usize) -> Firmware {
    let mut firmware = Firmware::new();
    // The total size and a reserved word, then tags, each 8-byte aligned.
    let mut tag = physical + 8;
    loop {
        // SAFETY: the tag list is valid by the protocol, and ends with END.
        let (kind, size) = unsafe { (read::<u32>(tag), read::<u32>(tag + 4) as usize) };
        if kind == END {
            return firmware;
        }
        // SAFETY: as above; each kind has the layout that is read here.
        unsafe {
            match kind {
                COMMAND_LINE => firmware.set_command_line(tag + 8),
                MODULE if firmware.module.is_empty() => {
                    let (start, end): (u32, u32) = (read(tag + 8), read(tag + 12));
                    firmware.module = start as usize..end as usize;
                }
                MEMORY_MAP => {
                    let step = read::<u32>(tag + 8) as usize;
                    for entry in (tag + 16..tag + size).step_by(step.max(size_of::<MapEntry>())) {
                        let entry: MapEntry = read(entry);
                        firmware.regions.add(entry.address, entry.size, entry.kind);
                    }
                }
                // The tag holds a copy; the newer kind comes last and wins.
                ROOT_POINTER_1 | ROOT_POINTER_2 => firmware.root_pointer = Some(tag + 8),
                _ => {}
            }
        }
        tag += size.next_multiple_of(8);
    }
}
