//! Pseudo-terminals (pty(7)): a terminal, the slave, whose other side is a file
//! of another program, the master.
//!
//! Each open of `/dev/ptmx` makes a [`Pair`], which `table` finds by its number
//! while it is in use; `names` shows those with a master under `/dev/pts`.
//! `master` and `slave` are the two ends. The slave's output waits in a ring of
//! its own ([`Output`]), under a spin lock; its input is in the line discipline.

mod master;
mod names;
mod output;
mod slave;
mod table;

pub use master::Master;
pub use names::mount;
pub use slave::number_of;
pub use table::find;

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use abi::Errno;
use abi::file::{POLLHUP, POLLIN};
use abi::tty::Termios;
use sync::{Mutex, SpinLock, WaitQueue, rank};

use self::output::Output;
use super::output::process_output;
use super::terminal::{PORTION, Port, Terminal};
use crate::files::buffer::Source;
use crate::files::clock;
use crate::files::inode::Owner;
use crate::files::watch::Watchers;

type Queue = WaitQueue<(), rank::ThreadQueue>;

/// See the module.
pub struct Pair {
    number: u32,
    output: SpinLock<Output, rank::PtyOutput>,
    /// One read and one write of the master at a time.
    reading: Mutex<(), rank::TtyRead>,
    writing: Mutex<(), rank::TtyWrite>,
    /// The master's readers and writers, and the slave's writers.
    readers: Queue,
    senders: Queue,
    writers: Queue,
    /// The master's.
    watchers: Watchers,
    /// How often the slave is open, and whether it ever was.
    slaves: AtomicUsize,
    was_open: AtomicBool,
    has_master: AtomicBool,
    /// The slave cannot be opened.
    locked: AtomicBool,
    permissions: AtomicU32,
    user: AtomicU32,
    group: AtomicU32,
    made: u64,
}

impl Pair {
    fn new(number: u32, owner: Owner) -> Result<Pair, Errno> {
        Ok(Pair {
            number,
            output: SpinLock::new(Output::new()?),
            reading: Mutex::new(()),
            writing: Mutex::new(()),
            readers: Queue::new(),
            senders: Queue::new(),
            writers: Queue::new(),
            watchers: Watchers::new(),
            slaves: AtomicUsize::new(0),
            was_open: AtomicBool::new(false),
            has_master: AtomicBool::new(true),
            locked: AtomicBool::new(true),
            permissions: AtomicU32::new(0o620),
            user: AtomicU32::new(owner.user),
            group: AtomicU32::new(owner.group),
            made: clock::now(),
        })
    }

    fn has_master(&self) -> bool {
        self.has_master.load(Ordering::Acquire)
    }

    /// Whether all who had the slave open have closed it.
    fn is_left(&self) -> bool {
        self.was_open.load(Ordering::Acquire) && self.slaves.load(Ordering::Acquire) == 0
    }

    fn has_output(&self) -> bool {
        self.output.lock().used() > 0
    }

    fn tell_master(&self, what: i16) {
        self.readers.wake_all();
        self.watchers.notify(what);
    }
}

impl Port for Pair {
    fn echo(&self, bytes: &[u8]) {
        self.output.lock().echo(bytes);
    }

    fn echoed(&self) {
        if self.has_output() {
            self.tell_master(POLLIN);
        }
    }

    fn write(&self, modes: &Termios, from: &mut Source<'_>) -> usize {
        let mut done = 0;
        loop {
            // A newline may become two bytes. What is echoed meanwhile takes none of
            // the room, and others do not write.
            let room = self.output.lock().room() / 2;
            let mut portion = [0; PORTION];
            let count = from.take(&mut portion[..room.min(PORTION)]);
            if count == 0 {
                break;
            }
            let mut output = self.output.lock();
            process_output(modes, &portion[..count], &mut |part| output.push(part));
            drop(output);
            done += count;
        }
        if done > 0 {
            self.tell_master(POLLIN);
        }
        done
    }

    fn has_room(&self) -> bool {
        self.output.lock().room() >= 2
    }

    fn wait_for_room(&self) -> Result<(), Errno> {
        let ready = || (self.has_room() || !self.has_master()).then_some(());
        let waited = self.writers.wait_interruptible(ready, None);
        waited.map_err(|_| Errno::EINTR)
    }

    fn input_taken(&self) {
        self.senders.wake_all();
        self.watchers.notify(abi::file::POLLOUT);
    }

    fn opened(&self) {
        self.slaves.fetch_add(1, Ordering::AcqRel);
        self.was_open.store(true, Ordering::Release);
    }

    fn closed(&self) {
        if self.slaves.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.tell_master(POLLIN | POLLHUP);
            table::settle(self);
        }
    }

    fn given_up(&self) {
        table::settle(self);
    }
}

/// A slave with its master.
type Slave = Terminal<Pair>;
