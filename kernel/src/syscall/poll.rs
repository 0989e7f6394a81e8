//! Waiting for any of several files: poll and select.

use abi::Errno;
use abi::file::*;
use abi::time::{Timespec, Timeval};
use alloc::sync::Arc;
use alloc::vec::Vec;
use zerocopy::IntoBytes;

use super::signal::read_mask;
use crate::files::allocate::{try_vec, try_zeroed};
use crate::files::{File, poll as pollers};
use crate::memory::user;
use crate::thread::{self, Current};
use crate::time;

/// Conditions that are told whether asked for or not.
const ALWAYS: i16 = POLLERR | POLLHUP;

/// When a wait ends that is told how long in milliseconds: never if negative.
pub(super) fn deadline_in(milliseconds: i32) -> Option<u64> {
    let span = u64::try_from(milliseconds).ok()?.saturating_mul(1_000_000);
    Some(machine::time::now().saturating_add(span))
}

/// As [`deadline_in`], with a `timespec` that is read at `at`, unless null.
/// EFAULT, EINVAL.
pub(super) fn deadline_at(at: usize) -> Result<Option<u64>, Errno> {
    match at {
        0 => Ok(None),
        at => Ok(Some(time::from_now(user::read_value(at)?)?)),
    }
}

/// Has `wait` wait until `deadline`. A call that is made again after a stop waits
/// for what is left.
pub(super) fn resumable<T>(
    current: &mut Current,
    deadline: Option<u64>,
    wait: impl FnOnce(Option<u64>) -> Result<T, Errno>,
) -> Result<T, Errno> {
    let deadline = current.resume_at.take().or(deadline);
    let result = wait(deadline);
    if matches!(result, Err(Errno::EINTR)) {
        current.resume_at = deadline;
    }
    result
}

pub fn poll(
    current: &mut Current,
    entries: usize,
    count: usize,
    timeout: usize,
) -> Result<usize, Errno> {
    poll_until(current, entries, count, deadline_in(timeout as i32))
}

/// ppoll(2). As Linux does, it tells at `timeout` what is left of that.
pub fn ppoll(
    current: &mut Current,
    entries: usize,
    count: usize,
    timeout: usize,
    mask: usize,
    size: usize,
) -> Result<usize, Errno> {
    let deadline = deadline_at(timeout)?;
    let mask = read_mask(mask, size)?;
    let polled = thread::with_mask(current, mask, |current| {
        poll_until(current, entries, count, deadline)
    });
    tell_left(timeout, deadline, |left| {
        user::write_value(timeout, &Timespec::from_nanos(left))
    });
    polled
}

/// Has `tell` say what is left until `deadline`. As on Linux, nothing is wrong
/// with a timeout that cannot be written.
fn tell_left(at: usize, deadline: Option<u64>, tell: impl FnOnce(u64) -> Result<(), Errno>) {
    if let (true, Some(deadline)) = (at != 0, deadline) {
        let _ = tell(deadline.saturating_sub(machine::time::now()));
    }
}

fn poll_until(
    current: &mut Current,
    entries: usize,
    count: usize,
    deadline: Option<u64>,
) -> Result<usize, Errno> {
    if count > current.files().limit() {
        return Err(Errno::EINVAL);
    }
    let mut polled: Vec<PollFd> = try_vec(count)?;
    polled.resize(count, PollFd::default());
    user::read_bytes(entries, polled.as_mut_bytes())?;
    // Held until the end: a descriptor that a peer closes is still polled.
    let mut files = try_vec(count)?;
    for entry in &polled {
        // Negative: this entry is to be ignored (poll(2)).
        files.push(match usize::try_from(entry.fd) {
            Ok(descriptor) => Some(current.files().get(descriptor)),
            Err(_) => None,
        });
    }
    let ready = resumable(current, deadline, |deadline| {
        pollers::wait(deadline, || look(&mut polled, &files))
    })?;
    user::write_bytes(entries, polled.as_bytes())?;
    Ok(ready.unwrap_or(0))
}

/// Fills in what is ready; how many entries are, if any.
fn look(polled: &mut [PollFd], files: &[Option<Result<Arc<File>, Errno>>]) -> Option<usize> {
    for (entry, file) in polled.iter_mut().zip(files) {
        entry.revents = match file {
            None => 0,
            Some(Err(_)) => POLLNVAL,
            Some(Ok(file)) => file.conditions() & (entry.events | ALWAYS),
        };
    }
    let ready = polled.iter().filter(|entry| entry.revents != 0).count();
    (ready > 0).then_some(ready)
}

