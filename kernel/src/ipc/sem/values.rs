//! The values of a set of semaphores, and the rules of what is done to them, as data.

use abi::Errno;
use abi::ipc::{IPC_NOWAIT, SEM_UNDO, SEMVMX, SemBuf};
use alloc::boxed::Box;
use hashbrown::HashMap;

use crate::files::allocate::try_vec;
use crate::thread::Tid;

#[derive(Clone, Copy, Default)]
struct Semaphore {
    value: i16,
    /// Who has changed it last.
    pid: Tid,
}

/// What a call asks for: all of it, or nothing.
pub struct Request {
    pub operations: Box<[SemBuf]>,
    pub pid: Tid,
    /// The number of the list by which it is undone, which the set has room for.
    pub undo: Option<u64>,
}

impl Request {
    /// Whether it only waits for values that are zero.
    pub fn only_waits(&self) -> bool {
        self.operations
            .iter()
            .all(|operation| operation.operation == 0)
    }
}

/// How far a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    Done,
    /// It waits for this operation; nothing was done.
    Blocked(SemBuf),
}

/// See the module.
pub struct Values {
    semaphores: Box<[Semaphore]>,
    /// What the end of a process adds, by the number of its list.
    undone: HashMap<u64, Box<[i16]>>,
}

impl Values {
    /// ENOMEM.
    pub fn new(count: usize) -> Result<Values, Errno> {
        let mut semaphores = try_vec(count)?;
        semaphores.resize(count, Semaphore::default());
        Ok(Values {
            semaphores: semaphores.into_boxed_slice(),
            undone: HashMap::new(),
        })
    }

    /// Makes room for what is to be undone: ENOMEM.
    pub fn reserve(&mut self, undo: u64) -> Result<(), Errno> {
        if !self.undone.contains_key(&undo) {
            let mut zeroes = try_vec(self.semaphores.len())?;
            zeroes.resize(self.semaphores.len(), 0);
            self.undone.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            self.undone.insert(undo, zeroes.into_boxed_slice());
        }
        Ok(())
    }

    /// Carries out a request whose numbers are all in range. EAGAIN if it would have
    /// to wait and must not; ERANGE.
    pub fn attempt(&mut self, request: &Request) -> Result<Attempt, Errno> {
        let operations = &request.operations;
        for (done, operation) in operations.iter().enumerate() {
            let carried_out = self.carry_out(operation, request.undo);
            if carried_out != Ok(true) {
                for operation in operations[..done].iter().rev() {
                    self.take_back(operation, request.undo);
                }
                carried_out?;
                return match operation.flags & IPC_NOWAIT as u16 {
                    0 => Ok(Attempt::Blocked(*operation)),
                    _ => Err(Errno::EAGAIN),
                };
            }
        }
        for operation in operations {
            self.semaphores[usize::from(operation.number)].pid = request.pid;
        }
        Ok(Attempt::Done)
    }

    /// False if it must wait. ERANGE.
    fn carry_out(&mut self, operation: &SemBuf, undo: Option<u64>) -> Result<bool, Errno> {
        let semaphore = &mut self.semaphores[usize::from(operation.number)];
        let by = operation.operation;
        let value = i32::from(semaphore.value) + i32::from(by);
        if by == 0 && semaphore.value != 0 || value < 0 {
            return Ok(false);
        }
        let value = i16::try_from(value).map_err(|_| Errno::ERANGE)?;
        if let Some(adjustment) = adjustment(&mut self.undone, operation, undo) {
            *adjustment = adjustment.checked_sub(by).ok_or(Errno::ERANGE)?;
        }
        semaphore.value = value;
        Ok(true)
    }

    fn take_back(&mut self, operation: &SemBuf, undo: Option<u64>) {
        self.semaphores[usize::from(operation.number)].value -= operation.operation;
        if let Some(adjustment) = adjustment(&mut self.undone, operation, undo) {
            *adjustment += operation.operation;
        }
    }

    /// The end of the process `pid`, whose list this was; whether it changed anything.
    pub fn undo(&mut self, undo: u64, pid: Tid) -> bool {
        let Some(adjustments) = self.undone.remove(&undo) else {
            return false;
        };
        let mut changed = false;
        for (semaphore, by) in self.semaphores.iter_mut().zip(adjustments) {
            if by != 0 {
                semaphore.value = semaphore.value.saturating_add(by).max(0);
                semaphore.pid = pid;
                changed = true;
            }
        }
        changed
    }

    /// The value of a semaphore, and who has changed it last: EINVAL.
    pub fn get(&self, number: usize) -> Result<(i16, Tid), Errno> {
        let semaphore = self.semaphores.get(number).ok_or(Errno::EINVAL)?;
        Ok((semaphore.value, semaphore.pid))
    }

