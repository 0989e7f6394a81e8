//! Files: open flags, seek origins, modes, `stat` and directory entries.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub const O_RDONLY: usize = 0;
pub const O_WRONLY: usize = 1;
pub const O_RDWR: usize = 2;
pub const O_ACCMODE: usize = 3;
pub const O_CREAT: usize = 0o100;
pub const O_EXCL: usize = 0o200;
pub const O_NOCTTY: usize = 0o400;
pub const O_TRUNC: usize = 0o1000;
pub const O_APPEND: usize = 0o2000;
pub const O_NONBLOCK: usize = 0o4000;
pub const O_LARGEFILE: usize = 0o100000;
pub const O_DIRECTORY: usize = 0o200000;
pub const O_DSYNC: usize = 0o10000;
pub const O_DIRECT: usize = 0o40000;
pub const O_NOFOLLOW: usize = 0o400000;
pub const O_NOATIME: usize = 0o1000000;
pub const O_CLOEXEC: usize = 0o2000000;
/// Includes `O_DSYNC`.
pub const O_SYNC: usize = 0o4010000;
pub const O_PATH: usize = 0o10000000;
/// Includes `O_DIRECTORY`.
pub const O_TMPFILE: usize = 0o20200000;

/// In place of a directory descriptor: relative to the working directory.
pub const AT_FDCWD: isize = -100;
pub const AT_SYMLINK_NOFOLLOW: usize = 0x100;
pub const AT_REMOVEDIR: usize = 0x200;
/// faccessat2(2): judged for the effective ids.
pub const AT_EACCESS: usize = 0x200;
pub const AT_SYMLINK_FOLLOW: usize = 0x400;
pub const AT_NO_AUTOMOUNT: usize = 0x800;
pub const AT_EMPTY_PATH: usize = 0x1000;
/// statx(2): how fresh the answer must be.
pub const AT_STATX_FORCE_SYNC: usize = 0x2000;
pub const AT_STATX_DONT_SYNC: usize = 0x4000;

/// renameat2(2).
pub const RENAME_NOREPLACE: usize = 1;
pub const RENAME_EXCHANGE: usize = 2;
pub const RENAME_WHITEOUT: usize = 4;

/// In the nanoseconds of utimensat(2): the time now; leave it as it is.
pub const UTIME_NOW: i64 = 0x3fff_ffff;
pub const UTIME_OMIT: i64 = 0x3fff_fffe;

/// fallocate(2).
pub const FALLOC_FL_KEEP_SIZE: usize = 1;

pub const SEEK_SET: usize = 0;
pub const SEEK_CUR: usize = 1;
pub const SEEK_END: usize = 2;
pub const SEEK_DATA: usize = 3;
pub const SEEK_HOLE: usize = 4;

pub const S_IFMT: u32 = 0o170000;
pub const S_IFIFO: u32 = 0o010000;
pub const S_IFCHR: u32 = 0o020000;
pub const S_IFDIR: u32 = 0o040000;
pub const S_IFBLK: u32 = 0o060000;
pub const S_IFREG: u32 = 0o100000;
pub const S_IFLNK: u32 = 0o120000;
pub const S_IFSOCK: u32 = 0o140000;
/// Runs with its owner's, or its group's, rights.
// mount(2), umount2(2).
pub const MS_RDONLY: usize = 1;
pub const MS_NOSUID: usize = 2;
pub const MS_NODEV: usize = 4;
pub const MS_NOEXEC: usize = 8;
pub const MS_NOATIME: usize = 1 << 10;
pub const MS_NODIRATIME: usize = 1 << 11;
pub const MS_SILENT: usize = 1 << 15;
pub const MS_RELATIME: usize = 1 << 21;
pub const UMOUNT_NOFOLLOW: usize = 8;

pub const S_ISUID: u32 = 0o4000;
pub const S_ISGID: u32 = 0o2000;
/// Of a directory: names go only by those they belong to.
pub const S_ISVTX: u32 = 0o1000;

pub const DT_UNKNOWN: u8 = 0;
pub const DT_FIFO: u8 = 1;
pub const DT_CHR: u8 = 2;
pub const DT_DIR: u8 = 4;
pub const DT_BLK: u8 = 6;
pub const DT_REG: u8 = 8;
pub const DT_LNK: u8 = 10;
pub const DT_SOCK: u8 = 12;

pub const F_DUPFD: usize = 0;
pub const F_GETFD: usize = 1;
pub const F_SETFD: usize = 2;
pub const F_GETFL: usize = 3;
pub const F_SETFL: usize = 4;
pub const F_DUPFD_CLOEXEC: usize = 1030;
pub const FD_CLOEXEC: usize = 1;
pub const F_SETPIPE_SZ: usize = 1031;
pub const F_GETPIPE_SZ: usize = 1032;

/// memfd_create(2).
pub const MFD_CLOEXEC: usize = 1;
pub const MFD_ALLOW_SEALING: usize = 2;
pub const MFD_NAME_MAX: usize = NAME_MAX - 6;

