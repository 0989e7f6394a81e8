//! The bytes of one regular file.
//!
//! Plain data; the file's lock guards it. Pages that were written are in a
//! sparse map; below them lies, read-only and unmoved, what the initial image
//! had for the file; everything else is a gap that reads as zeros.

use abi::Errno;
use abi::memory::PAGE_SIZE;

use super::chunks::{Chunk, ChunkMap};
use crate::files::buffer::{Sink, Source};
use crate::files::inode::Sought;

const PAGE: u64 = PAGE_SIZE as u64;
/// Largest file: offsets are signed in the calls.
const MAX_SIZE: u64 = i64::MAX as u64;

/// See the module.
pub struct Content {
    size: u64,
    chunks: ChunkMap,
    /// From the initial image; holds where there is no chunk.
    base: &'static [u8],
}

impl Content {
    pub const fn new(base: &'static [u8]) -> Content {
        Content {
            size: base.len() as u64,
            chunks: ChunkMap::new(),
            base,
        }
    }

    pub fn size(&self) -> u64 {
        self.size
    }

    /// Bytes of memory it takes.
    pub fn allocated(&self) -> u64 {
        self.chunks.count() as u64 * PAGE + self.base.len() as u64
    }

    /// Copies from `offset` up to the end of the file or of the sink.
    pub fn read(&self, offset: u64, into: &mut Sink<'_>) -> usize {
        let mut left = self.size.saturating_sub(offset);
        left = left.min(into.remaining() as u64);
        let mut at = offset;
        let mut done = 0;
        while left > 0 {
            let within = (at % PAGE) as usize;
            let length = left.min(PAGE - at % PAGE) as usize;
            let copied = match self.chunks.get(at / PAGE) {
                Some(chunk) => into.put(&chunk[within..within + length]),
                None => self.read_below(at, length, into),
            };
            done += copied;
            at += copied as u64;
            left -= copied as u64;
            if copied < length {
                break;
            }
        }
        done
    }

    /// Reads where no chunk is: the image, then zeros.
    fn read_below(&self, at: u64, length: usize, into: &mut Sink<'_>) -> usize {
        let image = self.image(at, length);
        let copied = into.put(image);
        if copied < image.len() {
            return copied;
        }
        copied + into.put_zeros(length - copied)
    }

