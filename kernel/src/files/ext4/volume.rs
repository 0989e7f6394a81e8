//! What the VFS asks of a volume, in terms of the operations.

use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::Ordering;

use abi::Errno;
use arrayvec::ArrayVec;
use hashbrown::HashMap;
use machine::frames::Frame;

use super::Ext4;
use super::data::{MOST_BLOCKS, Piece};
use super::extents::Extent;
use super::storage::BLOCK;
use crate::files::clock;
use crate::files::disk::volume::{Attributes, Changes, Maker, Number, Place, Room, Volume};
use crate::files::inode::{Listed, New, Replace, Sought};

const ROOT: Number = 2;
const BLOCK_U64: u64 = BLOCK as u64;
/// Blocks that are worth a checkpoint, if memory is short.
const MANY: usize = 256;
/// So many commits are waited for at most until freed blocks can be had: others may
/// take them each time.
const MOST_COMMITS: usize = 16;

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
        let mut commits = 0;
        loop {
            match self.write_once(inode, start..end, frames, size, modified) {
                // A hole has got blocks meanwhile: there is one less now.
                Err(Errno::EAGAIN) => {}
                // Blocks that were freed can be had after a commit.
                Err(Errno::ENOSPC) if commits < MOST_COMMITS => {
                    commits += 1;
                    self.commit()?;
                }
                result => return result,
            }
        }
    }

    fn reserve(&self, inode: Number, pages: Range<u64>) -> Result<(), Errno> {
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
    fn write_once(
        &self,
        inode: Number,
        range: Range<u32>,
        frames: &[Frame],
        size: u64,
        modified: u64,
    ) -> Result<(), Errno> {
        // Before a commit says EIO: whoever writes must know that it is for good.
        self.check_writable()?;
        self.make_room()?;
        let _gate = self.gate.read();
        self.check_writable()?;
        let pieces = {
            let mut state = self.state.lock();
            let whole = self.is_tight(&state).then_some(size);
            state.plan_write(inode, range.clone(), whole)?
        };
        let mut moved = Ok(());
        for Piece { extent, .. } in &pieces {
            let with_page = extent.within(range.clone());
            let from = (with_page.logical - range.start) as usize;
            let part = &frames[from..from + with_page.length as usize];
            moved = moved
                .and_then(|()| self.clear_blocks(extent.within(0..with_page.logical)))
                .and_then(|()| self.storage.write_pages(with_page.physical, part))
                .and_then(|()| self.clear_blocks(extent.within(with_page.end()..u32::MAX)));
        }
        let mut state = self.state.lock();
        let result = moved.and_then(|()| {
            self.operate(&mut state, 0, &mut |state| {
                state.finish_write(inode, &pieces, size, modified)
            })
        });
        state.unreserve(&pieces);
        result
    }

    /// Fills blocks of data with zeroes: EIO, ENOMEM.
    fn clear_blocks(&self, extent: Extent) -> Result<(), Errno> {
        const AT_ONCE: u64 = 64;
        let blocks = extent.physical..extent.physical + u64::from(extent.length);
        if blocks.is_empty() {
            return Ok(());
        }
        let zeroes = Frame::alloc_zeroed().ok_or(Errno::ENOMEM)?;
        let frames: ArrayVec<Frame, { AT_ONCE as usize }> = blocks
            .clone()
            .take(AT_ONCE as usize)
            .map(|_| zeroes.share())
            .collect();
        let mut at = blocks.start;
        while at < blocks.end {
            let count = AT_ONCE.min(blocks.end - at);
            self.storage.write_pages(at, &frames[..count as usize])?;
            at += count;
        }
        Ok(())
    }
}

fn clear(frames: &[Frame]) {
    for frame in frames {
        frame.fill(0, BLOCK, 0);
    }
}
