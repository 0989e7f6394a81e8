//! What the boot loader says, in one form whatever its protocol, and the map
//! of memory that is free to use.

use crate::address::{PAGE_SIZE, direct};
use arrayvec::{ArrayString, ArrayVec};
use core::ops::Range;

/// Ranges a firmware may list, and their splits. More are ignored.
pub const MOST: usize = 128;
/// Below 1 MiB firmware and start-up code live; never handed out.
const LOW_MEMORY: usize = 1 << 20;
/// What the boot page tables show.
pub const EARLY_LIMIT: usize = 4 << 30;

/// What the boot loader says.
pub struct Firmware {
    pub regions: Regions,
    pub command_line: ArrayString<2048>,
    /// The initial image, in physical memory.
    pub module: Range<usize>,
    /// Physical address of the ACPI root pointer, if it was told.
    pub root_pointer: Option<usize>,
}

impl Firmware {
    pub fn new() -> Self {
        Self {
            regions: Regions::new(),
            command_line: ArrayString::new(),
            module: 0..0,
            root_pointer: None,
        }
    }

    /// Keeps the command line at `physical`, cut off if it is overlong. A line
    /// that is not UTF-8 is kept up to where it stops being so.
    ///
    /// # Safety
    /// A string that ends with a zero byte lies there.
    pub unsafe fn set_command_line(&mut self, physical: usize) {
        let room = self.command_line.capacity();
        let mut bytes = ArrayVec::<u8, 2048>::new();
        while bytes.len() < room {
            // SAFETY: the bytes up to the zero are the string's.
            match unsafe { read::<u8>(physical + bytes.len()) } {
                0 => break,
                byte => bytes.push(byte),
            }
        }
        let text = match core::str::from_utf8(&bytes) {
            Ok(text) => text,
            Err(error) => core::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or(""),
        };
        self.command_line.clear();
        self.command_line.push_str(text);
    }
}

/// Physical memory.
#[derive(Clone)]
pub struct Regions {
    /// Ranges that may be used, whole pages.
    pub usable: ArrayVec<Range<usize>, MOST>,
    /// Ranges that are memory, used or not.
    memory: ArrayVec<Range<usize>, MOST>,
}

/// The types of E820 that are memory.
const USABLE: u32 = 1;
const ACPI_TABLES: u32 = 3;
const ACPI_STORAGE: u32 = 4;

impl Regions {
    const fn new() -> Self {
        Self {
            usable: ArrayVec::new_const(),
            memory: ArrayVec::new_const(),
        }
    }

    /// Adds a line of the firmware's map.
    pub fn add(&mut self, start: u64, length: u64, kind: u32) {
        let (Ok(start), Ok(length)) = (usize::try_from(start), usize::try_from(length)) else {
            return;
        };
        let Some(end) = start.checked_add(length) else {
            return;
        };
        if length == 0 || !matches!(kind, USABLE | ACPI_TABLES | ACPI_STORAGE) {
            return;
        }
        let outward = start & !(PAGE_SIZE - 1)..end.next_multiple_of(PAGE_SIZE);
        let _ = self.memory.try_push(outward);
        if kind == USABLE {
            let inward = start.next_multiple_of(PAGE_SIZE).max(LOW_MEMORY)..end & !(PAGE_SIZE - 1);
            if !inward.is_empty() {
                let _ = self.usable.try_push(inward);
            }
        }
    }

    /// Takes `range` out of what may be used.
    pub fn reserve(&mut self, range: &Range<usize>) {
        if range.is_empty() {
            return;
        }
        let start = range.start & !(PAGE_SIZE - 1);
        let end = range.end.next_multiple_of(PAGE_SIZE);
        let before = core::mem::take(&mut self.usable);
        for region in before {
            for rest in [
                region.start..region.end.min(start),
                region.start.max(end)..region.end,
            ] {
                if !rest.is_empty() {
                    let _ = self.usable.try_push(rest);
                }
            }
        }
    }

    /// Takes one page from the end of a usable range that the boot page tables
    /// show.
    pub fn take_page(&mut self) -> Option<usize> {
        let early = |range: &&mut Range<usize>| range.end <= EARLY_LIMIT && range.start < range.end;
        let range = self
            .usable
            .iter_mut()
            .filter(early)
            .max_by_key(|range| range.len())?;
        range.end -= PAGE_SIZE;
        Some(range.end)
    }

    /// Bytes that may be used.
    pub fn bytes(&self) -> u64 {
        self.usable.iter().map(|range| range.len() as u64).sum()
    }

    /// What the direct map shows: all memory, and the first MiB whole, where
    /// firmware has tables.
    pub fn direct_ranges(&self) -> ArrayVec<Range<usize>, { MOST + 1 }> {
        let mut all: ArrayVec<Range<usize>, { MOST + 1 }> = self.memory.iter().cloned().collect();
        all.push(0..LOW_MEMORY);
        all.sort_unstable_by_key(|range| range.start);
        let mut merged: ArrayVec<Range<usize>, { MOST + 1 }> = ArrayVec::new();
        for range in all {
            match merged.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        merged
    }
}

/// Reads a value from physical memory, wherever it is aligned.
///
/// # Safety
/// Memory the direct map shows holds a valid `T` there.
pub unsafe fn read<T: Copy>(physical: usize) -> T {
    // SAFETY: passed on to the caller.
    unsafe { (direct(physical) as *const T).read_unaligned() }
}
