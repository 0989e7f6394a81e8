/* Names that several processes make and remove at once, and files with several
 * names. */
#include "check.h"

#define ROUNDS 200

static int links_of(const char *path) {
  struct stat status;
  check(stat(path, &status) == 0);
  return status.nlink;
}

static void a_file_with_two_names(void) {
  make_file("one", "shared", 6);
  check(link("one", "two") == 0 && links_of("one") == 2 && links_of("two") == 2);
  check(link("one", "two") == -1 && link("two", "two") == -1 && link("none", "three") == -1);
  check(unlink("one") == 0 && open("one", O_RDONLY) == -1);
  check(holds("two", "shared", 6) && links_of("two") == 1);
  check(link("one", "three") == -1 && unlink("one") == -1);
  check(unlink("two") == 0 && !exists("two"));
}

/* How many of four processes could do it. */
static int winners(int (*act)(void)) {
  int ends[2], count = 0;
  char byte;
  check(pipe(ends) == 0);
  for (int i = 0; i < 4; i++) {
    int pid = fork();
    check(pid >= 0);
    if (pid == 0) {
      if (act() == 0)
        write(ends[1], "w", 1);
      quit();
    }
  }
  close(ends[1]);
  while (read(ends[0], &byte, 1) == 1)
    count++;
  close(ends[0]);
  reap_all(4);
  return count;
}

static int make_folder(void) { return mkdir("d"); }
static int remove_folder(void) { return unlink("d"); }
static int make_link(void) { return link("file", "name"); }
static int remove_link(void) { return unlink("name"); }
static int make_node(void) { return mknod("node", 1, 1); }
static int remove_node(void) { return unlink("node"); }

static void one_of_many_wins(void) {
  make_file("file", "", 0);
  for (int i = 0; i < 20; i++) {
    check(winners(make_folder) == 1);
    check(winners(remove_folder) == 1);
    check(winners(make_link) == 1 && links_of("file") == 2);
    check(winners(remove_link) == 1 && links_of("file") == 1);
    check(winners(make_node) == 1);
    check(winners(remove_node) == 1);
  }
  check(unlink("file") == 0);
}

static void link_over_and_over(void) {
  for (int i = 0; i < ROUNDS; i++)
    link("file", "name");
}

static void unlink_over_and_over(void) {
  for (int i = 0; i < ROUNDS; i++)
    unlink("name");
}

static void open_over_and_over(void) {
  for (int i = 0; i < ROUNDS; i++)
    close(open("name", O_CREATE | O_RDWR));
}

/* Whoever comes first, each name counts once, and nothing is counted twice. */
static void links_and_unlinks_race(void) {
  make_file("file", "x", 1);
  begin(link_over_and_over);
  begin(unlink_over_and_over);
  begin(open_over_and_over);
  begin(unlink_over_and_over);
  reap_all(4);
  unlink("name");
  check(links_of("file") == 1 && holds("file", "x", 1));
  check(unlink("file") == 0);
}

static void make_and_remove_folder(void) {
  for (int i = 0; i < ROUNDS; i++) {
    mkdir("d");
    unlink("d");
  }
}

static void make_and_remove_within(void) {
  for (int i = 0; i < ROUNDS; i++) {
    close(open("d/file", O_CREATE | O_RDWR));
    mkdir("d/e");
    unlink("d/file");
    unlink("d/e");
  }
}

/* No name is made in a folder that is gone, and none that has names goes. */
static void a_folder_that_comes_and_goes(void) {
  begin(make_and_remove_folder);
  begin(make_and_remove_within);
  begin(make_and_remove_folder);
  begin(make_and_remove_within);
  reap_all(4);
  unlink("d/file");
  unlink("d/e");
  unlink("d");
  check(!exists("d") && mkdir("d") == 0 && unlink("d") == 0);
}

enum { MAKERS = 4, EACH = 40 };
static int maker;

