//! Signals that wait to be delivered. Pure.

use super::{Info, Set, set_of};
use abi::Errno;
use abi::signal::*;
use alloc::vec::Vec;

/// Signals that were sent and not yet delivered, each with its first sender's
/// info; those from [`SIGNAL_REAL_TIME`] on wait once for each time they were sent.
pub struct Pending {
    set: Set,
    /// In the order of arrival. A signal whose info found no memory has none.
    infos: Vec<Info>,
}

/// How many infos may wait: a sender cannot take all memory.
const MOST: usize = 1024;

/// What the program's own instruction caused comes first, so that its handler
/// sees that instruction.
const FROM_FAULTS: Set =
    set_of(SIGSEGV) | set_of(SIGBUS) | set_of(SIGILL) | set_of(SIGTRAP) | set_of(SIGFPE);

impl Pending {
    pub const fn new() -> Pending {
        Pending {
            set: 0,
            infos: Vec::new(),
        }
    }

    pub fn set(&self) -> Set {
        self.set
    }

    /// Adds a signal: EAGAIN if it is one that queues, and there is no room.
    pub fn add(&mut self, info: Info) -> Result<(), Errno> {
        let bit = set_of(info.signal);
        // Timers are few, and each waits once: its signal is not lost for others.
        let of_timer = info.timer_overruns().is_some();
        if of_timer && self.infos.iter_mut().any(|waiting| waiting.join(&info)) {
            return Ok(());
        }
        let queues = info.signal >= SIGNAL_REAL_TIME || of_timer;
        if self.set & bit != 0 && !queues {
            return Ok(());
        }
        let room = of_timer || self.infos.len() < MOST;
        let room = room && self.infos.try_reserve(1).is_ok();
        match room {
            true => self.infos.push(info),
            false if queues => return Err(Errno::EAGAIN),
            // It is delivered without its info.
            false => {}
        }
        self.set |= bit;
        Ok(())
    }

    /// Takes the next of the signals in `among`: the lowest number first.
    pub fn take(&mut self, among: Set) -> Option<Info> {
        let candidates = self.set & among;
        let first = match candidates & FROM_FAULTS {
            0 => candidates,
            faults => faults,
        };
        if first == 0 {
            return None;
        }
        let signal = first.trailing_zeros() + 1;
        let of_it = |info: &Info| info.signal == signal;
        let info = match self.infos.iter().position(of_it) {
            Some(at) => self.infos.remove(at),
            None => Info::kernel(signal),
        };
        if !self.infos.iter().any(of_it) {
            self.set &= !set_of(signal);
        }
        Some(info)
    }

    /// Takes the signal of timer `id`: how many expiries it stands for.
    pub fn take_of_timer(&mut self, id: i32) -> u64 {
        let of_it = |info: &Info| info.timer_overruns().filter(|(of, _)| *of == id);
        let Some(at) = self.infos.iter().position(|info| of_it(info).is_some()) else {
            return 0;
        };
        let info = self.infos.remove(at);
        if !self.infos.iter().any(|other| other.signal == info.signal) {
            self.set &= !set_of(info.signal);
        }
        info.timer_overruns().map_or(0, |(_, more)| more as u64 + 1)
    }

    /// Forgets the signals in `set`.
    pub fn discard(&mut self, set: Set) {
        self.set &= !set;
        self.infos.retain(|info| set_of(info.signal) & set == 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(pending: &mut Pending, among: Set) -> Option<u32> {
        pending.take(among).map(|info| info.signal)
    }

    #[test]
    fn standard_signals_wait_once_with_the_first_info() {
        let mut pending = Pending::new();
        pending.add(Info::user(SIGUSR1, 5, 0)).unwrap();
        pending.add(Info::user(SIGUSR1, 6, 0)).unwrap();
        pending.add(Info::user(SIGHUP, 7, 0)).unwrap();
        assert_eq!(pending.set(), set_of(SIGUSR1) | set_of(SIGHUP));
        assert_eq!(pending.take(!0), Some(Info::user(SIGHUP, 7, 0)));
        assert_eq!(pending.take(!0), Some(Info::user(SIGUSR1, 5, 0)));
        assert_eq!(pending.take(!0), None);
    }

    #[test]
    fn real_time_signals_queue_in_order_up_to_a_bound() {
        let mut pending = Pending::new();
        for sender in 0..MOST as u32 {
            pending.add(Info::user(40, sender, 0)).unwrap();
        }
        assert_eq!(pending.add(Info::user(40, 0, 0)), Err(Errno::EAGAIN));
        // A standard signal is not lost for it; only its info is.
        pending.add(Info::user(SIGINT, 9, 0)).unwrap();
        assert_eq!(pending.take(!0), Some(Info::kernel(SIGINT)));
        for sender in 0..MOST as u32 {
            assert_eq!(pending.take(!0), Some(Info::user(40, sender, 0)));
        }
        assert_eq!(pending.set(), 0);
    }

    #[test]
    fn a_timer_waits_once_beside_others() {
        let mut pending = Pending::new();
        let timer = |id| Info::timer(SIGALRM, id, 7);
        pending.add(Info::user(SIGALRM, 5, 0)).unwrap();
        pending.add(timer(1).expired(1)).unwrap();
        pending.add(timer(2).expired(4)).unwrap();
        pending.add(timer(1).expired(2)).unwrap();
        pending.add(Info::user(SIGALRM, 6, 0)).unwrap();
        assert_eq!(pending.take(!0), Some(Info::user(SIGALRM, 5, 0)));
        let overruns = |info: Option<Info>| info.and_then(|info| info.timer_overruns());
        assert_eq!(overruns(pending.take(!0)), Some((1, 2)));
        assert_eq!(overruns(pending.take(!0)), Some((2, 3)));
        assert_eq!(pending.take(!0), None);
        // As many as can be counted, and after that no more.
        pending.add(timer(1).expired(u64::MAX)).unwrap();
        pending.add(timer(1).expired(u64::MAX)).unwrap();
        assert_eq!(overruns(pending.take(!0)), Some((1, i32::MAX)));
    }

    #[test]
    fn a_timers_signal_can_be_taken_back() {
        let mut pending = Pending::new();
        let timer = |id| Info::timer(SIGALRM, id, 7);
        assert_eq!(pending.take_of_timer(1), 0);
        pending.add(timer(1).expired(3)).unwrap();
        pending.add(timer(2).expired(1)).unwrap();
        assert_eq!(pending.take_of_timer(1), 3);
        assert_eq!(pending.take_of_timer(1), 0);
        assert_eq!(pending.set(), set_of(SIGALRM));
        assert_eq!(pending.take_of_timer(2), 1);
        assert_eq!(pending.set(), 0);
    }

    #[test]
    fn blocked_ones_stay_and_faults_come_first() {
        let mut pending = Pending::new();
        for signal in [SIGHUP, SIGSEGV, SIGTERM] {
            pending.add(Info::kernel(signal)).unwrap();
        }
        assert_eq!(take(&mut pending, !set_of(SIGSEGV)), Some(SIGHUP));
        assert_eq!(take(&mut pending, !0), Some(SIGSEGV));
        pending.discard(set_of(SIGTERM));
        assert_eq!(take(&mut pending, !0), None);
    }
}
