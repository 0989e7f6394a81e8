/* What programs do takes no memory for good. The pages that can be had are
 * counted as programs of xv6 do it, by taking them all (a program can also read
 * the MemFree of /proc/meminfo). */
#include "check.h"

static char buffer[4096];

static void leave(void) {
}

static void many_files(void) {
  check(mkdir("d") == 0);
  for (int i = 0; i < 1000; i++)
    make_file(numbered("d/file", i), "x", 1);
  for (int i = 0; i < 1000; i++)
    check(unlink(numbered("d/file", i)) == 0);
  check(unlink("d") == 0);
}

static void many_folders(void) {
  for (int i = 0; i < 200; i++)
    check(mkdir(numbered("d", i)) == 0 && mkdir(numbered("d0/e", i)) == 0);
  for (int i = 200; i-- > 0;)
    check(unlink(numbered("d0/e", i)) == 0 && unlink(numbered("d", i)) == 0);
}

static void deep_folders(void) {
  for (int i = 0; i < 100; i++)
    check(mkdir("deep") == 0 && chdir("deep") == 0);
  for (int i = 0; i < 100; i++)
    check(chdir("..") == 0 && unlink("deep") == 0);
}

static void a_large_file(void) {
  int fd = open("large", O_CREATE | O_RDWR);
  for (int i = 0; i < 2000; i++)
    check(write(fd, buffer, sizeof buffer) == sizeof buffer);
  close(fd);
  check(unlink("large") == 0);
}

static void names_that_are_not_there(void) {
  for (int i = 0; i < 2000; i++)
    check(open(numbered("none", i), O_RDONLY) == -1);
}

static void many_processes(void) {
  for (int i = 0; i < 4; i++) {
    for (int j = 0; j < 100; j++)
      begin(leave);
    reap_all(100);
  }
}

static void many_pipes(void) {
  int ends[2];
  while (pipe(ends) == 0)
    write(ends[1], buffer, 100);
}

static void (*const acts[])(void) = {
    many_files, many_folders, deep_folders, a_large_file, names_that_are_not_there, many_processes, many_pipes,
};

static void act(int which) {
  check(comes_back(acts[which]));
}

/* The kernel's small objects lie a few more pages apart each time; of the many
 * that an act makes, none may stay. What ends meanwhile gives its memory back a
 * moment later. */
static void come_back_to(int before) {
  int now = 0;
  before -= 20;
  for (int i = 0; i < 20 && (now = pages_to_have()) < before; i++)
    rest(1);
  if (now < before)
    print("%d pages instead of %d and more\n", now, before);
  check(now >= before);
}

static void no_page_is_lost(void) {
  /* What the kernel keeps for good is made the first time. */
  for (int i = 0; i < COUNT(acts); i++)
    act(i);
  int before = pages_to_have();
  for (int i = 0; i < COUNT(acts); i++) {
    act(i);
    come_back_to(before);
  }
}

const struct test leak_tests[] = {
    TEST(no_page_is_lost),
    {0, 0},
};
