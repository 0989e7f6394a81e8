//! Locks on files: fcntl(2), flock(2).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub const F_GETLK: usize = 5;
pub const F_SETLK: usize = 6;
pub const F_SETLKW: usize = 7;
pub const F_OFD_GETLK: usize = 36;
pub const F_OFD_SETLK: usize = 37;
pub const F_OFD_SETLKW: usize = 38;

pub const F_RDLCK: i16 = 0;
pub const F_WRLCK: i16 = 1;
pub const F_UNLCK: i16 = 2;

pub const LOCK_SH: usize = 1;
pub const LOCK_EX: usize = 2;
pub const LOCK_NB: usize = 4;
pub const LOCK_UN: usize = 8;

/// `struct flock` of x86-64.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct Flock {
    pub kind: i16,
    pub whence: i16,
    pub pad0: u32,
    pub start: i64,
    /// 0: up to the end, wherever that will be.
    pub length: i64,
    pub pid: i32,
    pub pad1: u32,
}

const _: () = assert!(size_of::<Flock>() == 32);
