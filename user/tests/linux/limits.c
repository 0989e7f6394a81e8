// Resource limits as a Linux program sees them. Exits with 0 if all is as
// getrlimit(2) says; it does on Linux itself.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "clock.h"

#define MIB (1L << 20)

static void limit(int resource, rlim_t soft, rlim_t hard) {
    CHECK(setrlimit(resource, &(struct rlimit){soft, hard}) == 0);
}

static void calls(void) {
    struct rlimit old, now;
    CHECK(getrlimit(RLIMIT_CORE, &old) == 0);
    limit(RLIMIT_CORE, 4096, 8192);
    CHECK(prlimit(0, RLIMIT_CORE, NULL, &now) == 0 && now.rlim_cur == 4096 && now.rlim_max == 8192);
    CHECK(syscall(SYS_getrlimit, RLIMIT_CORE, &now) == 0 && now.rlim_cur == 4096);
    CHECK(syscall(SYS_setrlimit, RLIMIT_CORE, &now) == 0);
    struct rlimit bad = {2, 1};
    CHECK(setrlimit(RLIMIT_CORE, &bad) == -1 && errno == EINVAL);
    CHECK(setrlimit(16, &old) == -1 && errno == EINVAL);
    CHECK(setrlimit(RLIMIT_CORE, (void *)8) == -1 && errno == EFAULT);
    CHECK(getrlimit(RLIMIT_CORE, (void *)8) == -1 && errno == EFAULT);
    CHECK(prlimit(1 << 22, RLIMIT_CORE, NULL, &now) == -1 && errno == ESRCH);
    // Another's, whose child keeps it.
    int ends[2];
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        close(ends[1]);
        read(ends[0], &byte, 1);
        CHECK(getrlimit(RLIMIT_CORE, &now) == 0 && now.rlim_cur == 5 && now.rlim_max == 6);
        if (fork() == 0) {
            CHECK(getrlimit(RLIMIT_CORE, &now) == 0 && now.rlim_cur == 5);
            _exit(failures != 0);
        }
        int status;
        CHECK(wait(&status) > 0 && status == 0);
        _exit(failures != 0);
    }
    CHECK(prlimit(child, RLIMIT_CORE, &(struct rlimit){5, 6}, &now) == 0 && now.rlim_cur == 4096);
    close(ends[1]), close(ends[0]);
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    FILE *told = fopen("/proc/self/limits", "r");
    char line[200];
    int seen = 0;
    while (told && fgets(line, sizeof line, told)) {
        if (strncmp(line, "Max core file size", 18) == 0) seen = strstr(line, "4096 ") && strstr(line, "8192 ");
    }
    CHECK(seen);
    if (told) fclose(told);
}

// Who is not root lowers limits, and does not raise them again; those of others
// are not its business.
static void rights(void) {
    limit(RLIMIT_CORE, 100, 200);
    CHECK(setgid(1000) == 0 && setuid(1000) == 0);
    limit(RLIMIT_CORE, 200, 200);
    struct rlimit more = {100, 201};
    CHECK(setrlimit(RLIMIT_CORE, &more) == -1 && errno == EPERM);
    limit(RLIMIT_CORE, 50, 150);
    CHECK(prlimit(getppid(), RLIMIT_CORE, NULL, &more) == -1 && errno == EPERM);
    int ends[2];
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(ends[1]);
        char byte;
        read(ends[0], &byte, 1);
        _exit(0);
    }
    CHECK(prlimit(child, RLIMIT_CORE, &(struct rlimit){1, 150}, &more) == 0 && more.rlim_cur == 50);
    close(ends[0]), close(ends[1]);
    CHECK(wait(NULL) == child);
}

static void files(void) {
    limit(RLIMIT_NOFILE, 5, 10);
    int first = dup(0), second = dup(0);
    CHECK(first == 3 && second == 4);
    CHECK(dup(0) == -1 && errno == EMFILE);
    CHECK(fcntl(0, F_DUPFD, 5) == -1 && errno == EINVAL);
    CHECK(dup2(0, 5) == -1 && errno == EBADF);
    limit(RLIMIT_NOFILE, 6, 10);
    CHECK(dup2(0, 5) == 5);
}

static volatile int caught;
static void count(int signal) { caught = signal; }

static void file_size(void) {
    signal(SIGXFSZ, count);
    char name[] = "/tmp/limits-XXXXXX", bytes[100] = {0};
    int file = mkstemp(name);
    CHECK(file >= 0 && unlink(name) == 0);
    limit(RLIMIT_FSIZE, 150, 1000);
    CHECK(write(file, bytes, 100) == 100);
    // As much as there is room for, then nothing.
    CHECK(write(file, bytes, 100) == 50 && caught == 0);
    CHECK(write(file, bytes, 100) == -1 && errno == EFBIG && caught == SIGXFSZ);
    caught = 0;
    CHECK(pwrite(file, bytes, 1, 150) == -1 && errno == EFBIG && caught == SIGXFSZ);
    caught = 0;
    CHECK(ftruncate(file, 151) == -1 && errno == EFBIG && caught == SIGXFSZ);
    caught = 0;
    CHECK(ftruncate(file, 150) == 0 && ftruncate(file, 10) == 0 && caught == 0);
    CHECK(pwrite(file, bytes, 20, 100) == 20);
    // It is for files only.
    int ends[2];
    CHECK(pipe(ends) == 0);
    char many[400] = {0};
    CHECK(write(ends[1], many, 400) == 400 && caught == 0);
}

// Memory without a file is none.
static void shared_memory(void) {
    limit(RLIMIT_FSIZE, 100, 100);
    char *memory = mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED && memory[MIB - 1] == 0);
}

