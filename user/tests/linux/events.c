// Event descriptors and waiting for many files, as a Linux program sees them:
// eventfd, timerfd, signalfd, epoll, poll and select. Exits with 0 if all is as
// the manual says; it does on Linux itself. What sets the wall clock is tested
// only where "set" is the argument.
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"

static int ready(int fd, int events) {
    struct pollfd entry = {.fd = fd, .events = events};
    CHECK(poll(&entry, 1, 0) >= 0);
    return entry.revents;
}

static uint64_t get(int fd) {
    uint64_t value = 0;
    CHECK(read(fd, &value, 8) == 8);
    return value;
}

static void put(int fd, uint64_t value) {
    CHECK(write(fd, &value, 8) == 8);
}

static void *add_later(void *fd) {
    for (int i = 0; i < 1000; i++) put(*(int *)fd, 1);
    return NULL;
}

static void counters(void) {
    uint64_t value = UINT64_MAX;
    int fd = eventfd(5, EFD_NONBLOCK | EFD_CLOEXEC);
    CHECK(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) && (fcntl(fd, F_GETFL) & O_NONBLOCK));
    CHECK(ready(fd, POLLIN | POLLOUT) == (POLLIN | POLLOUT));
    CHECK(get(fd) == 5 && ready(fd, POLLIN | POLLOUT) == POLLOUT);
    CHECK(read(fd, &value, 8) == -1 && errno == EAGAIN);
    CHECK(read(fd, &value, 7) == -1 && errno == EINVAL);
    value = UINT64_MAX;
    CHECK(write(fd, &value, 8) == -1 && errno == EINVAL);
    CHECK(write(fd, &value, 4) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_read, fd, 8, 8) == -1 && errno == EAGAIN);
    put(fd, UINT64_MAX - 2);
    put(fd, 1);
    CHECK(ready(fd, POLLIN | POLLOUT) == POLLIN);
    value = 1;
    CHECK(write(fd, &value, 8) == -1 && errno == EAGAIN);
    put(fd, 0);
    CHECK(get(fd) == UINT64_MAX - 1);
    struct stat stat;
    CHECK(fstat(fd, &stat) == 0 && (stat.st_mode & S_IFMT) == 0);
    close(fd);
    CHECK(eventfd(0, 1 << 20) == -1 && errno == EINVAL);
    fd = eventfd(3, EFD_SEMAPHORE);
    CHECK(get(fd) == 1 && get(fd) == 1 && get(fd) == 1);
    // Those who wait are woken, one for each.
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) CHECK(pthread_create(&threads[i], NULL, add_later, &fd) == 0);
    for (int i = 0; i < 4000; i++) CHECK(get(fd) == 1);
    for (int i = 0; i < 4; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    close(fd);
}

static void timers(void) {
    static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME};
    uint64_t value;
    for (int i = 0; i < 6; i++) {
        clockid_t clock = clocks[i / 2];
        int absolute = i & 1 ? TFD_TIMER_ABSTIME : 0;
        int fd = timerfd_create(clock, TFD_CLOEXEC);
        CHECK(fd >= 0 && ready(fd, POLLIN) == 0);
        long moment = now(clock) + 5 * MS;
        struct itimerspec set = {.it_value = spec(absolute ? moment : 5 * MS)}, left;
        CHECK(timerfd_settime(fd, absolute, &set, NULL) == 0);
        CHECK(get(fd) == 1 && now(clock) >= moment);
        // Again and again; what has passed is counted.
        long start = now(clock);
        set = (struct itimerspec){spec(MS), spec(absolute ? start : 1)};
        CHECK(timerfd_settime(fd, absolute, &set, &left) == 0 && left.it_value.tv_nsec == 0);
        uint64_t sum = 0;
        while (sum < 10) sum += get(fd);
        CHECK(now(clock) >= start + 9 * MS);
        set = (struct itimerspec){spec(3 * SECOND), spec(1000 * SECOND)};
        CHECK(timerfd_settime(fd, 0, &set, &left) == 0 && left.it_interval.tv_nsec == MS);
        CHECK(timerfd_gettime(fd, &left) == 0 && left.it_interval.tv_sec == 3);
        CHECK(left.it_value.tv_sec >= 900 && left.it_value.tv_sec <= 1000);
        CHECK(ready(fd, POLLIN) == 0);
        CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
        CHECK(read(fd, &value, 8) == -1 && errno == EAGAIN);
        CHECK(read(fd, &value, 7) == -1 && errno == EINVAL);
        CHECK(write(fd, &value, 8) == -1 && errno == EINVAL);
        set.it_value.tv_nsec = SECOND;
        CHECK(timerfd_settime(fd, 0, &set, NULL) == -1 && errno == EINVAL);
        CHECK(timerfd_settime(fd, 16, &left, NULL) == -1 && errno == EINVAL);
        CHECK(timerfd_settime(0, 0, &left, NULL) == -1 && errno == EINVAL);
        close(fd);
        CHECK(timerfd_settime(fd, 0, &left, NULL) == -1 && errno == EBADF);
    }
    CHECK(timerfd_create(77, 0) == -1 && errno == EINVAL);
    CHECK(timerfd_create(CLOCK_MONOTONIC, 1) == -1 && errno == EINVAL);
}

