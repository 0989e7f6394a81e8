//! Finding pages, and reading those that are missing: several at a time where
//! the file is read in order.

use arrayvec::ArrayVec;

use abi::Errno;
use machine::frames::Frame;

use super::page_map::{Page, State};
use super::{CLUSTER, PAGE, PageCache, Pages, pages_of, registry};
use crate::files::buffer::Sink;

/// Pages that one look under the lock finds: the lock costs little then, and
/// is held shortly.
const BATCH: usize = 16;
/// Pages the first read of a file takes.
const FIRST_WINDOW: u64 = 4;

/// Guesses what is read next, from what was missing last.
pub struct ReadAhead {
    /// The page behind the last window.
    next: u64,
    window: u64,
}

impl ReadAhead {
    pub const fn new() -> ReadAhead {
        ReadAhead { next: 0, window: 0 }
    }

    /// How many pages to read from `index` on, of which the caller wants
    /// `wanted`: twice as many each time as long as the file is read in order.
    fn window(&self, index: u64, wanted: u64) -> u64 {
        let ahead = match self.window {
            _ if index != self.next => 0,
            0 => FIRST_WINDOW,
            window => window * 2,
        };
        ahead.max(wanted).min(CLUSTER as u64)
    }

    fn went(&mut self, index: u64, count: u64) {
        let in_order = index == self.next;
        self.window = if in_order { count } else { 0 };
        self.next = index + count;
    }
}

/// What a look at a page found.
enum Look {
    Ready(Frame),
    /// Another thread is reading it.
    Reading,
    Missing,
    /// Behind the end of the file.
    Past,
}

type Frames = ArrayVec<Frame, CLUSTER>;

impl PageCache {
    /// Copies from `offset` up to the end of the file or of the sink.
    ///
    /// # Errors
    /// Those of the store, and ENOMEM, if nothing was copied before.
    pub fn read_at(&self, offset: u64, into: &mut Sink<'_>) -> Result<usize, Errno> {
        let mut at = offset;
        let mut done = 0;
        loop {
            let left = self.size().saturating_sub(at).min(into.remaining() as u64);
            if left == 0 {
                return Ok(done);
            }
            let first = at / PAGE;
            let wanted = pages_of(at % PAGE + left);
            let frames = match self.find(first, wanted) {
                Ok(frames) => frames,
                Err(_) if done > 0 => return Ok(done),
                Err(error) => return Err(error),
            };
            if frames.is_empty() {
                return Ok(done);
            }
            let mut left = left;
            for frame in &frames {
                let within = (at % PAGE) as usize;
                let length = left.min(PAGE - at % PAGE) as usize;
                let copied = into.put_frame(frame, within..within + length);
                done += copied;
                at += copied as u64;
                left -= copied as u64;
                if copied < length {
                    return Ok(done);
                }
            }
        }
    }

    /// The frame of page `index`, read if it is not in memory; `None` behind
    /// the end of the file. For page faults that read. The reference keeps the
    /// page from reclaim, not from a cut.
    ///
    /// # Errors
    /// Those of the store, and ENOMEM.
    pub fn page(&self, index: u64) -> Result<Option<Frame>, Errno> {
        loop {
            let look = self.look(&mut self.pages.lock(), index);
            match look {
                Look::Ready(frame) => return Ok(Some(frame)),
                Look::Past => return Ok(None),
                Look::Reading => self.wait_for(index),
                Look::Missing => self.read_missing(index, 1)?,
            }
        }
    }

    /// The frames of some pages from `first` on, at least one unless that lies
    /// behind the end, at most `wanted`.
    fn find(&self, first: u64, wanted: u64) -> Result<ArrayVec<Frame, BATCH>, Errno> {
        let mut frames = ArrayVec::new();
        loop {
            let most = wanted.min(BATCH as u64);
            let mut pages = self.pages.lock();
            let stopped =
                (first..first + most).find_map(|index| match self.look(&mut pages, index) {
                    Look::Ready(frame) => {
                        frames.push(frame);
                        None
                    }
                    other => Some(other),
                });
            drop(pages);
            if !frames.is_empty() {
                return Ok(frames);
            }
            match stopped {
                Some(Look::Reading) => self.wait_for(first),
                Some(Look::Missing) => self.read_missing(first, wanted)?,
                _ => return Ok(frames),
            }
        }
    }

