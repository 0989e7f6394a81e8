//! The few facts wanted from ACPI's static tables: CPUs, interrupt
//! controllers, and how to power off. Reads the MADT, the FADT, and of the
//! DSDT only the package `\_S5_`, so no interpreter is needed.

use super::firmware::{EARLY_LIMIT, read};
use crate::cpu::MAX;
use arrayvec::ArrayVec;

/// An I/O interrupt controller: where it is, and its first line.
#[derive(Clone, Copy, Debug)]
pub struct IoApic {
    pub address: usize,
    pub first_line: u32,
}

/// An ISA interrupt that is not on the line of its number.
#[derive(Clone, Copy, Debug)]
pub struct Override {
    pub isa: u8,
    pub line: u32,
    /// Polarity and trigger, as in the MADT.
    pub flags: u16,
}

/// How to power off.
#[derive(Clone, Copy, Debug)]
pub enum PowerOff {
    None,
    /// A byte to write to the sleep control register, at a physical address
    /// or a port.
    SleepControl {
        address: usize,
        is_port: bool,
        value: u8,
    },
    /// A word to write to the PM1a control port.
    Pm1a {
        port: u16,
        value: u16,
    },
}

/// What was found; without ACPI, one CPU and nothing else.
pub struct Tables {
    /// Interrupt controller numbers of the usable CPUs.
    pub cpus: ArrayVec<u32, MAX>,
    pub io_apics: ArrayVec<IoApic, 8>,
    pub overrides: ArrayVec<Override, 16>,
    pub power_off: PowerOff,
    pub local_apic: usize,
    pub virtio: ArrayVec<VirtioPlace, 32>,
}

/// Where a virtio device may be in memory, and its interrupt line.
#[derive(Clone, Copy, Debug)]
pub struct VirtioPlace {
    pub address: usize,
    pub line: u32,
}

/// Fields all tables begin with.
#[derive(Clone, Copy)]
#[repr(C, packed)]
struct Header {
    signature: [u8; 4],
    length: u32,
    _rest: [u8; 28],
}

/// Reads the tables, from the root pointer or where the BIOS has it.
///
/// # Safety
/// `root_pointer`, if given, is one. The direct map shows the first 4 GiB.
pub unsafe fn parse(root_pointer: Option<usize>) -> Tables {
    let mut tables = Tables {
        cpus: ArrayVec::new(),
        io_apics: ArrayVec::new(),
        overrides: ArrayVec::new(),
        power_off: PowerOff::None,
        local_apic: 0xfee0_0000,
        virtio: ArrayVec::new(),
    };
    // SAFETY: firmware's tables hold addresses of tables; those beyond what is
    // mapped are passed over.
    unsafe {
        if let Some(root) = root_pointer.or_else(|| find_root_pointer()) {
            let (list, width) = if read::<u8>(root + 15) >= 2 && read::<u64>(root + 24) != 0 {
                (read::<u64>(root + 24) as usize, 8)
            } else {
                (read::<u32>(root + 16) as usize, 4)
            };
            for_each_table(
                list,
                width,
                &mut |signature, table, length| match signature {
                    b"APIC" => tables.read_madt(table, length),
                    b"FACP" => tables.read_fadt(table, length),
                    _ => {}
                },
            );
        }
    }
    tables
}

/// Looks where a BIOS leaves the root pointer: the first KiB of the extended
/// BIOS data area, and the BIOS's own range.
unsafe fn find_root_pointer() -> Option<usize> {
    // SAFETY: the first MiB is mapped.
    unsafe {
        let extended = usize::from(read::<u16>(0x40e)) << 4;
        let mut places = (extended..extended + 1024)
            .step_by(16)
            .chain((0xe_0000..0x10_0000).step_by(16));
        places.find(|&place| {
            read::<[u8; 8]>(place) == *b"RSD PTR "
                && (0..20).fold(0u8, |sum, byte| sum.wrapping_add(read(place + byte))) == 0
        })
    }
}

unsafe fn for_each_table(list: usize, width: usize, act: &mut dyn FnMut(&[u8; 4], usize, usize)) {
    // SAFETY: see `parse`.
    unsafe {
        if list == 0 || list + size_of::<Header>() > EARLY_LIMIT {
            return;
        }
        let header: Header = read(list);
        for entry in (list + size_of::<Header>()..list + header.length as usize).step_by(width) {
            let table = if width == 8 {
                read::<u64>(entry) as usize
            } else {
                read::<u32>(entry) as usize
            };
            if table != 0 && table + size_of::<Header>() <= EARLY_LIMIT {
                let header: Header = read(table);
                act(&header.signature, table, header.length as usize);
            }
        }
    }
}

