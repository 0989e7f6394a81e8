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

int clone(void (*function)(void *, void *), void *stack, int flags, void *first, void *second) {
  weft_word base = (weft_word)stack & ~15ul;
  long tid = weft_clone(function, first, second, base, PAGE, (unsigned int)flags);
  return tid < 0 ? -1 : (int)tid;
}

int join(int tid) {
  tid = weft_thread_join(tid);
  return tid < 0 ? -1 : tid;
}

int (thread_create)(void (*function)(void *, void *), void *first, void *second) {
  int tid = weft_thread_create(function, first, second, CLONE_ALL);
  return tid < 0 ? -1 : tid;
}

int (thread_join)(int tid) { return join(tid); }

int thread_create_into(struct pthread *thread, void (*function)(void *, void *), int flags,
                       void *first, void *second) {
  int tid = weft_thread_create(function, first, second, (unsigned int)flags);
  if (tid < 0)
    return -1;
  *thread = (struct pthread){tid, 0};
  return tid;
}

int thread_join_from(struct pthread *thread) { return join(thread->threadId); }
