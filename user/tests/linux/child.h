// A check in a child, which may give up its rights: what it finds wrong counts here.
#pragma once
#include <grp.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

// Runs `body` in a child: how that ended, as waitpid(2) says it.
static inline int status_in_child(void (*body)(void)) {
    int status = -1;
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        failures = 0;
        body();
        fflush(stdout);
        _exit(failures > 255 ? 255 : failures);
    }
    CHECK(waitpid(child, &status, 0) == child);
    return status;
}

static inline void in_child(void (*body)(void)) {
    int status = status_in_child(body);
    CHECK(WIFEXITED(status));
    if (status != 0) failures++;
}

// The signal that ends a child which runs `body`; 0 if it exits.
static inline int signal_in_child(void (*body)(void)) {
    int status = status_in_child(body);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

// Becomes a user without further groups, for good.
static inline void become(uid_t user, gid_t group) {
    CHECK(setgroups(0, NULL) == 0 && setgid(group) == 0 && setuid(user) == 0);
}
