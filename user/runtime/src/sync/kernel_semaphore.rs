//! The kernel's semaphores: first come, first served, named by handles that
//! belong to the whole group and go with it.

use crate::call::{self, raw};
use abi::Errno;
use abi::time::Timespec;

/// A handle; copies name the same semaphore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KernelSemaphore(pub usize);

impl KernelSemaphore {
    pub fn new(value: u32) -> Result<KernelSemaphore, Errno> {
        // SAFETY: touches no memory.
        unsafe { raw(call::SEM_CREATE, [value as usize]) }.map(KernelSemaphore)
    }

    pub fn wait(self) -> Result<(), Errno> {
        // SAFETY: touches no memory.
        unsafe { raw(call::SEM_WAIT, [self.0]) }.map(drop)
    }

    /// EAGAIN where it would wait.
    pub fn try_wait(self) -> Result<(), Errno> {
        // SAFETY: touches no memory.
        unsafe { raw(call::SEM_TRYWAIT, [self.0]) }.map(drop)
    }

    /// ETIMEDOUT after `nanos`.
    pub fn wait_timeout(self, nanos: u64) -> Result<(), Errno> {
        let timeout = Timespec::from_nanos(nanos);
        // SAFETY: the kernel reads the time.
        unsafe { raw(call::SEM_TIMEDWAIT, [self.0, &raw const timeout as usize]) }.map(drop)
    }

    pub fn post(self) -> Result<(), Errno> {
        // SAFETY: touches no memory.
        unsafe { raw(call::SEM_POST, [self.0]) }.map(drop)
    }

    /// Ends the semaphore; who waits gets EINVAL.
    pub fn destroy(self) -> Result<(), Errno> {
        // SAFETY: touches no memory.
        unsafe { raw(call::SEM_DESTROY, [self.0]) }.map(drop)
    }
}
