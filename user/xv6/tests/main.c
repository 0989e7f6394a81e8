/* Tests on the ground that xv6's own stand on, for a machine without limits. */
#include "check.h"

extern const struct test pointer_tests[];

int main(void) {
  mkdir("xv6-tests");
  check(chdir("xv6-tests") == 0);
  run_tests(pointer_tests);
  end_tests();
}
