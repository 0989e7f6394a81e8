/* Tests on the ground that xv6's own stand on. Without a word, those for a
 * machine without limits; `limits` are for one that has xv6's, `orphans` and
 * `reclaimed` for two boots from one disk. */
#include "check.h"

extern const struct test pointer_tests[], path_tests[], link_tests[], file_tests[], exec_tests[], memory_tests[],
    pipe_tests[], process_tests[], unlimited_tests[], leak_tests[], limit_tests[], orphan_tests[], reclaim_tests[];

static const struct {
  const char *word;
  const struct test *tests;
} groups[] = {
    {"", pointer_tests},
    {"", path_tests},
    {"", link_tests},
    {"", file_tests},
    {"", exec_tests},
    {"", memory_tests},
    {"", pipe_tests},
    {"", process_tests},
    {"", unlimited_tests},
    {"", leak_tests},
    {"limits", limit_tests},
    {"orphans", orphan_tests},
    {"reclaimed", reclaim_tests},
};

int main(int argc, char *argv[]) {
  const char *word = argc > 1 ? argv[1] : "";
  mkdir("/xv6-tests");
  check(chdir("/xv6-tests") == 0);
  for (int i = 0; i < COUNT(groups); i++)
    if (strcmp(groups[i].word, word) == 0)
      run_tests(groups[i].tests);
  end_tests();
}
