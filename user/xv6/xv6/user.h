/* xv6 for x86, without threads. */
#ifndef XV6_USER_H
#define XV6_USER_H

#include "calls.h"

void exit(void) __attribute__((noreturn));
int wait(void);
char *sbrk(int by);
int sleep(int ticks);
void printf(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
