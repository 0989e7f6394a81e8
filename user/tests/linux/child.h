// A check in a child, which may give up its rights: what it finds wrong counts here.
#pragma once
#include <grp.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static inline void in_child(void (*body)(void)) {
    int status;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        failures = 0;
        body();
        fflush(stdout);
        _exit(failures > 255 ? 255 : failures);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    if (status != 0) failures++;
}

// Becomes a user without further groups, for good.
static inline void become(uid_t user, gid_t group) {
    CHECK(setgroups(0, NULL) == 0 && setgid(group) == 0 && setuid(user) == 0);
}
