//! Communication between processes that has names of its own: message queues of
//! POSIX ([`mqueue`]), and what System V has: message queues ([`msg`]), semaphores
//! ([`sem`]) and shared memory ([`shm`]).

pub mod access;
mod ids;
pub mod mqueue;
pub mod msg;
mod permission;
mod room;
pub mod sem;
pub mod setting;
pub mod shm;
