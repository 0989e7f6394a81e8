//! Single values and strings from and to user memory.

use alloc::vec::Vec;

use abi::Errno;
use abi::memory::PAGE_SIZE;
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// How much of a string is read at a time; most paths are shorter.
const PIECE: usize = 64;

/// EFAULT.
pub fn read<T: FromBytes + IntoBytes>(address: usize) -> Result<T, Errno> {
    let mut value = T::new_zeroed();
    machine::copy::copy_in(value.as_mut_bytes(), address).map_err(|_| Errno::EFAULT)?;
    Ok(value)
}

/// EFAULT.
pub fn write<T: IntoBytes + Immutable>(address: usize, value: &T) -> Result<(), Errno> {
    machine::copy::copy_out(address, value.as_bytes()).map_err(|_| Errno::EFAULT)
}

/// The zero-ended string at `address`, without the zero: EFAULT, ENOMEM, or
/// ENAMETOOLONG if it and its zero take more than `most` bytes.
pub fn read_string(address: usize, most: usize) -> Result<Vec<u8>, Errno> {
    let mut string: Vec<u8> = Vec::new();
    let mut at = address;
    while string.len() < most {
        // Not across a page's end: the next one may not be there.
        let length = PIECE
            .min(PAGE_SIZE - at % PAGE_SIZE)
            .min(most - string.len());
        let mut piece = [0; PIECE];
        machine::copy::copy_in(&mut piece[..length], at).map_err(|_| Errno::EFAULT)?;
        let end = piece[..length].iter().position(|&byte| byte == 0);
        let piece = &piece[..end.unwrap_or(length)];
        string
            .try_reserve(piece.len())
            .map_err(|_| Errno::ENOMEM)?;
        string.extend_from_slice(piece);
        if end.is_some() {
            return Ok(string);
        }
        at += length;
    }
    Err(Errno::ENAMETOOLONG)
}
