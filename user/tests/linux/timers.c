// Timers, clocks and waitid as a Linux program sees them. Exits with 0 if all is
// as timer_create(2), setitimer(2) and waitid(2) say; it does on Linux itself.
// What sets the wall clock is tested only where "set" is the argument.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"

#ifndef sigev_notify_thread_id
#define sigev_notify_thread_id _sigev_un._tid
#endif

static struct itimerspec setting(long first, long interval) {
    return (struct itimerspec){.it_value = spec(first), .it_interval = spec(interval)};
}

static sigset_t blocked(int signal) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    return set;
}

static timer_t timer(clockid_t clock, int notify, int signal, int value) {
    struct sigevent event = {.sigev_notify = notify, .sigev_signo = signal};
    event.sigev_value.sival_int = value;
    if (notify == SIGEV_THREAD_ID) event.sigev_notify_thread_id = gettid();
    timer_t made = NULL;
    CHECK(timer_create(clock, &event, &made) == 0);
    return made;
}

static void set(timer_t timer, int flags, long first, long interval) {
    struct itimerspec new = setting(first, interval);
    CHECK(timer_settime(timer, flags, &new, NULL) == 0);
}

static const struct timespec none;

static void once(void) {
    static const clockid_t clocks[] = {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME};
    sigset_t signals = blocked(SIGRTMIN);
    siginfo_t info;
    for (int i = 0; i < 6; i++) {
        clockid_t clock = clocks[i / 2];
        int absolute = i & 1 ? TIMER_ABSTIME : 0;
        timer_t made = timer(clock, SIGEV_SIGNAL, SIGRTMIN, 40 + i);
        long moment = now(clock) + 5 * MS;
        set(made, absolute, absolute ? moment : 5 * MS, 0);
        CHECK(sigwaitinfo(&signals, &info) == SIGRTMIN && now(clock) >= moment);
        CHECK(info.si_code == SI_TIMER && info.si_value.sival_int == 40 + i);
        CHECK(info.si_overrun == 0 && timer_getoverrun(made) == 0);
        struct itimerspec left;
        CHECK(timer_gettime(made, &left) == 0);
        CHECK(left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0);
        // A moment that is past has come.
        set(made, TIMER_ABSTIME, 1, 0);
        CHECK(sigwaitinfo(&signals, &info) == SIGRTMIN);
        // Stopped, and none comes.
        set(made, 0, 1000 * SECOND, 3 * SECOND);
        struct itimerspec off = setting(0, 7 * SECOND);
        CHECK(timer_settime(made, 0, &off, &left) == 0);
        CHECK(left.it_value.tv_sec >= 900 && left.it_value.tv_sec <= 1000);
        CHECK(left.it_interval.tv_sec == 3);
        CHECK(timer_gettime(made, &left) == 0 && left.it_value.tv_sec == 0);
        CHECK(timer_delete(made) == 0);
        CHECK(sigtimedwait(&signals, &info, &none) == -1 && errno == EAGAIN);
    }
}

