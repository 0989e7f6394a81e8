// CPU time as a Linux program sees it. Exits with 0 if all is as getrusage(2),
// times(2) and clock_getcpuclockid(3) say; it does on Linux itself.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "clock.h"

static long long micro(struct timeval time) { return time.tv_sec * 1000000LL + time.tv_usec; }

static void work(long long nanos) {
    long long end = now(CLOCK_THREAD_CPUTIME_ID) + nanos;
    while (now(CLOCK_THREAD_CPUTIME_ID) < end) {
    }
}

static void *worker(void *nanos) {
    work(*(long long *)nanos);
    return NULL;
}

static pthread_barrier_t meet;

static void *sleeper(void *unused) {
    (void)unused;
    work(2000000);
    pthread_barrier_wait(&meet);
    pthread_barrier_wait(&meet);
    return NULL;
}

static void threads(void) {
    long long nanos = 5000000, before = now(CLOCK_PROCESS_CPUTIME_ID);
    pthread_t peers[4];
    for (int i = 0; i < 4; i++) CHECK(pthread_create(&peers[i], NULL, worker, &nanos) == 0);
    for (int i = 0; i < 4; i++) CHECK(pthread_join(peers[i], NULL) == 0);
    CHECK(now(CLOCK_PROCESS_CPUTIME_ID) - before >= 4 * nanos);

    pthread_barrier_init(&meet, NULL, 2);
    clockid_t clock;
    CHECK(pthread_create(&peers[0], NULL, sleeper, NULL) == 0);
    CHECK(pthread_getcpuclockid(peers[0], &clock) == 0);
    pthread_barrier_wait(&meet);
    CHECK(now(clock) >= 2000000);
    pthread_barrier_wait(&meet);
    CHECK(pthread_join(peers[0], NULL) == 0);
    struct timespec time;
    // Joined is told a little before all of the thread has gone.
    while (clock_gettime(clock, &time) == 0) sched_yield();
    CHECK(errno == EINVAL);
    CHECK(pthread_getcpuclockid(pthread_self(), &clock) == 0);
    long long own = now(clock);
    CHECK(own > 0 && own <= now(CLOCK_THREAD_CPUTIME_ID));
}

static void processes(void) {
    clockid_t clock;
    CHECK(clock_getcpuclockid(0, &clock) == 0 && now(clock) > 0);
    CHECK(clock_getcpuclockid(0x3ffffff, &clock) == ESRCH);
    struct timespec fine;
    CHECK(clock_getres(CLOCK_PROCESS_CPUTIME_ID, &fine) == 0);
    CHECK(fine.tv_sec == 0 && fine.tv_nsec == 1);

    int ready[2], end[2];
    CHECK(pipe(ready) == 0 && pipe(end) == 0);
    pid_t child = fork();
    if (child == 0) {
        char byte = 0;
        close(end[1]);
        work(30000000);
        CHECK(write(ready[1], &byte, 1) == 1);
        CHECK(read(end[0], &byte, 1) == 0);
        _exit(failures != 0);
    }
    char byte;
    CHECK(read(ready[0], &byte, 1) == 1);
    CHECK(clock_getcpuclockid(child, &clock) == 0);
    CHECK(now(clock) >= 30000000);
    close(end[1]);
    int status;
    struct rusage used, all;
    CHECK(wait4(child, &status, 0, &used) == child && status == 0);
    CHECK(micro(used.ru_utime) + micro(used.ru_stime) >= 29990);
    CHECK(getrusage(RUSAGE_CHILDREN, &all) == 0);
    CHECK(micro(all.ru_utime) == micro(used.ru_utime));
    CHECK(micro(all.ru_stime) == micro(used.ru_stime));
    struct tms times_now;
    CHECK(times(&times_now) != (clock_t)-1);
    CHECK(times_now.tms_cutime + times_now.tms_cstime >= 2);
    CHECK(clock_gettime(clock, &fine) == -1 && errno == EINVAL);
}

static void calls(void) {
    struct rusage used;
    CHECK(getrusage(RUSAGE_THREAD, &used) == 0);
    long switches = used.ru_nvcsw + used.ru_nivcsw;
    struct timespec moment = {0, 1000};
    do {
        nanosleep(&moment, NULL);
        CHECK(getrusage(RUSAGE_THREAD, &used) == 0);
    } while (used.ru_nvcsw + used.ru_nivcsw == switches);
    CHECK(getrusage(RUSAGE_SELF, &used) == 0 && used.ru_minflt > 0);
    CHECK(getrusage(5, &used) == -1 && errno == EINVAL);
    CHECK(clock() > 0);
}

int main(void) {
    threads();
    processes();
    calls();
    return failures != 0;
}
