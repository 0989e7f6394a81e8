//! The bytes of one regular file: pages of a cache that nothing writes back.
//!
//! What the initial image has for the file is read from where it lies, into
//! pages that may be dropped again; a page that was written stays until the
//! file is cut or gone. Everything else is a gap that reads as zeros.
//!
//! Locks: the cache's; `PromisedFrames` guards the frames that are kept for
//! pages behind the end.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering};

use abi::Errno;
use abi::memory::PAGE_SIZE;
use machine::frames::Frame;
use sync::{SpinLock, rank};

use crate::files::allocate::{memory_for, try_arc, try_box};
use crate::files::buffer::{Sink, Source};
use crate::files::cache::{PageCache, Store, shrink_all};
use crate::files::inode::{Position, Sought};

use super::room::Room;

const PAGE: u64 = PAGE_SIZE as u64;

/// See the module.
pub struct Content {
    cache: Arc<PageCache>,
    below: Arc<Below>,
}

/// What stands behind the cache.
struct Below {
    /// From the initial image; holds where no page was written.
    image: &'static [u8],
    /// How much of it still holds: what was cut off is gone for good.
    image_length: AtomicUsize,
    /// For pages that were allocated behind the end, and not written yet.
    promised: SpinLock<Vec<Frame>, rank::PromisedFrames>,
    /// For pages that are dirty, promised or about to be.
    room: Room,
}

impl Content {
    /// ENOMEM.
    pub fn new(image: &'static [u8]) -> Result<Content, Errno> {
        let below = try_arc(Below {
            image,
            image_length: AtomicUsize::new(image.len()),
            promised: SpinLock::new(Vec::new()),
            room: Room::new(),
        })?;
        let cache = PageCache::new(try_box(below.clone())?, image.len() as u64)?;
        Ok(Content { cache, below })
    }

    pub fn cache(&self) -> &Arc<PageCache> {
        &self.cache
    }

    pub fn size(&self) -> u64 {
        self.cache.size()
    }

    /// Bytes of memory it takes that cannot be had back.
    pub fn allocated(&self) -> u64 {
        let pages = self.cache.dirty() + self.below.promised.lock().len();
        pages as u64 * PAGE + self.below.image_length.load(Ordering::Relaxed) as u64
    }

    /// Copies from `offset` up to the end of the file or of the sink. ENOMEM.
    pub fn read(&self, offset: u64, into: &mut Sink<'_>) -> Result<usize, Errno> {
        self.cache.read_at(offset, into)
    }

    /// Copies, as much as there is memory for; how much, and the offset behind
    /// it. An error only if nothing could be written: ENOSPC, or EFBIG past the
    /// largest size.
    pub fn write(&self, at: Position, from: &mut Source<'_>) -> Result<(usize, u64), Errno> {
        self.cache.write_at(at, from).map_err(no_space)
    }

    /// Makes pages for `length` bytes at `offset`, so that writes there find
    /// them: ENOSPC, EFBIG. The file grows if `extends`.
    pub fn allocate(&self, offset: u64, length: u64, extends: bool) -> Result<(), Errno> {
        let end = offset.checked_add(length).ok_or(Errno::EFBIG)?;
        self.cache.check_size(end.max(self.size()))?;
        let pages = offset / PAGE..end.div_ceil(PAGE);
        self.below
            .make_room(pages.end - pages.start)
            .map_err(no_space)?;
        let inside = self.size().div_ceil(PAGE);
        for page in pages.start..pages.end.min(inside) {
            self.cache.page_for_write(page).map_err(no_space)?;
        }
        self.below.promise(pages.end.saturating_sub(inside))?;
        if extends {
            self.cache.grow_to(end, || Ok(()))?;
        }
        Ok(())
    }

