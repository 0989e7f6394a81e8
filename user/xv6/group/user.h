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

/* `stack` is the upper end of the stack; it is aligned down. Without CLONE_VM a
 * fork that starts at the function. */
int clone(void (*function)(void *, void *), void *stack, int flags, void *first, void *second);
int join(int tid);
int gettid(void);
int tgkill(int tgid, int tid, int signal);

int thread_create(void (*function)(void *, void *), void *first, void *second);
int thread_join(int tid);
int thread_detach(int tid);
int thread_self(void);
void thread_exit(void) __attribute__((noreturn));

#endif