static void clock_settings(void) {
    int fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK);
    struct timespec time = spec(now(CLOCK_REALTIME));
    struct itimerspec tomorrow = {.it_value = {time.tv_sec + 86400, 0}};
    int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
    CHECK(timerfd_settime(fd, flags, &tomorrow, NULL) == 0 && ready(fd, POLLIN) == 0);
    CHECK(clock_settime(CLOCK_REALTIME, &time) == 0 && ready(fd, POLLIN) == POLLIN);
    uint64_t value;
    CHECK(read(fd, &value, 8) == -1 && errno == ECANCELED);
    CHECK(read(fd, &value, 8) == -1 && errno == EAGAIN);
    struct timespec later = {time.tv_sec + 86401, 0};
    CHECK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &tomorrow, NULL) == 0);
    CHECK(clock_settime(CLOCK_REALTIME, &later) == 0);
    CHECK(poll(&(struct pollfd){fd, POLLIN, 0}, 1, -1) == 1 && get(fd) == 1);
    CHECK(clock_settime(CLOCK_REALTIME, &time) == 0);
    close(fd);
}

static void signals(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    struct signalfd_siginfo info[4];
    CHECK(fd >= 0 && read(fd, info, sizeof info) == -1 && errno == EAGAIN);
    CHECK(read(fd, info, sizeof info[0] - 1) == -1 && errno == EINVAL);
    CHECK(ready(fd, POLLIN) == 0);
    union sigval value = {.sival_int = 77};
    CHECK(sigqueue(getpid(), SIGRTMIN, value) == 0 && kill(getpid(), SIGUSR1) == 0);
    CHECK(ready(fd, POLLIN) == POLLIN);
    CHECK(read(fd, info, sizeof info) == 2 * sizeof info[0]);
    CHECK(info[0].ssi_signo == SIGUSR1 && info[0].ssi_code == SI_USER);
    CHECK(info[0].ssi_pid == (unsigned)getpid());
    CHECK(info[1].ssi_signo == (unsigned)SIGRTMIN && info[1].ssi_code == SI_QUEUE);
    CHECK(info[1].ssi_int == 77);
    // Others are let through; then they are not.
    sigset_t less = set;
    sigdelset(&less, SIGUSR1);
    CHECK(signalfd(fd, &less, 0) == fd);
    kill(getpid(), SIGUSR1);
    CHECK(ready(fd, POLLIN) == 0 && signalfd(fd, &set, 0) == fd && ready(fd, POLLIN) == POLLIN);
    CHECK(read(fd, info, sizeof info) == sizeof info[0]);
    // A read that waits, and an epoll that does.
    CHECK(fcntl(fd, F_SETFL, 0) == 0);
    pid_t child = fork();
    if (child == 0) _exit(3);
    CHECK(read(fd, info, sizeof info[0]) == sizeof info[0]);
    CHECK(info[0].ssi_signo == SIGCHLD && info[0].ssi_code == CLD_EXITED);
    CHECK(info[0].ssi_pid == (unsigned)child && info[0].ssi_status == 3);
    CHECK(waitpid(child, NULL, 0) == child);
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN}, got;
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
    CHECK(epoll_wait(epoll, &got, 1, 0) == 0);
    pid_t parent = getpid();
    child = fork();
    if (child == 0) _exit(kill(parent, SIGUSR1));
    CHECK(epoll_wait(epoll, &got, 1, -1) == 1 && got.events == EPOLLIN);
    while (waitpid(child, NULL, 0) != child) {
    }
    close(epoll);
    CHECK(signalfd(0, &set, 0) == -1 && errno == EINVAL);
    CHECK(signalfd(-1, &set, 1) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_signalfd4, -1, &set, 4, 0) == -1 && errno == EINVAL);
    CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
    while (read(fd, info, sizeof info) > 0) {
    }
    close(fd);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void control(int epoll, int operation, int fd, unsigned events) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    CHECK(epoll_ctl(epoll, operation, fd, &event) == 0);
}

