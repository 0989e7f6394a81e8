//! What others may see of a space: its program, its regions, how much it has in
//! memory, and its bytes.

use super::Space;
use super::regions::{Backing, Lock, Region};
use super::space::Layout;
use crate::files::Inode;
use crate::files::allocate::try_vec;
use abi::Errno;
use abi::memory::{PAGE_SIZE, USER_END};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use machine::page_table::Rights;

/// The program that exec has loaded, and where its strings are on the stack.
pub struct Program {
    pub inode: Arc<dyn Inode>,
    /// As it was called, from the root on.
    pub path: Box<[u8]>,
    pub arguments: Range<usize>,
    pub environment: Range<usize>,
}

/// In bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    pub size: usize,
    pub resident: usize,
    /// Of what is resident, that of mapped files.
    pub shared: usize,
    pub code: usize,
    /// What the program can write to for itself, its stack included.
    pub data: usize,
    pub stack: usize,
    pub locked: usize,
}

/// What a region is, for those who look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    Memory,
    File,
    Heap,
    Stack,
    Vdso,
}

pub struct ShownRegion {
    pub range: Range<usize>,
    pub rights: Rights,
    pub shared: bool,
    /// Into the file, in bytes.
    pub offset: u64,
    pub file: Option<Arc<dyn Inode>>,
    pub shown: Shown,
}

impl Space {
    /// `None` before the first exec.
    pub fn program(&self) -> Option<Arc<Program>> {
        self.layout.read().program.clone()
    }

    pub fn set_program(&self, program: Arc<Program>) {
        self.layout.write().program = Some(program);
    }

    /// ENOMEM.
    pub fn shown_regions(&self) -> Result<Vec<ShownRegion>, Errno> {
        let layout = self.layout.read();
        let mut shown = try_vec(layout.regions.iter().count())?;
        shown.extend(layout.regions.iter().map(|region| show(&layout, region)));
        Ok(shown)
    }

    pub fn usage(&self) -> Usage {
        let layout = self.layout.read();
        let mut usage = Usage::default();
        for region in layout.regions.iter() {
            let size = region.end - region.start;
            let resident = self.table.count_mapped(region.range()) * PAGE_SIZE;
            let is_file = matches!(region.backing, Backing::File(_));
            let if_so = |is: bool, bytes| if is { bytes } else { 0 };
            usage.size += size;
            usage.resident += resident;
            usage.shared += if_so(is_file, resident);
            usage.code += if_so(region.rights.contains(Rights::EXECUTE), size);
            usage.data += if_so(
                !region.shares_file() && region.rights.contains(Rights::WRITE),
                size,
            );
            usage.stack += if_so(matches!(region.backing, Backing::Stack { .. }), size);
            usage.locked += if_so(region.lock != Lock::Off, size);
        }
        usage
    }

    /// Copies from `address`, as far as there is something in memory; how much.
    pub fn peek(&self, address: usize, into: &mut [u8]) -> usize {
        let _layout = self.layout.read();
        let mut done = 0;
        while done < into.len() {
            let at = match address.checked_add(done) {
                Some(at) if at < USER_END => at,
                _ => break,
            };
            let offset = at % PAGE_SIZE;
            let length = (into.len() - done).min(PAGE_SIZE - offset);
            let part = &mut into[done..done + length];
            let Some(page) = self.table.existing_page(at) else {
                break;
            };
            if !page.lock().with_frame(|frame| frame.read(offset, part)) {
                break;
            }
            done += length;
        }
        done
    }
}

fn show(layout: &Layout, region: &Region) -> ShownRegion {
    let heap = &layout.heap;
    let is_heap = region.start < heap.end && region.end > heap.start;
    let (mut offset, mut file, mut shared) = (0, None, false);
    let shown = match &region.backing {
        Backing::File(mapping) => {
            offset = mapping.page(region.start) * PAGE_SIZE as u64;
            file = Some(mapping.file.inode.clone());
            shared = mapping.file.shared;
            Shown::File
        }
        Backing::Stack { .. } => Shown::Stack,
        Backing::Vdso { .. } => Shown::Vdso,
        Backing::Private if is_heap => Shown::Heap,
        Backing::Private => Shown::Memory,
    };
    ShownRegion {
        range: region.range(),
        rights: region.rights,
        shared,
        offset,
        file,
        shown,
    }
}
