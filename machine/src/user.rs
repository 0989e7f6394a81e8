//! User mode as a function call: the registers of a user thread, and `run`,
//! which enters user mode and returns with the reason it came back.

use crate::address::USER_END;
use crate::arch;
pub use crate::hooks::Access;

/// Marks registers that came from a system call, and may go back the fast way.
#[cfg_attr(
    not(target_os = "none"),
    allow(dead_code, reason = "the host has no entry code")
)]
pub(crate) const FROM_SYSCALL: u64 = 0x100;

const USER_CODE: u64 = 0x23;
const USER_DATA: u64 = 0x1b;

/// Flags a user program may set: the arithmetic ones, trap, direction,
/// alignment check and identification.
const FLAGS_ALLOWED: u64 = 0x24_0dd5;
/// Interrupts on, and the bit that is always one.
const FLAGS_FORCED: u64 = 0x202;

/// Why user mode was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    /// A system call; see [`UserRegs::call_number`].
    Syscall,
    /// An access to `addr` that the page table does not allow.
    PageFault {
        addr: usize,
        access: Access,
        /// A translation exists, but not for this access.
        present: bool,
    },
    /// Any other exception.
    Fault { vector: u8, error: u64 },
    /// An interrupt, already handled.
    Interrupt,
    /// User mode was not entered, for there is something to do first.
    Pending,
}

/// All registers of a user thread. The last seven words are what the CPU
/// pushes (the vector by our stubs), so a trap from user mode lands in place.
#[repr(C, align(16))]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRegs {
    pub r15: u64,
    pub r14: u64,
    pub r13: u64,
    pub r12: u64,
    pub rbp: u64,
    pub rbx: u64,
    pub r11: u64,
    pub r10: u64,
    pub r9: u64,
    pub r8: u64,
    pub rax: u64,
    pub rcx: u64,
    pub rdx: u64,
    pub rsi: u64,
    pub rdi: u64,
    pub(crate) vector: u64,
    pub(crate) error: u64,
    pub(crate) rip: u64,
    pub(crate) cs: u64,
    pub(crate) rflags: u64,
    pub(crate) rsp: u64,
    pub(crate) ss: u64,
}

impl UserRegs {
    /// A thread that starts at `entry` with the stack pointer `stack` and
    /// `args` in the argument registers.
    #[must_use]
    pub fn new(entry: usize, stack: usize, args: [usize; 3]) -> Self {
        Self {
            r15: 0,
            r14: 0,
            r13: 0,
            r12: 0,
            rbp: 0,
            rbx: 0,
            r11: 0,
            r10: 0,
            r9: 0,
            r8: 0,
            rax: 0,
            rcx: 0,
            rdx: args[2] as u64,
            rsi: args[1] as u64,
            rdi: args[0] as u64,
            vector: 0,
            error: 0,
            rip: entry as u64,
            cs: USER_CODE,
            rflags: FLAGS_FORCED,
            rsp: stack as u64,
            ss: USER_DATA,
        }
    }

    /// The number of the system call.
    #[must_use]
    #[inline]
    pub fn call_number(&self) -> usize {
        self.rax as usize
    }

    /// The six arguments of the system call.
    #[must_use]
    #[inline]
    pub fn call_args(&self) -> [usize; 6] {
        [
            self.rdi as usize,
            self.rsi as usize,
            self.rdx as usize,
            self.r10 as usize,
            self.r8 as usize,
            self.r9 as usize,
        ]
    }

    /// What the system call returns.
    #[inline]
    pub fn set_result(&mut self, value: usize) {
        self.rax = value as u64;
    }

    /// The instruction pointer.
    #[must_use]
    pub fn ip(&self) -> usize {
        self.rip as usize
    }

    /// Whether the thread has left user mode by a system call.
    #[must_use]
    pub fn is_from_call(&self) -> bool {
        self.vector == FROM_SYSCALL
    }

    /// Continues at `ip`. An address outside the user half faults on entry.
    pub fn set_ip(&mut self, ip: usize) {
        self.rip = ip as u64;
        if ip >= USER_END {
            self.restore_exactly();
        }
    }

    /// The stack pointer.
    #[must_use]
    pub fn stack(&self) -> usize {
        self.rsp as usize
    }

    pub fn set_stack(&mut self, stack: usize) {
        self.rsp = stack as u64;
    }

    #[must_use]
    pub fn flags(&self) -> u64 {
        self.rflags
    }

    /// Sets the flags, as far as a user program may choose them.
    pub fn set_flags(&mut self, flags: u64) {
        self.rflags = flags & FLAGS_ALLOWED | FLAGS_FORCED;
    }

    /// The hardware's error code of the last fault.
    #[must_use]
    pub fn error_code(&self) -> u64 {
        self.error
    }

    /// The exception or interrupt that left user mode last.
    #[must_use]
    pub fn vector(&self) -> u64 {
        self.vector
    }

    /// The next `run` loads every register as it stands here. Without this,
    /// the way back from a system call sets `rcx` and `r11` as the
    /// instruction does. Needed after registers were replaced as a whole,
    /// such as by a return from a signal handler.
    pub fn restore_exactly(&mut self) {
        self.vector = 0;
    }

    /// Enters user mode and returns when it was left, with interrupts on.
    /// Interrupts are handled before the return. Enters nothing and says
    /// `Pending` if a reschedule is wanted or `pending` (asked with
    /// interrupts off) says so.
    #[inline]
    pub fn run(&mut self, pending: impl Fn() -> bool) -> Trap {
        arch::user::run(self, pending)
    }
}
