/* The plain xv6 face for RISC-V. */
#include "user/user.h"
#include "process.h"
#include "weft.h"

void exit(int status) { weft_process_exit(status); }
void weft_end(int code) { weft_process_exit(code); }
int wait(int *status) { return weft_wait(status); }
int sleep(int ticks) { return weft_sleep(ticks); }
int pause(int ticks) { return weft_sleep(ticks); }

char *sbrk(int by) {
  long old = weft_sbrk(by);
  return (char *)(old < 0 ? -1 : old);
}

/* Memory is always made when it is touched. */
char *sbrklazy(int by) { return sbrk(by); }

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
