/* What programs use of the RISC-V edition's processor header. */
#ifndef XV6_RISCV_H
#define XV6_RISCV_H

#include "../../common/mmu.h"

/* One past the highest address of that edition: 39 bits, less one. */
#define MAXVA (1L << 38)

/* An address in the lowest page that the stack may grow to. In xv6, where the
 * stack is one page, that is the stack pointer, and programs look for the guard
 * below the stack from there. */
unsigned long r_sp(void);

#endif
