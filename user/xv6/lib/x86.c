/* What the faces of xv6 for x86 have alike. */
#include "process.h"
#include "weft.h"

/* Below 2 GiB, so that an address survives an `int` too. */
weft_word weft_memory_low(void) { return 1ul << 30; }

int wait(void) { return weft_wait(0); }
int sleep(int ticks) { return weft_sleep(ticks); }

char *sbrk(int by) {
  return (char *)weft_move_break(by, 0);
}

void printf(int fd, const char *format, ...) {
  __builtin_va_list arguments;
  __builtin_va_start(arguments, format);
  weft_format(fd, format, arguments);
  __builtin_va_end(arguments);
}
