//! Clocks of CPU time: a thread's or a process's. A clock's id has whose in it
//! (clock_getcpuclockid(3), pthread_getcpuclockid(3)), as Linux numbers them.

use crate::sched::{self, TICK};
use crate::thread::{self, Current, Group, Thread};
use abi::Errno;
use abi::time::*;
use alloc::sync::Arc;

/// Whose time.
enum Whose {
    Thread(Arc<Thread>),
    Process(Arc<Group>),
}

/// Which of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// All, by samples of user and system time.
    Sampled,
    User,
    Exact,
}

pub struct Clock {
    whose: Whose,
    kind: Kind,
}

/// The parts of an id: the thread's or process's own (0: the caller's), whether it
/// is a thread's, and the kind. EINVAL.
fn parse(clock: i32) -> Result<(u32, bool, Kind), Errno> {
    match clock as usize {
        CLOCK_PROCESS_CPUTIME_ID => return Ok((0, false, Kind::Exact)),
        CLOCK_THREAD_CPUTIME_ID => return Ok((0, true, Kind::Exact)),
        _ if clock >= 0 => return Err(Errno::EINVAL),
        _ => {}
    }
    let kind = match clock & CPUCLOCK_KIND {
        CPUCLOCK_PROF => Kind::Sampled,
        CPUCLOCK_VIRT => Kind::User,
        CPUCLOCK_SCHED => Kind::Exact,
        // A device's clock, by its descriptor.
        _ => return Err(Errno::EINVAL),
    };
    Ok((
        !(clock >> CPUCLOCK_ID_SHIFT) as u32,
        clock & CPUCLOCK_THREAD != 0,
        kind,
    ))
}

impl Clock {
    /// The clock that `id` means: EINVAL for no process, and for a thread of
    /// another process.
    pub fn new(current: &Current, id: usize) -> Result<Clock, Errno> {
        let (id, is_thread, kind) = parse(id as i32)?;
        let none = |_| Errno::EINVAL;
        let whose = if is_thread {
            let thread = thread::find(current, id as usize).map_err(none)?;
            let is_peer = thread
                .user_group()
                .is_some_and(|group| Arc::ptr_eq(group, current.group()));
            if !is_peer {
                return Err(Errno::EINVAL);
            }
            Whose::Thread(thread)
        } else if id == current.tid() {
            // As on Linux, a thread's own id will do for its process.
            Whose::Process(current.group().clone())
        } else {
            Whose::Process(thread::process(current, id as usize).map_err(none)?)
        };
        Ok(Clock { whose, kind })
    }

    /// In nanoseconds.
    pub fn read(&self) -> u64 {
        if self.kind == Kind::Exact {
            return match &self.whose {
                Whose::Thread(thread) => sched::usage(thread).time,
                Whose::Process(group) => group.usage().time,
            };
        }
        let times = match &self.whose {
            Whose::Thread(thread) => sched::account(thread).times,
            Whose::Process(group) => group.account().times,
        };
        match self.kind {
            Kind::User => times.user,
            _ => times.user + times.system,
        }
    }

    /// In nanoseconds.
    pub fn resolution(&self) -> u64 {
        match self.kind {
            Kind::Exact => 1,
            _ => TICK,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_as_c_libraries_make_them() {
        // What MAKE_PROCESS_CPUCLOCK and MAKE_THREAD_CPUCLOCK of glibc give.
        assert_eq!(parse(!5 << 3 | 2), Ok((5, false, Kind::Exact)));
        assert_eq!(parse(!5 << 3 | 6), Ok((5, true, Kind::Exact)));
        assert_eq!(parse(!0 << 3), Ok((0, false, Kind::Sampled)));
        assert_eq!(parse(!7 << 3 | 5), Ok((7, true, Kind::User)));
        assert_eq!(parse(2), Ok((0, false, Kind::Exact)));
        assert_eq!(parse(3), Ok((0, true, Kind::Exact)));
        for bad in [8, 100, i32::MAX, !5 << 3 | 3, !5 << 3 | 7] {
            assert_eq!(parse(bad), Err(Errno::EINVAL), "{bad}");
        }
    }
}
