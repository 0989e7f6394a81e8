/* With the boot options `limits=xv6 limit.size=71680` each limit of xv6 is where
 * it is there, and what was taken up to it can be given back and had again. */
#include "check.h"

enum { SIZE = 71680, DISK = 2048000, INODES = 200, THREADS = 64, FILES = 16, PATH = 128, ARGUMENTS = 4096 };

static char buffer[8192];

static void limit_files(void) {
  int fd, last = 0, ends[2];
  while ((fd = dup(1)) >= 0)
    last = fd;
  check(last == FILES - 1 && open(".", O_RDONLY) == -1 && pipe(ends) == -1);
  close(last);
  check(pipe(ends) == -1 && dup(1) == last);
}


static void limit_arguments(void) {
  char *words[] = {"/bin/true", buffer, 0};
  memset(buffer, 'w', ARGUMENTS);
  buffer[ARGUMENTS] = 0;
  check(exec("/bin/true", words) == -1);
  buffer[ARGUMENTS - 100] = 0;
  int pid = fork();
  check(pid >= 0);
  if (pid == 0) {
    exec("/bin/true", words);
    /* The parent sees that this one is not killed. */
    check(!"so many bytes are taken");
  }
#if RISCV
  int status;
  check(wait(&status) == pid && status == 0);
#else
  check(reap() == pid);
#endif
}

/* `length` bytes that lead to the working folder. */
static char *path_of(int length) {
  for (int i = 0; i < length; i += 2)
    memcpy(buffer + i, "./", 2);
  buffer[length] = 0;
  return buffer;
}

static void limit_path(void) {
  char *words[] = {"x", 0};
  check(exists(path_of(PATH - 2)));
  char *path = path_of(PATH);
  check(open(path, O_RDONLY) == -1 && mkdir(path) == -1 && unlink(path) == -1 && chdir(path) == -1);
  check(link(path, "x") == -1 && link("x", path) == -1 && mknod(path, 1, 1) == -1 && exec(path, words) == -1);
}

static int fork_until_it_fails(void) {
  int ends[2], count = 0, pid;
  char byte;
  check(pipe(ends) == 0);
  while ((pid = fork()) > 0)
    count++;
  if (pid == 0) {
    /* Until the parent lets go. */
    close(ends[1]);
    read(ends[0], &byte, 1);
    quit();
  }
  close(ends[1]);
  reap_all(count);
  check(reap() == -1);
  close(ends[0]);
  return count;
}

static void limit_threads(void) {
  int count = fork_until_it_fails();
  check(count > THREADS / 2 && count < THREADS);
  /* Whoever was waited for does not count. */
  for (int i = 0; i < 3; i++)
    check(fork_until_it_fails() == count);
}

static void leave(void) {
}

static void leave_a_child_behind(void) {
  begin(leave);
}

/* Far more of them than there may be at a time; none is waited for but by init. */
static void orphans_make_room(void) {
  for (int i = 0; i < 5 * THREADS; i++)
    check(comes_back(leave_a_child_behind));
}

static void limit_name(void) {
  check(mkdir("exactly-14-byt") == 0);
  check(mkdir("exactly-14-bytes") == -1);
  make_file("exactly-14-bytes/exactly-14-bytes", "x", 1);
  check(holds("exactly-14-byt/exactly-14-byt", "x", 1));
  check(mkdir("exactly-14-by") == 0 && unlink("exactly-14-by") == 0);
  check(unlink("exactly-14-bytez/exactly-14-bytez") == 0 && unlink("exactly-14-bytez") == 0);
}

static void limit_gap(void) {
  int fd = open("gap", O_CREATE | O_RDWR);
  check(write(fd, buffer, 1000) == 1000);
  check(write(fd, buffer, 0) == 0);
  int other = open("gap", O_RDWR | O_TRUNC);
  check(write(fd, "x", 1) == -1 && holds("gap", "", 0));
  check(write(other, buffer, 1000) == 1000 && write(fd, "x", 1) == 1);
  close(fd);
  close(other);
  check(unlink("gap") == 0);
}

static void limit_size(void) {
  struct stat status;
  int fd = open("big", O_CREATE | O_RDWR), n, total = 0;
  while ((n = write(fd, buffer, 1000)) > 0)
    total += n;
  check(n == -1 && total >= SIZE - 1000 && total <= SIZE);
  check(write(fd, buffer, 1) == (total < SIZE ? 1 : -1));
  check(fstat(fd, &status) == 0 && status.size <= SIZE);
  close(fd);
  check(unlink("big") == 0);
}

/* Fills the disk with files; how many bytes went into them. */
static int fill_disk(void) {
  int total = 0, n = 1, files = 0;
  while (n > 0) {
    int fd = open(numbered("fill", files++), O_CREATE | O_RDWR);
    check(fd >= 0);
    for (int size = 0; size < 64000 && (n = write(fd, buffer, 4000)) > 0; size += n)
      total += n;
    close(fd);
  }
  check(n == -1 && mkdir("d") == -1);
  /* What is there can still be read, and be removed. */
  while (files-- > 0)
    check(unlink(numbered("fill", files)) == 0);
  check(mkdir("d") == 0 && unlink("d") == 0);
  return total;
}

static void limit_disk(void) {
  for (int i = 0; i < 3; i++) {
    int total = fill_disk();
    check(total <= DISK && total > DISK / 10 * 9);
  }
}

static int use_inodes(void) {
  int count = 0, fd;
  while ((fd = open(numbered("inode", count), O_CREATE | O_RDWR)) >= 0) {
    close(fd);
    count++;
  }
  check(mkdir("d") == -1 && mknod("node", 1, 1) == -1 && fd == -1);
  /* A further name takes none. */
  check(link("inode0", "link") == 0 && unlink("link") == 0);
  for (int i = 0; i < count; i++)
    check(unlink(numbered("inode", i)) == 0);
  return count;
}

static void limit_inodes(void) {
  int count = use_inodes();
  check(count <= INODES && count > INODES / 2);
  check(use_inodes() == count && use_inodes() == count);
}

const struct test limit_tests[] = {
    TEST(limit_files),
    TEST(limit_arguments),
    TEST(limit_path),
    TEST(limit_threads),
    TEST(orphans_make_room),
    TEST(limit_name),
    TEST(limit_gap),
    TEST(limit_size),
    TEST(limit_disk),
    TEST(limit_inodes),
    {0, 0},
};
