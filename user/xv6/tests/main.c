/* Tests on the ground that xv6's own stand on; those with the word `limits` are
 * for a machine that has xv6's, the others for one without. */
#include "check.h"

extern const struct test pointer_tests[], path_tests[], link_tests[], file_tests[], exec_tests[], memory_tests[],
    pipe_tests[], process_tests[], unlimited_tests[], leak_tests[], limit_tests[];

static const struct test *const groups[] = {
    pointer_tests, path_tests, link_tests, file_tests, exec_tests, memory_tests, pipe_tests,
    process_tests, unlimited_tests, leak_tests,
};

int main(int argc, char *argv[]) {
  mkdir("/xv6-tests");
  check(chdir("/xv6-tests") == 0);
  if (argc > 1 && strcmp(argv[1], "limits") == 0)
    run_tests(limit_tests);
  else
    for (int i = 0; i < COUNT(groups); i++)
      run_tests(groups[i]);
  end_tests();
}
