//! What Weft needs on this machine: found, or installed where that is possible,
//! or else named together with the exact command that installs it.

pub mod busybox;
pub mod e2fsprogs;
pub mod packages;
pub mod qemu;
pub mod toolchain;

pub use toolchain::Toolchain;
