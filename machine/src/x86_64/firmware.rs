//! What the boot loader says, in one form whatever its protocol.

use crate::address::direct;
use crate::regions::Regions;
use arrayvec::{ArrayString, ArrayVec};
use core::ops::Range;

/// What the boot page tables show.
pub use crate::regions::EARLY_LIMIT;

/// What the boot loader says.
pub struct Firmware {
    pub regions: Regions,
    pub command_line: ArrayString<2048>,
    /// The initial image, in physical memory.
    pub module: Range<usize>,
    /// Physical address of the ACPI root pointer, if it was told.
    pub root_pointer: Option<usize>,
}

impl Firmware {
    pub fn new() -> Self {
        Self {
            regions: Regions::new(),
            command_line: ArrayString::new(),
            module: 0..0,
            root_pointer: None,
        }
    }

    /// Keeps the command line at `physical`, cut off if it is overlong. A line
    /// that is not UTF-8 is kept up to where it stops being so.
    ///
    /// # Safety
    /// A string that ends with a zero byte lies there.
    pub unsafe fn set_command_line(&mut self, physical: usize) {
        let room = self.command_line.capacity();
        let mut bytes = ArrayVec::<u8, 2048>::new();
        while bytes.len() < room {
            // SAFETY: the bytes up to the zero are the string's.
            match unsafe { read::<u8>(physical + bytes.len()) } {
                0 => break,
                byte => bytes.push(byte),
            }
        }
        let text = match core::str::from_utf8(&bytes) {
            Ok(text) => text,
            Err(error) => core::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or(""),
        };
        self.command_line.clear();
        self.command_line.push_str(text);
    }
}

/// Reads a value from physical memory, wherever it is aligned.
///
/// # Safety
/// Memory the direct map shows holds a valid `T` there.
pub unsafe fn read<T: Copy>(physical: usize) -> T {
    // SAFETY: passed on to the caller.
    unsafe { (direct(physical) as *const T).read_unaligned() }
}
