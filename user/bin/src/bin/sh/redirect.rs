//! Redirections, for good in a child or for a while in the shell itself.

use alloc::vec::Vec;
use user_bin::shell::lexer::Operator;
use user_bin::shell::parser::Redirect;
use weft::abi::file::*;
use weft::io::Text;
use weft::{Errno, file};

/// Makes the descriptors be what the redirections say; reports what fails.
pub fn apply(redirects: &[Redirect], status: u8) -> Result<(), Errno> {
    redirects.iter().try_for_each(|redirect| {
        let mut target = redirect.target.expand(status);
        let result = one(redirect, &mut target);
        if let Err(error) = result {
            target.pop_if(|last| *last == 0);
            weft::eprintln!("sh: {}: {error}", Text(&target));
        }
        result
    })
}

fn one(redirect: &Redirect, target: &mut Vec<u8>) -> Result<(), Errno> {
    let flags = match redirect.operator {
        Operator::Read => O_RDONLY,
        Operator::Write => O_WRONLY | O_CREAT | O_TRUNC,
        Operator::Append => O_WRONLY | O_CREAT | O_APPEND,
        Operator::Duplicate => {
            let number = core::str::from_utf8(target)
                .ok()
                .and_then(|t| t.parse().ok());
            return file::dup2(number.ok_or(Errno::EBADF)?, redirect.fd).map(drop);
        }
    };
    target.push(0);
    let name = core::ffi::CStr::from_bytes_with_nul(target).map_err(|_| Errno::ENOENT)?;
    let fd = file::open(name, flags)?;
    if fd != redirect.fd {
        file::dup2(fd, redirect.fd)?;
        file::close(fd)?;
    }
    Ok(())
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
        Saved(
            redirects
                .iter()
                .map(|r| (r.fd, copy(r.fd as _).filter(|_| r.fd >= 0)))
                .collect(),
        )
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
