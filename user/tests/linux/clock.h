// Times in nanoseconds, for the Linux test programs.
#pragma once
#include <time.h>

#define MS 1000000L
#define SECOND 1000000000L

static inline long now(clockid_t clock) {
    struct timespec t;
    CHECK(clock_gettime(clock, &t) == 0);
    return t.tv_sec * SECOND + t.tv_nsec;
}

static inline struct timespec spec(long nanos) {
    return (struct timespec){nanos / SECOND, nanos % SECOND};
}