    /// The first byte of data or of a gap from `offset` on: ENXIO at and past
    /// the end. The end counts as a gap.
    pub fn seek(&self, offset: u64, sought: Sought) -> Result<u64, Errno> {
        let size = self.size();
        if offset >= size {
            return Err(Errno::ENXIO);
        }
        let image_end = self.below.image_length.load(Ordering::Relaxed) as u64;
        let written = |page| self.cache.next_dirty(page);
        let is_data = |at: u64| at < image_end || written(at / PAGE) == Some(at / PAGE);
        let found = match sought {
            Sought::Data if is_data(offset) => offset,
            Sought::Data => match written(offset / PAGE) {
                Some(page) if page * PAGE < size => page * PAGE,
                _ => return Err(Errno::ENXIO),
            },
            Sought::Hole => {
                let mut at = offset;
                while at < size && is_data(at) {
                    at = (at / PAGE + 1) * PAGE;
                }
                at
            }
        };
        Ok(found.min(size))
    }

    /// Cuts off at `size`, or extends with a gap. EFBIG past the largest size.
    pub fn set_size(&self, size: u64) -> Result<(), Errno> {
        let below = &self.below;
        let shrinks = size < self.size();
        self.cache
            .set_size(size, || {
                if shrinks {
                    below.cut(size);
                    below.room.keep(self.cache.dirty());
                }
                Ok(())
            })
            .map_err(no_space)
    }
}

/// To a file, memory is space.
fn no_space(error: Errno) -> Errno {
    match error {
        Errno::ENOMEM => Errno::ENOSPC,
        error => error,
    }
}

impl Below {
    /// What the image has of the page.
    fn image(&self, page: u64) -> &'static [u8] {
        let length = self.image_length.load(Ordering::Acquire);
        let start = page.saturating_mul(PAGE).min(length as u64) as usize;
        &self.image[start..length.min(start + PAGE_SIZE)]
    }

    /// A later extension must find zeros behind the cut.
    fn cut(&self, size: u64) {
        let kept = size.min(self.image.len() as u64) as usize;
        self.image_length.fetch_min(kept, Ordering::AcqRel);
        let freed = core::mem::take(&mut *self.promised.lock());
        drop(freed);
    }

    /// Keeps frames for `pages` pages. ENOSPC.
    fn promise(&self, pages: u64) -> Result<(), Errno> {
        let mut promised = self.promised.lock();
        let more = (pages as usize).saturating_sub(promised.len());
        promised.try_reserve(more).map_err(|_| Errno::ENOSPC)?;
        self.room.take(more)?;
        for _ in 0..more {
            promised.push(Frame::alloc().ok_or(Errno::ENOSPC)?);
        }
        Ok(())
    }

    /// ENOMEM unless files may take that many frames. Pages that can be read
    /// again make room.
    fn make_room(&self, pages: u64) -> Result<(), Errno> {
        let pages = usize::try_from(pages).map_err(|_| Errno::ENOMEM)?;
        if memory_for(pages) || (shrink_all(pages) > 0 && memory_for(pages)) {
            return Ok(());
        }
        Err(Errno::ENOMEM)
    }
}

impl Store for Arc<Below> {
    fn read(&self, first: u64, frames: &[Frame]) -> Result<(), Errno> {
        for (page, frame) in (first..).zip(frames) {
            let image = self.image(page);
            frame.write(0, image);
            frame.fill(image.len(), PAGE_SIZE - image.len(), 0);
        }
        Ok(())
    }

    fn write(&self, _: u64, _: &[Frame], _: u64) -> Result<(), Errno> {
        // The cache keeps what is dirty.
        Err(Errno::EIO)
    }

    fn reserve(&self, pages: Range<u64>) -> Result<bool, Errno> {
        let wanted = (pages.end - pages.start) as usize;
        let mut promised = self.promised.lock();
        let left = promised.len().saturating_sub(wanted);
        let given = promised.len() - left;
        promised.truncate(left);
        drop(promised);
        let more = wanted - given;
        if more > 0 {
            self.make_room(more as u64)?;
            self.room.take(more)?;
        }
        // What is taken stays so until it is cut off.
        Ok(false)
    }

