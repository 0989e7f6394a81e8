/* Without boot options none of xv6's limits is there: see limits.c. Names, gaps
 * and sizes of files are tested with the rest. */
#include "check.h"

static char buffer[8192];

static void more_descriptors_than_xv6_has(void) {
  int count = 0;
  while (count < 200 && dup(1) >= 0)
    count++;
  check(count == 200);
}

static void longer_paths_than_xv6_has(void) {
  for (int i = 0; i < 2000; i += 2)
    memcpy(buffer + i, "./", 2);
  strcpy(buffer + 2000, "file");
  make_file(buffer, "far", 3);
  check(holds("file", "far", 3) && unlink(buffer) == 0);
}

static void more_processes_than_xv6_has(void) {
  enum { MANY = 150 };
  int ends[2], pid, count = 0;
  char byte;
  check(pipe(ends) == 0);
  while (count < MANY && (pid = fork()) > 0)
    count++;
  if (pid == 0) {
    close(ends[1]);
    read(ends[0], &byte, 1);
    quit();
  }
  check(count == MANY);
  close(ends[1]);
  reap_all(MANY);
}

static void more_bytes_than_xv6_has(void) {
  for (int file = 0; file < 3; file++) {
    int fd = open(numbered("large", file), O_CREATE | O_RDWR);
    for (int i = 0; i < 128; i++)
      check(write(fd, buffer, sizeof buffer) == sizeof buffer);
    close(fd);
  }
  for (int file = 0; file < 3; file++)
    check(unlink(numbered("large", file)) == 0);
}

static void more_files_than_xv6_has(void) {
  for (int i = 0; i < 400; i++)
    make_file(numbered("file", i), "", 0);
  for (int i = 0; i < 400; i++)
    check(unlink(numbered("file", i)) == 0);
}

const struct test unlimited_tests[] = {
    TEST(more_descriptors_than_xv6_has),
    TEST(longer_paths_than_xv6_has),
    TEST(more_processes_than_xv6_has),
    TEST(more_bytes_than_xv6_has),
    TEST(more_files_than_xv6_has),
    {0, 0},
};