static int fails(int epoll, int operation, int fd, unsigned events) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    CHECK(epoll_ctl(epoll, operation, fd, &event) == -1);
    return errno;
}

// What is told, without waiting: 0 if nothing.
static unsigned told(int epoll) {
    struct epoll_event event = {0};
    CHECK(epoll_wait(epoll, &event, 1, 0) >= 0);
    return event.events;
}

static void manners(void) {
    int data[2], epoll = epoll_create1(EPOLL_CLOEXEC);
    CHECK(epoll >= 0 && pipe(data) == 0 && (fcntl(epoll, F_GETFD) & FD_CLOEXEC));
    control(epoll, EPOLL_CTL_ADD, data[0], EPOLLIN);
    CHECK(told(epoll) == 0);
    CHECK(write(data[1], "ab", 2) == 2);
    CHECK(told(epoll) == EPOLLIN && told(epoll) == EPOLLIN && ready(epoll, POLLIN) == POLLIN);
    char byte;
    CHECK(read(data[0], &byte, 1) == 1 && told(epoll) == EPOLLIN);
    CHECK(read(data[0], &byte, 1) == 1 && told(epoll) == 0 && ready(epoll, POLLIN) == 0);
    // Edges.
    control(epoll, EPOLL_CTL_MOD, data[0], EPOLLIN | EPOLLET);
    CHECK(told(epoll) == 0 && write(data[1], "c", 1) == 1);
    CHECK(told(epoll) == EPOLLIN && told(epoll) == 0);
    CHECK(write(data[1], "d", 1) == 1 && told(epoll) == EPOLLIN && told(epoll) == 0);
    control(epoll, EPOLL_CTL_MOD, data[0], EPOLLIN | EPOLLET);
    CHECK(told(epoll) == EPOLLIN && told(epoll) == 0);
    // Once.
    control(epoll, EPOLL_CTL_MOD, data[0], EPOLLIN | EPOLLONESHOT);
    CHECK(told(epoll) == EPOLLIN && told(epoll) == 0);
    CHECK(write(data[1], "e", 1) == 1 && told(epoll) == 0);
    control(epoll, EPOLL_CTL_MOD, data[0], EPOLLIN | EPOLLONESHOT);
    CHECK(told(epoll) == EPOLLIN && told(epoll) == 0);
    // The other end goes: told whether asked for or not.
    control(epoll, EPOLL_CTL_MOD, data[0], 0);
    CHECK(told(epoll) == 0);
    close(data[1]);
    CHECK(told(epoll) == EPOLLHUP);
    control(epoll, EPOLL_CTL_MOD, data[0], EPOLLIN);
    CHECK(told(epoll) == (EPOLLIN | EPOLLHUP));
    control(epoll, EPOLL_CTL_DEL, data[0], 0);
    CHECK(told(epoll) == 0);
    close(data[0]), close(epoll);
}

