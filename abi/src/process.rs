//! Processes: wait, the auxiliary vector, reboot, system information.

use crate::time::Timeval;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// No limit (getrlimit(2)).
pub const RLIM_INFINITY: u64 = u64::MAX;

pub const WNOHANG: usize = 1;
pub const WUNTRACED: usize = 2;
/// waitid(2) calls it WSTOPPED.
pub const WSTOPPED: usize = WUNTRACED;
pub const WEXITED: usize = 4;
pub const WCONTINUED: usize = 8;
/// The child stays as it is, for a later wait.
pub const WNOWAIT: usize = 0x0100_0000;
/// __WNOTHREAD, __WALL and __WCLONE.
pub const WAIT_KINDS: usize = 0xe000_0000;

/// Which children waitid(2) is for.
pub const P_ALL: usize = 0;
pub const P_PID: usize = 1;
pub const P_PGID: usize = 2;
pub const P_PIDFD: usize = 3;

/// The status word of wait(2) for a child that exited with `code`.
pub const fn wait_exited(code: i32) -> i32 {
    (code & 0xff) << 8
}

/// The same with 24 bits of the code, as xv6's programs expect.
pub const fn wait_exited_wide(code: i32) -> i32 {
    code << 8
}

/// The status word of wait(2) for a child that a signal ended.
pub const fn wait_signaled(signal: u32) -> i32 {
    (signal & 0x7f) as i32
}

/// The status word of wait(2) for a child that a signal has stopped.
pub const fn wait_stopped(signal: u32) -> i32 {
    wait_exited(signal as i32) | 0x7f
}

/// The status word of wait(2) for a child that goes on after a stop.
pub const WAIT_CONTINUED: i32 = 0xffff;

/// How a child ended, out of the status word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Exited(u8),
    Signaled(u8),
}

impl Ended {
    pub const fn from_status(status: i32) -> Ended {
        if status & 0x7f == 0 {
            Ended::Exited((status >> 8) as u8)
        } else {
            Ended::Signaled((status & 0x7f) as u8)
        }
    }

    /// What a shell shows in `$?`: the code, or 128 plus the signal.
    pub const fn shell_code(self) -> u8 {
        match self {
            Ended::Exited(code) => code,
            Ended::Signaled(signal) => 128 + signal,
        }
    }
}

/// Longest argument list: strings and pointers of argv and envp together.
pub const ARG_MAX: usize = 128 * 1024;

pub const AT_NULL: usize = 0;
pub const AT_PHDR: usize = 3;
pub const AT_PHENT: usize = 4;
pub const AT_PHNUM: usize = 5;
pub const AT_PAGESZ: usize = 6;
pub const AT_BASE: usize = 7;
pub const AT_FLAGS: usize = 8;
pub const AT_ENTRY: usize = 9;
pub const AT_UID: usize = 11;
pub const AT_EUID: usize = 12;
pub const AT_GID: usize = 13;
pub const AT_EGID: usize = 14;
pub const AT_PLATFORM: usize = 15;
pub const AT_HWCAP: usize = 16;
pub const AT_CLKTCK: usize = 17;
pub const AT_SECURE: usize = 23;
pub const AT_RANDOM: usize = 25;
pub const AT_EXECFN: usize = 31;
/// Where the code is that the kernel lends to programs (vdso(7)).
pub const AT_SYSINFO_EHDR: usize = 33;

/// Of personality(2): a program's parts are where they would be without chance.
pub const ADDR_NO_RANDOMIZE: u32 = 0x0004_0000;
/// Of personality(2): only tell.
pub const PERSONALITY_TELL: u32 = 0xffff_ffff;

/// The two magic words that reboot(2) wants first.
pub const REBOOT_MAGIC1: usize = 0xfee1_dead;
pub const REBOOT_MAGIC2: usize = 672274793;
/// Power off. Weft reads the fourth argument as the status that
/// `cargo weft exec` ends with.
pub const REBOOT_POWER_OFF: usize = 0x4321_fedc;

pub const ARCH_SET_GS: usize = 0x1001;
pub const ARCH_SET_FS: usize = 0x1002;
pub const ARCH_GET_FS: usize = 0x1003;
pub const ARCH_GET_GS: usize = 0x1004;

/// `struct utsname` (uname(2)).
#[repr(C)]
#[derive(Clone, Copy, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct UtsName {
    pub sysname: [u8; 65],
    pub nodename: [u8; 65],
    pub release: [u8; 65],
    pub version: [u8; 65],
    pub machine: [u8; 65],
    pub domainname: [u8; 65],
}

/// `struct sysinfo` (sysinfo(2)), memory in units of `mem_unit` bytes.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, FromBytes, IntoBytes, Immutable, KnownLayout)]
pub struct SysInfo {
    pub uptime: i64,
    pub loads: [u64; 3],
    pub totalram: u64,
    pub freeram: u64,
    pub sharedram: u64,
    pub bufferram: u64,
    pub totalswap: u64,
    pub freeswap: u64,
    pub procs: u16,
    pub pad: [u16; 3],
    pub totalhigh: u64,
    pub freehigh: u64,
    pub mem_unit: u32,
    pub pad2: u32,
}

const _: () = assert!(size_of::<SysInfo>() == 112);

/// Of whom getrusage(2) tells.
pub const RUSAGE_SELF: i32 = 0;
pub const RUSAGE_CHILDREN: i32 = -1;
pub const RUSAGE_THREAD: i32 = 1;

/// `struct rusage` (getrusage(2)).
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct Rusage {
    pub user: Timeval,
    pub system: Timeval,
    pub max_resident: i64,
    pub shared_text: i64,
    pub unshared_data: i64,
    pub unshared_stack: i64,
    pub minor_faults: i64,
    pub major_faults: i64,
    pub swaps: i64,
    pub blocks_in: i64,
    pub blocks_out: i64,
    pub messages_sent: i64,
    pub messages_received: i64,
    pub signals: i64,
    pub voluntary_switches: i64,
    pub involuntary_switches: i64,
}

const _: () = assert!(size_of::<Rusage>() == 144);

/// `struct tms` (times(2)), in ticks.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct Tms {
    pub user: i64,
    pub system: i64,
    pub children_user: i64,
    pub children_system: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_words() {
        assert_eq!(Ended::from_status(wait_exited(3)), Ended::Exited(3));
        assert_eq!(Ended::from_status(wait_exited(-1)), Ended::Exited(255));
        assert_eq!(Ended::from_status(wait_signaled(9)), Ended::Signaled(9));
        assert_eq!(Ended::Signaled(9).shell_code(), 137);
    }
}
