//! [`Text`]: bytes that is put together, and may find no memory for it.

use core::fmt::{self, Write};

use abi::Errno;
use alloc::vec::Vec;

/// See the module.
#[derive(Default)]
pub struct Text(Vec<u8>);

impl Text {
    /// Adds what `format_args!` makes; ENOMEM, and then a part of it may be there.
    pub fn add(&mut self, what: fmt::Arguments<'_>) -> Result<(), Errno> {
        // Nothing that is formatted here fails by itself.
        self.write_fmt(what).map_err(|_| Errno::ENOMEM)
    }

    /// Adds bytes as they are.
    pub fn add_bytes(&mut self, bytes: &[u8]) -> Result<(), Errno> {
        self.0.try_reserve(bytes.len()).map_err(|_| Errno::ENOMEM)?;
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        self.add_bytes(more.as_bytes()).map_err(|_| fmt::Error)
    }
}
