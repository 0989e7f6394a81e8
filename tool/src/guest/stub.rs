//! The smallest kernel: a few instructions in an ELF file that QEMU starts by
//! PVH. The trial of KVM runs one, and so do the tests of this tool.

/// Where it is loaded and entered, in 32-bit protected mode without paging.
const BASE: u64 = 0x20_0000;

const HEADER: u64 = 64;
const SEGMENT: u64 = 56;

/// Where the code begins in the file: behind the header, two program headers and the note.
const CODE: u64 = 0x100;

/// An ELF file whose entry point is the first byte of `code`.
pub fn elf(code: &[u8]) -> Vec<u8> {
    let size = code.len() as u64;
    let note_at = HEADER + 2 * SEGMENT;
    let note = note();
    let mut file = Vec::new();
    file.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    // An executable for x86-64, version 1.
    half(&mut file, &[2, 62]);
    word(&mut file, &[1]);
    long(&mut file, &[BASE, HEADER, 0]);
    word(&mut file, &[0]);
    half(&mut file, &[HEADER as u16, SEGMENT as u16, 2, 0, 0, 0]);
    // The code: PT_LOAD, readable, writable and executable.
    word(&mut file, &[1, 7]);
    long(&mut file, &[CODE, BASE, BASE, size, size, 0x1000]);
    // PT_NOTE.
    word(&mut file, &[4, 4]);
    let length = note.len() as u64;
    long(&mut file, &[note_at, 0, 0, length, length, 4]);
    file.extend(note);
    file.resize(CODE as usize, 0);
    file.extend(code);
    file
}

/// The note that names the PVH entry point: name "Xen", type 18.
fn note() -> Vec<u8> {
    let mut note = Vec::new();
    word(&mut note, &[4, 8, 18]);
    note.extend(b"Xen\0");
    long(&mut note, &[BASE]);
    note
}

fn half(file: &mut Vec<u8>, values: &[u16]) {
    file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

fn word(file: &mut Vec<u8>, values: &[u32]) {
    file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

fn long(file: &mut Vec<u8>, values: &[u64]) {
    file.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

/// Code that enters long mode, counts down from 100 million, and writes 0x10
/// to QEMU's exit device. It needs the zeroed memory behind it for page tables.
#[rustfmt::skip]
pub const LOOP: &[u8] = &[
    // Page tables: one entry each at 0x210000 and 0x211000, and at 0x212008 the 2 MiB of this code.
    0xc7, 0x05, 0x00, 0x00, 0x21, 0x00, 0x03, 0x10, 0x21, 0x00, // mov dword [0x210000], 0x211003
    0xc7, 0x05, 0x00, 0x10, 0x21, 0x00, 0x03, 0x20, 0x21, 0x00, // mov dword [0x211000], 0x212003
    0xc7, 0x05, 0x08, 0x20, 0x21, 0x00, 0x83, 0x00, 0x20, 0x00, // mov dword [0x212008], 0x200083
    0xb8, 0x00, 0x00, 0x21, 0x00,                               // mov eax, 0x210000
    0x0f, 0x22, 0xd8,                                           // mov cr3, eax
    0xb8, 0x20, 0x00, 0x00, 0x00,                               // mov eax, PAE
    0x0f, 0x22, 0xe0,                                           // mov cr4, eax
    0xb9, 0x80, 0x00, 0x00, 0xc0,                               // mov ecx, EFER
    0x0f, 0x32,                                                 // rdmsr
    0x0d, 0x00, 0x01, 0x00, 0x00,                               // or eax, LME
    0x0f, 0x30,                                                 // wrmsr
    0x0f, 0x20, 0xc0,                                           // mov eax, cr0
    0x0d, 0x00, 0x00, 0x00, 0x80,                               // or eax, PG
    0x0f, 0x22, 0xc0,                                           // mov cr0, eax
    0x0f, 0x01, 0x15, 0x78, 0x00, 0x20, 0x00,                   // lgdt [0x200078]
    0xea, 0x55, 0x00, 0x20, 0x00, 0x08, 0x00,                   // jmp 8:0x200055
    0xb9, 0x00, 0xe1, 0xf5, 0x05,                               // mov ecx, 100000000
    0xff, 0xc9,                                                 // dec ecx
    0x75, 0xfc,                                                 // jnz to the line above
    0xb0, 0x10,                                                 // mov al, 0x10
    0xe6, 0xf4,                                                 // out 0xf4, al
    0xf4,                                                       // hlt
    0, 0, 0, 0, 0,
    // At 0x68 the descriptor table: nothing, and a 64-bit code segment; at 0x78 its limit and address.
    0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0x9a, 0x20, 0,
    15, 0, 0x68, 0x00, 0x20, 0x00,
];

/// Code that writes `log` to the log port and `console` to the serial port,
/// and goes on with `end`.
#[cfg(test)]
pub fn speak(log: &str, console: &str, end: &[u8]) -> Vec<u8> {
    let mut code = Vec::new();
    for byte in log.bytes() {
        // mov al, byte; out 0xe9, al
        code.extend([0xb0, byte, 0xe6, 0xe9]);
    }
    // mov edx, 0x3f8
    code.extend([0xba, 0xf8, 0x03, 0x00, 0x00]);
    for byte in console.bytes() {
        // mov al, byte; out dx, al
        code.extend([0xb0, byte, 0xee]);
    }
    code.extend(end);
    code
}
