// Condition variables whose mutex inherits priorities, by futex(2) itself, as no C
// library makes these calls any more. Exits with 0 if all is as futex(2) says; it
// does on Linux itself.
#define _GNU_SOURCE
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"

typedef _Atomic unsigned Word;

static Word condition, lock, other;

static int futex(Word *word, int operation, unsigned value, void *timeout, Word *word2, unsigned value3) {
    long result = syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, timeout, word2, value3);
    return result < 0 ? -errno : result;
}

static int wait_until(struct timespec *deadline, unsigned expected) {
    return futex(&condition, FUTEX_WAIT_REQUEUE_PI, expected, deadline, &lock, 0);
}

static int requeue(long more, unsigned expected) {
    return futex(&condition, FUTEX_CMP_REQUEUE_PI, 1, (void *)more, &lock, expected);
}

static void take(void) {
    unsigned none = 0;
    if (atomic_compare_exchange_strong(&lock, &none, gettid())) return;
    CHECK(futex(&lock, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0);
}

static void let_go(void) {
    unsigned mine = gettid();
    if (atomic_compare_exchange_strong(&lock, &mine, 0)) return;
    CHECK(futex(&lock, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0);
}

static int is_mine(void) { return (lock & FUTEX_TID_MASK) == (unsigned)gettid(); }

static void refusals(void) {
    struct timespec past = {0, 1}, bad = {0, -1};
    CHECK(wait_until(NULL, 1) == -EAGAIN);
    CHECK(wait_until(&past, 0) == -ETIMEDOUT);
    CHECK(wait_until(&bad, 0) == -EINVAL);
    CHECK(futex(&condition, FUTEX_WAIT_REQUEUE_PI, 0, &past, &condition, 0) == -EINVAL);
    CHECK(futex((Word *)((char *)&condition + 1), FUTEX_WAIT_REQUEUE_PI, 0, &past, &lock, 0) == -EINVAL);
    CHECK(futex((Word *)8, FUTEX_WAIT_REQUEUE_PI, 0, &past, &lock, 0) == -EFAULT);
    CHECK(requeue(0, 1) == -EAGAIN);
    CHECK(requeue(0, 0) == 0 && requeue(INT_MAX, 0) == 0);
    CHECK(requeue(-1, 0) == -EINVAL);
    CHECK(futex(&condition, FUTEX_CMP_REQUEUE_PI, 0, NULL, &lock, 0) == -EINVAL);
    CHECK(futex(&condition, FUTEX_CMP_REQUEUE_PI, 2, NULL, &lock, 0) == -EINVAL);
    CHECK(futex(&condition, FUTEX_CMP_REQUEUE_PI, 1, NULL, &condition, 0) == -EINVAL);
    CHECK(lock == 0 && condition == 0);
}

static atomic_int done;

static void *waiter(void *result) {
    CHECK(wait_until(NULL, 0) == *(int *)result);
    if (*(int *)result == 0) {
        CHECK(is_mine());
        done++;
        let_go();
    }
    return NULL;
}

static void *plain_waiter(void *unused) {
    (void)unused;
    CHECK(futex(&condition, FUTEX_WAIT, 0, NULL, NULL, 0) == 0);
    return NULL;
}

static pthread_t start(void *(*body)(void *), void *argument) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, body, argument) == 0);
    return thread;
}

static void join(pthread_t thread) { CHECK(pthread_join(thread, NULL) == 0); }

// Requeues until one that waits was found.
static void signal_one(void) {
    int moved;
    while ((moved = requeue(0, 0)) == 0) sched_yield();
    CHECK(moved == 1);
}

static void one(void) {
    int fine = 0;
    // The lock is free, so it is given to the waiter.
    pthread_t thread = start(waiter, &fine);
    signal_one();
    join(thread);
    CHECK(lock == 0 && done == 1);
    // It is held: the waiter comes back once it has been let go.
    take();
    thread = start(waiter, &fine);
    signal_one();
    usleep(2000);
    CHECK(done == 1 && is_mine() && lock & FUTEX_WAITERS);
    let_go();
    join(thread);
    CHECK(lock == 0 && done == 2);
}

