//! The terminal: the serial console with its line discipline.
//!
//! Input: the interrupt marks that bytes wait ([`input`]) and wakes the
//! console's thread ([`serve`]), which feeds them to the line discipline,
//! echoes, and sends signals, with everything that may take locks outside the
//! interrupt. A spin lock guards the discipline; no user memory is touched
//! under it. Sleeping locks make each read and each write one piece.

use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use abi::Errno;
use abi::file::{POLLIN, POLLOUT};
use abi::signal::{SIGTTIN, SIGTTOU};
use abi::tty::*;
use sync::{Mutex, SpinLock, WaitError, WaitQueue, rank};

use super::line::{Event, Line};
use super::output::process_output;
use crate::files::buffer::{Sink, Source};
use crate::files::hooks;
use crate::files::hooks::Terminal;
use crate::files::open_file::{Description, Operations};
use crate::files::watch::Watchers;
use crate::memory::user;

/// Bytes moved between user and terminal at a time.
const PORTION: usize = 256;
/// VTIME counts tenths of a second.
const TENTH: u64 = 100_000_000;

struct Console {
    line: SpinLock<Line, rank::Tty>,
    reading: Mutex<(), rank::TtyRead>,
    writing: Mutex<(), rank::TtyWrite>,
    readers: WaitQueue<(), rank::ThreadQueue>,
    /// Bytes have arrived that the console's thread has not seen.
    arrived: AtomicBool,
    /// The console's thread; woken by the interrupt.
    server: WaitQueue,
    /// The session whose terminal it is; 0 if nobody's.
    session: AtomicUsize,
    /// The process group that keys send signals to; 0 for none.
    foreground: AtomicUsize,
    /// [`WindowSize`] in its bytes.
    window: AtomicU64,
    /// Readers tell the host that they wait; see [`pace`].
    paced: AtomicBool,
    /// The host was told, and has sent nothing since.
    told: AtomicBool,
    watchers: Watchers,
}

static CONSOLE: Console = Console {
    line: SpinLock::new(Line::new()),
    reading: Mutex::new(()),
    writing: Mutex::new(()),
    readers: WaitQueue::new(),
    arrived: AtomicBool::new(false),
    server: WaitQueue::new(),
    session: AtomicUsize::new(0),
    foreground: AtomicUsize::new(0),
    window: AtomicU64::new(0),
    paced: AtomicBool::new(false),
    told: AtomicBool::new(false),
    watchers: Watchers::new(),
};

/// Bytes wait in the machine's receive ring. Called from the interrupt.
pub fn input() {
    CONSOLE.arrived.store(true, Ordering::Release);
    CONSOLE.server.wake_one();
}

/// What the console's thread does for ever.
pub fn serve() -> ! {
    loop {
        let arrived = || CONSOLE.arrived.swap(false, Ordering::Acquire).then_some(());
        CONSOLE.server.wait_until(arrived);
        while let Some(byte) = machine::console::read() {
            CONSOLE.key(byte);
        }
    }
}

/// From now on a reader that finds nothing says so on the log, for a host that
/// sends a file instead of keys: what it sends before anyone listens is lost,
/// and so is what it sends faster than programs read.
pub fn pace() {
    CONSOLE.paced.store(true, Ordering::Relaxed);
}

impl Console {
    /// Before the running process reads (SIGTTIN) or changes (SIGTTOU) the
    /// terminal: EINTR or EIO if another process group is in front.
    fn check_foreground(&self, signal: u32) -> Result<(), Errno> {
        let terminal = Terminal {
            session: self.session.load(Ordering::Relaxed),
            foreground: self.foreground.load(Ordering::Relaxed),
        };
        match hooks::get() {
            Some(hooks) if terminal.session != 0 => hooks.check_terminal(terminal, signal),
            _ => Ok(()),
        }
    }

    /// tcsetpgrp(3): the first process of a session takes the terminal along;
    /// ENOTTY for others of a session whose terminal it is not.
    fn set_foreground(&self, group: usize) -> Result<(), Errno> {
        let session = hooks::get().map(|hooks| hooks.session());
        if let Some(session) = session {
            match session.id == self.session.load(Ordering::Relaxed) {
                true => self.check_foreground(SIGTTOU)?,
                false if session.leads => self.session.store(session.id, Ordering::Relaxed),
                false => return Err(Errno::ENOTTY),
            }
        }
        self.foreground.store(group, Ordering::Relaxed);
        Ok(())
    }

    /// Tells the host that a reader finds nothing, once for all it has sent.
    fn tell_host(&self) {
        if self.paced.load(Ordering::Relaxed) && !self.told.swap(true, Ordering::Relaxed) {
            machine::log::line(format_args!("weft: input wanted"));
        }
    }

