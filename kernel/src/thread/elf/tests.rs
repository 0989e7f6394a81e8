//! Programs, and what is none.

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
    let mut image = plan(&file, file.len() as u64)?;
    image.place(DYN_BASE)?;
    Ok(image)
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
    let image = image.unwrap();
    assert_eq!(image.entry, DYN_BASE + 0x100);
    assert_eq!(image.headers, DYN_BASE + 0x40);
    assert_eq!(image.pages(), DYN_BASE..DYN_BASE + 0x1000);
}

#[test]
fn a_base_is_where_the_first_page_goes() {
    let prelinked = |align: u64| {
        program(|file| {
            file[16] = 3;
            file[112..120].copy_from_slice(&align.to_le_bytes());
        })
    };
    let image = prelinked(0x1000).unwrap();
    assert_eq!(image.segments[0].address, DYN_BASE);
    assert_eq!(image.entry, DYN_BASE + 0x100);
    assert_eq!(image.end, DYN_BASE + 0x300);
    let image = prelinked(0x20_0000).unwrap();
    assert_eq!(image.segments[0].address, 0x5555_5560_0000);
    // What is no alignment is none.
    assert_eq!(prelinked(3).unwrap().segments[0].address, DYN_BASE);
}

#[test]
fn a_program_may_name_its_loader() {
    let named = |length: u64| {
        program(|file| {
            file.resize(0x200, 0);
            file[56] = 2;
            file[120..124].copy_from_slice(&3u32.to_le_bytes());
            file[128..136].copy_from_slice(&0x180u64.to_le_bytes());
            file[152..160].copy_from_slice(&length.to_le_bytes());
        })
    };
    assert_eq!(named(28).unwrap().interpreter, Some(0x180..0x19c));
    assert_eq!(named(4096).unwrap().interpreter, Some(0x180..0x1180));
    for length in [0, 1, 4097, u64::MAX] {
        assert_eq!(named(length), Err(Errno::ENOEXEC), "{length}");
    }
    assert_eq!(program(|_| {}).unwrap().interpreter, None);
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
