//! Kernel semaphores: counting, first in first out, handed from poster to
//! waiter directly so that nobody barges in. A handle belongs to a process;
//! fork shares the semaphores, which go with their last holder.

use crate::files::allocate::{memory_to_spare, try_arc};
use abi::Errno;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use sync::{SpinLock, WaitError, WaitQueue, rank};

/// The greatest value (sem_post(3)'s SEM_VALUE_MAX).
const VALUE_MAX: u32 = i32::MAX as u32;
/// Handles per process.
const HANDLES_MAX: usize = 4096;

struct Semaphore {
    /// Written under the queue's lock only.
    value: AtomicU32,
    /// Destroyed by name: whoever waited gets an error. Written like `value`.
    destroyed: AtomicBool,
    waiters: WaitQueue<(), rank::Semaphore>,
}

/// Why a wait did not take the semaphore at once.
enum Refused {
    Taken,
    Destroyed,
    WouldWait,
}

impl Semaphore {
    /// # Errors
    /// `EAGAIN` if it would wait and `may_wait` is false, `ETIMEDOUT`, `EINTR`,
    /// `EINVAL` if it was destroyed.
    fn wait(&self, may_wait: bool, deadline: Option<u64>) -> Result<(), Errno> {
        let urgency = crate::sched::current().entity.urgency();
        let waited = self.waiters.wait_urgent(urgency, (), deadline, true, || {
            let value = self.value.load(Relaxed);
            if self.destroyed.load(Relaxed) {
                Err(Refused::Destroyed)
            } else if value > 0 {
                self.value.store(value - 1, Relaxed);
                Err(Refused::Taken)
            } else if may_wait {
                Ok(())
            } else {
                Err(Refused::WouldWait)
            }
        });
        match waited {
            Err(Refused::Taken) => Ok(()),
            Err(Refused::Destroyed) => Err(Errno::EINVAL),
            Err(Refused::WouldWait) => Err(Errno::EAGAIN),
            // Woken: by a post that handed its unit over, or by destruction.
            Ok(Ok(())) if self.destroyed.load(Relaxed) => Err(Errno::EINVAL),
            // Told to end before the unit came: it is for the next one.
            Ok(Ok(())) if crate::sched::current().must_exit() => self.post().and(Err(Errno::EINTR)),
            Ok(Ok(())) => Ok(()),
            Ok(Err(WaitError::TimedOut)) => Err(Errno::ETIMEDOUT),
            Ok(Err(WaitError::Interrupted)) => Err(Errno::EINTR),
        }
    }

    fn post(&self) -> Result<(), Errno> {
        let mut result = Ok(());
        self.waiters.wake_one_or(|| match self.value.load(Relaxed) {
            VALUE_MAX => result = Err(Errno::EOVERFLOW),
            value => self.value.store(value + 1, Relaxed),
        });
        result
    }

    fn destroy(&self) {
        self.waiters
            .with_lock(|_| self.destroyed.store(true, Relaxed));
        self.waiters.wake_all();
    }
}

/// The semaphores of a process, by handle.
pub struct Semaphores {
    handles: SpinLock<Vec<Option<Arc<Semaphore>>>, rank::Actions>,
}

impl Semaphores {
    pub fn new() -> Semaphores {
        Semaphores {
            handles: SpinLock::new(Vec::new()),
        }
    }

    /// For a forked child: the same semaphores under the same handles. ENOMEM.
    pub fn share(&self) -> Result<Semaphores, Errno> {
        let mut copy = Vec::new();
        loop {
            let length = self.handles.lock().len();
            copy.try_reserve_exact(length).map_err(|_| Errno::ENOMEM)?;
            let handles = self.handles.lock();
            if handles.len() <= copy.capacity() {
                copy.extend(handles.iter().cloned());
                break;
            }
        }
        Ok(Semaphores {
            handles: SpinLock::new(copy),
        })
    }

    /// A new semaphore; its handle.
    ///
    /// # Errors
    /// `EINVAL` for a value past the greatest, `EMFILE` if there are too many, `ENOMEM`.
    pub fn create(&self, value: u32) -> Result<usize, Errno> {
        if value > VALUE_MAX {
            return Err(Errno::EINVAL);
        }
        if !memory_to_spare() {
            return Err(Errno::ENOMEM);
        }
        let semaphore = try_arc(Semaphore {
            value: AtomicU32::new(value),
            destroyed: AtomicBool::new(false),
            waiters: WaitQueue::new(),
        })?;
        let mut handles = self.handles.lock();
        if let Some(free) = handles.iter().position(Option::is_none) {
            handles[free] = Some(semaphore);
            return Ok(free);
        }
        if handles.len() == HANDLES_MAX {
            return Err(Errno::EMFILE);
        }
        handles.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        handles.push(Some(semaphore));
        Ok(handles.len() - 1)
    }

    fn get(&self, handle: usize) -> Result<Arc<Semaphore>, Errno> {
        self.handles
            .lock()
            .get(handle)
            .cloned()
            .flatten()
            .ok_or(Errno::EINVAL)
    }

    /// Takes one unit, waiting for it until `deadline`.
    ///
    /// # Errors
    /// `EINVAL` for a handle that is not there or is destroyed meanwhile,
    /// `ETIMEDOUT`, `EINTR`.
    pub fn wait(&self, handle: usize, deadline: Option<u64>) -> Result<usize, Errno> {
        self.get(handle)?.wait(true, deadline).map(|()| 0)
    }

    /// Takes one unit if there is one, else `EAGAIN`.
    pub fn try_wait(&self, handle: usize) -> Result<usize, Errno> {
        self.get(handle)?.wait(false, None).map(|()| 0)
    }

    /// Gives one unit: to the longest waiting thread, if any.
    ///
    /// # Errors
    /// `EINVAL`, `EOVERFLOW`.
    pub fn post(&self, handle: usize) -> Result<usize, Errno> {
        self.get(handle)?.post().map(|()| 0)
    }

    /// Destroys the semaphore for all its holders.
    pub fn destroy(&self, handle: usize) -> Result<usize, Errno> {
        let taken = self.handles.lock().get_mut(handle).and_then(Option::take);
        taken.ok_or(Errno::EINVAL)?.destroy();
        Ok(0)
    }
}
