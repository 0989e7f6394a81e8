//! Reading a program or the loader it names: an ELF64 file is turned into a plan
//! of what to map where, or refused. Pure: bytes in, plan out.
//!
//! Source: System V ABI, chapters 4 and 5; its x86-64 supplement.

use crate::files::allocate::try_vec;
use abi::Errno;
use abi::file::PATH_MAX;
use abi::memory::{PAGE_SIZE, PROT_EXEC, PROT_READ, PROT_WRITE, USER_END};
use alloc::vec::Vec;
use core::ops::Range;
use elf::abi::{EM_X86_64, ET_DYN, ET_EXEC, PF_R, PF_W, PF_X, PT_INTERP, PT_LOAD, PT_PHDR};
use elf::endian::LittleEndian;
use elf::file::{Class, FileHeader, parse_ident};
use elf::segment::{ProgramHeader, SegmentTable};

/// How much of a file's beginning must hold its headers.
pub const HEAD: usize = PAGE_SIZE;
/// Where a position-independent program is put, as Linux does without randomisation.
pub const DYN_BASE: usize = 0x5555_5555_4000;
/// More loadable segments than any linker makes.
const SEGMENTS_MAX: usize = 16;
/// The largest alignment that is obeyed: what a page of the largest size has.
const ALIGN_MAX: u64 = 1 << 30;
const PATH_MAX_BYTES: u64 = PATH_MAX as u64;
/// Below this nothing is mapped, so that null pointers fault (Linux's `mmap_min_addr`).
const ADDRESS_MIN: usize = 0x1_0000;

/// One loadable segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    pub address: usize,
    pub memory_size: usize,
    pub file_offset: u64,
    pub file_size: usize,
    /// `PROT_*` bits.
    pub protection: usize,
}

impl Segment {
    /// The pages it touches: first address and length.
    pub fn pages(&self) -> (usize, usize) {
        let start = self.address & !(PAGE_SIZE - 1);
        let end = (self.address + self.memory_size).next_multiple_of(PAGE_SIZE);
        (start, end - start)
    }
}

/// What to map, and where to begin.
#[derive(Debug, PartialEq, Eq)]
pub struct Image {
    /// It can be moved: its addresses are relative to a base.
    pub is_movable: bool,
    /// What its first address must be a multiple of, if it is moved.
    pub align: usize,
    /// Where the file has the path of the program that loads it.
    pub interpreter: Option<Range<u64>>,
    pub entry: usize,
    /// In rising order, no two sharing a page.
    pub segments: Vec<Segment>,
    /// Where the program headers end up in memory; 0 if they are not loaded.
    pub headers: usize,
    pub header_count: usize,
    /// The end of the last segment: where the heap begins.
    pub end: usize,
}

/// Size of one program header.
pub const HEADER_SIZE: usize = 56;

/// Plans the program whose first bytes are `head` and whose size is `size`, at
/// the addresses that the file names.
///
/// # Errors
/// `ENOEXEC` for anything that is not a well-formed x86-64 program; `ENOMEM`.
pub fn plan(head: &[u8], size: u64) -> Result<Image, Errno> {
    let header = file_header(head)?;
    let mut image = Image {
        is_movable: match header.e_type {
            ET_EXEC => false,
            ET_DYN => true,
            _ => return Err(Errno::ENOEXEC),
        },
        align: PAGE_SIZE,
        interpreter: None,
        entry: header.e_entry as usize,
        // On the heap: an image is handed on, and the kernel's stacks are small.
        segments: try_vec(SEGMENTS_MAX)?,
        headers: 0,
        header_count: header.e_phnum as usize,
        end: 0,
    };
    for program_header in program_headers(head, &header)?.iter() {
        match program_header.p_type {
            // The first of several counts.
            PT_INTERP if image.interpreter.is_none() => {
                image.interpreter = Some(interpreter(&program_header)?);
            }
            PT_PHDR => image.headers = program_header.p_vaddr as usize,
            PT_LOAD if program_header.p_memsz > 0 => image.add(&program_header, size)?,
            _ => {}
        }
    }
    find_headers(&mut image, header.e_phoff);
    let starts_in = |segment: &Segment| {
        segment.protection & PROT_EXEC != 0
            && image.entry.wrapping_sub(segment.address) < segment.memory_size
    };
    if image.segments.iter().any(starts_in) {
        Ok(image)
    } else {
        Err(Errno::ENOEXEC)
    }
}

impl Image {
    /// The pages from the first segment to the last.
    pub fn pages(&self) -> Range<usize> {
        let start = self.segments.first().map_or(0, |first| first.pages().0);
        start..self.end.next_multiple_of(PAGE_SIZE)
    }