pub const F_ADD_SEALS: usize = 1033;
pub const F_GET_SEALS: usize = 1034;
/// What a file in memory is sealed against: further seals, and so on.
pub const F_SEAL_SEAL: u32 = 1;
pub const F_SEAL_SHRINK: u32 = 2;
pub const F_SEAL_GROW: u32 = 4;
pub const F_SEAL_WRITE: u32 = 8;
pub const F_SEAL_FUTURE_WRITE: u32 = 16;

/// preadv2(2), pwritev2(2).
pub const RWF_HIPRI: usize = 1;
pub const RWF_DSYNC: usize = 2;
pub const RWF_SYNC: usize = 4;
pub const RWF_APPEND: usize = 16;

/// posix_fadvise(2): the last of the kinds of advice.
pub const POSIX_FADV_NOREUSE: usize = 5;

pub const CLOSE_RANGE_UNSHARE: usize = 2;
pub const CLOSE_RANGE_CLOEXEC: usize = 4;

/// splice(2), tee(2), vmsplice(2). Only the second one changes anything here.
pub const SPLICE_F_MOVE: usize = 1;
pub const SPLICE_F_NONBLOCK: usize = 2;
pub const SPLICE_F_MORE: usize = 4;
pub const SPLICE_F_GIFT: usize = 8;

/// Longest name of one directory entry, without the ending zero.
pub const NAME_MAX: usize = 255;
/// Longest path, with the ending zero.
pub const PATH_MAX: usize = 4096;
/// A pipe write of up to this many bytes is not interleaved with others (pipe(7)).
pub const PIPE_BUF: usize = 4096;

/// `struct stat` of x86-64 (stat(2)): 144 bytes.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct Stat {
    pub dev: u64,
    pub ino: u64,
    pub nlink: u64,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub pad0: u32,
    pub rdev: u64,
    pub size: i64,
    pub blksize: i64,
    /// In units of 512 bytes.
    pub blocks: i64,
    pub atime: i64,
    pub atime_nsec: i64,
    pub mtime: i64,
    pub mtime_nsec: i64,
    pub ctime: i64,
    pub ctime_nsec: i64,
    pub unused: [i64; 3],
}

const _: () = assert!(size_of::<Stat>() == 144);

/// `struct statfs` of x86-64 (statfs(2)).
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct StatFs {
    pub kind: i64,
    pub block_size: i64,
    pub blocks: u64,
    pub free_blocks: u64,
    pub available_blocks: u64,
    pub files: u64,
    pub free_files: u64,
    pub id: [i32; 2],
    pub name_length: i64,
    pub fragment_size: i64,
    pub flags: i64,
    pub spare: [i64; 4],
}

const _: () = assert!(size_of::<StatFs>() == 120);

/// One time of `struct statx`.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct StatxTime {
    pub sec: i64,
    pub nsec: u32,
    pub pad: i32,
}

/// `struct statx` (statx(2)).
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct Statx {
    pub mask: u32,
    pub blksize: u32,
    pub attributes: u64,
    pub nlink: u32,
    pub uid: u32,
    pub gid: u32,
    pub mode: u16,
    pub pad0: u16,
    pub ino: u64,
    pub size: u64,
    pub blocks: u64,
    pub attributes_mask: u64,
    pub atime: StatxTime,
    pub btime: StatxTime,
    pub ctime: StatxTime,
    pub mtime: StatxTime,
    pub rdev_major: u32,
    pub rdev_minor: u32,
    pub dev_major: u32,
    pub dev_minor: u32,
    pub spare: [u64; 14],
}

const _: () = assert!(size_of::<Statx>() == 256);

/// What of `struct statx` is filled: all but the time of birth.
pub const STATX_BASIC_STATS: u32 = 0x7ff;
/// Reserved for the future: EINVAL.
pub const STATX_RESERVED: u32 = 0x8000_0000;

/// The head of a `linux_dirent64` (getdents(2)); the zero-ended name follows
/// at offset 19, and the record is padded to a multiple of 8.
pub const DIRENT_NAME: usize = 19;

/// One buffer of `readv` and `writev` (readv(2)).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct IoVec {
    pub base: usize,
    pub len: usize,
}

/// Most buffers one `readv` or `writev` takes.
pub const IOV_MAX: usize = 1024;

pub const POLLIN: i16 = 1;
pub const POLLPRI: i16 = 2;
pub const POLLOUT: i16 = 4;
pub const POLLERR: i16 = 8;
pub const POLLHUP: i16 = 16;
pub const POLLNVAL: i16 = 32;
pub const POLLRDNORM: i16 = 0x40;
pub const POLLRDBAND: i16 = 0x80;
pub const POLLWRNORM: i16 = 0x100;
pub const POLLWRBAND: i16 = 0x200;
pub const POLLRDHUP: i16 = 0x2000;

/// One entry of poll(2).
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct PollFd {
    pub fd: i32,
    pub events: i16,
    pub revents: i16,
}
