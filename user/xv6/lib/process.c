/* The ends of processes and threads, waiting and sleeping. */
#include "process.h"
#include "weft.h"

enum { NANOSLEEP = 35, EXIT = 60, WAIT4 = 61, EXIT_GROUP = 231 };

#define EINTR 4

void weft_process_exit(int code) {
  for (;;)
    weft_call(EXIT_GROUP, code, 0, 0, 0, 0);
}

int weft_wait(int *status) {
  int word = 0;
  long pid;
  do
    pid = weft_call(WAIT4, -1, (weft_word)&word, 0, 0, 0);
  while (pid == -EINTR);
  if (pid < 0)
    return -1;
  if (status)
    *status = word & 0x7f ? -1 : word >> 8 & 0xff;
  return pid;
}

/* A tick of xv6 is 10 ms. */
int weft_sleep(int ticks) {
  long time[2] = {ticks / 100, ticks % 100 * 10000000L};
  if (ticks < 0)
    return -1;
  return weft_call(NANOSLEEP, (weft_word)time, 0, 0, 0, 0) < 0 ? -1 : 0;
}
