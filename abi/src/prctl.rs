//! What a thread says of itself, or asks (prctl(2)).

pub const PR_SET_PDEATHSIG: usize = 1;
pub const PR_GET_PDEATHSIG: usize = 2;
pub const PR_GET_DUMPABLE: usize = 3;
pub const PR_SET_DUMPABLE: usize = 4;
pub const PR_GET_KEEPCAPS: usize = 7;
pub const PR_SET_KEEPCAPS: usize = 8;
pub const PR_GET_TIMING: usize = 13;
pub const PR_SET_TIMING: usize = 14;
pub const PR_SET_NAME: usize = 15;
pub const PR_GET_NAME: usize = 16;
pub const PR_GET_SECCOMP: usize = 21;
pub const PR_CAPBSET_READ: usize = 23;
pub const PR_CAPBSET_DROP: usize = 24;
pub const PR_GET_TSC: usize = 25;
pub const PR_SET_TSC: usize = 26;
pub const PR_GET_SECUREBITS: usize = 27;
pub const PR_SET_TIMERSLACK: usize = 29;
pub const PR_GET_TIMERSLACK: usize = 30;
pub const PR_SET_CHILD_SUBREAPER: usize = 36;
pub const PR_GET_CHILD_SUBREAPER: usize = 37;
pub const PR_SET_NO_NEW_PRIVS: usize = 38;
pub const PR_GET_NO_NEW_PRIVS: usize = 39;
pub const PR_GET_TID_ADDRESS: usize = 40;

/// Bytes of a thread's name with its ending zero.
pub const TASK_COMM_LEN: usize = 16;

/// The only way of timing processes that there is.
pub const PR_TIMING_STATISTICAL: usize = 0;

/// The time stamp counter may be read.
pub const PR_TSC_ENABLE: u32 = 1;

/// The last capability that there is a number for (capabilities(7)).
pub const CAP_LAST_CAP: usize = 40;

/// The layouts of capget(2): one word for each set, or two.
pub const CAPABILITY_VERSION_1: u32 = 0x1998_0330;
pub const CAPABILITY_VERSION_2: u32 = 0x2007_1026;
pub const CAPABILITY_VERSION_3: u32 = 0x2008_0522;
