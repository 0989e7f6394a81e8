//! [`Space`]: an address space.

use super::Limits;
use super::regions::{Backing, Lock, Region, Regions};
use super::show::Program;
use crate::files::allocate::try_arc_cyclic;
use abi::Errno;
use abi::memory::{PAGE_SIZE, USER_END};
use alloc::sync::{Arc, Weak};
use core::mem;
use core::ops::{Deref, Range};
use core::sync::atomic::Ordering::{AcqRel, Relaxed};
use core::sync::atomic::{AtomicBool, AtomicUsize};
use machine::memory::OutOfMemory;
use machine::page_table::{PageTable, Rights};
use sync::{RwLock, rank};

/// The lowest address that is ever mapped: null pointers, with an offset as
/// large as most structures, stay invalid.
pub(crate) const LOWEST: usize = 0x1_0000;

/// What a stack has from the start; the rest when it is touched.
const STACK_START: usize = 16 * PAGE_SIZE;

/// An address space: what is mapped where, shared by the threads in it. All
/// its frames are free again when the last reference goes.
pub struct Space {
    pub(super) layout: RwLock<Layout, rank::Space>,
    pub(super) table: Arc<PageTable>,
    /// Threads in it, and those that are being made.
    tenants: AtomicUsize,
    /// What the program has registered for by membarrier(2).
    barriers: AtomicUsize,
    /// Something is locked, or may be.
    pub(super) may_lock: AtomicBool,
}

/// What the space's lock guards.
pub(super) struct Layout {
    pub(super) regions: Regions,
    /// Where the search for room starts, downwards: little room is above.
    pub(super) search_from: usize,
    /// The heap, from its start to the break, which need not be a page's border.
    pub(super) heap: Range<usize>,
    /// How new regions are locked.
    pub(super) lock_new: Lock,
    pub(super) limits: Limits,
    /// What runs in it.
    pub(super) program: Option<Arc<Program>>,
}

impl Space {
    /// A space where nothing is mapped. ENOMEM.
    pub fn new() -> Result<Arc<Self>, Errno> {
        Self::with_layout(|_| Layout {
            regions: Regions::new(),
            search_from: USER_END,
            heap: 0..0,
            lock_new: Lock::Off,
            limits: Limits::NONE,
            program: None,
        })
    }

    pub(super) fn with_layout(
        layout: impl FnOnce(&Weak<Self>) -> Layout,
    ) -> Result<Arc<Self>, Errno> {
        // The page table asks for a frame, and fails first where memory is short.
        let table = PageTable::new().map_err(no_memory)?;
        let make = |space: &Weak<Self>| Self {
            layout: RwLock::new(layout(space)),
            table: table.clone(),
            tenants: AtomicUsize::new(0),
            barriers: AtomicUsize::new(0),
            may_lock: AtomicBool::new(false),
        };
        try_arc_cyclic(make).inspect_err(|_| table.retire())
    }

    /// How many threads are in it, or are being made.
    pub fn tenants(&self) -> usize {
        self.tenants.load(Relaxed)
    }

    /// Commands of membarrier(2) that were registered.
    pub fn barriers(&self) -> usize {
        self.barriers.load(Relaxed)
    }

    pub fn register_barriers(&self, command: usize) {
        self.barriers.fetch_or(command, Relaxed);
    }

    /// Makes this CPU run in the space. Cheap if it does already.
    #[inline]
    pub fn activate(&self) {
        self.table.activate();
    }

    /// The program may write to all of the range, and all of it is its own: what
    /// the last page of the heap has behind the break is not.
    pub fn is_writable(&self, start: usize, length: usize) -> bool {
        start.checked_add(length).is_some_and(|end| {
            let layout = self.layout.read();
            let heap = &layout.heap;
            layout.regions.cover(start..end, Rights::WRITE)
                && !(heap.contains(&start) && end > heap.end)
        })
    }

    /// All of the range is mapped, with whatever rights.
    pub fn is_mapped(&self, range: Range<usize>) -> bool {
        self.layout.read().regions.cover(range, Rights::NONE)
    }

    /// What other spaces may see of the address, if they may: the id of the cache
    /// of a file that is mapped shared, and how far into the file it is.
    pub fn shared_at(&self, address: usize) -> Option<(u64, u64)> {
        let layout = self.layout.read();
        match &layout.regions.find(address)?.backing {
            Backing::File(mapping) if mapping.file.shared => {
                let offset = mapping.page(address) * PAGE_SIZE as u64;
                let within = (address % PAGE_SIZE) as u64;
                Some((mapping.file.cache.id(), offset + within))
            }
            _ => None,
        }
    }

    /// What asks for no address is mapped below `top` from here on, while there is
    /// room.
    pub fn start_mappings(&self, top: usize) {
        self.layout.write().search_from = top;
    }

    /// Maps a stack that may grow to `size` bytes, as far up below `top` as there
    /// is room; the address after its last byte.
    pub fn map_stack(&self, size: usize, top: usize) -> Result<usize, Errno> {
        let size = size.max(STACK_START).next_multiple_of(PAGE_SIZE);
        let mut layout = self.layout.write();
        let floor = layout
            .regions
            .gap_below(top, size, LOWEST)
            .ok_or(Errno::ENOMEM)?
            .start;
        let end = floor + size;
        let region = Region {
            start: end - STACK_START,
            end,
            rights: Rights::READ | Rights::WRITE,
            backing: Backing::Stack { floor },
            lock: Lock::Off,
        };
        layout.regions.insert(region).map_err(no_memory)?;
        Ok(end)
    }
}

/// A thread's hold on its space. With the last one the memory goes that the
/// space maps, at once, also if a file's cache looks at the space just then:
/// whoever learns of the end of a process finds its memory free.
pub struct Tenant(Arc<Space>);

impl Tenant {
    pub fn new(space: Arc<Space>) -> Self {
        space.tenants.fetch_add(1, Relaxed);
        Self(space)
    }
}

impl Clone for Tenant {
    fn clone(&self) -> Self {
        Self::new(self.0.clone())
    }
}

impl Deref for Tenant {
    type Target = Arc<Space>;

    fn deref(&self) -> &Arc<Space> {
        &self.0
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        if self.0.tenants.fetch_sub(1, AcqRel) == 1 {
            let mut layout = self.0.layout.write();
            let regions = mem::replace(&mut layout.regions, Regions::new());
            drop(layout);
            drop(regions);
            self.0.table.vacate();
        }
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        self.table.retire();
    }
}

pub(super) fn no_memory(_: OutOfMemory) -> Errno {
    Errno::ENOMEM
}
