//! Redirections, for good in a child or for a while in the shell itself.

use crate::control::Place;
use crate::shell::Shell;
use alloc::ffi::CString;
use alloc::vec::Vec;
use user_bin::shell::expand;
use user_bin::shell::tree::*;
use weft::abi::file::*;
use weft::io::Text;
use weft::{Errno, file, process};

/// Makes the descriptors be what the redirections say; reports what fails.
pub fn apply(shell: &mut Shell, redirects: &[Redirect]) -> Result<(), Errno> {
    redirects.iter().try_for_each(|redirect| {
        let word = match &redirect.target {
            Target::Word(word) => Some(word),
            Target::Document(place) => place.get(),
        };
        let target = match word.map(|word| expand::single(word, shell)) {
            Some(Ok(target)) => target,
            Some(Err(error)) => {
                weft::eprintln!("sh: {error}");
                return Err(Errno::EINVAL);
            }
            None => Vec::new(),
        };
        let result = one(shell, redirect, &target);
        if let Err(error) = result {
            weft::eprintln!("sh: {}: {error}", Text(&target));
        }
        result
    })
}

fn one(shell: &mut Shell, redirect: &Redirect, target: &[u8]) -> Result<(), Errno> {
    let flags = match redirect.operator {
        Operator::Read => O_RDONLY,
        Operator::Write => O_WRONLY | O_CREAT | O_TRUNC,
        Operator::Append => O_WRONLY | O_CREAT | O_APPEND,
        Operator::ReadWrite => O_RDWR | O_CREAT,
        Operator::Duplicate => return duplicate(redirect.fd, target),
        Operator::Here { .. } => return document(shell, redirect.fd, target),
    };
    let name = CString::new(target).map_err(|_| Errno::ENOENT)?;
    move_to(file::open(&name, flags)?, redirect.fd)
}

fn duplicate(fd: i32, target: &[u8]) -> Result<(), Errno> {
    if target == b"-" {
        // To close what is closed is no failure.
        let _ = file::close(fd);
        return Ok(());
    }
    let number = core::str::from_utf8(target).ok();
    let number = number.and_then(|t| t.parse().ok()).ok_or(Errno::EBADF)?;
    if number == fd {
        return file::control(fd, F_GETFD, 0).map(drop);
    }
    file::dup2(number, fd).map(drop)
}

fn move_to(fd: i32, wanted: i32) -> Result<(), Errno> {
    if fd != wanted {
        file::dup2(fd, wanted)?;
        file::close(fd)?;
    }
    Ok(())
}

/// A text comes out of a pipe: a short one fits, a long one needs a writer.
fn document(shell: &mut Shell, fd: i32, text: &[u8]) -> Result<(), Errno> {
    let (read, write) = file::pipe()?;
    if text.len() <= PIPE_BUF {
        file::write_all(write, text)?;
        file::close(write)?;
        return move_to(read, fd);
    }
    match shell.fork(Place::default()) {
        Ok(None) => {
            let _ = file::close(read);
            let written = file::write_all(write, text);
            process::exit(written.is_err().into())
        }
        Ok(Some(_)) => {
            file::close(write)?;
            move_to(read, fd)
        }
        Err(_) => {
            let _ = file::close(read).and(file::close(write));
            Err(Errno::EAGAIN)
        }
    }
}

/// What the shell's own descriptors were, put back when dropped.
pub struct Saved(Vec<(i32, Option<i32>)>);

impl Saved {
    pub fn of(redirects: &[Redirect]) -> Saved {
        let copy = |fd| {
            file::control(fd, F_DUPFD_CLOEXEC, 10)
                .ok()
                .map(|copy| copy as i32)
        };
        Saved(redirects.iter().map(|r| (r.fd, copy(r.fd))).collect())
    }

    /// The redirections stay.
    pub fn forget(mut self) {
        for (_, copy) in self.0.drain(..) {
            let _ = copy.map(file::close);
        }
    }
}

impl Drop for Saved {
    fn drop(&mut self) {
        for (fd, copy) in self.0.drain(..).rev() {
            // A failure leaves the descriptor as the command had it.
            let _ = match copy {
                Some(copy) => file::dup2(copy, fd).and(file::close(copy)),
                None => file::close(fd),
            };
        }
    }
}
