/* The OSTEP family: xv6 for x86, and threads that share the address space and
 * copy everything else. */
#ifndef XV6_USER_H
#define XV6_USER_H

#include "calls.h"
#include "locks.h"

/* Ends the calling thread; in a process without threads, the process. */
void exit(void) __attribute__((noreturn));
/* Only children with another address space. */
int wait(void);
char *sbrk(int by);
int sleep(int ticks);
void printf(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* `stack` is the page-aligned base of one page. */
int clone(void (*function)(void *, void *), void *first, void *second, void *stack);
/* Any thread that this one made: its id, and the base of its stack. */
int join(void **stack);
int gettid(void);
int tgkill(int tgid, int tid, int signal);

int thread_create(void (*function)(void *, void *), void *first, void *second);
int thread_join(void);
int thread_detach(int tid);
int thread_self(void);
void thread_exit(void) __attribute__((noreturn));

#endif
