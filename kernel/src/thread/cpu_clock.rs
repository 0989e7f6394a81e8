//! Clocks of CPU time: a thread's or a process's. A clock's id has whose in it
//! (clock_getcpuclockid(3), pthread_getcpuclockid(3)), as Linux numbers them.

use super::{Current, Group, Thread, registry};
use crate::sched::{self, TICK};
use abi::Errno;
use abi::time::*;
use alloc::sync::{Arc, Weak};

/// Whose time. A clock keeps nobody.
enum Whose {
    Thread(Weak<Thread>),
    Process(Weak<Group>),
}

/// Which of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// User and system time, as programs are told them.
    Sampled,
    User,
    Exact,
}

pub struct CpuClock {
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

impl CpuClock {
    /// The clock that `id` means: EINVAL for no process, and for a thread of
    /// another process.
    pub fn new(current: &Current, id: usize) -> Result<CpuClock, Errno> {
        let (id, is_thread, kind) = parse(id as i32)?;
        let none = |_| Errno::EINVAL;
        let whose = if is_thread {
            let thread = registry::find(current, id as usize).map_err(none)?;
            let is_peer = thread
                .user_group()
                .is_some_and(|group| Arc::ptr_eq(group, current.group()));
            if !is_peer {
                return Err(Errno::EINVAL);
            }
            Whose::Thread(Arc::downgrade(&thread))
        } else if id == current.tid() {
            // As on Linux, a thread's own id will do for its process.
            Whose::Process(Arc::downgrade(current.group()))
        } else {
            let process = registry::process(current, id as usize).map_err(none)?;
            Whose::Process(Arc::downgrade(&process))
        };
        Ok(CpuClock { whose, kind })
    }

    /// The clock of the process `group`.
    pub fn of_process(group: &Arc<Group>, kind: Kind) -> CpuClock {
        let whose = Whose::Process(Arc::downgrade(group));
        CpuClock { whose, kind }
    }

    /// Whether it is that of `thread` alone.
    pub fn is_of(&self, thread: &Thread) -> bool {
        matches!(&self.whose, Whose::Thread(own) if core::ptr::eq(own.as_ptr(), thread))
    }

    /// The process whose time it is, or whose thread's.
    pub fn process(&self) -> Option<Arc<Group>> {
        match &self.whose {
            Whose::Thread(thread) => living(thread)?.group.clone(),
            Whose::Process(group) => group.upgrade(),
        }
    }

    /// In nanoseconds; none if the thread or the process is gone.
    pub fn read(&self) -> Option<u64> {
        let exact = self.kind == Kind::Exact;
        let times = match &self.whose {
            Whose::Thread(thread) => {
                let thread = living(thread)?;
                if exact {
                    return Some(sched::usage(&thread).time);
                }
                sched::account(&thread).times
            }
            Whose::Process(group) => {
                let group = group.upgrade()?;
                if exact {
                    return Some(group.usage().time);
                }
                group.account().times
            }
        };
        Some(match self.kind {
            Kind::User => times.user,
            _ => times.user + times.system,
        })
    }

    /// In nanoseconds.
    pub fn resolution(&self) -> u64 {
        match self.kind {
            Kind::Exact => 1,
            _ => TICK,
        }
    }
}

/// The thread, unless it has ended: then somebody may still look at it.
fn living(thread: &Weak<Thread>) -> Option<Arc<Thread>> {
    let thread = thread.upgrade()?;
    let known = registry::thread(thread.tid()).ok()?;
    Arc::ptr_eq(&thread, &known).then_some(thread)
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
