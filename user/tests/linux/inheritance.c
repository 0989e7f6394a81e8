// Locks with priority inheritance as a Linux program sees them. Exits with 0 if all
// is as futex(2) and pthread_mutexattr_setprotocol(3) say; it does on Linux itself.
#define _GNU_SOURCE
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "one_cpu.h"

#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

static long futex(uint32_t *word, int operation, struct timespec *until) {
    return syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, 0, until, NULL, 0);
}

static int take(uint32_t *word) {
    uint32_t free = 0;
    if (__atomic_compare_exchange_n(word, &free, gettid(), 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        return 0;
    return futex(word, FUTEX_LOCK_PI, NULL);
}

static void give(uint32_t *word) {
    uint32_t own = gettid();
    if (!__atomic_compare_exchange_n(word, &own, 0, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        CHECK(futex(word, FUTEX_UNLOCK_PI, NULL) == 0);
}

static pthread_t start(void *(*body)(void *), void *word) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, body, word) == 0);
    return thread;
}

// With `waiters`, somebody waits in the kernel.
static void until_held(uint32_t *word, uint32_t waiters) {
    while ((__atomic_load_n(word, __ATOMIC_SEQ_CST) & FUTEX_WAITERS) != waiters) sched_yield();
}

static uint32_t a, b;
static sem_t gate, told;

static void *holds_b_wants_a(void *unused) {
    (void)unused;
    CHECK(take(&b) == 0);
    sem_post(&told);
    CHECK(take(&a) == 0);
    give(&a);
    give(&b);
    return NULL;
}

static void *tries(void *word) {
    CHECK(futex(word, FUTEX_TRYLOCK_PI, NULL) == -1 && errno == EWOULDBLOCK);
    CHECK(futex(word, FUTEX_UNLOCK_PI, NULL) == -1 && errno == EPERM);
    struct timespec past = {1, 0}, bad = {0, 1000000000};
    CHECK(futex(word, FUTEX_LOCK_PI, &past) == -1 && errno == ETIMEDOUT);
    CHECK(futex(word, FUTEX_LOCK_PI, &bad) == -1 && errno == EINVAL);
    if (futex(word, FUTEX_LOCK_PI2, &past) == -1) CHECK(errno == ETIMEDOUT || errno == ENOSYS);
    return NULL;
}

static void words(void) {
    sem_init(&told, 0, 0);
    CHECK(take(&a) == 0 && a == (uint32_t)gettid());
    CHECK(futex(&a, FUTEX_LOCK_PI, NULL) == -1 && errno == EDEADLK);
    pthread_join(start(tries, &a), NULL);
    // Without the mark that somebody waits.
    give(&a);
    CHECK(take(&a) == 0);
    // The owner of the other lock waits for this one.
    pthread_t peer = start(holds_b_wants_a, NULL);
    sem_wait(&told);
    until_held(&a, FUTEX_WAITERS);
    CHECK(take(&b) == -1 && errno == EDEADLK);
    give(&a);
    CHECK(take(&b) == 0);
    give(&b);
    CHECK(pthread_join(peer, NULL) == 0);
    CHECK(a == 0 && b == 0);
    // Nobody's, and no owner that there is.
    CHECK(futex(&a, FUTEX_TRYLOCK_PI, NULL) == 0 && a == (uint32_t)gettid());
    CHECK(futex(&a, FUTEX_UNLOCK_PI, NULL) == 0 && a == 0);
    CHECK(futex(&a, FUTEX_UNLOCK_PI, NULL) == -1 && errno == EPERM);
    a = 0x3ffffff;
    CHECK(futex(&a, FUTEX_LOCK_PI, NULL) == -1 && errno == ESRCH);
    CHECK(futex((uint32_t *)((char *)&a + 1), FUTEX_LOCK_PI, NULL) == -1 && errno == EINVAL);
    CHECK(futex((uint32_t *)8, FUTEX_LOCK_PI, NULL) == -1 && errno == EFAULT);
    CHECK(futex(&b, FUTEX_LOCK_PI | FUTEX_CLOCK_REALTIME, NULL) == -1 && errno == ENOSYS);
}

static pthread_mutex_t *make(int shared, int robust) {
    pthread_mutexattr_t how;
    pthread_mutex_t *mutex = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(mutex != MAP_FAILED);
    pthread_mutexattr_init(&how);
    CHECK(pthread_mutexattr_setprotocol(&how, PTHREAD_PRIO_INHERIT) == 0);
    if (shared) CHECK(pthread_mutexattr_setpshared(&how, PTHREAD_PROCESS_SHARED) == 0);
    if (robust) CHECK(pthread_mutexattr_setrobust(&how, PTHREAD_MUTEX_ROBUST) == 0);
    CHECK(pthread_mutex_init(mutex, &how) == 0);
    return mutex;
}

static pthread_mutex_t *mutex;
static int *count;

static void *counts(void *unused) {
    for (int i = 0; i < 3000; i++) {
        if (i % 3 == 0 && pthread_mutex_trylock(mutex) != 0) continue;
        if (i % 3 != 0) CHECK(pthread_mutex_lock(mutex) == 0);
        int seen = *count;
        if (i % 16 == 1) sched_yield();
        *count = seen + 1;
        __atomic_fetch_add(&count[1], 1, __ATOMIC_SEQ_CST);
        CHECK(pthread_mutex_unlock(mutex) == 0);
    }
    return unused;
}

// Nobody sees the count while it is another's: threads, then processes.
static void excludes(void) {
    for (int shared = 0; shared < 2; shared++) {
        mutex = make(shared, 0);
        count = (int *)((char *)mutex + 1024);
        pthread_t threads[4];
        pid_t child = shared ? fork() : 1;
        for (int i = 0; i < 4; i++) threads[i] = start(counts, NULL);
        for (int i = 0; i < 4; i++) CHECK(pthread_join(threads[i], NULL) == 0);
        if (child == 0) _exit(failures != 0);
        int status = 0;
        if (shared) CHECK(waitpid(child, &status, 0) == child && status == 0);
        CHECK(count[0] == count[1] && count[0] >= 8000);
        CHECK(pthread_mutex_trylock(mutex) == 0 && pthread_mutex_unlock(mutex) == 0);
    }
}

static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static int turn;

static void *plays(void *word) {
    int own = (int)(intptr_t)word;
    for (int i = 0; i < 500; i++) {
        CHECK(pthread_mutex_lock(mutex) == 0);
        while (turn != own) CHECK(pthread_cond_wait(&condition, mutex) == 0);
        turn = 1 - own;
        pthread_cond_broadcast(&condition);
        CHECK(pthread_mutex_unlock(mutex) == 0);
    }
    return NULL;
}

static void conditions(void) {
    mutex = make(0, 0);
    pthread_t threads[2] = {start(plays, (void *)0), start(plays, (void *)1)};
    for (int i = 0; i < 2; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}

static void *keeps(void *unused) {
    CHECK(pthread_mutex_lock(mutex) == 0);
    sem_post(&told);
    while (sem_wait(&gate) != 0) {
    }
    return unused;
}

static void *inherits(void *unused) {
    CHECK(pthread_mutex_lock(mutex) == EOWNERDEAD);
    CHECK(pthread_mutex_consistent(mutex) == 0);
    CHECK(pthread_mutex_unlock(mutex) == 0);
    return unused;
}

static void until_waited_for(void) {
    // The lock's word is the first of the mutex.
    until_held((uint32_t *)mutex, FUTEX_WAITERS);
}

// A holder ends: before and while another waits; a thread, and a process.
static void owners_that_end(void) {
    sem_init(&gate, 0, 0);
    sem_init(&told, 0, 0);
    mutex = make(1, 1);
    sem_post(&gate);
    pthread_t holder = start(keeps, NULL);
    CHECK(pthread_join(holder, NULL) == 0 && sem_wait(&told) == 0);
    inherits(NULL);
    holder = start(keeps, NULL);
    sem_wait(&told);
    pthread_t heir = start(inherits, NULL);
    until_waited_for();
    sem_post(&gate);
    CHECK(pthread_join(holder, NULL) == 0 && pthread_join(heir, NULL) == 0);
    CHECK(pthread_mutex_lock(mutex) == 0 && pthread_mutex_unlock(mutex) == 0);
    pid_t child = fork();
    if (child == 0) {
        CHECK(pthread_mutex_lock(mutex) == 0);
        for (;;) pause();
    }
    while (*(volatile int *)mutex == 0) sched_yield();
    heir = start(inherits, NULL);
    until_waited_for();
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    CHECK(pthread_join(heir, NULL) == 0);
    CHECK(pthread_mutex_lock(mutex) == 0 && pthread_mutex_unlock(mutex) == 0);
}

static volatile int handled;

static void handler(int signal) {
    (void)signal;
    handled++;
}

static void *takes(void *unused) {
    CHECK(pthread_mutex_lock(mutex) == 0 && pthread_mutex_unlock(mutex) == 0);
    return unused;
}

// A signal ends no wait for a lock; a moment does.
static void interrupted(void) {
    struct sigaction action = {.sa_handler = handler};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    mutex = make(0, 0);
    CHECK(pthread_mutex_lock(mutex) == 0);
    pthread_t peer = start(takes, NULL);
    until_waited_for();
    for (int i = 0; i < 20; i++) {
        int seen = handled;
        CHECK(pthread_kill(peer, SIGUSR1) == 0);
        while (handled == seen) sched_yield();
    }
    CHECK(pthread_mutex_unlock(mutex) == 0 && pthread_join(peer, NULL) == 0);
    CHECK(pthread_mutex_lock(mutex) == 0);
    pid_t child = fork();
    if (child == 0) {
        // The parent's: never ours.
        struct timespec soon;
        clock_gettime(CLOCK_REALTIME, &soon);
        soon.tv_nsec += 2000000;
        if (soon.tv_nsec >= 1000000000) soon.tv_sec++, soon.tv_nsec -= 1000000000;
        mutex = make(0, 0);
        pthread_t holder = start(keeps, NULL);
        sem_wait(&told);
        CHECK(pthread_mutex_timedlock(mutex, &soon) == ETIMEDOUT);
        sem_post(&gate);
        pthread_join(holder, NULL);
        _exit(failures != 0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static char order[16];

static void note(char what) { order[strlen(order)] = what; }

static void *low(void *unused) {
    pthread_mutex_lock(mutex);
    note('1');
    while (sem_wait(&gate) != 0) {
    }
    note('2');
    pthread_mutex_unlock(mutex);
    note('5');
    return unused;
}

static void *middle(void *unused) {
    note('4');
    return unused;
}

static void *high(void *unused) {
    pthread_mutex_lock(mutex);
    note('3');
    pthread_mutex_unlock(mutex);
    return unused;
}

static pthread_t start_at(void *(*body)(void *), int priority) {
    pthread_attr_t how;
    struct sched_param param = {.sched_priority = priority};
    pthread_t thread;
    pthread_attr_init(&how);
    CHECK(pthread_attr_setinheritsched(&how, PTHREAD_EXPLICIT_SCHED) == 0);
    CHECK(pthread_attr_setschedpolicy(&how, SCHED_FIFO) == 0);
    CHECK(pthread_attr_setschedparam(&how, &param) == 0);
    CHECK(pthread_create(&thread, &how, body, NULL) == 0);
    return thread;
}

// On one CPU: the least urgent has the lock, and runs before the middle one as soon
// as the most urgent waits for it.
static void priorities(void) {
    stay_on_one_cpu();
    struct sched_param last = {.sched_priority = 1}, first = {.sched_priority = 50};
    if (sched_setscheduler(0, SCHED_FIFO, &last) != 0) {
        CHECK(errno == EPERM);
        return;
    }
    sem_init(&gate, 0, 0);
    mutex = make(0, 0);
    pthread_t threads[3] = {start_at(low, 10)};
    CHECK(sched_setscheduler(0, SCHED_FIFO, &first) == 0);
    threads[1] = start_at(high, 30);
    threads[2] = start_at(middle, 20);
    sem_post(&gate);
    CHECK(sched_setscheduler(0, SCHED_FIFO, &last) == 0);
    for (int i = 0; i < 3; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(strcmp(order, "12345") == 0);
    if (failures) printf("%s\n", order);
}

int main(void) {
    words();
    excludes();
    conditions();
    owners_that_end();
    interrupted();
    priorities();
    return failures != 0;
}
