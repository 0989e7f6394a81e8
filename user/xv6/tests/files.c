/* The bytes of files: large and with holes, through shared descriptors, of files
 * that have lost their name, and descriptors that are not there. */
#include "check.h"

/* Longer than the longest file of either edition. */
#define LARGE 300000

static char buffer[10000];

static char byte_at(int at) {
  return at * 7 + at / 256;
}

/* Writes of many sizes, some of them odd, and reads of others. */
static void a_large_file_in_odd_pieces(void) {
  int fd = open("large", O_CREATE | O_RDWR), at = 0, size = 1, n;
  check(fd >= 0);
  while (at < LARGE) {
    n = size < LARGE - at ? size : LARGE - at;
    for (int i = 0; i < n; i++)
      buffer[i] = byte_at(at + i);
    check(write(fd, buffer, n) == n);
    at += n;
    size = size * 3 % sizeof buffer + 1;
  }
  check(read(fd, buffer, 1) == 0);
  close(fd);
  fd = open("large", O_RDONLY);
  for (at = 0, size = 1; (n = read(fd, buffer, size)) > 0; at += n) {
    check(n == (size < LARGE - at ? size : LARGE - at));
    for (int i = 0; i < n; i++)
      check(buffer[i] == byte_at(at + i));
    size = size * 5 % sizeof buffer + 1;
  }
  check(n == 0 && at == LARGE);
  close(fd);
  check(unlink("large") == 0);
}

/* A descriptor writes where it is, though the file was cut short meanwhile. */
static void a_hole_reads_as_zeroes(void) {
  memset(buffer, 'x', sizeof buffer);
  int fd = open("hole", O_CREATE | O_RDWR);
  check(write(fd, buffer, sizeof buffer) == sizeof buffer);
  int other = open("hole", O_TRUNC | O_RDWR);
  check(other >= 0 && read(other, buffer, 1) == 0);
  check(write(fd, "end", 3) == 3);
  for (int i = 0; i < 10000; i += 1000) {
    check(read(other, buffer, 1000) == 1000);
    for (int j = 0; j < 1000; j++)
      check(buffer[j] == 0);
  }
  check(read(other, buffer, 1000) == 3 && memcmp(buffer, "end", 3) == 0);
  close(fd);
  close(other);
  check(unlink("hole") == 0);
}

static void truncation_is_seen_at_once(void) {
  make_file("cut", "0123456789", 10);
  int reader = open("cut", O_RDONLY);
  check(read(reader, buffer, 4) == 4);
  int writer = open("cut", O_WRONLY | O_TRUNC);
  check(read(reader, buffer, 4) == 0);
  check(write(writer, "abcdefgh", 8) == 8);
  check(read(reader, buffer, 100) == 4 && memcmp(buffer, "efgh", 4) == 0);
  check(open("cut", O_RDONLY | O_TRUNC) >= 0 && read(reader, buffer, 1) == 0);
  check(holds("cut", "", 0));
  close(reader);
  close(writer);
  check(unlink("cut") == 0);
}

static int shared;

static void write_hundred(void) {
  for (int i = 0; i < 100; i++)
    check(write(shared, "0123456789", 10) == 10);
}

/* No write through one descriptor goes over another. */
static void a_descriptor_is_shared(void) {
  int n, total = 0;
  shared = open("shared", O_CREATE | O_RDWR);
  begin(write_hundred);
  begin(write_hundred);
  write_hundred();
  reap_all(2);
  close(shared);
  int fd = open("shared", O_RDONLY);
  while ((n = read(fd, buffer, 10)) == 10) {
    check(memcmp(buffer, "0123456789", 10) == 0);
    total++;
  }
  check(n == 0 && total == 300);
  close(fd);
  check(unlink("shared") == 0);
}

static int writer;

static void write_own_file(void) {
  char *name = numbered("own", writer);
  int fd = open(name, O_CREATE | O_RDWR);
  memset(buffer, 'a' + writer, 500);
  for (int i = 0; i < 40; i++)
    check(write(fd, buffer, 500) == 500);
}

static void files_of_several_writers_stay_apart(void) {
  for (writer = 0; writer < 4; writer++)
    begin(write_own_file);
  reap_all(4);
  for (writer = 0; writer < 4; writer++) {
    char *name = numbered("own", writer);
    int fd = open(name, O_RDONLY), total = 0, n;
    while ((n = read(fd, buffer, sizeof buffer)) > 0)
      for (total += n; n > 0;)
        check(buffer[--n] == 'a' + writer);
    close(fd);
    check(total == 20000 && unlink(name) == 0);
  }
}

