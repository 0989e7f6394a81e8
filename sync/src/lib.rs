//! What threads and CPUs use to agree with each other.
//!
//! Purpose: spin locks and ticket locks; mutex, readers-writer lock and once that
//! sleep; wait queues whose waiters live on the sleeper's stack; lock ranks with
//! one table; preemption and interrupt guards over the per-CPU header.
//! Key types: [`SpinLock`], [`TicketLock`], [`Mutex`], [`RwLock`], [`OnceCell`],
//! [`WaitQueue`], and the [`Scheduler`] that the kernel installs beneath them.
//! Locks: the order of all locks of the kernel is the table in [`rank`].
//!
//! The crate is one of those that may hold `unsafe`. It runs in the kernel
//! (`target_os = "none"`), on the host with a thread-local in place of the
//! per-CPU block and `std` threads beneath, and under loom (`--cfg loom`).
#![cfg_attr(target_os = "none", no_std)]

extern crate alloc;

pub mod cpu_local;
mod facade;
pub mod heap;
mod hold;
pub mod interrupts;
mod mutex;
mod once;
pub mod preempt;
pub mod rank;
mod rwlock;
pub mod scheduler;
mod spin;
mod ticket;
mod wait_queue;

pub use mutex::{Mutex, MutexGuard};
pub use once::{Once, OnceCell};
pub use rank::Rank;
pub use rwlock::{ReadGuard, RwLock, WriteGuard};
pub use scheduler::Scheduler;
pub use spin::{SpinGuard, SpinLock};
pub use ticket::{TicketGuard, TicketLock};
pub use wait_queue::{LAST, Urgency, WaitError, WaitQueue, Waiters};
