// Random calls from random threads: whatever comes of them, the system goes on.
//
//     fuzz SEED CASES    runs the cases SEED, SEED + 1, ...
//
// A case is a process of its own with some threads, each of which makes calls whose
// numbers and arguments its seed alone decides. It may end however it likes, but it
// ends: killed after its time, it is waited for, and so are all that it has made. In
// the end there is as much memory as after the first cases. A case that fails is told
// by its number, and is run again by that with 1 for CASES.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 3, CALLS = 150, LAST = 460, ARENA = 64 << 10, WARM = 60, MILLISECONDS = 1500 };

typedef struct {
    uint64_t state;
} Random;

static uint32_t next(Random *random) {
    random->state = random->state * 6364136223846793005u + 1442695040888963407u;
    return random->state >> 33;
}

static uint32_t below(Random *random, uint32_t limit) { return next(random) % limit; }

// Memory that arguments point to: names, structures of noise, room for results.
static char *arena;

static const char *const NAMES[] = {
    "a", "b", "d", "d/c", "d/..", ".", "..", "", "a/", "none/x", "link", "/dev/null", "/dev/zero",
    "/proc/self/fd", "/proc/self/maps", "/proc/self/status", "/proc/self/exe", "/tmp", "socket", "fifo",
};
enum { NAME_COUNT = sizeof NAMES / sizeof *NAMES };

static char *name(Random *random) { return arena + 32 * below(random, NAME_COUNT); }

// Flags are mostly few bits, and sizes, descriptors and the like are small.
static long word(Random *random) {
    static const long EDGES[] = {0,         -1,        1L << 31, (1L << 31) - 1, 1L << 32,    1L << 47,
                                 1L << 62,  INT64_MIN, INT64_MAX, 4096,         -4096,       0xffff800000000000,
                                 -4095 + 8, 8,         65536};
    switch (below(random, 10)) {
    case 0: return EDGES[below(random, sizeof EDGES / sizeof *EDGES)];
    case 1: return 1L << below(random, 64);
    case 2: return 1L << below(random, 20) | 1L << below(random, 20);
    case 3: return (long)name(random);
    case 4: return (long)arena + below(random, ARENA);
    case 5: return (long)arena + 8 * below(random, ARENA / 8);
    case 6: return (long)arena + ARENA - below(random, 64);
    case 7: return below(random, 4096);
    default: return below(random, 20);
    }
}

// Structures hold small numbers, addresses and noise.
static void fill(Random *random, size_t from, size_t length) {
    for (size_t at = from & ~7UL; at + 8 <= from + length; at += 8) {
        long value = word(random);
        memcpy(arena + at, &value, 8);
    }
}

static int is_excluded(long number) {
    switch (number) {
    // They end the thread, and have nothing to find.
    case SYS_exit:
    case SYS_exit_group:
    case SYS_rt_sigreturn:
    // glibc could not go on.
    case SYS_arch_prctl:
    // The machine, its clock and its mounts are everybody's.
    case SYS_reboot:
    case SYS_kexec_load:
    case SYS_settimeofday:
    case SYS_clock_settime:
    case SYS_clock_adjtime:
    case SYS_adjtimex:
    case SYS_mount:
    case SYS_umount2:
    case SYS_pivot_root:
    case SYS_chroot:
    case SYS_swapon:
    case SYS_swapoff:
    case SYS_sethostname:
    case SYS_setdomainname:
    case SYS_syslog:
    case SYS_init_module:
    case SYS_delete_module:
    case SYS_ptrace:
    case SYS_bpf:
    case SYS_perf_event_open:
    case SYS_iopl:
    case SYS_ioperm:
    case SYS_vhangup:
    // Others are not to be fuzzed.
    case SYS_kill:
    case SYS_tkill:
    case SYS_tgkill:
    case SYS_rt_sigqueueinfo:
    case SYS_rt_tgsigqueueinfo:
    case SYS_setpriority:
    case SYS_prlimit64:
    case SYS_process_vm_writev:
    case SYS_pidfd_send_signal:
    // It would get out of the reach of who kills it.
    case SYS_setsid:
    case SYS_setpgid:
        return 1;
    }
    return 0;
}

static int makes_processes(long number) {
    return number == SYS_fork || number == SYS_vfork || number == SYS_clone || number == SYS_clone3;
}

static void call_once(Random *random) {
    long number = below(random, LAST), arguments[6];
    for (int i = 0; i < 6; i++) arguments[i] = word(random);
    if (below(random, 4) == 0) fill(random, below(random, ARENA - 256), below(random, 256));
    if (is_excluded(number)) return;
    if (number == SYS_vfork) number = SYS_fork;
    // A child in the same memory, or on a made-up stack, runs nothing that is known.
    if (number == SYS_clone) arguments[0] &= ~(long)CLONE_VM, arguments[1] = 0;
    if (number == SYS_clone3) return;
    if (number == SYS_prctl && (arguments[0] == PR_SET_PDEATHSIG || arguments[0] == PR_SET_DUMPABLE)) return;
    // Signals go to the case itself.
    long made = syscall(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4], arguments[5]);
    if (made == 0 && makes_processes(number)) _exit(0);
    if (below(random, 20) == 0) syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), 32 + below(random, 33));
    if (below(random, 50) == 0) syscall(SYS_kill, getpid(), below(random, 65));
}