static void lifetimes(void) {
    int data[2], epoll = epoll_create1(0);
    CHECK(pipe(data) == 0 && write(data[1], "x", 1) == 1);
    control(epoll, EPOLL_CTL_ADD, data[0], EPOLLIN);
    // It is the open file that is watched, as long as any descriptor has it.
    int copy = dup(data[0]);
    control(epoll, EPOLL_CTL_ADD, copy, EPOLLIN);
    struct epoll_event got[8];
    CHECK(epoll_wait(epoll, got, 8, 0) == 2);
    control(epoll, EPOLL_CTL_DEL, copy, 0);
    close(data[0]);
    CHECK(epoll_wait(epoll, got, 8, 0) == 1 && got[0].data.fd == data[0]);
    close(copy);
    CHECK(epoll_wait(epoll, got, 8, 0) == 0);
    close(data[1]);
    // A descriptor that is used anew is another's.
    CHECK(pipe(data) == 0);
    control(epoll, EPOLL_CTL_ADD, data[0], EPOLLIN);
    CHECK(fails(epoll, EPOLL_CTL_ADD, data[0], EPOLLIN) == EEXIST);
    // An epoll that goes leaves the file alone, and one in a child is the same.
    int second = epoll_create(1);
    control(second, EPOLL_CTL_ADD, data[0], EPOLLIN | EPOLLET);
    close(second);
    int status;
    pid_t child = fork();
    if (child == 0) {
        close(data[0]);
        _exit(write(data[1], "y", 1) != 1 || epoll_wait(epoll, got, 8, -1) != 1);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(epoll_wait(epoll, got, 8, -1) == 1);
    close(data[0]), close(data[1]), close(epoll);
}

static void errors(void) {
    int data[2], epoll = epoll_create1(0), file = open("/", O_RDONLY);
    struct epoll_event event = {.events = EPOLLIN};
    CHECK(pipe(data) == 0);
    CHECK(fails(epoll, EPOLL_CTL_MOD, data[0], EPOLLIN) == ENOENT);
    CHECK(fails(epoll, EPOLL_CTL_DEL, data[0], EPOLLIN) == ENOENT);
    CHECK(fails(epoll, 9, data[0], EPOLLIN) == EINVAL);
    CHECK(fails(epoll, EPOLL_CTL_ADD, file, EPOLLIN) == EPERM);
    CHECK(fails(epoll, EPOLL_CTL_ADD, 999, EPOLLIN) == EBADF);
    CHECK(fails(999, EPOLL_CTL_ADD, data[0], EPOLLIN) == EBADF);
    CHECK(fails(data[0], EPOLL_CTL_ADD, data[1], EPOLLIN) == EINVAL);
    CHECK(fails(epoll, EPOLL_CTL_ADD, epoll, EPOLLIN) == EINVAL);
    CHECK(syscall(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, data[0], 8) == -1 && errno == EFAULT);
    CHECK(epoll_wait(epoll, &event, 0, 0) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_epoll_wait, epoll, &event, -1, 0) == -1 && errno == EINVAL);
    CHECK(epoll_wait(data[0], &event, 1, 0) == -1 && errno == EINVAL);
    CHECK(epoll_wait(999, &event, 1, 0) == -1 && errno == EBADF);
    CHECK(epoll_create(0) == -1 && errno == EINVAL);
    CHECK(epoll_create1(1) == -1 && errno == EINVAL);
    CHECK(read(epoll, &event, 8) == -1 && errno == EINVAL);
    // What cannot be told is told later.
    control(epoll, EPOLL_CTL_ADD, data[1], EPOLLOUT | EPOLLONESHOT);
    CHECK(syscall(SYS_epoll_wait, epoll, 8, 1, 0) == -1 && errno == EFAULT);
    CHECK(told(epoll) == EPOLLOUT && told(epoll) == 0);
    CHECK(fails(epoll, EPOLL_CTL_MOD, data[1], EPOLLEXCLUSIVE | EPOLLIN) == EINVAL);
    CHECK(fails(epoll, EPOLL_CTL_ADD, data[0], EPOLLEXCLUSIVE | EPOLLONESHOT) == EINVAL);
    control(epoll, EPOLL_CTL_ADD, data[0], EPOLLEXCLUSIVE | EPOLLIN);
    CHECK(fails(epoll, EPOLL_CTL_MOD, data[0], EPOLLIN) == EINVAL);
    close(data[0]), close(data[1]), close(epoll), close(file);
}

static void nesting(void) {
    int data[2], chain[5], top = epoll_create1(0);
    CHECK(pipe(data) == 0);
    for (int i = 0; i < 5; i++) {
        chain[i] = epoll_create1(0);
        control(chain[i], EPOLL_CTL_ADD, i ? chain[i - 1] : data[0], EPOLLIN);
    }
    CHECK(told(chain[4]) == 0 && write(data[1], "x", 1) == 1);
    for (int i = 0; i < 5; i++) CHECK(told(chain[i]) == EPOLLIN);
    CHECK(fails(top, EPOLL_CTL_ADD, chain[4], EPOLLIN) == ELOOP);
    CHECK(fails(chain[0], EPOLL_CTL_ADD, chain[4], EPOLLIN) == ELOOP);
    CHECK(fails(chain[0], EPOLL_CTL_ADD, chain[1], EPOLLIN) == ELOOP);
    // As deep, but made from the top.
    int upper[6];
    for (int i = 0; i < 6; i++) {
        upper[i] = epoll_create1(0);
        if (i == 5) CHECK(fails(upper[4], EPOLL_CTL_ADD, upper[5], EPOLLIN) == ELOOP);
        else if (i > 0) control(upper[i - 1], EPOLL_CTL_ADD, upper[i], EPOLLIN);
    }
    char byte;
    CHECK(read(data[0], &byte, 1) == 1);
    for (int i = 0; i < 5; i++) CHECK(told(chain[i]) == 0);
    // From the middle out.
    close(chain[2]);
    CHECK(write(data[1], "x", 1) == 1 && told(chain[1]) == EPOLLIN && told(chain[3]) == 0);
    for (int i = 0; i < 5; i++) close(chain[i]);
    for (int i = 0; i < 6; i++) close(upper[i]);
    close(data[0]), close(data[1]), close(top);
}

