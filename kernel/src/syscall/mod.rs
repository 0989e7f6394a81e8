//! System calls: [`table`] has one line per call; then a file per family.

mod attributes;
mod clock;
mod clone;
mod copying;
mod credentials;
pub mod descriptor;
mod event;
pub mod file;
mod inotify;
mod limit;
mod listing;
mod lock;
mod locked;
mod membarrier;
pub mod memory;
mod mount;
mod mqueue;
pub mod path;
mod poll;
mod prctl;
mod process;
mod sched;
mod shm;
mod signal;
mod socket;
mod socket_message;
mod socket_option;
mod splice;
mod storage;
mod system;
mod table;
mod thread;
mod timer;
mod usage;
mod vectors;

pub use table::dispatch;
