/* What the faces of xv6 for x86 have alike. */
#include "process.h"
#include "weft.h"

int wait(void) { return weft_wait(0); }
int sleep(int ticks) { return weft_sleep(ticks); }

char *sbrk(int by) {
  long old = weft_sbrk(by);
  return (char *)(old < 0 ? -1 : old);
}

void printf(int fd, const char *format, ...) {
  __builtin_va_list arguments;
  __builtin_va_start(arguments, format);
  weft_format(fd, format, arguments);
  __builtin_va_end(arguments);
}
