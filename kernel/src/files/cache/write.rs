//! Changing a file: writes, a page that a fault writes to, changes of size.

use abi::Errno;
use machine::frames::Frame;

use super::page_map::{Page, State};
use super::room::Promise;
use super::{PAGE, PageCache, Pages, pages_of, registry};
use crate::files::buffer::Source;
use crate::files::hooks;
use crate::files::inode::Position;
use crate::limits;
use core::ops::Range;
use core::sync::atomic::Ordering;

/// A page that a write is to go to.
enum Target {
    /// In the cache.
    Resident(Frame),
    /// Not in the cache; what the file has there, if anything, is not needed
    /// if the write succeeds in full.
    Fresh(Frame),
}

/// How large the running process may make a file, which is to have a byte at
/// `offset`: EFBIG, and its signal, if that is too large.
pub fn allowed(offset: u64) -> Result<u64, Errno> {
    let Some(hooks) = hooks::get() else {
        return Ok(u64::MAX);
    };
    let most = hooks.largest_file();
    if offset < most {
        return Ok(most);
    }
    hooks.file_too_large();
    Err(Errno::EFBIG)
}

impl PageCache {
    /// Copies to `offset`; a gap behind the old end reads as zeros. The number
    /// of bytes, and the offset behind them: fewer than asked for if memory,
    /// the store's room or the user's buffer end.
    ///
    /// # Errors
    /// If nothing was written: EFBIG past the largest size, ENOSPC and EIO of
    /// the store, ENOMEM.
    pub fn write_at(&self, at: Position, from: &mut Source<'_>) -> Result<(usize, u64), Errno> {
        let change = self.change.lock();
        let offset = match at {
            Position::At(offset) => offset,
            Position::End => self.size(),
        };
        let wanted = from.remaining() as u64;
        if wanted == 0 {
            return Ok((0, offset));
        }
        let most = self.largest_size.min(limits::size() as u64);
        if offset >= most || offset.saturating_sub(self.size()) > limits::gap() as u64 {
            return Err(Errno::EFBIG);
        }
        let most = most.min(allowed(offset)?);
        let end = self.sealed_end(offset, offset + wanted.min(most - offset))?;
        if end > self.size() {
            self.store.finish_cut()?;
        }
        // Held until the file has grown past it.
        let _tail = if offset > self.size() {
            self.clear_tail()?
        } else {
            None
        };
        let (mut at, mut reserved) = (offset, 0);
        let mut promise = self.promise();
        let mut result = Ok(());
        while at < end {
            if at / PAGE >= reserved {
                // One call may write more than memory holds.
                self.throttle();
                let pages = at / PAGE..pages_of(end);
                let mut got = self.reserve(pages.clone(), &mut promise);
                if got == Err(Errno::ENOSPC) && self.dirty() > 0 {
                    // What is dirty may have been promised more than it needs.
                    self.flush();
                    got = self.reserve(pages, &mut promise);
                }
                result = got.map(|to| reserved = to);
                if result.is_err() {
                    break;
                }
            }
            let length = (end - at).min(PAGE - at % PAGE) as usize;
            let written = from.attempt(|from| self.write_page(at, length, from, &mut promise));
            let copied = *written.as_ref().unwrap_or(&0);
            at += copied as u64;
            result = written.map(|_| ());
            if copied < length {
                break;
            }
        }
        drop(promise);
        drop(change);
        self.throttle();
        if at == offset {
            result?;
        }
        Ok(((at - offset) as usize, at))
    }

    /// The frame of page `index` for a fault that writes: read if need be,
    /// reserved and dirty. `None` behind the end of the file.
    ///
    /// # Errors
    /// ENOSPC and EIO of the store, ENOMEM.
    pub fn page_for_write(&self, index: u64) -> Result<Option<Frame>, Errno> {
        loop {
            let Some(frame) = self.page(index)? else {
                return Ok(None);
            };
            let mut promise = self.promise();
            self.reserve(index..index + 1, &mut promise)?;
            if self.dirty_if_same(index, &frame, &mut promise) {
                return Ok(Some(frame));
            }
        }
    }

