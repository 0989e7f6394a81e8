//! What programs ask of a terminal besides reading and writing (ioctl_tty(2)).

use core::sync::atomic::Ordering::Relaxed;

use abi::Errno;
use abi::signal::{SIGTTOU, SIGWINCH};
use abi::tty::*;

use super::{Port, Terminal};
use crate::memory::user;

impl<P: Port + ?Sized> Terminal<P> {
    /// What a program asks that has the terminal open. EIO once it is hung up.
    pub(super) fn ioctl(&self, request: usize, argument: usize) -> Result<(), Errno> {
        match request {
            TIOCSPGRP if self.is_hung_up() => Err(Errno::ENOTTY),
            _ if self.is_hung_up() => Err(Errno::EIO),
            TCFLSH => match argument {
                TCIFLUSH | TCIOFLUSH => {
                    self.flush_input();
                    Ok(())
                }
                // What was written is with the other side.
                TCOFLUSH => Ok(()),
                _ => Err(Errno::EINVAL),
            },
            TIOCGPGRP => user::write_value(argument, &(self.as_owner()?.1 as i32)),
            TIOCGSID => user::write_value(argument, &(self.as_owner()?.0 as i32)),
            TIOCNOTTY => self.give_up(),
            TIOCOUTQ => user::write_value(argument, &0i32),
            FIONREAD => {
                let available = self.line.lock().available() as i32;
                user::write_value(argument, &available)
            }
            // Only a master has another end to open.
            TIOCGPTPEER => Err(Errno::EIO),
            _ => self.common_ioctl(request, argument),
        }
    }

    /// What the other side can ask, too.
    pub fn common_ioctl(&self, request: usize, argument: usize) -> Result<(), Errno> {
        match request {
            TCGETS => user::write_value(argument, &self.modes()),
            TCSETS | TCSETSW | TCSETSF => {
                self.check_foreground(SIGTTOU)?;
                self.set_modes(user::read_value(argument)?, request == TCSETSF);
                Ok(())
            }
            TCSBRK => Ok(()),
            TIOCSCTTY => self.take_control(),
            TIOCSPGRP => self.set_foreground(user::read_value(argument)?),
            TIOCGWINSZ => user::write_value(argument, &self.window.load(Relaxed)),
            TIOCSWINSZ => {
                let new = user::read_value(argument)?;
                if self.window.swap(new, Relaxed) != new {
                    self.signal_foreground(SIGWINCH);
                }
                Ok(())
            }
            _ => Err(Errno::ENOTTY),
        }
    }
}

// The window's size is kept and copied as its eight bytes.
const _: () = assert!(size_of::<WindowSize>() == size_of::<u64>());
