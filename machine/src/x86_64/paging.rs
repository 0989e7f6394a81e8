//! The kernel half of every address space: the direct map, the kernel image,
//! device registers and kernel stacks.
//!
//! The root made here has every entry it will ever have in its upper half, so
//! that others copy those entries once. `MAP` guards what lies below them; it
//! is held while pages are added or taken away.

use super::features::{Feature, has};
use super::registers::{read_cr3, write_cr3};
use crate::address::{DEVICES, DIRECT_MAP, KERNEL_IMAGE, KERNEL_STACKS, PAGE_SIZE, direct};
use crate::memory::frames::Run;
use crate::regions::Regions;
use crate::task::OutOfMemory;
use core::arch::asm;
use core::ops::Range;
use core::sync::atomic::{AtomicUsize, Ordering};
use sync::{SpinLock, rank};

const PRESENT: u64 = 1 << 0;
const WRITE: u64 = 1 << 1;
const UNCACHED: u64 = 0b11 << 3;
const ACCESSED_DIRTY: u64 = 0b11 << 5;
const LARGE: u64 = 1 << 7;
const GLOBAL: u64 = 1 << 8;
const NO_EXECUTE: u64 = 1 << 63;
const ADDRESS: u64 = 0x000f_ffff_ffff_f000;

const MIB2: usize = 2 << 20;
const GIB: usize = 1 << 30;

/// What the kernel may do with a page. Nothing is writable and executable.
#[derive(Clone, Copy)]
pub struct Rights(u64);

impl Rights {
    pub const DATA: Self = Self(WRITE | NO_EXECUTE);
    pub const CONSTANT: Self = Self(NO_EXECUTE);
    pub const CODE: Self = Self(0);
    pub const DEVICE: Self = Self(WRITE | NO_EXECUTE | UNCACHED);

    fn bits(self) -> u64 {
        let global = if has(Feature::GlobalPages) { GLOBAL } else { 0 };
        self.0 | PRESENT | ACCESSED_DIRTY | global
    }
}

static MAP: SpinLock<(), rank::KernelMap> = SpinLock::new(());

/// Physical address of the root that maps only the kernel.
static ROOT: AtomicUsize = AtomicUsize::new(0);
/// Where the next device goes.
static NEXT_DEVICE: AtomicUsize = AtomicUsize::new(DEVICES);

/// The root that maps only the kernel.
#[must_use]
pub fn root() -> usize {
    ROOT.load(Ordering::Relaxed)
}

unsafe extern "C" {
    safe static boot_top: [u8; 0];
    safe static image_start: [u8; 0];
    safe static text_start: [u8; 0];
    safe static text_end: [u8; 0];
    safe static rodata_start: [u8; 0];
    safe static rodata_end: [u8; 0];
    safe static image_end: [u8; 0];
}

fn address_of(symbol: &'static [u8; 0]) -> usize {
    symbol.as_ptr() as usize
}

/// Physical addresses of the whole image.
pub fn image() -> Range<usize> {
    address_of(&image_start)..address_of(&image_end) - KERNEL_IMAGE
}

/// Addresses of the kernel's code.
pub fn code() -> Range<usize> {
    address_of(&text_start)..address_of(&text_end)
}

/// Whether `address` lies in the image's variables, where the boot stack is.
pub fn is_image_data(address: usize) -> bool {
    (address_of(&rodata_end)..address_of(&image_end)).contains(&address)
}

/// Gives pages for tables: the boot allocator's, then frames.
type Pages<'a> = &'a mut dyn FnMut() -> Option<usize>;

/// Builds the kernel's root and switches this CPU to it. Once, on the boot CPU,
/// while the boot page tables show the first 4 GiB in the direct map.
pub fn init(regions: &Regions, pages: Pages) {
    const ENOUGH: &str = "memory for the first page tables";
    let root = new_table(pages).expect(ENOUGH);
    for area in [DIRECT_MAP, KERNEL_STACKS, DEVICES, KERNEL_IMAGE] {
        let table = new_table(pages).expect(ENOUGH);
        set(root, index(area, 3), table as u64 | PRESENT | WRITE);
    }
    // A direct map of more than 512 GiB would need more entries here.
    for range in regions.direct_ranges() {
        map_direct(root, range, pages).expect(ENOUGH);
    }
    for (range, rights) in [
        (code(), Rights::CODE),
        (
            address_of(&rodata_start)..address_of(&rodata_end),
            Rights::CONSTANT,
        ),
        (
            address_of(&rodata_end)..address_of(&image_end),
            Rights::DATA,
        ),
    ] {
        for page in range.step_by(PAGE_SIZE) {
            map(root, page, page - KERNEL_IMAGE, PAGE_SIZE, rights, pages).expect(ENOUGH);
        }
    }
    // The other CPUs start on the boot tables, with the low half they need.
    let boot = address_of(&boot_top);
    for upper in 256..512 {
        set(boot, upper, get(root, upper));
    }
    ROOT.store(root, Ordering::Relaxed);
    load_root();
}

/// Switches this CPU to the kernel's own root.
pub fn load_root() {
    // SAFETY: the root maps code, stack and data where they are used now.
    unsafe { write_cr3(root() as u64) };
}

