//! The readers-writer lock: many readers or one writer. A writer that waits
//! keeps new readers out, so that readers cannot starve it.

use super::{Condvar, RawLock, RawMutex};
use core::cell::UnsafeCell;
use core::ops::{Deref, DerefMut};

/// Without data, for the C faces.
#[repr(C)]
#[derive(Debug)]
pub struct RawRwLock {
    mutex: RawMutex,
    changed: Condvar,
    state: UnsafeCell<State>,
}

/// Guarded by the mutex beside it.
#[repr(C)]
#[derive(Debug)]
struct State {
    readers: u32,
    waiting_writers: u32,
    writing: bool,
}

// SAFETY: the state is touched only under the mutex.
unsafe impl Sync for RawRwLock {}
// SAFETY: plain data.
unsafe impl Send for RawRwLock {}

impl RawRwLock {
    pub const fn new() -> RawRwLock {
        let state = State {
            readers: 0,
            waiting_writers: 0,
            writing: false,
        };
        RawRwLock {
            mutex: RawMutex::NEW,
            changed: Condvar::new(),
            state: UnsafeCell::new(state),
        }
    }

    /// Runs `change` under the mutex until it gives something.
    fn until<T>(&self, mut change: impl FnMut(&mut State) -> Option<T>) -> T {
        self.mutex.lock();
        loop {
            // SAFETY: the mutex is held.
            if let Some(value) = change(unsafe { &mut *self.state.get() }) {
                self.mutex.unlock();
                return value;
            }
            self.changed.wait_raw(&self.mutex);
        }
    }

    pub fn read(&self) {
        self.until(|state| {
            let free = !state.writing && state.waiting_writers == 0;
            state.readers += free as u32;
            free.then_some(())
        });
    }

    pub fn write(&self) {
        let mut waiting = false;
        self.until(|state| {
            if !state.writing && state.readers == 0 {
                state.waiting_writers -= waiting as u32;
                state.writing = true;
                return Some(());
            }
            state.waiting_writers += !waiting as u32;
            waiting = true;
            None
        });
    }

    /// By a reader or by the writer.
    pub fn unlock(&self) {
        let free = self.until(|state| {
            if state.writing {
                state.writing = false;
            } else {
                state.readers -= 1;
            }
            Some(state.readers == 0)
        });
        if free {
            self.changed.broadcast();
        }
    }
}

pub struct RwLock<T> {
    raw: RawRwLock,
    data: UnsafeCell<T>,
}

// SAFETY: many readers share the data, a writer is alone with it.
unsafe impl<T: Send + Sync> Sync for RwLock<T> {}
// SAFETY: owns the data.
unsafe impl<T: Send> Send for RwLock<T> {}

impl<T> RwLock<T> {
    pub const fn new(data: T) -> Self {
        RwLock {
            raw: RawRwLock::new(),
            data: UnsafeCell::new(data),
        }
    }

    pub fn read(&self) -> ReadGuard<'_, T> {
        self.raw.read();
        ReadGuard { lock: self }
    }

    pub fn write(&self) -> WriteGuard<'_, T> {
        self.raw.write();
        WriteGuard { lock: self }
    }
}

pub struct ReadGuard<'a, T> {
    lock: &'a RwLock<T>,
}

impl<T> Deref for ReadGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: readers share, writers are kept out.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T> Drop for ReadGuard<'_, T> {
    fn drop(&mut self) {
        self.lock.raw.unlock();
    }
}

pub struct WriteGuard<'a, T> {
    lock: &'a RwLock<T>,
}

impl<T> Deref for WriteGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the writer is alone.
        unsafe { &*self.lock.data.get() }
    }
}

impl<T> DerefMut for WriteGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the writer is alone, and the guard borrowed mutably.
        unsafe { &mut *self.lock.data.get() }
    }
}

impl<T> Drop for WriteGuard<'_, T> {
    fn drop(&mut self) {
        self.lock.raw.unlock();
    }
}
