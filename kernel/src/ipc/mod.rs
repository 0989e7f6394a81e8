//! Communication between processes that has names of its own: message queues of
//! POSIX ([`mqueue`]), and shared memory of System V ([`shm`]).

pub mod access;
mod ids;
pub mod mqueue;
mod permission;
pub mod setting;
pub mod shm;
