//! The locks for C. Each is as in `weft.h`: some words, valid when zeroed.

use crate::sync::*;
use core::ffi::c_int;

// The sizes that `weft.h` gives them.
const _: () = assert!(size_of::<RawTicketLock>() == 12 && size_of::<RawMutex>() == 4);
const _: () = assert!(size_of::<Condvar>() == 8 && size_of::<Semaphore>() == 8);
const _: () = assert!(size_of::<RawRwLock>() == 24 && size_of::<Once>() == 4);

macro_rules! functions {
    ($($(#[$doc:meta])* fn $name:ident($lock:ident: $type:ty) $body:expr;)*) => {$(
        $(#[$doc])*
        #[unsafe(no_mangle)]
        pub extern "C" fn $name($lock: &$type) -> c_int {
            $body
        }
    )*};
}

functions! {
    fn weft_ticket_acquire(lock: RawTicketLock) { lock.lock(); 0 };
    fn weft_ticket_release(lock: RawTicketLock) { lock.unlock(); 0 };
    /// 1 if it was free and is the caller's now.
    fn weft_ticket_try(lock: RawTicketLock) c_int::from(lock.try_lock());
    /// 1 if anybody holds it.
    fn weft_ticket_held(lock: RawTicketLock) c_int::from(lock.queued() > 0);
    fn weft_mutex_lock(lock: RawMutex) { lock.lock(); 0 };
    fn weft_mutex_unlock(lock: RawMutex) { lock.unlock(); 0 };
    /// 1 if it was free and is the caller's now.
    fn weft_mutex_try(lock: RawMutex) c_int::from(lock.try_lock());
    fn weft_cond_signal(condition: Condvar) { condition.signal(); 0 };
    fn weft_cond_broadcast(condition: Condvar) { condition.broadcast(); 0 };
    fn weft_semaphore_wait(semaphore: Semaphore) { semaphore.wait(); 0 };
    fn weft_semaphore_post(semaphore: Semaphore) { semaphore.post(); 0 };
    /// 1 if there was one to take.
    fn weft_semaphore_try(semaphore: Semaphore) c_int::from(semaphore.try_wait());
    fn weft_rwlock_read(lock: RawRwLock) { lock.read(); 0 };
    fn weft_rwlock_write(lock: RawRwLock) { lock.write(); 0 };
    fn weft_rwlock_unlock(lock: RawRwLock) { lock.unlock(); 0 };
}

#[unsafe(no_mangle)]
pub extern "C" fn weft_cond_wait_ticket(condition: &Condvar, lock: &RawTicketLock) {
    condition.wait_raw(lock);
}

#[unsafe(no_mangle)]
pub extern "C" fn weft_cond_wait_mutex(condition: &Condvar, lock: &RawMutex) {
    condition.wait_raw(lock);
}

#[unsafe(no_mangle)]
pub extern "C" fn weft_once(once: &Once, action: extern "C" fn()) {
    once.call(|| action());
}
