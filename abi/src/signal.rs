//! Signals (signal(7)).

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

pub const SIGHUP: u32 = 1;
pub const SIGINT: u32 = 2;
pub const SIGQUIT: u32 = 3;
pub const SIGILL: u32 = 4;
pub const SIGTRAP: u32 = 5;
pub const SIGABRT: u32 = 6;
pub const SIGBUS: u32 = 7;
pub const SIGFPE: u32 = 8;
pub const SIGKILL: u32 = 9;
pub const SIGUSR1: u32 = 10;
pub const SIGSEGV: u32 = 11;
pub const SIGUSR2: u32 = 12;
pub const SIGPIPE: u32 = 13;
pub const SIGALRM: u32 = 14;
pub const SIGTERM: u32 = 15;
pub const SIGCHLD: u32 = 17;
pub const SIGCONT: u32 = 18;
pub const SIGSTOP: u32 = 19;
pub const SIGTSTP: u32 = 20;
pub const SIGTTIN: u32 = 21;
pub const SIGTTOU: u32 = 22;
pub const SIGURG: u32 = 23;
pub const SIGXCPU: u32 = 24;
pub const SIGXFSZ: u32 = 25;
pub const SIGVTALRM: u32 = 26;
pub const SIGPROF: u32 = 27;
pub const SIGWINCH: u32 = 28;

/// The first signal that waits once for each time it is sent.
pub const SIGNAL_REAL_TIME: u32 = 32;

/// Signals are numbered 1 to 64.
pub const SIGNAL_MAX: u32 = 64;

pub const SIG_DFL: usize = 0;
pub const SIG_IGN: usize = 1;

/// No SIGCHLD for children that stop or continue.
pub const SA_NOCLDSTOP: u64 = 1;
/// Children that end leave nothing to be waited for.
pub const SA_NOCLDWAIT: u64 = 2;
/// The handler takes three arguments. It gets them in any case.
pub const SA_SIGINFO: u64 = 4;
/// The handler returns to `restorer`.
pub const SA_RESTORER: u64 = 0x0400_0000;
/// The handler runs on the alternate stack, if there is one.
pub const SA_ONSTACK: u64 = 0x0800_0000;
/// Calls that the handler interrupts are made again.
pub const SA_RESTART: u64 = 0x1000_0000;
/// The signal is not blocked while its handler runs.
pub const SA_NODEFER: u64 = 0x4000_0000;
/// The action goes back to the default as the handler is called.
pub const SA_RESETHAND: u64 = 0x8000_0000;

/// What rt_sigprocmask(2) does with the set it is given.
pub const SIG_BLOCK: usize = 0;
pub const SIG_UNBLOCK: usize = 1;
pub const SIG_SETMASK: usize = 2;

/// Where a signal comes from: `si_code` (sigaction(2)).
pub const SI_USER: i32 = 0;
pub const SI_KERNEL: i32 = 0x80;
pub const SI_QUEUE: i32 = -1;
pub const SI_TIMER: i32 = -2;
pub const SI_MESGQ: i32 = -3;
pub const SI_TKILL: i32 = -6;
/// SIGSEGV: nothing is mapped there; or it is, but not for this.
pub const SEGV_MAPERR: i32 = 1;
pub const SEGV_ACCERR: i32 = 2;
/// SIGBUS: there is no such part of the file.
pub const BUS_ADRERR: i32 = 2;
/// SIGCHLD: the child has exited, was ended by a signal, was stopped, goes on.
pub const CLD_EXITED: i32 = 1;
pub const CLD_KILLED: i32 = 2;
pub const CLD_STOPPED: i32 = 5;
pub const CLD_CONTINUED: i32 = 6;

/// The alternate stack is in use; there is none (sigaltstack(2)).
pub const SS_ONSTACK: i32 = 1;
pub const SS_DISABLE: i32 = 2;
/// The smallest alternate stack, in bytes.
pub const MINSIGSTKSZ: u64 = 2048;

/// `siginfo_t` (sigaction(2)).
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct SigInfo {
    pub signal: i32,
    pub errno: i32,
    pub code: i32,
    pub reserved: i32,
    /// `si_pid` and `si_uid`, then `si_status` or `si_value`; or `si_addr`; or
    /// `si_timerid` and `si_overrun`, then `si_value`.
    pub fields: [u64; 2],
    pub rest: [u64; 12],
}

/// How an event is told of (sigevent(7)).
pub const SIGEV_SIGNAL: i32 = 0;
pub const SIGEV_NONE: i32 = 1;
/// As `SIGEV_SIGNAL`: the thread is the C library's business.
pub const SIGEV_THREAD: i32 = 2;
pub const SIGEV_THREAD_ID: i32 = 4;

/// `struct sigevent` (sigevent(7)).
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct SigEvent {
    pub value: u64,
    pub signal: i32,
    pub notify: i32,
    pub tid: i32,
    pub pad: [i32; 11],
}

const _: () = assert!(size_of::<SigEvent>() == 64);

/// `stack_t` (sigaltstack(2)).
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct SigStack {
    pub base: u64,
    pub flags: i32,
    pub reserved: i32,
    pub size: u64,
}

/// `struct sigcontext` of x86-64: the registers that a handler interrupts.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct SigContext {
    pub r8: u64,
    pub r9: u64,
    pub r10: u64,
    pub r11: u64,
    pub r12: u64,
    pub r13: u64,
    pub r14: u64,
    pub r15: u64,
    pub rdi: u64,
    pub rsi: u64,
    pub rbp: u64,
    pub rbx: u64,
    pub rdx: u64,
    pub rax: u64,
    pub rcx: u64,
    pub rsp: u64,
    pub rip: u64,
    pub eflags: u64,
    pub cs: u16,
    pub gs: u16,
    pub fs: u16,
    pub ss: u16,
    pub err: u64,
    pub trapno: u64,
    pub oldmask: u64,
    pub cr2: u64,
    /// Where the floating-point and vector registers are, in the format of
    /// XSAVE (or FXSAVE); 0 if they are not saved.
    pub fpstate: u64,
    pub reserved: [u64; 8],
}

/// `struct ucontext`: what a handler gets as its third argument.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct UContext {
    pub flags: u64,
    pub link: u64,
    pub stack: SigStack,
    pub context: SigContext,
    pub mask: u64,
}

/// `struct rt_sigframe`: what a handler finds at its stack pointer.
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct SigFrame {
    /// Where the handler returns to.
    pub restorer: u64,
    pub ucontext: UContext,
    pub info: SigInfo,
}

const _: () = assert!(size_of::<SigInfo>() == 128);
const _: () = assert!(size_of::<SigContext>() == 256);
const _: () = assert!(size_of::<UContext>() == 304);
const _: () = assert!(size_of::<SigFrame>() == 440);

/// `struct sigaction` as the kernel sees it (rt_sigaction(2)).
#[repr(C)]
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout,
)]
pub struct SigAction {
    pub handler: usize,
    pub flags: u64,
    pub restorer: usize,
    pub mask: u64,
}