/// Maps physical memory at its place in the direct map, with the largest pages
/// that fit. The image's code and constants are not writable there either.
fn map_direct(root: usize, range: Range<usize>, pages: Pages) -> Result<(), OutOfMemory> {
    let image = image();
    let constant = address_of(&text_start) - KERNEL_IMAGE..address_of(&rodata_end) - KERNEL_IMAGE;
    let mut physical = range.start;
    while physical < range.end {
        let fits = |size: usize| {
            physical.is_multiple_of(size)
                && physical + size <= range.end
                && (physical + size <= image.start || physical >= image.end)
        };
        let size = if has(Feature::GibPages) && fits(GIB) {
            GIB
        } else if fits(MIB2) {
            MIB2
        } else {
            PAGE_SIZE
        };
        let rights = if constant.contains(&physical) {
            Rights::CONSTANT
        } else {
            Rights::DATA
        };
        map(root, direct(physical), physical, size, rights, pages)?;
        physical += size;
    }
    Ok(())
}

/// Maps one page of `size`, adding tables as needed.
fn map(
    root: usize,
    address: usize,
    physical: usize,
    size: usize,
    rights: Rights,
    pages: Pages,
) -> Result<(), OutOfMemory> {
    let (last, large) = match size {
        GIB => (2, LARGE),
        MIB2 => (1, LARGE),
        _ => (0, 0),
    };
    let mut table = root;
    for level in (last + 1..4).rev() {
        let entry = get(table, index(address, level));
        table = if entry & PRESENT != 0 {
            (entry & ADDRESS) as usize
        } else {
            let new = new_table(pages).ok_or(OutOfMemory)?;
            set(table, index(address, level), new as u64 | PRESENT | WRITE);
            new
        };
    }
    set(
        table,
        index(address, last),
        physical as u64 | rights.bits() | large,
    );
    Ok(())
}

/// A page for a table, from the frames. Never given back.
fn frame_for_table() -> Option<usize> {
    let run = Run::alloc(1)?;
    let physical = run.physical();
    core::mem::forget(run);
    Some(physical)
}

/// Maps a page of the kernel half for good or until [`unmap_page`].
pub fn map_page(address: usize, physical: usize, rights: Rights) -> Result<(), OutOfMemory> {
    let _map = MAP.lock();
    map(
        root(),
        address,
        physical,
        PAGE_SIZE,
        rights,
        &mut frame_for_table,
    )
}

/// Takes a page of the kernel half away. The caller flushes before the memory
/// is used for anything else.
pub fn unmap_page(address: usize) {
    let _map = MAP.lock();
    let mut table = root();
    for level in [3, 2, 1] {
        let entry = get(table, index(address, level));
        if entry & PRESENT == 0 {
            return;
        }
        table = (entry & ADDRESS) as usize;
    }
    set(table, index(address, 0), 0);
}

/// Maps device registers for good; returns where they are.
///
/// # Panics
/// If there is no memory for page tables: devices are mapped at boot.
pub fn map_device(physical: usize, length: usize) -> usize {
    let first = physical & !(PAGE_SIZE - 1);
    let span = (physical + length - first).next_multiple_of(PAGE_SIZE);
    let address = NEXT_DEVICE.fetch_add(span + PAGE_SIZE, Ordering::Relaxed);
    for offset in (0..span).step_by(PAGE_SIZE) {
        map_page(address + offset, first + offset, Rights::DEVICE)
            .expect("memory for page tables at boot");
    }
    address + (physical - first)
}

/// Forgets all translations on this CPU, the kernel's global ones included.
pub fn flush_all() {
    use super::registers::{CR4_GLOBAL_PAGES, read_cr4, write_cr4};
    let cr4 = read_cr4();
    // SAFETY: turning global pages off and on again only flushes; loading the
    // same root again does, too.
    unsafe {
        if cr4 & CR4_GLOBAL_PAGES != 0 {
            write_cr4(cr4 & !CR4_GLOBAL_PAGES);
            write_cr4(cr4);
        } else {
            write_cr3(read_cr3());
        }
    }
}

/// Forgets the translation of one address on this CPU.
#[inline]
pub fn flush_page(address: usize) {
    // SAFETY: forgetting a translation only costs a walk.
    unsafe { asm!("invlpg [{}]", in(reg) address, options(nostack, preserves_flags)) };
}

fn index(address: usize, level: usize) -> usize {
    address >> (12 + 9 * level) & 511
}

fn get(table: usize, index: usize) -> u64 {
    // SAFETY: `table` is a page table of the kernel half, seen in the direct
    // map; those are never freed.
    unsafe { ((direct(table) + index * 8) as *const u64).read_volatile() }
}

fn set(table: usize, index: usize, entry: u64) {
    // SAFETY: as in `get`; the caller holds `MAP` or is alone.
    unsafe { ((direct(table) + index * 8) as *mut u64).write_volatile(entry) };
}

fn new_table(pages: Pages) -> Option<usize> {
    let table = pages()?;
    for index in 0..512 {
        set(table, index, 0);
    }
    Some(table)
}
