/* Paths: too long ones, names longer than xv6's, `.` and `..`, and files and
 * folders in each other's place. */
#include "check.h"

/* Every call that takes a path refuses this one. */
static void refused(char *path) {
  char *arguments[] = {"x", 0};
  check(open(path, O_RDONLY) == -1);
  check(open(path, O_CREATE | O_RDWR) == -1);
  check(unlink(path) == -1);
  check(mkdir(path) == -1);
  check(mknod(path, 1, 1) == -1);
  check(chdir(path) == -1);
  check(link("file", path) == -1);
  check(link(path, "other") == -1);
  check(exec(path, arguments) == -1);
}

/* Longer than any path can be, as one name and as many. */
static void paths_too_long(void) {
  static char path[8192];
  make_file("file", "", 0);
  memset(path, 'x', sizeof path - 1);
  refused(path);
  for (int i = 1; i < sizeof path - 1; i += 2)
    path[i] = '/';
  refused(path);
  for (int i = 0; i < sizeof path - 1; i += 2)
    path[i] = '.';
  refused(path);
  check(!exists("other") && unlink("file") == 0);
}

/* Names that are alike in what xv6 would keep of them are still two. */
static void long_names_are_kept(void) {
  static char name[257];
  struct dirent entry;
  int found = 0;
  check(mkdir("exactly-14-bytes") == 0);
  check(mkdir("exactly-14-bytez") == 0);
  make_file("exactly-14-bytes/x", "one", 3);
  make_file("exactly-14-bytez/x", "two", 3);
  check(holds("exactly-14-bytes/x", "one", 3));
  check(open("exactly-14-byt", O_RDONLY) == -1);
  int fd = open(".", O_RDONLY);
  while (read(fd, &entry, sizeof entry) == sizeof entry)
    found += memcmp(entry.name, "exactly-14-byt", DIRSIZ) == 0;
  close(fd);
  check(found == 2);
  check(unlink("exactly-14-bytes/x") == 0 && unlink("exactly-14-bytez/x") == 0);
  check(unlink("exactly-14-bytes") == 0 && unlink("exactly-14-bytez") == 0);
  memset(name, 'n', 255);
  make_file(name, "long", 4);
  check(holds(name, "long", 4) && unlink(name) == 0);
  name[255] = 'n';
  make_file("file", "", 0);
  refused(name);
  check(unlink("file") == 0);
}

static void dots_stay(void) {
  check(mkdir("d") == 0 && chdir("d") == 0);
  make_file("file", "x", 1);
  static char *names[] = {".", "..", "../d/.", "../d/..", "./", "../", "/", "//", "/."};
  for (int i = 0; i < COUNT(names); i++) {
    check(unlink(names[i]) == -1);
    check(mkdir(names[i]) == -1);
    check(link("file", names[i]) == -1);
    check(link(names[i], "link") == -1);
    check(open(names[i], O_RDWR) == -1);
    check(open(names[i], O_CREATE) == -1);
    check(mknod(names[i], 1, 1) == -1);
  }
  check(!exists("link") && exists("../d/file"));
  check(unlink("file") == 0 && chdir("..") == 0 && unlink("d") == 0);
  check(chdir("d") == -1);
}

static uint number_of(const char *path) {
  struct stat status;
  check(stat(path, &status) == 0);
  return status.ino;
}

static void dots_lead_where_they_say(void) {
  check(mkdir("d") == 0 && mkdir("d/e") == 0);
  make_file("d/e/file", "x", 1);
  uint number = number_of("d/e/file");
  static char *paths[] = {
      "./d/./e/file", "d//e///file", "d/e/../e/file", "d/e/../../d/e/file", "d/../d/../d/e/./file",
  };
  for (int i = 0; i < COUNT(paths); i++)
    check(number_of(paths[i]) == number);
  check(chdir("d/e/../e") == 0 && number_of("file") == number && number_of("../e/file") == number);
  check(unlink("../e/./file") == 0 && !exists("file"));
  check(unlink("../../d/e") == 0 && chdir("/") == 0);
  check(number_of("..") == number_of("/") && number_of("/../../..") == number_of("/"));
  check(chdir("/xv6-tests") == 0 && unlink("d/../d") == 0);
}

static void files_are_no_folders(void) {
  char *arguments[] = {"file/program", 0};
  make_file("file", "x", 1);
  check(chdir("file") == -1);
  static char *paths[] = {"file/x", "file/.", "file/..", "file/../file", "file/x/y"};
  for (int i = 0; i < COUNT(paths); i++)
    refused(paths[i]);
  check(exec("file/program", arguments) == -1);
  check(mkdir("file") == -1 && mknod("file", 1, 1) == -1);
  check(holds("file", "x", 1) && unlink("file") == 0);
}

static void folders_are_no_files(void) {
  char byte = 'x', *arguments[] = {"d", 0};
  check(mkdir("d") == 0);
  check(mkdir("d") == -1);
  check(open("d", O_WRONLY) == -1);
  check(open("d", O_RDWR) == -1);
  check(open("d", O_CREATE | O_RDWR) == -1);
  check(link("d", "other") == -1);
  check(exec("d", arguments) == -1);
  int fd = open("d", O_RDONLY);
  check(fd >= 0 && write(fd, &byte, 1) == -1);
  close(fd);
  make_file("d/file", "x", 1);
  check(unlink("d") == -1);
  check(unlink("d/file") == 0 && unlink("d") == 0 && !exists("d"));
}

static void empty_paths(void) {
  char *arguments[] = {"", 0};
  make_file("file", "", 0);
  check(mkdir("") == -1);
  check(unlink("") == -1);
  check(mknod("", 1, 1) == -1);
  check(link("file", "") == -1);
  check(link("", "other") == -1);
  check(open("", O_CREATE | O_RDWR) == -1);
  check(exec("", arguments) == -1);
  check(unlink("file") == 0);
}

static void what_is_not_there(void) {
  char *arguments[] = {"none", 0};
  static char *paths[] = {"none", "none/x", "./none", "../none", "none/..", "/none/none"};
  for (int i = 0; i < COUNT(paths); i++) {
    check(open(paths[i], O_RDWR) == -1);
    check(unlink(paths[i]) == -1);
    check(chdir(paths[i]) == -1);
    check(link(paths[i], "other") == -1);
    check(exec(paths[i], arguments) == -1);
  }
  check(mkdir("none/x") == -1 && open("none/x", O_CREATE) == -1 && mknod("none/x", 1, 1) == -1);
  check(!exists("other"));
}

const struct test path_tests[] = {
    TEST(paths_too_long),
    TEST(long_names_are_kept),
    TEST(dots_stay),
    TEST(dots_lead_where_they_say),
    TEST(files_are_no_folders),
    TEST(folders_are_no_files),
    TEST(empty_paths),
    TEST(what_is_not_there),
    {0, 0},
};
