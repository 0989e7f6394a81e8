//! Who may join whom: the native threads that share one address space and
//! have not been joined yet. Plain data over ids, guarded by one lock in
//! [`super::join`]. Room is made at clone; exit and join never allocate.

use abi::Errno;
use hashbrown::HashMap;

/// A thread's id.
pub type Tid = u32;

/// The creator of record of threads whose creator has exited.
const NOBODY: Tid = 0;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Running,
    Exited,
}

struct Record {
    creator: Tid,
    stack: usize,
    state: State,
    /// Who is waiting for this thread by its id, or taking it now.
    joiner: Option<Tid>,
    /// Neighbours among the creator's exited threads, oldest first.
    previous: Option<Tid>,
    next: Option<Tid>,
}

/// A creator's unjoined threads.
#[derive(Default)]
struct Children {
    count: usize,
    oldest_exited: Option<Tid>,
    newest_exited: Option<Tid>,
}

/// The unjoined native threads of one address space.
pub struct Joins {
    records: HashMap<Tid, Record>,
    children: HashMap<Tid, Children>,
}

/// An exited thread that its joiner has taken: either [`Joins::finish`] or
/// [`Joins::put_back`] follows.
#[must_use]
#[derive(Debug, PartialEq, Eq)]
pub struct Taken {
    pub tid: Tid,
    pub stack: usize,
}

impl Joins {
    pub fn new() -> Self {
        Joins {
            records: HashMap::new(),
            children: HashMap::new(),
        }
    }

    /// Registers a thread before it can run. `ENOMEM` changes nothing.
    pub fn add(&mut self, tid: Tid, creator: Tid, stack: usize) -> Result<(), Errno> {
        self.records.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
        // One for the creator, one for the threads that lose theirs.
        self.children.try_reserve(2).map_err(|_| Errno::ENOMEM)?;
        let record = Record {
            creator,
            stack,
            state: State::Running,
            joiner: None,
            previous: None,
            next: None,
        };
        self.records.insert(tid, record);
        self.children.entry(creator).or_default().count += 1;
        Ok(())
    }

    /// Takes back an `add` whose thread never ran, or gives up the right to
    /// join. False if there is no such thread or somebody is joining it.
    pub fn remove(&mut self, tid: Tid) -> bool {
        match self.records.get(&tid) {
            Some(record) if record.joiner.is_none() => self.forget(tid),
            _ => return false,
        }
        true
    }

    /// Whether the thread has exited, if it can still be joined.
    pub fn has_exited(&self, tid: Tid) -> Option<bool> {
        self.records
            .get(&tid)
            .map(|record| record.state == State::Exited)
    }

    /// The thread has exited. Returns whether a joiner will take it; if not
    /// even a record is left, nobody ever will.
    pub fn exit(&mut self, tid: Tid) -> bool {
        let Some(record) = self.records.get_mut(&tid) else {
            return false;
        };
        record.state = State::Exited;
        if record.joiner.is_none() {
            self.list_exited(tid);
        }
        true
    }

    /// The creator has exited: its threads can be joined by any peer.
    pub fn orphan(&mut self, creator: Tid) {
        let Some(mut gone) = self.children.remove(&creator) else {
            return;
        };
        for record in self
            .records
            .values_mut()
            .filter(|record| record.creator == creator)
        {
            record.creator = NOBODY;
        }
        let orphans = self.children.entry(NOBODY).or_default();
        orphans.count += gone.count;
        let last = orphans.newest_exited;
        if let Some(first) = gone.oldest_exited {
            match last {
                Some(last) => self.link(Some(last), Some(first)),
                None => orphans.oldest_exited = gone.oldest_exited,
            }
            if let Some(orphans) = self.children.get_mut(&NOBODY) {
                orphans.newest_exited = gone.newest_exited.take();
            }
        }
    }

