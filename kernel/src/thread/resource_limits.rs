//! How much of each resource a process may have (getrlimit(2)). A child starts with
//! its parent's, and exec keeps them.
//!
//! Here is what was set. What is asked for often has a copy where it is needed: the
//! file table has that of descriptors, the space those of memory, and timers by CPU
//! time watch over that of CPU time.

use super::Group;
use super::timers::limit_cpu_time;
use crate::files::FileTable;
use crate::files::allocate::try_arc;
use crate::{limits, memory};
use abi::Errno;
use abi::process::RLIM_INFINITY;
use alloc::sync::Arc;
use machine::frames;
use sync::{SpinLock, rank};

/// As getrlimit(2) numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Seconds.
    Cpu,
    /// Bytes.
    FileSize,
    Data,
    Stack,
    Core,
    Resident,
    /// Of a user.
    Processes,
    Files,
    Locked,
    AddressSpace,
    FileLocks,
    /// That wait, of a user.
    Signals,
    /// Bytes of messages of a user.
    Messages,
    /// 20 less the lowest nice value.
    Nice,
    /// The highest priority.
    Priority,
    /// Microseconds of CPU time without a sleep.
    RealTime,
}

impl Resource {
    pub const ALL: [Resource; 16] = [
        Resource::Cpu,
        Resource::FileSize,
        Resource::Data,
        Resource::Stack,
        Resource::Core,
        Resource::Resident,
        Resource::Processes,
        Resource::Files,
        Resource::Locked,
        Resource::AddressSpace,
        Resource::FileLocks,
        Resource::Signals,
        Resource::Messages,
        Resource::Nice,
        Resource::Priority,
        Resource::RealTime,
    ];

    /// What the first process may have: as on Linux, but for the files.
    fn first(self) -> Limit {
        const STACK: u64 = 8 << 20;
        let (soft, hard) = match self {
            Resource::Stack => (STACK, RLIM_INFINITY),
            Resource::Core => (0, RLIM_INFINITY),
            Resource::Files => (limits::files() as u64, FileTable::MAX_LIMIT as u64),
            Resource::Locked => (8 << 20, 8 << 20),
            // By what there is of memory.
            Resource::Processes | Resource::Signals => {
                let most = frames::total_count() as u64 / 64;
                (most, most)
            }
            Resource::Messages => (819_200, 819_200),
            Resource::Nice | Resource::Priority => (0, 0),
            _ => (RLIM_INFINITY, RLIM_INFINITY),
        };
        Limit { soft, hard }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// What holds.
    pub soft: u64,
    /// How far the process may raise it.
    pub hard: u64,
}

type Table = [Limit; Resource::ALL.len()];

/// See the module. Processes share a table until one sets a limit.
pub struct ResourceLimits {
    table: SpinLock<Arc<Table>, rank::Actions>,
}

impl ResourceLimits {
    /// Those of the first process. ENOMEM.
    pub(super) fn first() -> Result<ResourceLimits, Errno> {
        let table = Resource::ALL.map(Resource::first);
        Ok(ResourceLimits {
            table: SpinLock::new(try_arc(table)?),
        })
    }

    /// The same, for a child.
    pub(super) fn share(&self) -> ResourceLimits {
        let table = self.table.lock().clone();
        ResourceLimits {
            table: SpinLock::new(table),
        }
    }

    pub fn get(&self, resource: Resource) -> Limit {
        self.table.lock()[resource as usize]
    }

    /// The soft limit; `usize::MAX` for none.
    pub fn soft(&self, resource: Resource) -> usize {
        self.get(resource).soft as usize
    }

    /// Those of a space.
    pub fn of_memory(&self) -> memory::Limits {
        memory::Limits {
            size: self.soft(Resource::AddressSpace),
            data: self.soft(Resource::Data),
            stack: self.soft(Resource::Stack),
        }
    }

    /// What it was. EPERM for a hard limit that is raised, unless it may be; ENOMEM.
    fn set(&self, resource: Resource, limit: Limit, may_raise: bool) -> Result<Limit, Errno> {
        // Room first, for nothing is asked for under the lock.
        let mut new = try_arc(Resource::ALL.map(Resource::first))?;
        let mut table = self.table.lock();
        let before = table[resource as usize];
        if limit.hard > before.hard && !may_raise {
            return Err(Errno::EPERM);
        }
        if let Some(new) = Arc::get_mut(&mut new) {
            *new = **table;
            new[resource as usize] = limit;
        }
        let old = core::mem::replace(&mut *table, new);
        drop(table);
        drop(old);
        Ok(before)
    }
}

/// Sets a limit of a process, and has it hold; what it was.
///
/// # Errors
/// `EPERM` for more files than there may be, and for a hard limit that is raised,
/// unless it may be; `ENOMEM`.
pub fn set_limit(
    group: &Arc<Group>,
    resource: Resource,
    limit: Limit,
    may_raise: bool,
) -> Result<Limit, Errno> {
    if resource == Resource::Files && limit.hard > FileTable::MAX_LIMIT as u64 {
        return Err(Errno::EPERM);
    }
    let limits = group.limits();
    let before = limits.set(resource, limit, may_raise)?;
    if resource == Resource::Cpu {
        limit_cpu_time(group)?;
        return Ok(before);
    }
    let Some(thread) = group.some_thread() else {
        return Ok(before);
    };
    match resource {
        Resource::Files => {
            if let Some(files) = thread.seen_files() {
                files.set_limit(limit.soft as usize)?;
            }
        }
        Resource::AddressSpace | Resource::Data | Resource::Stack => {
            // That of vfork's parent is not the child's to limit.
            if let Some(space) = thread.seen_space()
                && space.tenants() <= group.thread_count()
            {
                space.set_limits(limits.of_memory());
            }
        }
        _ => {}
    }
    Ok(before)
}

/// How large the running process may make files, in bytes.
pub fn largest_file() -> u64 {
    let current = crate::sched::current();
    let group = current.user_group();
    group.map_or(RLIM_INFINITY, |group| {
        group.limits().get(Resource::FileSize).soft
    })
}
