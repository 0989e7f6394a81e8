//! Memory: the page, and the flags of mmap(2) and mprotect(2).

pub const PAGE_SIZE: usize = 4096;

/// First address past what a user program can map: the page below the
/// canonical hole stays unmapped (an old `syscall` at its end would return
/// to a non-canonical address).
pub const USER_END: usize = 0x7fff_ffff_f000;

pub const PROT_NONE: usize = 0;
pub const PROT_READ: usize = 1;
pub const PROT_WRITE: usize = 2;
pub const PROT_EXEC: usize = 4;

pub const MAP_SHARED: usize = 0x01;
pub const MAP_PRIVATE: usize = 0x02;
/// As shared, and unknown flags are an error.
pub const MAP_SHARED_VALIDATE: usize = 0x03;
pub const MAP_FIXED: usize = 0x10;
pub const MAP_ANONYMOUS: usize = 0x20;
pub const MAP_GROWSDOWN: usize = 0x100;
pub const MAP_LOCKED: usize = 0x2000;
pub const MAP_NORESERVE: usize = 0x4000;
pub const MAP_POPULATE: usize = 0x8000;
pub const MAP_STACK: usize = 0x2_0000;
pub const MAP_FIXED_NOREPLACE: usize = 0x10_0000;

pub const MREMAP_MAYMOVE: usize = 1;
pub const MREMAP_FIXED: usize = 2;
pub const MREMAP_DONTUNMAP: usize = 4;

pub const MLOCK_ONFAULT: usize = 1;

pub const MCL_CURRENT: usize = 1;
pub const MCL_FUTURE: usize = 2;
pub const MCL_ONFAULT: usize = 4;

pub const MS_ASYNC: usize = 1;
pub const MS_INVALIDATE: usize = 2;
pub const MS_SYNC: usize = 4;

pub const MADV_DONTNEED: usize = 4;
pub const MADV_FREE: usize = 8;
pub const MADV_POPULATE_READ: usize = 22;
pub const MADV_POPULATE_WRITE: usize = 23;
pub const MADV_DONTNEED_LOCKED: usize = 24;

/// Pages are made when they are touched; more than is free is refused.
pub const SBRK_CHECKED: usize = 0;
/// Every page is made at once, or none is: what is granted is there.
pub const SBRK_EAGER: usize = 1;
/// Pages are made when they are touched, and nothing is refused before.
pub const SBRK_LAZY: usize = 2;
