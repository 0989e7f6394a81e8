//! Epolls that watch epolls: never in a circle, only so many in a row, and only so
//! many that watch one, for a change is passed on from one to the next.

use alloc::sync::Arc;
use alloc::vec::Vec;

use abi::Errno;
use sync::{Mutex, rank};

use super::{Core, Epoll};
use crate::files::allocate::try_vec;
use crate::files::open_file::File;

/// How often in a row an epoll may watch another, as on Linux.
const MOST: usize = 4;

/// How many may watch one epoll. With those in a row, a change goes through a few
/// hundred at most for each that watches a file.
const MOST_WATCHERS: usize = 4;

/// Held while one is made to watch another.
static NESTING: Mutex<(), rank::EpollNesting> = Mutex::new(());

/// Does `insert`, which makes `outer` watch `inner`, if that may be.
///
/// # Errors
/// `ELOOP`; `EINVAL` if too many watch `inner`; `ENOMEM`; those of `insert`.
pub fn nest(
    outer: &Epoll,
    inner: &Epoll,
    insert: impl FnOnce() -> Result<(), Errno>,
) -> Result<(), Errno> {
    let _nesting = NESTING.lock();
    if inner.core.watchers.count() >= MOST_WATCHERS {
        return Err(Errno::EINVAL);
    }
    let room = MOST.checked_sub(1 + outer.core.watchers.depth());
    let height = height(inner, &outer.core, room.ok_or(Errno::ELOOP)?)?;
    debug_assert!(height <= MOST, "looked at no further");
    insert()
}

/// How many epolls in a row `epoll` watches: ELOOP if `forbidden` is among them,
/// or they are more than `room`.
fn height(epoll: &Epoll, forbidden: &Arc<Core>, room: usize) -> Result<usize, Errno> {
    if Arc::ptr_eq(&epoll.core, forbidden) {
        return Err(Errno::ELOOP);
    }
    let mut highest = 0;
    for file in watched(epoll)? {
        if let Some(inner) = file.kind_of::<Epoll>() {
            let room = room.checked_sub(1).ok_or(Errno::ELOOP)?;
            highest = highest.max(1 + height(inner, forbidden, room)?);
        }
    }
    Ok(highest)
}

/// The files that `epoll` watches and that are epolls themselves.
fn watched(epoll: &Epoll) -> Result<Vec<Arc<File>>, Errno> {
    loop {
        let expected = epoll.core.entries.lock().len();
        // Files are dropped when the lock is released, and not before.
        let mut files = try_vec(expected)?;
        let entries = epoll.core.entries.lock();
        if entries.len() <= expected {
            files.extend(entries.values().filter_map(|entry| entry.file()));
            return Ok(files);
        }
    }
}
