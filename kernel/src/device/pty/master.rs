//! The master: reads what programs write to the slave, and writes what they read.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use abi::Errno;
use abi::file::{POLLHUP, POLLIN, POLLOUT};
use abi::tty::*;

use super::{Pair, Slave, table};
use crate::device::terminal::PORTION;
use crate::files::buffer::{Sink, Source};
use crate::files::hooks;
use crate::files::inode::{Inode, Owner};
use crate::files::open_file::{Description, File, Operations};
use crate::files::watch::Watchers;
use crate::memory::user;

/// An open master, by which the pair lives.
pub struct Master(Arc<Slave>);

impl Master {
    /// Makes a pair, whose slave is the caller's: ENOSPC, ENOMEM.
    pub fn open(inode: Arc<dyn Inode>, flags: u32) -> Result<Arc<File>, Errno> {
        let owner = hooks::get().map_or(Owner::ROOT, |hooks| hooks.file_owner());
        File::new(inode, flags, Master(table::make(owner)?))
    }

    /// TIOCGPTPEER: the slave, without a look at its name.
    pub fn open_peer(&self, flags: u32) -> Result<Arc<File>, Errno> {
        self.0.clone().open_slave(flags)
    }

    fn pair(&self) -> &Pair {
        self.0.port()
    }

    /// Moves what is there to the reader.
    fn drain(&self, into: &mut Sink<'_>) -> usize {
        let pair = self.pair();
        let _reading = pair.reading.lock();
        let mut done = 0;
        loop {
            let mut portion = [0; PORTION];
            let room = into.remaining().min(PORTION);
            let count = pair.output.lock().peek(&mut portion[..room]);
            let taken = into.put(&portion[..count]);
            pair.output.lock().consume(taken);
            done += taken;
            if taken < PORTION {
                break;
            }
        }
        if done > 0 {
            pair.writers.wake_all();
            self.0.tell_writers();
        }
        done
    }

    fn flush(&self, which: usize) -> Result<(), Errno> {
        if !matches!(which, TCIFLUSH | TCOFLUSH | TCIOFLUSH) {
            return Err(Errno::EINVAL);
        }
        if which != TCOFLUSH {
            self.pair().output.lock().consume(usize::MAX);
            self.pair().writers.wake_all();
            self.0.tell_writers();
        }
        if which != TCIFLUSH {
            self.0.flush_input();
        }
        Ok(())
    }
}

impl Drop for Master {
    fn drop(&mut self) {
        let pair = self.pair();
        pair.has_master.store(false, Ordering::Release);
        pair.writers.wake_all();
        self.0.hang_up();
        table::settle(pair);
    }
}

impl Operations for Master {
    fn read(&self, open: &Description, into: &mut Sink<'_>) -> Result<usize, Errno> {
        let pair = self.pair();
        if into.remaining() == 0 {
            return Ok(0);
        }
        loop {
            // Asked first, for the last one writes before it goes.
            let is_left = pair.is_left();
            let count = self.drain(into);
            if count > 0 || into.faulted() {
                return Ok(count);
            }
            if is_left {
                return Err(Errno::EIO);
            }
            if open.nonblocking() {
                return Err(Errno::EAGAIN);
            }
            let ready = || (pair.has_output() || pair.is_left()).then_some(());
            let waited = pair.readers.wait_interruptible(ready, None);
            waited.map_err(|_| Errno::EINTR)?;
        }
    }

    fn write(&self, open: &Description, from: &mut Source<'_>) -> Result<usize, Errno> {
        let pair = self.pair();
        let mut done = 0;
        while from.remaining() > 0 && !from.faulted() {
            let writing = pair.writing.lock();
            let mut portion = [0; PORTION];
            let room = self.0.input_room().min(PORTION);
            let count = from.take(&mut portion[..room]);
            self.0.receive(&portion[..count]);
            drop(writing);
            done += count;
            if room > 0 {
                continue;
            }
            let error = match open.nonblocking() {
                true => Errno::EAGAIN,
                false => {
                    let ready = || (self.0.input_room() > 0).then_some(());
                    match pair.senders.wait_interruptible(ready, None) {
                        Ok(()) => continue,
                        Err(_) => Errno::EINTR,
                    }
                }
            };
            return match done {
                0 => Err(error),
                _ => Ok(done),
            };
        }
        Ok(done)
    }

    fn ready(&self, _open: &Description) -> i16 {
        let pair = self.pair();
        let mut ready = 0;
        if pair.has_output() {
            ready |= POLLIN;
        }
        if pair.is_left() {
            ready |= POLLHUP;
        }
        if self.0.input_room() > 0 {
            ready |= POLLOUT;
        }
        ready
    }

    fn watchers(&self) -> Option<&Watchers> {
        Some(&self.pair().watchers)
    }

    fn ioctl(&self, _open: &Description, request: usize, argument: usize) -> Result<usize, Errno> {
        let pair = self.pair();
        match request {
            TIOCGPTN => user::write_value(argument, &pair.number)?,
            TIOCSPTLCK => {
                let lock: i32 = user::read_value(argument)?;
                pair.locked.store(lock != 0, Ordering::Relaxed);
            }
            TIOCGPTLCK => {
                let locked = pair.locked.load(Ordering::Relaxed);
                user::write_value(argument, &i32::from(locked))?;
            }
            TCFLSH => self.flush(argument)?,
            FIONREAD => user::write_value(argument, &(pair.output.lock().used() as i32))?,
            TIOCOUTQ => user::write_value(argument, &0i32)?,
            TIOCGPGRP => user::write_value(argument, &(self.0.owner().1 as i32))?,
            TIOCGSID => match self.0.owner() {
                (0, _) => return Err(Errno::ENOTTY),
                (session, _) => user::write_value(argument, &(session as i32))?,
            },
            _ => self.0.common_ioctl(request, argument)?,
        }
        Ok(0)
    }
}
