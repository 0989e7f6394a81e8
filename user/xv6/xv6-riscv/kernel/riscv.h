/* What programs use of the RISC-V edition's processor header. */
#ifndef XV6_RISCV_H
#define XV6_RISCV_H

#include "../../common/mmu.h"

/* One past the highest address of that edition: 39 bits, less one. */
#define MAXVA (1L << 38)

/* The stack pointer. */
static inline unsigned long r_sp(void) {
  unsigned long pointer;
  __asm__ volatile("movq %%rsp, %0" : "=r"(pointer));
  return pointer;
}

#endif
