// For the Linux test programs in which it matters who runs first.
#pragma once
#include <sched.h>

// The caller runs on one of its CPUs only, the first.
static inline void stay_on_one_cpu(void) {
    cpu_set_t one;
    CHECK(sched_getaffinity(0, sizeof one, &one) == 0);
    int cpu = 0;
    while (!CPU_ISSET(cpu, &one)) cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
}
