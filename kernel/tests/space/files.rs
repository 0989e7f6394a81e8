//! Mapped files: whose frame a page is.

use super::*;
use abi::Errno;
use core::ops::Range;
use kernel::files::cache::{PageCache, Store};
use kernel::files::inode::{Inode, Kind, Maker, Metadata, New, Position};
use kernel::files::open_file::File;
use kernel::files::ramfs::RamFs;
use kernel::files::{Sink, Source};
use kernel::memory::{FileRange, Lock};
use machine::frames::Frame;
use std::sync::Mutex;

const PAGES: usize = 8;

fn file() -> (Arc<dyn Inode>, Arc<PageCache>) {
    let root = RamFs::make_root().expect("memory");
    let file = root
        .create(b"file", New::Regular, Maker::root(0o644))
        .expect("memory");
    let cache = file.pages_to_map().expect("a regular file");
    let bytes = vec![7; PAGES * PAGE_SIZE];
    cache
        .write_at(Position::At(0), &mut Source::kernel(&bytes))
        .expect("memory");
    (file, cache)
}

fn map(
    space: &Arc<Space>,
    (inode, cache): &(Arc<dyn Inode>, Arc<PageCache>),
    shared: bool,
) -> usize {
    let range = FileRange {
        inode: inode.clone(),
        cache: cache.clone(),
        first: 0,
        shared,
        may_write: true,
        access: None,
        attachment: None,
    };
    let length = PAGES * PAGE_SIZE;
    space
        .map_file(Placement::Hint(0), length, READ_WRITE, range)
        .expect("room")
}

fn first_bytes(cache: &PageCache) -> Vec<u8> {
    (0..PAGES)
        .map(|page| {
            let mut byte = [0];
            let at = (page * PAGE_SIZE) as u64;
            cache
                .read_at(at, &mut Sink::kernel(&mut byte))
                .expect("a page");
            byte[0]
        })
        .collect()
}

#[test]
fn pages_that_are_read_are_the_caches_own() {
    let _alone = alone();
    let file = file();
    let spaces: Vec<Arc<Space>> = (0..4).map(|_| Space::new().expect("memory")).collect();
    let starts: Vec<usize> = spaces
        .iter()
        .map(|space| map(space, &file, false))
        .collect();
    // The tables first: they are frames too.
    for (space, start) in spaces.iter().zip(&starts) {
        space.fault(*start, Access::Read).expect("a page");
    }
    let before = frames::free_count();
    for (space, start) in spaces.iter().zip(&starts) {
        for page in 0..PAGES {
            space
                .fault(start + page * PAGE_SIZE, Access::Read)
                .expect("a page");
        }
    }
    assert_eq!(frames::free_count(), before);
    // A write takes one frame; a second write to the page none.
    for _ in 0..2 {
        spaces[0].fault(starts[0], Access::Write).expect("a page");
        assert_eq!(frames::free_count(), before - 1);
    }
    drop(spaces);
    assert!(!file.1.mappers().are_any());
}

#[test]
fn writes_go_to_the_file_or_to_a_copy() {
    let _alone = alone();
    let file = file();
    let space = Space::new().expect("memory");
    machine::host::cpu::become_cpu(0);
    enter(&space);
    let (shared, private) = (map(&space, &file, true), map(&space, &file, false));
    copy::store_u32(shared + PAGE_SIZE, 0x0808_0808).expect("a page");
    copy::store_u32(private + 2 * PAGE_SIZE, 0x0909_0909).expect("a page");
    assert_eq!(first_bytes(&file.1), [7, 8, 7, 7, 7, 7, 7, 7]);
    assert_eq!(copy::fetch_u32(private + PAGE_SIZE), Ok(0x0808_0808));
    let child = call(&space, || space.fork()).expect("memory");
    enter(&child);
    copy::store_u32(shared, 0x0101_0101).expect("a page");
    copy::store_u32(private + 2 * PAGE_SIZE, 0x0202_0202).expect("a page");
    enter(&space);
    assert_eq!(copy::fetch_u32(shared), Ok(0x0101_0101));
    assert_eq!(copy::fetch_u32(private + 2 * PAGE_SIZE), Ok(0x0909_0909));
    // A cut takes pages from both, and from the child, in all mappings.
    call(&space, || file.1.set_size(PAGE_SIZE as u64, || Ok(()))).expect("a cut");
    for space in [&space, &child] {
        enter(space);
        for start in [shared, private] {
            assert!(copy::fetch_u32(start).is_ok());
            assert!(copy::fetch_u32(start + 2 * PAGE_SIZE).is_err());
            let missing = space.fault(start + 2 * PAGE_SIZE, Access::Read);
            assert_eq!(missing, Err(FaultError::Missing));
        }
    }
    depart();
}

