// Scheduling policies and priorities as a Linux program sees them. Exits with 0 if
// all is as sched(7) says; it does on Linux itself, where who may not use
// real-time priorities leaves those parts out.
//
// The threads of a part share one CPU, and its first thread is the least urgent:
// whenever that runs, all others sleep.
#define _GNU_SOURCE
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "one_cpu.h"

static int set(pid_t tid, int policy, int priority) {
    struct sched_param param = {.sched_priority = priority};
    return sched_setscheduler(tid, policy, &param);
}

static pthread_t start(void *(*body)(void *), intptr_t word, int policy, int priority) {
    pthread_attr_t how;
    struct sched_param param = {.sched_priority = priority};
    pthread_t thread;
    pthread_attr_init(&how);
    CHECK(pthread_attr_setinheritsched(&how, PTHREAD_EXPLICIT_SCHED) == 0);
    CHECK(pthread_attr_setschedpolicy(&how, policy) == 0);
    CHECK(pthread_attr_setschedparam(&how, &param) == 0);
    CHECK(pthread_create(&thread, &how, body, (void *)word) == 0);
    return thread;
}

static void join(pthread_t *threads, int count) {
    for (int i = 0; i < count; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}

static volatile int order[32], steps;

static void note(int what) {
    if (steps < 32) order[steps] = what;
    steps++;
}

static int came(const char *expected) {
    int right = steps == (int)strlen(expected);
    for (int i = 0; right && expected[i]; i++) right = order[i] == expected[i] - '0';
    if (!right) {
        for (int i = 0; i < steps && i < 32; i++) printf("%d ", order[i]);
        printf("instead of %s\n", expected);
    }
    steps = 0;
    return right;
}

static sem_t gate;

static void *waits(void *word) {
    while (sem_wait(&gate) != 0) {
    }
    note((intptr_t)word);
    return NULL;
}

// Who waits for a semaphore is served by priority, and runs at once.
static void woken_by_priority(void) {
    pthread_t threads[5];
    int priorities[] = {10, 30, 20, 30, 10};
    sem_init(&gate, 0, 0);
    for (int i = 0; i < 5; i++) threads[i] = start(waits, i + 1, SCHED_FIFO, priorities[i]);
    for (int i = 0; i < 5; i++) {
        sem_post(&gate);
        note(0);
    }
    CHECK(came("2040301050"));
    join(threads, 5);
}

static uint32_t words[2];

static long futex(uint32_t *word, int operation, long value, long value2, uint32_t *other) {
    return syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, value2, other, 0);
}

static void *waits_for_word(void *word) {
    CHECK(futex(&words[0], FUTEX_WAIT, 0, 0, NULL) == 0);
    note((intptr_t)word);
    return NULL;
}

// So is who waits for a word, and who was moved to another.
static void moved_by_priority(void) {
    pthread_t threads[4];
    int priorities[] = {10, 40, 30, 20};
    for (int i = 0; i < 4; i++)
        threads[i] = start(waits_for_word, i + 1, SCHED_FIFO, priorities[i]);
    CHECK(futex(&words[0], FUTEX_REQUEUE, 1, 2, &words[1]) == 3);
    note(0);
    CHECK(futex(&words[0], FUTEX_WAKE, INT_MAX, 0, NULL) == 1);
    CHECK(futex(&words[1], FUTEX_WAKE, 1, 0, NULL) == 1);
    CHECK(futex(&words[1], FUTEX_WAKE, 1, 0, NULL) == 1);
    CHECK(came("20134"));
    join(threads, 4);
}

static void *yields(void *word) {
    for (int i = 0; i < 3; i++) {
        note((intptr_t)word);
        sched_yield();
    }
    return NULL;
}

// At one priority threads run in order, and who yields is the last.
static void in_order(void) {
    pthread_t threads[3];
    CHECK(set(0, SCHED_FIFO, 50) == 0);
    for (int i = 0; i < 3; i++) threads[i] = start(yields, i + 1, SCHED_FIFO, 10);
    CHECK(set(0, SCHED_FIFO, 1) == 0);
    // Each began as urgent as its maker, and was the first when it became less so.
    CHECK(came("321321321"));
    join(threads, 3);
}

static pid_t other;

static void *runs(void *word) {
    note((intptr_t)word);
    return NULL;
}

