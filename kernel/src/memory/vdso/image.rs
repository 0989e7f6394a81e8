//! The ELF file around the code that the kernel lends to programs: one page
//! that loaders read as a shared library with five functions, whose version is
//! the one that Linux gives them. Pure: bytes out.
//!
//! Source: System V ABI, chapters 4 and 5; its supplement on symbol versions.

use abi::memory::PAGE_SIZE;
use alloc::vec::Vec;
use elf::abi::*;
use elf::hash::sysv_hash;
use machine::vdso::{CODE_OFFSET, Function};

/// What a list of libraries calls it.
const NAME: &str = "linux-vdso.so.1";
const VERSION: &str = "LINUX_2.6";

const HEADER_SIZE: usize = 64;
const PROGRAM_HEADER_SIZE: usize = 56;
const SYMBOL_SIZE: usize = 24;
const DYNAMIC_SIZE: usize = 16;
const VERSION_SIZE: usize = 28;
const TAGS: usize = 10;

/// The page: tables, and `code` with its functions at [`CODE_OFFSET`]. None if
/// they do not fit.
pub fn build(code: &[u8], functions: &[Function]) -> Option<Vec<u8>> {
    let mut strings = Strings::new();
    let own_name = strings.add(NAME);
    let version = strings.add(VERSION);
    let names: Vec<usize> = functions.iter().map(|f| strings.add(f.name)).collect();
    let symbols = functions.len() + 1;

    // Where each table begins.
    let dynamic = HEADER_SIZE + 2 * PROGRAM_HEADER_SIZE;
    let symbol_table = dynamic + TAGS * DYNAMIC_SIZE;
    let definitions = symbol_table + symbols * SYMBOL_SIZE;
    let hash = definitions + 2 * VERSION_SIZE;
    let versions = hash + (3 + symbols) * size_of::<u32>();
    let string_table = versions + symbols * size_of::<u16>();

    let mut page = Page(Vec::new());
    page.header();
    page.program_header(PT_LOAD, PF_R | PF_X, 0, CODE_OFFSET + code.len(), PAGE_SIZE);
    page.program_header(PT_DYNAMIC, PF_R, dynamic, TAGS * DYNAMIC_SIZE, 8);
    let tags: [(i64, usize); TAGS] = [
        (DT_SONAME, own_name),
        (DT_HASH, hash),
        (DT_STRTAB, string_table),
        (DT_STRSZ, strings.0.len()),
        (DT_SYMTAB, symbol_table),
        (DT_SYMENT, SYMBOL_SIZE),
        (DT_VERSYM, versions),
        (DT_VERDEF, definitions),
        (DT_VERDEFNUM, 2),
        (DT_NULL, 0),
    ];
    for (tag, value) in tags {
        page.words(&[tag as u64, value as u64]);
    }
    page.words(&[0; 3]);
    for (index, function) in functions.iter().enumerate() {
        let next = functions.get(index + 1).map_or(code.len(), |f| f.offset);
        page.symbol(names[index], function.offset, next - function.offset);
    }
    page.version(VER_FLG_BASE, VER_NDX_GLOBAL, NAME, own_name, true);
    page.version(0, FUNCTIONS, VERSION, version, false);
    // One bucket, whose chain has all symbols.
    page.halves(&[1, symbols as u32, 1, 0]);
    for symbol in 1..symbols {
        let is_last = symbol + 1 == symbols;
        page.halves(&[if is_last { 0 } else { symbol as u32 + 1 }]);
    }
    page.quarters(&[0]);
    for _ in functions {
        page.quarters(&[FUNCTIONS]);
    }
    page.0.extend(strings.0);
    if page.0.len() > CODE_OFFSET || CODE_OFFSET + code.len() > PAGE_SIZE {
        return None;
    }
    page.0.resize(CODE_OFFSET, 0);
    page.0.extend(code);
    Some(page.0)
}

/// Which version definition the functions have.
const FUNCTIONS: u16 = 2;

/// The string table.
struct Strings(Vec<u8>);

impl Strings {
    fn new() -> Self {
        Self(Vec::from([0]))
    }

    /// Where `string` begins.
    fn add(&mut self, string: &str) -> usize {
        let at = self.0.len();
        self.0.extend(string.bytes().chain([0]));
        at
    }
}

struct Page(Vec<u8>);

impl Page {
    fn words(&mut self, words: &[u64]) {
        self.0
            .extend(words.iter().flat_map(|word| word.to_le_bytes()));
    }

    fn halves(&mut self, halves: &[u32]) {
        self.0
            .extend(halves.iter().flat_map(|half| half.to_le_bytes()));
    }

    fn quarters(&mut self, quarters: &[u16]) {
        let bytes = quarters.iter().flat_map(|quarter| quarter.to_le_bytes());
        self.0.extend(bytes);
    }

