//! The start information of the PVH boot protocol (Xen's `hvm_start_info`).

use super::firmware::{Firmware, read};

const MAGIC: u32 = 0x336e_c578;

#[derive(Clone, Copy)]
#[repr(C)]
struct StartInfo {
    magic: u32,
    version: u32,
    flags: u32,
    modules: u32,
    module_list: u64,
    command_line: u64,
    root_pointer: u64,
    memory_map: u64,
    memory_map_entries: u32,
    _reserved: u32,
}

#[derive(Clone, Copy)]
#[repr(C)]
struct Module {
    address: u64,
    size: u64,
    _command_line: u64,
    _reserved: u64,
}

#[derive(Clone, Copy)]
#[repr(C)]
struct MapEntry {
    address: u64,
    size: u64,
    kind: u32,
    _reserved: u32,
}

/// Reads the start information at `physical`.
///
/// # Safety
/// A PVH boot loader passed that address, and nothing was overwritten yet.
pub unsafe fn parse(physical: usize) -> Firmware {
    let mut firmware = Firmware::new();
    // SAFETY: 1. the structure is where the loader says; 2. all it points to
    // is valid by the protocol; version 1 has the memory map.
    unsafe {
        let info: StartInfo = read(physical);
        assert!(
            info.magic == MAGIC && info.version >= 1,
            "no PVH start information"
        );
        for index in 0..info.memory_map_entries as usize {
            let entry: MapEntry = read(info.memory_map as usize + index * size_of::<MapEntry>());
            firmware.regions.add(entry.address, entry.size, entry.kind);
        }
        if info.command_line != 0 {
            firmware.set_command_line(info.command_line as usize);
        }
        if info.modules > 0 {
            let module: Module = read(info.module_list as usize);
            firmware.module = module.address as usize..(module.address + module.size) as usize;
        }
        if info.root_pointer != 0 {
            firmware.root_pointer = Some(info.root_pointer as usize);
        }
    }
    firmware
}
