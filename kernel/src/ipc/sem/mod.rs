//! Sets of semaphores as System V has them (semget(2)).
//!
//! All that changes a set has the lock of those who wait for it, and carries out what
//! has become possible for them before it lets go: who is woken finds how its call
//! ended. A spin lock inside guards the set itself, so that looking at it is cheap.

mod undo;
mod values;

use abi::Errno;
use abi::ipc::{IpcPerm, SEM_UNDO, SemBuf, SemidDs};
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use sync::{SpinLock, WaitError, WaitQueue, rank};

pub use undo::Undo;
use values::{Attempt, Request, Values};

use super::access::{READ, WRITE};
use super::ids::Ids;
use super::permission::Permission;
use super::room::Room;
use super::setting::Setting;
use crate::files::allocate::try_arc;
use crate::files::clock::seconds;
use crate::thread::{Current, Tid};

/// `/proc/sys/kernel/sem`: the semaphores of a set, those of all, the operations of a
/// call, and how many sets.
pub static SEMMSL: Setting = Setting::new(32_000, 0..=1 << 16);
pub static SEMMNS: Setting = Setting::new(1_024_000_000, 0..=i32::MAX as usize);
pub static SEMOPM: Setting = Setting::new(500, 0..=1 << 16);
pub static SEMMNI: Setting = Setting::new(32_000, 0..=32_768);

static SETS: Ids<Set> = Ids::new();
/// The semaphores of all sets.
static SEMAPHORES: AtomicUsize = AtomicUsize::new(0);

struct State {
    permission: Permission,
    values: Values,
    /// When it was last used by semop(2), and changed otherwise, in seconds.
    operated: u64,
    changed: u64,
    gone: bool,
    /// Counts changes.
    turn: u64,
}

/// Who waits for a set.
struct Waiter {
    request: Request,
    blocked_by: SemBuf,
    /// How the call has ended, once the waiter is woken.
    outcome: Result<(), Errno>,
}

type Waiters<'a> = sync::Waiters<'a, Waiter, rank::IpcWaiters>;

/// See the module.
pub struct Set {
    waiters: WaitQueue<Waiter, rank::IpcWaiters>,
    state: SpinLock<State, rank::IpcObject>,
    /// As much as it has semaphores.
    room: Room,
}

/// The id of the set with this key: semget(2).
pub fn get(current: &Current, key: i32, count: usize, flags: usize) -> Result<i32, Errno> {
    if count > SEMMSL.get() {
        return Err(Errno::EINVAL);
    }
    let fits = |set: &Set| {
        if set.count() < count {
            return Err(Errno::EINVAL);
        }
        set.state.lock().permission.check(current, flags as u32)
    };
    let make = || {
        if count == 0 {
            return Err(Errno::EINVAL);
        }
        let room = Room::take(&SEMAPHORES, count, SEMMNS.get())?;
        try_arc(Set {
            waiters: WaitQueue::new(),
            state: SpinLock::new(State {
                permission: Permission::new(current, flags),
                values: Values::new(count)?,
                operated: 0,
                changed: seconds(),
                gone: false,
                turn: 0,
            }),
            room,
        })
    };
    SETS.find_or_make(key, flags, SEMMNI.get(), fits, make)
}

/// What has this id: EINVAL.
pub fn find(id: i32) -> Result<Found, Errno> {
    SETS.get(id).map(|set| Found { id, set })
}

/// What is at this place of the table: EINVAL.
pub fn at(place: i32) -> Result<Found, Errno> {
    SETS.at(place).map(|(id, set)| Found { id, set })
}

/// Calls `act` with each of them.
pub fn each(mut act: impl FnMut(&Found) -> Result<(), Errno>) -> Result<(), Errno> {
    SETS.each(|id, set| act(&Found { id, set }))
}

/// How many sets there are, and how many semaphores in all.
pub fn used() -> (usize, usize) {
    (SETS.count(), SEMAPHORES.load(Relaxed))
}

pub fn greatest_place() -> usize {
    SETS.greatest_place()
}

