//! Fast user-space locking (futex(2)).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub const FUTEX_WAIT: usize = 0;
pub const FUTEX_WAKE: usize = 1;
pub const FUTEX_REQUEUE: usize = 3;
pub const FUTEX_CMP_REQUEUE: usize = 4;
pub const FUTEX_WAKE_OP: usize = 5;
pub const FUTEX_LOCK_PI: usize = 6;
pub const FUTEX_UNLOCK_PI: usize = 7;
pub const FUTEX_TRYLOCK_PI: usize = 8;
pub const FUTEX_WAIT_BITSET: usize = 9;
pub const FUTEX_WAKE_BITSET: usize = 10;
pub const FUTEX_WAIT_REQUEUE_PI: usize = 11;
pub const FUTEX_CMP_REQUEUE_PI: usize = 12;
pub const FUTEX_LOCK_PI2: usize = 13;
pub const FUTEX_PRIVATE_FLAG: usize = 128;
pub const FUTEX_CLOCK_REALTIME: usize = 256;

/// Matches every waiter.
pub const FUTEX_BITSET_MATCH_ANY: u32 = u32::MAX;

/// In a lock's word: somebody waits in the kernel.
pub const FUTEX_WAITERS: u32 = 0x8000_0000;
/// In a lock's word: its owner ended without letting go.
pub const FUTEX_OWNER_DIED: u32 = 0x4000_0000;
/// In a lock's word: the owner's thread id.
pub const FUTEX_TID_MASK: u32 = 0x3fff_ffff;

/// What `FUTEX_WAKE_OP` makes of the second word (bits 28 to 30 of its code).
pub const FUTEX_OP_SET: u32 = 0;
pub const FUTEX_OP_ADD: u32 = 1;
pub const FUTEX_OP_OR: u32 = 2;
pub const FUTEX_OP_ANDN: u32 = 3;
pub const FUTEX_OP_XOR: u32 = 4;
/// The operand is a number of a bit.
pub const FUTEX_OP_OPARG_SHIFT: u32 = 8;

/// How `FUTEX_WAKE_OP` judges what the word was (bits 24 to 27).
pub const FUTEX_OP_CMP_EQ: u32 = 0;
pub const FUTEX_OP_CMP_NE: u32 = 1;
pub const FUTEX_OP_CMP_LT: u32 = 2;
pub const FUTEX_OP_CMP_LE: u32 = 3;
pub const FUTEX_OP_CMP_GT: u32 = 4;
pub const FUTEX_OP_CMP_GE: u32 = 5;

/// The code of a `FUTEX_WAKE_OP`; operands have 12 bits, with a sign.
pub const fn wake_op(op: u32, operand: i32, compare: u32, with: i32) -> u32 {
    op << 28 | compare << 24 | (operand as u32 & 0xfff) << 12 | with as u32 & 0xfff
}

/// The head of a thread's list of robust locks (set_robust_list(2)). Links
/// point to entries, or back to the head; an odd one stands for a lock with
/// priority inheritance.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct RobustListHead {
    pub first: usize,
    /// From an entry to its lock's word, in bytes.
    pub offset: isize,
    /// A lock that is being taken or let go, or 0.
    pub pending: usize,
}
