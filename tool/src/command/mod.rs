//! The subcommands, one file each, and what several of them share.

pub mod bench;
pub mod build;
pub mod cc;
pub mod check;
pub mod conform;
pub mod crash;
pub mod disk;
pub mod exec;
pub mod gdb;
pub mod iso;
mod prepare;
mod root_disk;
pub mod run;
pub mod setup;
pub mod test;
