//! Scheduling policies and priorities (sched(7)).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub const SCHED_OTHER: u32 = 0;
pub const SCHED_FIFO: u32 = 1;
pub const SCHED_RR: u32 = 2;
pub const SCHED_BATCH: u32 = 3;
pub const SCHED_IDLE: u32 = 5;
pub const SCHED_DEADLINE: u32 = 6;
/// With one of these: children start as ordinary threads.
pub const SCHED_RESET_ON_FORK: u32 = 0x4000_0000;

/// The greatest real-time priority; the least is 1.
pub const PRIORITY_MAX: u8 = 99;

pub const SCHED_FLAG_RESET_ON_FORK: u64 = 1;
pub const SCHED_FLAG_KEEP_POLICY: u64 = 8;
pub const SCHED_FLAG_KEEP_PARAMS: u64 = 16;

/// `struct sched_attr` (sched_setattr(2)).
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct SchedAttr {
    pub size: u32,
    pub policy: u32,
    pub flags: u64,
    pub nice: i32,
    pub priority: u32,
    pub runtime: u64,
    pub deadline: u64,
    pub period: u64,
    pub util_min: u32,
    pub util_max: u32,
}

impl SchedAttr {
    /// The size of its first version.
    pub const SIZE_FIRST: usize = 48;
}

const _: () = assert!(size_of::<SchedAttr>() == 56);

/// Whom getpriority(2) and setpriority(2) mean.
pub const PRIO_PROCESS: u32 = 0;
pub const PRIO_PGRP: u32 = 1;
pub const PRIO_USER: u32 = 2;

/// The bounds of nice values.
pub const NICE_MIN: i8 = -20;
pub const NICE_MAX: i8 = 19;
