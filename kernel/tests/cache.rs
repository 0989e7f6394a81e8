//! The page cache against user memory: what happens when a copy from or to the
//! user faults, and the fault wants a page of the very file.

use abi::Errno;
use abi::memory::PAGE_SIZE;
use core::ops::Range;
use kernel::files::cache::{PageCache, Store};
use kernel::files::inode::Position;
use kernel::files::{Sink, Source};
use kernel::memory::{Placement, Sort, Space};
use machine::frames::{Frame, arena};
use machine::hooks::{Access, Hooks};
use machine::page_table::{Rights, leave};
use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A store of which nothing is asked but ones.
struct Ones;

impl Store for Ones {
    fn read(&self, _: u64, frames: &[Frame]) -> Result<(), Errno> {
        for frame in frames {
            frame.fill(0, PAGE_SIZE, 1);
        }
        Ok(())
    }

    fn write(&self, _: u64, _: &[Frame], _: u64) -> Result<(), Errno> {
        Ok(())
    }

    fn reserve(&self, _: Range<u64>) -> Result<bool, Errno> {
        Ok(true)
    }
}

/// The same, once a first read has found no memory.
struct Scarce(AtomicBool);

impl Store for Scarce {
    fn read(&self, first: u64, frames: &[Frame]) -> Result<(), Errno> {
        match self.0.swap(true, Ordering::Relaxed) {
            false => Err(Errno::ENOMEM),
            true => Ones.read(first, frames),
        }
    }

    fn write(&self, _: u64, _: &[Frame], _: u64) -> Result<(), Errno> {
        Ok(())
    }

    fn reserve(&self, _: Range<u64>) -> Result<bool, Errno> {
        Ok(true)
    }
}

type Running = (Arc<Space>, Arc<PageCache>, u64);

thread_local! {
    /// The space, and which page of which file its faults bring in.
    static RUNNING: RefCell<Option<Running>> = const { RefCell::new(None) };
}

struct Resolve;

impl Hooks for Resolve {
    fn timer(&self, _: bool) {}
    fn kicked(&self) {}
    fn console_input(&self) {}
    fn device(&self, _: usize) {}

    fn kernel_fault(&self, address: usize, access: Access) -> bool {
        let Some((space, cache, page)) = RUNNING.with_borrow(Clone::clone) else {
            return false;
        };
        leave();
        let frame = cache.page_for_write(page).expect("the store has it");
        let bytes: Option<[u8; 4]> = frame.map(|frame| {
            let mut bytes = [0; 4];
            frame.read(0, &mut bytes);
            bytes
        });
        let resolved = space.fault(address, access).is_ok();
        let filled = bytes.is_none_or(|bytes| space.populate(address, &bytes).is_ok());
        space.activate();
        resolved && filled
    }

    fn describe_current(&self, _: &mut fmt::Formatter) -> fmt::Result {
        Ok(())
    }
}

/// A buffer of one untouched page, and a file of two pages of ones, of which a
/// fault on the buffer brings in page `page`, for writing.
fn buffer(page: u64) -> (usize, Arc<PageCache>) {
    machine::hooks::install(&Resolve);
    let space = Space::new().expect("memory");
    let rights = Rights::from_bits(3);
    let start = space
        .map(Placement::Hint(0), 2 * PAGE_SIZE, rights, Sort::Private)
        .expect("room");
    // Room behind it that is the user's half, and not mapped.
    let behind = start + PAGE_SIZE..start + 2 * PAGE_SIZE;
    space.unmap(behind).expect("memory");
    let cache = PageCache::new(Box::new(Ones), 2 * PAGE_SIZE as u64).expect("memory");
    machine::host::cpu::become_cpu(0);
    space.activate();
    RUNNING.set(Some((space, cache.clone(), page)));
    (start, cache)
}

fn depart() {
    leave();
    RUNNING.set(None);
}

fn bytes(cache: &PageCache, offset: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let count = cache.read_at(offset, &mut Sink::kernel(&mut bytes));
    assert_eq!(count, Ok(length));
    bytes
}