    /// For a join of any thread child of `me`: takes the one that exited
    /// first; `Ok(None)` if all are running.
    ///
    /// # Errors
    /// `ECHILD` if there are none at all.
    pub fn take_any(&mut self, me: Tid) -> Result<Option<Taken>, Errno> {
        let mut any = false;
        for creator in [me, NOBODY] {
            let Some(children) = self.children.get(&creator) else {
                continue;
            };
            if let Some(tid) = children.oldest_exited {
                return Ok(Some(self.take(tid, me)));
            }
            any |= self.joinable_by(creator, me) > 0;
        }
        if any { Ok(None) } else { Err(Errno::ECHILD) }
    }

    /// For a join of one thread: reserves it for `me`, and takes it once it
    /// has exited.
    ///
    /// # Errors
    /// `EDEADLK` for oneself, `ESRCH` if there is no such thread (any more),
    /// `EINVAL` if another thread is joining it.
    pub fn take_one(&mut self, tid: Tid, me: Tid) -> Result<Option<Taken>, Errno> {
        if tid == me {
            return Err(Errno::EDEADLK);
        }
        let record = self.records.get_mut(&tid).ok_or(Errno::ESRCH)?;
        if record.joiner.is_some_and(|joiner| joiner != me) {
            return Err(Errno::EINVAL);
        }
        if record.state == State::Running {
            record.joiner = Some(me);
            return Ok(None);
        }
        if record.joiner.is_some() {
            return Ok(Some(Taken {
                tid,
                stack: record.stack,
            }));
        }
        Ok(Some(self.take(tid, me)))
    }

    /// The join is complete: the thread is forgotten.
    pub fn finish(&mut self, taken: Taken) {
        self.forget(taken.tid);
    }

    /// The joiner could not use what it took, or gave up waiting for `tid`:
    /// a later join finds the thread again.
    pub fn put_back(&mut self, tid: Tid, me: Tid) {
        let Some(record) = self.records.get_mut(&tid) else {
            return;
        };
        if record.joiner != Some(me) {
            return;
        }
        record.joiner = None;
        if record.state == State::Exited {
            self.list_exited(tid);
        }
    }

    /// The threads that have exited and were not joined.
    pub fn exited(&self) -> impl Iterator<Item = Tid> {
        self.records
            .iter()
            .filter(|(_, r)| r.state == State::Exited)
            .map(|(&tid, _)| tid)
    }

    /// Threads of `creator` that a join of any could get one day: all but
    /// `me` (an orphan cannot join itself).
    fn joinable_by(&self, creator: Tid, me: Tid) -> usize {
        let count = self
            .children
            .get(&creator)
            .map_or(0, |children| children.count);
        let is_me = self
            .records
            .get(&me)
            .is_some_and(|record| record.creator == creator);
        count - usize::from(is_me)
    }

    fn take(&mut self, tid: Tid, me: Tid) -> Taken {
        self.unlist_exited(tid);
        let record = self
            .records
            .get_mut(&tid)
            .expect("an exited thread on a list has a record");
        record.joiner = Some(me);
        Taken {
            tid,
            stack: record.stack,
        }
    }

    /// Forgets the thread, whoever is joining it.
    pub fn forget(&mut self, tid: Tid) {
        self.unlist_exited(tid);
        let Some(record) = self.records.remove(&tid) else {
            return;
        };
        if let Some(children) = self.children.get_mut(&record.creator) {
            children.count -= 1;
            if children.count == 0 {
                self.children.remove(&record.creator);
            }
        }
    }

    fn link(&mut self, before: Option<Tid>, after: Option<Tid>) {
        if let Some(record) = before.and_then(|tid| self.records.get_mut(&tid)) {
            record.next = after;
        }
        if let Some(record) = after.and_then(|tid| self.records.get_mut(&tid)) {
            record.previous = before;
        }
    }

    fn list_exited(&mut self, tid: Tid) {
        let Some(creator) = self.records.get(&tid).map(|record| record.creator) else {
            return;
        };
        let Some(children) = self.children.get_mut(&creator) else {
            return;
        };
        let last = children.newest_exited.replace(tid);
        if last.is_none() {
            children.oldest_exited = Some(tid);
        }
        self.link(last, Some(tid));
    }

