/* The ends of processes and threads, waiting and sleeping. */
#include "process.h"
#include "weft.h"

enum { RT_SIGACTION = 13, NANOSLEEP = 35, WAIT4 = 61, GETRANDOM = 318, WIDE_EXIT = 0x1000 + 13 };

#define EINTR 4

int weft_may_write(void *address, weft_word size) {
  return weft_call(GETRANDOM, (weft_word)address, size, 0, 0, 0) == (long)size;
}

void weft_survive_closed_pipes(int survive) {
  enum { SIGPIPE = 13, DEFAULT = 0, IGNORE = 1, MASK_SIZE = 8 };
  /* Handler, flags, restorer and mask. */
  weft_word action[4] = {survive ? IGNORE : DEFAULT};
  weft_call(RT_SIGACTION, SIGPIPE, (weft_word)action, 0, MASK_SIZE, 0);
}

void weft_process_exit(int code) {
  for (;;)
    weft_call(WIDE_EXIT, code, 0, 0, 0, 0);
}

int weft_wait(int *status) {
  int word = 0;
  long pid;
  if (status && !weft_may_write(status, sizeof *status))
    return -1;
  do
    pid = weft_call(WAIT4, -1, (weft_word)&word, 0, 0, 0);
  while (pid == -EINTR);
  if (pid < 0)
    return -1;
  if (status)
    *status = word & 0x7f ? -1 : word >> 8;
  return pid;
}

/* A tick of xv6 is 10 ms. */
int weft_sleep(int ticks) {
  long time[2] = {ticks / 100, ticks % 100 * 10000000L};
  if (ticks < 0)
    return -1;
  return weft_call(NANOSLEEP, (weft_word)time, 0, 0, 0, 0) < 0 ? -1 : 0;
}

/* The kernel lets the heap begin some way behind the program, by chance. In xv6
   the byte below the break is the program's always, so the first page is there
   before anybody asks where the break is. */
static void begin_break(void) {
  enum { PAGE = 4096 };
  static int begun;
  if (!__atomic_exchange_n(&begun, 1, __ATOMIC_RELAXED))
    weft_sbrk(PAGE, 1);
}

long weft_move_break(long by, int lazy) {
  long old;
  begin_break();
  old = weft_sbrk(by, lazy);
  if (old >= 0)
    return old;
  old = weft_sbrk(0, 1);
  return by < 0 && -by > old ? old : -1;
}
