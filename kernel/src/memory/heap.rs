//! The break: where the heap that brk(2) moves ends.

use super::Space;
use super::regions::{Backing, Region};
use super::space::Layout;
use abi::memory::{PAGE_SIZE, USER_END};
use machine::frames;
use machine::page_table::Rights;

impl Space {
    /// Says where the heap starts: at the first page border from `end` on,
    /// the end of the program's data. It is empty.
    pub fn set_heap(&self, end: usize) {
        let start = end.next_multiple_of(PAGE_SIZE);
        self.layout.write().heap = start..start;
    }

    /// Moves the break, as brk(2) does on Linux: the new break, or the old one
    /// if that is not possible. What a lower break leaves is unmapped on every
    /// CPU before this returns.
    pub fn brk(&self, new: usize) -> usize {
        let mut layout = self.layout.write();
        self.move_break(&mut layout, new);
        layout.heap.end
    }

    /// Moves the break by `delta` bytes and returns the old one. ENOMEM.
    pub fn sbrk(&self, delta: isize) -> Result<usize, abi::Errno> {
        let mut layout = self.layout.write();
        let old = layout.heap.end;
        let new = old.checked_add_signed(delta).ok_or(abi::Errno::ENOMEM)?;
        self.move_break(&mut layout, new);
        if layout.heap.end == new {
            Ok(old)
        } else {
            Err(abi::Errno::ENOMEM)
        }
    }

    fn move_break(&self, layout: &mut Layout, new: usize) {
        let old = layout.heap.end;
        if new < layout.heap.start || new > USER_END {
            return;
        }
        let mapped = old.next_multiple_of(PAGE_SIZE);
        let wanted = new.next_multiple_of(PAGE_SIZE);
        let moved = if wanted > mapped {
            grow(layout, mapped, wanted)
        } else if wanted < mapped {
            self.unmap_in(layout, wanted..mapped).is_ok()
        } else {
            true
        };
        if moved {
            layout.heap.end = new;
        }
    }
}

/// Maps `from..to`, if nothing is there and memory for it may be found: a
/// program that grows its heap until that fails is told in time.
fn grow(layout: &mut Layout, from: usize, to: usize) -> bool {
    let region = Region {
        start: from,
        end: to,
        rights: Rights::READ | Rights::WRITE,
        backing: Backing::Private,
    };
    let above = layout.regions.after(from).map_or(USER_END, Region::floor);
    to <= above
        && frames::may_have((to - from) / PAGE_SIZE)
        && layout.regions.insert(region).is_ok()
}
