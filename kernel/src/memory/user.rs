//! The running program's memory, as calls read and write it. Everything is
//! copied in once and judged on the copy, as other threads may change the
//! original at any time. All of it may fault pages in, and so may sleep.

use abi::Errno;
use abi::memory::PAGE_SIZE;
use alloc::vec::Vec;
use machine::copy::{self, Fault};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// How much of a string is read at a time.
const PIECE: usize = 64;

/// Reads a value. EFAULT.
#[inline]
pub fn read_value<T: FromBytes + IntoBytes>(address: usize) -> Result<T, Errno> {
    let mut value = T::new_zeroed();
    copy::copy_in(value.as_mut_bytes(), address).map_err(errno)?;
    Ok(value)
}

/// Writes a value. EFAULT.
#[inline]
pub fn write_value<T: IntoBytes + Immutable>(address: usize, value: &T) -> Result<(), Errno> {
    copy::copy_out(address, value.as_bytes()).map_err(errno)
}

/// Fills `bytes` from user memory. EFAULT.
#[inline]
pub fn read_bytes(address: usize, bytes: &mut [u8]) -> Result<(), Errno> {
    copy::copy_in(bytes, address).map_err(errno)
}

/// Writes `bytes`. EFAULT.
#[inline]
pub fn write_bytes(address: usize, bytes: &[u8]) -> Result<(), Errno> {
    copy::copy_out(address, bytes).map_err(errno)
}

/// Reads a string that ends with a zero byte, without that byte. EFAULT;
/// ENAMETOOLONG if it has more than `most` bytes; ENOMEM.
pub fn read_string(address: usize, most: usize) -> Result<Vec<u8>, Errno> {
    let mut string = Vec::new();
    let mut at = address;
    loop {
        let mut piece = [0; PIECE];
        // Not across a page's border: the string may end before it, and
        // nothing may be mapped behind it.
        let length = PIECE.min(PAGE_SIZE - at % PAGE_SIZE);
        let piece = &mut piece[..length];
        copy::copy_in(piece, at).map_err(errno)?;
        let end = piece.iter().position(|&byte| byte == 0);
        let part = &piece[..end.unwrap_or(length)];
        if part.len() > most - string.len() {
            return Err(Errno::ENAMETOOLONG);
        }
        string.try_reserve(part.len()).map_err(|_| Errno::ENOMEM)?;
        string.extend_from_slice(part);
        if end.is_some() {
            return Ok(string);
        }
        at = at.checked_add(length).ok_or(Errno::EFAULT)?;
    }
}

fn errno(_: Fault) -> Errno {
    Errno::EFAULT
}
