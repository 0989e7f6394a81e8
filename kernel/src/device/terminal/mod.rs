//! A terminal: the line discipline between programs and what is on the other
//! side, a [`Port`], which is the serial console or the master of a
//! pseudo-terminal.
//!
//! `control` says who may use it, `ioctl` has its calls, [`TerminalFile`] is an
//! open file on it. A spin lock guards the discipline; no user memory is touched
//! under it. Sleeping locks make each read and each portion that is written one
//! piece.

mod control;
mod file;
mod ioctl;

pub use control::{own, session_ended};
pub use file::TerminalFile;

use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use abi::Errno;
use abi::file::{POLLERR, POLLHUP, POLLIN, POLLOUT};
use abi::signal::{SIGCONT, SIGHUP, SIGTTIN, SIGTTOU};
use abi::tty::*;
use sync::{Mutex, SpinLock, WaitError, WaitQueue, rank};

use super::line::{Event, Line};
use super::output::process_output;
use crate::files::buffer::{Sink, Source};
use crate::files::hooks;
use crate::files::watch::Watchers;

/// Bytes moved between user and terminal at a time.
pub const PORTION: usize = 256;
/// VTIME counts tenths of a second.
const TENTH: u64 = 100_000_000;

/// The other side of a terminal.
pub trait Port: Send + Sync + 'static {
    /// Takes what is to be shown of the input. It is called with the discipline
    /// locked, so it does not wait; what finds no room is lost.
    fn echo(&self, bytes: &[u8]);

    /// There may be something echoed.
    fn echoed(&self) {}

    /// Takes of what a program writes as much as there is room for; how much.
    fn write(&self, modes: &Termios, from: &mut Source<'_>) -> usize;

    fn has_room(&self) -> bool {
        true
    }

    /// Sleeps until there is room or the terminal is hung up. EINTR.
    fn wait_for_room(&self) -> Result<(), Errno> {
        Ok(())
    }

    /// A reader finds nothing.
    fn input_wanted(&self) {}

    /// There may be room for input.
    fn input_taken(&self) {}

    /// A program has opened or closed the terminal.
    fn opened(&self) {}
    fn closed(&self) {}

    /// The session that had the terminal has it no more.
    fn given_up(&self) {}
}

/// See the module.
pub struct Terminal<P: Port + ?Sized = dyn Port> {
    line: SpinLock<Line, rank::Tty>,
    reading: Mutex<(), rank::TtyRead>,
    writing: Mutex<(), rank::TtyWrite>,
    readers: WaitQueue<(), rank::ThreadQueue>,
    /// The session whose terminal it is; 0 if nobody's.
    session: AtomicUsize,
    /// The process group that keys send signals to; 0 for none.
    foreground: AtomicUsize,
    /// [`WindowSize`] in its bytes.
    window: AtomicU64,
    /// The other side has gone, for good.
    hung_up: AtomicBool,
    watchers: Watchers,
    port: P,
}

impl<P: Port> Terminal<P> {
    pub fn new(line: Line, port: P) -> Terminal<P> {
        Terminal {
            line: SpinLock::new(line),
            reading: Mutex::new(()),
            writing: Mutex::new(()),
            readers: WaitQueue::new(),
            session: AtomicUsize::new(0),
            foreground: AtomicUsize::new(0),
            window: AtomicU64::new(0),
            hung_up: AtomicBool::new(false),
            watchers: Watchers::new(),
            port,
        }
    }
}

impl<P: Port + ?Sized> Terminal<P> {
    pub fn port(&self) -> &P {
        &self.port
    }

    fn modes(&self) -> Termios {
        self.line.lock().modes()
    }

    pub fn is_hung_up(&self) -> bool {
        self.hung_up.load(Ordering::Acquire)
    }

    /// How many bytes [`Terminal::receive`] takes now without losing any.
    pub fn input_room(&self) -> usize {
        self.line.lock().room()
    }

    /// Takes input from the other side.
    pub fn receive(&self, bytes: &[u8]) {
        let mut rest = bytes.iter();
        while rest.len() > 0 {
            let mut readable = false;
            let mut line = self.line.lock();
            let event = rest.by_ref().find_map(|&byte| {
                let modes = line.modes();
                let mut echo = |shown: &[u8]| {
                    process_output(&modes, shown, &mut |part| self.port.echo(part));
                };
                let event = line.input(byte, &mut echo);
                readable |= event == Some(Event::Readable);
                event.filter(|&event| event != Event::Readable)
            });
            drop(line);
            self.port.echoed();
            if readable {
                self.tell_readers();
            }
            if let Some(event) = event {
                self.act(event);
            }
        }
    }

    fn act(&self, event: Event) {
        match (event, hooks::get()) {
            (Event::Signal(signal), _) => self.signal_foreground(signal),
            (Event::ListThreads, Some(hooks)) => hooks.list_threads(),
            _ => {}
        }
    }

    fn tell_readers(&self) {
        self.readers.wake_all();
        self.watchers.notify(POLLIN);
    }

    /// The other side has room for output again.
    pub fn tell_writers(&self) {
        self.watchers.notify(POLLOUT);
    }

