/* What was deleted while open, and still is when the machine goes off, is freed
 * by the time that the disk is next booted from. Two runs on one disk: `orphans`, then
 * `reclaimed`. */
#include "check.h"
#include "weft.h"

enum { LARGE = 1 << 20 };

struct room {
  long blocks, inodes;
};

/* Free on the disk; no call of xv6 tells it (statfs(2)). */
static struct room room(void) {
  enum { STATFS = 137, FREE_BLOCKS = 3, FREE_INODES = 6 };
  weft_word words[16];
  check(weft_call(STATFS, (weft_word) "/", (weft_word)words, 0, 0, 0) == 0);
  return (struct room){words[FREE_BLOCKS], words[FREE_INODES]};
}

static void sync_disks(void) {
  char *words[] = {"/bin/sync", 0};
  int pid = fork();
  check(pid >= 0);
  if (pid == 0) {
    exec(words[0], words);
    quit();
  }
  check(reap() == pid);
}

static int told[2];

static void hold(void) {
  static char buffer[4096];
  int fd = open("large", O_CREATE | O_RDWR);
  for (int i = 0; i < LARGE; i += sizeof buffer)
    check(write(fd, buffer, sizeof buffer) == sizeof buffer);
  check(open("empty", O_CREATE | O_RDWR) >= 0);
  check(mkdir("d") == 0 && chdir("d") == 0);
  check(unlink("../large") == 0 && unlink("../empty") == 0 && unlink("../d") == 0);
  check(write(told[1], "x", 1) == 1);
  for (;;)
    rest(1000000);
}

/* The machine goes off as the first process of this program ends: the other
 * still has all open. */
static void orphans_are_left(void) {
  struct room before = {0, 0}, now;
  char byte;
  make_file("room", &before, sizeof before);
  sync_disks();
  before = room();
  make_file("room", &before, sizeof before);
  check(pipe(told) == 0);
  if (begin(hold) > 0)
    check(read(told[0], &byte, 1) == 1);
  sync_disks();
  now = room();
  check(now.inodes <= before.inodes - 3 && now.blocks <= before.blocks - LARGE / 4096);
}

static void orphans_are_reclaimed(void) {
  struct room before, now = room();
  int fd = open("room", O_RDONLY);
  check(read(fd, &before, sizeof before) == sizeof before);
  close(fd);
  check(now.inodes >= before.inodes && now.blocks >= before.blocks);
  check(!exists("large") && !exists("empty") && !exists("d"));
  check(unlink("room") == 0);
}

const struct test orphan_tests[] = {TEST(orphans_are_left), {0, 0}};
const struct test reclaim_tests[] = {TEST(orphans_are_reclaimed), {0, 0}};