    /// Cuts off at `size`, or extends with zeros. Waits for reads by the store of
    /// what is cut off, and for writes that tell it of the old size. Then calls
    /// `follow`, in which the store frees what lies behind the end (what it keeps
    /// there would come back with a later extension): no write or other change of
    /// size comes before.
    ///
    /// # Errors
    /// EFBIG past the largest size; of an extension, those of `page_for_write`
    /// and of a cut before it; that of `follow`, with the size changed.
    pub fn set_size(
        &self,
        size: u64,
        follow: impl FnOnce() -> Result<(), Errno>,
    ) -> Result<(), Errno> {
        if size > self.largest_size {
            return Err(Errno::EFBIG);
        }
        let _change = self.change.lock();
        self.check_size(size)?;
        if size > self.size() {
            self.extend(size)?;
        } else if size < self.size() {
            self.cut(size);
        }
        follow()
    }

    /// The same for a file that is shorter; nothing for one that is not, or not
    /// any more. Whether it was.
    pub fn grow_to(
        &self,
        size: u64,
        follow: impl FnOnce() -> Result<(), Errno>,
    ) -> Result<bool, Errno> {
        if size > self.largest_size {
            return Err(Errno::EFBIG);
        }
        let _change = self.change.lock();
        if size <= self.size() {
            return Ok(false);
        }
        self.check_size(size)?;
        self.extend(size)?;
        follow().map(|()| true)
    }

    /// The file is gone: drops all pages without writing them.
    pub fn discard(&self) {
        let _change = self.change.lock();
        self.cut(0);
    }

    /// See [`Store::finish_cut`].
    pub fn finish_cut(&self) -> Result<(), Errno> {
        let _change = self.change.lock();
        self.store.finish_cut()
    }

    /// The same, unless somebody changes the file.
    pub fn try_finish_cut(&self) -> Option<Result<(), Errno>> {
        let _change = self.change.try_lock()?;
        Some(self.store.finish_cut())
    }

    /// Extends with zeros, with the change held.
    fn extend(&self, size: u64) -> Result<(), Errno> {
        self.store.finish_cut()?;
        let _tail = self.clear_tail()?;
        self.grow(&mut self.pages.lock(), size);
        Ok(())
    }

    /// Shrinks. Those who come from now on find the new end, so it is enough to
    /// wait for those who came before.
    fn cut(&self, size: u64) {
        {
            let _pages = self.pages.lock();
            self.size.store(size, Ordering::Release);
        }
        self.unmap_from(pages_of(size));
        let mut at = size / PAGE;
        self.idle.wait_until(|| {
            let mut pages = self.pages.lock();
            if pages.told_size > size {
                return None;
            }
            while let Some(index) = pages.map.next(at) {
                let page = pages.map.get_mut(index)?;
                if page.state != State::Ready {
                    return None;
                }
                if index == size / PAGE && !size.is_multiple_of(PAGE) {
                    let tail = (size % PAGE) as usize;
                    page.frame.fill(tail, PAGE as usize - tail, 0);
                } else {
                    if let Some(promised) = pages.map.take_dirty(index) {
                        self.forget_dirty(1, usize::from(promised));
                    }
                    pages.map.remove(index);
                }
                at = index + 1;
            }
            self.note_count(&pages);
            Some(())
        });
    }

    /// Before the file grows: zeroes what the last page has behind the end. The
    /// page, which whoever lets the file grow holds until then: it is written
    /// once more with the new size, for what the store has there is anything.
    fn clear_tail(&self) -> Result<Option<Frame>, Errno> {
        let size = self.size();
        let tail = (size % PAGE) as usize;
        if tail == 0 {
            return Ok(None);
        }
        let last = self.page_for_write(size / PAGE)?;
        if let Some(frame) = &last {
            frame.fill(tail, PAGE as usize - tail, 0);
        }
        Ok(last)
    }

