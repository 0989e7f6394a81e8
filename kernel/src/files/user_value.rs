//! Single values of the ABI's types to and from user memory.

use abi::Errno;
use zerocopy::{FromBytes, Immutable, IntoBytes};

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
