//! futex: sleeping on a word of user memory (futex(2)).
//!
//! The word is read again under the bucket's lock, with page faults off, so a
//! wake-up between the caller's check and its sleep is never lost. A key is
//! the address space and the address: all memory is private so far.

use super::Current;
use crate::memory::Space;
use abi::Errno;
use alloc::sync::Arc;
use machine::copy;
use sync::{WaitError, WaitQueue, rank};

/// What a waiter waits for. The address space cannot be reused for another
/// while the waiter, who runs in it, sleeps.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    space: usize,
    address: usize,
}

#[derive(Clone, Copy)]
struct Waiter {
    key: Key,
    bits: u32,
}

const BUCKETS: usize = 256;

static TABLE: [WaitQueue<Waiter, rank::Futex>; BUCKETS] = [const { WaitQueue::new() }; BUCKETS];

impl Key {
    fn new(current: &Current, address: usize) -> Result<Key, Errno> {
        if !address.is_multiple_of(4) {
            return Err(Errno::EINVAL);
        }
        if address >= abi::memory::USER_END {
            return Err(Errno::EFAULT);
        }
        let space: *const Space = Arc::as_ptr(current.space());
        Ok(Key {
            space: space.addr(),
            address,
        })
    }

    fn bucket(self) -> &'static WaitQueue<Waiter, rank::Futex> {
        // Multiplicative hashing (Knuth, volume 3, 6.4): the upper bits mix best.
        let mixed = (self.address >> 2 ^ self.space >> 6).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        &TABLE[mixed >> (usize::BITS - BUCKETS.ilog2())]
    }
}

/// Sleeps while the word at `address` is `expected`, until a wake-up whose
/// bits meet `bits`, or until `deadline` (nanoseconds since start).
///
/// # Errors
/// `EAGAIN` if the word differs, `ETIMEDOUT`, `EINTR`, `EFAULT`, `EINVAL` for
/// an unaligned address or no bits.
pub fn wait(
    current: &Current,
    address: usize,
    expected: u32,
    bits: u32,
    deadline: Option<u64>,
) -> Result<usize, Errno> {
    if bits == 0 {
        return Err(Errno::EINVAL);
    }
    let key = Key::new(current, address)?;
    loop {
        let waited = key
            .bucket()
            .wait_checked(Waiter { key, bits }, deadline, true, || {
                check(address, expected)
            });
        match waited {
            Ok(Ok(())) => return Ok(0),
            Ok(Err(WaitError::TimedOut)) => return Err(Errno::ETIMEDOUT),
            Ok(Err(WaitError::Interrupted)) => return Err(Errno::EINTR),
            Err(Errno::EFAULT) => bring_in(address)?,
            Err(error) => return Err(error),
        }
    }
}

/// With a bucket's lock held: `EFAULT` means the page is not there, or not now.
fn check(address: usize, expected: u32) -> Result<(), Errno> {
    match copy::fetch_u32_nofault(address) {
        Ok(value) if value == expected => Ok(()),
        Ok(_) => Err(Errno::EAGAIN),
        Err(_) => Err(Errno::EFAULT),
    }
}

/// Brings the page in, without the lock, so that a second look can succeed.
fn bring_in(address: usize) -> Result<(), Errno> {
    copy::fetch_u32(address)
        .map(drop)
        .map_err(|_| Errno::EFAULT)
}

/// Wakes up to `count` waiters on `address` whose bits meet `bits`; how many.
///
/// # Errors
/// `EINVAL`, `EFAULT` for a bad address.
pub fn wake(current: &Current, address: usize, count: usize, bits: u32) -> Result<usize, Errno> {
    if bits == 0 {
        return Err(Errno::EINVAL);
    }
    let key = Key::new(current, address)?;
    Ok(key
        .bucket()
        .wake_if(count, |waiter| waiter.key == key && waiter.bits & bits != 0))
}

/// Wakes up to `wake` waiters on `from` and moves up to `moved` of the rest to
/// `to`; with `expected`, only if the word at `from` has that value. How many
/// were woken or moved.
///
/// # Errors
/// `EAGAIN` if the word differs; `EINVAL`, `EFAULT`.
pub fn requeue(
    current: &Current,
    from: usize,
    to: usize,
    wake: usize,
    moved: usize,
    expected: Option<u32>,
) -> Result<usize, Errno> {
    let (key, target) = (Key::new(current, from)?, Key::new(current, to)?);
    loop {
        let done = key.bucket().requeue_checked(
            target.bucket(),
            || expected.map_or(Ok(()), |expected| check(from, expected)),
            wake,
            moved,
            |waiter| waiter.key == key,
            |waiter| waiter.key = target,
        );
        match done {
            Ok((woken, moved)) => return Ok(woken + moved),
            Err(Errno::EFAULT) => bring_in(from)?,
            Err(error) => return Err(error),
        }
    }
}
