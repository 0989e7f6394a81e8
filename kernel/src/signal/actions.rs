//! What a process does with each signal (signal(7)). Pure.

use crate::files::allocate::try_vec;
use abi::Errno;
use abi::signal::*;
use alloc::vec::Vec;

/// What a signal does to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Nothing,
    Ends,
    Stops,
    /// A handler of the program's is called.
    Handled,
}

/// The signal actions of a process.
pub struct Actions {
    /// What was set, for the signals that are not at their default.
    set: Vec<(u32, SigAction)>,
}

impl Actions {
    pub const fn new() -> Actions {
        Actions { set: Vec::new() }
    }

    /// A copy. ENOMEM.
    pub fn duplicate(&self) -> Result<Actions, Errno> {
        let mut set = try_vec(self.set.len())?;
        set.extend_from_slice(&self.set);
        Ok(Actions { set })
    }

    pub fn get(&self, signal: u32) -> SigAction {
        let found = self.set.iter().find(|(set, _)| *set == signal);
        found.map_or_else(SigAction::default, |(_, action)| *action)
    }

    /// Sets the action of `signal`.
    ///
    /// # Errors
    /// `EINVAL` for SIGKILL and SIGSTOP, `ENOMEM`.
    pub fn set(&mut self, signal: u32, action: SigAction) -> Result<(), Errno> {
        if matches!(signal, SIGKILL | SIGSTOP) {
            return Err(Errno::EINVAL);
        }
        self.reset(signal);
        if action != SigAction::default() {
            self.set.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
            self.set.push((signal, action));
        }
        Ok(())
    }

    /// The action of `signal` is the default again.
    pub fn reset(&mut self, signal: u32) {
        self.set.retain(|(set, _)| *set != signal);
    }

    /// exec keeps what is ignored and forgets handlers.
    pub fn exec(&mut self) {
        self.set.retain(|(_, action)| action.handler == SIG_IGN);
    }

    /// What `signal` does.
    pub fn effect(&self, signal: u32) -> Effect {
        let by_default = match signal {
            SIGCHLD | SIGURG | SIGWINCH | SIGCONT => Effect::Nothing,
            SIGSTOP | SIGTSTP | SIGTTIN | SIGTTOU => Effect::Stops,
            _ => Effect::Ends,
        };
        match self.get(signal).handler {
            SIG_IGN if signal != SIGKILL => Effect::Nothing,
            SIG_DFL | SIG_IGN => by_default,
            _ => Effect::Handled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(handler: usize) -> SigAction {
        SigAction {
            handler,
            ..SigAction::default()
        }
    }

    #[test]
    fn defaults_and_ignored() {
        let mut actions = Actions::new();
        assert_eq!(actions.effect(SIGINT), Effect::Ends);
        assert_eq!(actions.effect(SIGCHLD), Effect::Nothing);
        actions.set(SIGINT, action(SIG_IGN)).unwrap();
        assert_eq!(actions.effect(SIGINT), Effect::Nothing);
        actions.set(SIGINT, action(SIG_DFL)).unwrap();
        assert_eq!(actions.effect(SIGINT), Effect::Ends);
    }

    #[test]
    fn kill_cannot_be_ignored() {
        let mut actions = Actions::new();
        assert_eq!(actions.set(SIGKILL, action(SIG_IGN)), Err(Errno::EINVAL));
        assert_eq!(actions.effect(SIGKILL), Effect::Ends);
    }

    #[test]
    fn exec_forgets_handlers_only() {
        let mut actions = Actions::new();
        actions.set(SIGINT, action(SIG_IGN)).unwrap();
        actions.set(SIGTERM, action(0x1000)).unwrap();
        actions.exec();
        assert_eq!(actions.get(SIGINT).handler, SIG_IGN);
        assert_eq!(actions.get(SIGTERM).handler, SIG_DFL);
    }
}