    /// What the image has of `length` bytes at `at`; may be less, or nothing.
    fn image(&self, at: u64, length: usize) -> &'static [u8] {
        let start = at.min(self.base.len() as u64) as usize;
        let end = start.saturating_add(length).min(self.base.len());
        &self.base[start..end]
    }

    /// Copies to `offset`, as much as there is memory for: `allocate` gives
    /// zeroed pages. An error only if nothing could be written: ENOSPC, or
    /// EFBIG past the largest size.
    pub fn write(
        &mut self,
        offset: u64,
        from: &mut Source<'_>,
        mut allocate: impl FnMut() -> Result<Chunk, Errno>,
    ) -> Result<usize, Errno> {
        let wanted = from.remaining() as u64;
        if wanted > 0 && offset >= MAX_SIZE {
            return Err(Errno::EFBIG);
        }
        let mut left = wanted.min(MAX_SIZE - offset.min(MAX_SIZE));
        let mut at = offset;
        let mut done = 0;
        while left > 0 {
            let within = (at % PAGE) as usize;
            let length = left.min(PAGE - at % PAGE) as usize;
            let chunk = match self.writable(at / PAGE, &mut allocate) {
                Ok(chunk) => chunk,
                Err(_) if done > 0 => break,
                Err(error) => return Err(error),
            };
            let copied = from.take(&mut chunk[within..within + length]);
            done += copied;
            at += copied as u64;
            left -= copied as u64;
            if copied < length {
                break;
            }
        }
        if done > 0 {
            self.size = self.size.max(at);
        }
        Ok(done)
    }

    /// The page `index`, made from the image or zeros if it is not there yet.
    fn writable(
        &mut self,
        index: u64,
        allocate: &mut impl FnMut() -> Result<Chunk, Errno>,
    ) -> Result<&mut [u8; PAGE_SIZE], Errno> {
        if self.chunks.get(index).is_none() {
            let mut chunk = allocate().map_err(|_| Errno::ENOSPC)?;
            let image = self.image(index * PAGE, PAGE_SIZE);
            chunk[..image.len()].copy_from_slice(image);
            self.chunks
                .insert(index, chunk)
                .map_err(|_| Errno::ENOSPC)?;
        }
        self.chunks.get_mut(index).ok_or(Errno::ENOSPC)
    }

    /// Makes pages for `length` bytes at `offset`, so that writes there find
    /// them: ENOSPC, EFBIG. The size stays as it is.
    pub fn allocate(
        &mut self,
        offset: u64,
        length: u64,
        mut allocate: impl FnMut() -> Result<Chunk, Errno>,
    ) -> Result<(), Errno> {
        let end = offset.checked_add(length).filter(|&end| end <= MAX_SIZE);
        let end = end.ok_or(Errno::EFBIG)?;
        for index in offset / PAGE..end.div_ceil(PAGE) {
            self.writable(index, &mut allocate)?;
        }
        Ok(())
    }

    /// The first byte of data or of a gap from `offset` on: ENXIO at and past
    /// the end. The end counts as a gap.
    pub fn seek(&self, offset: u64, sought: Sought) -> Result<u64, Errno> {
        if offset >= self.size {
            return Err(Errno::ENXIO);
        }
        let is_data = |at: u64| at < self.base.len() as u64 || self.chunks.get(at / PAGE).is_some();
        let found = match sought {
            Sought::Data if is_data(offset) => offset,
            Sought::Data => match self.chunks.next(offset / PAGE) {
                Some(index) if index * PAGE < self.size => index * PAGE,
                _ => return Err(Errno::ENXIO),
            },
            Sought::Hole => {
                let mut at = offset;
                while at < self.size && is_data(at) {
                    at = (at / PAGE + 1) * PAGE;
                }
                at
            }
        };
        Ok(found.min(self.size))
    }

    /// Cuts off at `size`, or extends with a gap. EFBIG past the largest size.
    pub fn set_size(&mut self, size: u64) -> Result<(), Errno> {
        if size > MAX_SIZE {
            return Err(Errno::EFBIG);
        }
        if size < self.size {
            self.chunks.truncate(size.div_ceil(PAGE));
            self.base = self.image(0, size.min(self.base.len() as u64) as usize);
            // A later extension must find zeros behind the cut.
            if let Some(chunk) = self.chunks.get_mut(size / PAGE) {
                chunk[(size % PAGE) as usize..].fill(0);
            }
        }
        self.size = size;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::ramfs::chunks::zeroed_chunk;
    use proptest::prelude::*;
    use std::vec;
    use std::vec::Vec;

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
        /// Writes while only so many pages are left.
        Starved(u64, usize, usize),
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
            1 => (offset(), 0usize..10_000, 0usize..3).prop_map(|(o, l, p)| Step::Starved(o, l, p)),
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
            let mut content = Content::new(&IMAGE[..image]);
            let mut model = IMAGE[..image].to_vec();
            for step in steps {
                match step {
                    Step::Write(offset, length, byte) => {
                        let bytes = vec![byte; length];
                        let mut source = Source::kernel(&bytes);
                        let count = content.write(offset, &mut source, zeroed_chunk).unwrap();
                        prop_assert_eq!(count, length);
                        write_model(&mut model, offset as usize, &bytes);
                    }
                    Step::Starved(offset, length, mut pages) => {
                        let bytes = vec![255; length];
                        let mut source = Source::kernel(&bytes);
                        let result = content.write(offset, &mut source, || {
                            pages = pages.checked_sub(1).ok_or(Errno::ENOMEM)?;
                            zeroed_chunk()
                        });
                        match result {
                            Ok(count) => write_model(&mut model, offset as usize, &bytes[..count]),
                            Err(error) => prop_assert_eq!(error, Errno::ENOSPC),
                        }
                    }
                    Step::Read(offset, length) => {
                        let mut bytes = vec![0xee; length];
                        let count = content.read(offset, &mut Sink::kernel(&mut bytes));
                        let start = model.len().min(offset as usize);
                        let expected = &model[start..model.len().min(start + length)];
                        prop_assert_eq!(&bytes[..count], expected);
                    }
                    Step::Resize(size) => {
                        content.set_size(size).unwrap();
                        model.resize(size as usize, 0);
                    }
                    Step::Allocate(offset, length) => {
                        content.allocate(offset, length, zeroed_chunk).unwrap();
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
        let mut content = Content::new(&[]);
        let mut write = |offset| content.write(offset, &mut Source::kernel(b"xy"), zeroed_chunk);
        assert_eq!(write(MAX_SIZE), Err(Errno::EFBIG));
        assert_eq!(write(u64::MAX), Err(Errno::EFBIG));
        assert_eq!(write(MAX_SIZE - 1), Ok(1));
        assert_eq!(content.size(), MAX_SIZE);
        assert_eq!(content.set_size(MAX_SIZE + 1), Err(Errno::EFBIG));
        content.set_size(0).unwrap();
        assert_eq!(content.allocated(), 0);
    }
}
