/* Processes: their ends and who waits for them, kills, and orphans. */
#include "check.h"

static void leave(void) {
}

static void spin(void) {
  for (;;)
    ;
}

static void sleep_long(void) {
  for (;;)
    rest(1000000);
}

static void call_over_and_over(void) {
  for (;;)
    getpid();
}

static void work_on_files(void) {
  for (;;) {
    close(open("busy", O_CREATE | O_RDWR));
    unlink("busy");
  }
}

static void fork_over_and_over(void) {
  for (;;) {
    begin(leave);
    reap();
  }
}

/* Whatever it does: it ends, and is waited for once. */
static void kill_ends_everything(void) {
  static void (*bodies[])(void) = {spin, sleep_long, call_over_and_over, work_on_files, fork_over_and_over};
  for (int round = 0; round < 10; round++)
    for (int i = 0; i < COUNT(bodies); i++) {
      int pid = begin(bodies[i]);
      check(kill(pid) == 0);
      check(reap() == pid);
      check(kill(pid) == -1);
    }
  check(reap() == -1);
  unlink("busy");
}

static int told[2];

static void tell_and_sleep(void) {
  check(write(told[1], "x", 1) == 1);
  sleep_long();
}

/* The child is known to be at work, or asleep, when it is killed. */
static void kill_while_it_sleeps(void) {
  char byte;
  check(pipe(told) == 0);
  for (int i = 0; i < 20; i++) {
    int pid = begin(tell_and_sleep);
    check(read(told[0], &byte, 1) == 1);
    check(kill(pid) == 0 && reap() == pid);
  }
}

static void kill_of_nobody(void) {
  int pid = begin(leave);
  check(reap() == pid);
  check(kill(pid) == -1 && kill(0) == -1 && kill(-1) == -1 && kill(-pid) == -1);
  check(kill(0x7fffffff) == -1 && kill(-2147483647 - 1) == -1);
}

static void kill_oneself(void) {
  kill(getpid());
}

static void kill_of_oneself(void) {
  check(!comes_back(kill_oneself));
}

static void each_child_is_waited_for_once(void) {
  int seen = 0, pids[10];
  check(reap() == -1);
  for (int i = 0; i < 10; i++)
    pids[i] = begin(leave);
  for (int i = 0; i < 10; i++) {
    int pid = reap();
    for (int j = 0; j < 10; j++)
      seen += pids[j] == pid;
  }
  check(seen == 10 && reap() == -1);
  for (int i = 0; i < 300; i++) {
    int pid = begin(leave);
    check(reap() == pid);
  }
}

#if RISCV
/* Exit codes keep their sign, and a kill is -1. */
static void exit_codes(void) {
  static int codes[] = {0, 1, 7, 255, 256, 1000, -1, -2, -1000};
  int status;
  for (int i = 0; i < COUNT(codes); i++) {
    int pid = fork();
    check(pid >= 0);
    if (pid == 0)
      exit(codes[i]);
    check(wait(&status) == pid && status == codes[i]);
  }
  int pid = begin(spin);
  check(kill(pid) == 0 && wait(&status) == pid && status == -1);
}
#endif

static int parent;

static void wait_to_be_an_orphan(void) {
  while (getppid() == parent)
    rest(1);
  check(write(told[1], getppid() == 1 ? "i" : "o", 1) == 1);
}

static void leave_a_child_behind(void) {
  parent = getpid();
  begin(wait_to_be_an_orphan);
}

/* init takes them, and they are no child of the grandparent's. */
static void orphans_are_taken(void) {
  char byte;
  check(pipe(told) == 0);
  for (int i = 0; i < 30; i++) {
    int pid = begin(leave_a_child_behind);
    check(reap() == pid);
    check(read(told[0], &byte, 1) == 1 && byte == 'i');
    check(reap() == -1);
  }
}

static void leave_children_that_leave(void) {
  for (int i = 0; i < 4; i++)
    begin(leave);
}

/* Parents and children end at the same time, in every order. */
static void many_orphans(void) {
  for (int i = 0; i < 60; i++)
    begin(leave_children_that_leave);
  reap_all(60);
  check(reap() == -1);
}

static void fork_and_wait(void) {
  for (int i = 0; i < 50; i++) {
    int pid = begin(leave);
    check(reap() == pid);
  }
}

static void forks_side_by_side(void) {
  for (int i = 0; i < 4; i++)
    begin(fork_and_wait);
  reap_all(4);
}

static void fork_until_stopped(void) {
  while (!exists("stop")) {
    if (fork() == 0)
      continue;
    reap();
    quit();
  }
}

/* A chain of processes, each the child of the one before. */
static void a_chain_of_forks(void) {
  int pid = begin(fork_until_stopped);
  while (!exists("stop"))
    make_file("stop", "", 0);
  check(reap() == pid && unlink("stop") == 0);
}

/* They use all the CPUs there are, and still this one comes to its turn. */
static void spinners_are_interrupted(void) {
  int first = begin(spin), second = begin(spin), third = begin(spin);
  check(comes_back(fork_and_wait));
  check(kill(first) == 0 && kill(second) == 0 && kill(third) == 0);
  reap_all(3);
}

const struct test process_tests[] = {
    TEST(kill_ends_everything),
    TEST(kill_while_it_sleeps),
    TEST(kill_of_nobody),
    TEST(kill_of_oneself),
    TEST(each_child_is_waited_for_once),
#if RISCV
    TEST(exit_codes),
#endif
    TEST(orphans_are_taken),
    TEST(many_orphans),
    TEST(forks_side_by_side),
    TEST(a_chain_of_forks),
    TEST(spinners_are_interrupted),
    {0, 0},
};
