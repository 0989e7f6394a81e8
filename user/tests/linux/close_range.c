// close_range as a Linux program sees it.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { UNSHARE = 2, CLOEXEC = 4 };

static long range(unsigned first, unsigned last, int flags) {
    return syscall(SYS_close_range, first, last, flags);
}

static int flags_of(int fd) { return fcntl(fd, F_GETFD); }

// In a process that shares its descriptors with this one.
static int close_shared(void *flags) {
    if (range(10, 12, *(int *)flags) != 0) return 1;
    return !(flags_of(10) == -1 && flags_of(12) == -1 && flags_of(13) == 0);
}

static char stack[65536];

static void open_some(void) {
    for (int fd = 10; fd < 20; fd++) CHECK(dup2(0, fd) == fd);
}

static int run(int flags) {
    int status;
    pid_t child = clone(close_shared, stack + sizeof stack, CLONE_FILES | SIGCHLD, &flags);
    CHECK(waitpid(child, &status, 0) == child);
    return status;
}

int main(void) {
    open_some();
    CHECK(range(12, 14, 0) == 0);
    CHECK(flags_of(11) == 0 && flags_of(12) == -1 && flags_of(14) == -1 && flags_of(15) == 0);
    CHECK(range(12, 14, 0) == 0 && dup(0) == 3 && close(3) == 0);
    CHECK(range(16, 17, CLOEXEC) == 0);
    CHECK(flags_of(15) == 0 && flags_of(16) == FD_CLOEXEC && flags_of(17) == FD_CLOEXEC);
    CHECK(flags_of(18) == 0);
    CHECK(range(18, ~0u, 0) == 0 && flags_of(17) == FD_CLOEXEC && flags_of(18) == -1);
    CHECK(range(10, 9, 0) == -1 && errno == EINVAL);
    CHECK(range(10, 11, 1) == -1 && errno == EINVAL && flags_of(10) == 0);
    CHECK(range(100000, ~0u, CLOEXEC) == 0);
    open_some();
    CHECK(run(UNSHARE) == 0 && flags_of(10) == 0 && flags_of(12) == 0);
    CHECK(run(0) == 0 && flags_of(10) == -1 && flags_of(13) == 0);
    printf("%s\n", failures ? "FAILED" : "passed");
    return failures != 0;
}
