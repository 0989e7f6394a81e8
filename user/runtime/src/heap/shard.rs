//! One of the heaps: for each size class a list of pages with room, and a list
//! of segments with free pages. Everything here is guarded by the shard's lock.

use super::segment::{self, ALL_FREE, FreeBlock, Kind, Page, Segment};
use abi::memory::PAGE_SIZE;
use core::ptr::null_mut;

/// The sizes that pages are cut into.
const CLASSES: [u16; 14] = [
    16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1360, 2048,
];

/// The longest run of pages.
const LONGEST_RUN: usize = 8;

/// The largest block that comes from a segment.
pub const LARGEST: usize = LONGEST_RUN * PAGE_SIZE;

/// Class by size in units of 16 bytes, rounded up.
const BY_SIZE: [u8; 129] = {
    let mut table = [0; 129];
    let mut units = 0;
    let mut class = 0;
    while units < table.len() {
        if units * 16 > CLASSES[class] as usize {
            class += 1;
        }
        table[units] = class as u8;
        units += 1;
    }
    table
};

pub struct Shard {
    pages: [*mut Page; CLASSES.len()],
    segments: *mut Segment,
}

// SAFETY: what it points to belongs to it.
unsafe impl Send for Shard {}

impl Shard {
    pub const fn new() -> Shard {
        Shard {
            pages: [null_mut(); CLASSES.len()],
            segments: null_mut(),
        }
    }

    /// At most [`LARGEST`] bytes; null if there is no memory.
    pub fn allocate(&mut self, size: usize, index: u32) -> *mut u8 {
        if size > 2048 {
            let pages = size.div_ceil(PAGE_SIZE);
            return self.take_pages(pages, Kind::Run(pages as u8), index).1;
        }
        let class = BY_SIZE[size.div_ceil(16)] as usize;
        let mut page = self.pages[class];
        if page.is_null() {
            page = self.take_pages(1, Kind::Class(class as u8), index).0;
            if page.is_null() {
                return null_mut();
            }
            self.link(page, class);
        }
        // SAFETY: a page of this shard with room for a block.
        unsafe { self.take_block(page, class) }
    }

    /// # Safety
    /// `page` is in the list of `class`.
    unsafe fn take_block(&mut self, page: *mut Page, class: usize) -> *mut u8 {
        let size = CLASSES[class] as usize;
        // SAFETY: the caller's; freed blocks are linked, untouched ones follow
        // each other.
        unsafe {
            (*page).used += 1;
            let freed = (*page).freed;
            let block = if freed.is_null() {
                (*page).touched += 1;
                memory_of(page).add(((*page).touched - 1) as usize * size)
            } else {
                (*page).freed = (*freed).next;
                freed.cast()
            };
            if (*page).used as usize == PAGE_SIZE / size {
                self.unlink(page, class);
            }
            block
        }
    }

    /// # Safety
    /// `block` lies in `segment`, which is this shard's, and is in use.
    pub unsafe fn free(&mut self, segment: *mut Segment, block: *mut u8) {
        let index = Segment::page_index(block);
        // SAFETY: the caller's.
        unsafe {
            let page = &raw mut (*segment).pages[index];
            let class = match (*page).kind {
                Kind::Class(class) => class as usize,
                Kind::Run(pages) => return self.free_pages(segment, index, pages),
                Kind::Free => panic!("free of a block that is not in use"),
            };
            let block = block.cast::<FreeBlock>();
            block.write(FreeBlock {
                next: (*page).freed,
            });
            (*page).freed = block;
            let full = PAGE_SIZE / CLASSES[class] as usize;
            if (*page).used as usize == full {
                self.link(page, class);
            }
            (*page).used -= 1;
            // The last page of a class stays, or a loop that allocates and
            // frees one block would cut it anew each time.
            let alone = (*page).next.is_null() && (*page).previous.is_null();
            if (*page).used == 0 && !alone {
                self.unlink(page, class);
                self.free_pages(segment, index, 1);
            }
        }
    }

