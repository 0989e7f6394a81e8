/* xv6 for RISC-V, without threads. */
#ifndef XV6_USER_H
#define XV6_USER_H

#include "calls.h"

void exit(int status) __attribute__((noreturn));
/* The exit status of the child in *status, -1 if it was killed. */
int wait(int *status);
char *sbrk(int by);
char *sbrklazy(int by);
char *sys_sbrk(int by, int how);
#define SBRK_ERROR ((char *)-1)
int sleep(int ticks);
int pause(int ticks);
void printf(const char *format, ...) __attribute__((format(printf, 1, 2)));
void fprintf(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