impl State {
    /// EACCES; EIDRM.
    fn check(&self, current: &Current, wanted: u32) -> Result<(), Errno> {
        self.permission.check(current, wanted)?;
        match self.gone {
            true => Err(Errno::EIDRM),
            false => Ok(()),
        }
    }

    /// The values have changed: carries out what waits for that, in the order in which
    /// it came, but what changes nothing first.
    fn serve(&mut self, waiters: &mut Waiters<'_>) {
        self.turn += 1;
        loop {
            waiters.wake_if(|waiter| waiter.request.only_waits() && self.settle(waiter));
            let mut again = false;
            waiters.wake_if(|waiter| {
                if again || waiter.request.only_waits() || !self.settle(waiter) {
                    return false;
                }
                // One that takes from one semaphore lets nobody else go on, unless
                // somebody waits for it to be zero.
                let operations = &waiter.request.operations;
                let value = self.values.get(usize::from(operations[0].number));
                again = operations.len() > 1 || value.is_ok_and(|(value, _)| value == 0);
                true
            });
            if !again {
                return;
            }
        }
    }

    /// Whether the waiter need not wait any more.
    fn settle(&mut self, waiter: &mut Waiter) -> bool {
        match self.values.attempt(&waiter.request) {
            Ok(Attempt::Blocked(by)) => {
                waiter.blocked_by = by;
                return false;
            }
            Ok(Attempt::Done) => {
                self.operated = seconds();
                waiter.outcome = Ok(());
            }
            Err(error) => waiter.outcome = Err(error),
        }
        true
    }
}

impl Set {
    pub fn count(&self) -> usize {
        self.room.amount()
    }

    fn with_all<R>(&self, act: impl FnOnce(&mut State, &mut Waiters<'_>) -> R) -> R {
        self.waiters
            .with_lock(|waiters| act(&mut self.state.lock(), waiters))
    }
}

/// A set and its id.
pub struct Found {
    pub id: i32,
    pub set: Arc<Set>,
}

impl Found {
    /// Carries out `operations`, once all of them can be: semtimedop(2). EFBIG, EACCES,
    /// EIDRM, EAGAIN, EINTR, ERANGE, ENOMEM.
    pub fn operate(
        &self,
        current: &Current,
        operations: Box<[SemBuf]>,
        deadline: Option<u64>,
    ) -> Result<(), Errno> {
        let set = &self.set;
        let is_outside = |one: &SemBuf| usize::from(one.number) >= set.count();
        if operations.iter().any(is_outside) {
            return Err(Errno::EFBIG);
        }
        let undo = match operations.iter().any(|one| one.flags & SEM_UNDO != 0) {
            true => Some(current.group().undo().list()?),
            false => None,
        };
        if let Some(list) = &undo {
            list.add(self.id)?;
        }
        let mut request = Request {
            operations,
            pid: current.tgid(),
            undo: undo.map(|list| list.number()),
        };
        let wanted = if request.only_waits() { READ } else { WRITE };
        loop {
            let (blocked_by, turn) = match set.attempt(current, wanted, &request)? {
                (Attempt::Done, _) => return Ok(()),
                (Attempt::Blocked(by), turn) => (by, turn),
            };
            let waiter = Waiter {
                request,
                blocked_by,
                outcome: Ok(()),
            };
            let is_still_so = || match set.state.lock().turn == turn {
                true => Ok(()),
                false => Err(()),
            };
            let urgency = current.entity.urgency();
            let waited = set
                .waiters
                .wait_exchanging(urgency, waiter, deadline, true, is_still_so);
            match waited {
                Err(((), waiter)) => request = waiter.request,
                Ok((Ok(()), waiter)) => return waiter.outcome,
                Ok((Err(WaitError::Interrupted), _)) => return Err(Errno::EINTR),
                Ok((Err(WaitError::TimedOut), _)) => return Err(Errno::EAGAIN),
            }
        }
    }