// vfork's child limits itself.
static void vfork_limits(void) {
    pid_t child = vfork();
    if (child == 0) {
        struct rlimit small = {16 * MIB, 16 * MIB};
        setrlimit(RLIMIT_AS, &small);
        _exit(0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(mmap(NULL, 64 * MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

static void file_size_ends(void) {
    limit(RLIMIT_FSIZE, 0, 0);
    char name[] = "/tmp/limits-XXXXXX";
    int file = mkstemp(name);
    unlink(name);
    write(file, "x", 1);
}

static void *map(long size, int protection, int flags) {
    return mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

static void address_space(void) {
    void *before = map(8 * MIB, PROT_READ, 0);
    CHECK(before != MAP_FAILED);
    limit(RLIMIT_AS, 64 * MIB, RLIM_INFINITY);
    CHECK(map(80 * MIB, PROT_NONE, 0) == MAP_FAILED && errno == ENOMEM);
    char *kept = map(16 * MIB, PROT_READ | PROT_WRITE, 0);
    CHECK(kept != MAP_FAILED);
    if (kept != MAP_FAILED) *kept = 7;
    CHECK(mremap(kept, 16 * MIB, 100 * MIB, MREMAP_MAYMOVE) == MAP_FAILED && errno == ENOMEM);
    CHECK(*kept == 7);
    // What is replaced does not count twice.
    for (int i = 0; i < 8; i++) {
        CHECK(mmap(kept, 16 * MIB, PROT_READ, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == kept);
    }
    CHECK(sbrk(80 * MIB) == (void *)-1 && errno == ENOMEM);
    CHECK(sbrk(MIB) != (void *)-1);
    // A child has the same limit.
    if (fork() == 0) {
        CHECK(map(80 * MIB, PROT_NONE, 0) == MAP_FAILED && errno == ENOMEM);
        _exit(failures != 0);
    }
    int status;
    CHECK(wait(&status) > 0 && status == 0);
    limit(RLIMIT_AS, RLIM_INFINITY, RLIM_INFINITY);
    CHECK(map(80 * MIB, PROT_NONE, 0) != MAP_FAILED);
}

static void data(void) {
    limit(RLIMIT_DATA, 32 * MIB, RLIM_INFINITY);
    CHECK(map(64 * MIB, PROT_READ, 0) != MAP_FAILED);
    CHECK(map(64 * MIB, PROT_READ | PROT_WRITE, 0) == MAP_FAILED && errno == ENOMEM);
    CHECK(sbrk(64 * MIB) == (void *)-1 && errno == ENOMEM);
    CHECK(map(8 * MIB, PROT_READ | PROT_WRITE, 0) != MAP_FAILED);
}

static int deep(int levels) {
    volatile char room[4096];
    room[0] = levels;
    return levels ? deep(levels - 1) + room[0] : 0;
}

static void stack(void) {
    limit(RLIMIT_STACK, 256 << 10, RLIM_INFINITY);
    deep(20);
}

static void stack_ends(void) {
    limit(RLIMIT_STACK, 256 << 10, RLIM_INFINITY);
    deep(200);
}

// It holds at once, and for the next program.
static void larger_stack(void) {
    limit(RLIMIT_STACK, 32 * MIB, RLIM_INFINITY);
    deep(5000);
    execl("/proc/self/exe", "limits", "deep", NULL);
    CHECK(!"exec");
}

// One that is no whole pages.
static void odd_stack(void) {
    limit(RLIMIT_STACK, 8191 << 10, RLIM_INFINITY);
    execl("/proc/self/exe", "limits", "odd", NULL);
    CHECK(!"exec");
}

static void map_and_fork(void) {
    char *memory = map(3 * 4096, PROT_READ | PROT_WRITE, 0);
    CHECK(memory != MAP_FAILED && (long)memory % 4096 == 0);
    memory[3 * 4096 - 1] = 7;
    if (fork() == 0) _exit(memory[3 * 4096 - 1] != 7);
    int status;
    CHECK(wait(&status) > 0 && status == 0);
    CHECK(mprotect(memory, 2 * 4096, PROT_READ) == 0);
}

static void unlimited_stack(void) {
    limit(RLIMIT_STACK, RLIM_INFINITY, RLIM_INFINITY);
    execl("/proc/self/exe", "limits", "deep", NULL);
    CHECK(!"exec");
}

static void spin(void) {
    for (;;) {
    }
}

static void cpu(void) {
    signal(SIGXCPU, count);
    limit(RLIMIT_CPU, 1, 2);
    while (!caught) {
    }
    CHECK(now(CLOCK_PROCESS_CPUTIME_ID) >= SECOND);
    // The hard limit ends it.
    spin();
}

static void cpu_ends(void) {
    limit(RLIMIT_CPU, 1, RLIM_INFINITY);
    // A child's time counts from its own beginning.
    if (fork() == 0) spin();
    int status;
    CHECK(wait(&status) > 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU);
    limit(RLIMIT_CPU, RLIM_INFINITY, RLIM_INFINITY);
}

int main(int count_of, char **words) {
    if (count_of > 1 && strcmp(words[1], "deep") == 0) {
        deep(5000);
        return 0;
    }
    if (count_of > 1) {
        map_and_fork();
        return failures != 0;
    }
    in_child(calls);
    in_child(rights);
    in_child(files);
    in_child(file_size);
    CHECK(signal_in_child(file_size_ends) == SIGXFSZ);
    in_child(address_space);
    in_child(data);
    in_child(stack);
    CHECK(signal_in_child(stack_ends) == SIGSEGV);
    in_child(larger_stack);
    in_child(odd_stack);
    in_child(unlimited_stack);
    in_child(shared_memory);
    in_child(vfork_limits);
    CHECK(signal_in_child(cpu) == SIGKILL);
    in_child(cpu_ends);
    return failures != 0;
}