/// A file of zeroes whose pages are clean.
struct Zeroes;

impl Store for Zeroes {
    fn read(&self, _: u64, frames: &[Frame]) -> Result<(), Errno> {
        for frame in frames {
            frame.fill(0, PAGE_SIZE, 0);
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

/// Goes with the last mapping of its pages, and then notes how many of them
/// are in somebody's hands.
struct Watched {
    cache: Arc<PageCache>,
    held: Arc<Mutex<Vec<usize>>>,
}

impl Inode for Watched {
    fn kind(&self) -> Kind {
        Kind::Regular
    }

    fn metadata(&self) -> Metadata {
        unreachable!("nobody asks")
    }

    fn open(self: Arc<Self>, _: u32) -> Result<Arc<File>, Errno> {
        Err(Errno::EIO)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // The first look finds marks of use.
        for _ in 0..2 {
            self.cache.shrink(usize::MAX);
        }
        self.held.lock().unwrap().push(self.cache.resident());
    }
}

/// Write-back asks a file's mappings only: what it does not find there it takes
/// as clean, so no peer may write to it any more.
#[test]
fn a_mapping_is_known_until_nothing_is_mapped() {
    let _alone = alone();
    let cache = PageCache::new(Box::new(Zeroes), (PAGES * PAGE_SIZE) as u64).expect("memory");
    let held = Arc::new(Mutex::new(Vec::new()));
    let space = Space::new().expect("memory");
    for part in [0..PAGES, 1..3, 0..2] {
        let inode: Arc<dyn Inode> = Arc::new(Watched {
            cache: cache.clone(),
            held: held.clone(),
        });
        let file = (inode, cache.clone());
        let start = map(&space, &file, true);
        drop(file);
        for page in 0..PAGES {
            space
                .fault(start + page * PAGE_SIZE, Access::Read)
                .expect("a page");
        }
        let at = |page: usize| start + page * PAGE_SIZE;
        space.unmap(at(part.start)..at(part.end)).expect("memory");
        space.unmap(at(0)..at(PAGES)).expect("memory");
    }
    assert_eq!(*held.lock().unwrap(), [0, 0, 0]);
}

#[test]
fn what_is_locked_is_not_taken_back() {
    let _alone = alone();
    let cache = PageCache::new(Box::new(Zeroes), (PAGES * PAGE_SIZE) as u64).expect("memory");
    let space = Space::new().expect("memory");
    let inode: Arc<dyn Inode> = Arc::new(Watched {
        cache: cache.clone(),
        held: Arc::default(),
    });
    let start = map(&space, &(inode, cache.clone()), true);
    let range = start..start + PAGES * PAGE_SIZE;
    let present = || {
        let mut pages = [9; PAGES];
        space
            .residence(range.clone(), &mut pages)
            .expect("it is mapped");
        pages
    };
    let all = space.make_present(range.clone(), &|| true);
    all.expect("there are pages");
    space
        .lock(start..start + 3 * PAGE_SIZE, Lock::OnFault)
        .expect("memory");
    for _ in 0..2 {
        cache.shrink_mapped(usize::MAX);
    }
    assert_eq!(present(), [1, 1, 1, 0, 0, 0, 0, 0]);
    space.lock(range.clone(), Lock::Off).expect("memory");
    for _ in 0..2 {
        cache.shrink_mapped(usize::MAX);
    }
    assert_eq!(present(), [0; PAGES]);
}
