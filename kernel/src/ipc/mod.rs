//! Communication between processes that has names of its own: message queues of
//! POSIX ([`mqueue`]), and semaphores ([`sem`]) and shared memory ([`shm`]) of System V.

pub mod access;
mod ids;
pub mod mqueue;
mod permission;
mod room;
pub mod sem;
pub mod setting;
pub mod shm;