static void *lowered(void *word) {
    note((intptr_t)word);
    other = gettid();
    pthread_t peer = start(runs, 2, SCHED_FIFO, 20);
    // The first of its new equals still: it goes on.
    CHECK(set(0, SCHED_FIFO, 20) == 0);
    note(3);
    // Less urgent than the peer.
    CHECK(set(0, SCHED_FIFO, 10) == 0);
    note(4);
    CHECK(pthread_join(peer, NULL) == 0);
    return NULL;
}

static void changed_while_running(void) {
    pthread_t thread = start(lowered, 1, SCHED_FIFO, 30);
    CHECK(came("1324"));
    CHECK(pthread_join(thread, NULL) == 0);
    // One that is ready is raised.
    CHECK(set(0, SCHED_FIFO, 50) == 0);
    pthread_t threads[2] = {start(runs, 1, SCHED_FIFO, 10), start(runs, 2, SCHED_FIFO, 10)};
    struct sched_param param = {.sched_priority = 11};
    CHECK(pthread_setschedparam(threads[1], SCHED_FIFO, &param) == 0);
    CHECK(set(0, SCHED_FIFO, 1) == 0);
    CHECK(came("21"));
    join(threads, 2);
}

static volatile int flag;

static void *raises(void *word) {
    flag = (int)(intptr_t)word;
    return NULL;
}

static void *spins(void *word) {
    while (flag != (int)(intptr_t)word) {
    }
    note(1);
    return NULL;
}

// One that spins gives way to an equal when its round is over.
static void in_rounds(void) {
    CHECK(set(0, SCHED_FIFO, 50) == 0);
    pthread_t threads[2] = {start(spins, 1, SCHED_RR, 10), start(raises, 1, SCHED_RR, 10)};
    CHECK(set(0, SCHED_FIFO, 1) == 0);
    CHECK(came("1"));
    join(threads, 2);
    struct timespec round;
    CHECK(set(0, SCHED_RR, 1) == 0 && sched_rr_get_interval(0, &round) == 0);
    CHECK(round.tv_sec == 0 && round.tv_nsec == 100000000);
    CHECK(set(0, SCHED_FIFO, 1) == 0 && sched_rr_get_interval(0, &round) == 0);
    CHECK(round.tv_sec == 0 && round.tv_nsec == 0);
}

static void children(void) {
    CHECK(set(0, SCHED_FIFO | SCHED_RESET_ON_FORK, 7) == 0);
    CHECK(sched_getscheduler(0) == (SCHED_FIFO | SCHED_RESET_ON_FORK));
    pid_t child = fork();
    if (child == 0) _exit(sched_getscheduler(0) != SCHED_OTHER);
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(set(0, SCHED_RR, 7) == 0);
    child = fork();
    if (child == 0) {
        struct sched_param param;
        CHECK(sched_getparam(0, &param) == 0 && param.sched_priority == 7);
        _exit(failures || sched_getscheduler(0) != SCHED_RR);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(set(0, SCHED_FIFO, 1) == 0);
}

static void real_time(void) {
    stay_on_one_cpu();
    if (set(0, SCHED_FIFO, 1) != 0) {
        CHECK(errno == EPERM);
        return;
    }
    woken_by_priority();
    moved_by_priority();
    in_order();
    changed_while_running();
    in_rounds();
    children();
    CHECK(set(0, SCHED_OTHER, 0) == 0);
}

static void refusals(void) {
    struct sched_param param = {.sched_priority = 0};
    struct timespec round;
    CHECK(sched_get_priority_max(SCHED_FIFO) == 99 && sched_get_priority_min(SCHED_RR) == 1);
    CHECK(sched_get_priority_max(SCHED_OTHER) == 0 && sched_get_priority_min(SCHED_IDLE) == 0);
    CHECK(sched_get_priority_max(99) == -1 && errno == EINVAL);
    CHECK(sched_getscheduler(-1) == -1 && errno == EINVAL);
    CHECK(sched_getscheduler(0x3ffffff) == -1 && errno == ESRCH);
    CHECK(sched_getscheduler(0) == SCHED_OTHER);
    CHECK(set(0, SCHED_FIFO, 0) == -1 && errno == EINVAL);
    CHECK(set(0, SCHED_FIFO, 100) == -1 && errno == EINVAL);
    CHECK(set(0, SCHED_OTHER, 1) == -1 && errno == EINVAL);
    CHECK(set(0, 77, 0) == -1 && errno == EINVAL);
    CHECK(set(-1, SCHED_OTHER, 0) == -1 && errno == EINVAL);
    CHECK(set(0x3ffffff, SCHED_OTHER, 0) == -1 && errno == ESRCH);
    CHECK(sched_setparam(0, &param) == 0 && sched_getparam(0, &param) == 0);
    CHECK(param.sched_priority == 0);
    param.sched_priority = 1;
    CHECK(sched_setparam(0, &param) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_sched_getparam, 0, NULL) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_sched_setscheduler, 0, 0, NULL) == -1 && errno == EINVAL);
    CHECK(sched_rr_get_interval(-1, &round) == -1 && errno == EINVAL);
}

struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
    uint32_t util_min, util_max, more[2];
};

static void attributes(void) {
    struct attributes now = {0}, next = {.size = 48, .policy = SCHED_BATCH, .nice = 3};
    CHECK(syscall(SYS_sched_setattr, 0, &next, 0) == 0);
    CHECK(syscall(SYS_sched_getattr, 0, &now, sizeof now, 0) == 0);
    CHECK(now.size >= 48 && now.policy == SCHED_BATCH && now.nice == 3 && now.priority == 0);
    CHECK(getpriority(PRIO_PROCESS, 0) == 3);
    CHECK(syscall(SYS_sched_getattr, 0, &now, 47, 0) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_sched_getattr, 0, &now, 48, 1) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_sched_getattr, 0, &now, 48, 0) == 0 && now.size == 48);
    next.size = 47;
    CHECK(syscall(SYS_sched_setattr, 0, &next, 0) == -1 && errno == E2BIG && next.size >= 56);
    next.size = sizeof next;
    next.more[1] = 1;
    CHECK(syscall(SYS_sched_setattr, 0, &next, 0) == -1 && errno == E2BIG);
    next = (struct attributes){.size = 48, .policy = SCHED_OTHER, .priority = 1};
    CHECK(syscall(SYS_sched_setattr, 0, &next, 0) == -1 && errno == EINVAL);
    next = (struct attributes){.size = 48, .policy = SCHED_IDLE, .flags = 1, .nice = 3};
    CHECK(syscall(SYS_sched_setattr, 0, &next, 0) == 0);
    CHECK(sched_getscheduler(0) == (SCHED_IDLE | SCHED_RESET_ON_FORK));
}

static void nice_values(void) {
    CHECK(setpriority(PRIO_PROCESS, 0, 5) == 0 && getpriority(PRIO_PROCESS, 0) == 5);
    CHECK(nice(2) == 7 && getpriority(PRIO_PROCESS, getpid()) == 7);
    CHECK(setpriority(PRIO_PROCESS, 0, 1000) == 0 && getpriority(PRIO_PROCESS, 0) == 19);
    errno = 0;
    CHECK(getpriority(9, 0) == -1 && errno == EINVAL);
    CHECK(setpriority(-1, 0, 19) == -1 && errno == EINVAL);
    errno = 0;
    CHECK(getpriority(PRIO_PROCESS, 0x3ffffff) == -1 && errno == ESRCH);
    CHECK(setpgid(0, 0) == 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK(getpriority(PRIO_PROCESS, 0) == 19);
        for (;;) pause();
    }
    CHECK(setpriority(PRIO_PGRP, 0, 19) == 0 && getpriority(PRIO_PGRP, getpid()) == 19);
    CHECK(getpriority(PRIO_PROCESS, child) == 19);
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
}

static volatile int stop;
static long long used[2];

static void *uses(void *word) {
    int which = (int)(intptr_t)word;
    CHECK(setpriority(PRIO_PROCESS, gettid(), which ? 10 : 0) == 0);
    struct timespec now;
    do {
        CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
        used[which] = now.tv_sec * 1000000000LL + now.tv_nsec;
        // The one with the greater share says when it is enough.
        if (!which && used[0] > 150000000) stop = 1;
    } while (!stop);
    return NULL;
}

static void shares(void) {
    stay_on_one_cpu();
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        CHECK(pthread_create(&threads[i], NULL, uses, (void *)(intptr_t)(1 - i)) == 0);
    join(threads, 2);
    CHECK(used[1] < used[0] / 2);
}

int main(void) {
    refusals();
    // Each in a process of its own.
    void (*const parts[])(void) = {real_time, shares, attributes, nice_values};
    for (int i = 0; i < 4; i++) {
        pid_t child = fork();
        if (child == 0) {
            parts[i]();
            fflush(stdout);
            _exit(failures != 0);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
    return failures != 0;
}