    /// The end of a process whose list this was.
    fn undo(&self, list: u64, pid: Tid) {
        self.set.with_all(|state, waiters| {
            if state.values.undo(list, pid) {
                state.operated = seconds();
                state.serve(waiters);
            }
        });
    }

    /// EACCES.
    pub fn check(&self, current: &Current, wanted: u32) -> Result<(), Errno> {
        self.set.state.lock().permission.check(current, wanted)
    }

    /// The value of a semaphore, and who has changed it last: EACCES, EIDRM, EINVAL.
    pub fn value(&self, current: &Current, number: usize) -> Result<(i16, Tid), Errno> {
        let state = self.set.state.lock();
        state.check(current, READ)?;
        state.values.get(number)
    }

    /// How many wait for a semaphore to be zero, or else to grow: EACCES, EIDRM, EINVAL.
    pub fn waiting(&self, current: &Current, number: usize, zero: bool) -> Result<usize, Errno> {
        self.set.with_all(|state, waiters| {
            state.check(current, READ)?;
            state.values.get(number)?;
            let mut count = 0;
            waiters.each(|waiter| {
                let by = waiter.blocked_by;
                if usize::from(by.number) == number && (by.operation == 0) == zero {
                    count += 1;
                }
            });
            Ok(count)
        })
    }

    /// Writes all values to `into`, which is as long: EACCES, EIDRM.
    pub fn values(&self, current: &Current, into: &mut [u16]) -> Result<(), Errno> {
        let state = self.set.state.lock();
        state.check(current, READ)?;
        for (number, into) in into.iter_mut().enumerate() {
            *into = state.values.get(number)?.0 as u16;
        }
        Ok(())
    }

    /// Sets the values from semaphore `first` on: EACCES, EIDRM, EINVAL.
    pub fn set_values(&self, current: &Current, first: usize, values: &[i16]) -> Result<(), Errno> {
        self.set.with_all(|state, waiters| {
            state.check(current, WRITE)?;
            for (number, &value) in (first..).zip(values) {
                state.values.set(number, value, current.tgid())?;
            }
            state.changed = seconds();
            state.serve(waiters);
            Ok(())
        })
    }

    /// Changes to whom it belongs and who may use it: EPERM, EINVAL.
    pub fn set_permission(&self, current: &Current, new: &IpcPerm) -> Result<(), Errno> {
        let mut state = self.set.state.lock();
        state.permission.check_owner(current)?;
        state.permission.set(new)?;
        state.changed = seconds();
        Ok(())
    }

    /// It goes, and all who wait for it are told. EPERM; EIDRM if a peer was faster.
    pub fn remove(&self, current: &Current) -> Result<(), Errno> {
        self.set.with_all(|state, waiters| {
            state.permission.check_owner(current)?;
            if state.gone {
                return Err(Errno::EIDRM);
            }
            state.gone = true;
            state.turn += 1;
            waiters.wake_if(|waiter| {
                waiter.outcome = Err(Errno::EIDRM);
                true
            });
            Ok(())
        })?;
        SETS.remove(self.id);
        Ok(())
    }

    pub fn describe(&self) -> SemidDs {
        let key = SETS.key(self.id);
        let state = self.set.state.lock();
        SemidDs {
            perm: state.permission.to_abi(self.id, key),
            operated: state.operated as i64,
            changed: state.changed as i64,
            count: self.set.count() as u64,
            ..SemidDs::default()
        }
    }
}

impl Set {
    /// Carries out a request if it can be, and what can be then; else, with the turn
    /// of the set, what stands in its way.
    fn attempt(
        &self,
        current: &Current,
        wanted: u32,
        request: &Request,
    ) -> Result<(Attempt, u64), Errno> {
        self.with_all(|state, waiters| {
            state.check(current, wanted)?;
            if let Some(undo) = request.undo {
                state.values.reserve(undo)?;
            }
            let attempt = state.values.attempt(request)?;
            if attempt == Attempt::Done {
                state.operated = seconds();
                if wanted == WRITE {
                    state.serve(waiters);
                }
            }
            Ok((attempt, state.turn))
        })
    }
}
