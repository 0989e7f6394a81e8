/* The break, the stack, and what a program may not touch. */
#include "check.h"

/* A byte of what `touch` is to write or read. */
static char *volatile target;

static void write_target(void) { *(volatile char *)target = 1; }

static void read_target(void) {
  static volatile char seen;
  seen = *(volatile char *)target;
}

static int writes(char *at) {
  target = at;
  return comes_back(write_target);
}

static int reads(char *at) {
  target = at;
  return comes_back(read_target);
}

static void page_by_page(void) {
  char *start = sbrk(0);
  for (int i = 0; i < 5000; i++) {
    char *page = sbrk(PGSIZE);
    check(page == start + (uint64)i * PGSIZE);
    check(page[0] == 0 && page[PGSIZE - 1] == 0);
    page[0] = page[PGSIZE - 1] = i;
  }
  for (int i = 0; i < 5000; i++)
    check(start[(uint64)i * PGSIZE] == (char)i && start[(uint64)i * PGSIZE + PGSIZE - 1] == (char)i);
  for (int i = 0; i < 5000; i++)
    check(sbrk(-PGSIZE) == start + (uint64)(5000 - i) * PGSIZE);
  check(sbrk(0) == start);
}

static void byte_by_byte(void) {
  char *start = sbrk(0);
  static int steps[] = {1, PGSIZE - 1, PGSIZE, PGSIZE + 1, 3, 100000, -1, -PGSIZE, -99999, 2 * PGSIZE + 7};
  int total = 0;
  for (int i = 0; i < COUNT(steps); i++) {
    check(sbrk(steps[i]) == start + total);
    total += steps[i];
    if (total > 0) {
      start[0] = start[total - 1] = i;
      check(start[0] == i);
    }
  }
  check(sbrk(-total) == start + total && sbrk(0) == start);
}

static void what_is_given_back_is_gone(void) {
  int ends[2];
  char *page = sbrk(PGSIZE - (uint64)sbrk(0) % PGSIZE);
  check(pipe(ends) == 0);
  page = sbrk(4 * PGSIZE);
  memset(page, 'x', 4 * PGSIZE);
  check(sbrk(-3 * PGSIZE) == page + 4 * PGSIZE);
  check(writes(page) && !writes(page + PGSIZE) && !reads(page + PGSIZE) && !reads(page + 3 * PGSIZE));
  int fd = open("file", O_CREATE | O_RDWR);
  check(write(fd, page + PGSIZE, 100) == -1 && write(fd, page, 100) == 100);
  close(fd);
  fd = open("file", O_RDONLY);
  check(read(fd, page + PGSIZE, 100) == -1);
  check(write(ends[1], page + PGSIZE, 100) == -1);
  close(fd);
  check(sbrk(3 * PGSIZE) == page + PGSIZE);
  for (int i = PGSIZE; i < 4 * PGSIZE; i++)
    check(page[i] == 0);
  check(unlink("file") == 0);
}

/* Pages that nobody has touched yet can be read and written by calls. */
static void untouched_pages_are_buffers(void) {
  int ends[2];
  char *page = sbrk(PGSIZE - (uint64)sbrk(0) % PGSIZE);
  page = sbrk(8 * PGSIZE);
  check(pipe(ends) == 0);
  check(write(ends[1], page, 10) == 10);
  check(read(ends[0], page + PGSIZE - 5, 10) == 10);
  make_file("file", page + 2 * PGSIZE - 50, 100);
  check(holds("file", page + 3 * PGSIZE, 100));
  check(open(page + 4 * PGSIZE, O_CREATE | O_RDWR) == -1);
  check(fstat(0, (struct stat *)(page + 6 * PGSIZE - 8)) == 0);
  check(pipe((int *)(page + 7 * PGSIZE - 4)) == 0);
  check(unlink("file") == 0);
}

static void what_lies_below_the_break(void) {
  check(writes(sbrk(0) - 1));
  sbrk(-2147483647 - 1);
  check(writes(sbrk(0) - 1));
}

static void what_cannot_be_had(void) {
  char *start = sbrk(0);
  check(sbrk(0x7fffffff) == FAILED);
  check(sbrk(0x7ffff000) == FAILED);
  check(sbrk(0) == start);
  sbrk(-2147483647 - 1);
  check(sbrk(0) == start);
  char *page = sbrk(PGSIZE);
  check(page == start && writes(page));
  /* The program's own data is not given away. */
  sbrk(-(int)(uint64)start - PGSIZE);
  check(sbrk(0) == start + PGSIZE && writes((char *)&target));
}

static void all_there_is(void) {
  char *start = sbrk(0), *page;
  int count = 0;
  while ((page = sbrk(PGSIZE)) != FAILED) {
    *(int *)page = count++;
    *(int *)(page + PGSIZE - 8) = count;
  }
  check(count > 1000 && sbrk(0) == start + (uint64)count * PGSIZE);
  for (int i = 0; i < count; i++)
    check(*(int *)(start + (uint64)i * PGSIZE) == i);
  /* What one gives back another can have, and only that. */
  sbrk(-100 * PGSIZE);
  for (count = 0; sbrk(PGSIZE) != FAILED; count++)
    ;
  check(count >= 50 && count <= 1000);
}

