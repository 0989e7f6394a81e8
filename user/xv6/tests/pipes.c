/* Pipes: bytes in their order at any size, their ends, and processes that are
 * killed at them. */
#include "check.h"

static char buffer[20000];
static int ends[2], size, count;

static void write_numbers(void) {
  int at = 0;
  close(ends[0]);
  for (int i = 0; i < count; i++) {
    for (int j = 0; j < size; j++)
      buffer[j] = at++ % 251;
    check(write(ends[1], buffer, size) == size);
  }
}

/* Every byte in its place, whatever the writer's and the reader's sizes are. */
static void odd_sizes(void) {
  static int sizes[][2] = {{1, 1}, {1, 4096}, {7, 3}, {511, 512}, {513, 512}, {1033, 17}, {4095, 4097}, {4097, 4095}, {16384, 5}, {20000, 20000}};
  for (int i = 0; i < COUNT(sizes); i++) {
    int at = 0, n;
    size = sizes[i][0];
    count = size < 100 ? 500 : 6;
    check(pipe(ends) == 0);
    begin(write_numbers);
    close(ends[1]);
    while ((n = read(ends[0], buffer, sizes[i][1])) > 0) {
      check(n <= sizes[i][1]);
      for (int j = 0; j < n; j++)
        check(buffer[j] == (char)(at++ % 251));
    }
    check(n == 0 && at == size * count);
    close(ends[0]);
    reap_all(1);
  }
}

static void write_ones(void) {
  for (int i = 0; i < 300; i++)
    check(write(ends[1], "11", 2) == 2);
}

static void several_writers(void) {
  int n, total = 0;
  check(pipe(ends) == 0);
  for (int i = 0; i < 3; i++)
    begin(write_ones);
  close(ends[1]);
  while ((n = read(ends[0], buffer, 97)) > 0)
    total += n;
  check(n == 0 && total == 1800);
  close(ends[0]);
  reap_all(3);
}

static void an_end_alone(void) {
  check(pipe(ends) == 0);
  check(write(ends[1], "left", 4) == 4);
  close(ends[1]);
  check(read(ends[0], buffer, 100) == 4 && read(ends[0], buffer, 100) == 0);
  check(read(ends[0], buffer, 0) == 0 && write(ends[0], "x", 1) == -1);
  close(ends[0]);
  /* Nobody reads: that is an error, and does not end the writer. */
  check(pipe(ends) == 0);
  close(ends[0]);
  check(write(ends[1], "x", 1) == -1 && write(ends[1], buffer, sizeof buffer) == -1);
  check(read(ends[1], buffer, 1) == -1);
  close(ends[1]);
}

static void read_a_little(void) {
  close(ends[1]);
  check(read(ends[0], buffer, 10) > 0);
}

/* The reader goes while the writer waits for room. */
static void the_reader_leaves(void) {
  check(pipe(ends) == 0);
  begin(read_a_little);
  close(ends[0]);
  int written = 0;
  while (write(ends[1], buffer, sizeof buffer) == sizeof buffer)
    written += sizeof buffer;
  check(write(ends[1], "x", 1) == -1);
  check(written < 1 << 20);
  close(ends[1]);
  reap_all(1);
}

static void wait_for_room(void) {
  for (;;)
    check(write(ends[1], buffer, sizeof buffer) > 0);
}

static void wait_for_bytes(void) {
  char byte;
  read(ends[0], &byte, 1);
}

static void kill_at_a_pipe(void) {
  check(pipe(ends) == 0);
  int reader = begin(wait_for_bytes), writer;
  check(kill(reader) == 0 && reap() == reader);
  writer = begin(wait_for_room);
  /* Something has come, so it is at work. */
  check(read(ends[0], buffer, 1) == 1);
  check(kill(writer) == 0 && reap() == writer);
  close(ends[1]);
  while (read(ends[0], buffer, sizeof buffer) > 0)
    ;
  close(ends[0]);
}

static void pipes_until_there_are_no_more(void) {
  int most = 0, again = 0, first = dup(1);
  close(first);
  while (pipe(ends) == 0)
    most++;
  /* One descriptor may be left, which is not enough. */
  close(dup(1));
  check(most >= 5 && pipe(ends) == -1);
  for (int fd = first; fd <= ends[1]; fd++)
    if (fd != first + 1)
      close(fd);
  while (pipe(ends) == 0)
    again++;
  check(again == most);
}

const struct test pipe_tests[] = {
    TEST(odd_sizes),
    TEST(several_writers),
    TEST(an_end_alone),
    TEST(the_reader_leaves),
    TEST(kill_at_a_pipe),
    TEST(pipes_until_there_are_no_more),
    {0, 0},
};
