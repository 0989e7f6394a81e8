//! The calls that tell what was used of the CPUs (getrusage(2), times(2)).

use crate::memory::user;
use crate::sched::{self, Account};
use crate::thread::Current;
use abi::Errno;
use abi::process::*;
use abi::time::{NANOS_PER_TICK, Timeval};

pub fn getrusage(current: &Current, who: usize, out: usize) -> Result<usize, Errno> {
    let account = match who as i32 {
        RUSAGE_SELF => current.group().account(),
        RUSAGE_CHILDREN => current.group().children_account(),
        RUSAGE_THREAD => sched::account(current),
        _ => return Err(Errno::EINVAL),
    };
    user::write_value(out, &describe(account))?;
    Ok(0)
}

/// In the words of getrusage. What is not counted is 0.
pub fn describe(account: Account) -> Rusage {
    Rusage {
        user: Timeval::from_nanos(account.times.user),
        system: Timeval::from_nanos(account.times.system),
        minor_faults: account.counts.faults as i64,
        voluntary_switches: account.counts.voluntary as i64,
        involuntary_switches: account.counts.involuntary as i64,
        ..Rusage::default()
    }
}

/// times(2): stores what the process and its children have used, unless `out` is
/// null. The ticks since start.
pub fn times(current: &Current, out: usize) -> Result<usize, Errno> {
    let ticks = |nanos: u64| (nanos / NANOS_PER_TICK) as i64;
    if out != 0 {
        let group = current.group();
        let (own, children) = (group.account().times, group.children_account().times);
        let times = Tms {
            user: ticks(own.user),
            system: ticks(own.system),
            children_user: ticks(children.user),
            children_system: ticks(children.system),
        };
        user::write_value(out, &times)?;
    }
    Ok(ticks(machine::time::now()) as usize)
}