static void overruns(void) {
    sigset_t signals = blocked(SIGRTMIN);
    siginfo_t info;
    timer_t made = timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN, 1);
    for (int round = 0; round < 5; round++) {
        // Absolute, so that the moments are known: all that lie before the
        // signal is taken count.
        long start = now(CLOCK_MONOTONIC), interval = (round + 1) * MS / 4;
        set(made, TIMER_ABSTIME, start, interval);
        while (now(CLOCK_MONOTONIC) < start + 20 * MS) sched_yield();
        long before = (now(CLOCK_MONOTONIC) - start) / interval;
        CHECK(sigwaitinfo(&signals, &info) == SIGRTMIN);
        long after = (now(CLOCK_MONOTONIC) - start) / interval;
        CHECK(info.si_overrun >= before && info.si_overrun <= after);
        CHECK(timer_getoverrun(made) == info.si_overrun);
        set(made, 0, 0, 0);
        while (sigtimedwait(&signals, &info, &none) == SIGRTMIN) {
        }
    }
    // The shortest interval there is: what is asked for does not stop the rest.
    set(made, 0, 1, 1);
    for (int i = 0; i < 100; i++) CHECK(sigwaitinfo(&signals, &info) == SIGRTMIN);
    CHECK(timer_delete(made) == 0);
    while (sigtimedwait(&signals, &info, &none) == SIGRTMIN) {
    }
    // Ignored meanwhile, it goes on.
    made = timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGRTMIN, 2);
    signal(SIGRTMIN, SIG_IGN);
    sigprocmask(SIG_UNBLOCK, &signals, NULL);
    set(made, 0, 1, MS);
    struct timespec moment = spec(5 * MS);
    nanosleep(&moment, NULL);
    blocked(SIGRTMIN);
    signal(SIGRTMIN, SIG_DFL);
    CHECK(sigwaitinfo(&signals, &info) == SIGRTMIN && info.si_value.sival_int == 2);
    CHECK(timer_delete(made) == 0);
    while (sigtimedwait(&signals, &info, &none) == SIGRTMIN) {
    }
}

static void *in_thread(void *unused) {
    sigset_t signals = blocked(SIGUSR1);
    timer_t made = timer(CLOCK_MONOTONIC, SIGEV_THREAD_ID, SIGUSR1, 9);
    set(made, 0, MS, 0);
    siginfo_t info;
    CHECK(sigwaitinfo(&signals, &info) == SIGUSR1 && info.si_value.sival_int == 9);
    CHECK(timer_delete(made) == 0);
    return unused;
}

static void several(void) {
    // The same signal from several, each with its own value, a standard one too.
    sigset_t signals = blocked(SIGUSR2);
    timer_t made[8];
    for (int i = 0; i < 8; i++) {
        made[i] = timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR2, i);
        set(made[i], 0, MS, 0);
    }
    int seen = 0;
    while (seen != 255) {
        siginfo_t info;
        CHECK(sigwaitinfo(&signals, &info) == SIGUSR2 && info.si_code == SI_TIMER);
        CHECK((seen >> info.si_value.sival_int & 1) == 0);
        seen |= 1 << info.si_value.sival_int;
    }
    for (int i = 0; i < 8; i++) CHECK(timer_delete(made[i]) == 0);
    pthread_t thread;
    blocked(SIGUSR1);
    CHECK(pthread_create(&thread, NULL, in_thread, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    timer_t quiet = timer(CLOCK_MONOTONIC, SIGEV_NONE, 0, 0);
    struct itimerspec left;
    set(quiet, 0, 1000 * SECOND, 0);
    CHECK(timer_gettime(quiet, &left) == 0 && left.it_value.tv_sec >= 900);
    set(quiet, 0, MS, 0);
    do CHECK(timer_gettime(quiet, &left) == 0);
    while (left.it_value.tv_nsec != 0);
    CHECK(timer_delete(quiet) == 0);
    // Without an event: SIGALRM with the timer's number.
    signals = blocked(SIGALRM);
    siginfo_t info;
    int id;
    CHECK(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id) == 0);
    struct itimerspec soon = setting(1, 0);
    CHECK(syscall(SYS_timer_settime, id, 0, &soon, NULL) == 0);
    CHECK(sigwaitinfo(&signals, &info) == SIGALRM && info.si_value.sival_int == id);
    CHECK(info.si_timerid == id && syscall(SYS_timer_delete, id) == 0);
}

