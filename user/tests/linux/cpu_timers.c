// Timers by CPU time as a Linux program sees them. Exits with 0 if all is as
// timer_create(2), setitimer(2) and clock_nanosleep(2) say; it does on Linux itself.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"

static atomic_int caught[65];
static atomic_int stop;

static void count(int signal) { caught[signal]++; }

static void handle(int signal) {
    struct sigaction action = {.sa_handler = count};
    CHECK(sigaction(signal, &action, NULL) == 0);
    caught[signal] = 0;
}

static timer_t timer(clockid_t clock, int signal) {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = signal};
    timer_t made = NULL;
    CHECK(timer_create(clock, &event, &made) == 0);
    return made;
}

static struct itimerspec set(timer_t timer, int flags, long first, long interval) {
    struct itimerspec old, new = {.it_value = spec(first), .it_interval = spec(interval)};
    CHECK(timer_settime(timer, flags, &new, &old) == 0);
    return old;
}

static long left(timer_t timer) {
    struct itimerspec setting;
    CHECK(timer_gettime(timer, &setting) == 0);
    return setting.it_value.tv_sec * SECOND + setting.it_value.tv_nsec;
}

// No call is made: only an interrupt can end it.
static void spin_until(int signal) {
    while (!caught[signal]) {
    }
}

static void *spin(void *unused) {
    (void)unused;
    while (!stop) {
    }
    return NULL;
}

static clockid_t clock_of(pthread_t thread) {
    clockid_t clock;
    CHECK(pthread_getcpuclockid(thread, &clock) == 0);
    return clock;
}

static void once(void) {
    clockid_t clocks[] = {CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID, clock_of(pthread_self())};
    for (int i = 0; i < 6; i++) {
        clockid_t clock = clocks[i / 2];
        int absolute = i & 1 ? TIMER_ABSTIME : 0;
        handle(SIGUSR1);
        timer_t made = timer(clock, SIGUSR1);
        CHECK(left(made) == 0);
        long due = now(clock) + 10 * MS;
        struct itimerspec old = set(made, absolute, absolute ? due : 10 * MS, 0);
        CHECK(old.it_value.tv_sec == 0 && old.it_value.tv_nsec == 0);
        CHECK(left(made) > 0);
        spin_until(SIGUSR1);
        CHECK(now(clock) >= due && caught[SIGUSR1] == 1 && left(made) == 0);
        // One that is due long ago.
        caught[SIGUSR1] = 0;
        set(made, TIMER_ABSTIME, 1, 0);
        spin_until(SIGUSR1);
        // One that is stopped says what it was set to, and comes no more.
        caught[SIGUSR1] = 0;
        set(made, 0, 1000 * SECOND, 7 * SECOND);
        old = set(made, 0, 0, 0);
        CHECK(old.it_interval.tv_sec == 7 && old.it_value.tv_sec >= 900);
        CHECK(left(made) == 0 && caught[SIGUSR1] == 0);
        CHECK(timer_delete(made) == 0);
    }
    timer_t refused;
    CHECK(timer_create((~1000000u << 3) | 2, NULL, &refused) == -1 && errno == EINVAL);
}

// What expires while the signal waits is told as its overruns.
static void intervals(void) {
    timer_t made = timer(CLOCK_PROCESS_CPUTIME_ID, SIGRTMIN);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGRTMIN);
    CHECK(sigprocmask(SIG_BLOCK, &signals, NULL) == 0);
    long begun = now(CLOCK_PROCESS_CPUTIME_ID), told = 0;
    set(made, 0, MS, MS);
    for (int i = 0; i < 5; i++) {
        for (long end = now(CLOCK_PROCESS_CPUTIME_ID) + 10 * MS; now(CLOCK_PROCESS_CPUTIME_ID) < end;) {
        }
        siginfo_t info;
        CHECK(sigwaitinfo(&signals, &info) == SIGRTMIN && info.si_code == SI_TIMER);
        CHECK(timer_getoverrun(made) == info.si_overrun);
        told += 1 + info.si_overrun;
    }
    long used = now(CLOCK_PROCESS_CPUTIME_ID) - begun;
    CHECK(told >= 45 && told <= used / MS);
    CHECK(timer_delete(made) == 0);
    CHECK(sigprocmask(SIG_UNBLOCK, &signals, NULL) == 0);
}

