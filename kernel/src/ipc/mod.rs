//! Communication between processes that has names of its own: message queues of
//! POSIX ([`mqueue`]).

pub mod access;
pub mod mqueue;
pub mod setting;
