//! Restartable sequences (rseq(2); Linux's `include/uapi/linux/rseq.h`).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Takes the registration back.
pub const RSEQ_FLAG_UNREGISTER: u32 = 1;

/// What `cpu_id` says while nothing is registered.
pub const RSEQ_CPU_ID_UNINITIALIZED: u32 = u32::MAX;

/// What a thread registers.
#[repr(C, align(32))]
#[derive(Clone, Copy, Debug, FromBytes, Immutable, KnownLayout)]
pub struct RseqArea {
    /// The CPU, always the number of one.
    pub cpu_id_start: u32,
    /// The CPU, or that there is no registration.
    pub cpu_id: u32,
    /// The address of a [`RseqSequence`] that the thread is in, or 0.
    pub sequence: u64,
    pub flags: u32,
    pub node_id: u32,
    pub memory_map_cid: u32,
    pub unused: u32,
}

/// Code that is not gone on with after an interruption.
#[repr(C, align(32))]
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct RseqSequence {
    pub version: u32,
    pub flags: u32,
    /// Of its first instruction.
    pub start: u64,
    /// Bytes up to behind the instruction that commits.
    pub length: u64,
    /// Where to go on instead.
    pub abort: u64,
}
