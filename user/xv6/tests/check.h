/* What the tests stand on: one source for both editions of xv6, whose printf,
 * exit and wait differ, and the words to say what is expected. */
#ifndef TESTS_CHECK_H
#define TESTS_CHECK_H

#if __has_include("kernel/types.h")
#define RISCV 1
#include "kernel/types.h"
#include "kernel/stat.h"
#include "kernel/fcntl.h"
#include "kernel/fs.h"
#include "kernel/riscv.h"
#include "user/user.h"
#define print(...) printf(__VA_ARGS__)
#define quit() exit(0)
#define reap() wait((int *)0)
#define rest(ticks) pause(ticks)
#else
#define RISCV 0
#include "types.h"
#include "stat.h"
#include "fcntl.h"
#include "fs.h"
#include "mmu.h"
#include "user.h"
#define print(...) printf(1, __VA_ARGS__)
#define quit() exit()
#define reap() wait()
#define rest(ticks) sleep(ticks)
#endif

#define COUNT(array) ((int)(sizeof(array) / sizeof *(array)))
#define FAILED ((char *)-1)

/* Ends the process if the condition does not hold; who waits for it in
 * `comes_back` then knows that. */
#define check(condition) ((condition) ? (void)0 : check_failed(__FILE__, __LINE__, #condition))
void check_failed(const char *file, int line, const char *condition) __attribute__((noreturn));

struct test {
  const char *name;
  void (*run)(void);
};
#define TEST(function) {#function, function}

/* Runs tests up to one without a name, each in a process of its own. */
void run_tests(const struct test *);
/* Prints the counts and ends. */
void end_tests(void) __attribute__((noreturn));

/* Whether `body`, run in a child, comes to its end: no check failed and nothing
 * has ended the child. */
int comes_back(void (*body)(void));
/* A child that is not waited for here. */
int begin(void (*body)(void));
/* Waits for `count` children. */
void reap_all(int count);

/* A file of these bytes, made anew. */
void make_file(const char *path, const void *bytes, int length);
int exists(const char *path);
/* Whether the file has just these bytes. */
int holds(const char *path, const void *bytes, int length);
/* `prefix` with the number behind it, in a buffer that the next call overwrites. */
char *numbered(const char *prefix, int number);
/* How many descriptors can still be opened, up to 64. */
int spare_descriptors(void);

/* Free memory in KiB as `/proc/meminfo` has it, with no caches that can go. */
int free_memory(void);
/* How many pages a program can have, found by taking all. */
int pages_to_have(void);

#endif
