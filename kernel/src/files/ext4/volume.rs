//! What the VFS asks of a volume, in terms of the operations.

use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::Ordering;

use abi::Errno;
use hashbrown::HashMap;
use machine::frames::Frame;

use super::Ext4;
use super::data::{MOST_BLOCKS, Piece};
use super::extents::Extent;
use super::storage::BLOCK;
use crate::files::clock;
use crate::files::disk::volume::{Attributes, Changes, Number, Place, Room, Volume};
use crate::files::inode::{Listed, Maker, New, Replace, Sought};

const ROOT: Number = 2;
const BLOCK_U64: u64 = BLOCK as u64;
/// Blocks that are worth a checkpoint, if memory is short.
const MANY: usize = 256;
/// So many commits are waited for at most until freed blocks can be had: others may
/// take them each time.
const MOST_COMMITS: usize = 16;

/// Pages of a file to be written.
struct Data<'f> {
    range: Range<u32>,
    frames: &'f [Frame],
    /// The file is so long, at least.
    size: u64,
    modified: u64,
    /// No extent is split for them.
    stays_whole: bool,
}

impl Volume for Ext4 {
    fn root(&self) -> Number {
        ROOT
    }

    fn shrink(&self, all: bool) -> usize {
        let homeless = self.state.lock().buffers.homeless_count();
        if homeless >= MANY || all && homeless > 0 {
            self.bring_home();
        }
        let mut state = self.state.lock();
        if all {
            state.loaded = HashMap::new();
            state.indices = HashMap::new();
        }
        state.buffers.shrink(all)
    }

    fn room(&self) -> Room {
        let state = self.state.lock();
        Room {
            block_size: BLOCK_U64,
            blocks: state.geometry.blocks,
            free_blocks: self.blocks_to_have(&state),
            inodes: state.geometry.inodes.into(),
            free_inodes: state.free_inodes.saturating_sub(self.kept_free.inodes),
        }
    }

    fn largest_size(&self) -> u64 {
        MOST_BLOCKS * BLOCK_U64
    }

    fn attributes(&self, inode: Number) -> Result<Attributes, Errno> {
        let mut state = self.state.lock();
        state.with(inode, |_, loaded| {
            loaded.inode.attributes().ok_or(Errno::EIO)
        })
    }

    fn update(&self, inode: Number, changes: Changes) -> Result<(), Errno> {
        self.change(|state| {
            state.edit(inode, |_, loaded| {
                let inode = &mut loaded.inode;
                if let Some(permissions) = changes.permissions {
                    inode.set_permissions(permissions);
                }
                let mut owner = inode.owner();
                owner.user = changes.user.unwrap_or(owner.user);
                owner.group = changes.group.unwrap_or(owner.group);
                inode.set_owner(owner);
                if let Some(time) = changes.accessed {
                    inode.set_accessed(time);
                }
                if let Some(time) = changes.modified {
                    inode.set_modified(time);
                }
                inode.set_changed(clock::now());
                Ok(())
            })
        })
    }

    fn look_up(&self, place: Place<'_>) -> Result<Number, Errno> {
        self.state.lock().look_up(place)
    }

