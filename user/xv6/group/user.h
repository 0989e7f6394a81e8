/* The thread-group family: xv6 for x86, and threads that share what their flags
 * say. */
#ifndef XV6_USER_H
#define XV6_USER_H

#include "calls.h"
#include "locks.h"

#define CLONE_VM WEFT_CLONE_VM
#define CLONE_FS WEFT_CLONE_FS
#define CLONE_FILES WEFT_CLONE_FILES
#define CLONE_SIGHAND WEFT_CLONE_SIGHAND
#define CLONE_PARENT WEFT_CLONE_PARENT
#define CLONE_THREAD WEFT_CLONE_THREAD
/* What a thread of a group usually shares. */
#define CLONE_ALL (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

/* In the first thread ends the group, in another that thread. */
void exit(void) __attribute__((noreturn));
/* Only children with another address space. */
int wait(void);
char *sbrk(int by);
int sleep(int ticks);
void printf(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* `stack` is the base of one page's worth of memory; it is aligned down. Without
 * CLONE_VM a fork that starts at the function. */
int clone(void (*function)(void *, void *), void *stack, int flags, void *first, void *second);
int join(int tid);
int gettid(void);
int tgkill(int tgid, int tid, int signal);

int thread_create(void (*function)(void *, void *), void *first, void *second);
int thread_join(int tid);

/* The same for programs that keep a thread's id and stack in a structure of
 * theirs, and say what it shares. The library keeps the stack. */
struct pthread {
  uint threadId;
  void *stack;
};
int thread_create_into(struct pthread *, void (*function)(void *, void *), int flags, void *first,
                       void *second);
int thread_join_from(struct pthread *);
#define thread_create(...) \
  XV6_FIFTH(__VA_ARGS__, thread_create_into, , thread_create, , )(__VA_ARGS__)
#define thread_join(thread) \
  _Generic((thread), struct pthread *: thread_join_from, default: thread_join)(thread)
#define XV6_FIFTH(a, b, c, d, e, name, ...) name

/* tlock_t, for those who name the structure. */
#define t_lock weft_ticket

/* As many as a program of the family makes at once. */
#define MAXTHREADS 60

int thread_detach(int tid);
int thread_self(void);
void thread_exit(void) __attribute__((noreturn));

#endif