static void errors(void) {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = 65};
    timer_t made;
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &made) == -1 && errno == EINVAL);
    event.sigev_signo = 0;
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &made) == -1 && errno == EINVAL);
    event.sigev_signo = SIGUSR1;
    CHECK(timer_create(77, &event, &made) == -1 && errno == EINVAL);
    event.sigev_notify = 17;
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &made) == -1 && errno == EINVAL);
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_notify_thread_id = 1;
    CHECK(timer_create(CLOCK_MONOTONIC, &event, &made) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_timer_create, CLOCK_MONOTONIC, 8, &made) == -1 && errno == EFAULT);
    CHECK(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, 8) == -1 && errno == EFAULT);
    made = timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0);
    struct itimerspec bad[] = {
        setting(0, 0), setting(0, 0), setting(0, 0), setting(0, 0)};
    bad[0].it_value.tv_nsec = SECOND;
    bad[1].it_value.tv_nsec = -1;
    bad[2].it_value.tv_sec = -1;
    bad[3].it_interval.tv_nsec = SECOND;
    for (int i = 0; i < 4; i++) {
        CHECK(timer_settime(made, 0, &bad[i], NULL) == -1 && errno == EINVAL);
    }
    CHECK(timer_settime(made, 0, NULL, NULL) == -1 && errno == EINVAL);
    // Forgotten: no more, and a child has none.
    pid_t child = fork();
    if (child == 0) _exit(timer_getoverrun(made) != -1 || errno != EINVAL);
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(timer_delete(made) == 0);
    CHECK(timer_delete(made) == -1 && errno == EINVAL);
    CHECK(timer_getoverrun(made) == -1 && errno == EINVAL);
    struct itimerspec left;
    CHECK(timer_gettime(made, &left) == -1 && errno == EINVAL);
    struct timespec t;
    CHECK(clock_getres(CLOCK_MONOTONIC, &t) == 0 && t.tv_sec == 0 && t.tv_nsec > 0);
    CHECK(clock_getres(CLOCK_REALTIME, NULL) == 0);
    CHECK(syscall(SYS_clock_getres, 77, &t) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_clock_settime, CLOCK_MONOTONIC, &t) == -1 && errno == EINVAL);
    CHECK(clock_nanosleep(CLOCK_MONOTONIC_RAW, 0, &t, NULL) == EOPNOTSUPP);
    CHECK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &none, NULL) == 0);
}

static volatile sig_atomic_t alarms;

static void note(int signal) {
    (void)signal;
    alarms++;
}

static void interval_timers(void) {
    sigset_t signals = blocked(SIGALRM);
    sigprocmask(SIG_UNBLOCK, &signals, NULL);
    signal(SIGALRM, note);
    CHECK(alarm(1000) == 0);
    unsigned left = alarm(2000);
    CHECK(left >= 900 && left <= 1000);
    struct itimerval value, short_one = {{0, 2000}, {0, 1000}};
    CHECK(getitimer(ITIMER_REAL, &value) == 0 && value.it_value.tv_sec >= 1900);
    CHECK(value.it_interval.tv_sec == 0 && value.it_interval.tv_usec == 0);
    CHECK(setitimer(ITIMER_REAL, &short_one, &value) == 0 && value.it_value.tv_sec >= 1900);
    while (alarms < 20) pause();
    CHECK(getitimer(ITIMER_REAL, &value) == 0 && value.it_interval.tv_usec == 2000);
    // Not in a child; over an exec it stays, with what is blocked.
    pid_t child = fork();
    if (child == 0) {
        _exit(getitimer(ITIMER_REAL, &value) != 0 || value.it_value.tv_usec != 0);
    }
    int status;
    while (waitpid(child, &status, 0) == -1) CHECK(errno == EINTR);
    CHECK(status == 0);
    CHECK(alarm(0) >= 1);
    CHECK(getitimer(ITIMER_REAL, &value) == 0 && value.it_value.tv_usec == 0);
    struct itimerval bad = {{0, 0}, {0, 1000000}};
    CHECK(setitimer(ITIMER_REAL, &bad, NULL) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_setitimer, 9, &short_one, NULL) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_getitimer, 9, &value) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_setitimer, ITIMER_REAL, 8, NULL) == -1 && errno == EFAULT);
    // A program that only computes is told, too.
    alarms = 0;
    struct itimerval soon = {{0, 0}, {0, 3000}};
    CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
    while (alarms == 0) {
    }
    // One without a handler ends.
    child = fork();
    if (child == 0) {
        signal(SIGALRM, SIG_DFL);
        setitimer(ITIMER_REAL, &soon, NULL);
        for (;;) {
        }
    }
    CHECK(waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGALRM);
}

