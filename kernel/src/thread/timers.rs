//! The timers of a process: those of timer_create(2), and those of alarm(2) and
//! setitimer(2). Each sends a signal when it expires.
//!
//! The table is under a lock of its own, held to look things up only. A timer
//! knows its process weakly, so a process that ends takes its timers along.

use super::cpu_clock::{CpuClock, Kind};
use super::cpu_timer::CpuTimer;
use super::{Current, Group, Resource, Thread};
use crate::files::allocate::try_arc;
use crate::signal::Info;
use crate::time::timer::{Clock, Expires, Left, Moment, Timer};
use abi::Errno;
use abi::process::RLIM_INFINITY;
use abi::signal::{SIGALRM, SIGKILL, SIGPROF, SIGVTALRM, SIGXCPU};
use alloc::sync::{Arc, Weak};
use core::sync::atomic::{AtomicI32, Ordering::Relaxed};
use hashbrown::HashMap;
use sync::{SpinLock, rank};

/// How many timers a process may have: `RLIMIT_SIGPENDING` elsewhere.
const MOST: usize = 8192;

/// Whom a timer tells of its expiry.
pub enum Notify {
    Nobody,
    Process(Info),
    /// One thread, if it is still there.
    Thread(Weak<Thread>, Info),
}

/// What a timer is as it expires.
struct Target {
    group: Weak<Group>,
    notify: Notify,
    /// How often the timer had expired in vain when its signal was last taken.
    overruns: AtomicI32,
}

impl Expires for Target {
    fn expired(&self, count: u64) {
        let Some(group) = self.group.upgrade() else {
            return;
        };
        // A signal that finds no room counts for nothing, and the timer goes on.
        let _ = match &self.notify {
            Notify::Nobody => Ok(()),
            Notify::Process(info) => group.send(info.expired(count)),
            Notify::Thread(thread, info) => match thread.upgrade() {
                Some(thread) => group.send_to(&thread, info.expired(count), false),
                None => Ok(()),
            },
        };
    }
}

/// What a timer goes by.
pub enum Base {
    Time(Clock),
    Cpu(CpuClock),
}

/// The same, with what waits for it.
#[derive(Clone)]
enum Engine {
    Time(Arc<Timer>, Clock),
    Cpu(Arc<CpuTimer>),
}

/// One of timer_create(2).
#[derive(Clone)]
pub struct ProcessTimer {
    engine: Engine,
    target: Arc<Target>,
}

impl ProcessTimer {
    fn new(group: &Arc<Group>, base: Base, notify: Notify) -> Result<ProcessTimer, Errno> {
        let target = try_arc(Target {
            group: Arc::downgrade(group),
            notify,
            overruns: AtomicI32::new(0),
        })?;
        let engine = match base {
            Base::Time(clock) => Engine::Time(try_arc(Timer::new(target.clone()))?, clock),
            Base::Cpu(clock) => Engine::Cpu(try_arc(CpuTimer::new(clock, target.clone()))?),
        };
        Ok(ProcessTimer { engine, target })
    }

    /// Sets it to `first`, which counts from now on unless it is `absolute`, and
    /// stops it if that is 0; what was left before.
    ///
    /// # Errors
    /// For a timer by CPU time: `ESRCH` if whose it is has ended, `ENOMEM`.
    pub fn set(&self, first: u64, interval: u64, absolute: bool) -> Result<Left, Errno> {
        let interval = if first == 0 { 0 } else { interval };
        match &self.engine {
            Engine::Time(timer, clock) => {
                Ok(timer.set(Moment::of(first, absolute, *clock), interval))
            }
            Engine::Cpu(timer) => timer.set(first, interval, absolute),
        }
    }

    fn stop(&self) {
        // Whose time has ended for good has nothing to stop.
        let _ = self.set(0, 0, false);
    }

    pub fn left(&self) -> Left {
        match &self.engine {
            Engine::Time(timer, _) => timer.left(),
            Engine::Cpu(timer) => timer.left(),
        }
    }

    /// As [`Timer::catch_up`].
    fn catch_up(&self, undo: impl FnOnce() -> u64) -> u64 {
        match &self.engine {
            Engine::Time(timer, _) => timer.catch_up(undo),
            Engine::Cpu(timer) => timer.catch_up(undo),
        }
    }

    pub fn overruns(&self) -> i32 {
        self.target.overruns.load(Relaxed)
    }
}

struct Table {
    timers: HashMap<i32, ProcessTimer>,
    next_id: i32,
    standing: [Option<ProcessTimer>; 5],
}

/// A timer that each process has one of, made when it is first set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// `ITIMER_REAL`, and that of alarm(2).
    Real,
    /// `ITIMER_VIRTUAL`.
    Virtual,
    /// `ITIMER_PROF`.
    Profile,
    /// `RLIMIT_CPU`: that it is reached, and again each second.
    CpuLimit,
    /// The same for the hard limit, which ends the process.
    HardCpuLimit,
}

/// See the module.
pub struct ProcessTimers {
    table: SpinLock<Table, rank::ProcessTimers>,
}

impl ProcessTimers {
    pub fn new() -> ProcessTimers {
        ProcessTimers {
            table: SpinLock::new(Table {
                timers: HashMap::new(),
                next_id: 0,
                standing: [const { None }; 5],
            }),
        }
    }

    /// EINVAL if there is no such timer.
    pub fn get(&self, id: i32) -> Result<ProcessTimer, Errno> {
        let table = self.table.lock();
        table.timers.get(&id).cloned().ok_or(Errno::EINVAL)
    }

