//! [`Text`]: a string that is put together, and may find no memory for it.

use core::fmt::{self, Write};

use abi::Errno;
use alloc::string::String;

/// See the module.
#[derive(Default)]
pub struct Text(String);

impl Text {
    /// Adds what `format_args!` makes; ENOMEM, and then a part of it may be there.
    pub fn add(&mut self, what: fmt::Arguments<'_>) -> Result<(), Errno> {
        // Nothing that is formatted here fails by itself.
        self.write_fmt(what).map_err(|_| Errno::ENOMEM)
    }

    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Write for Text {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        self.0.try_reserve(more.len()).map_err(|_| fmt::Error)?;
        self.0.push_str(more);
        Ok(())
    }
}
