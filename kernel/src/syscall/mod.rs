//! System calls: [`table`] has one line per call; then a file per family.

mod clock;
pub mod descriptor;
pub mod file;
mod listing;
pub mod memory;
pub mod path;
mod process;
mod system;
mod table;
mod thread;

pub use table::dispatch;
