/* The thread-group face. */
#include "user.h"
#include "process.h"

#define PAGE 4096

void exit(void) {
  if (gettid() == getpid())
    weft_process_exit(0);
  weft_thread_exit();
}

void weft_end(int code) { weft_process_exit(code); }

/* The stack ends at `stack`; how far it reaches down nobody says. Its page is
 * what must be there, and the kernel checks it. */
int clone(void (*function)(void *, void *), void *stack, int flags, void *first, void *second) {
  weft_word top = (weft_word)stack & ~15ul;
  weft_word base = (top - 1) & ~(weft_word)(PAGE - 1);
  if (top < 16)
    return -1;
  long tid = weft_clone(function, first, second, base, top - base, (unsigned int)flags);
  return tid < 0 ? -1 : (int)tid;
}

int join(int tid) {
  tid = weft_thread_join(tid);
  return tid < 0 ? -1 : tid;
}

int thread_create(void (*function)(void *, void *), void *first, void *second) {
  int tid = weft_thread_create(function, first, second, CLONE_ALL);
  return tid < 0 ? -1 : tid;
}

int thread_join(int tid) { return join(tid); }
