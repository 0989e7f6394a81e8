//! Communication between processes as System V has it (sysvipc(7)).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Flags of the calls that make or find something by a key.
pub const IPC_PRIVATE: i32 = 0;
pub const IPC_CREAT: usize = 0o1000;
pub const IPC_EXCL: usize = 0o2000;
/// Do not wait.
pub const IPC_NOWAIT: usize = 0o4000;

/// What is done with it (shmctl(2), semctl(2), msgctl(2)).
pub const IPC_RMID: u32 = 0;
pub const IPC_SET: u32 = 1;
pub const IPC_STAT: u32 = 2;
pub const IPC_INFO: u32 = 3;

pub const SHM_LOCK: u32 = 11;
pub const SHM_UNLOCK: u32 = 12;
pub const SHM_STAT: u32 = 13;
pub const SHM_INFO: u32 = 14;
pub const SHM_STAT_ANY: u32 = 15;

pub const SHM_RDONLY: usize = 0o10000;
pub const SHM_RND: usize = 0o20000;
pub const SHM_REMAP: usize = 0o40000;
pub const SHM_EXEC: usize = 0o100000;
/// In a segment's mode: it goes with its last attachment; it is locked.
pub const SHM_DEST: u32 = 0o1000;
pub const SHM_LOCKED: u32 = 0o2000;

/// `struct ipc64_perm` of x86-64.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct IpcPerm {
    pub key: i32,
    pub uid: u32,
    pub gid: u32,
    pub cuid: u32,
    pub cgid: u32,
    pub mode: u32,
    pub seq: u16,
    pub pad: [u16; 3],
    pub unused: [u64; 2],
}

const _: () = assert!(size_of::<IpcPerm>() == 48);

/// `struct shmid64_ds` of x86-64.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct ShmidDs {
    pub perm: IpcPerm,
    pub size: u64,
    pub attached: i64,
    pub detached: i64,
    pub changed: i64,
    pub creator: u32,
    pub last: u32,
    pub count: u64,
    pub unused: [u64; 2],
}

const _: () = assert!(size_of::<ShmidDs>() == 112);

/// `struct shminfo64`: the limits.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct ShmLimits {
    pub max: u64,
    pub min: u64,
    pub segments: u64,
    pub per_process: u64,
    pub all: u64,
    pub unused: [u64; 4],
}

/// `struct shm_info`: what is used, in pages.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct ShmUsed {
    pub segments: u64,
    pub total: u64,
    pub resident: u64,
    pub swapped: u64,
    pub swap_attempts: u64,
    pub swap_successes: u64,
}

pub const MSG_STAT: u32 = 11;
pub const MSG_INFO: u32 = 12;
pub const MSG_STAT_ANY: u32 = 13;

/// A longer message is cut off; any type but the one given; only a copy.
pub const MSG_NOERROR: usize = 0o10000;
pub const MSG_EXCEPT: usize = 0o20000;
pub const MSG_COPY: usize = 0o40000;

/// `struct msqid64_ds` of x86-64.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct MsqidDs {
    pub perm: IpcPerm,
    pub sent: i64,
    pub received: i64,
    pub changed: i64,
    pub bytes: u64,
    pub count: u64,
    pub limit: u64,
    pub last_sender: u32,
    pub last_receiver: u32,
    pub unused: [u64; 2],
}

const _: () = assert!(size_of::<MsqidDs>() == 120);

/// `struct msginfo`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct MsgInfo {
    pub pool: i32,
    pub map: i32,
    pub max: i32,
    pub limit: i32,
    pub queues: i32,
    pub segment_size: i32,
    pub total: i32,
    pub segments: u16,
    pub pad: u16,
}

pub const GETPID: u32 = 11;
pub const GETVAL: u32 = 12;
pub const GETALL: u32 = 13;
pub const GETNCNT: u32 = 14;
pub const GETZCNT: u32 = 15;
pub const SETVAL: u32 = 16;
pub const SETALL: u32 = 17;
pub const SEM_STAT: u32 = 18;
pub const SEM_INFO: u32 = 19;
pub const SEM_STAT_ANY: u32 = 20;

/// What is done is undone when the process ends.
pub const SEM_UNDO: u16 = 0x1000;
/// The largest value of a semaphore, and of what is to be undone.
pub const SEMVMX: i16 = 32_767;

/// `struct sembuf`.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct SemBuf {
    pub number: u16,
    pub operation: i16,
    pub flags: u16,
}

/// `struct semid64_ds` of x86-64.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct SemidDs {
    pub perm: IpcPerm,
    pub operated: i64,
    pub unused1: u64,
    pub changed: i64,
    pub unused2: u64,
    pub count: u64,
    pub unused: [u64; 2],
}

const _: () = assert!(size_of::<SemidDs>() == 104);

/// `struct seminfo`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct SemInfo {
    pub map: i32,
    pub sets: i32,
    pub semaphores: i32,
    pub undos: i32,
    pub per_set: i32,
    pub per_call: i32,
    pub undo_entries: i32,
    pub undo_size: i32,
    pub value_max: i32,
    pub undo_max: i32,
}
