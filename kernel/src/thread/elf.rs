//! Reading a program: an ELF64 static executable is turned into a plan of
//! what to map where, or refused. Pure: bytes in, plan out.
//!
//! Source: System V ABI, chapters 4 and 5; its x86-64 supplement.

use abi::Errno;
use abi::memory::{PAGE_SIZE, PROT_EXEC, PROT_READ, PROT_WRITE, USER_END};
use arrayvec::ArrayVec;
use elf::abi::{EM_X86_64, ET_DYN, ET_EXEC, PF_R, PF_W, PF_X, PT_INTERP, PT_LOAD, PT_PHDR};
use elf::endian::LittleEndian;
use elf::file::{Class, FileHeader, parse_ident};
use elf::segment::{ProgramHeader, SegmentTable};

/// How much of a file's beginning must hold its headers.
pub const HEAD: usize = PAGE_SIZE;
/// Where a position-independent program is put, as Linux does without randomisation.
const DYN_BASE: usize = 0x5555_5555_4000;
/// More loadable segments than any linker makes.
const SEGMENTS_MAX: usize = 16;
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
    pub entry: usize,
    /// In rising order, no two sharing a page.
    pub segments: ArrayVec<Segment, SEGMENTS_MAX>,
    /// Where the program headers end up in memory; 0 if they are not loaded.
    pub headers: usize,
    pub header_count: usize,
    /// The end of the last segment: where the heap begins.
    pub end: usize,
}

/// Size of one program header.
pub const HEADER_SIZE: usize = 56;

/// Plans the program whose first bytes are `head` and whose size is `size`.
///
/// # Errors
/// `ENOEXEC` for anything that is not a well-formed static x86-64 program.
pub fn plan(head: &[u8], size: u64) -> Result<Image, Errno> {
    let header = file_header(head)?;
    let bias = match header.e_type {
        ET_EXEC => 0,
        ET_DYN => DYN_BASE,
        _ => return Err(Errno::ENOEXEC),
    };
    let mut image = Image {
        entry: bias.wrapping_add(header.e_entry as usize),
        segments: ArrayVec::new(),
        headers: 0,
        header_count: header.e_phnum as usize,
        end: 0,
    };
    for program_header in program_headers(head, &header)?.iter() {
        match program_header.p_type {
            PT_INTERP => return Err(Errno::ENOEXEC),
            PT_PHDR => image.headers = bias.wrapping_add(program_header.p_vaddr as usize),
            PT_LOAD if program_header.p_memsz > 0 => {
                let segment = segment(&program_header, bias, size)?;
                if segment.pages().0 < image.end.next_multiple_of(PAGE_SIZE) {
                    return Err(Errno::ENOEXEC);
                }
                image.end = segment.address + segment.memory_size;
                image
                    .segments
                    .try_push(segment)
                    .map_err(|_| Errno::ENOEXEC)?;
            }
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

fn segment(header: &ProgramHeader, bias: usize, file_size: u64) -> Result<Segment, Errno> {
    let address = bias
        .checked_add(header.p_vaddr as usize)
        .ok_or(Errno::ENOEXEC)?;
    let memory_size = header.p_memsz as usize;
    let end = address.checked_add(memory_size).ok_or(Errno::ENOEXEC)?;
    let file_end = header
        .p_offset
        .checked_add(header.p_filesz)
        .ok_or(Errno::ENOEXEC)?;
    let is_sound = address >= ADDRESS_MIN
        && end <= USER_END - PAGE_SIZE
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
mod tests {
    use super::*;

    /// A program with one segment of code: `change` spoils it.
    fn program(change: impl FnOnce(&mut Vec<u8>)) -> Result<Image, Errno> {
        let mut file = vec![0u8; 0x200];
        file[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
        put(16, &2u16.to_le_bytes());
        put(18, &62u16.to_le_bytes());
        put(20, &1u32.to_le_bytes());
        put(24, &0x40_0100u64.to_le_bytes());
        put(32, &64u64.to_le_bytes());
        put(52, &64u16.to_le_bytes());
        put(54, &56u16.to_le_bytes());
        put(56, &1u16.to_le_bytes());
        put(64, &1u32.to_le_bytes());
        put(68, &5u32.to_le_bytes());
        put(72, &0u64.to_le_bytes());
        put(80, &0x40_0000u64.to_le_bytes());
        put(96, &0x200u64.to_le_bytes());
        put(104, &0x300u64.to_le_bytes());
        put(112, &0x1000u64.to_le_bytes());
        change(&mut file);
        plan(&file, file.len() as u64)
    }

    fn patched(at: usize, bytes: &[u8]) -> Result<Image, Errno> {
        program(|file| file[at..at + bytes.len()].copy_from_slice(bytes))
    }

    #[test]
    fn a_small_program() {
        let image = program(|_| {}).unwrap();
        assert_eq!(image.entry, 0x40_0100);
        assert_eq!(image.end, 0x40_0300);
        assert_eq!(image.headers, 0x40_0040);
        let segment = image.segments[0];
        assert_eq!(segment.pages(), (0x40_0000, 0x1000));
        assert_eq!(segment.protection, PROT_READ | PROT_EXEC);
    }

    #[test]
    fn position_independent_programs_are_moved() {
        let image = program(|file| {
            file[16] = 3;
            file[24..32].copy_from_slice(&0x100u64.to_le_bytes());
            file[80..88].copy_from_slice(&0u64.to_le_bytes());
        });
        assert_eq!(image.unwrap().entry, DYN_BASE + 0x100);
    }

    #[test]
    fn broken_programs_are_refused() {
        let max = u64::MAX.to_le_bytes();
        let cases: &[(usize, &[u8])] = &[
            (0, b"\x7fELG"),
            (4, &[1]),
            (5, &[2]),
            (16, &[1]),
            (18, &[3]),
            (24, &0x50_0000u64.to_le_bytes()),
            (32, &max),
            (54, &55u16.to_le_bytes()),
            (56, &0u16.to_le_bytes()),
            (56, &u16::MAX.to_le_bytes()),
            (64, &3u32.to_le_bytes()),
            (68, &6u32.to_le_bytes()),
            (72, &max),
            (72, &8u64.to_le_bytes()),
            (80, &0u64.to_le_bytes()),
            (80, &max),
            (80, &0x7fff_ffff_f000u64.to_le_bytes()),
            (96, &0x301u64.to_le_bytes()),
            (96, &max),
            (104, &max),
            (104, &0u64.to_le_bytes()),
        ];
        for &(at, bytes) in cases {
            assert_eq!(patched(at, bytes), Err(Errno::ENOEXEC), "{at} {bytes:x?}");
        }
    }

    #[test]
    fn every_truncation_is_refused() {
        for length in 0..0x1ff {
            assert_eq!(
                program(|file| file.truncate(length)),
                Err(Errno::ENOEXEC),
                "{length}"
            );
        }
    }
}
