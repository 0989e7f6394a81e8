// What a process does to System V's semaphores with SEM_UNDO is undone when it ends.
// Exits with 0 if all is as semop(2) and clone(2) say; it does on Linux itself.
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/syscall.h>

#include "sem.h"

static void undone(const char *self) {
    int id = make(3), ready[2];
    unsigned short start[] = {5, 0, 32760};
    CHECK(semctl(id, 0, SETALL, start) == 0 && pipe(ready) == 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK(OPERATE(id, {0, -3, SEM_UNDO}, {1, 2, SEM_UNDO}, {2, -20, SEM_UNDO}) == 0);
        CHECK(OPERATE(id, {0, -1, SEM_UNDO}, {0, -1, 0}) == 0);
        CHECK(write(ready[1], "x", 1) == 1);
        pause();
    }
    char byte;
    CHECK(read(ready[0], &byte, 1) == 1 && value(id, 0) == 0 && value(id, 1) == 2);
    CHECK(OPERATE(id, {1, -1, 0}, {2, 20, 0}) == 0);
    // Its end serves who waits, and no value leaves its range.
    pid_t waiter = OPERATOR(id, {0, -4, 0});
    until(id, 0, GETNCNT, 1);
    kill(child, SIGKILL);
    CHECK(ended(child) == SIGKILL && ended(waiter) == 0);
    CHECK(value(id, 0) == 0 && value(id, 1) == 0 && value(id, 2) == 32767);
    CHECK(semctl(id, 1, GETPID) == child);
    // fork does not share it, exec keeps it, and a value that is set is not undone.
    CHECK(semctl(id, 0, SETALL, start) == 0);
    child = fork();
    if (child == 0) {
        CHECK(OPERATE(id, {0, -3, SEM_UNDO}, {1, 1, SEM_UNDO}) == 0);
        CHECK(semctl(id, 1, SETVAL, 7) == 0);
        pid_t grandchild = fork();
        if (grandchild == 0)
            _exit(0);
        CHECK(ended(grandchild) == 0 && value(id, 0) == 2);
        char number[16];
        sprintf(number, "%d", id);
        execl(self, self, number, NULL);
    }
    CHECK(ended(child) == 0 && value(id, 0) == 5 && value(id, 1) == 7);
    // No more is undone than a number holds.
    child = fork();
    if (child == 0) {
        CHECK(semctl(id, 0, SETVAL, 0) == 0);
        CHECK(OPERATE(id, {0, 32767, SEM_UNDO}) == 0 && OPERATE(id, {0, -10, 0}) == 0);
        CHECK(OPERATE(id, {0, 1, SEM_UNDO}) == 0);
        FAILS(OPERATE(id, {0, 1, SEM_UNDO}), ERANGE);
        _exit(failures != 0);
    }
    CHECK(ended(child) == 0 && value(id, 0) == 0);
    close(ready[0]), close(ready[1]);
    discard(id);
}

static void *take(void *id) {
    CHECK(OPERATE(*(int *)id, {0, -1, SEM_UNDO}) == 0);
    return NULL;
}

// A thread's end undoes nothing, its process's does; with CLONE_SYSVSEM the last one's.
static void undone_together(void) {
    int id = make(1), ready[2];
    CHECK(semctl(id, 0, SETVAL, 5) == 0 && pipe(ready) == 0);
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, take, &id) == 0 && pthread_join(thread, NULL) == 0);
        CHECK(value(id, 0) == 4);
        pid_t sharing = syscall(SYS_clone, CLONE_SYSVSEM | SIGCHLD, 0, 0, 0, 0);
        if (sharing == 0) {
            take(&id);
            _exit(failures != 0);
        }
        CHECK(ended(sharing) == 0 && value(id, 0) == 3);
        sharing = syscall(SYS_clone, CLONE_SYSVSEM, 0, 0, 0, 0);
        if (sharing == 0) {
            char byte;
            close(ready[1]);
            CHECK(read(ready[0], &byte, 1) == 0 && value(id, 0) == 3);
            _exit(0);
        }
        _exit(failures != 0);
    }
    CHECK(ended(child) == 0 && value(id, 0) == 3);
    close(ready[1]), close(ready[0]);
    until(id, 0, GETVAL, 5);
    discard(id);
}

int main(int argc, char **argv) {
    // The program that undone() goes on with.
    if (argc > 1)
        return value(atoi(argv[1]), 0) != 2;
    undone(argv[0]);
    undone_together();
    return failures != 0;
}
