// The code that the kernel lends to programs (vdso(7)): found by its symbols and
// their version, right, and without a system call, which single steps show.
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "check.h"

// A function of that name and version LINUX_2.6; NULL if there is none.
static void *find(const char *name) {
    const char *base = (const char *)getauxval(AT_SYSINFO_EHDR);
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)base;
    CHECK(base && memcmp(base, ELFMAG, SELFMAG) == 0 && header->e_type == ET_DYN);
    const Elf64_Phdr *segments = (const Elf64_Phdr *)(base + header->e_phoff);
    const Elf64_Dyn *dynamic = NULL;
    const char *moved = NULL;
    for (int i = 0; i < header->e_phnum; i++) {
        if (segments[i].p_type == PT_LOAD && !moved)
            moved = base + segments[i].p_offset - segments[i].p_vaddr;
        if (segments[i].p_type == PT_DYNAMIC)
            dynamic = (const Elf64_Dyn *)(base + segments[i].p_offset);
    }
    CHECK(dynamic && moved);
    const char *tables[DT_NUM] = {NULL};
    const Elf64_Half *versions = NULL;
    const Elf64_Verdef *definition = NULL;
    for (; dynamic->d_tag != DT_NULL; dynamic++) {
        const char *table = moved + dynamic->d_un.d_ptr;
        if (dynamic->d_tag < DT_NUM) tables[dynamic->d_tag] = table;
        if (dynamic->d_tag == DT_VERSYM) versions = (const Elf64_Half *)table;
        if (dynamic->d_tag == DT_VERDEF) definition = (const Elf64_Verdef *)table;
    }
    const char *strings = tables[DT_STRTAB];
    const Elf64_Sym *symbols = (const Elf64_Sym *)tables[DT_SYMTAB];
    CHECK(strings && symbols && versions && definition);
    int wanted = -1;
    for (;;) {
        const Elf64_Verdaux *own = (const void *)((const char *)definition + definition->vd_aux);
        if (strcmp(strings + own->vda_name, "LINUX_2.6") == 0) wanted = definition->vd_ndx;
        if (definition->vd_next == 0) break;
        definition = (const void *)((const char *)definition + definition->vd_next);
    }
    CHECK(wanted > 0);
    // The symbols end where the strings begin, or sooner by their versions.
    for (int i = 1; i < 32; i++) {
        if (strcmp(strings + symbols[i].st_name, name) != 0) continue;
        CHECK((versions[i] & 0x7fff) == wanted && symbols[i].st_shndx != SHN_UNDEF);
        return (void *)(uintptr_t)(moved + symbols[i].st_value);
    }
    return NULL;
}

static int (*get_time)(clockid_t, struct timespec *);
static int (*get_resolution)(clockid_t, struct timespec *);
static int (*get_day)(struct timeval *, struct timezone *);
static time_t (*get_seconds)(time_t *);
static int (*get_cpu)(unsigned *, unsigned *, void *);

static volatile int steps, calls;

static void step(int signal, siginfo_t *info, void *context) {
    (void)signal;
    (void)info;
    const unsigned char *ip =
        (const unsigned char *)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
    steps++;
    // syscall, sysenter, int 0x80
    if ((ip[0] == 0x0f && (ip[1] == 0x05 || ip[1] == 0x34)) || (ip[0] == 0xcd && ip[1] == 0x80))
        calls++;
}

#define FLAG "0x100"
#define BEGIN_STEPS() __asm__ volatile("pushfq; orq $" FLAG ", (%%rsp); popfq" ::: "memory", "cc")
#define END_STEPS() __asm__ volatile("pushfq; andq $~" FLAG ", (%%rsp); popfq" ::: "memory", "cc")

// How many system calls `act` makes.
#define CALLS(act)                                                                 \
    ({                                                                             \
        steps = calls = 0;                                                         \
        BEGIN_STEPS();                                                             \
        act;                                                                       \
        END_STEPS();                                                               \
        CHECK(steps > 5);                                                          \
        (int)calls;                                                                \
    })

static long long nanos(const struct timespec *time) {
    return time->tv_sec * 1000000000ll + time->tv_nsec;
}

static void clocks_agree_with_the_call(void) {
    const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW,
                                CLOCK_BOOTTIME, CLOCK_TAI};
    for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
        struct timespec before, here, after;
        for (int round = 0; round < 100; round++) {
            CHECK(syscall(SYS_clock_gettime, clocks[i], &before) == 0);
            CHECK(get_time(clocks[i], &here) == 0);
            CHECK(syscall(SYS_clock_gettime, clocks[i], &after) == 0);
            CHECK(nanos(&before) <= nanos(&here) && nanos(&here) <= nanos(&after));
            CHECK(here.tv_nsec >= 0 && here.tv_nsec < 1000000000);
        }
        CHECK(CALLS(get_time(clocks[i], &here)) == 0);
        struct timespec fine, called;
        CHECK(get_resolution(clocks[i], &fine) == 0 && get_resolution(clocks[i], NULL) == 0);
        CHECK(syscall(SYS_clock_getres, clocks[i], &called) == 0);
        CHECK(nanos(&fine) == nanos(&called));
        CHECK(CALLS(get_resolution(clocks[i], &fine)) == 0);
    }
    struct timespec coarse, fine;
    CHECK(get_time(CLOCK_MONOTONIC_COARSE, &coarse) == 0 && get_time(CLOCK_MONOTONIC, &fine) == 0);
    CHECK(nanos(&coarse) <= nanos(&fine));
    CHECK(get_time(CLOCK_REALTIME_COARSE, &coarse) == 0 && get_time(CLOCK_REALTIME, &fine) == 0);
    CHECK(nanos(&coarse) <= nanos(&fine));
}

