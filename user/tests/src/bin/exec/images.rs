//! Images that are no programs, or broken ones.

use crate::{own_path, read_all};
use core::ffi::CStr;
use weft::abi::file::*;
use weft::check::{Test, rounds};
use weft::process::Ended;
use weft::{Errno, check, file, process, tests, wild};

pub const TESTS: &[Test] = tests![
    not_a_program,
    broken_images_are_refused,
    changed_bytes_never_harm,
    cut_short_images,
];

pub const IMAGE: &CStr = c"/exec-image";

pub fn write_image(bytes: &[u8]) {
    let _ = file::unlink(IMAGE);
    let fd = file::open(IMAGE, O_WRONLY | O_CREAT | O_TRUNC).unwrap();
    file::write_all(fd, bytes).unwrap();
    file::close(fd).unwrap();
    const CHMOD: usize = 90;
    let _ = wild::call(CHMOD, [IMAGE.as_ptr() as usize, 0o755]);
}

fn not_a_program() {
    for bytes in [
        b"".as_slice(),
        b"x",
        b"\x7fELF",
        &[0; 4096],
        b"hello, this is a text",
        &[0xff; 200],
    ] {
        write_image(bytes);
        assert_eq!(
            process::exec(IMAGE, &[IMAGE]),
            Errno::ENOEXEC,
            "{} bytes",
            bytes.len()
        );
    }
    file::unlink(IMAGE).unwrap();
}

/// Offsets in an ELF header (System V ABI, chapter 4), their widths, and what to
/// put there.
const HEADER_CHANGES: [(usize, usize, u64); 16] = [
    (0, 1, 0x7e),
    (4, 1, 1),
    (5, 1, 2),
    (16, 2, 1),
    (16, 2, 4),
    (18, 2, 3),
    (18, 2, 183),
    (32, 8, u64::MAX),
    (32, 8, 1 << 40),
    (32, 8, u64::MAX - 100),
    (54, 2, 0),
    (54, 2, 57),
    (54, 2, 0xffff),
    (56, 2, 0xffff),
    (56, 2, 0),
    (24, 8, 1 << 63),
];

fn put(bytes: &mut [u8], at: usize, width: usize, value: u64) {
    bytes[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
}

/// Refused before the old program is lost; or, if it is started, then ended by
/// its own fault and nothing else.
fn is_harmless(bytes: &[u8]) {
    write_image(bytes);
    let child = check::start_child(|| {
        // Away from the console, whatever it prints.
        let null = file::open(c"/dev/null", O_RDWR).unwrap();
        for fd in 0..3 {
            file::dup2(null, fd).unwrap();
        }
        // A name that none of the roles knows: it ends at once.
        process::exec(IMAGE, &[IMAGE, c"--as", c"nobody"]);
        process::exit(77)
    });
    check::wait_for(child);
}

fn broken_images_are_refused() {
    let good = read_all(&own_path());
    for (at, width, value) in HEADER_CHANGES {
        let mut bytes = good.clone();
        put(&mut bytes, at, width, value);
        write_image(&bytes);
        if at == 24 || at == 4 || at == 5 {
            // An entry nowhere, or an odd identification: refused, or at most a
            // fault at once.
            is_harmless(&bytes);
            continue;
        }
        let ended = check::in_child(|| {
            let error = process::exec(IMAGE, &[IMAGE, c"--as", c"nobody"]);
            let known = [Errno::ENOEXEC, Errno::EINVAL, Errno::ENOMEM, Errno::EIO];
            assert!(known.contains(&error), "{at} {value:#x}: {error:?}");
        });
        assert_eq!(ended, Ended::Exited(0), "{at} {value:#x}: was not refused");
    }
    program_headers(&good);
    file::unlink(IMAGE).unwrap();
}

/// Each loadable segment with a nonsensical address, size or offset.
fn program_headers(good: &[u8]) {
    let table = u64::from_le_bytes(good[32..40].try_into().unwrap()) as usize;
    let count = u16::from_le_bytes(good[56..58].try_into().unwrap()) as usize;
    const SIZE: usize = 56;
    const LOAD: u8 = 1;
    for at in (0..count)
        .map(|i| table + i * SIZE)
        .filter(|at| good[*at] == LOAD)
    {
        for (field, value) in [
            (16, 0xffff_ffff_8000_0000u64),
            (16, 1 << 63),
            (16, u64::MAX - 0xfff),
            (16, 0x7fff_ffff_f000),
            (40, u64::MAX),
            (40, 1 << 47),
            (32, u64::MAX),
            (32, 1 << 40),
            (8, u64::MAX),
            (8, 1 << 62),
        ] {
            let mut bytes = good.to_vec();
            put(&mut bytes, at + field, 8, value);
            is_harmless(&bytes);
        }
    }
}

fn changed_bytes_never_harm() {
    let good = read_all(&own_path());
    let mut state = 5u64;
    let mut next = |limit: usize| {
        state = state
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (state >> 33) as usize % limit
    };
    for _ in 0..rounds(25, 2_000) {
        let mut bytes = good.clone();
        for _ in 0..next(4) + 1 {
            // The headers: what the kernel reads.
            let at = next(600.min(good.len()));
            bytes[at] = next(256) as u8;
        }
        is_harmless(&bytes);
    }
    file::unlink(IMAGE).unwrap();
}

fn cut_short_images() {
    let good = read_all(&own_path());
    for length in [4, 16, 63, 64, 65, 119, 120, 500, 4095, 4096, good.len() / 2] {
        is_harmless(&good[..length.min(good.len())]);
    }
    file::unlink(IMAGE).unwrap();
}