    fn key(&self, byte: u8) {
        self.told.store(false, Ordering::Relaxed);
        let mut line = self.line.lock();
        let modes = line.modes();
        let event = line.input(byte, &mut |bytes| {
            process_output(&modes, bytes, &mut |part| machine::console::write(part));
        });
        drop(line);
        match event {
            None => {}
            Some(Event::Readable) => {
                self.readers.wake_all();
                self.watchers.notify(POLLIN);
            }
            Some(Event::Signal(signal)) => {
                let group = self.foreground.load(Ordering::Relaxed);
                if let (Some(hooks), true) = (hooks::get(), group != 0) {
                    hooks.signal_group(group, signal);
                }
            }
            Some(Event::ListThreads) => {
                if let Some(hooks) = hooks::get() {
                    hooks.list_threads();
                }
            }
        }
    }

    fn readable(&self, wanted: usize) -> bool {
        self.line.lock().readable(wanted)
    }

    fn read(&self, nonblocking: bool, into: &mut Sink<'_>) -> Result<usize, Errno> {
        let wanted = into.remaining();
        if wanted == 0 {
            return Ok(0);
        }
        loop {
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

    /// Sleeps until there is something to read; false if VTIME is over and the
    /// read is to return what there is.
    fn wait(&self, nonblocking: bool, wanted: usize) -> Result<bool, Errno> {
        self.tell_host();
        if nonblocking {
            return Err(Errno::EAGAIN);
        }
        let modes = self.line.lock().modes();
        let timed = modes.lflag & ICANON == 0 && modes.cc[VMIN] == 0;
        let time = u64::from(modes.cc[VTIME]) * TENTH;
        if timed && time == 0 {
            return Ok(false);
        }
        let deadline = timed.then(|| machine::time::now() + time);
        let ready = || self.readable(wanted).then_some(());
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
            if taken < bytes.len() || into.remaining() == 0 || bytes.is_empty() {
                return done;
            }
            if editing && line_ends {
                return done;
            }
        }
    }

    fn write(&self, from: &mut Source<'_>) -> usize {
        let _writing = self.writing.lock();
        let modes = self.line.lock().modes();
        let mut done = 0;
        loop {
            let mut portion = [0; PORTION];
            let count = from.take(&mut portion);
            process_output(&modes, &portion[..count], &mut |part| {
                machine::console::write(part);
            });
            done += count;
            if count < PORTION {
                return done;
            }
        }
    }

    fn set_modes(&self, modes: Termios, flush: bool) {
        let mut line = self.line.lock();
        if flush {
            line.flush();
        }
        line.set_modes(modes);
        drop(line);
        // More may be readable under the new modes.
        self.readers.wake_all();
        self.watchers.notify(POLLIN);
    }

    fn ioctl(&self, request: usize, argument: usize) -> Result<(), Errno> {
        match request {
            TCGETS => user::write_value(argument, &self.line.lock().modes()),
            TCSETS | TCSETSW | TCSETSF => {
                self.check_foreground(SIGTTOU)?;
                self.set_modes(user::read_value(argument)?, request == TCSETSF);
                Ok(())
            }
            TCSBRK => Ok(()),
            TCFLSH => match argument {
                TCIFLUSH | TCIOFLUSH => {
                    self.line.lock().flush();
                    Ok(())
                }
                TCOFLUSH => Ok(()),
                _ => Err(Errno::EINVAL),
            },
            TIOCSCTTY => Ok(()),
            TIOCGPGRP => {
                let group = self.foreground.load(Ordering::Relaxed) as i32;
                user::write_value(argument, &group)
            }
            TIOCSPGRP => {
                let group: i32 = user::read_value(argument)?;
                self.set_foreground(usize::try_from(group).map_err(|_| Errno::EINVAL)?)
            }
            TIOCGWINSZ => user::write_value(argument, &self.window.load(Ordering::Relaxed)),
            TIOCSWINSZ => {
                self.window
                    .store(user::read_value(argument)?, Ordering::Relaxed);
                Ok(())
            }
            FIONREAD => {
                let available = self.line.lock().available() as i32;
                user::write_value(argument, &available)
            }
            _ => Err(Errno::ENOTTY),
        }
    }
}

// The window's size is kept and copied as its eight bytes.
const _: () = assert!(size_of::<WindowSize>() == size_of::<u64>());

/// An open file on the console.
pub struct ConsoleFile;

impl Operations for ConsoleFile {
    fn read(&self, open: &Description, into: &mut Sink<'_>) -> Result<usize, Errno> {
        CONSOLE.read(open.nonblocking(), into)
    }

    fn write(&self, _open: &Description, from: &mut Source<'_>) -> Result<usize, Errno> {
        Ok(CONSOLE.write(from))
    }

    fn ready(&self, _open: &Description) -> i16 {
        match CONSOLE.readable(1) {
            true => POLLIN | POLLOUT,
            false => {
                CONSOLE.tell_host();
                POLLOUT
            }
        }
    }

    fn watchers(&self) -> Option<&Watchers> {
        Some(&CONSOLE.watchers)
    }

    fn ioctl(&self, _open: &Description, request: usize, argument: usize) -> Result<usize, Errno> {
        CONSOLE.ioctl(request, argument).map(|()| 0)
    }
}