    fn list(
        &self,
        directory: Number,
        from: u64,
        emit: &mut dyn FnMut(Listed<'_>) -> bool,
    ) -> Result<(), Errno> {
        let mut state = self.state.lock();
        state.with(directory, |state, loaded| state.list(loaded, from, emit))
    }

    fn create(
        &self,
        place: Place<'_>,
        new: New<'_>,
        maker: Maker,
    ) -> Result<(Number, Attributes), Errno> {
        self.change(|state| {
            self.check_limits(state, matches!(new, New::Directory))?;
            state.create(place, new, maker)
        })
    }

    fn link(&self, place: Place<'_>, inode: Number) -> Result<(), Errno> {
        self.change(|state| state.link(place, inode))
    }

    fn unlink(&self, place: Place<'_>) -> Result<(), Errno> {
        self.change(|state| state.unlink(place, false))
    }

    fn remove_directory(&self, place: Place<'_>) -> Result<(), Errno> {
        self.change(|state| state.unlink(place, true))
    }

    fn rename(&self, from: Place<'_>, to: Place<'_>, replace: Replace) -> Result<(), Errno> {
        self.change(|state| match replace {
            Replace::Exchange => state.exchange(from, to),
            Replace::Yes | Replace::No => state.rename(from, to),
        })
    }

    fn release(&self, inode: Number) -> Result<(), Errno> {
        self.free(inode)
    }

    fn read_link(&self, inode: Number) -> Result<Vec<u8>, Errno> {
        self.state.lock().read_link(inode)
    }

    fn read(&self, inode: Number, first: u64, frames: &[Frame]) -> Result<(), Errno> {
        let start = u32::try_from(first).map_err(|_| Errno::EFBIG)?;
        let range = start..start.saturating_add(frames.len() as u32);
        let (extents, size) = {
            let mut state = self.state.lock();
            let extents = state.map_range(inode, range.clone())?;
            let size = state.with(inode, |_, loaded| Ok(loaded.inode.size()))?;
            (extents, size)
        };
        let mut at = range.start;
        let frame = |logical: u32| (logical - range.start) as usize;
        for extent in extents.iter().filter(|extent| !extent.unwritten) {
            clear(&frames[frame(at)..frame(extent.logical)]);
            let part = &frames[frame(extent.logical)..frame(extent.end())];
            self.storage.read_pages(extent.physical, part)?;
            at = extent.end();
        }
        clear(&frames[frame(at).min(frames.len())..]);
        // What lies behind the end is anything.
        let end = size.saturating_sub(first * BLOCK_U64);
        if let Some(last) = frames.get((end / BLOCK_U64) as usize) {
            let within = (end % BLOCK_U64) as usize;
            last.fill(within, BLOCK - within, 0);
        }
        Ok(())
    }

    fn write(
        &self,
        inode: Number,
        first: u64,
        frames: &[Frame],
        size: u64,
        modified: u64,
    ) -> Result<(), Errno> {
        let start = u32::try_from(first).map_err(|_| Errno::EFBIG)?;
        let end = start.checked_add(frames.len() as u32).ok_or(Errno::EFBIG)?;
        let size = size.min(u64::from(end) * BLOCK_U64);
        let mut new = Data {
            range: start..end,
            frames,
            size,
            modified,
            stays_whole: false,
        };
        let mut commits = 0;
        loop {
            match self.write_once(inode, &new) {
                // A hole has got blocks meanwhile: there is one less now.
                Err(Errno::EAGAIN) => {}
                // Blocks that were freed can be had after a commit.
                Err(Errno::ENOSPC) if commits < MOST_COMMITS => {
                    commits += 1;
                    new.stays_whole = true;
                    self.commit()?;
                }
                result => return result,
            }
        }
    }

    fn reserve(&self, inode: Number, pages: Range<u64>) -> Result<bool, Errno> {
        self.check_writable()?;
        self.promise(inode, pages)
    }

    fn reserve_again(&self) {
        self.promised.fetch_add(1, Ordering::AcqRel);
    }

    fn unreserve(&self, pages: u64) {
        self.promised.fetch_sub(pages, Ordering::AcqRel);
    }

    fn set_size(&self, inode: Number, size: u64) -> Result<(), Errno> {
        self.cut(inode, size)
    }

    fn allocate(
        &self,
        inode: Number,
        offset: u64,
        length: u64,
        extends: bool,
    ) -> Result<(), Errno> {
        let end = offset + length;
        let last = u32::try_from(end.div_ceil(BLOCK_U64)).map_err(|_| Errno::EFBIG)?;
        let mut at = (offset / BLOCK_U64) as u32;
        let size = extends.then_some(end);
        {
            let mut state = self.state.lock();
            let holes = state.count_lack(inode, at..last)?.holes;
            self.check_allocation(&state, holes)?;
        }
        while at < last {
            at = self.change(|state| state.allocate(inode, at..last, size, clock::now()))?;
        }
        Ok(())
    }

    fn seek(&self, inode: Number, offset: u64, sought: Sought, size: u64) -> Result<u64, Errno> {
        self.state.lock().seek(inode, offset, sought, size)
    }

    fn commit(&self) -> Result<(), Errno> {
        match self.read_only {
            true => Ok(()),
            false => Ext4::commit(self),
        }
    }

    fn unmount(&self) -> Result<(), Errno> {
        match self.read_only {
            true => Ok(()),
            false => {
                let result = self.mark(false);
                // Whoever comes later must not begin a transaction.
                self.aborted.store(true, Ordering::Release);
                result
            }
        }
    }
}

impl Ext4 {
    fn write_once(&self, inode: Number, new: &Data<'_>) -> Result<(), Errno> {
        // Before a commit says EIO: whoever writes must know that it is for good.
        self.check_writable()?;
        self.make_room()?;
        let (pieces, left) = {
            let mut state = self.state.lock();
            let whole = new.stays_whole || self.is_tight(&state);
            let left = match whole {
                true => 0,
                false => self.left_by(new.frames.len()),
            };
            let size = whole.then_some(new.size);
            (state.plan_write(inode, new.range.clone(), size)?, left)
        };
        let moved = self.move_data(new, &pieces);
        let _gate = self.gate.read();
        let mut state = self.state.lock();
        let result = moved.and_then(|()| {
            self.operate(&mut state, left, &mut |state| {
                state.finish_write(inode, &pieces, new.size, new.modified)
            })
        });
        state.unreserve(&pieces);
        result
    }

    /// Writes pages where a plan has them, and zeroes where it has more.
    fn move_data(&self, new: &Data<'_>, pieces: &[Piece]) -> Result<(), Errno> {
        for Piece { extent, .. } in pieces {
            let with_page = extent.within(new.range.clone());
            let from = (with_page.logical - new.range.start) as usize;
            let part = &new.frames[from..from + with_page.length as usize];
            self.clear_blocks(extent.within(0..with_page.logical))?;
            self.storage.write_pages(with_page.physical, part)?;
            self.clear_blocks(extent.within(with_page.end()..u32::MAX))?;
        }
        Ok(())
    }

    /// Fills blocks of data with zeroes: EIO.
    fn clear_blocks(&self, extent: Extent) -> Result<(), Errno> {
        const AT_ONCE: usize = 64;
        // As nearly always.
        if extent.length == 0 {
            return Ok(());
        }
        let frames: [Frame; AT_ONCE] = core::array::from_fn(|_| self.zeroes.share());
        let mut blocks = extent.blocks();
        while !blocks.is_empty() {
            let count = (blocks.end - blocks.start).min(AT_ONCE as u64);
            self.storage
                .write_pages(blocks.start, &frames[..count as usize])?;
            blocks.start += count;
        }
        Ok(())
    }
}

fn clear(frames: &[Frame]) {
    for frame in frames {
        frame.fill(0, BLOCK, 0);
    }
}