/// Written from a buffer whose fault needs the page that is being written: in
/// part, in whole, and behind the end. None waits for itself.
#[test]
fn a_write_whose_buffer_is_the_file_ends() {
    let _alone = arena::exclusive();
    for (page, offset, length) in [
        (0, 8, 100),
        (0, 0, PAGE_SIZE),
        (1, PAGE_SIZE as u64 - 50, 100),
        (2, 2 * PAGE_SIZE as u64, 100),
        (2, 2 * PAGE_SIZE as u64 + 7, 100),
    ] {
        let (start, cache) = buffer(page);
        let mut source = Source::user(start, length);
        let written = cache.write_at(Position::At(offset), &mut source);
        assert_eq!(written, Ok((length, offset + length as u64)));
        let expected = if page < 2 { [1, 1, 1, 1] } else { [0; 4] };
        assert_eq!(bytes(&cache, offset, 4), expected);
        depart();
    }
}

#[test]
fn a_read_whose_buffer_is_the_file_ends() {
    let _alone = arena::exclusive();
    let (start, cache) = buffer(0);
    let mut sink = Sink::user(start, PAGE_SIZE);
    assert_eq!(cache.read_at(0, &mut sink), Ok(PAGE_SIZE));
    assert_eq!(machine::copy::fetch_u32(start + 8), Ok(0x0101_0101));
    depart();
}

/// Memory full of what files hold is there for programs.
#[test]
fn a_fault_takes_memory_from_clean_pages() {
    let _alone = arena::exclusive();
    let (_, cache) = buffer(0);
    let total = machine::frames::total_count();
    let space = Space::new().expect("memory");
    cache
        .set_size((2 * total * PAGE_SIZE) as u64, || Ok(()))
        .expect("room");
    for page in 0..total as u64 {
        cache.page(page).expect("clean pages make room");
    }
    let length = total / 2 * PAGE_SIZE;
    let start = space
        .map(Placement::Hint(0), length, Rights::READ, Sort::Private)
        .expect("room");
    for address in (start..start + length).step_by(PAGE_SIZE) {
        assert_eq!(space.fault(address, Access::Read), Ok(()));
    }
    assert!(cache.resident() < total / 2);
    depart();
}

/// A bad address in the middle of a page that is not in memory: what came
/// before it is written, what the file has behind it stays.
#[test]
fn a_write_from_a_bad_address_is_short() {
    let _alone = arena::exclusive();
    let (start, cache) = buffer(1);
    let from = start + PAGE_SIZE - 10;
    assert_eq!(machine::copy::store_u32(from + 6, 0x0909_0909), Ok(()));
    let mut source = Source::user(from, PAGE_SIZE);
    assert_eq!(cache.write_at(Position::At(0), &mut source), Ok((10, 10)));
    assert!(source.faulted());
    assert_eq!(bytes(&cache, 6, 6), [9, 9, 9, 9, 1, 1]);
    let mut source = Source::user(start + PAGE_SIZE, 5);
    assert_eq!(cache.write_at(Position::At(0), &mut source), Ok((0, 0)));
    assert_eq!(cache.size(), 2 * PAGE_SIZE as u64);
    depart();
}

/// The copy ends inside a page, which has to be read for its other bytes; there
/// is no memory for that yet.
#[test]
fn a_write_that_found_no_memory_can_be_tried_again() {
    let _alone = arena::exclusive();
    let (start, _) = buffer(1);
    let from = start + PAGE_SIZE - 10;
    assert_eq!(machine::copy::store_u32(from, 0x0909_0909), Ok(()));
    let scarce = Box::new(Scarce(AtomicBool::new(false)));
    let cache = PageCache::new(scarce, 2 * PAGE_SIZE as u64).expect("memory");
    let mut source = Source::user(from, PAGE_SIZE);
    let mut write = || cache.write_at(Position::At(0), &mut source);
    assert_eq!(write(), Err(Errno::ENOMEM));
    assert_eq!(write(), Ok((10, 10)));
    assert_eq!(bytes(&cache, 0, 5)[..4], [9, 9, 9, 9]);
    depart();
}
