//! Locks and other ways for threads to meet.
//!
//! Each is a few words that are valid when zeroed; the uncontended path makes
//! no system call; whoever must wait for long sleeps in the kernel ([`futex`]).
//! A program locks data with [`Lock`]; the bare locks below it are what the C
//! faces use.

mod barrier;
mod condvar;
pub mod futex;
mod kernel_semaphore;
mod lock;
mod mutex;
mod once;
mod rwlock;
mod semaphore;
#[cfg(test)]
mod tests;
mod ticket;

pub use barrier::Barrier;
pub use condvar::Condvar;
pub use kernel_semaphore::KernelSemaphore;
pub use lock::{Guard, Lock, Mutex, RawLock, TicketLock};
pub use mutex::RawMutex;
pub use once::{Lazy, Once};
pub use rwlock::{RawRwLock, ReadGuard, RwLock, WriteGuard};
pub use semaphore::Semaphore;
pub use ticket::RawTicketLock;
