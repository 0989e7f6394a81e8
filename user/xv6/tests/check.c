/* See check.h. */
#include "check.h"

static int passed, failed;

void check_failed(const char *file, int line, const char *condition) {
  print("%s:%d: not so: %s\n", file, line, condition);
  kill(getpid());
  for (;;)
    ;
}

int comes_back(void (*body)(void)) {
  int ends[2];
  char word;
  check(pipe(ends) == 0);
  int pid = fork();
  check(pid >= 0);
  if (pid == 0) {
    close(ends[0]);
    body();
    write(ends[1], "y", 1);
    quit();
  }
  close(ends[1]);
  /* The x86 edition has no exit status, so the child says that it is done. */
  int told = read(ends[0], &word, 1);
  close(ends[0]);
  check(reap() == pid);
  return told == 1;
}

int begin(void (*body)(void)) {
  int pid = fork();
  check(pid >= 0);
  if (pid == 0) {
    body();
    quit();
  }
  return pid;
}

void reap_all(int count) {
  while (count-- > 0)
    check(reap() > 0);
}

void run_tests(const struct test *test) {
  for (; test->name; test++) {
    int right = comes_back(test->run);
    *(right ? &passed : &failed) += 1;
    print("test %s ... %s\n", test->name, right ? "ok" : "FAILED");
  }
}

void end_tests(void) {
  print("%d passed, %d failed\n", passed, failed);
#if RISCV
  exit(failed > 0);
#else
  exit();
#endif
}

void make_file(const char *path, const void *bytes, int length) {
  int fd = open(path, O_CREATE | O_TRUNC | O_WRONLY);
  check(fd >= 0);
  check(write(fd, bytes, length) == length);
  check(close(fd) == 0);
}

int exists(const char *path) {
  struct stat status;
  return stat(path, &status) == 0;
}

int holds(const char *path, const void *bytes, int length) {
  static char part[1024];
  int fd = open(path, O_RDONLY), at = 0, n;
  check(fd >= 0);
  while ((n = read(fd, part, sizeof part)) > 0 && at + n <= length) {
    if (memcmp(part, (const char *)bytes + at, n) != 0)
      break;
    at += n;
  }
  close(fd);
  return n == 0 && at == length;
}

char *numbered(const char *prefix, int number) {
  static char name[64];
  char digits[12];
  int at = strlen(prefix), count = 0;
  strcpy(name, prefix);
  do
    digits[count++] = '0' + number % 10;
  while (number /= 10);
  while (count > 0)
    name[at++] = digits[--count];
  name[at] = 0;
  return name;
}

int spare_descriptors(void) {
  int opened[64], count = 0;
  while (count < COUNT(opened) && (opened[count] = dup(1)) >= 0)
    count++;
  for (int i = 0; i < count; i++)
    close(opened[i]);
  return count;
}

int free_memory(void) {
  static char text[4096];
  int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);
  check(fd >= 0 && write(fd, "3", 1) == 1);
  close(fd);
  fd = open("/proc/meminfo", O_RDONLY);
  check(fd >= 0);
  int n = read(fd, text, sizeof text - 1);
  close(fd);
  check(n > 0);
  text[n] = 0;
  for (char *line = text; line; line = strchr(line, '\n')) {
    line += *line == '\n';
    if (memcmp(line, "MemFree:", 8) == 0) {
      for (line += 8; *line == ' '; line++)
        ;
      return atoi(line);
    }
  }
  check(!"MemFree is in /proc/meminfo");
}

int pages_to_have(void) {
  char *start = sbrk(0);
  int count = 0;
  while (sbrk(PGSIZE) != FAILED)
    count++;
  sbrk(start - sbrk(0));
  return count;
}