impl Tables {
    unsafe fn read_madt(&mut self, table: usize, length: usize) {
        // SAFETY: see `parse`; each kind of entry has the layout read here.
        unsafe {
            self.local_apic = read::<u32>(table + 36) as usize;
            let mut entry = table + 44;
            while entry + 2 <= table + length {
                let (kind, size): (u8, u8) = (read(entry), read(entry + 1));
                match kind {
                    0 => self.add_cpu(u32::from(read::<u8>(entry + 3)), read(entry + 4)),
                    9 => self.add_cpu(read(entry + 4), read(entry + 8)),
                    1 => {
                        let _ = self.io_apics.try_push(IoApic {
                            address: read::<u32>(entry + 4) as usize,
                            first_line: read(entry + 8),
                        });
                    }
                    2 => {
                        let _ = self.overrides.try_push(Override {
                            isa: read(entry + 3),
                            line: read(entry + 4),
                            flags: read(entry + 8),
                        });
                    }
                    5 => self.local_apic = read::<u64>(entry + 4) as usize,
                    _ => {}
                }
                entry += usize::from(size.max(2));
            }
        }
    }

    fn add_cpu(&mut self, apic_id: u32, flags: u32) {
        // More CPUs than the kernel has room for stay halted.
        if flags & 1 != 0 && !self.cpus.contains(&apic_id) {
            let _ = self.cpus.try_push(apic_id);
        }
    }
}

impl Tables {
    unsafe fn read_fadt(&mut self, table: usize, length: usize) {
        // SAFETY: see `parse`; fields beyond the table's length are not read.
        unsafe {
            let mut dsdt = read::<u32>(table + 40) as usize;
            if length >= 148 && read::<u64>(table + 140) != 0 {
                dsdt = read::<u64>(table + 140) as usize;
            }
            self.power_off = power_off(table, length, dsdt);
            find_virtio(dsdt, &mut self.virtio);
        }
    }
}

unsafe fn power_off(table: usize, length: usize, dsdt: usize) -> PowerOff {
    const REDUCED_HARDWARE: u32 = 1 << 20;
    const SLEEP_ENABLE: u8 = 1 << 5;
    const PM1_SLEEP_ENABLE: u16 = 1 << 13;
    // SAFETY: see `parse`; fields beyond the table's length are not read.
    unsafe {
        let sleep_type = find_s5(dsdt).unwrap_or(0);
        if length >= 256 && read::<u32>(table + 112) & REDUCED_HARDWARE != 0 {
            return PowerOff::SleepControl {
                address: read::<u64>(table + 244 + 4) as usize,
                is_port: read::<u8>(table + 244) == 1,
                value: sleep_type << 2 | SLEEP_ENABLE,
            };
        }
        let port = read::<u32>(table + 64) as u16;
        if port == 0 {
            return PowerOff::None;
        }
        PowerOff::Pm1a {
            port,
            value: u16::from(sleep_type) << 10 | PM1_SLEEP_ENABLE,
        }
    }
}

/// The first element of the package `\_S5_`: the sleep type that means off.
unsafe fn find_s5(dsdt: usize) -> Option<u8> {
    const PACKAGE: u8 = 0x12;
    const BYTE: u8 = 0x0a;
    if dsdt == 0 || dsdt + size_of::<Header>() > EARLY_LIMIT {
        return None;
    }
    // SAFETY: see `parse`.
    unsafe {
        let length = read::<Header>(dsdt).length as usize;
        let end = dsdt + length;
        let name = (dsdt + 36..end.saturating_sub(12))
            .find(|&at| read::<[u8; 4]>(at) == *b"_S5_" && read::<u8>(at + 4) == PACKAGE)?;
        // The package's length (one to four bytes, by the top bits of the
        // first), its count of elements, then the first element.
        let lead: u8 = read(name + 5);
        let element = name + 5 + 1 + usize::from(lead >> 6) + 1;
        match read::<u8>(element) {
            BYTE => Some(read(element + 1)),
            // Zero and one are their own encodings.
            value @ 0..=1 => Some(value),
            _ => None,
        }
    }
}

/// The virtio devices that the DSDT describes: objects with the hardware id
/// `LNRO0005`, whose resources are a range of memory and an interrupt (ACPI
/// specification, sections 6.4.3.4 and 6.4.3.6). The bytes are searched for
/// these, which takes no interpreter.
unsafe fn find_virtio(dsdt: usize, found: &mut ArrayVec<VirtioPlace, 32>) {
    const ID: [u8; 8] = *b"LNRO0005";
    const MEMORY: [u8; 3] = [0x86, 9, 0];
    const INTERRUPT: [u8; 3] = [0x89, 6, 0];
    /// The resources come so soon behind the id.
    const NEAR: usize = 128;
    if dsdt == 0 || dsdt + size_of::<Header>() > EARLY_LIMIT {
        return;
    }
    // SAFETY: see `parse`.
    unsafe {
        let end = dsdt + read::<Header>(dsdt).length as usize;
        let mut at = dsdt + size_of::<Header>();
        while at + ID.len() < end {
            if read::<[u8; 8]>(at) != ID {
                at += 1;
                continue;
            }
            let behind = at + ID.len();
            // What is found ends within the table: the longer one has 12 bytes.
            let near = behind..(behind + NEAR).min(end.saturating_sub(12));
            let place = |pattern| near.clone().find(|&at| read::<[u8; 3]>(at) == pattern);
            if let (Some(memory), Some(interrupt)) = (place(MEMORY), place(INTERRUPT)) {
                let _ = found.try_push(VirtioPlace {
                    address: read::<u32>(memory + 4) as usize,
                    line: read(interrupt + 5),
                });
            }
            at += ID.len();
        }
    }
}