static void others_are_called(void) {
    struct timespec time;
    CHECK(CALLS(get_time(CLOCK_THREAD_CPUTIME_ID, &time)) == 1);
    CHECK(get_time(CLOCK_THREAD_CPUTIME_ID, &time) == 0 && nanos(&time) > 0);
    CHECK(get_time(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 && nanos(&time) > 0);
    CHECK(get_time(12345, &time) == -EINVAL && get_resolution(12345, &time) == -EINVAL);
    CHECK(get_time(10, &time) == -EINVAL && get_resolution(10, NULL) == -EINVAL);
}

static void day_and_seconds(void) {
    struct timeval day;
    struct timezone zone = {1, 1};
    struct timespec before, after;
    CHECK(syscall(SYS_clock_gettime, CLOCK_REALTIME, &before) == 0);
    CHECK(get_day(&day, &zone) == 0);
    CHECK(syscall(SYS_clock_gettime, CLOCK_REALTIME, &after) == 0);
    long long micros = day.tv_sec * 1000000ll + day.tv_usec;
    CHECK(nanos(&before) / 1000 <= micros && micros <= nanos(&after) / 1000);
    CHECK(zone.tz_minuteswest == 0 && get_day(NULL, NULL) == 0);
    CHECK(CALLS(get_day(&day, NULL)) == 0);
    time_t here, stored;
    here = get_seconds(&stored);
    CHECK(here == stored && here >= before.tv_sec && get_seconds(NULL) >= here);
    CHECK(CALLS(get_seconds(&stored)) == 0);
}

static void cpus(void) {
    cpu_set_t all, one;
    CHECK(sched_getaffinity(0, sizeof all, &all) == 0);
    for (unsigned cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &all)) continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        CHECK(sched_setaffinity(0, sizeof one, &one) == 0);
        unsigned here = 99, node = 99;
        CHECK(get_cpu(&here, &node, NULL) == 0 && here == cpu && node == 0);
        CHECK(get_cpu(NULL, NULL, NULL) == 0 && (unsigned)sched_getcpu() == cpu);
        CHECK(CALLS(get_cpu(&here, NULL, NULL)) == 0);
    }
    CHECK(sched_setaffinity(0, sizeof all, &all) == 0);
}

static void a_setting_is_seen(void) {
    struct timespec was, set, now;
    CHECK(clock_gettime(CLOCK_REALTIME, &was) == 0);
    set = was;
    set.tv_sec += 100000;
    CHECK(clock_settime(CLOCK_REALTIME, &set) == 0);
    CHECK(get_time(CLOCK_REALTIME, &now) == 0 && now.tv_sec >= set.tv_sec);
    CHECK(get_seconds(NULL) >= set.tv_sec);
    set.tv_sec -= 100000;
    CHECK(clock_settime(CLOCK_REALTIME, &set) == 0);
    CHECK(get_time(CLOCK_REALTIME, &now) == 0 && now.tv_sec < was.tv_sec + 90000);
}

// What all programs share, none may change; a child has it too.
static void nobody_writes_to_it(void) {
    char *code = (char *)getauxval(AT_SYSINFO_EHDR);
    int status;
    pid_t child = fork();
    if (child == 0) {
        struct timespec time;
        if (get_time(CLOCK_MONOTONIC, &time) != 0) _exit(1);
        *(volatile char *)code = 1;
        _exit(2);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    CHECK(WTERMSIG(status) == SIGSEGV && code[0] == ELFMAG0);
    // The kernel writes for a program no more than the program may.
    CHECK(read(open("/dev/zero", 0), code, 1) == -1 && errno == EFAULT);
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IONBF, 0);
    struct sigaction action = {.sa_sigaction = step, .sa_flags = SA_SIGINFO};
    CHECK(sigaction(SIGTRAP, &action, NULL) == 0);
    get_time = find("__vdso_clock_gettime");
    get_resolution = find("__vdso_clock_getres");
    get_day = find("__vdso_gettimeofday");
    get_seconds = find("__vdso_time");
    get_cpu = find("__vdso_getcpu");
    if (!get_time || !get_resolution || !get_day || !get_seconds || !get_cpu) {
        printf("a function is missing\n");
        return 1;
    }
    clocks_agree_with_the_call();
    others_are_called();
    day_and_seconds();
    cpus();
    // As the C library does it.
    struct timespec time;
    CHECK(CALLS(clock_gettime(CLOCK_MONOTONIC, &time)) == 0);
    if (argc > 1 && strcmp(argv[1], "set") == 0) a_setting_is_seen();
    nobody_writes_to_it();
    printf("%s\n", failures ? "FAILED" : "passed");
    return failures != 0;
}
