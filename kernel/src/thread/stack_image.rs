//! What a new program finds on its stack: argument count, argument and
//! environment pointers, the auxiliary vector, and the strings. Pure: bytes out.
//!
//! Source: System V ABI, x86-64 supplement, figure 3.9.

use super::elf::{HEADER_SIZE, Image};
use crate::credentials::{Credentials, Exec};
use abi::Errno;
use abi::memory::PAGE_SIZE;
use abi::process::*;
use abi::time::NANOS_PER_TICK;
use alloc::vec::Vec;
use core::ops::Range;

/// Argument and environment strings, without their ending zeros.
pub struct Arguments {
    pub argv: Vec<Vec<u8>>,
    pub envp: Vec<Vec<u8>>,
}

/// Where the program finds others beside itself; 0 if they are not there.
#[derive(Clone, Copy)]
pub struct Bases {
    pub loader: usize,
    /// The code that the kernel lends.
    pub vdso: usize,
}

/// The bytes from the stack pointer up to the top of the stack.
pub struct StackImage {
    pub pointer: usize,
    pub bytes: Vec<u8>,
    /// Where the argument strings are, and those of the environment behind them.
    pub arguments: Range<usize>,
    pub environment: Range<usize>,
}

const WORD: usize = size_of::<usize>();

/// What `$PLATFORM` stands for in a library's path.
const PLATFORM: &[u8] = b"x86_64\0";
/// Of times(2) and what `/proc` says, in a second.
const TICKS: usize = (1_000_000_000 / NANOS_PER_TICK) as usize;

impl StackImage {
    /// The image that ends at `top`.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub fn new(
        top: usize,
        path: &[u8],
        arguments: &Arguments,
        image: &Image,
        bases: Bases,
        exec: &Exec,
    ) -> Result<StackImage, Errno> {
        // Strings first, from the bottom of their area upwards.
        let all = || arguments.argv.iter().chain(&arguments.envp);
        let random = 16;
        let strings = all().map(|string| string.len() + 1).sum::<usize>()
            + path.len()
            + 1
            + PLATFORM.len()
            + random;
        let auxiliary = auxiliary(image, bases, exec);
        let words = 1 + all().count() + 2 + auxiliary.len() * 2;
        // The ABI wants the stack pointer aligned to 16 at the entry point.
        let size = (words * WORD + strings).next_multiple_of(16);
        let pointer = top - size;
        let mut at = top - strings;

        let mut bytes = Vec::new();
        bytes.try_reserve_exact(size).map_err(|_| Errno::ENOMEM)?;
        let push = |bytes: &mut Vec<u8>, word: usize| bytes.extend(word.to_ne_bytes());
        push(&mut bytes, arguments.argv.len());
        let mut borders = [at; 3];
        for (index, vector) in [&arguments.argv, &arguments.envp].into_iter().enumerate() {
            for string in vector {
                push(&mut bytes, at);
                at += string.len() + 1;
            }
            borders[index + 1] = at;
            push(&mut bytes, 0);
        }
        for (kind, value) in auxiliary {
            let value = match kind {
                AT_EXECFN => at,
                AT_PLATFORM => at + path.len() + 1,
                AT_RANDOM => top - random,
                _ => value,
            };
            push(&mut bytes, kind);
            push(&mut bytes, value);
        }
        bytes.resize(size - strings, 0);
        for string in all().map(Vec::as_slice).chain([path]) {
            bytes.extend_from_slice(string);
            bytes.push(0);
        }
        bytes.extend(PLATFORM);
        bytes.extend(crate::random::bytes::<16>());
        let [start, middle, end] = borders;
        Ok(StackImage {
            pointer,
            bytes,
            arguments: start..middle,
            environment: middle..end,
        })
    }
}

/// The auxiliary vector; addresses on the stack are filled in later.
fn auxiliary(image: &Image, bases: Bases, exec: &Exec) -> [(usize, usize); 18] {
    let Credentials { user, group, .. } = &exec.credentials;
    [
        (AT_SYSINFO_EHDR, bases.vdso),
        (AT_CLKTCK, TICKS),
        (AT_PHDR, image.headers),
        (AT_PHENT, HEADER_SIZE),
        (AT_PHNUM, image.header_count),
        (AT_PAGESZ, PAGE_SIZE),
        (AT_BASE, bases.loader),
        (AT_FLAGS, 0),
        (AT_ENTRY, image.entry),
        (AT_UID, user.real as usize),
        (AT_EUID, user.effective as usize),
        (AT_GID, group.real as usize),
        (AT_EGID, group.effective as usize),
        (AT_SECURE, usize::from(exec.is_secure)),
        (AT_RANDOM, 0),
        (AT_EXECFN, 0),
        (AT_PLATFORM, 0),
        (AT_NULL, 0),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credentials::Change;

    fn strings(list: &[&str]) -> Vec<Vec<u8>> {
        list.iter()
            .map(|string| string.as_bytes().to_vec())
            .collect()
    }

    #[test]
    fn a_program_finds_its_arguments() {
        let arguments = Arguments {
            argv: strings(&["ls", "-l", ""]),
            envp: strings(&["HOME=/"]),
        };
        let image = Image {
            is_movable: false,
            align: PAGE_SIZE,
            interpreter: None,
            entry: 7,
            segments: Vec::new(),
            headers: 9,
            header_count: 1,
            end: 0,
        };
        let top = 0x10_0000;
        let bases = Bases {
            loader: 0x7000,
            vdso: 0x9000,
        };
        let exec = Exec {
            credentials: Credentials::ROOT.with_user(Change::File(5)).unwrap(),
            is_secure: true,
        };
        let stack = StackImage::new(top, b"/bin/ls", &arguments, &image, bases, &exec).unwrap();
        assert_eq!(stack.pointer % 16, 0);
        assert_eq!(stack.pointer + stack.bytes.len(), top);
        let word = |index: usize| {
            usize::from_ne_bytes(stack.bytes[index * 8..index * 8 + 8].try_into().unwrap())
        };
        let text = |address: usize| {
            let bytes = &stack.bytes[address - stack.pointer..];
            let end = bytes.iter().position(|&byte| byte == 0).unwrap();
            String::from_utf8(bytes[..end].to_vec()).unwrap()
        };
        assert_eq!(word(0), 3);
        assert_eq!(
            [text(word(1)), text(word(2)), text(word(3))],
            ["ls", "-l", ""]
        );
        assert_eq!(word(4), 0);
        assert_eq!(text(word(5)), "HOME=/");
        assert_eq!(word(6), 0);
        let auxiliary: Vec<(usize, usize)> = (0..18)
            .map(|i| (word(7 + 2 * i), word(8 + 2 * i)))
            .collect();
        let value = |kind| auxiliary.iter().find(|entry| entry.0 == kind).unwrap().1;
        assert_eq!((value(AT_ENTRY), value(AT_PHDR)), (7, 9));
        assert_eq!((value(AT_BASE), value(AT_SYSINFO_EHDR)), (0x7000, 0x9000));
        assert_eq!(text(value(AT_EXECFN)), "/bin/ls");
        assert_eq!(text(value(AT_PLATFORM)), "x86_64");
        assert_eq!(value(AT_RANDOM), top - 16);
        assert_eq!((value(AT_UID), value(AT_SECURE)), (0, 1));
    }
}