    /// Writes `length` bytes at `at`, which lie in one page that is reserved;
    /// how many. The copy runs without a lock but that of the change.
    fn write_page(
        &self,
        at: u64,
        length: usize,
        from: &mut Source<'_>,
        promise: &mut Promise<'_>,
    ) -> Result<usize, Errno> {
        let index = at / PAGE;
        let within = (at % PAGE) as usize;
        let (frame, is_fresh) = match self.target(index, length)? {
            Target::Resident(frame) => (frame, false),
            Target::Fresh(frame) => (frame, true),
        };
        let copied = from.take_frame(&frame, within, length);
        if copied == 0 {
            return Ok(0);
        }
        let end = at + copied as u64;
        // A page of the file that the copy did not fill has to be read after
        // all; one behind the end is zero where the copy did not reach.
        let is_whole = copied == PAGE as usize || index >= pages_of(self.size());
        if is_fresh && is_whole && self.enter(index, &frame, end, promise)? {
            return Ok(copied);
        }
        if is_fresh {
            let Some(resident) = self.page(index)? else {
                return Ok(0);
            };
            copy_part(&resident, &frame, within..within + copied);
            self.finish(index, &resident, end, promise);
        } else {
            self.finish(index, &frame, end, promise);
        }
        Ok(copied)
    }

    /// Where bytes for page `index` are put.
    fn target(&self, index: u64, length: usize) -> Result<Target, Errno> {
        let is_needed = index < pages_of(self.size())
            && (length < PAGE as usize || self.pages.lock().map.contains(index));
        if is_needed && let Some(frame) = self.page(index)? {
            return Ok(Target::Resident(frame));
        }
        let frame = registry::take_frame()?;
        if length < PAGE as usize {
            frame.fill(0, PAGE as usize, 0);
        }
        Ok(Target::Fresh(frame))
    }

    /// Makes `frame` page `index`, dirty, of a file that reaches to `end` at
    /// least. False if there is a page by now.
    fn enter(
        &self,
        index: u64,
        frame: &Frame,
        end: u64,
        promise: &mut Promise<'_>,
    ) -> Result<bool, Errno> {
        let mut pages = self.pages.lock();
        if pages.map.contains(index) {
            return Ok(false);
        }
        // A short copy left what the frame had before behind it.
        let valid = end.saturating_sub(index * PAGE).min(PAGE) as usize;
        frame.fill(valid, PAGE as usize - valid, 0);
        let page = Page {
            frame: frame.share(),
            state: State::Ready,
            used: true,
        };
        pages.map.insert(index, page)?;
        pages.map.set_dirty(index, || promise.use_one());
        self.note_dirty();
        self.grow(&mut pages, end);
        self.note_count(&pages);
        Ok(true)
    }

    /// After a copy to `frame`, which is page `index`. Both at once: write-back
    /// in between would write the page with the old size, and be content.
    fn finish(&self, index: u64, frame: &Frame, end: u64, promise: &mut Promise<'_>) {
        let mut pages = self.pages.lock();
        self.mark_dirty(&mut pages, index, frame, promise);
        self.grow(&mut pages, end);
    }

    /// With the change held, and a reference to the last page if the file ends
    /// inside it.
    fn grow(&self, pages: &mut Pages, end: u64) {
        let size = self.size();
        if end <= size {
            return;
        }
        // The store has written it with the old size, and anything behind that.
        let last = size / PAGE;
        let again = || {
            self.store.reserve_again();
            true
        };
        if !size.is_multiple_of(PAGE)
            && pages.map.contains(last)
            && pages.map.set_dirty(last, again)
        {
            self.note_dirty();
        }
        self.size.store(end, Ordering::Release);
    }

    /// Marks page `index` dirty if `frame` still is that page.
    fn dirty_if_same(&self, index: u64, frame: &Frame, promise: &mut Promise<'_>) -> bool {
        self.mark_dirty(&mut self.pages.lock(), index, frame, promise)
    }

    /// The same with the pages locked.
    fn mark_dirty(
        &self,
        pages: &mut Pages,
        index: u64,
        frame: &Frame,
        promise: &mut Promise<'_>,
    ) -> bool {
        let page = pages.map.get_mut(index);
        if !page.is_some_and(|page| page.frame.is_same(frame)) {
            return false;
        }
        if pages.map.set_dirty(index, || promise.use_one()) {
            self.note_dirty();
        }
        true
    }
}

/// Copies `range` of one frame to the same place in another.
fn copy_part(to: &Frame, from: &Frame, range: Range<usize>) {
    let mut bytes = [0; 256];
    for start in range.clone().step_by(bytes.len()) {
        let part = &mut bytes[..(range.end - start).min(256)];
        from.read(start, part);
        to.write(start, part);
    }
}
