/* Tests on the ground that xv6's own stand on, for a machine without limits. */
#include "check.h"

extern const struct test pointer_tests[], path_tests[], link_tests[], file_tests[], exec_tests[], memory_tests[],
    pipe_tests[], process_tests[];

int main(void) {
  mkdir("/xv6-tests");
  check(chdir("/xv6-tests") == 0);
  run_tests(pointer_tests);
  run_tests(path_tests);
  run_tests(link_tests);
  run_tests(file_tests);
  run_tests(exec_tests);
  run_tests(memory_tests);
  run_tests(pipe_tests);
  run_tests(process_tests);
  end_tests();
}