    /// Forgets what was typed.
    pub fn flush_input(&self) {
        self.line.lock().flush();
        self.port.input_taken();
    }

    /// The other side goes: from now on there is nothing to read, and nothing to
    /// write to. The session's first process is told.
    pub fn hang_up(&self) {
        self.hung_up.store(true, Ordering::Release);
        self.readers.wake_all();
        self.watchers.notify(POLLIN | POLLOUT | POLLERR | POLLHUP);
        let session = self.session.load(Ordering::Relaxed);
        if let (Some(hooks), true) = (hooks::get(), session != 0) {
            hooks.signal_leader(session, SIGHUP);
            hooks.signal_leader(session, SIGCONT);
        }
    }

    fn readable(&self, wanted: usize) -> bool {
        self.line.lock().readable(wanted)
    }

    fn ready(&self) -> i16 {
        if self.is_hung_up() {
            return POLLIN | POLLOUT | POLLERR | POLLHUP;
        }
        let mut ready = 0;
        match self.line.lock().ready() {
            true => ready |= POLLIN,
            false => self.port.input_wanted(),
        }
        if self.port.has_room() {
            ready |= POLLOUT;
        }
        ready
    }

    fn read(&self, nonblocking: bool, into: &mut Sink<'_>) -> Result<usize, Errno> {
        if into.remaining() == 0 {
            return Ok(0);
        }
        // Who does not wait does not wait for more than there is, either.
        let wanted = if nonblocking { 1 } else { into.remaining() };
        loop {
            if self.is_hung_up() {
                return Ok(0);
            }
            self.check_foreground(SIGTTIN)?;
            // Taken anew for each try: a reader that sleeps must not keep a
            // peer that wants to be interrupted, or not to wait at all.
            let reading = self.reading.lock();
            if self.readable(wanted) {
                return Ok(self.take(into));
            }
            drop(reading);
            if !self.wait(nonblocking, wanted)? {
                let _reading = self.reading.lock();
                return Ok(self.take(into));
            }
        }
    }

    /// Sleeps until there is something to read or nobody to write it; false if VTIME
    /// is over and the read is to return what there is.
    fn wait(&self, nonblocking: bool, wanted: usize) -> Result<bool, Errno> {
        self.port.input_wanted();
        let modes = self.modes();
        let timed = modes.lflag & ICANON == 0 && modes.cc[VMIN] == 0;
        let time = u64::from(modes.cc[VTIME]) * TENTH;
        if timed && time == 0 {
            return Ok(false);
        }
        if nonblocking {
            return Err(Errno::EAGAIN);
        }
        let deadline = timed.then(|| machine::time::now() + time);
        let ready = || (self.readable(wanted) || self.is_hung_up()).then_some(());
        match self.readers.wait_interruptible(ready, deadline) {
            Ok(()) => Ok(true),
            Err(WaitError::TimedOut) => Ok(false),
            Err(WaitError::Interrupted) => Err(Errno::EINTR),
        }
    }

    /// Moves what is there to the reader. The read lock is held, so that what
    /// is peeked is still the first when it is consumed.
    fn take(&self, into: &mut Sink<'_>) -> usize {
        let mut done = 0;
        loop {
            let mut portion = [0; PORTION];
            let room = into.remaining().min(PORTION);
            let line = self.line.lock();
            let peeked = line.peek(&mut portion[..room]);
            let editing = line.modes().lflag & ICANON != 0;
            drop(line);
            let bytes = &portion[..peeked.bytes];
            let taken = into.put(bytes);
            self.line.lock().consume(peeked, taken);
            done += taken;
            let line_ends = bytes.len() < room || bytes.last() == Some(&b'\n');
            if taken < bytes.len()
                || into.remaining() == 0
                || bytes.is_empty()
                || editing && line_ends
            {
                self.port.input_taken();
                return done;
            }
        }
    }

    fn write(&self, nonblocking: bool, from: &mut Source<'_>) -> Result<usize, Errno> {
        if self.modes().lflag & TOSTOP != 0 {
            self.check_foreground(SIGTTOU)?;
        }
        let mut done = 0;
        let partial = |done, error| match done {
            0 => Err(error),
            _ => Ok(done),
        };
        while from.remaining() > 0 {
            if self.is_hung_up() {
                return partial(done, Errno::EIO);
            }
            // As in `read`.
            let writing = self.writing.lock();
            let count = self.port.write(&self.modes(), from);
            drop(writing);
            done += count;
            if from.faulted() {
                break;
            }
            if count > 0 {
                continue;
            }
            if nonblocking {
                return partial(done, Errno::EAGAIN);
            }
            if let Err(error) = self.port.wait_for_room() {
                return partial(done, error);
            }
        }
        Ok(done)
    }

    fn set_modes(&self, modes: Termios, flush: bool) {
        let mut line = self.line.lock();
        if flush {
            line.flush();
        }
        line.set_modes(modes);
        drop(line);
        // More may be readable under the new modes, and there may be more room.
        self.tell_readers();
        self.port.input_taken();
    }
}