    fn look(&self, pages: &mut Pages, index: u64) -> Look {
        if index >= pages_of(self.size()) {
            return Look::Past;
        }
        match pages.map.get_mut(index) {
            None => Look::Missing,
            Some(page) if page.state == State::Reading => Look::Reading,
            Some(page) => {
                page.used = true;
                Look::Ready(page.frame.share())
            }
        }
    }

    /// Waits until page `index` is not being read.
    pub(super) fn wait_for(&self, index: u64) {
        self.idle.wait_until(|| {
            let mut pages = self.pages.lock();
            let page = pages.map.get_mut(index);
            page.is_none_or(|page| page.state != State::Reading)
                .then_some(())
        });
    }

    /// Reads page `index`, and those behind it that are missing too, as far as
    /// `wanted` or read-ahead go. Does nothing if another thread came first.
    pub(super) fn read_missing(&self, index: u64, wanted: u64) -> Result<(), Errno> {
        let there = pages_of(self.size()).saturating_sub(index);
        let window = self.pages.lock().ahead.window(index, wanted).min(there);
        let mut frames = Frames::new();
        frames.push(registry::take_frame()?);
        // The others are a favour.
        while (frames.len() as u64) < window
            && !registry::is_tight()
            && let Some(frame) = Frame::alloc()
        {
            frames.push(frame);
        }
        let size = self.claim(index, &mut frames)?;
        if frames.is_empty() {
            return Ok(());
        }
        let mut result = self.store.read(index, &frames);
        if result == Err(Errno::EIO) && frames.len() > 1 {
            // The page that is wanted may be good.
            self.unclaim(index + 1, frames.len() - 1);
            frames.truncate(1);
            result = self.store.read(index, &frames);
        }
        // What the store has behind the end is no part of the file.
        let last = index + frames.len() as u64 - 1;
        if size % PAGE != 0 && size / PAGE == last {
            let tail = (size % PAGE) as usize;
            frames[frames.len() - 1].fill(tail, PAGE as usize - tail, 0);
        }
        let mut pages = self.pages.lock();
        for index in index..=last {
            if result.is_err() {
                pages.map.remove(index);
            } else if let Some(page) = pages.map.get_mut(index) {
                page.state = State::Ready;
            }
        }
        self.note_count(&pages);
        drop(pages);
        self.idle.wake_all();
        result
    }

    /// Some of the pages that were claimed are not read after all.
    fn unclaim(&self, first: u64, count: usize) {
        let mut pages = self.pages.lock();
        for index in (first..).take(count) {
            pages.map.remove(index);
        }
        self.note_count(&pages);
        drop(pages);
        self.idle.wake_all();
    }

    /// Enters pages from `index` on as being read, with the first of `frames`,
    /// of which it keeps those. The size of the file at that moment.
    fn claim(&self, index: u64, frames: &mut Frames) -> Result<u64, Errno> {
        let mut pages = self.pages.lock();
        let size = self.size();
        let mut claimed = 0;
        for (number, frame) in (index..pages_of(size)).zip(frames.iter()) {
            if pages.map.contains(number) {
                break;
            }
            let page = Page {
                frame: frame.share(),
                state: State::Reading,
                used: false,
            };
            match pages.map.insert(number, page) {
                Ok(()) => claimed += 1,
                Err(error) if claimed == 0 => return Err(error),
                Err(_) => break,
            }
        }
        if claimed > 0 {
            pages.ahead.went(index, claimed as u64);
        }
        self.note_count(&pages);
        drop(pages);
        frames.truncate(claimed);
        Ok(size)
    }
}