// A timer by the time of another thread, which works while this one waits.
static void peers(void) {
    handle(SIGUSR1);
    pthread_t peer;
    sigset_t signals, old;
    sigfillset(&signals);
    CHECK(pthread_sigmask(SIG_BLOCK, &signals, &old) == 0);
    stop = 0;
    CHECK(pthread_create(&peer, NULL, spin, NULL) == 0);
    CHECK(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
    timer_t made = timer(clock_of(peer), SIGUSR1);
    set(made, TIMER_ABSTIME, 20 * MS, 0);
    while (!caught[SIGUSR1]) usleep(1000);
    CHECK(now(clock_of(peer)) >= 20 * MS);

    // The process's clock goes on meanwhile, and so ends a sleep.
    long end = now(CLOCK_PROCESS_CPUTIME_ID) + 20 * MS;
    struct timespec until = spec(end), span = spec(20 * MS);
    CHECK(clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, TIMER_ABSTIME, &until, NULL) == 0);
    CHECK(now(CLOCK_PROCESS_CPUTIME_ID) >= end);
    CHECK(clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &span, NULL) == 0);
    CHECK(now(CLOCK_PROCESS_CPUTIME_ID) >= end + 20 * MS);
    CHECK(clock_nanosleep(clock_of(peer), TIMER_ABSTIME, &until, NULL) == 0);
    CHECK(clock_nanosleep(clock_of(pthread_self()), 0, &span, NULL) == EINVAL);

    // A signal ends it, too, and what was left is told.
    handle(SIGALRM);
    struct timespec most = spec(1000 * SECOND), rest = {0};
    struct itimerval soon = {.it_value.tv_usec = 20000};
    CHECK(setitimer(ITIMER_REAL, &soon, NULL) == 0);
    CHECK(clock_nanosleep(CLOCK_PROCESS_CPUTIME_ID, 0, &most, &rest) == EINTR);
    CHECK(rest.tv_sec >= 900 && rest.tv_sec < 1000 && caught[SIGALRM] == 1);

    set(made, 0, 1000 * SECOND, 0);
    clockid_t clock = clock_of(peer);
    stop = 1;
    CHECK(pthread_join(peer, NULL) == 0);
    struct timespec time;
    while (clock_gettime(clock, &time) == 0) usleep(100);
    struct itimerspec new = {.it_value = spec(MS)};
    CHECK(timer_settime(made, 0, &new, NULL) == -1 && errno == ESRCH);
    CHECK(timer_delete(made) == 0);
}

static long micros(struct timeval time) { return time.tv_sec * 1000000 + time.tv_usec; }

static void old_timers(void) {
    struct {
        int which, signal;
    } kinds[] = {{ITIMER_VIRTUAL, SIGVTALRM}, {ITIMER_PROF, SIGPROF}};
    for (int i = 0; i < 2; i++) {
        handle(kinds[i].signal);
        struct itimerval setting = {.it_value.tv_usec = 10000, .it_interval.tv_usec = 10000}, old;
        long begun = now(CLOCK_PROCESS_CPUTIME_ID);
        CHECK(setitimer(kinds[i].which, &setting, NULL) == 0);
        while (caught[kinds[i].signal] < 3) {
        }
        CHECK(now(CLOCK_PROCESS_CPUTIME_ID) - begun >= 20 * MS);
        CHECK(getitimer(kinds[i].which, &old) == 0);
        CHECK(micros(old.it_interval) == 10000 && micros(old.it_value) > 0);
        // A child has none.
        pid_t child = fork();
        if (child == 0) {
            CHECK(getitimer(kinds[i].which, &old) == 0);
            CHECK(micros(old.it_value) == 0 && micros(old.it_interval) == 0);
            _exit(failures);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
        struct itimerval none = {0};
        CHECK(setitimer(kinds[i].which, &none, &old) == 0);
        CHECK(micros(old.it_interval) == 10000);
        CHECK(getitimer(kinds[i].which, &old) == 0 && micros(old.it_value) == 0);
    }
    struct itimerval setting = {0};
    CHECK(setitimer(3, &setting, NULL) == -1 && errno == EINVAL);
    // The default of both is the end.
    for (int i = 0; i < 2; i++) {
        pid_t child = fork();
        if (child == 0) {
            signal(kinds[i].signal, SIG_DFL);
            struct itimerval soon = {.it_value.tv_usec = 1};
            setitimer(kinds[i].which, &soon, NULL);
            for (;;) {
            }
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == kinds[i].signal);
    }
}

// Timers by another process's clock.
static void other_process(void) {
    int ends[2];
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[1]);
        char byte;
        read(ends[0], &byte, 1);
        for (;;) {
        }
    }
    clockid_t clock;
    CHECK(clock_getcpuclockid(child, &clock) == 0);
    handle(SIGUSR1);
    timer_t made = timer(clock, SIGUSR1);
    set(made, 0, 10 * MS, 0);
    CHECK(write(ends[1], "", 1) == 1);
    while (!caught[SIGUSR1]) usleep(1000);
    CHECK(now(clock) >= 10 * MS);
    set(made, 0, 1000 * SECOND, 0);
    CHECK(kill(child, SIGKILL) == 0);
    CHECK(waitpid(child, NULL, 0) == child);
    CHECK(timer_delete(made) == 0);
    close(ends[0]), close(ends[1]);
}

int main(void) {
    once();
    intervals();
    peers();
    old_timers();
    other_process();
    return failures != 0;
}