/* Each makes names of its own and takes every third away; all make one more. */
static void make_names(void) {
  char prefix[] = "d/a";
  prefix[2] += maker;
  for (int i = 0; i < EACH; i++) {
    char *name = numbered(prefix, i);
    make_file(name, name, strlen(name));
    if (i % 3 == 0)
      check(unlink(name) == 0);
    int fd = open("d/all", O_CREATE | O_RDWR);
    check(fd >= 0);
    close(fd);
  }
}

static void names_made_at_once_are_all_there(void) {
  struct dirent entry;
  int seen = 0, others = 0;
  check(mkdir("d") == 0);
  for (maker = 0; maker < MAKERS; maker++)
    begin(make_names);
  reap_all(MAKERS);
  int fd = open("d", O_RDONLY);
  while (read(fd, &entry, sizeof entry) == sizeof entry) {
    int mine = entry.name[0] >= 'a' && entry.name[0] < 'a' + MAKERS && entry.name[1] >= '0' && entry.name[1] <= '9';
    *(mine ? &seen : &others) += 1;
  }
  close(fd);
  check(seen == MAKERS * (EACH - (EACH + 2) / 3));
  /* `.`, `..` and `all` */
  check(others == 3);
  for (maker = 0; maker < MAKERS; maker++)
    for (int i = 0; i < EACH; i++) {
      char prefix[] = "d/a";
      prefix[2] += maker;
      char *name = numbered(prefix, i);
      check(exists(name) == (i % 3 != 0));
      if (i % 3 != 0)
        check(holds(name, name, strlen(name)) && unlink(name) == 0);
    }
  check(unlink("d/all") == 0 && unlink("d") == 0);
}

/* A folder is read in pieces while names go: what stays is listed just once. */
static void a_listing_while_names_go(void) {
  struct dirent entries[3];
  int kept = 0, n;
  check(mkdir("d") == 0);
  for (int i = 0; i < 60; i++)
    make_file(numbered(i % 2 ? "d/kept" : "d/gone", i), "", 0);
  int fd = open("d", O_RDONLY), at = 0;
  while ((n = read(fd, entries, sizeof entries)) > 0) {
    check(n % sizeof *entries == 0);
    for (int i = 0; i < n / (int)sizeof *entries; i++)
      kept += memcmp(entries[i].name, "kept", 4) == 0;
    if (at < 60)
      check(unlink(numbered("d/gone", at)) == 0);
    at += 2;
  }
  check(n == 0);
  close(fd);
  check(kept == 30);
  for (int i = 0; i < 60; i++)
    unlink(numbered(i % 2 ? "d/kept" : "d/gone", i));
  check(unlink("d") == 0);
}

/* A descriptor's place in a folder is shared by all who have it. */
static int folder;

static void read_three(void) {
  struct dirent entries[3];
  check(read(folder, entries, sizeof entries) == sizeof entries);
}

static void a_listing_is_shared(void) {
  struct dirent entry;
  int rest = 0;
  check(mkdir("d") == 0);
  for (int i = 0; i < 10; i++)
    make_file(numbered("d/file", i), "", 0);
  folder = open("d", O_RDONLY);
  check(comes_back(read_three));
  check(comes_back(read_three));
  int copy = dup(folder);
  check(read(copy, &entry, sizeof entry) == sizeof entry);
  close(copy);
  while (read(folder, &entry, sizeof entry) == sizeof entry)
    rest++;
  close(folder);
  check(rest == 12 - 7);
  for (int i = 0; i < 10; i++)
    unlink(numbered("d/file", i));
  check(unlink("d") == 0);
}

const struct test link_tests[] = {
    TEST(a_file_with_two_names),
    TEST(one_of_many_wins),
    TEST(links_and_unlinks_race),
    TEST(a_folder_that_comes_and_goes),
    TEST(names_made_at_once_are_all_there),
    TEST(a_listing_while_names_go),
    TEST(a_listing_is_shared),
    {0, 0},
};