static timer_t shared;
static volatile int stop;

static void *set_again_and_again(void *unused) {
    for (long i = 0; !stop; i++) {
        struct itimerspec new = setting(i % 3 == 2 ? 0 : i % 100 + 1, i % 2 ? MS : 0);
        CHECK(timer_settime(shared, 0, &new, NULL) == 0);
    }
    return unused;
}

static void *make_and_delete(void *unused) {
    while (!stop) {
        timer_t made = timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, 0);
        set(made, 0, 1, MS);
        CHECK(timer_delete(made) == 0);
    }
    return unused;
}

// Timers that expire while they are set, deleted, or their process ends.
static void races(void) {
    signal(SIGUSR1, note);
    sigset_t signals = blocked(SIGUSR1);
    sigprocmask(SIG_UNBLOCK, &signals, NULL);
    shared = timer(CLOCK_REALTIME, SIGEV_SIGNAL, SIGUSR1, 0);
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) {
        void *(*work)(void *) = i % 2 ? set_again_and_again : make_and_delete;
        CHECK(pthread_create(&threads[i], NULL, work, NULL) == 0);
    }
    alarms = 0;
    while (alarms < 500) sched_yield();
    stop = 1;
    for (int i = 0; i < 4; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(timer_delete(shared) == 0);
    for (int i = 0; i < 20; i++) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            for (int j = 0; j < 50; j++) {
                set(timer(CLOCK_MONOTONIC, SIGEV_SIGNAL, SIGUSR1, j), 0, j * 1000 + 1, 20 * MS);
            }
            _exit(0);
        }
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
}

static void wait_ids(void) {
    siginfo_t info;
    pid_t child = fork();
    if (child == 0) _exit(7);
    CHECK(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0);
    CHECK(info.si_pid == child && info.si_code == CLD_EXITED && info.si_status == 7);
    CHECK(info.si_signo == SIGCHLD);
    CHECK(waitid(P_PGID, getpgrp(), &info, WEXITED | WNOWAIT) == 0 && info.si_pid == child);
    CHECK(waitid(P_PGID, 0, &info, WEXITED | WNOWAIT) == 0 && info.si_pid == child);
    CHECK(waitid(P_PID, child, &info, WSTOPPED) == -1 && errno == ECHILD);
    CHECK(waitid(P_ALL, 0, &info, WEXITED) == 0 && info.si_pid == child);
    CHECK(waitid(P_ALL, 0, &info, WEXITED) == -1 && errno == ECHILD);
    child = fork();
    if (child == 0) {
        for (;;) pause();
    }
    CHECK(waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WCONTINUED | WNOHANG) == 0);
    CHECK(info.si_pid == 0 && info.si_signo == 0);
    kill(child, SIGSTOP);
    for (int i = 0; i < 2; i++) {
        CHECK(waitid(P_PID, child, &info, WSTOPPED | (i ? 0 : WNOWAIT)) == 0);
        CHECK(info.si_code == CLD_STOPPED && info.si_status == SIGSTOP);
    }
    CHECK(waitid(P_PID, child, &info, WSTOPPED | WNOHANG) == 0 && info.si_pid == 0);
    kill(child, SIGCONT);
    CHECK(waitid(P_PID, child, NULL, WCONTINUED | WNOWAIT) == 0);
    CHECK(waitid(P_PID, child, &info, WEXITED | WCONTINUED) == 0);
    CHECK(info.si_code == CLD_CONTINUED && info.si_status == SIGCONT);
    kill(child, SIGKILL);
    CHECK(syscall(SYS_waitid, P_PID, child, 8, WEXITED, NULL) == -1 && errno == EFAULT);
    CHECK(waitpid(child, NULL, 0) == (errno == EFAULT ? child : -1) || errno == ECHILD);
    CHECK(waitid(P_PID, child, &info, 0) == -1 && errno == EINVAL);
    CHECK(waitid(P_PID, child, &info, WNOHANG) == -1 && errno == EINVAL);
    CHECK(waitid(P_PID, child, &info, WEXITED | 0x100) == -1 && errno == EINVAL);
    CHECK(waitid(P_PID, 0, &info, WEXITED) == -1 && errno == EINVAL);
    CHECK(waitid(77, 1, &info, WEXITED) == -1 && errno == EINVAL);
    CHECK(waitid(P_PIDFD, 99, &info, WEXITED) == -1 && errno == EBADF);
}

