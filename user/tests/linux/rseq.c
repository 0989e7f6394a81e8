// Restartable sequences as a Linux program sees them. Exits with 0 if all is as
// rseq(2) says; it does on Linux itself.
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "child.h"
#include "one_cpu.h"

static struct rseq *area(void) {
    return (struct rseq *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

static int rseq(void *at, unsigned length, int flags, unsigned signature) {
    long result = syscall(SYS_rseq, at, length, flags, signature);
    return result < 0 ? -errno : result;
}

static int is_here(void) { return area()->cpu_id == (unsigned)sched_getcpu() && area()->cpu_id_start == area()->cpu_id; }

static void registration(void) {
    static struct rseq another __attribute__((aligned(64)));
    CHECK(is_here());
    CHECK(rseq(area(), 32, 0, RSEQ_SIG) == -EBUSY);
    CHECK(rseq(area(), 32, 0, RSEQ_SIG + 1) == -EPERM);
    CHECK(rseq(&another, 32, 0, RSEQ_SIG) == -EINVAL);
    CHECK(rseq(&another, 32, 1, RSEQ_SIG) == -EINVAL);
    CHECK(rseq(area(), 32, 2, RSEQ_SIG) == -EINVAL);
    CHECK(rseq(area(), 31, 1, RSEQ_SIG) == -EINVAL);
    CHECK(rseq(area(), 32, 1, RSEQ_SIG + 1) == -EPERM);
    CHECK(rseq(area(), 32, 1, RSEQ_SIG) == 0);
    CHECK(area()->cpu_id == (unsigned)-1 && area()->cpu_id_start == 0);
    CHECK(rseq(area(), 32, 1, RSEQ_SIG) == -EINVAL);
    CHECK(rseq((char *)&another + 8, 32, 0, RSEQ_SIG) == -EINVAL);
    CHECK(rseq((void *)(1UL << 47), 32, 0, RSEQ_SIG) == -EFAULT);
    CHECK(rseq(&another, 32, 0, 7) == 0);
    CHECK(another.cpu_id == another.cpu_id_start && another.cpu_id < 64);
    CHECK(rseq(&another, 32, 1, 7) == 0);
    CHECK(rseq(area(), 32, 0, RSEQ_SIG) == 0);
    CHECK(is_here());
}

// Stays in a sequence until it is thrown out of it; 1 then, 0 if it left by itself.
static int spin(volatile int *stop) {
    int aborted;
    __asm__ volatile(
        ".pushsection __rseq_cs, \"aw\"\n"
        ".balign 32\n"
        "9: .long 0, 0\n"
        ".quad 1f, 2f - 1f, 4f\n"
        ".popsection\n"
        "xorl %[aborted], %[aborted]\n"
        "leaq 9b(%%rip), %%rax\n"
        "movq %%rax, 8(%[area])\n"
        "1:\n"
        "cmpl $0, (%[stop])\n"
        "je 1b\n"
        "2:\n"
        "jmp 5f\n"
        ".long 0x53053053\n"
        "4:\n"
        "movl $1, %[aborted]\n"
        "5:\n"
        : [aborted] "=&r"(aborted)
        : [area] "r"(area()), [stop] "r"(stop)
        : "rax", "memory", "cc");
    return aborted;
}

static volatile int stop;
static atomic_int caught;

static void count(int signal) {
    (void)signal;
    caught++;
    CHECK(area()->rseq_cs == 0);
}

// A handler runs: the sequence is not gone on with after it.
static void signals(void) {
    struct sigaction action = {.sa_handler = count};
    CHECK(sigaction(SIGALRM, &action, NULL) == 0);
    // Again and again, for one may come before the sequence.
    struct itimerval often = {{0, 1000}, {0, 1000}}, never = {0};
    stop = 0;
    CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
    for (int i = 0; i < 20; i++) CHECK(spin(&stop) == 1);
    CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
    CHECK(caught >= 1);
    stop = 1;
    CHECK(spin(&stop) == 0);
    area()->rseq_cs = 0;
}

static void *other(void *unused) {
    (void)unused;
    while (!stop) {
    }
    return NULL;
}

// Another thread runs on its CPU.
static void preemption(void) {
    stay_on_one_cpu();
    stop = 0;
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, other, NULL) == 0);
    for (int i = 0; i < 20; i++) CHECK(spin(&stop) == 1 && area()->rseq_cs == 0);
    stop = 1;
    CHECK(pthread_join(thread, NULL) == 0);
}

