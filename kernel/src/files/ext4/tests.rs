//! The engine against images that the host's tools make and check.

mod allocation;
mod block_map;
mod compare;
mod crash;
mod damage;
mod descriptors;
mod directories;
pub mod failing;
mod faults;
pub mod image;
mod memory;
pub mod model;
mod pair;
mod random;
mod removal;
mod times;
