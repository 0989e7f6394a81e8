/* Threads of the OSTEP face: a counter under a ticket lock, and a stack given
 * by hand. */
#include "types.h"
#include "stat.h"
#include "user.h"
#include "mmu.h"
#include "x86.h"

#define THREADS 4
#define ROUNDS 5000

lock_t lock;
cond_t turn_changed;
int counter, turn;
int *global;

void count(void *rounds, void *step) {
  for (long i = 0; i < (long)rounds; i++) {
    lock_acquire(&lock);
    counter += (long)step;
    lock_release(&lock);
  }
  exit();
}

void take_turns(void *mine, void *rounds) {
  for (long i = 0; i < (long)rounds; i++) {
    lock_acquire(&lock);
    while (turn != (long)mine)
      cond_wait(&turn_changed, &lock);
    turn = 1 - turn;
    lock_release(&lock);
    cond_broadcast(&turn_changed);
  }
  exit();
}

void words(void *first, void *second) {
  *global = (uint64)first == ~0ul && (uint64)second == 1ul << 63;
  exit();
}

void fail(char *what) {
  printf(2, "ostep: %s FAILED\n", what);
  kill(getpid());
}

int main(int argc, char *argv[]) {
  lock_init(&lock);
  cond_init(&turn_changed);
  for (int i = 0; i < THREADS; i++)
    if (thread_create(count, (void *)ROUNDS, (void *)2) <= 0)
      fail("thread_create");
  for (int i = 0; i < THREADS; i++)
    if (thread_join() <= 0)
      fail("thread_join");
  if (counter != THREADS * ROUNDS * 2)
    fail("the counter");
  thread_create(take_turns, (void *)0, (void *)1000);
  thread_create(take_turns, (void *)1, (void *)1000);
  thread_join();
  thread_join();

  /* As the course has it: a page of malloc's, aligned through uint. */
  int flag = 0;
  global = &flag;
  void *memory = malloc(2 * PGSIZE), *stack = memory, *joined;
  if ((uint)stack % PGSIZE)
    stack = (void *)(uint64)((uint)stack + PGSIZE - (uint)stack % PGSIZE);
  if (clone(words, 0, 0, stack + 4) != -1)
    fail("clone with an unaligned stack");
  int tid = clone(words, (void *)-1, (void *)(1ul << 63), stack);
  if (tid <= 0 || wait() != -1)
    fail("clone");
  if (join(&joined) != tid || joined != stack || !flag)
    fail("join");
  if (join(&joined) != -1)
    fail("join without threads");
  free(memory);
  printf(1, "ostep: counter %d, stack at %p\n", counter, stack);
  exit();
}
