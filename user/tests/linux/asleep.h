// Waiting until another thread sleeps, for the Linux test programs.
#pragma once
#include <sched.h>
#include <stdio.h>
#include <sys/types.h>

#include "check.h"

static inline char state_of(pid_t pid, pid_t tid) {
    char path[64], state = 0;
    sprintf(path, "/proc/%d/task/%d/stat", pid, tid);
    FILE *file = fopen(path, "r");
    if (file) {
        CHECK(fscanf(file, "%*d (%*[^)]) %c", &state) == 1);
        fclose(file);
    }
    return state;
}

static inline void until_asleep(pid_t pid, pid_t tid) {
    while (state_of(pid, tid) != 'S')
        sched_yield();
}
