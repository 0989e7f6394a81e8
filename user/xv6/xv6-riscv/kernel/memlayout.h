/* The addresses where xv6 for RISC-V has its kernel; see common/memlayout.h. */
#ifndef XV6_MEMLAYOUT_H
#define XV6_MEMLAYOUT_H

#include "riscv.h"

#define KERNBASE 0x80000000L
#define PHYSTOP (KERNBASE + 128 * 1024 * 1024)
#define TRAMPOLINE (MAXVA - PGSIZE)
#define TRAPFRAME (TRAMPOLINE - PGSIZE)

#endif