    fn unlist_exited(&mut self, tid: Tid) {
        let Some(record) = self.records.get_mut(&tid) else {
            return;
        };
        let (previous, next) = (record.previous.take(), record.next.take());
        let Some(children) = self.children.get_mut(&record.creator) else {
            return;
        };
        if children.oldest_exited == Some(tid) {
            children.oldest_exited = next;
        }
        if children.newest_exited == Some(tid) {
            children.newest_exited = previous;
        }
        self.link(previous, next);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_takes_the_first_to_exit() {
        let mut joins = Joins::new();
        for tid in 2..6 {
            joins.add(tid, 1, tid as usize * 0x1000).unwrap();
        }
        assert_eq!(joins.take_any(1), Ok(None));
        joins.exit(4);
        joins.exit(2);
        let taken = joins.take_any(1).unwrap().unwrap();
        assert_eq!(
            taken,
            Taken {
                tid: 4,
                stack: 0x4000
            }
        );
        joins.finish(taken);
        assert_eq!(joins.take_any(1).unwrap().unwrap().tid, 2);
        assert_eq!(joins.take_any(1), Ok(None), "2 is taken, 3 and 5 run");
        assert_eq!(joins.take_any(9), Err(Errno::ECHILD));
    }

    #[test]
    fn what_is_put_back_is_found_again() {
        let mut joins = Joins::new();
        joins.add(2, 1, 0x2000).unwrap();
        joins.exit(2);
        let taken = joins.take_any(1).unwrap().unwrap();
        joins.put_back(taken.tid, 1);
        assert_eq!(joins.take_any(1).unwrap().unwrap().tid, 2);
    }

    #[test]
    fn a_thread_has_one_joiner() {
        let mut joins = Joins::new();
        joins.add(2, 1, 0).unwrap();
        joins.add(3, 1, 0).unwrap();
        assert_eq!(joins.take_one(3, 2), Ok(None));
        assert_eq!(joins.take_one(3, 1), Err(Errno::EINVAL));
        joins.exit(3);
        assert_eq!(joins.take_any(1), Ok(None), "3 is reserved for 2");
        let taken = joins.take_one(3, 2).unwrap().unwrap();
        joins.finish(taken);
        assert_eq!(joins.take_one(3, 2), Err(Errno::ESRCH));
        assert_eq!(joins.take_one(2, 2), Err(Errno::EDEADLK));
    }

    #[test]
    fn orphans_can_be_joined_by_peers_but_not_by_themselves() {
        let mut joins = Joins::new();
        joins.add(2, 1, 0).unwrap();
        joins.add(3, 2, 0).unwrap();
        joins.add(4, 2, 0).unwrap();
        joins.exit(4);
        joins.exit(2);
        joins.orphan(2);
        joins.orphan(1);
        let first = joins.take_any(3).unwrap().unwrap();
        let second = joins.take_any(3).unwrap().unwrap();
        assert_eq!(
            (first.tid.min(second.tid), first.tid.max(second.tid)),
            (2, 4)
        );
        joins.finish(first);
        joins.finish(second);
        assert_eq!(
            joins.take_any(3),
            Err(Errno::ECHILD),
            "only 3 itself is left"
        );
        assert_eq!(joins.take_any(9), Ok(None));
    }

    #[test]
    fn a_thousand_threads_leave_nothing() {
        let mut joins = Joins::new();
        for tid in 2..1002 {
            joins.add(tid, tid / 2, 0).unwrap();
        }
        for tid in (2..1002).rev() {
            joins.exit(tid);
            joins.orphan(tid);
        }
        while let Ok(Some(taken)) = joins.take_any(5000) {
            joins.finish(taken);
        }
        let taken = joins.take_any(1).unwrap_or(None);
        taken.into_iter().for_each(|taken| joins.finish(taken));
        while let Ok(Some(taken)) = joins.take_any(1) {
            joins.finish(taken);
        }
        assert!(joins.records.is_empty());
        assert!(joins.children.is_empty());
    }
}
