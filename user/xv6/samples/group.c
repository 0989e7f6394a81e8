/* Threads of the group face: shared files, semaphores, a join by id. */
#include "types.h"
#include "user.h"
#include "fcntl.h"

#define ITEMS 1000

int room, filled, shared_fd = -1;
tlock_t lock;
long sum;

void produce(void *first, void *last) {
  for (long i = (long)first; i <= (long)last; i++) {
    sem_wait(room);
    tlock_acquire(&lock);
    sum += i;
    tlock_release(&lock);
    sem_post(filled);
  }
  thread_exit();
}

void consume(void *count, void *unused) {
  for (long i = 0; i < (long)count; i++) {
    sem_wait(filled);
    sem_post(room);
  }
  thread_exit();
}

void open_file(void *path, void *unused) {
  shared_fd = open(path, O_CREATE | O_RDWR);
  exit();
}

void fail(char *what) {
  printf(2, "group: %s FAILED\n", what);
  kill(getpid());
}

int main(void) {
  room = sem_create(4);
  filled = sem_create(0);
  tlock_init(&lock);
  int producer = thread_create(produce, (void *)1, (void *)ITEMS);
  int consumer = thread_create(consume, (void *)ITEMS, 0);
  if (join(producer) != producer || thread_join(consumer) != consumer || join(consumer) != -1)
    fail("join");
  if (sum != ITEMS * (ITEMS + 1) / 2)
    fail("the sum");

  char *stack = malloc(8192);
  int tid = clone(open_file, stack + 3, CLONE_ALL, "group-file", 0);
  if (tid <= 0 || join(tid) != tid)
    fail("clone");
  if (shared_fd < 0 || write(shared_fd, "x", 1) != 1)
    fail("a file that a thread opened");
  struct pthread thread;
  tid = thread_create(&thread, consume, CLONE_VM | CLONE_THREAD, 0, 0);
  if (tid <= 0 || thread.threadId != tid || thread_join(&thread) != tid)
    fail("a thread in a structure");
  close(shared_fd);
  unlink("group-file");
  if (join(gettid()) != -1 || gettid() != getpid() || tgkill(getpid(), gettid(), 0) != 0)
    fail("ids");
  printf(1, "group: sum %ld\n", sum);
  exit();
}