/// What makes a descriptor count in each of select's three sets.
const SETS: [i16; 3] = [
    POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR,
    POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR,
    POLLPRI,
];

/// What select does with its three sets of descriptors, one bit each.
struct Selection {
    /// Where the sets are; 0 for none.
    at: [usize; 3],
    /// How many bytes each has, and what is left of them.
    sets: [Vec<u8>; 3],
    /// The descriptors in any of them, and in which.
    files: Vec<(usize, [bool; 3], Arc<File>)>,
}

impl Selection {
    /// EINVAL, EBADF, EFAULT, ENOMEM.
    fn read(current: &Current, count: usize, at: [usize; 3]) -> Result<Selection, Errno> {
        // An int. What lies past the table is not looked at, as on Linux.
        let count = usize::try_from(count as i32).map_err(|_| Errno::EINVAL)?;
        let count = count.min(current.files().limit());
        // Sets are made of longs.
        let length = count.div_ceil(64) * 8;
        let mut sets = [const { Vec::new() }; 3];
        for (set, at) in sets.iter_mut().zip(at) {
            *set = try_zeroed(length)?.into_vec();
            if at != 0 {
                user::read_bytes(at, set)?;
            }
        }
        let mut files = Vec::new();
        for descriptor in 0..count {
            let (byte, bit) = (descriptor / 8, descriptor % 8);
            let is_in = [0, 1, 2].map(|set: usize| sets[set][byte] >> bit & 1 != 0);
            if is_in.contains(&true) {
                let file = current.files().get(descriptor)?;
                files.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
                files.push((descriptor, is_in, file));
            }
        }
        Ok(Selection { at, sets, files })
    }

    /// Leaves in the sets what is ready; how many bits these are, if any.
    fn look(&mut self) -> Option<usize> {
        self.sets.iter_mut().for_each(|set| set.fill(0));
        let mut ready = 0;
        for (descriptor, is_in, file) in &self.files {
            let conditions = file.conditions();
            for set in (0..3).filter(|&set| is_in[set] && conditions & SETS[set] != 0) {
                self.sets[set][descriptor / 8] |= 1 << (descriptor % 8);
                ready += 1;
            }
        }
        (ready > 0).then_some(ready)
    }

    fn write(&self) -> Result<(), Errno> {
        for (set, at) in self.sets.iter().zip(self.at).filter(|(_, at)| *at != 0) {
            user::write_bytes(at, set)?;
        }
        Ok(())
    }
}

fn select_until(
    current: &mut Current,
    count: usize,
    sets: [usize; 3],
    deadline: Option<u64>,
) -> Result<usize, Errno> {
    let mut selection = Selection::read(current, count, sets)?;
    let ready = resumable(current, deadline, |deadline| {
        pollers::wait(deadline, || selection.look())
    })?;
    selection.write()?;
    Ok(ready.unwrap_or(0))
}

/// select(2). As Linux does, it tells at `timeout` what is left of that.
pub fn select(
    current: &mut Current,
    count: usize,
    sets: [usize; 3],
    timeout: usize,
) -> Result<usize, Errno> {
    let deadline = match timeout {
        0 => None,
        timeout => {
            let given: Timeval = user::read_value(timeout)?;
            // Linux takes microseconds past a second, too.
            let normal = Timeval {
                sec: given.sec.saturating_add(given.usec / 1_000_000),
                usec: given.usec % 1_000_000,
            };
            let span = normal.checked_nanos().ok_or(Errno::EINVAL)?;
            Some(machine::time::now().saturating_add(span))
        }
    };
    let selected = select_until(current, count, sets, deadline);
    tell_left(timeout, deadline, |left| {
        user::write_value(timeout, &Timeval::from_nanos(left))
    });
    selected
}

/// pselect6(2): the mask's address and its size stand at `mask`.
pub fn pselect6(
    current: &mut Current,
    count: usize,
    sets: [usize; 3],
    timeout: usize,
    mask: usize,
) -> Result<usize, Errno> {
    let deadline = deadline_at(timeout)?;
    let mask = match mask {
        0 => None,
        mask => {
            let [set, size]: [usize; 2] = user::read_value(mask)?;
            read_mask(set, size)?
        }
    };
    let selected = thread::with_mask(current, mask, |current| {
        select_until(current, count, sets, deadline)
    });
    tell_left(timeout, deadline, |left| {
        user::write_value(timeout, &Timespec::from_nanos(left))
    });
    selected
}