    /// As [`ProcessTimer::set`]: EINVAL, too, if there is no such timer.
    pub fn set(&self, id: i32, first: u64, interval: u64, absolute: bool) -> Result<Left, Errno> {
        let timer = self.get(id)?;
        let left = timer.set(first, interval, absolute)?;
        // Who has deleted it meanwhile has stopped it too early.
        let still = self.get(id);
        if !still.is_ok_and(|still| Arc::ptr_eq(&still.target, &timer.target)) {
            timer.stop();
            return Err(Errno::EINVAL);
        }
        Ok(left)
    }

    /// Stops a timer and forgets it. EINVAL.
    pub fn delete(&self, id: i32) -> Result<(), Errno> {
        let removed = self.table.lock().timers.remove(&id);
        removed.ok_or(Errno::EINVAL)?.stop();
        Ok(())
    }

    /// What is left of a standing timer.
    pub fn left(&self, which: Standing) -> Left {
        let timer = self.table.lock().standing[which as usize].clone();
        timer.map_or_else(Left::default, |timer| timer.left())
    }

    /// Stops and forgets all that timer_create(2) has made, as exec does.
    pub(super) fn delete_all(&self) {
        let timers = core::mem::take(&mut self.table.lock().timers);
        for timer in timers.values() {
            timer.stop();
        }
    }

    /// Stops and forgets all, as the end does.
    pub(super) fn end(&self) {
        self.delete_all();
        let standing = core::mem::take(&mut self.table.lock().standing);
        for timer in standing.iter().flatten() {
            timer.stop();
        }
    }

    /// A signal is taken: if it is a timer's, it says how often that has expired
    /// since. What came after it was taken is among that: `take_next` takes the
    /// signal of this timer that waits, if one does, and says how often it stands for.
    pub(super) fn taken(&self, info: &mut Info, take_next: impl FnOnce(i32) -> u64) {
        let Some((id, _)) = info.timer_overruns() else {
            return;
        };
        // It may be deleted by now.
        if let Ok(timer) = self.get(id) {
            info.add_overruns(timer.catch_up(|| take_next(id)));
            let overruns = info.timer_overruns().map_or(0, |(_, overruns)| overruns);
            timer.target.overruns.store(overruns, Relaxed);
        }
    }
}

/// timer_create(2): a timer whose number `notify` is told, to say whom the
/// timer tells.
///
/// # Errors
/// Those of `notify`; `EAGAIN` if there are too many, `ENOMEM`.
pub fn create_timer(
    current: &Current,
    base: Base,
    notify: impl FnOnce(i32) -> Result<Notify, Errno>,
) -> Result<i32, Errno> {
    let group = current.group();
    let id = {
        let mut table = group.timers().table.lock();
        if table.timers.len() >= MOST {
            return Err(Errno::EAGAIN);
        }
        // Numbers come again late, so that a late signal is not another timer's.
        while table.timers.contains_key(&table.next_id) {
            table.next_id = following(table.next_id);
        }
        let id = table.next_id;
        table.next_id = following(id);
        id
    };
    let timer = ProcessTimer::new(group, base, notify(id)?)?;
    let mut table = group.timers().table.lock();
    table.timers.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
    table.timers.insert(id, timer);
    Ok(id)
}

fn following(id: i32) -> i32 {
    id.checked_add(1).unwrap_or(0)
}

/// setitimer(2) and alarm(2): sets a timer; what was left of it before. ENOMEM.
pub fn set_standing_timer(
    current: &Current,
    which: Standing,
    first: u64,
    interval: u64,
) -> Result<Left, Errno> {
    set_standing(current.group(), which, first, interval, false)
}

/// Watches over the limit of `group`'s CPU time. ENOMEM.
pub(super) fn limit_cpu_time(group: &Arc<Group>) -> Result<(), Errno> {
    const SECOND: u64 = 1_000_000_000;
    let limit = group.limits().get(Resource::Cpu);
    for (which, seconds, interval) in [
        (Standing::CpuLimit, limit.soft, SECOND),
        (Standing::HardCpuLimit, limit.hard, 0),
    ] {
        let first = match seconds {
            RLIM_INFINITY => 0,
            // As on Linux, none at all is a second.
            seconds => seconds.max(1).saturating_mul(SECOND),
        };
        set_standing(group, which, first, interval, true)?;
    }
    Ok(())
}

fn set_standing(
    group: &Arc<Group>,
    which: Standing,
    first: u64,
    interval: u64,
    absolute: bool,
) -> Result<Left, Errno> {
    let timer = group.timers().table.lock().standing[which as usize].clone();
    let timer = match timer {
        Some(timer) => timer,
        None if first == 0 => return Ok(Left::default()),
        None => {
            let made = new_standing(group, which)?;
            let mut table = group.timers().table.lock();
            // A peer may have been faster.
            table.standing[which as usize].get_or_insert(made).clone()
        }
    };
    timer.set(first, interval, absolute)
}

fn new_standing(group: &Arc<Group>, which: Standing) -> Result<ProcessTimer, Errno> {
    let by_cpu = |kind| Base::Cpu(CpuClock::of_process(group, kind));
    let (base, signal) = match which {
        Standing::Real => (Base::Time(Clock::Steady), SIGALRM),
        Standing::Virtual => (by_cpu(Kind::User), SIGVTALRM),
        Standing::Profile => (by_cpu(Kind::Sampled), SIGPROF),
        Standing::CpuLimit => (by_cpu(Kind::Exact), SIGXCPU),
        Standing::HardCpuLimit => (by_cpu(Kind::Exact), SIGKILL),
    };
    ProcessTimer::new(group, base, Notify::Process(Info::kernel(signal)))
}