    fn keeps_dirty(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::cache::MAX_SIZE;
    use proptest::prelude::*;
    use std::vec;

    static IMAGE: [u8; 9000] = {
        let mut image = [0; 9000];
        let mut at = 0;
        while at < image.len() {
            image[at] = (at % 251) as u8 + 1;
            at += 1;
        }
        image
    };

    #[derive(Clone, Debug)]
    enum Step {
        Write(u64, usize, u8),
        Read(u64, usize),
        Resize(u64),
        Allocate(u64, u64),
        Seek(u64),
    }

    fn offset() -> impl Strategy<Value = u64> {
        prop_oneof![0u64..12_000, 4090u64..4100, 0u64..40_000]
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => (offset(), 0usize..10_000, 1u8..).prop_map(|(o, l, b)| Step::Write(o, l, b)),
            3 => (offset(), 0usize..10_000).prop_map(|(o, l)| Step::Read(o, l)),
            1 => offset().prop_map(Step::Resize),
            1 => (offset(), 1u64..10_000).prop_map(|(o, l)| Step::Allocate(o, l)),
            1 => offset().prop_map(Step::Seek),
        ]
    }

    fn write_model(model: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let end = offset + bytes.len();
        model.resize(model.len().max(end), 0);
        model[offset..end].copy_from_slice(bytes);
    }

    proptest! {
        #[test]
        fn behaves_as_bytes(image in 0usize..9000, steps in proptest::collection::vec(step(), 0..40)) {
            machine::frames::arena::init();
            let content = Content::new(&IMAGE[..image]).unwrap();
            let mut model = IMAGE[..image].to_vec();
            for step in steps {
                match step {
                    Step::Write(offset, length, byte) => {
                        let bytes = vec![byte; length];
                        let mut source = Source::kernel(&bytes);
                        let at = Position::At(offset);
                        let written = content.write(at, &mut source).unwrap();
                        prop_assert_eq!(written, (length, offset + length as u64));
                        write_model(&mut model, offset as usize, &bytes);
                    }
                    Step::Read(offset, length) => {
                        let mut bytes = vec![0xee; length];
                        let mut sink = Sink::kernel(&mut bytes);
                        let count = content.read(offset, &mut sink).unwrap();
                        let start = model.len().min(offset as usize);
                        let expected = &model[start..model.len().min(start + length)];
                        prop_assert_eq!(&bytes[..count], expected);
                    }
                    Step::Resize(size) => {
                        content.set_size(size).unwrap();
                        model.resize(size as usize, 0);
                    }
                    Step::Allocate(offset, length) => {
                        content.allocate(offset, length, false).unwrap();
                    }
                    Step::Seek(offset) => {
                        let data = content.seek(offset, Sought::Data);
                        let hole = content.seek(offset, Sought::Hole);
                        prop_assert_eq!(hole.is_err(), offset >= model.len() as u64);
                        // All that is skipped in search of data is zero.
                        let start = model.len().min(offset as usize);
                        let end = data.map_or(model.len(), |at| at as usize);
                        prop_assert!(model[start..end.max(start)].iter().all(|&byte| byte == 0));
                        prop_assert!(hole.is_err() || data == Ok(offset) || hole == Ok(offset));
                    }
                }
                prop_assert_eq!(content.size(), model.len() as u64);
            }
        }
    }

    #[test]
    fn far_offsets() {
        machine::frames::arena::init();
        let content = Content::new(&[]).unwrap();
        let write = |offset| content.write(Position::At(offset), &mut Source::kernel(b"xy"));
        assert_eq!(write(MAX_SIZE), Err(Errno::EFBIG));
        assert_eq!(write(u64::MAX), Err(Errno::EFBIG));
        assert_eq!(write(MAX_SIZE - 1), Ok((1, MAX_SIZE)));
        assert_eq!(content.size(), MAX_SIZE);
        assert_eq!(content.set_size(MAX_SIZE + 1), Err(Errno::EFBIG));
        content.set_size(0).unwrap();
        assert_eq!(content.allocated(), 0);
    }
}
