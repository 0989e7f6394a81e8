//! Stacks: a guard page below, and a few of the usual size kept for reuse.

use crate::call;
use crate::memory;
use crate::sync::Mutex;
use abi::Errno;
use abi::memory::*;

/// Bytes that no thread may touch, so that an overflow faults.
pub const GUARD: usize = PAGE_SIZE;

/// A thread's stack unless it asks for another, guard and block included. Only
/// what is touched takes memory.
pub const DEFAULT_SIZE: usize = 64 << 10;

#[derive(Clone, Copy, Debug)]
pub struct Stack {
    pub base: usize,
    pub length: usize,
}

const KEPT: usize = 16;

/// Stacks of the default size without a thread.
static FREE: Mutex<([usize; KEPT], usize)> = Mutex::new(([0; KEPT], 0));

pub fn take(size: usize) -> Result<Stack, Errno> {
    let least = GUARD + 2 * PAGE_SIZE;
    let length = size.clamp(least, 1 << 40).next_multiple_of(PAGE_SIZE);
    if length == DEFAULT_SIZE {
        let mut free = FREE.lock();
        if free.1 > 0 {
            free.1 -= 1;
            return Ok(Stack {
                base: free.0[free.1],
                length,
            });
        }
    }
    let base = memory::map(length, PROT_READ | PROT_WRITE)?;
    // SAFETY: fresh and unused.
    if let Err(error) = unsafe { memory::protect(base, GUARD, PROT_NONE) } {
        // SAFETY: as above.
        let _ = unsafe { memory::unmap(base, length) };
        return Err(error);
    }
    Ok(Stack { base, length })
}

/// Of a thread that is over, or never was.
pub fn give_back(stack: Stack) {
    if stack.length == DEFAULT_SIZE {
        let mut free = FREE.lock();
        let at = free.1;
        if at < KEPT {
            free.0[at] = stack.base;
            free.1 += 1;
            return;
        }
    }
    // SAFETY: no thread stands on it.
    let _ = unsafe { memory::unmap(stack.base, stack.length) };
}

/// Keeps the list whole across a fork.
pub fn freeze() -> impl Drop {
    FREE.lock()
}

/// Unmaps the stack that the caller stands on, and ends the thread without
/// touching it again.
///
/// # Safety
/// Nobody else uses the stack.
pub unsafe fn free_and_exit(stack: Stack) -> ! {
    // SAFETY: no instruction after the first call needs the stack.
    unsafe {
        core::arch::asm!(
            "syscall",
            "mov eax, {exit}",
            "xor edi, edi",
            "syscall",
            "ud2",
            exit = const call::EXIT,
            in("rax") call::MUNMAP,
            in("rdi") stack.base,
            in("rsi") stack.length,
            options(noreturn, nostack),
        );
    }
}
