//! System call numbers.
//!
//! A call is made with `syscall`: number in `rax`, arguments in `rdi`, `rsi`,
//! `rdx`, `r10`, `r8`, `r9`; the result comes back in `rax`, an error as
//! `-errno` in `-4095..=-1`; `rcx` and `r11` are lost (System V x86-64 ABI,
//! appendix A.2.1).

macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident = $number:expr,)*) => {
        $($(#[$doc])* pub const $name: usize = $number;)*

        /// The call's name in capitals, for traces and logs.
        pub fn name(number: usize) -> Option<&'static str> {
            match number {
                $($name => Some(stringify!($name)),)*
                _ => None,
            }
        }
    };
}

/// First number of the private range. Linux ends below 512 and marks its x32
/// calls with bit 30, so neither can collide.
pub const NATIVE: usize = 0x1000;

calls! {
    READ = 0,
    WRITE = 1,
    OPEN = 2,
    CLOSE = 3,
    STAT = 4,
    FSTAT = 5,
    LSTAT = 6,
    POLL = 7,
    LSEEK = 8,
    MMAP = 9,
    MPROTECT = 10,
    MUNMAP = 11,
    BRK = 12,
    RT_SIGACTION = 13,
    RT_SIGPROCMASK = 14,
    RT_SIGRETURN = 15,
    IOCTL = 16,
    PREAD64 = 17,
    PWRITE64 = 18,
    READV = 19,
    WRITEV = 20,
    ACCESS = 21,
    PIPE = 22,
    SELECT = 23,
    SCHED_YIELD = 24,
    MREMAP = 25,
    MSYNC = 26,
    MINCORE = 27,
    MADVISE = 28,
    DUP = 32,
    DUP2 = 33,
    PAUSE = 34,
    NANOSLEEP = 35,
    GETITIMER = 36,
    ALARM = 37,
    SETITIMER = 38,
    GETPID = 39,
    SENDFILE = 40,
    SOCKET = 41,
    CONNECT = 42,
    ACCEPT = 43,
    SENDTO = 44,
    RECVFROM = 45,
    SENDMSG = 46,
    RECVMSG = 47,
    SHUTDOWN = 48,
    BIND = 49,
    LISTEN = 50,
    GETSOCKNAME = 51,
    GETPEERNAME = 52,
    SOCKETPAIR = 53,
    SETSOCKOPT = 54,
    GETSOCKOPT = 55,
    CLONE = 56,
    FORK = 57,
    VFORK = 58,
    EXECVE = 59,
    EXIT = 60,
    WAIT4 = 61,
    KILL = 62,
    UNAME = 63,
    FCNTL = 72,
    FLOCK = 73,
    FSYNC = 74,
    FDATASYNC = 75,
    TRUNCATE = 76,
    FTRUNCATE = 77,
    GETCWD = 79,
    CHDIR = 80,
    FCHDIR = 81,
    RENAME = 82,
    MKDIR = 83,
    RMDIR = 84,
    CREAT = 85,
    LINK = 86,
    UNLINK = 87,
    SYMLINK = 88,
    READLINK = 89,
    CHMOD = 90,
    FCHMOD = 91,
    CHOWN = 92,
    FCHOWN = 93,
    LCHOWN = 94,
    UMASK = 95,
    GETTIMEOFDAY = 96,
    GETRLIMIT = 97,
    GETRUSAGE = 98,
    SYSINFO = 99,
    TIMES = 100,
    GETUID = 102,
    GETGID = 104,
    SETUID = 105,
    SETGID = 106,
    GETEUID = 107,
    GETEGID = 108,
    SETPGID = 109,
    GETPPID = 110,
    GETPGRP = 111,
    SETSID = 112,
    SETREUID = 113,
    SETREGID = 114,
    GETGROUPS = 115,
    SETGROUPS = 116,
    SETRESUID = 117,
    GETRESUID = 118,
    SETRESGID = 119,
    GETRESGID = 120,
    GETPGID = 121,
    SETFSUID = 122,
    SETFSGID = 123,
    GETSID = 124,
    CAPGET = 125,
    CAPSET = 126,
    RT_SIGPENDING = 127,
    RT_SIGTIMEDWAIT = 128,
    RT_SIGQUEUEINFO = 129,
    RT_SIGSUSPEND = 130,
    SIGALTSTACK = 131,
    UTIME = 132,
    MKNOD = 133,
    PERSONALITY = 135,
    STATFS = 137,
    FSTATFS = 138,
    GETPRIORITY = 140,
    SETPRIORITY = 141,
    SCHED_SETPARAM = 142,
    SCHED_GETPARAM = 143,
    SCHED_SETSCHEDULER = 144,
    SCHED_GETSCHEDULER = 145,
    SCHED_GET_PRIORITY_MAX = 146,
    SCHED_GET_PRIORITY_MIN = 147,
    SCHED_RR_GET_INTERVAL = 148,
    MLOCK = 149,
    MUNLOCK = 150,
    MLOCKALL = 151,
    MUNLOCKALL = 152,
    PRCTL = 157,
    ARCH_PRCTL = 158,
    SETRLIMIT = 160,
    SYNC = 162,
    SETTIMEOFDAY = 164,
    MOUNT = 165,
    UMOUNT2 = 166,
    REBOOT = 169,
    GETTID = 186,
    TKILL = 200,
    TIME = 201,
    FUTEX = 202,
    SCHED_SETAFFINITY = 203,
    SCHED_GETAFFINITY = 204,
    EPOLL_CREATE = 213,
    GETDENTS64 = 217,
    SET_TID_ADDRESS = 218,
    TIMER_CREATE = 222,
    TIMER_SETTIME = 223,
    TIMER_GETTIME = 224,
    TIMER_GETOVERRUN = 225,
    TIMER_DELETE = 226,
    CLOCK_SETTIME = 227,
    CLOCK_GETTIME = 228,
    CLOCK_GETRES = 229,
    CLOCK_NANOSLEEP = 230,
    EXIT_GROUP = 231,
    EPOLL_WAIT = 232,
    EPOLL_CTL = 233,
    TGKILL = 234,
    UTIMES = 235,
    WAITID = 247,
    OPENAT = 257,
    MKDIRAT = 258,
    MKNODAT = 259,
    FCHOWNAT = 260,
    FUTIMESAT = 261,
    NEWFSTATAT = 262,
    UNLINKAT = 263,
    RENAMEAT = 264,
    LINKAT = 265,
    SYMLINKAT = 266,
    READLINKAT = 267,
    FCHMODAT = 268,
    FACCESSAT = 269,
    PSELECT6 = 270,
    PPOLL = 271,
    SET_ROBUST_LIST = 273,
    GET_ROBUST_LIST = 274,
    SPLICE = 275,
    TEE = 276,
    SYNC_FILE_RANGE = 277,
    VMSPLICE = 278,
    UTIMENSAT = 280,
    EPOLL_PWAIT = 281,
    SIGNALFD = 282,
    TIMERFD_CREATE = 283,
    EVENTFD = 284,
    FALLOCATE = 285,
    TIMERFD_SETTIME = 286,
    TIMERFD_GETTIME = 287,
    ACCEPT4 = 288,
    SIGNALFD4 = 289,
    EVENTFD2 = 290,
    EPOLL_CREATE1 = 291,
    DUP3 = 292,
    PIPE2 = 293,
    RECVMMSG = 299,
    PRLIMIT64 = 302,
    SYNCFS = 306,
    SENDMMSG = 307,
    GETCPU = 309,
    SCHED_SETATTR = 314,
    SCHED_GETATTR = 315,
    RENAMEAT2 = 316,
    GETRANDOM = 318,
    MEMBARRIER = 324,
    MLOCK2 = 325,
    COPY_FILE_RANGE = 326,
    STATX = 332,
    RSEQ = 334,
    CLONE3 = 435,
    FACCESSAT2 = 439,
    EPOLL_PWAIT2 = 441,
    FCHMODAT2 = 452,

    /// `(fcn, arg1, arg2, stack_base, stack_size, flags)`: the one native
    /// clone behind both faces. Starts `fcn(arg1, arg2)` on the stack
    /// `[stack_base, stack_base + stack_size)` above a fake return address of
    /// all ones; the stack must be wholly mapped and writable (EFAULT).
    /// `flags` as in [`crate::clone`]. The new thread stays joinable.
    THREAD_CLONE = NATIVE,
    /// `(stack_out: *mut *mut c_void)`: waits for any thread child that shares
    /// the caller's address space; stores its stack base (unless null); returns its id. ECHILD
    /// at once if there is none; EFAULT consumes nothing.
    THREAD_JOIN_ANY = NATIVE + 1,
    /// `(tid, stack_out: *mut *mut c_void)`: waits for that thread; `stack_out` may be null.
    /// ESRCH for an unknown id or one joined already, EDEADLK for oneself,
    /// EINVAL for one that another thread is joining.
    THREAD_JOIN = NATIVE + 2,
    /// `(tid)`: gives up the right to join; the thread's record goes when it exits.
    THREAD_DETACH = NATIVE + 3,
    /// `(value)`: a new semaphore of the caller's group; its handle (>= 0).
    SEM_CREATE = NATIVE + 4,
    /// `(handle)`: FIFO wait. EINTR if killed, EINVAL if destroyed meanwhile.
    SEM_WAIT = NATIVE + 5,
    /// `(handle)`: EAGAIN where it would wait.
    SEM_TRYWAIT = NATIVE + 6,
    /// `(handle, timeout: *const Timespec)`, relative: ETIMEDOUT.
    SEM_TIMEDWAIT = NATIVE + 7,
    /// `(handle)`: EOVERFLOW past `i32::MAX`.
    SEM_POST = NATIVE + 8,
    /// `(handle)`: waiters end with EINVAL.
    SEM_DESTROY = NATIVE + 9,
    /// `()`: time since start in xv6's ticks, 10 ms each.
    UPTIME = NATIVE + 10,
    /// `(buffer: *mut ThreadInfo, count)`: a snapshot of all threads; the number there are.
    THREAD_LIST = NATIVE + 11,
    /// `(increment: isize, how)`: moves the break by so many bytes, atomically
    /// across threads; the old break. `how` is one of `memory::SBRK_*`. ENOMEM.
    SBRK = NATIVE + 12,
    /// `(code)`: as exit_group(2), with 24 bits of the code in wait's status
    /// word, where Linux leaves 16 of them 0.
    WIDE_EXIT = NATIVE + 13,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_numbers() {
        assert_eq!(name(FUTEX), Some("FUTEX"));
        assert_eq!(name(THREAD_JOIN), Some("THREAD_JOIN"));
        assert_eq!(name(NATIVE - 1), None);
    }
}
