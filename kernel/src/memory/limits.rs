//! How much a space may map: `RLIMIT_AS`, `RLIMIT_DATA` and `RLIMIT_STACK` of the
//! process in it (getrlimit(2)). Where there is no limit, nothing is added up.

use super::Space;
use super::regions::{Backing, Region};
use super::space::Layout;
use abi::Errno;
use core::ops::Range;
use machine::page_table::Rights;

/// In bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Of all that is mapped.
    pub size: usize,
    /// Of what the program can write to for itself, but for its stack.
    pub data: usize,
    /// Of each region that grows downwards.
    pub stack: usize,
}

impl Limits {
    pub const NONE: Limits = Limits {
        size: usize::MAX,
        data: usize::MAX,
        stack: usize::MAX,
    };
}

impl Space {
    pub fn set_limits(&self, limits: Limits) {
        self.layout.write().limits = limits;
    }
}

impl Layout {
    /// Whether `length` bytes may be mapped with these rights, `shared` or not,
    /// where what lies in `instead` goes. ENOMEM.
    #[inline]
    pub(super) fn check_limits(
        &self,
        length: usize,
        rights: Rights,
        shared: bool,
        instead: Range<usize>,
    ) -> Result<(), Errno> {
        let Limits { size, data, .. } = self.limits;
        if size == usize::MAX && data == usize::MAX {
            return Ok(());
        }
        let is_data = rights.contains(Rights::WRITE) && !shared;
        self.add_up(length, is_data, instead)
    }

    #[cold]
    fn add_up(&self, length: usize, is_data: bool, instead: Range<usize>) -> Result<(), Errno> {
        let mut size = length;
        let mut data = if is_data { length } else { 0 };
        for region in self.regions.iter() {
            let bytes = region.range().len() - region.part_in(&instead).len();
            size += bytes;
            if is_data_region(region) {
                data += bytes;
            }
        }
        match size <= self.limits.size && (!is_data || data <= self.limits.data) {
            true => Ok(()),
            false => Err(Errno::ENOMEM),
        }
    }
}

fn is_data_region(region: &Region) -> bool {
    let is_stack = matches!(region.backing, Backing::Stack { .. });
    region.rights.contains(Rights::WRITE) && !region.shares_file() && !is_stack
}