static void a_file_without_a_name_is_still_there(void) {
  struct stat status;
  make_file("gone", "before", 6);
  int fd = open("gone", O_RDWR), other = open("gone", O_RDWR);
  check(unlink("gone") == 0 && open("gone", O_RDONLY) == -1);
  check(fstat(fd, &status) == 0 && status.nlink == 0 && status.size == 6);
  make_file("gone", "another", 7);
  check(read(fd, buffer, 100) == 6 && memcmp(buffer, "before", 6) == 0);
  memset(buffer, 'g', sizeof buffer);
  for (int i = 0; i < 20; i++)
    check(write(fd, buffer, sizeof buffer) == sizeof buffer);
  close(fd);
  check(read(other, buffer, 6) == 6);
  for (int i = 0; i < 20; i++) {
    check(read(other, buffer, sizeof buffer) == sizeof buffer);
    check(buffer[0] == 'g' && buffer[sizeof buffer - 1] == 'g');
  }
  check(read(other, buffer, 1) == 0);
  close(other);
  check(holds("gone", "another", 7) && unlink("gone") == 0);
}

static void sit_in_a_removed_folder(void) {
  struct dirent entry;
  check(mkdir("d") == 0 && chdir("d") == 0 && unlink("../d") == 0);
  check(open("file", O_CREATE | O_RDWR) == -1);
  check(mkdir("e") == -1);
  check(mknod("node", 1, 1) == -1);
  int fd = open(".", O_RDONLY);
  while (fd >= 0 && read(fd, &entry, sizeof entry) == sizeof entry)
    check(entry.name[0] == '.');
  close(fd);
}

/* Left by its only user as that ends, and left for another folder. */
static void a_removed_working_folder(void) {
  check(comes_back(sit_in_a_removed_folder));
  check(!exists("d") && mkdir("d") == 0 && unlink("d") == 0);
  sit_in_a_removed_folder();
  check(chdir("/xv6-tests") == 0 && !exists("d"));
}

static void descriptors_that_are_not_open(void) {
  static int bad[] = {-1, -2147483647 - 1, 63, 1000, 1 << 20, 0x7fffffff};
  struct stat status;
  for (int i = 0; i < COUNT(bad); i++) {
    check(read(bad[i], buffer, 1) == -1);
    check(write(bad[i], buffer, 1) == -1);
    check(close(bad[i]) == -1);
    check(dup(bad[i]) == -1);
    check(fstat(bad[i], &status) == -1);
  }
  int fd = open("file", O_CREATE | O_WRONLY);
  check(read(fd, buffer, 1) == -1 && write(fd, "x", 1) == 1);
  check(close(fd) == 0 && close(fd) == -1 && write(fd, "x", 1) == -1);
  fd = open("file", O_RDONLY);
  check(write(fd, "y", 1) == -1);
  close(fd);
  check(holds("file", "x", 1) && unlink("file") == 0);
}

static void no_length_and_less(void) {
  make_file("file", "x", 1);
  int fd = open("file", O_RDWR);
  check(read(fd, buffer, 0) == 0 && write(fd, buffer, 0) == 0);
  check(write(fd, buffer, -1) == -1 && write(fd, buffer, -2147483647 - 1) == -1);
  check(read(fd, buffer, -1) <= 0);
  close(fd);
  check(holds("file", "x", 1) && unlink("file") == 0);
}

/* The least free number is taken; none is lost when a call fails. */
static void descriptors_run_out(void) {
  int last = -1, count = 0, fd, ends[2];
  while ((fd = dup(1)) >= 0) {
    check(fd > last);
    last = fd;
    count++;
  }
  check(count >= 13);
  check(open(".", O_RDONLY) == -1 && pipe(ends) == -1);
  close(last);
  check(pipe(ends) == -1 && open(".", O_RDONLY) == last);
  close(last);
  close(last - 1);
  check(pipe(ends) == 0 && ends[0] + ends[1] == 2 * last - 1);
}

static void a_device_has_a_name(void) {
  struct stat status;
  check(mknod("device", 1, 3) == 0);
  check(stat("device", &status) == 0 && status.type == 3);
  int fd = open("device", O_RDWR);
  check(fd >= 0 && write(fd, "gone", 4) == 4 && read(fd, buffer, 4) == 0);
  close(fd);
  check(mkdir("device/x") == -1 && chdir("device") == -1 && unlink("device") == 0);
}

const struct test file_tests[] = {
    TEST(a_large_file_in_odd_pieces),
    TEST(a_hole_reads_as_zeroes),
    TEST(truncation_is_seen_at_once),
    TEST(a_descriptor_is_shared),
    TEST(files_of_several_writers_stay_apart),
    TEST(a_file_without_a_name_is_still_there),
    TEST(a_removed_working_folder),
    TEST(descriptors_that_are_not_open),
    TEST(no_length_and_less),
    TEST(descriptors_run_out),
    TEST(a_device_has_a_name),
    {0, 0},
};