static void *fuzz_thread(void *seed) {
    Random random = {(uint64_t)(uintptr_t)seed * 0x9e3779b97f4a7c15};
    for (int i = 0; i < CALLS; i++) call_once(&random);
    return NULL;
}

static void on_signal(int signal) { (void)signal; }

static void prepare(uint64_t seed) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int null = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3; i++) dup2(null, i);
    arena = mmap((void *)0x100000000, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    Random random = {seed};
    fill(&random, 1024, ARENA - 1024);
    for (int i = 0; i < NAME_COUNT; i++) strcpy(arena + 32 * i, NAMES[i]);
    // Descriptors of many kinds, from 4 on.
    int ends[2];
    open("a", O_RDWR | O_CREAT, 0600), open(".", O_RDONLY | O_DIRECTORY);
    mkdir("d", 0700), symlink("a", "link"), mknod("fifo", S_IFIFO | 0600, 0);
    if (pipe(ends) || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) || socketpair(AF_UNIX, SOCK_DGRAM, 0, ends)) _exit(1);
    syscall(SYS_eventfd2, 3, 0), syscall(SYS_timerfd_create, 1, 0), syscall(SYS_epoll_create1, 0);
    syscall(SYS_inotify_init1, 0), syscall(SYS_memfd_create, "m", 2), open("/proc/self/status", O_RDONLY);
    for (int signal = 1; signal < 65; signal++) {
        struct sigaction action = {.sa_handler = on_signal, .sa_flags = below(&random, 2) ? SA_RESTART : 0};
        // What is left with its default ends the case.
        if (signal != SIGSEGV && signal != SIGBUS && signal != SIGILL) sigaction(signal, &action, NULL);
    }
}

static void run_case(uint64_t seed) {
    setpgid(0, 0);
    prepare(seed);
    pthread_t thread;
    for (int i = 1; i < THREADS; i++) pthread_create(&thread, NULL, fuzz_thread, (void *)(seed * THREADS + i));
    fuzz_thread((void *)(seed * THREADS));
    syscall(SYS_exit_group, 0);
}

static void remove_all(const char *path) {
    DIR *folder = opendir(path);
    struct dirent *entry;
    char inner[600];
    while (folder && (entry = readdir(folder))) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
        snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
        if (unlink(inner) != 0) remove_all(inner);
    }
    if (folder) closedir(folder);
    rmdir(path);
}

static long milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// Waits for the case, and then for all that it has left; 0 if something stays.
static int wait_for_all(pid_t leader) {
    long end = milliseconds() + MILLISECONDS, last = end + 60000;
    int is_killed = 0;
    for (;;) {
        int status;
        pid_t ended = waitpid(-1, &status, WNOHANG | __WALL);
        if (ended < 0) return 1;
        if (ended > 0) {
            // The case is over: so are its children.
            if (ended == leader && !(WIFSTOPPED(status))) end = 0;
            continue;
        }
        if (milliseconds() > end) {
            kill(-leader, SIGKILL), kill(leader, SIGKILL);
            is_killed = 1;
        }
        if (is_killed && milliseconds() > last) return 0;
        usleep(1000);
    }
}

// Of memory, once all caches are empty that can be.
static long free_pages(void) {
    int file = open("/proc/sys/vm/drop_caches", O_WRONLY);
    if (file >= 0 && write(file, "3", 1) != 1) printf("the caches stay\n");
    close(file);
    struct sysinfo info;
    sysinfo(&info);
    return info.freeram / 4096 * info.mem_unit;
}

int main(int count, char **words) {
    if (count != 3) return printf("usage: fuzz SEED CASES\n"), 2;
    uint64_t seed = strtoull(words[1], NULL, 0);
    long cases = atol(words[2]), before = 0;
    setvbuf(stdout, NULL, _IONBF, 0);
    // Whoever a case leaves behind is this process's to wait for.
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    for (long i = 0; i < cases; i++) {
        if (i == WARM) before = free_pages();
        char folder[] = "/tmp/fuzz-XXXXXX";
        if (!mkdtemp(folder)) return perror("mkdtemp"), 1;
        pid_t leader = fork();
        if (leader == 0) {
            if (chdir(folder) == 0) run_case(seed + i);
            _exit(1);
        }
        if (!wait_for_all(leader)) return printf("case %lu does not end\n", seed + i), 1;
        chmod(folder, 0700);
        remove_all(folder);
    }
    long lost = before - free_pages();
    printf("%ld cases; %ld pages of memory are missing\n", cases, cases > WARM ? lost : 0);
    return cases > WARM && lost > 100 + cases / 50;
}