    /// Makes it the image as it is to be loaded: with its first page at `base`,
    /// rounded up to its alignment, if it can be moved.
    ///
    /// # Errors
    /// `ENOEXEC` if it would not lie where programs may.
    pub fn place(&mut self, base: usize) -> Result<(), Errno> {
        let pages = self.pages();
        let bias = match self.is_movable {
            true => base.next_multiple_of(self.align).wrapping_sub(pages.start),
            false => 0,
        };
        let start = pages.start.wrapping_add(bias);
        let end = start.checked_add(pages.len());
        if start < ADDRESS_MIN || end.is_none_or(|end| end > USER_END - PAGE_SIZE) {
            return Err(Errno::ENOEXEC);
        }
        for segment in &mut self.segments {
            segment.address = segment.address.wrapping_add(bias);
        }
        self.entry = self.entry.wrapping_add(bias);
        self.end = self.end.wrapping_add(bias);
        if self.headers != 0 {
            self.headers = self.headers.wrapping_add(bias);
        }
        Ok(())
    }

    /// Adds a loadable segment of a file of `size` bytes, above the others.
    fn add(&mut self, header: &ProgramHeader, size: u64) -> Result<(), Errno> {
        let segment = segment(header, size)?;
        if segment.pages().0 < self.end.next_multiple_of(PAGE_SIZE) {
            return Err(Errno::ENOEXEC);
        }
        self.end = segment.address + segment.memory_size;
        if header.p_align.is_power_of_two() && header.p_align <= ALIGN_MAX {
            self.align = self.align.max(header.p_align as usize);
        }
        if self.segments.len() == SEGMENTS_MAX {
            return Err(Errno::ENOEXEC);
        }
        self.segments.push(segment);
        Ok(())
    }
}

fn file_header(head: &[u8]) -> Result<FileHeader<LittleEndian>, Errno> {
    let (ident, tail) = head.split_at_checked(16).ok_or(Errno::ENOEXEC)?;
    let tail = tail.get(..48).ok_or(Errno::ENOEXEC)?;
    let ident = parse_ident::<LittleEndian>(ident).map_err(|_| Errno::ENOEXEC)?;
    let header = FileHeader::parse_tail(ident, tail).map_err(|_| Errno::ENOEXEC)?;
    let fits = header.class == Class::ELF64
        && header.e_machine == EM_X86_64
        && header.e_phentsize as usize == HEADER_SIZE
        && header.e_phnum > 0;
    if fits {
        Ok(header)
    } else {
        Err(Errno::ENOEXEC)
    }
}

fn program_headers<'a>(
    head: &'a [u8],
    header: &FileHeader<LittleEndian>,
) -> Result<SegmentTable<'a, LittleEndian>, Errno> {
    let start = usize::try_from(header.e_phoff).map_err(|_| Errno::ENOEXEC)?;
    let end = start
        .checked_add(header.e_phnum as usize * HEADER_SIZE)
        .ok_or(Errno::ENOEXEC)?;
    let bytes = head.get(start..end).ok_or(Errno::ENOEXEC)?;
    Ok(SegmentTable::new(LittleEndian, Class::ELF64, bytes))
}

/// Where the path is: a byte at least, and a zero behind it.
fn interpreter(header: &ProgramHeader) -> Result<Range<u64>, Errno> {
    let end = header.p_offset.checked_add(header.p_filesz);
    match (end, header.p_filesz) {
        (Some(end), 2..=PATH_MAX_BYTES) => Ok(header.p_offset..end),
        _ => Err(Errno::ENOEXEC),
    }
}

fn segment(header: &ProgramHeader, file_size: u64) -> Result<Segment, Errno> {
    let address = header.p_vaddr as usize;
    let memory_size = header.p_memsz as usize;
    let end = address.checked_add(memory_size).ok_or(Errno::ENOEXEC)?;
    let file_end = header
        .p_offset
        .checked_add(header.p_filesz)
        .ok_or(Errno::ENOEXEC)?;
    let is_sound = end <= USER_END
        && header.p_filesz <= header.p_memsz
        && file_end <= file_size
        && (address as u64)
            .wrapping_sub(header.p_offset)
            .is_multiple_of(PAGE_SIZE as u64);
    if !is_sound {
        return Err(Errno::ENOEXEC);
    }
    let bit = |flag, protection| {
        if header.p_flags & flag != 0 {
            protection
        } else {
            0
        }
    };
    Ok(Segment {
        address,
        memory_size,
        file_offset: header.p_offset,
        file_size: header.p_filesz as usize,
        protection: bit(PF_R, PROT_READ) | bit(PF_W, PROT_WRITE) | bit(PF_X, PROT_EXEC),
    })
}

/// Without a `PT_PHDR`, the headers are where the segment that holds their
/// part of the file puts them.
fn find_headers(image: &mut Image, file_offset: u64) {
    let size = (image.header_count * HEADER_SIZE) as u64;
    let holds = |segment: &&Segment| {
        file_offset >= segment.file_offset
            && file_offset + size <= segment.file_offset + segment.file_size as u64
    };
    if image.headers == 0
        && let Some(segment) = image.segments.iter().find(holds)
    {
        image.headers = segment.address + (file_offset - segment.file_offset) as usize;
    }
}

#[cfg(test)]
mod tests;