// Thousands are watched; each wait tells of those few that are ready.
static void many(void) {
    enum { COUNT = 4000, PART = 100 };
    struct rlimit limit = {COUNT + 100, COUNT + 100};
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    static int fds[COUNT];
    static struct epoll_event got[COUNT];
    int epoll = epoll_create1(0);
    for (int i = 0; i < COUNT; i++) {
        fds[i] = eventfd(0, EFD_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN, .data.u64 = i};
        CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event) == 0);
    }
    CHECK(epoll_wait(epoll, got, COUNT, 0) == 0);
    for (int round = 0; round < COUNT; round++) {
        int i = round * 7 % COUNT, j = (round * 13 + 1) % COUNT;
        put(fds[i], 1);
        if (j != i) put(fds[j], 1);
        int count = epoll_wait(epoll, got, COUNT, -1);
        CHECK(count == 1 + (i != j));
        for (int k = 0; k < count; k++) CHECK(get(fds[got[k].data.u64]) == 1);
    }
    // All at once, in parts: none is told twice before all are told.
    for (int i = 0; i < COUNT; i++) put(fds[i], 1);
    static char seen[COUNT];
    for (int round = 0; round < COUNT / PART; round++) {
        CHECK(epoll_wait(epoll, got, PART, 0) == PART);
        for (int i = 0; i < PART; i++) CHECK(seen[got[i].data.u64]++ == 0);
    }
    for (int i = 0; i < COUNT; i++) close(fds[i]);
    CHECK(epoll_wait(epoll, got, PART, 0) == 0);
    close(epoll);
}

static int shared_epoll, shared_pipe[2];
static volatile int stop;
static volatile long taken;

static void *take_once(void *unused) {
    struct epoll_event event;
    while (!stop) {
        if (epoll_wait(shared_epoll, &event, 1, -1) != 1) continue;
        char byte;
        if (event.data.fd != shared_pipe[0]) break;
        // Nobody else is told before it is asked for anew.
        if (read(shared_pipe[0], &byte, 1) == 1) __atomic_fetch_add(&taken, 1, __ATOMIC_SEQ_CST);
        control(shared_epoll, EPOLL_CTL_MOD, shared_pipe[0], EPOLLIN | EPOLLONESHOT);
    }
    return unused;
}

static void *disturb(void *unused) {
    while (!stop) {
        int other[2];
        CHECK(pipe(other) == 0);
        control(shared_epoll, EPOLL_CTL_ADD, other[0], EPOLLIN | EPOLLET);
        CHECK(write(other[1], "x", 0) == 0);
        control(shared_epoll, EPOLL_CTL_MOD, other[0], EPOLLIN);
        if (taken & 1) control(shared_epoll, EPOLL_CTL_DEL, other[0], 0);
        close(other[0]), close(other[1]);
    }
    return unused;
}

