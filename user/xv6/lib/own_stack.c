/* Threads as processes that share the address space: each has its own id, files
 * and folder, and only its maker joins it. */
#include "own_stack.h"
#include "weft.h"

enum { THREAD_JOIN_ANY = 0x1001 };

#define PAGE 4096

void exit(void) { weft_thread_exit(); }
void weft_end(int code) {
  (void)code;
  exit();
}

int weft_clone_page(void (*function)(void *, void *), void *first, void *second, void *stack) {
  weft_word base = (weft_word)stack;
  if (base % PAGE)
    return -1;
  long tid = weft_clone(function, first, second, base, PAGE, WEFT_CLONE_VM);
  return tid < 0 ? -1 : (int)tid;
}

int weft_create(void (*function)(void *, void *), void *first, void *second) {
  int tid = weft_thread_create(function, first, second, WEFT_CLONE_VM);
  return tid < 0 ? -1 : tid;
}

int join(void **stack) {
  long tid = weft_call(THREAD_JOIN_ANY, (weft_word)stack, 0, 0, 0, 0);
  return tid < 0 ? -1 : (int)tid;
}

int thread_join(void) {
  int tid = weft_thread_join_any();
  return tid < 0 ? -1 : tid;
}
