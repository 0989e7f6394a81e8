/* Programs: their words, what they keep, and what is no program. */
#include "check.h"

static char text[4096];

/* Runs a program in a child with its output in `out`; whether `out` has what
 * was expected. */
static int says(char **arguments, const char *expected) {
  int pid = fork();
  check(pid >= 0);
  if (pid == 0) {
    close(1);
    check(open("out", O_CREATE | O_TRUNC | O_WRONLY) == 1);
    exec(arguments[0], arguments);
    check(!"exec comes back");
  }
  check(reap() == pid);
  int right = holds("out", expected, strlen(expected));
  check(unlink("out") == 0);
  return right;
}

static void words_arrive(void) {
  char *words[] = {"/bin/echo", "one", "", "t w o", 0};
  check(says(words, "one  t w o\n"));
  char *none[] = {"/bin/echo", 0};
  check(says(none, "\n"));
  /* A bare name is one of the working folder, or of the programs. */
  char *bare[] = {"echo", "found", 0};
  check(says(bare, "found\n"));
}

/* More of them than xv6 takes. */
static void many_words_arrive(void) {
  static char *words[502];
  words[0] = "/bin/echo";
  for (int i = 1; i <= 500; i++)
    words[i] = "abcdef";
  for (int i = 0; i < 500; i++)
    memcpy(text + 7 * i, "abcdef ", 7);
  text[3499] = '\n';
  text[3500] = 0;
  check(says(words, text));
}

/* More than the kernel has room for: nothing is lost, and it can go on. */
static void too_many_bytes_of_words(void) {
  static char *words[40];
  int size = 100000;
  char *word = malloc(size);
  check(word != 0);
  memset(word, 'w', size);
  word[size - 1] = 0;
  words[0] = "/bin/echo";
  for (int i = 1; i < COUNT(words) - 1; i++)
    words[i] = word;
  check(exec("/bin/echo", words) == -1);
  words[1] = "after";
  words[2] = 0;
  check(says(words, "after\n"));
  free(word);
}

static void files_stay_open(void) {
  char *words[] = {"/bin/cat", 0};
  make_file("in", "0123456789", 10);
  int pid = fork();
  check(pid >= 0);
  if (pid == 0) {
    close(0);
    check(open("in", O_RDONLY) == 0 && read(0, text, 4) == 4);
    check(says(words, "456789"));
    quit();
  }
  check(reap() == pid && !exists("out") && unlink("in") == 0);
  check(comes_back(words_arrive));
}

static void no_programs(void) {
  char *words[] = {"program", 0};
  static struct {
    const char *bytes;
    int length;
  } files[] = {{"", 0}, {"x", 1}, {"\x7f" "ELF", 4}, {"just some text\nof two lines\n", 28}};
  for (int i = 0; i < COUNT(files); i++) {
    make_file("program", files[i].bytes, files[i].length);
    check(exec("program", words) == -1);
    check(exec("./program", words) == -1);
  }
  check(unlink("program") == 0 && mkdir("program") == 0);
  check(exec("program", words) == -1 && unlink("program") == 0);
  check(exec("program", words) == -1);
}

/* The beginning of a program, of every length up to a page: it is refused, or
 * ends at its first step. */
static void programs_that_are_cut_short(void) {
  char *words[] = {"./program", 0};
  int fd = open("/bin/echo", O_RDONLY);
  check(fd >= 0 && read(fd, text, sizeof text) == sizeof text);
  close(fd);
  for (int length = 1; length <= (int)sizeof text; length += 119) {
    make_file("program", text, length);
    int pid = fork();
    check(pid >= 0);
    if (pid == 0) {
      exec("./program", words);
      quit();
    }
    check(reap() == pid);
  }
  check(unlink("program") == 0);
}

static void a_program_that_is_removed(void) {
  char *words[] = {"./program", "still here", 0};
  int from = open("/bin/echo", O_RDONLY), to = open("program", O_CREATE | O_RDWR), n;
  while ((n = read(from, text, sizeof text)) > 0)
    check(write(to, text, n) == n);
  close(from);
  close(to);
  check(says(words, "still here\n"));
  check(unlink("program") == 0 && exec("./program", words) == -1);
}

/* With nearly all memory taken, exec works or gives -1, or the program ends: as
 * many pages as it may need are kept free, more each time. */
static void exec_while_memory_is_short(void) {
  char *words[] = {"/bin/echo", "x", 0};
  for (int spare = 0; spare < 12; spare++) {
    int pid = fork();
    check(pid >= 0);
    if (pid == 0) {
      while (sbrk(PGSIZE) != FAILED)
        ;
      sbrk(-spare * PGSIZE);
      close(1);
      open("/dev/null", O_WRONLY);
      exec(words[0], words);
      quit();
    }
    check(reap() == pid);
  }
  check(comes_back(words_arrive));
}

/* What a program had is given back before the next one runs. */
static void memory_goes_with_the_program(void) {
  char *words[] = {"/bin/true", 0};
  int before = free_memory();
  for (int i = 0; i < 10; i++) {
    int pid = fork();
    check(pid >= 0);
    if (pid == 0) {
      check(sbrk(20 << 20) != FAILED);
      exec(words[0], words);
      check(!"exec comes back");
    }
    check(reap() == pid);
  }
  check(free_memory() > before - 1024);
}

const struct test exec_tests[] = {
    TEST(words_arrive),
    TEST(many_words_arrive),
    TEST(too_many_bytes_of_words),
    TEST(files_stay_open),
    TEST(no_programs),
    TEST(programs_that_are_cut_short),
    TEST(a_program_that_is_removed),
    TEST(exec_while_memory_is_short),
    TEST(memory_goes_with_the_program),
    {0, 0},
};