// Adds to the counter of the CPU without any atomic instruction.
static long counters[64 * 16];

static void add(void) {
    for (int done = 0; !done;) {
        __asm__ volatile(
            ".pushsection __rseq_cs, \"aw\"\n"
            ".balign 32\n"
            "9: .long 0, 0\n"
            ".quad 1f, 2f - 1f, 4f\n"
            ".popsection\n"
            "xorl %[done], %[done]\n"
            "leaq 9b(%%rip), %%rax\n"
            "movq %%rax, 8(%[area])\n"
            "1:\n"
            "movl 4(%[area]), %%eax\n"
            "shlq $7, %%rax\n"
            "addq %[counters], %%rax\n"
            "movq (%%rax), %%rcx\n"
            "incq %%rcx\n"
            "movq %%rcx, (%%rax)\n"
            "2:\n"
            "movl $1, %[done]\n"
            "jmp 5f\n"
            ".long 0x53053053\n"
            "4:\n"
            "5:\n"
            : [done] "=&r"(done)
            : [area] "r"(area()), [counters] "r"(counters)
            : "rax", "rcx", "memory", "cc");
    }
}

static void *adder(void *unused) {
    (void)unused;
    for (int i = 0; i < 200000; i++) {
        add();
        if (i % 5000 == 0) sched_yield();
    }
    CHECK(is_here());
    return NULL;
}

static void counting(void) {
    pthread_t threads[6];
    for (int i = 0; i < 6; i++) CHECK(pthread_create(&threads[i], NULL, adder, NULL) == 0);
    for (int i = 0; i < 6; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    long sum = 0;
    for (int i = 0; i < 64; i++) sum += counters[i * 16];
    CHECK(sum == 6 * 200000);
}

static void moves(void) {
    cpu_set_t all, one;
    CHECK(sched_getaffinity(0, sizeof all, &all) == 0);
    for (int round = 0; round < 10; round++) {
        for (int cpu = 0; cpu < 64; cpu++) {
            if (!CPU_ISSET(cpu, &all)) continue;
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
            CHECK(area()->cpu_id == (unsigned)cpu && area()->cpu_id_start == (unsigned)cpu);
        }
    }
    CHECK(sched_setaffinity(0, sizeof all, &all) == 0);
}

// What is no sequence ends the program.
static struct {
    uint32_t version, flags;
    uint64_t start, length, abort;
} bad __attribute__((aligned(32)));

static void use_bad(void) {
    area()->rseq_cs = (uintptr_t)&bad;
    while (1) sched_yield(), raise(SIGALRM);
}

static void no_signature(void) {
    signal(SIGALRM, count);
    bad.start = (uintptr_t)use_bad;
    bad.length = 1 << 20;
    bad.abort = (uintptr_t)use_bad + (2 << 20);
    use_bad();
}

static void bad_version(void) {
    signal(SIGALRM, count);
    bad.version = 3;
    use_bad();
}

static void bad_pointer(void) {
    signal(SIGALRM, count);
    area()->rseq_cs = 4096;
    while (1) raise(SIGALRM);
}

// A child goes on with its parent's registration.
static void inherited(void) {
    CHECK(rseq(area(), 32, 0, RSEQ_SIG) == -EBUSY);
    CHECK(is_here());
}

int main(void) {
    if (__rseq_size == 0) {
        printf("the C library has not registered\n");
        return 1;
    }
    registration();
    signals();
    moves();
    counting();
    in_child(inherited);
    in_child(preemption);
    CHECK(signal_in_child(no_signature) == SIGSEGV);
    CHECK(signal_in_child(bad_version) == SIGSEGV);
    CHECK(signal_in_child(bad_pointer) == SIGSEGV);
    return failures != 0;
}
