//! Address space: mappings, the break, and the four functions that compilers
//! expect of every program.

use crate::call::{self, raw};
use abi::Errno;
use abi::memory::*;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Where mappings go if there is room; 0 leaves it to the kernel.
static NEXT: AtomicUsize = AtomicUsize::new(0);

/// Makes mappings go to `address` and up, where there is room.
#[cfg(not(test))]
pub(crate) fn map_from(address: usize) {
    NEXT.store(address, Relaxed);
}

/// Maps `length` zeroed bytes (rounded up to pages) wherever there is room.
pub fn map(length: usize, protection: usize) -> Result<usize, Errno> {
    let flags = MAP_PRIVATE | MAP_ANONYMOUS;
    let hint = match NEXT.load(Relaxed) {
        0 => 0,
        _ => NEXT.fetch_add(length.next_multiple_of(PAGE_SIZE), Relaxed),
    };
    // SAFETY: without MAP_FIXED no mapping in use is replaced.
    unsafe { raw(call::MMAP, [hint, length, protection, flags, usize::MAX, 0]) }
}

/// Makes the pages of fresh memory at once in programs of the xv6 family, which
/// go on when there is no memory, if they are told so, and would else be ended
/// by touching it. False, and no page is there, if memory is short.
pub(crate) fn commit(address: usize, length: usize) -> bool {
    if NEXT.load(Relaxed) == 0 {
        return true;
    }
    // SAFETY: pages that are not used yet stay zeroed.
    let advise = |advice| unsafe { raw(call::MADVISE, [address, length, advice]) };
    let made = advise(MADV_POPULATE_WRITE).is_ok();
    if !made {
        let _ = advise(MADV_DONTNEED);
    }
    made
}

/// # Safety
/// Nothing in the range is in use.
pub unsafe fn unmap(address: usize, length: usize) -> Result<(), Errno> {
    // SAFETY: the caller's.
    unsafe { raw(call::MUNMAP, [address, length]) }.map(drop)
}

/// # Safety
/// Nothing in the range is used in a way the new protection forbids.
pub unsafe fn protect(address: usize, length: usize, protection: usize) -> Result<(), Errno> {
    // SAFETY: the caller's.
    unsafe { raw(call::MPROTECT, [address, length, protection]) }.map(drop)
}

/// Moves the end of the heap segment by `by` bytes; where it was. One
/// step, whatever other threads do.
pub fn move_break(by: isize) -> Result<usize, Errno> {
    move_break_and(by, SBRK_CHECKED)
}

/// As [`move_break`], where `how` (`SBRK_*`) says when the pages are made.
pub fn move_break_and(by: isize, how: usize) -> Result<usize, Errno> {
    // SAFETY: what lies past the break belongs to whoever moves it.
    unsafe { raw(call::SBRK, [by as usize, how]) }
}

#[cfg(not(test))]
mod compiler {
    //! The string instructions: word-wise, because byte-wise ones are slow on
    //! processors without fast short repeats, and the rest byte by byte.

    use core::arch::asm;

    // SAFETY (all four): the C contracts of memcpy(3), memmove(3), memset(3)
    // and memcmp(3); written in assembly or byte by byte with volatile reads,
    // so that the compiler cannot turn them into calls of themselves.

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
        // SAFETY: the C contract.
        unsafe {
            asm!(
                "rep movsq",
                "mov ecx, {tail:e}",
                "rep movsb",
                tail = in(reg) length & 7,
                inout("rcx") length / 8 => _,
                inout("rdi") to => _,
                inout("rsi") from => _,
                options(nostack, preserves_flags),
            );
        }
        to
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
        if (to as usize).wrapping_sub(from as usize) >= length {
            // SAFETY: copying forwards never overwrites what is still to be read.
            return unsafe { memcpy(to, from, length) };
        }
        // SAFETY: backwards from the end: the odd bytes, then whole words; the
        // direction flag is clear again at the end.
        unsafe {
            asm!(
                "std",
                "rep movsb",
                "sub rdi, 7",
                "sub rsi, 7",
                "mov rcx, {words}",
                "rep movsq",
                "cld",
                words = in(reg) length / 8,
                inout("rcx") length & 7 => _,
                inout("rdi") to.wrapping_add(length).wrapping_sub(1) => _,
                inout("rsi") from.wrapping_add(length).wrapping_sub(1) => _,
                options(nostack),
            );
        }
        to
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memset(to: *mut u8, byte: i32, length: usize) -> *mut u8 {
        let word = (byte as u8 as u64).wrapping_mul(0x0101_0101_0101_0101);
        // SAFETY: the C contract.
        unsafe {
            asm!(
                "rep stosq",
                "mov ecx, {tail:e}",
                "rep stosb",
                tail = in(reg) length & 7,
                inout("rcx") length / 8 => _,
                inout("rdi") to => _,
                in("rax") word,
                options(nostack, preserves_flags),
            );
        }
        to
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, length: usize) -> i32 {
        for i in 0..length {
            // SAFETY: the C contract.
            let (x, y) = unsafe { (a.add(i).read_volatile(), b.add(i).read_volatile()) };
            if x != y {
                return x as i32 - y as i32;
            }
        }
        0
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, length: usize) -> i32 {
        // SAFETY: the C contract.
        unsafe { memcmp(a, b, length) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn strlen(string: *const u8) -> usize {
        let mut length = 0;
        // SAFETY: the C contract: a zero comes.
        while unsafe { string.add(length).read_volatile() } != 0 {
            length += 1;
        }
        length
    }
}
