//! What a thread says of itself by prctl(2), and hands on to those it makes.

use super::Thread;
use abi::prctl::TASK_COMM_LEN;
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use sync::{SpinLock, rank};

/// A name as a program gave it: any bytes but zero, and zeroes behind them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Name([u8; TASK_COMM_LEN]);

impl Name {
    /// Cut off at the first zero, and to what fits.
    pub fn new(bytes: &[u8]) -> Name {
        let mut name = Name::default();
        let bytes = bytes.iter().take(TASK_COMM_LEN - 1);
        let bytes = bytes.take_while(|&&byte| byte != 0);
        name.0
            .iter_mut()
            .zip(bytes)
            .for_each(|(to, from)| *to = *from);
        name
    }

    /// Without the zeroes.
    pub fn text(&self) -> &[u8] {
        let end = self.0.iter().position(|&byte| byte == 0);
        &self.0[..end.unwrap_or(self.0.len())]
    }

    /// With the zeroes.
    pub fn bytes(&self) -> &[u8; TASK_COMM_LEN] {
        &self.0
    }
}

impl fmt::Display for Name {
    /// What would spoil a line is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write;
        let graphic = self.0.iter().filter(|byte| byte.is_ascii_graphic());
        graphic
            .into_iter()
            .try_for_each(|&byte| f.write_char(byte.into()))
    }
}

/// How late a time-out may come, in nanoseconds, as Linux has it; Weft's are
/// never late by intent, so the figure is only kept.
const TIMER_SLACK: u64 = 50_000;

pub struct Traits {
    name: SpinLock<Name, rank::Actions>,
    timer_slack: AtomicU64,
    /// What a thread comes back to that sets none.
    default_slack: AtomicU64,
    no_new_privileges: AtomicBool,
}

impl Traits {
    pub const fn new() -> Traits {
        Traits {
            name: SpinLock::new(Name([0; TASK_COMM_LEN])),
            timer_slack: AtomicU64::new(TIMER_SLACK),
            default_slack: AtomicU64::new(TIMER_SLACK),
            no_new_privileges: AtomicBool::new(false),
        }
    }

    /// What a new thread takes over from its maker.
    pub(super) fn inherited(&self) -> Traits {
        let slack = self.timer_slack.load(Relaxed);
        Traits {
            name: SpinLock::new(*self.name.lock()),
            timer_slack: AtomicU64::new(slack),
            default_slack: AtomicU64::new(slack),
            no_new_privileges: AtomicBool::new(self.no_new_privileges.load(Relaxed)),
        }
    }

    pub fn timer_slack(&self) -> u64 {
        self.timer_slack.load(Relaxed)
    }

    /// `None`: the default.
    pub fn set_timer_slack(&self, slack: Option<u64>) {
        let slack = slack.unwrap_or(self.default_slack.load(Relaxed));
        self.timer_slack.store(slack, Relaxed);
    }

    pub fn no_new_privileges(&self) -> bool {
        self.no_new_privileges.load(Relaxed)
    }

    /// For good.
    pub fn set_no_new_privileges(&self) {
        self.no_new_privileges.store(true, Relaxed);
    }
}

impl Thread {
    pub fn traits(&self) -> &Traits {
        &self.traits
    }

    pub fn name(&self) -> Name {
        *self.traits.name.lock()
    }

    /// The first thread's name is its process's, too.
    pub fn set_name(&self, name: Name) {
        *self.traits.name.lock() = name;
        if let Some(group) = self.user_group().filter(|group| group.id() == self.tid()) {
            group.set_name(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut() {
        assert_eq!(Name::new(b"abc\0def"), Name::new(b"abc"));
        assert_eq!(
            Name::new(b"0123456789abcdefgh").bytes(),
            b"0123456789abcde\0"
        );
        assert_eq!(Name::new(b"").bytes(), &[0; TASK_COMM_LEN]);
        let name = Name::new(b"a\nb c\xff");
        assert_eq!(&name.bytes()[..7], b"a\nb c\xff\0");
        assert_eq!(format!("{name}"), "abc");
    }
}
