//! The user's terminal while the guest has it: every key goes to the guest at
//! once, Ctrl-C included. It is set back as it was in every case: when the guest
//! ends, when the tool fails, and when a signal ends the tool.

use std::io::{IsTerminal, stdin};
use std::sync::Mutex;

use rustix::termios::{
    InputModes, LocalModes, OptionalActions, Termios, isatty, tcgetattr, tcgetpgrp, tcsetattr,
};

/// How the terminal was before the guest had it.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// The terminal is the guest's until this is dropped.
pub struct Lent;

/// Hands the terminal of the standard input to the guest; None if it is no terminal.
pub fn lend() -> Option<Lent> {
    let stdin = stdin();
    let before = tcgetattr(&stdin).ok()?;
    let mut raw = before.clone();
    raw.local_modes -=
        LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN;
    raw.input_modes -= InputModes::ICRNL
        | InputModes::INLCR
        | InputModes::IGNCR
        | InputModes::IXON
        | InputModes::BRKINT
        | InputModes::ISTRIP;
    // Output stays as it is, so that the kernel log's line ends look right.
    if let Ok(mut slot) = BEFORE.lock() {
        *slot = Some(before);
    }
    tcsetattr(&stdin, OptionalActions::Drain, &raw).ok()?;
    Some(Lent)
}

/// Sets the terminal back as it was, if it was lent.
pub fn restore() {
    let before = BEFORE.lock().ok().and_then(|mut slot| slot.take());
    if let Some(before) = before {
        // There is nothing left to do if the terminal has gone away.
        tcsetattr(stdin(), OptionalActions::Drain, &before).ok();
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        restore();
    }
}

/// Whether the standard input can be read: a job in the background that reads
/// from the terminal would be stopped.
pub fn readable() -> bool {
    let stdin = stdin();
    if !stdin.is_terminal() || !isatty(&stdin) {
        return true;
    }
    tcgetpgrp(&stdin).is_ok_and(|group| group == rustix::process::getpgrp())
}
