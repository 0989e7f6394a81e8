/* Addresses that are not the program's, given to every call that takes one: the
 * call fails, and nothing else happens. */
#include "check.h"

/* Nowhere in a program: what lies past its break, the kernel's, past the end of
 * all addresses that a program can have, and across it. */
static char *bad[] = {
    (char *)0x7ffffffff000,     /* the last page's end */
    (char *)0x7fffffffefff,     /* from the stack's last byte on */
    (char *)0x800000000000,     /* no canonical address */
    (char *)0xffff7fffffffffff, /* the last that is none */
    (char *)0xffff800000000000, /* the kernel's first */
    (char *)0xffffffff80000000, /* the kernel's own */
    (char *)0xfffffffffffffff0, /* the buffer ends past the last address */
    FAILED,
};

/* `of` is given each bad address, and one page past the break. */
static void each(void (*of)(char *)) {
  for (int i = 0; i < COUNT(bad); i++)
    of(bad[i]);
  of(sbrk(0) + PGSIZE);
}

static void bad_to_read(char *at) {
  int fd = open("pointers", O_RDONLY);
  check(read(fd, at + (at == bad[1]), 64) == -1);
  close(fd);
}

static void reads_into_what_is_not_there(void) {
  make_file("pointers", "0123456789", 10);
  each(bad_to_read);
  check(unlink("pointers") == 0);
}

static void bad_to_write(char *at) {
  int fd = open("pointers", O_CREATE | O_TRUNC | O_RDWR);
  check(write(fd, at + (at == bad[1]), 64) == -1);
  close(fd);
  check(holds("pointers", "", 0));
}

static void writes_from_what_is_not_there(void) {
  each(bad_to_write);
  check(unlink("pointers") == 0);
}

static void bad_to_pipes(char *at) {
  int ends[2];
  check(pipe(ends) == 0);
  check(write(ends[1], at + (at == bad[1]), 64) == -1);
  check(write(ends[1], "x", 1) == 1);
  check(read(ends[0], at + (at == bad[1]), 64) == -1);
  close(ends[0]);
  close(ends[1]);
}

static void pipes_of_what_is_not_there(void) {
  each(bad_to_pipes);
}

static void bad_to_pipe(char *at) {
  check(pipe((int *)at) == -1);
}

static void pipe_gives_back_what_it_cannot_tell(void) {
  int before = spare_descriptors();
  each(bad_to_pipe);
  check(spare_descriptors() == before);
}

static void bad_to_fstat(char *at) {
  check(fstat(1, (struct stat *)at) == -1);
  check(stat(".", (struct stat *)at) == -1);
}

static void fstat_into_what_is_not_there(void) {
  int before = spare_descriptors();
  each(bad_to_fstat);
  check(spare_descriptors() == before);
}

static void bad_to_listing(char *at) {
  int fd = open(".", O_RDONLY);
  check(read(fd, at + (at == bad[1]), sizeof(struct dirent)) == -1);
  close(fd);
}

static void folders_into_what_is_not_there(void) {
  each(bad_to_listing);
}

static void bad_to_names(char *at) {
  char *arguments[] = {"echo", 0};
  /* The stack's last byte is the end of an empty string. */
  if (at == bad[1])
    return;
  check(open(at, O_RDONLY) == -1);
  check(open(at, O_CREATE | O_WRONLY) == -1);
  check(unlink(at) == -1);
  check(mkdir(at) == -1);
  check(chdir(at) == -1);
  check(mknod(at, 1, 1) == -1);
  check(link(at, "other") == -1);
  check(link("named", at) == -1);
  check(exec(at, arguments) == -1);
}

static void names_that_are_not_there(void) {
  make_file("named", "", 0);
  each(bad_to_names);
  check(!exists("other"));
  check(unlink("named") == 0);
}

static void bad_to_exec(char *at) {
  char *arguments[] = {"echo", at == bad[1] ? at + 1 : at, 0};
  check(exec("/bin/echo", arguments) == -1);
  check(exec("/bin/echo", (char **)at) == -1);
}

static void arguments_that_are_not_there(void) {
  each(bad_to_exec);
}

/* The pages of the program's text can be read, and not be written. */
static void text_is_no_buffer(void) {
  int ends[2];
  check(pipe(ends) == 0);
  char *text = (char *)text_is_no_buffer;
  check(write(ends[1], text, 16) == 16);
  check(read(ends[0], text, 16) == -1);
  check(pipe((int *)text) == -1);
  check(fstat(1, (struct stat *)text) == -1);
}

/* What lies on both sides of the break: only what is there may be taken. */
static void buffers_across_the_break(void) {
  static char back[256];
  char *top = sbrk(PGSIZE - (uint64)sbrk(0) % PGSIZE + PGSIZE);
  top = sbrk(0);
  memset(top - 100, 'b', 100);
  int fd = open("across", O_CREATE | O_RDWR);
  int n = write(fd, top - 100, 200);
  check(n == -1 || (n >= 0 && n <= 100));
  close(fd);
  fd = open("across", O_RDONLY);
  int length = read(fd, back, sizeof back);
  check(length == (n < 0 ? 0 : n));
  for (int i = 0; i < length; i++)
    check(back[i] == 'b');
  close(fd);
  make_file("across", back, sizeof back);
  fd = open("across", O_RDONLY);
  n = read(fd, top - 100, 200);
  check(n == -1 || (n >= 0 && n <= 100));
  close(fd);
  check(unlink("across") == 0);
}

/* A name, or a word for exec, whose end would lie past the break. */
static void strings_without_an_end(void) {
  sbrk(PGSIZE - (uint64)sbrk(0) % PGSIZE + PGSIZE);
  char *last = sbrk(0) - 1, *arguments[] = {"echo", last, 0};
  *last = 'x';
  check(open(last, O_CREATE | O_WRONLY) == -1);
  check(mkdir(last) == -1);
  check(exec(last, arguments) == -1);
  check(exec("/bin/echo", arguments) == -1);
  *last = 0;
  check(open(last, O_CREATE | O_WRONLY) == -1);
  /* The list of arguments ends with the memory. */
  char **list = (char **)(last + 1) - 1;
  *list = "word";
  check(exec("/bin/echo", list) == -1);
}

#if RISCV
static void leave(void) {
}

static void bad_to_wait(char *at) {
  check(wait((int *)at) == -1);
}

/* A child that could not be told of is still there to be waited for. */
static void wait_into_what_is_not_there(void) {
  int status = 1, pid = begin(leave);
  each(bad_to_wait);
  bad_to_wait((char *)leave);
  check(wait(&status) == pid && status == 0);
}
#endif

const struct test pointer_tests[] = {
    TEST(reads_into_what_is_not_there),
    TEST(writes_from_what_is_not_there),
    TEST(pipes_of_what_is_not_there),
    TEST(pipe_gives_back_what_it_cannot_tell),
    TEST(fstat_into_what_is_not_there),
    TEST(folders_into_what_is_not_there),
    TEST(names_that_are_not_there),
    TEST(arguments_that_are_not_there),
    TEST(text_is_no_buffer),
    TEST(buffers_across_the_break),
    TEST(strings_without_an_end),
#if RISCV
    TEST(wait_into_what_is_not_there),
#endif
    {0, 0},
};