static void *sleep_until_tomorrow(void *moment) {
    CHECK(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, moment, NULL) == 0);
    return NULL;
}

// The wall clock jumps: what waits for a moment of it follows, the rest does not.
static void setting_the_clock(void) {
    long wall = now(CLOCK_REALTIME), steady = now(CLOCK_MONOTONIC);
    long tomorrow = wall + 86400 * SECOND;
    struct timespec moment = spec(tomorrow);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, sleep_until_tomorrow, &moment) == 0);
    sigset_t signals = blocked(SIGRTMIN);
    timer_t absolute = timer(CLOCK_REALTIME, SIGEV_SIGNAL, SIGRTMIN, 1);
    timer_t relative = timer(CLOCK_REALTIME, SIGEV_SIGNAL, SIGRTMIN, 2);
    set(absolute, TIMER_ABSTIME, tomorrow, 0);
    set(relative, 0, 86400 * SECOND, 0);
    CHECK(clock_settime(CLOCK_REALTIME, &moment) == 0);
    siginfo_t info;
    CHECK(sigwaitinfo(&signals, &info) == SIGRTMIN && info.si_value.sival_int == 1);
    CHECK(pthread_join(thread, NULL) == 0);
    CHECK(now(CLOCK_REALTIME) >= tomorrow && now(CLOCK_MONOTONIC) < steady + 3600 * SECOND);
    CHECK(sigtimedwait(&signals, &info, &none) == -1 && errno == EAGAIN);
    struct itimerspec left;
    CHECK(timer_gettime(relative, &left) == 0 && left.it_value.tv_sec > 80000);
    // Back: what was a day away is two.
    set(absolute, TIMER_ABSTIME, tomorrow + 86400 * SECOND, 0);
    struct timespec back = spec(wall);
    CHECK(clock_settime(CLOCK_REALTIME, &back) == 0);
    CHECK(timer_gettime(absolute, &left) == 0 && left.it_value.tv_sec > 2 * 86000);
    struct timeval today = {wall / SECOND, 0};
    CHECK(settimeofday(&today, NULL) == 0 && now(CLOCK_REALTIME) < wall + 3600 * SECOND);
    moment.tv_nsec = SECOND;
    CHECK(clock_settime(CLOCK_REALTIME, &moment) == -1 && errno == EINVAL);
    CHECK(timer_delete(absolute) == 0 && timer_delete(relative) == 0);
}

// More than can be served: the process that has them can still be killed.
static void too_many(void) {
    pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < 2000; i++) {
            timer_t made;
            struct sigevent event = {.sigev_notify = SIGEV_NONE};
            struct itimerspec shortest = setting(1, 1);
            if (timer_create(CLOCK_MONOTONIC, &event, &made)) break;
            timer_settime(made, 0, &shortest, NULL);
        }
        for (;;) getppid();
    }
    struct timespec some = {0, 50 * MS};
    nanosleep(&some, NULL);
    int status;
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

int main(int count, char **words) {
    setvbuf(stdout, NULL, _IONBF, 0);
    once();
    overruns();
    several();
    errors();
    interval_timers();
    races();
    wait_ids();
    too_many();
    if (count > 1 && strcmp(words[1], "set") == 0) setting_the_clock();
    return failures != 0;
}
