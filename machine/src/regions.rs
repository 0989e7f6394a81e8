//! Physical memory as firmware lists it, and what of it is free to use. Pure
//! arithmetic on ranges; the boot code fills it in.

use crate::address::PAGE_SIZE;
use arrayvec::ArrayVec;
use core::ops::Range;

/// Ranges a firmware may list, and their splits. More are ignored.
pub const MOST: usize = 128;
/// Below 1 MiB firmware and start-up code live; never handed out.
const LOW_MEMORY: usize = 1 << 20;
/// What the boot page tables show.
pub const EARLY_LIMIT: usize = 4 << 30;

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
    pub const fn new() -> Self {
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

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn usable(regions: &Regions) -> Vec<Range<usize>> {
        let mut usable = regions.usable.to_vec();
        usable.sort_by_key(|range| range.start);
        usable
    }

    #[test]
    fn only_whole_pages_of_usable_memory_above_1_mib_count() {
        let mut regions = Regions::new();
        regions.add(0, 640 * 1024, USABLE);
        regions.add(MIB + 5, 3 * 4096, USABLE);
        regions.add(8 * MIB, MIB, 2);
        regions.add(16 * MIB, 0, USABLE);
        regions.add(u64::MAX - 10, 100, USABLE);
        assert_eq!(regions.bytes(), 2 * 4096);
        assert_eq!(usable(&regions).first(), Some(&(0x10_1000..0x10_3000)));
    }

    #[test]
    fn what_is_reserved_is_cut_out_to_whole_pages() {
        let mut regions = Regions::new();
        regions.add(MIB, 16 * MIB, USABLE);
        regions.reserve(&(0x20_0800..0x20_1001));
        regions.reserve(&(0..0));
        regions.reserve(&(0x100_0000..0x200_0000));
        assert_eq!(
            usable(&regions),
            [0x10_0000..0x20_0000, 0x20_2000..0x100_0000]
        );
        regions.reserve(&(0..0x1000_0000));
        assert_eq!(usable(&regions), []);
    }

    #[test]
    fn early_pages_come_from_below_4_gib() {
        let mut regions = Regions::new();
        regions.add(4 << 30, 1 << 30, USABLE);
        assert_eq!(regions.take_page(), None);
        regions.add(MIB, 2 * 4096, USABLE);
        assert_eq!(regions.take_page(), Some(0x10_1000));
        assert_eq!(regions.take_page(), Some(0x10_0000));
        assert_eq!(regions.take_page(), None);
    }

    #[test]
    fn the_direct_map_covers_all_memory_in_order() {
        let mut regions = Regions::new();
        regions.add(4 << 30, 1 << 30, USABLE);
        regions.add(0, 640 * 1024, USABLE);
        regions.add(MIB, 15 * MIB, USABLE);
        regions.add(16 * MIB, 4095, ACPI_TABLES);
        let direct = regions.direct_ranges();
        assert_eq!(direct.as_slice(), [0..0x100_1000, 4 << 30..5 << 30]);
    }
}