    /// Sets a value, and what was done before is not undone. EINVAL.
    pub fn set(&mut self, number: usize, value: i16, pid: Tid) -> Result<(), Errno> {
        let semaphore = self.semaphores.get_mut(number).ok_or(Errno::EINVAL)?;
        *semaphore = Semaphore { value, pid };
        for adjustments in self.undone.values_mut() {
            adjustments[number] = 0;
        }
        Ok(())
    }
}

/// What is undone of an operation's semaphore, if that is asked for.
fn adjustment<'a>(
    undone: &'a mut HashMap<u64, Box<[i16]>>,
    operation: &SemBuf,
    undo: Option<u64>,
) -> Option<&'a mut i16> {
    let undo = undo.filter(|_| operation.flags & SEM_UNDO != 0)?;
    let adjustments = undone.get_mut(&undo)?;
    adjustments.get_mut(usize::from(operation.number))
}

// Values are those of an i16 that are not negative.
const _: () = assert!(SEMVMX == i16::MAX);

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const UNDO: u64 = 7;

    fn request(operations: &[(u16, i16, u16)]) -> Request {
        let make = |&(number, operation, flags)| SemBuf {
            number,
            operation,
            flags,
        };
        Request {
            operations: operations.iter().map(make).collect(),
            pid: 5,
            undo: Some(UNDO),
        }
    }

    fn values(of: &[i16]) -> Values {
        let mut values = Values::new(of.len()).unwrap();
        values.reserve(UNDO).unwrap();
        for (number, &value) in of.iter().enumerate() {
            values.set(number, value, 1).unwrap();
        }
        values
    }

    fn all(values: &Values) -> Vec<i16> {
        values.semaphores.iter().map(|one| one.value).collect()
    }

    #[test]
    fn all_or_nothing() {
        let mut set = values(&[1, 0, i16::MAX]);
        let nowait = IPC_NOWAIT as u16;
        let blocked = |number, operation| {
            Ok(Attempt::Blocked(SemBuf {
                number,
                operation,
                flags: 0,
            }))
        };
        for (operations, result) in [
            (&[(0, -1, SEM_UNDO), (1, -1, 0)][..], blocked(1, -1)),
            (&[(0, -1, SEM_UNDO), (1, -1, nowait)], Err(Errno::EAGAIN)),
            (&[(1, 2, SEM_UNDO), (0, 0, 0)], blocked(0, 0)),
            (&[(1, 2, SEM_UNDO), (2, 1, 0)], Err(Errno::ERANGE)),
            // The same one several times, in order.
            (&[(1, 1, 0), (1, -1, 0), (1, -1, 0)], blocked(1, -1)),
            (&[(0, i16::MIN, 0)], blocked(0, i16::MIN)),
        ] {
            assert_eq!(set.attempt(&request(operations)), result);
            assert_eq!(all(&set), [1, 0, i16::MAX]);
            assert!(set.undone[&UNDO].iter().all(|&by| by == 0));
            assert_eq!(set.get(0), Ok((1, 1)));
        }
        let done = set.attempt(&request(&[(0, -1, 0), (0, 0, 0), (1, 3, 0), (1, -1, 0)]));
        assert_eq!(
            (done, all(&set)),
            (Ok(Attempt::Done), [0, 2, i16::MAX].into())
        );
        assert_eq!((set.get(1), set.get(2)), (Ok((2, 5)), Ok((i16::MAX, 1))));
        assert_eq!(set.get(3), Err(Errno::EINVAL));
        assert_eq!(set.set(3, 1, 1), Err(Errno::EINVAL));
    }

    #[test]
    fn what_is_undone_stays_in_range() {
        let mut set = values(&[3, 0, i16::MAX - 1]);
        let operations = request(&[(0, -2, SEM_UNDO), (1, 4, SEM_UNDO), (2, -5, SEM_UNDO)]);
        assert_eq!(set.attempt(&operations), Ok(Attempt::Done));
        // Without: others change it meanwhile.
        let others = request(&[(1, -3, 0), (2, 5, 0)]);
        assert_eq!(set.attempt(&others), Ok(Attempt::Done));
        assert!(set.undo(UNDO, 9));
        assert_eq!(all(&set), [3, 0, i16::MAX]);
        assert_eq!(set.get(1), Ok((0, 9)));
        assert!(!set.undo(UNDO, 9));
    }

    #[test]
    fn no_more_is_undone_than_a_number_holds() {
        let mut set = values(&[i16::MAX]);
        let most = request(&[(0, -i16::MAX, SEM_UNDO)]);
        assert_eq!(set.attempt(&most), Ok(Attempt::Done));
        assert_eq!(set.attempt(&request(&[(0, 1, 0)])), Ok(Attempt::Done));
        let one_more = request(&[(0, -1, SEM_UNDO)]);
        assert_eq!(set.attempt(&one_more), Err(Errno::ERANGE));
        // What is set is not undone.
        set.set(0, 5, 1).unwrap();
        assert!(!set.undo(UNDO, 9));
        assert_eq!(all(&set), [5]);
    }
}