/* Everybody else goes on while one has everything, and after it has ended. */
static void others_live_on(void) {
  int before = free_memory();
  check(comes_back(all_there_is));
  check(comes_back(all_there_is));
  check(free_memory() > before - 1024);
}

static void malloc_until_it_fails(void) {
  void **blocks = 0, **block;
  int count = 0;
  while ((block = malloc(100001)) != 0) {
    memset(block, 'm', 100001);
    *block = blocks;
    blocks = block;
    count++;
  }
  check(count > 100);
  while (blocks) {
    block = *blocks;
    free(blocks);
    blocks = block;
  }
  check((block = malloc(1 << 20)) != 0);
  memset(block, 'm', 1 << 20);
  free(block);
}

static int pages;
static char *area;

static void change_area(void) {
  for (int i = 0; i < pages; i++) {
    check(area[(uint64)i * PGSIZE] == 'p');
    area[(uint64)i * PGSIZE] = 'c';
  }
}

static void fork_copies(void) {
  pages = 600;
  area = sbrk(pages * PGSIZE);
  memset(area, 'p', (uint64)pages * PGSIZE);
  for (int i = 0; i < 3; i++) {
    check(comes_back(change_area));
    check(sbrk(0) == area + (uint64)pages * PGSIZE);
  }
  begin(change_area);
  for (int i = 0; i < pages; i++)
    area[(uint64)i * PGSIZE] = 'p';
  reap_all(1);
  for (int i = 0; i < pages; i++)
    check(area[(uint64)i * PGSIZE] == 'p');
}

static int descend(int depth) {
  volatile char room[1000];
  room[0] = depth;
  return depth == 0 ? 0 : descend(depth - 1) + (room[0] == (char)depth);
}

static void no_end_of_calls(void) { descend(1 << 30); }

static void the_stack_has_an_end(void) {
  check(descend(1000) == 1000);
  check(!comes_back(no_end_of_calls));
#if RISCV
  /* The guard: a page below the lowest of the stack. */
  check(!reads((char *)r_sp() - PGSIZE) && !writes((char *)r_sp() - PGSIZE));
#endif
}

static void text_stays(void) {
  check(reads((char *)text_stays) && !writes((char *)text_stays));
  check(!writes("a string") && !writes(0));
}

static void the_kernel_is_out_of_reach(void) {
  static char *places[] = {
      (char *)0x80000000,     (char *)0xfe000000,         (char *)0x800000000000,     (char *)0x4000000000,
      (char *)0xffffffff80000000, (char *)0xffff800000000000, (char *)0xfffffffffffffff0,
  };
  for (int i = 0; i < COUNT(places); i++)
    check(!reads(places[i]) && !writes(places[i]));
  for (uint64 at = 1ul << 38; at != 0; at <<= 1)
    check(!writes((char *)at));
}

#if RISCV
/* Far more than there is memory: pages are made where they are touched. */
static void lazy_pages(void) {
  uint64 step = 64 << 20;
  char *start = sbrklazy(1 << 30);
  check(start != FAILED && sbrk(0) == start + (1 << 30));
  for (uint64 at = 0; at < 1 << 30; at += step) {
    check(start[at] == 0);
    start[at] = 'l';
  }
  int ends[2];
  check(pipe(ends) == 0);
  check(write(ends[1], start + PGSIZE, 8) == 8 && read(ends[0], start + 2 * PGSIZE, 8) == 8);
  check(open(start + 3 * PGSIZE, O_CREATE) == -1);
  target = start + step;
  check(comes_back(read_target) && *target == 'l');
  check(sbrklazy(-(1 << 30)) == start + (1 << 30) && sbrk(0) == start);
  check(!reads(start) && !reads(start + step));
}

static void touch_all(void) {
  for (char *at = target; at < sbrk(0); at += PGSIZE)
    *at = 1;
}

/* One that touches more than there is ends; nobody else does. */
static void too_many_lazy_pages(void) {
  target = sbrklazy(1 << 30);
  check(target != FAILED);
  check(!comes_back(touch_all));
  check(sbrklazy(-(1 << 30)) != FAILED && comes_back(page_by_page));
}
#endif

const struct test memory_tests[] = {
    TEST(page_by_page),
    TEST(byte_by_byte),
    TEST(what_is_given_back_is_gone),
    TEST(untouched_pages_are_buffers),
    TEST(what_lies_below_the_break),
    TEST(what_cannot_be_had),
    TEST(others_live_on),
    TEST(malloc_until_it_fails),
    TEST(fork_copies),
    TEST(the_stack_has_an_end),
    TEST(text_stays),
    TEST(the_kernel_is_out_of_reach),
#if RISCV
    TEST(lazy_pages),
    TEST(too_many_lazy_pages),
#endif
    {0, 0},
};
