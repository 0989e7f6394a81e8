//! `/dev/null`, `/dev/zero`, `/dev/full`, and `/dev/random` and `/dev/urandom`,
//! which are the same. No state, no locks.

use abi::Errno;
use abi::file::{POLLIN, POLLOUT};

use crate::files::buffer::{Sink, Source};
use crate::files::open_file::{Description, Operations, Whence};

/// Empty to read; takes every write.
pub struct Null;

/// Endless zeros; takes every write.
pub struct Zero;

/// Endless zeros; has no room for any write.
pub struct Full;

/// Endless random bytes; takes every write.
pub struct Random;

/// As getrandom(2), at least 256 bytes at a time.
fn random(into: &mut Sink<'_>) -> Result<usize, Errno> {
    let mut count = 0;
    while into.remaining() > 0 {
        let put = into.put(&crate::random::bytes::<256>());
        count += put;
        if put < 256 {
            break;
        }
    }
    Ok(count)
}

fn zeros(into: &mut Sink<'_>) -> Result<usize, Errno> {
    Ok(into.put_zeros(into.remaining()))
}

macro_rules! memory_device {
    ($device:ident, read: $read:expr, write: $write:expr) => {
        impl Operations for $device {
            fn read(&self, _open: &Description, into: &mut Sink<'_>) -> Result<usize, Errno> {
                $read(into)
            }

            fn write(&self, _open: &Description, from: &mut Source<'_>) -> Result<usize, Errno> {
                $write(from)
            }

            fn read_at(
                &self,
                _open: &Description,
                _offset: u64,
                into: &mut Sink<'_>,
            ) -> Result<usize, Errno> {
                $read(into)
            }

            fn write_at(
                &self,
                _open: &Description,
                _offset: u64,
                from: &mut Source<'_>,
            ) -> Result<usize, Errno> {
                $write(from)
            }

            /// There is no place to go to, and no error in it.
            fn seek(&self, _open: &Description, _by: i64, _whence: Whence) -> Result<u64, Errno> {
                Ok(0)
            }

            fn ready(&self, _open: &Description) -> i16 {
                POLLIN | POLLOUT
            }
        }
    };
}

memory_device!(Null, read: |_: &mut Sink<'_>| Ok(0), write: |from: &mut Source<'_>| Ok(from.skip_all()));
memory_device!(Zero, read: zeros, write: |from: &mut Source<'_>| Ok(from.skip_all()));
memory_device!(Random, read: random, write: |from: &mut Source<'_>| Ok(from.skip_all()));
memory_device!(Full, read: zeros, write: |_: &mut Source<'_>| Err(Errno::ENOSPC));
