//! Whose terminal it is: the session that has it, and the process group in front.
//!
//! A session has one terminal, but it may have another one that is hung up, whose
//! foreground group is still told when the session ends. A spin lock is held while
//! a session takes a terminal, so that it takes one only and nobody else takes the
//! same.

use alloc::sync::Arc;
use core::sync::atomic::Ordering::Relaxed;

use abi::Errno;
use abi::signal::{SIGCONT, SIGHUP, SIGTTOU};
use sync::{SpinLock, rank};

use super::{Port, Terminal};
use crate::device::{console, pty};
use crate::files::hooks;

static OWNER: SpinLock<(), rank::TerminalOwner> = SpinLock::new(());

/// The terminal of the running process's session, which counts it as opened: ENXIO if
/// it has none.
pub fn own() -> Result<Arc<Terminal>, Errno> {
    let session = hooks::get().map_or(0, |hooks| hooks.session().id);
    let terminal = of_session(session).ok_or(Errno::ENXIO)?;
    terminal.port.opened();
    Ok(terminal)
}

fn of_session(session: usize) -> Option<Arc<Terminal>> {
    find(|terminal| terminal.is_of(session) && !terminal.is_hung_up())
}

fn find(wanted: impl Fn(&Terminal) -> bool) -> Option<Arc<Terminal>> {
    let console = console::terminal();
    match wanted(&*console) {
        true => Some(console),
        false => pty::find(|terminal| wanted(terminal)),
    }
}

/// The first process of `session` has ended, or gives the terminal up.
pub fn session_ended(session: usize) {
    while let Some(terminal) = find(|terminal| terminal.is_of(session)) {
        terminal.leave(terminal.is_hung_up());
    }
}

impl<P: Port + ?Sized> Terminal<P> {
    fn is_of(&self, session: usize) -> bool {
        session != 0 && self.session.load(Relaxed) == session
    }

    /// The session that has it, and the process group in front; 0 for none.
    pub fn owner(&self) -> (usize, usize) {
        (self.session.load(Relaxed), self.foreground.load(Relaxed))
    }

    /// Whether some session has it.
    pub fn is_taken(&self) -> bool {
        self.owner().0 != 0
    }

    /// Whether it is the terminal of the running process. Before there are processes,
    /// it is everybody's.
    pub(super) fn is_own(&self) -> bool {
        hooks::get().is_none_or(|hooks| self.is_of(hooks.session().id))
    }

    /// The running process becomes the owner with its session, if it began that, it has
    /// no terminal, and nobody has this one: EPERM.
    pub fn take_control(&self) -> Result<(), Errno> {
        let Some(session) = hooks::get().map(|hooks| hooks.session()) else {
            return Ok(());
        };
        let _owner = OWNER.lock();
        if self.is_of(session.id) {
            return Ok(());
        }
        if !session.leads || self.is_taken() || of_session(session.id).is_some() {
            return Err(Errno::EPERM);
        }
        self.foreground.store(session.group, Relaxed);
        self.session.store(session.id, Relaxed);
        Ok(())
    }

    /// Nobody's from now on. Who is in front is told; and goes on, if `goes_on`.
    fn leave(&self, goes_on: bool) {
        let foreground = self.foreground.swap(0, Relaxed);
        self.session.store(0, Relaxed);
        self.port.given_up();
        if let (Some(hooks), true) = (hooks::get(), foreground != 0) {
            hooks.signal_group(foreground, SIGHUP);
            if goes_on {
                hooks.signal_group(foreground, SIGCONT);
            }
        }
    }

    /// TIOCNOTTY: ENOTTY if it is not the caller's.
    pub(super) fn give_up(&self) -> Result<(), Errno> {
        if !self.is_own() {
            return Err(Errno::ENOTTY);
        }
        if hooks::get().is_some_and(|hooks| hooks.session().leads) {
            self.leave(true);
        }
        Ok(())
    }

    /// Before the running process reads (SIGTTIN) or changes (SIGTTOU) the
    /// terminal: EINTR or EIO if another process group is in front.
    pub(super) fn check_foreground(&self, signal: u32) -> Result<(), Errno> {
        let (session, foreground) = self.owner();
        let terminal = hooks::Terminal {
            session,
            foreground,
        };
        match hooks::get() {
            Some(hooks) if terminal.session != 0 => hooks.check_terminal(terminal, signal),
            _ => Ok(()),
        }
    }

    pub(super) fn signal_foreground(&self, signal: u32) {
        let group = self.foreground.load(Relaxed);
        if let (Some(hooks), true) = (hooks::get(), group != 0) {
            hooks.signal_group(group, signal);
        }
    }

    /// For tcgetsid(3) and tcgetpgrp(3): ENOTTY if it is not the caller's.
    pub(super) fn as_owner(&self) -> Result<(usize, usize), Errno> {
        match self.is_own() {
            true => Ok(self.owner()),
            false => Err(Errno::ENOTTY),
        }
    }

    /// tcsetpgrp(3): ENOTTY if it is not the caller's, ESRCH, EPERM.
    pub(super) fn set_foreground(&self, group: i32) -> Result<(), Errno> {
        self.check_foreground(SIGTTOU)
            .map_err(|error| match error {
                Errno::EIO => Errno::ENOTTY,
                error => error,
            })?;
        if !self.is_own() {
            return Err(Errno::ENOTTY);
        }
        let group = usize::try_from(group).map_err(|_| Errno::EINVAL)?;
        if let Some(hooks) = hooks::get() {
            hooks.check_group(group, self.session.load(Relaxed))?;
        }
        self.foreground.store(group, Relaxed);
        Ok(())
    }
}