    /// Finds `count` free pages in a row; the first one and its memory.
    fn take_pages(&mut self, count: usize, kind: Kind, index: u32) -> (*mut Page, *mut u8) {
        let mut segment = self.segments;
        // SAFETY: the list holds segments of this shard.
        unsafe {
            while !segment.is_null() && find_run((*segment).free, count).is_none() {
                segment = (*segment).next;
            }
            if segment.is_null() {
                segment = segment::take(index);
                if segment.is_null() {
                    return (null_mut(), null_mut());
                }
                self.link_segment(segment);
            }
            let first = find_run((*segment).free, count).expect("an empty segment has any run");
            (*segment).free &= !run_mask(first, count);
            if (*segment).free == 0 {
                self.unlink_segment(segment);
            }
            let page = &raw mut (*segment).pages[first];
            (*page).kind = kind;
            (*page).used = 0;
            (*page).touched = 0;
            (*page).freed = null_mut();
            (page, memory_of(page))
        }
    }

    /// # Safety
    /// The pages are in use and hold no block in use.
    unsafe fn free_pages(&mut self, segment: *mut Segment, first: usize, count: u8) {
        // SAFETY: the caller's.
        unsafe {
            (*segment).pages[first].kind = Kind::Free;
            if (*segment).free == 0 {
                self.link_segment(segment);
            }
            (*segment).free |= run_mask(first, count as usize);
            let alone = (*segment).next.is_null() && (*segment).previous.is_null();
            if (*segment).free == ALL_FREE && !alone {
                self.unlink_segment(segment);
                segment::give_back(segment);
            }
        }
    }

    fn link(&mut self, page: *mut Page, class: usize) {
        let head = self.pages[class];
        // SAFETY: both are pages of this shard.
        unsafe {
            (*page).previous = null_mut();
            (*page).next = head;
            if !head.is_null() {
                (*head).previous = page;
            }
        }
        self.pages[class] = page;
    }

    fn unlink(&mut self, page: *mut Page, class: usize) {
        // SAFETY: a page in this list, and its neighbours.
        unsafe {
            let (next, previous) = ((*page).next, (*page).previous);
            if previous.is_null() {
                self.pages[class] = next;
            } else {
                (*previous).next = next;
            }
            if !next.is_null() {
                (*next).previous = previous;
            }
        }
    }

    fn link_segment(&mut self, segment: *mut Segment) {
        let head = self.segments;
        // SAFETY: both are segments of this shard.
        unsafe {
            (*segment).previous = null_mut();
            (*segment).next = head;
            if !head.is_null() {
                (*head).previous = segment;
            }
        }
        self.segments = segment;
    }

    fn unlink_segment(&mut self, segment: *mut Segment) {
        // SAFETY: a segment in the list, and its neighbours.
        unsafe {
            let (next, previous) = ((*segment).next, (*segment).previous);
            if previous.is_null() {
                self.segments = next;
            } else {
                (*previous).next = next;
            }
            if !next.is_null() {
                (*next).previous = previous;
            }
        }
    }
}

/// Where the blocks of a page lie.
fn memory_of(page: *mut Page) -> *mut u8 {
    let segment = Segment::of(page.cast());
    // SAFETY: pages lie in the header's array.
    let index = unsafe { page.offset_from((&raw mut (*segment).pages).cast()) } as usize;
    segment.cast::<u8>().wrapping_add(index * PAGE_SIZE)
}

fn run_mask(first: usize, count: usize) -> u16 {
    ((1 << count) - 1) << first
}

/// The first of `count` set bits in a row.
fn find_run(free: u16, count: usize) -> Option<usize> {
    let starts = (1..count).fold(free, |starts, i| starts & free >> i);
    (starts != 0).then(|| starts.trailing_zeros() as usize)
}

/// # Safety
/// `block` lies in `segment` and is in use.
pub unsafe fn capacity(segment: *mut Segment, block: *mut u8) -> usize {
    // SAFETY: a page in use keeps its kind.
    match unsafe { (*segment).pages[Segment::page_index(block)].kind } {
        Kind::Class(class) => CLASSES[class as usize] as usize,
        Kind::Run(pages) => pages as usize * PAGE_SIZE,
        Kind::Free => panic!("a block that is not in use"),
    }
}
