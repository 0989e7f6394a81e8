//! The table of names in the kernel's image: see [`crate::symbols`].

use crate::address::KERNEL_IMAGE;
use crate::symbols;

/// Bytes kept for the table.
const SIZE: usize = 256 * 1024;

#[unsafe(link_section = ".symbols")]
static TABLE: [u8; SIZE] = [0; SIZE];

/// The function that holds `address`, and how far into it that is.
pub fn lookup(address: usize) -> Option<(&'static str, usize)> {
    // The build fills the table in after the link, so the compiler must not
    // think that it knows what is in it.
    let table: &'static [u8] = core::hint::black_box(&TABLE);
    symbols::lookup(table, address.checked_sub(KERNEL_IMAGE)?)
}
