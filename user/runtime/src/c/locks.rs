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
            c_int::from($body)
        }
    )*};
}

/// For functions without a result.
fn done(_: ()) -> bool {
    false
}

functions! {
    fn weft_ticket_acquire(lock: RawTicketLock) done(lock.lock());
    fn weft_ticket_release(lock: RawTicketLock) done(lock.unlock());
    /// 1 if it was free and is the caller's now.
    fn weft_ticket_try(lock: RawTicketLock) lock.try_lock();
    /// 1 if anybody holds it.
    fn weft_ticket_held(lock: RawTicketLock) lock.queued() > 0;
    fn weft_mutex_lock(lock: RawMutex) done(lock.lock());
    fn weft_mutex_unlock(lock: RawMutex) done(lock.unlock());
    /// 1 if it was free and is the caller's now.
    fn weft_mutex_try(lock: RawMutex) lock.try_lock();
    fn weft_cond_signal(condition: Condvar) done(condition.signal());
    fn weft_cond_broadcast(condition: Condvar) done(condition.broadcast());
    fn weft_semaphore_wait(semaphore: Semaphore) done(semaphore.wait());
    fn weft_semaphore_post(semaphore: Semaphore) done(semaphore.post());
    /// 1 if there was one to take.
    fn weft_semaphore_try(semaphore: Semaphore) semaphore.try_wait();
    fn weft_rwlock_read(lock: RawRwLock) done(lock.read());
    fn weft_rwlock_write(lock: RawRwLock) done(lock.write());
    fn weft_rwlock_unlock(lock: RawRwLock) done(lock.unlock());
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
