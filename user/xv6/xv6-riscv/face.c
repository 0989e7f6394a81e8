/* The plain xv6 face for RISC-V. */
#include "user/user.h"
#include "kernel/memlayout.h"
#include "kernel/riscv.h"
#include "kernel/vm.h"
#include "process.h"
#include "weft.h"

void exit(int status) { weft_process_exit(status); }
void weft_end(int code) { weft_process_exit(code); }
int wait(int *status) { return weft_wait(status); }
int sleep(int ticks) { return weft_sleep(ticks); }
int pause(int ticks) { return weft_sleep(ticks); }

/* The break stays below what xv6 keeps for itself at the top of a space. */
char *sys_sbrk(int by, int how) {
  if (by > 0 && weft_sbrk(0, 1) + by > TRAPFRAME)
    return SBRK_ERROR;
  return (char *)weft_move_break(by, how == SBRK_LAZY);
}

char *sbrk(int by) { return sys_sbrk(by, SBRK_EAGER); }
char *sbrklazy(int by) { return sys_sbrk(by, SBRK_LAZY); }

weft_word weft_memory_low(void) { return 3ul << 30; }

/* The stack ends at the top of the address space (abi/src/memory.rs). */
weft_word r_sp(void) {
  enum { PRLIMIT64 = 302, RLIMIT_STACK = 3 };
  weft_word pointer, limit[2];
  __asm__ volatile("movq %%rsp, %0" : "=r"(pointer));
  if (weft_call(PRLIMIT64, 0, RLIMIT_STACK, 0, (weft_word)limit, 0) < 0)
    return pointer;
  return 0x7ffffffff000ul - limit[0] + pointer % PGSIZE;
}

void fprintf(int fd, const char *format, ...) {
  __builtin_va_list arguments;
  __builtin_va_start(arguments, format);
  weft_format(fd, format, arguments);
  __builtin_va_end(arguments);
}

void printf(const char *format, ...) {
  __builtin_va_list arguments;
  __builtin_va_start(arguments, format);
  weft_format(1, format, arguments);
  __builtin_va_end(arguments);
}
