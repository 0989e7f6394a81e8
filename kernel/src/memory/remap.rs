//! Moving and resizing what is mapped: what mremap(2) does once its arguments
//! are judged. Pages move with their contents, and nothing is copied.

use super::Space;
use super::mapping::{FileMapping, FileRange};
use super::regions::{Backing, Region};
use super::space::{Layout, no_memory};
use crate::files::cache::MAX_SIZE;
use abi::Errno;
use abi::memory::{PAGE_SIZE, USER_END};
use alloc::sync::Arc;
use core::ops::Range;

/// Whether a mapping may move, and where to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Move {
    /// It stays where it is.
    Never,
    /// Only if it has to.
    IfNeeded,
    /// In any case; to this address if that is free.
    Somewhere(usize),
    /// To this address, instead of what is there.
    To(usize),
}

impl Space {
    /// Makes what is mapped at `old`, in whole pages, `length` bytes long; where
    /// it is then. A range of no length stands for its start, and is mapped once
    /// more. With `keeps`, the old range stays mapped, and is empty.
    ///
    /// # Errors
    /// EFAULT if not all is mapped, and alike; EINVAL; ENOMEM where there is no room.
    pub fn remap(
        self: &Arc<Self>,
        mut old: Range<usize>,
        length: usize,
        movement: Move,
        keeps: bool,
    ) -> Result<usize, Errno> {
        let mut layout = self.layout.write();
        let region = layout.regions.find(old.start).ok_or(Errno::EFAULT)?;
        let region = region.clone();
        let tail = old.start + length.min(old.len())..old.end;
        if matches!(movement, Move::Never | Move::IfNeeded) && length <= old.len() {
            self.unmap_in(&mut layout, tail)?;
            return Ok(old.start);
        }
        old.end = tail.start;
        check(&region, &old, length)?;
        let replaced = match movement {
            Move::To(start) => start..start + length,
            _ => 0..0,
        };
        let more = if keeps {
            length
        } else {
            length.saturating_sub(old.len())
        };
        layout.check_limits(more, region.rights, region.shares_file(), replaced)?;
        let start = match movement {
            Move::Never | Move::IfNeeded => {
                if let Some(grown) = self.grow_in_place(&mut layout, &region, &old, length) {
                    return grown.map(|()| old.start);
                }
                if movement == Move::Never {
                    return Err(Errno::ENOMEM);
                }
                layout.place(0, length)?.start
            }
            Move::Somewhere(hint) => layout.place(hint, length)?.start,
            Move::To(start) => {
                self.unmap_in(&mut layout, start..start + length)?;
                start
            }
        };
        self.move_to(&mut layout, &region, &old, start..start + length, keeps)?;
        if !tail.is_empty() {
            self.unmap_in(&mut layout, tail)?;
        }
        Ok(start)
    }

    /// Grows the region upwards if `old` ends where it does; none if there is no
    /// room above.
    fn grow_in_place(
        self: &Arc<Self>,
        layout: &mut Layout,
        region: &Region,
        old: &Range<usize>,
        length: usize,
    ) -> Option<Result<(), Errno>> {
        let end = old.start.checked_add(length)?;
        let next = layout.regions.after(old.end);
        let is_free = end <= next.map_or(USER_END, Region::floor);
        if old.end != region.end || !is_free {
            return None;
        }
        let backing = match &region.backing {
            Backing::File(mapping) => {
                let range = region.start..end;
                match self.mapping_like(mapping, region.start, range) {
                    Ok(backing) => backing,
                    Err(error) => return Some(Err(error)),
                }
            }
            backing => backing.clone(),
        };
        layout.regions.grow_up(region.start, end, backing);
        Some(Ok(()))
    }

    /// Maps what `region` has at `old` at `new` instead, or besides.
    fn move_to(
        self: &Arc<Self>,
        layout: &mut Layout,
        region: &Region,
        old: &Range<usize>,
        new: Range<usize>,
        keeps: bool,
    ) -> Result<(), Errno> {
        let backing = match &region.backing {
            Backing::File(mapping) => self.mapping_like(mapping, old.start, new.clone())?,
            // One that grows downwards does so no more.
            Backing::Private | Backing::Stack { .. } => Backing::Private,
            Backing::Vdso { base } => Backing::Vdso {
                base: base.wrapping_sub(old.start).wrapping_add(new.start),
            },
        };
        let moved = Region {
            start: new.start,
            end: new.end,
            backing,
            ..region.clone()
        };
        if old.is_empty() {
            return layout.regions.insert(moved).map_err(no_memory);
        }
        // What can fail comes first.
        if !keeps {
            layout.regions.prepare_removal(old).map_err(no_memory)?;
        }
        let moved = layout.regions.insert(moved).map_err(no_memory);
        if moved.and_then(|()| self.relocate(old, new.start)).is_err() {
            layout.regions.remove(new).map_err(no_memory)?;
            layout.regions.join(old.start);
            return Err(Errno::ENOMEM);
        }
        if !keeps {
            layout.search_from = layout.search_from.max(old.end);
            layout.regions.remove(old.clone()).map_err(no_memory)?;
        }
        Ok(())
    }

    /// Moves the pages. The caller has the space's lock: no peer sees them gone.
    fn relocate(&self, old: &Range<usize>, to: usize) -> Result<(), Errno> {
        let mut flush = self.table.flush();
        let relocated = self.table.relocate(old.clone(), to, &mut flush);
        relocated.map_err(no_memory)
    }

    /// A mapping at `range` of what `mapping` shows from `address` on.
    fn mapping_like(
        self: &Arc<Self>,
        mapping: &Arc<FileMapping>,
        address: usize,
        range: Range<usize>,
    ) -> Result<Backing, Errno> {
        let file = FileRange {
            first: mapping.page(address),
            ..mapping.file.clone()
        };
        FileMapping::new(file, range, Arc::downgrade(self)).map(Backing::File)
    }
}

/// What keeps a part of a region from becoming longer or moving.
fn check(region: &Region, old: &Range<usize>, length: usize) -> Result<(), Errno> {
    // Nobody else would see the same.
    if old.is_empty() && !region.shares_file() {
        return Err(Errno::EINVAL);
    }
    match &region.backing {
        Backing::File(mapping) => {
            let end = mapping.page(old.start) + (length / PAGE_SIZE) as u64;
            if end > MAX_SIZE / PAGE_SIZE as u64 {
                return Err(Errno::EINVAL);
            }
        }
        Backing::Vdso { .. } if old.len() != length => return Err(Errno::EFAULT),
        Backing::Private | Backing::Stack { .. } | Backing::Vdso { .. } => {}
    }
    match old.end <= region.end {
        true => Ok(()),
        false => Err(Errno::EFAULT),
    }
}
