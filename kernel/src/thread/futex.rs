//! futex: sleeping on a word of user memory (futex(2)).
//!
//! The word is read again under the bucket's lock, with page faults off, so a
//! wake-up between the caller's check and its sleep is never lost.

use super::{Current, requeue_pi};
use abi::Errno;
use alloc::sync::Arc;
use machine::copy;
use sync::{WaitError, WaitQueue, rank};

/// A word of the running program's memory.
#[derive(Clone, Copy)]
pub struct Word {
    pub address: usize,
    /// The caller promises that only threads of its space wait for it
    /// (`FUTEX_PRIVATE_FLAG`): what is mapped there is not looked at.
    pub is_private: bool,
}

impl Word {
    /// A word that others may wait for, too.
    pub(super) fn shared(address: usize) -> Word {
        Word {
            address,
            is_private: false,
        }
    }
}

/// What a waiter waits for: a word of one space, which cannot be reused for
/// another while the waiter, who runs in it, sleeps; or of a file that is mapped
/// shared, by the id of its cache.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    /// The space's address, which is even, or twice the id and one.
    owner: usize,
    /// The address, or the offset in the file.
    place: usize,
}

#[derive(Clone, Copy)]
struct Waiter {
    key: Key,
    bits: u32,
}

const BUCKETS: usize = 256;

static TABLE: [WaitQueue<Waiter, rank::Futex>; BUCKETS] = [const { WaitQueue::new() }; BUCKETS];

impl Key {
    /// `EINVAL` if the word is not aligned, `EFAULT` if it is no user's.
    pub(super) fn new(current: &Current, word: Word) -> Result<Key, Errno> {
        check_word(word)?;
        let Word {
            address,
            is_private,
        } = word;
        let space = current.space();
        let file = match is_private {
            true => None,
            false => space.shared_at(address),
        };
        Ok(match file {
            Some((cache, offset)) => Key {
                owner: (cache << 1 | 1) as usize,
                place: offset as usize,
            },
            None => Key {
                owner: Arc::as_ptr(space).addr(),
                place: address,
            },
        })
    }

    fn bucket(self) -> &'static WaitQueue<Waiter, rank::Futex> {
        // Multiplicative hashing (Knuth, volume 3, 6.4): the upper bits mix best.
        let mixed = (self.place >> 2 ^ self.owner).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        &TABLE[mixed >> (usize::BITS - BUCKETS.ilog2())]
    }
}

/// Sleeps while `word` is `expected`, until a wake-up whose
/// bits meet `bits`, or until `deadline` (nanoseconds since start).
///
/// # Errors
/// `EAGAIN` if the word differs, `ETIMEDOUT`, `EINTR`, `EFAULT`, `EINVAL` for
/// an unaligned address or no bits.
pub fn wait(
    current: &Current,
    word: Word,
    expected: u32,
    bits: u32,
    deadline: Option<u64>,
) -> Result<usize, Errno> {
    if bits == 0 {
        return Err(Errno::EINVAL);
    }
    let key = Key::new(current, word)?;
    let urgency = current.entity.urgency();
    loop {
        let waited =
            key.bucket()
                .wait_urgent(urgency, Waiter { key, bits }, deadline, true, || {
                    check(word.address, expected)
                });
        match waited {
            Ok(Ok(())) => return Ok(0),
            Ok(Err(WaitError::TimedOut)) => return Err(Errno::ETIMEDOUT),
            Ok(Err(WaitError::Interrupted)) => return Err(Errno::EINTR),
            Err(Errno::EFAULT) => bring_in(word.address)?,
            Err(error) => return Err(error),
        }
    }
}

/// With a bucket's lock held: `EFAULT` means the page is not there, or not now.
pub(super) fn check(address: usize, expected: u32) -> Result<(), Errno> {
    match copy::fetch_u32_nofault(address) {
        Ok(value) if value == expected => Ok(()),
        Ok(_) => Err(Errno::EAGAIN),
        Err(_) => Err(Errno::EFAULT),
    }
}

/// Brings the page in, without the lock, so that a second look can succeed.
pub(super) fn bring_in(address: usize) -> Result<(), Errno> {
    copy::fetch_u32(address)
        .map(drop)
        .map_err(|_| Errno::EFAULT)
}

/// The same, so that it can be written. EFAULT.
pub(super) fn bring_in_to_write(address: usize) -> Result<(), Errno> {
    let touched = copy::fetch_u32(address)
        .and_then(|value| copy::compare_exchange_u32(address, value, value));
    touched.map(drop).map_err(|_| Errno::EFAULT)
}

/// `EINVAL`, `EFAULT` for an address that no word can have.
pub(super) fn check_word(word: Word) -> Result<(), Errno> {
    if !word.address.is_multiple_of(4) {
        return Err(Errno::EINVAL);
    }
    if word.address >= abi::memory::USER_END {
        return Err(Errno::EFAULT);
    }
    Ok(())
}

/// Wakes up to `count` waiters on `word` whose bits meet `bits`; how many.
///
/// # Errors
/// `EINVAL`, also if only such wait as are to be moved to a lock; `EFAULT` for a bad
/// address.
pub fn wake(current: &Current, word: Word, count: usize, bits: u32) -> Result<usize, Errno> {
    if bits == 0 {
        return Err(Errno::EINVAL);
    }
    let key = Key::new(current, word)?;
    let woken = key
        .bucket()
        .wake_if(count, |waiter| waiter.key == key && waiter.bits & bits != 0);
    if woken == 0 && requeue_pi::is_waited_for(key) {
        return Err(Errno::EINVAL);
    }
    Ok(woken)
}

/// Whether somebody sleeps on the word.
pub(super) fn is_waited_for(key: Key) -> bool {
    let bucket = key.bucket();
    // Moved to where they are, which only counts them.
    let (_, found) = bucket.requeue(bucket, 0, 1, |waiter| waiter.key == key, |_| {});
    found != 0
}

/// Wakes up to `wake` waiters on `from` and moves up to `moved` of the rest to
/// `to`; with `expected`, only if the word at `from` has that value. How many
/// were woken or moved.
///
/// # Errors
/// `EAGAIN` if the word differs; `EINVAL`, also if such wait as are to be moved to a
/// lock; `EFAULT`.
pub fn requeue(
    current: &Current,
    from: Word,
    to: Word,
    wake: usize,
    moved: usize,
    expected: Option<u32>,
) -> Result<usize, Errno> {
    let (key, target) = (Key::new(current, from)?, Key::new(current, to)?);
    if requeue_pi::is_waited_for(key) {
        return Err(Errno::EINVAL);
    }
    loop {
        let done = key.bucket().requeue_checked(
            target.bucket(),
            || expected.map_or(Ok(()), |expected| check(from.address, expected)),
            wake,
            moved,
            |waiter| waiter.key == key,
            |waiter| waiter.key = target,
        );
        match done {
            Ok((woken, moved)) => return Ok(woken + moved),
            Err(Errno::EFAULT) => bring_in(from.address)?,
            Err(error) => return Err(error),
        }
    }
}
