# From the boot loader to 64-bit Rust in the higher half.
#
# Both entries come in 32-bit protected mode, paging off. PVH leaves the
# address of its start info in ebx; multiboot2 leaves its magic in eax and the
# address of its information in ebx. esi and edi carry (protocol, address).

.section .boot.header, "a"
.balign 8
multiboot2_header:
    .long 0xe85250d6
    .long 0
    .long multiboot2_header_end - multiboot2_header
    .long -(0xe85250d6 + (multiboot2_header_end - multiboot2_header))
    # The entry address for 32-bit machine state.
    .balign 8
    .word 3, 0
    .long 12
    .long multiboot2_entry
    # Modules on page boundaries.
    .balign 8
    .word 6, 0
    .long 8
    .balign 8
    .word 0, 0
    .long 8
multiboot2_header_end:

.section .note.Xen, "a", @note
.balign 4
    .long 4, 8, 18
    .asciz "Xen"
    .quad pvh_entry

.section .boot.text, "ax"
.code32
.global pvh_entry
pvh_entry:
    mov esi, 1
    jmp boot_common
multiboot2_entry:
    mov esi, 2
    cmp eax, 0x36d76289
    je boot_common
    mov esi, 0
boot_common:
    cli
    cld
    mov edi, ebx

    # 2 MiB pages over the first 4 GiB, seen at 0 and in the direct map; the
    # first GiB of it also where the kernel is linked.
    mov eax, offset boot_low_directory
    or eax, 3
    mov [boot_top], eax
    mov [boot_top + 256 * 8], eax
    mov eax, offset boot_high_directory
    or eax, 3
    mov [boot_top + 511 * 8], eax
    mov eax, offset boot_pages
    or eax, 3
    mov [boot_high_directory + 510 * 8], eax
    xor ecx, ecx
1:  mov [boot_low_directory + ecx * 8], eax
    add eax, 4096
    inc ecx
    cmp ecx, 4
    jne 1b
    mov eax, 0x83
    xor ecx, ecx
2:  mov [boot_pages + ecx * 8], eax
    add eax, 0x200000
    inc ecx
    cmp ecx, 2048
    jne 2b

    lgdt [boot_gdt_pointer]
    mov eax, offset boot_top
    mov cr3, eax
    # PAE; long mode and no-execute; paging with write protection.
    mov eax, cr4
    or eax, 0x20
    mov cr4, eax
    mov ecx, 0xc0000080
    rdmsr
    or eax, 0x900
    wrmsr
    mov eax, cr0
    and eax, 0x9fffffff
    or eax, 0x80010001
    mov cr0, eax
    .byte 0xea
    .long boot_64
    .word 0x18

.code64
boot_64:
    xor eax, eax
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    mov ss, eax
    mov rsp, offset {boot_stack}
    add rsp, {boot_stack_size}
    xor ebp, ebp
    xchg rdi, rsi
    mov rax, offset {boot_main}
    call rax
    ud2

.section .boot.data, "aw"
.balign 8
.global boot_gdt
boot_gdt:
    .quad 0
    .quad 0x00cf9a000000ffff
    .quad 0x00cf92000000ffff
    .quad 0x00af9a000000ffff
boot_gdt_pointer:
    .word 31
    .long boot_gdt

.section .boot.bss, "aw", @nobits
.balign 4096
.global boot_top
boot_top: .skip 4096
boot_low_directory: .skip 4096
boot_high_directory: .skip 4096
boot_pages: .skip 4 * 4096

# How the other CPUs come up. Copied to a page below 1 MiB ({trampoline}),
# where the start-up interrupt makes them begin in real mode.
.section .rodata.trampoline, "a"
.balign 16
.global trampoline_start, trampoline_end, trampoline_stack, trampoline_argument
.code16
trampoline_start:
    cli
    cld
    xor ax, ax
    mov ds, ax
    lgdt [TRAMPOLINE_GDT]
    mov eax, cr0
    or eax, 1
    mov cr0, eax
    .byte 0x66, 0xea
    .long {trampoline} + (trampoline_32 - trampoline_start)
    .word 0x08
.code32
trampoline_32:
    mov ax, 0x10
    mov ds, ax
    mov ss, ax
    mov eax, offset boot_top
    mov cr3, eax
    mov eax, cr4
    or eax, 0x20
    mov cr4, eax
    mov ecx, 0xc0000080
    rdmsr
    or eax, 0x900
    wrmsr
    mov eax, cr0
    and eax, 0x9fffffff
    or eax, 0x80010001
    mov cr0, eax
    .byte 0xea
    .long {trampoline} + (trampoline_64 - trampoline_start)
    .word 0x18
.code64
trampoline_64:
    xor eax, eax
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    mov ss, eax
    mov rsp, [rip + trampoline_stack]
    mov rdi, [rip + trampoline_argument]
    xor ebp, ebp
    mov rax, offset {ap_main}
    call rax
    ud2
.balign 8
trampoline_stack: .quad 0
trampoline_argument: .quad 0
trampoline_gdt: .quad 0, 0x00cf9a000000ffff, 0x00cf92000000ffff, 0x00af9a000000ffff
trampoline_gdt_pointer:
    .word 31
    .long {trampoline} + (trampoline_gdt - trampoline_start)
trampoline_end:
.set TRAMPOLINE_GDT, {trampoline} + (trampoline_gdt_pointer - trampoline_start)
.text
.code64
