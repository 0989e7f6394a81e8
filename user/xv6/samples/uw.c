/* Threads of the one-argument face: a queue between two threads, under a lock
 * and two condition variables; a stack given by hand. */
#include "types.h"
#include "stat.h"
#include "user.h"
#include "mmu.h"

#define ITEMS 2000
#define ROOM 3

lock_t lock;
cond_t filled, emptied;
int queue[ROOM], count, head, total;

void produce(void *last) {
  for (int i = 1; i <= *(int *)last; i++) {
    lock_acquire(&lock);
    while (count == ROOM)
      cv_wait(&emptied, &lock);
    queue[(head + count++) % ROOM] = i;
    cv_signal(&filled);
    lock_release(&lock);
  }
  exit();
}

void consume(void *items) {
  for (int i = 0; i < *(int *)items; i++) {
    lock_acquire(&lock);
    while (count == 0)
      cv_wait(&filled, &lock);
    total += queue[head];
    head = (head + 1) % ROOM;
    count--;
    cv_signal(&emptied);
    lock_release(&lock);
  }
  exit();
}

void fail(char *what) {
  printf(2, "uw: %s FAILED\n", what);
  kill(getpid());
}

int main(void) {
  int items = ITEMS;
  lock_init(&lock);
  if (thread_create(consume, &items) <= 0)
    fail("thread_create");

  char *memory = malloc(2 * PGSIZE), *stack = (char *)PGROUNDUP((uintp)memory);
  void *joined = 0;
  if (clone(produce, &items, stack + 4) != -1)
    fail("clone with an unaligned stack");
  int tid = clone(produce, &items, stack);
  if (tid <= 0 || wait() != -1)
    fail("clone");
  int first = join(&joined), second = join(&joined);
  if (first <= 0 || second <= 0 || (first != tid && second != tid))
    fail("join");
  if (join(&joined) != -1)
    fail("join without threads");
  if (total != ITEMS * (ITEMS + 1) / 2)
    fail("the sum");
  free(memory);
  printf(1, "uw: sum %d\n", total);
  exit();
}
