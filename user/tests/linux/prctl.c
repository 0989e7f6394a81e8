// What a Linux program says of itself by prctl. Exits with 0 if all is as prctl(2)
// says; it does on Linux itself.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static void *other(void *unused) {
    (void)unused;
    char name[16];
    CHECK(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "first") == 0);
    CHECK(pthread_setname_np(pthread_self(), "a thread's name") == 0);
    CHECK(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "a thread's name") == 0);
    return NULL;
}

static void names(void) {
    char name[16];
    pthread_t peer;
    CHECK(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "prctl") == 0);
    CHECK(prctl(PR_SET_NAME, "first") == 0);
    CHECK(pthread_create(&peer, NULL, other, NULL) == 0 && pthread_join(peer, NULL) == 0);
    CHECK(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "first") == 0);
    CHECK(prctl(PR_SET_NAME, "0123456789abcdefgh") == 0);
    CHECK(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "0123456789abcde") == 0);
    CHECK(pthread_setname_np(pthread_self(), "0123456789abcdef") == ERANGE);
}

// A grandchild becomes ours, and hears that its parent has ended.
static void orphans(void) {
    int ready[2], flag = 0;
    CHECK(pipe(ready) == 0);
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    CHECK(prctl(PR_GET_CHILD_SUBREAPER, &flag) == 0 && flag == 1);
    pid_t child = fork();
    if (child == 0) {
        pid_t grandchild = fork();
        if (grandchild == 0) {
            CHECK(prctl(PR_SET_PDEATHSIG, SIGUSR1) == 0);
            CHECK(write(ready[1], &failures, sizeof failures) == sizeof failures);
            for (;;) pause();
        }
        int seen;
        CHECK(read(ready[0], &seen, sizeof seen) == sizeof seen && seen == 0);
        CHECK(write(ready[1], &grandchild, sizeof grandchild) == sizeof grandchild);
        _exit(failures != 0);
    }
    int status;
    pid_t orphan;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(read(ready[0], &orphan, sizeof orphan) == sizeof orphan);
    CHECK(waitpid(orphan, &status, 0) == orphan && WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGUSR1);
}

static void rest(void) {
    CHECK(prctl(PR_GET_DUMPABLE) == 1 && prctl(PR_SET_DUMPABLE, 0) == 0);
    CHECK(prctl(PR_GET_DUMPABLE) == 0 && prctl(PR_SET_DUMPABLE, 1) == 0);
    CHECK(prctl(PR_SET_DUMPABLE, 2) == -1 && errno == EINVAL);
    CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0) == -1 && errno == EINVAL);
    long slack = prctl(PR_GET_TIMERSLACK);
    CHECK(prctl(PR_SET_TIMERSLACK, 12345) == 0 && prctl(PR_GET_TIMERSLACK) == 12345);
    CHECK(prctl(PR_SET_TIMERSLACK, 0) == 0 && prctl(PR_GET_TIMERSLACK) == slack);
    CHECK(prctl(0x123456, 0, 0, 0, 0) == -1 && errno == EINVAL);
    CHECK(prctl(PR_SET_PDEATHSIG, 65) == -1 && errno == EINVAL);
}

int main(void) {
    names();
    orphans();
    rest();
    return failures != 0;
}