// Waits, changes and closes at the same time: no byte is lost or taken twice.
static void races(void) {
    int last = eventfd(0, 0);
    shared_epoll = epoll_create1(0);
    CHECK(pipe2(shared_pipe, O_NONBLOCK) == 0);
    control(shared_epoll, EPOLL_CTL_ADD, shared_pipe[0], EPOLLIN | EPOLLONESHOT);
    pthread_t threads[5];
    for (int i = 0; i < 5; i++) {
        CHECK(pthread_create(&threads[i], NULL, i < 3 ? take_once : disturb, NULL) == 0);
    }
    for (long i = 0; i < 3000; i++) {
        CHECK(write(shared_pipe[1], "x", 1) == 1);
        while (taken < i - 10) sched_yield();
    }
    while (taken < 3000) sched_yield();
    stop = 1;
    control(shared_epoll, EPOLL_CTL_ADD, last, EPOLLIN);
    put(last, 1);
    for (int i = 0; i < 5; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(taken == 3000);
    close(last), close(shared_epoll), close(shared_pipe[0]), close(shared_pipe[1]);
}

static volatile sig_atomic_t caught;

static void note(int signal) {
    (void)signal;
    caught++;
}

static void selecting(void) {
    int data[2];
    CHECK(pipe(data) == 0);
    fd_set in, out, other;
    FD_ZERO(&in);
    FD_ZERO(&out);
    FD_ZERO(&other);
    FD_SET(data[0], &in), FD_SET(data[1], &out), FD_SET(data[0], &other);
    CHECK(select(data[1] + 1, &in, &out, &other, NULL) == 1);
    CHECK(!FD_ISSET(data[0], &in) && FD_ISSET(data[1], &out) && !FD_ISSET(data[0], &other));
    CHECK(write(data[1], "x", 1) == 1);
    FD_SET(data[0], &in);
    CHECK(select(data[1] + 1, &in, &out, NULL, NULL) == 2);
    CHECK(FD_ISSET(data[0], &in) && FD_ISSET(data[1], &out));
    char byte;
    CHECK(read(data[0], &byte, 1) == 1);
    struct timeval time = {0, 2000};
    CHECK(select(data[0] + 1, &in, NULL, NULL, &time) == 0 && !FD_ISSET(data[0], &in));
    CHECK(time.tv_sec == 0 && time.tv_usec == 0);
    time.tv_sec = -1;
    CHECK(select(0, NULL, NULL, NULL, &time) == -1 && errno == EINVAL);
    CHECK(select(-1, NULL, NULL, NULL, NULL) == -1 && errno == EINVAL);
    FD_SET(60, &in);
    CHECK(select(61, &in, NULL, NULL, NULL) == -1 && errno == EBADF);
    CHECK(syscall(SYS_select, 8, 8, NULL, NULL, NULL) == -1 && errno == EFAULT);
    // A signal that is blocked but for the call ends it, and is blocked again.
    sigset_t set, none, after;
    sigemptyset(&set), sigemptyset(&none);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGUSR1, note);
    struct epoll_event event;
    int epoll = epoll_create1(0);
    FD_ZERO(&in);
    FD_SET(data[0], &in);
    struct timespec long_time = {1000, 0};
    for (int i = 0; i < 4; i++) {
        caught = 0;
        kill(getpid(), SIGUSR1);
        struct pollfd entry = {.fd = data[0], .events = POLLIN};
        errno = 0;
        if (i == 0) CHECK(pselect(data[0] + 1, &in, NULL, NULL, &long_time, &none) == -1);
        if (i == 1) CHECK(ppoll(&entry, 1, NULL, &none) == -1);
        if (i == 2) CHECK(epoll_pwait(epoll, &event, 1, -1, &none) == -1);
        if (i == 3) {
            CHECK(syscall(SYS_epoll_pwait2, epoll, &event, 1, &long_time, &none, 8) == -1);
        }
        CHECK(errno == EINTR && caught == 1);
        sigprocmask(SIG_SETMASK, NULL, &after);
        CHECK(sigismember(&after, SIGUSR1));
    }
    // What is ready comes first; the mask is what it was, too.
    CHECK(write(data[1], "x", 1) == 1 && pselect(data[0] + 1, &in, NULL, NULL, NULL, &none) == 1);
    sigprocmask(SIG_SETMASK, NULL, &after);
    CHECK(sigismember(&after, SIGUSR1));
    struct pollfd entries[3] = {{data[0], POLLIN | POLLRDNORM, 0}, {-1, POLLIN, 7}, {998, POLLIN, 0}};
    CHECK(poll(entries, 3, -1) == 2 && entries[0].revents == (POLLIN | POLLRDNORM));
    CHECK(entries[1].revents == 0 && entries[2].revents == POLLNVAL);
    struct timespec bad = {0, SECOND};
    CHECK(ppoll(entries, 1, &bad, NULL) == -1 && errno == EINVAL);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    close(data[0]), close(data[1]), close(epoll);
}

int main(int count, char **words) {
    setvbuf(stdout, NULL, _IONBF, 0);
    counters();
    timers();
    signals();
    manners();
    lifetimes();
    errors();
    nesting();
    selecting();
    many();
    races();
    if (count > 1 && strcmp(words[1], "set") == 0) clock_settings();
    return failures != 0;
}
