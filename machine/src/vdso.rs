//! The kernel's code in user mode: what a program may call to learn the time
//! and its CPU without entering the kernel (vdso(7)). It is mapped into programs
//! behind a page of [`Clock`]; the kernel puts the ELF file around it.
//!
//! Arguments and results are those of the system calls. A function makes the
//! call itself where it cannot answer.

use crate::memory::frames::Frame;
use core::arch::global_asm;
use core::slice;

/// How far into its page the code stands: the ELF tables come first.
pub const CODE_OFFSET: usize = 0x800;

/// What the code reads, in the page below its own. The time since start is
/// (counter - `start`) * `rate` / 2^32 nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// The time stamp counter when time began.
    pub start: u64,
    /// Nanoseconds in a tick of the counter, as a fraction of 2^32.
    pub rate: u64,
    /// What the wall clock said then, in nanoseconds.
    pub wall: u64,
}

impl Clock {
    /// Writes it into the page that programs see. Each word is written as a
    /// whole, and only `wall` ever changes.
    pub fn write(&self, page: &Frame) {
        for (index, word) in [self.start, self.rate, self.wall].into_iter().enumerate() {
            page.store(index * 8, word);
        }
    }
}

/// A function of the code: its name, and where in the code it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Function {
    pub name: &'static str,
    pub offset: usize,
}

// rdi, rsi: the arguments. r8: what the time counts from.
global_asm!(
    ".pushsection .rodata.vdso, \"a\"",
    ".balign 16",
    "weft_vdso_begin:",
    ".set weft_vdso_clock, weft_vdso_begin - {offset} - 4096",
    // rax: seconds, rdx: the nanoseconds left, of the time since start and r8.
    ".macro weft_vdso_read_clock",
    // No earlier than what comes before it.
    "lfence",
    "rdtsc",
    "shl rdx, 32",
    "or rax, rdx",
    "xor edx, edx",
    // Counters of CPUs may differ by a little.
    "sub rax, [rip + weft_vdso_clock]",
    "cmovb rax, rdx",
    "mul qword ptr [rip + weft_vdso_clock + 8]",
    "shrd rax, rdx, 32",
    "add rax, r8",
    "xor edx, edx",
    "mov ecx, 1000000000",
    "div rcx",
    ".endm",
    //
    "weft_vdso_clock_gettime:",
    "cmp edi, 11",
    "ja 3f",
    "mov eax, {wall_clocks}",
    "bt eax, edi",
    "jc 1f",
    "mov eax, {steady_clocks}",
    "bt eax, edi",
    "jnc 3f",
    "xor r8d, r8d",
    "jmp 2f",
    "1:",
    "mov r8, [rip + weft_vdso_clock + 16]",
    "2:",
    "weft_vdso_read_clock",
    "mov [rsi], rax",
    "mov [rsi + 8], rdx",
    "xor eax, eax",
    "ret",
    "3:",
    "mov eax, 228",
    "syscall",
    "ret",
    //
    ".balign 16",
    "weft_vdso_clock_getres:",
    "cmp edi, 11",
    "ja 3f",
    "mov eax, {wall_clocks} | {steady_clocks}",
    "bt eax, edi",
    "jnc 3f",
    "test rsi, rsi",
    "jz 1f",
    "mov qword ptr [rsi], 0",
    "mov qword ptr [rsi + 8], 1",
    "1:",
    "xor eax, eax",
    "ret",
    "3:",
    "mov eax, 229",
    "syscall",
    "ret",
    //
    ".balign 16",
    "weft_vdso_gettimeofday:",
    "test rdi, rdi",
    "jz 1f",
    "mov r8, [rip + weft_vdso_clock + 16]",
    "weft_vdso_read_clock",
    "mov [rdi], rax",
    "mov rax, rdx",
    "xor edx, edx",
    "mov ecx, 1000",
    "div rcx",
    "mov [rdi + 8], rax",
    "1:",
    // The time zone: there is none but UTC.
    "test rsi, rsi",
    "jz 2f",
    "mov qword ptr [rsi], 0",
    "2:",
    "xor eax, eax",
    "ret",
    //
    ".balign 16",
    "weft_vdso_time:",
    "mov r8, [rip + weft_vdso_clock + 16]",
    "weft_vdso_read_clock",
    "test rdi, rdi",
    "jz 1f",
    "mov [rdi], rax",
    "1:",
    "ret",
    //
    ".balign 16",
    "weft_vdso_getcpu:",
    // The limit of this segment is the CPU's number.
    "mov ecx, {segment}",
    "lsl eax, ecx",
    "jnz 3f",
    "test rdi, rdi",
    "jz 1f",
    "mov [rdi], eax",
    "1:",
    "test rsi, rsi",
    "jz 2f",
    "mov dword ptr [rsi], 0",
    "2:",
    "xor eax, eax",
    "ret",
    "3:",
    "mov eax, 309",
    "syscall",
    "ret",
    "weft_vdso_end:",
    ".popsection",
    offset = const CODE_OFFSET,
    // CLOCK_REALTIME, CLOCK_REALTIME_COARSE, CLOCK_TAI.
    wall_clocks = const 1 << 0 | 1 << 5 | 1 << 11,
    // CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME.
    steady_clocks = const 1 << 1 | 1 << 4 | 1 << 6 | 1 << 7,
    segment = const CPU_SEGMENT,
);

/// The segment whose limit tells a CPU's number to user mode.
pub const CPU_SEGMENT: u16 = 0x38 | 3;

unsafe extern "C" {
    static weft_vdso_begin: u8;
    static weft_vdso_end: u8;
    static weft_vdso_clock_gettime: u8;
    static weft_vdso_clock_getres: u8;
    static weft_vdso_gettimeofday: u8;
    static weft_vdso_time: u8;
    static weft_vdso_getcpu: u8;
}

/// The code, which runs wherever it is put [`CODE_OFFSET`] bytes into a page
/// above a [`Clock`].
pub fn code() -> &'static [u8] {
    let (begin, end) = (&raw const weft_vdso_begin, &raw const weft_vdso_end);
    // SAFETY: the two labels are the ends of what stands above, which nobody writes.
    unsafe { slice::from_raw_parts(begin, end as usize - begin as usize) }
}

/// The functions in [`code`].
pub fn functions() -> [Function; 5] {
    let begin = &raw const weft_vdso_begin as usize;
    [
        ("__vdso_clock_gettime", &raw const weft_vdso_clock_gettime),
        ("__vdso_clock_getres", &raw const weft_vdso_clock_getres),
        ("__vdso_gettimeofday", &raw const weft_vdso_gettimeofday),
        ("__vdso_time", &raw const weft_vdso_time),
        ("__vdso_getcpu", &raw const weft_vdso_getcpu),
    ]
    .map(|(name, at)| Function {
        name,
        offset: at as usize - begin,
    })
}
