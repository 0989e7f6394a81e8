//! What is told with a signal (sigaction(2), "The siginfo_t argument").

use abi::event::SignalFdInfo;
use abi::signal::*;

/// A signal and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    pub signal: u32,
    /// `si_code`.
    code: i32,
    /// The first two words of what depends on the code.
    fields: [u64; 2],
    /// From a timer of the process, which has one signal waiting at most.
    is_timer: bool,
}

/// A process and its user, as they lie side by side.
fn both(process: u32, user: u32) -> u64 {
    u64::from(user) << 32 | u64::from(process)
}

impl Info {
    /// From a process and its real user, by kill(2).
    pub fn user(signal: u32, sender: u32, user: u32) -> Info {
        Info::new(signal, SI_USER, [both(sender, user), 0])
    }

    /// From a process to one thread, by tgkill(2).
    pub fn thread(signal: u32, sender: u32, user: u32) -> Info {
        Info::new(signal, SI_TKILL, [both(sender, user), 0])
    }

    /// From the kernel itself: a key, a broken pipe.
    pub fn kernel(signal: u32) -> Info {
        Info::new(signal, SI_KERNEL, [0; 2])
    }

    /// The thread's own access to `address`, or the instruction there, is why.
    pub fn fault(signal: u32, code: i32, address: usize) -> Info {
        Info::new(signal, code, [address as u64, 0])
    }

    /// SIGCHLD: what became of `child`, by one of the `CLD_` codes.
    pub fn child(child: u32, user: u32, code: i32, status: i32) -> Info {
        let fields = [both(child, user), u64::from(status as u32)];
        Info::new(SIGCHLD, code, fields)
    }

    /// From timer `id` of the process (timer_create(2)), with its value.
    pub fn timer(signal: u32, id: i32, value: u64) -> Info {
        Info {
            is_timer: true,
            ..Info::new(signal, SI_TIMER, [u64::from(id as u32), value])
        }
    }

    /// From the process `sender` of `user`, which has sent to a message queue (mq_notify(3)).
    pub fn message(signal: u32, sender: u32, user: u32, value: u64) -> Info {
        let sender = u64::from(user) << 32 | u64::from(sender);
        Info::new(signal, SI_MESGQ, [sender, value])
    }

    /// The same after `count` expiries, of which the first sends it.
    pub fn expired(mut self, count: u64) -> Info {
        if self.is_timer {
            self.add_overruns(count - 1);
        }
        self
    }

    /// The timer that sends it, and how often that has expired since.
    pub fn timer_overruns(&self) -> Option<(i32, i32)> {
        let [both, _] = self.fields;
        self.is_timer.then_some((both as i32, (both >> 32) as i32))
    }

    /// Another signal of the same timer has come while this one waited.
    pub fn join(&mut self, later: &Info) -> bool {
        match (self.timer_overruns(), later.timer_overruns()) {
            (Some((id, _)), Some((other, more))) if id == other => {
                self.add_overruns(more as u64 + 1);
                true
            }
            _ => false,
        }
    }

    /// The timer has expired so often while its signal waited. The count stops at
    /// the largest, as `DELAYTIMER_MAX` says.
    pub fn add_overruns(&mut self, more: u64) {
        let [both, _] = &mut self.fields;
        let count = (*both >> 32).saturating_add(more).min(i32::MAX as u64);
        *both = u64::from(*both as u32) | count << 32;
    }

    /// As a program made it, for rt_sigqueueinfo(2).
    pub fn queued(signal: u32, given: &SigInfo) -> Info {
        Info::new(signal, given.code, given.fields)
    }

    fn new(signal: u32, code: i32, fields: [u64; 2]) -> Info {
        Info {
            signal,
            code,
            fields,
            is_timer: false,
        }
    }

    /// The address of a fault; 0 for other signals.
    pub fn fault_address(&self) -> u64 {
        match self.signal {
            SIGSEGV | SIGBUS if self.code > 0 => self.fields[0],
            _ => 0,
        }
    }

    /// As a descriptor tells it (signalfd(2)).
    pub fn to_descriptor(self) -> SignalFdInfo {
        let [first, second] = self.fields;
        let (low, high) = (first as u32, (first >> 32) as u32);
        let info = SignalFdInfo {
            signal: self.signal,
            code: self.code,
            ..SignalFdInfo::default()
        };
        let is_fault = matches!(self.signal, SIGSEGV | SIGBUS | SIGILL | SIGFPE | SIGTRAP);
        match self.code {
            SI_TIMER => SignalFdInfo {
                timer: low,
                overrun: high,
                int: second as i32,
                pointer: second,
                ..info
            },
            code if code > 0 && is_fault => SignalFdInfo {
                address: first,
                ..info
            },
            code if code > 0 && self.signal == SIGCHLD => SignalFdInfo {
                pid: low,
                uid: high,
                status: second as i32,
                ..info
            },
            _ => SignalFdInfo {
                pid: low,
                uid: high,
                int: second as i32,
                pointer: second,
                ..info
            },
        }
    }

    /// As a handler sees it.
    pub fn to_abi(self) -> SigInfo {
        SigInfo {
            signal: self.signal as i32,
            code: self.code,
            fields: self.fields,
            ..SigInfo::default()
        }
    }
}