    fn header(&mut self) {
        let version = EV_CURRENT;
        let ident = [
            ELFMAG0,
            ELFMAG1,
            ELFMAG2,
            ELFMAG3,
            ELFCLASS64,
            ELFDATA2LSB,
            version,
        ];
        self.0.extend(ident);
        self.0.resize(EI_NIDENT, 0);
        self.quarters(&[ET_DYN, EM_X86_64]);
        self.halves(&[u32::from(version)]);
        // Neither an entry nor sections.
        self.words(&[0, HEADER_SIZE as u64, 0]);
        self.halves(&[0]);
        let sizes = [HEADER_SIZE, PROGRAM_HEADER_SIZE, 2, 64, 0, 0];
        self.quarters(&sizes.map(|size| size as u16));
    }

    fn program_header(&mut self, kind: u32, flags: u32, start: usize, size: usize, align: usize) {
        self.halves(&[kind, flags]);
        self.words(&[start, start, start, size, size, align].map(|word| word as u64));
    }

    fn symbol(&mut self, name: usize, offset: usize, size: usize) {
        /// The number of no section, but of one that is there.
        const SOME_SECTION: u16 = 1;
        self.halves(&[name as u32]);
        self.0.extend([STB_GLOBAL << 4 | STT_FUNC, STV_DEFAULT]);
        self.quarters(&[SOME_SECTION]);
        self.words(&[(CODE_OFFSET + offset) as u64, size as u64]);
    }

    fn version(&mut self, flags: u16, index: u16, name: &str, at: usize, has_next: bool) {
        /// From a definition to its name.
        const NAME_OFFSET: u32 = 20;
        self.quarters(&[1, flags, index, 1]);
        let next = if has_next { VERSION_SIZE as u32 } else { 0 };
        self.halves(&[sysv_hash(name.as_bytes()), NAME_OFFSET, next, at as u32, 0]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use elf::ElfBytes;
    use elf::endian::LittleEndian;
    use elf::file::Class;
    use elf::hash::SysVHashTable;
    use elf::string_table::StringTable;
    use elf::symbol::SymbolTable;
    use machine::vdso;

    fn value(elf: &ElfBytes<'_, LittleEndian>, tag: i64) -> usize {
        let tags = elf.dynamic().unwrap().unwrap();
        let found = tags.iter().find(|entry| entry.d_tag == tag);
        found.unwrap().d_val() as usize
    }

    #[test]
    fn a_loader_finds_the_functions() {
        let image = build(vdso::code(), &vdso::functions()).unwrap();
        assert!(image.len() <= PAGE_SIZE);
        let elf = ElfBytes::<LittleEndian>::minimal_parse(&image).unwrap();
        let from = |tag| &image[value(&elf, tag)..];
        let symbols = SymbolTable::new(LittleEndian, Class::ELF64, from(DT_SYMTAB));
        let strings = StringTable::new(from(DT_STRTAB));
        let hash = SysVHashTable::new(LittleEndian, Class::ELF64, from(DT_HASH)).unwrap();
        for function in vdso::functions() {
            let name = function.name.as_bytes();
            let found = hash.find(name, &symbols, &strings).unwrap();
            let (_, symbol) = found.expect(function.name);
            assert_eq!(symbol.st_value as usize, CODE_OFFSET + function.offset);
            assert!(symbol.st_size > 0 && symbol.st_shndx != SHN_UNDEF);
            assert_eq!(
                (symbol.st_bind(), symbol.st_symtype()),
                (STB_GLOBAL, STT_FUNC)
            );
            assert!(function.offset.is_multiple_of(16));
        }
        assert!(
            hash.find(b"__vdso_nothing", &symbols, &strings)
                .unwrap()
                .is_none()
        );
        let load = elf.segments().unwrap().iter().next().unwrap();
        assert_eq!((load.p_type, load.p_vaddr, load.p_offset), (PT_LOAD, 0, 0));
    }

    #[test]
    fn they_have_the_version_of_linux() {
        let image = build(vdso::code(), &vdso::functions()).unwrap();
        let elf = ElfBytes::<LittleEndian>::minimal_parse(&image).unwrap();
        let find = |tag| value(&elf, tag);
        let half = |at: usize| u32::from_le_bytes(image[at..at + 4].try_into().unwrap());
        let quarter = |at: usize| u16::from_le_bytes(image[at..at + 2].try_into().unwrap());
        let second = find(DT_VERDEF) + half(find(DT_VERDEF) + 16) as usize;
        // The hash that C libraries look for.
        assert_eq!((quarter(second + 4), half(second + 8)), (2, 0x3ae_75f6));
        let name = find(DT_STRTAB) + half(second + half(second + 12) as usize) as usize;
        assert_eq!(&image[name..name + 10], b"LINUX_2.6\0");
        let versions = find(DT_VERSYM);
        assert_eq!(
            [0, 1, 5].map(|symbol| quarter(versions + 2 * symbol)),
            [0, 2, 2]
        );
        let own_name = find(DT_STRTAB) + find(DT_SONAME);
        assert_eq!(&image[own_name..own_name + 16], b"linux-vdso.so.1\0");
    }

    #[test]
    fn what_does_not_fit_is_not_built() {
        assert!(build(&[0; PAGE_SIZE - CODE_OFFSET], &vdso::functions()).is_some());
        assert!(build(&[0; PAGE_SIZE - CODE_OFFSET + 1], &vdso::functions()).is_none());
    }
}
