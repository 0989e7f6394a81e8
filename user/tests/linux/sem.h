// What the tests of System V's semaphores share.
#pragma once
#include <sched.h>
#include <signal.h>
#include <sys/ipc.h>
#include <sys/sem.h>

#include "child.h"

#define FAILS(call, number) CHECK((long)(call) == -1 && errno == (number))
#define OPERATE(id, ...)                                                           \
    ({                                                                             \
        struct sembuf operations[] = {__VA_ARGS__};                                \
        semop(id, operations, sizeof operations / sizeof *operations);             \
    })

static inline int make(int count) {
    int id = semget(IPC_PRIVATE, count, 0600);
    CHECK(id >= 0);
    return id;
}

static inline void discard(int id) {
    CHECK(semctl(id, 0, IPC_RMID) == 0);
}

static inline int value(int id, int number) {
    return semctl(id, number, GETVAL);
}

static inline struct semid_ds stat_of(int id) {
    struct semid_ds ds = {0};
    CHECK(semctl(id, 0, IPC_STAT, &ds) == 0);
    return ds;
}

static inline int ended(pid_t child) {
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    return status;
}

// A child that operates once, and ends with the number of the error.
static inline pid_t operator(int id, struct sembuf *operations, int count) {
    pid_t child = fork();
    if (child == 0)
        _exit(semop(id, operations, count) == 0 ? 0 : errno);
    return child;
}

#define OPERATOR(id, ...)                                                          \
    ({                                                                             \
        struct sembuf operations[] = {__VA_ARGS__};                                \
        operator(id, operations, sizeof operations / sizeof *operations);          \
    })

static inline void until(int id, int number, int command, int count) {
    while (semctl(id, number, command) != count)
        sched_yield();
}
