/* The one-argument face: the OSTEP face's threads (lib/own_stack.c), whose
 * function takes one word. The second, which it does not look at, is 0. */
#include "user.h"
#include "own_stack.h"

typedef void two_words(void *, void *);

int clone(void (*function)(void *), void *argument, void *stack) {
  return weft_clone_page((two_words *)function, argument, 0, stack);
}

int thread_create(void (*function)(void *), void *argument) {
  return weft_create((two_words *)function, argument, 0);
}
