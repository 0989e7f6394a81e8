/* The OSTEP face; its threads are those of lib/own_stack.c. */
#include "user.h"
#include "own_stack.h"

int clone(void (*function)(void *, void *), void *first, void *second, void *stack) {
  return weft_clone_page(function, first, second, stack);
}

int thread_create(void (*function)(void *, void *), void *first, void *second) {
  return weft_create(function, first, second);
}
