//! Writes the names of the kernel's functions into its image, for backtraces.
//!
//! The kernel keeps room for a table in the section `.symbols` (its format is
//! told in `machine/src/symbols.rs`). The addresses are known only after
//! the link, so the table is written into the finished file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use elf::ElfBytes;
use elf::abi::STT_FUNC;
use elf::endian::LittleEndian;

/// Where the kernel's addresses are counted from.
const KERNEL_IMAGE: u64 = 0xffff_ffff_8000_0000;
const MAGIC: &[u8; 8] = b"WEFTSYM1";
const HEADER: usize = 12;
const ENTRY: usize = 8;

/// Fills in the table of the kernel at `path`. Doing it again changes nothing.
pub fn embed(path: &Path) -> Result<()> {
    let mut file = fs::read(path)?;
    let (names, place) = read(&file).context("reading the kernel's symbols")?;
    let table = encode(&names, place.len());
    file[place][..table.len()].copy_from_slice(&table);
    fs::write(path, file)?;
    Ok(())
}

/// The functions by address, and where in the file the table goes.
fn read(file: &[u8]) -> Result<(BTreeMap<u32, String>, std::ops::Range<usize>)> {
    let elf = ElfBytes::<LittleEndian>::minimal_parse(file)?;
    let section = elf
        .section_header_by_name(".symbols")?
        .context("the kernel has no section .symbols")?;
    let start = usize::try_from(section.sh_offset)?;
    let place = start..start + usize::try_from(section.sh_size)?;
    ensure!(
        place.end <= file.len() && place.len() > HEADER,
        "the section .symbols does not lie in the file"
    );
    let (symbols, strings) = elf.symbol_table()?.context("the kernel has no symbols")?;
    let mut names = BTreeMap::new();
    for symbol in symbols
        .iter()
        .filter(|symbol| symbol.st_symtype() == STT_FUNC)
    {
        let offset = symbol.st_value.checked_sub(KERNEL_IMAGE);
        if let Some(offset) = offset.and_then(|offset| u32::try_from(offset).ok()) {
            let name = strings.get(symbol.st_name as usize)?;
            // The alternate form leaves out the hash.
            let name = format!("{:#}", rustc_demangle::demangle(name));
            names.entry(offset).or_insert(name);
        }
    }
    Ok((names, place))
}

/// The table, in at most `room` bytes: names that do not fit are left out, from
/// the end.
fn encode(names: &BTreeMap<u32, String>, room: usize) -> Vec<u8> {
    let mut count = 0;
    let mut size = HEADER;
    for name in names.values() {
        size += ENTRY + 2 + cut(name).len();
        if size > room {
            break;
        }
        count += 1;
    }
    let mut entries = Vec::new();
    let mut text = Vec::new();
    for (offset, name) in names.iter().take(count) {
        let name = cut(name);
        let place = HEADER + count * ENTRY + text.len();
        entries.extend(offset.to_le_bytes());
        entries.extend((place as u32).to_le_bytes());
        text.extend((name.len() as u16).to_le_bytes());
        text.extend(name.as_bytes());
    }
    let mut table = MAGIC.to_vec();
    table.extend((count as u32).to_le_bytes());
    table.extend(entries);
    table.extend(text);
    table
}

/// Generic names can be endless.
fn cut(name: &str) -> &str {
    &name[..name.floor_char_boundary(120)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_holds_names_in_order_of_address() {
        let names = BTreeMap::from([(0x2000, "second".into()), (0x1000, "first".into())]);
        let table = encode(&names, 1000);
        assert_eq!(&table[..8], MAGIC);
        assert_eq!(table[8..12], 2u32.to_le_bytes());
        assert_eq!(table[12..16], 0x1000u32.to_le_bytes());
        let place = u32::from_le_bytes(table[16..20].try_into().unwrap()) as usize;
        assert_eq!(&table[place..place + 7], b"\x05\0first");
        assert!(table.ends_with(b"\x06\0second"));
    }

    #[test]
    fn a_table_never_outgrows_its_room() {
        let names = (0..100)
            .map(|index| (index, format!("function {index}")))
            .collect();
        for room in HEADER..600 {
            let table = encode(&names, room);
            assert!(table.len() <= room);
            let count = u32::from_le_bytes(table[8..12].try_into().unwrap());
            assert!((count as usize) * (ENTRY + 12) <= room);
        }
    }
}
