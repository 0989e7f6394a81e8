//! Message queues of POSIX (mq_overview(7)).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Priorities are below this.
pub const MQ_PRIO_MAX: u32 = 32_768;

/// What is told through a socket by `SIGEV_THREAD`; its last byte says of what.
pub const NOTIFY_COOKIE_LEN: usize = 32;
/// A message has come; the request is gone.
pub const NOTIFY_WOKENUP: u8 = 1;
pub const NOTIFY_REMOVED: u8 = 2;

/// `struct mq_attr` (mq_getattr(3)).
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct MqAttr {
    pub flags: i64,
    /// How many messages there may be, and how long each.
    pub most: i64,
    pub size: i64,
    /// How many there are.
    pub count: i64,
    pub reserved: [i64; 4],
}

const _: () = assert!(size_of::<MqAttr>() == 64);
