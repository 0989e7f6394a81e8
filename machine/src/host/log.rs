//! The log goes to standard error.

pub fn line(arguments: core::fmt::Arguments) {
    eprintln!("{arguments}");
}