static void all(void) {
    enum { COUNT = 8 };
    for (int held = 0; held < 2; held++) {
        pthread_t threads[COUNT];
        int fine = 0, moved = 0;
        done = 0;
        if (held) take();
        for (int i = 0; i < COUNT; i++) threads[i] = start(waiter, &fine);
        while (moved < COUNT) {
            int now = requeue(INT_MAX, 0);
            CHECK(now >= 0);
            moved += now;
            sched_yield();
        }
        CHECK(moved == COUNT && requeue(INT_MAX, 0) == 0);
        if (held) CHECK(done == 0);
        if (held) let_go();
        for (int i = 0; i < COUNT; i++) join(threads[i]);
        CHECK(done == COUNT && lock == 0);
    }
}

// Whether a thread sleeps, as /proc tells it.
static int sleeps(pid_t tid) {
    char path[64], state = 0;
    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    CHECK(fscanf(file, "%*d %*s %c", &state) == 1);
    fclose(file);
    return state == 'S';
}

static atomic_int tid;

static void *told_waiter(void *result) {
    tid = gettid();
    return waiter(result);
}

static pthread_t start_asleep(void *(*body)(void *), int *result) {
    tid = 0;
    pthread_t thread = start(body, result);
    while (!tid || !sleeps(tid)) sched_yield();
    return thread;
}

static void *told_plain_waiter(void *unused) {
    tid = gettid();
    return plain_waiter(unused);
}

static void mismatches(void) {
    int fine = 0;
    pthread_t thread = start_asleep(told_waiter, &fine);
    CHECK(futex(&condition, FUTEX_WAKE, 1, NULL, NULL, 0) == -EINVAL);
    CHECK(futex(&condition, FUTEX_CMP_REQUEUE_PI, 1, NULL, &other, 0) == -EINVAL);
    signal_one();
    join(thread);
    thread = start_asleep(told_plain_waiter, NULL);
    CHECK(requeue(0, 0) == -EINVAL);
    CHECK(futex(&condition, FUTEX_WAKE, 1, NULL, NULL, 0) == 1);
    join(thread);
}

static void *late_waiter(void *unused) {
    (void)unused;
    struct timespec deadline = spec(now(CLOCK_MONOTONIC) + 20 * MS);
    CHECK(wait_until(&deadline, 0) == -ETIMEDOUT);
    CHECK(!is_mine());
    return NULL;
}

// The time is over while the lock is waited for: then it is not waited for any more.
static void late(void) {
    take();
    pthread_t thread = start(late_waiter, NULL);
    int moved = 0;
    for (long end = now(CLOCK_MONOTONIC) + 15 * MS; !moved && now(CLOCK_MONOTONIC) < end;) moved = requeue(0, 0);
    join(thread);
    let_go();
    CHECK(lock == 0);
}

static atomic_int caught;
static void count(int signal) {
    (void)signal;
    caught++;
}

static void interrupted(void) {
    struct sigaction action = {.sa_handler = count};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    // Before it is moved: the handler runs, and it waits on.
    int fine = 0, again = -EAGAIN;
    pthread_t thread = start_asleep(told_waiter, &fine);
    CHECK(pthread_kill(thread, SIGUSR1) == 0);
    while (caught < 1) sched_yield();
    signal_one();
    join(thread);
    // After it: it does not wait for the word again.
    take();
    thread = start_asleep(told_waiter, &again);
    signal_one();
    CHECK(pthread_kill(thread, SIGUSR1) == 0);
    join(thread);
    CHECK(caught == 2 && is_mine());
    let_go();
    CHECK(lock == 0);
}

// A queue with room for one thing, filled and emptied by many: each waits for its turn.
static unsigned full, passed;

static void *passer(void *which) {
    long fills = (long)which;
    for (int i = 0; i < 400; i++) {
        take();
        while (full == (unsigned)fills) {
            unsigned seen = condition;
            let_go();
            int result = wait_until(NULL, seen);
            CHECK(result == 0 || result == -EAGAIN);
            if (result != 0) take();
            CHECK(is_mine());
        }
        full = fills;
        passed++;
        unsigned now = ++condition;
        CHECK(requeue(INT_MAX, now) >= 0);
        let_go();
    }
    return NULL;
}

static void many(void) {
    pthread_t threads[6];
    condition = full = passed = 0;
    for (long i = 0; i < 6; i++) threads[i] = start(passer, (void *)(i & 1));
    for (int i = 0; i < 6; i++) join(threads[i]);
    CHECK(passed == 6 * 400 && lock == 0);
    condition = 0;
}

int main(void) {
    refusals();
    one();
    all();
    mismatches();
    late();
    interrupted();
    many();
    return failures != 0;
}
