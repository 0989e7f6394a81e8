// Signals as a Linux program sees them. Exits with 0 if all is as signal(7)
// says; it does on Linux itself.
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "check.h"

static volatile sig_atomic_t calls;
static siginfo_t last;
static volatile int order[8], depth, deepest;

static void note(int signal, siginfo_t *info, void *context) {
    (void)context;
    // Registers that the interrupted code may have in use.
    asm volatile("pxor %%xmm0, %%xmm0; pxor %%xmm15, %%xmm15; fninit" ::: "xmm0", "xmm15");
    last = *info;
    order[calls & 7] = signal;
    calls++;
}

static void handle(int signal, void (*handler)(int, siginfo_t *, void *), int flags) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
    sigemptyset(&action.sa_mask);
    CHECK(sigaction(signal, &action, NULL) == 0);
    calls = 0;
}

static sigset_t set_of(int signal) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, signal);
    return set;
}

static void infos(void) {
    handle(SIGUSR1, note, 0);
    CHECK(kill(getpid(), SIGUSR1) == 0 && calls == 1);
    CHECK(last.si_code == SI_USER && last.si_pid == getpid() && last.si_signo == SIGUSR1);
    CHECK(raise(SIGUSR1) == 0 && calls == 2 && last.si_code == SI_TKILL);
    union sigval value = {.sival_int = 42};
    CHECK(sigqueue(getpid(), SIGUSR1, value) == 0 && calls == 3);
    CHECK(last.si_code == SI_QUEUE && last.si_value.sival_int == 42);
    CHECK(kill(getpid(), 0) == 0 && calls == 3);
    CHECK(kill(getpid(), 65) == -1 && errno == EINVAL);
    CHECK(kill(0x7ffffff0, SIGUSR1) == -1 && errno == ESRCH);
}

// Floating-point and flag registers are the interrupted code's own again.
static void registers(void) {
    handle(SIGUSR1, note, 0);
    double in = 2.5, out;
    asm volatile("movsd %1, %%xmm15\n\t"
                 "mov %2, %%eax; mov %3, %%edi; mov %4, %%esi; syscall\n\t"
                 "movsd %%xmm15, %0"
                 : "=m"(out)
                 : "m"(in), "i"(62), "r"(getpid()), "i"(SIGUSR1)
                 : "rax", "rdi", "rsi", "rcx", "r11", "xmm15", "memory");
    CHECK(calls == 1 && out == in);
    // Interrupted anywhere, for a while, by a peer: no sum may be wrong.
    pid_t self = getpid(), child = fork();
    if (child == 0) {
        for (;;) kill(self, SIGUSR1);
    }
    calls = 0;
    double sum = 0, x = 1;
    while (calls < 200) {
        double a = x * 3.0, b = a / 3.0;
        sum += b - x;
        x += 1;
    }
    CHECK(sum == 0);
    signal(SIGUSR1, SIG_IGN);
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
}

static void masks(void) {
    handle(SIGUSR1, note, 0);
    handle(SIGUSR2, note, 0);
    sigset_t both = set_of(SIGUSR1), old, waiting;
    sigaddset(&both, SIGUSR2);
    CHECK(sigprocmask(SIG_BLOCK, &both, &old) == 0 && !sigismember(&old, SIGUSR1));
    kill(getpid(), SIGUSR2);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR1);
    CHECK(calls == 0 && sigpending(&waiting) == 0);
    CHECK(sigismember(&waiting, SIGUSR1) && sigismember(&waiting, SIGUSR2));
    CHECK(sigprocmask(SIG_UNBLOCK, &both, NULL) == 0 && calls == 2);
    CHECK(sigpending(&waiting) == 0 && !sigismember(&waiting, SIGUSR1));
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    sigprocmask(SIG_SETMASK, &old, &all);
    CHECK(!sigismember(&all, SIGKILL) && !sigismember(&all, SIGSTOP));
    CHECK(sigprocmask(7, &all, NULL) == -1 && errno == EINVAL);
    // Ignoring one discards it while it waits.
    sigprocmask(SIG_BLOCK, &both, NULL);
    kill(getpid(), SIGUSR1);
    signal(SIGUSR1, SIG_IGN);
    CHECK(sigpending(&waiting) == 0 && !sigismember(&waiting, SIGUSR1));
    sigprocmask(SIG_SETMASK, &old, NULL);
}

static void real_time(void) {
    int signal = SIGRTMIN + 1;
    handle(signal, note, 0);
    handle(signal + 1, note, 0);
    sigset_t set = set_of(signal), old;
    sigaddset(&set, signal + 1);
    sigprocmask(SIG_BLOCK, &set, &old);
    for (int i = 0; i < 3; i++) {
        union sigval value = {.sival_int = i};
        CHECK(sigqueue(getpid(), signal + 1, value) == 0);
        CHECK(sigqueue(getpid(), signal, value) == 0);
    }
    for (int i = 0; i < 6; i++) {
        siginfo_t info;
        int got = sigwaitinfo(&set, &info);
        CHECK(got == signal + i / 3 && info.si_value.sival_int == i % 3);
    }
    struct timespec none = {0, 0};
    CHECK(sigtimedwait(&set, NULL, &none) == -1 && errno == EAGAIN);
    sigprocmask(SIG_SETMASK, &old, NULL);
    CHECK(calls == 0);
}

static void nest(int signal, siginfo_t *info, void *context) {
    (void)info, (void)context;
    int here = ++depth;
    if (here > deepest) deepest = here;
    if (++calls < 3) raise(signal);
    depth--;
}

static void flags(void) {
    handle(SIGUSR1, nest, 0);
    deepest = 0;
    raise(SIGUSR1);
    CHECK(deepest == 1 && calls == 3);
    handle(SIGUSR1, nest, SA_NODEFER);
    deepest = 0;
    raise(SIGUSR1);
    CHECK(deepest == 3 && calls == 3);
    handle(SIGUSR1, note, SA_RESETHAND);
    raise(SIGUSR1);
    struct sigaction now;
    CHECK(sigaction(SIGUSR1, NULL, &now) == 0 && now.sa_handler == SIG_DFL && calls == 1);
    CHECK(sigaction(SIGKILL, &now, NULL) == -1 && errno == EINVAL);
}

// A child that signals its parent again and again until it hears of it.
static pid_t pester(int signal, int heard) {
    pid_t parent = getpid(), child = fork();
    if (child == 0) {
        struct pollfd stop = {.fd = heard, .events = POLLIN};
        do {
            kill(parent, signal);
        } while (poll(&stop, 1, 1) == 0);
        _exit(0);
    }
    return child;
}

static void interrupted_calls(void) {
    int data[2], heard[2];
    CHECK(pipe(data) == 0 && pipe(heard) == 0);
    char byte;
    handle(SIGUSR1, note, 0);
    pid_t child = pester(SIGUSR1, heard[0]);
    CHECK(read(data[0], &byte, 1) == -1 && errno == EINTR);
    struct timespec long_time = {1000, 0}, left = {0, 0};
    CHECK(nanosleep(&long_time, &left) == -1 && errno == EINTR && left.tv_sec >= 900);
    struct pollfd none = {.fd = data[0], .events = POLLIN};
    CHECK(poll(&none, 1, -1) == -1 && errno == EINTR);
    CHECK(waitpid(child, NULL, 0) == -1 && errno == EINTR);
    handle(SIGUSR1, note, SA_RESTART);
    // These begin again for each signal; what ends them comes after a few.
    pid_t writer = fork();
    if (writer == 0) {
        struct timespec moment = {0, 20 * 1000 * 1000};
        nanosleep(&moment, NULL);
        _exit(write(data[1], "x", 1) != 1);
    }
    CHECK(read(data[0], &byte, 1) == 1 && byte == 'x');
    int status;
    CHECK(waitpid(writer, &status, 0) == writer && status == 0);
    // Not those that wait for a time.
    CHECK(nanosleep(&long_time, NULL) == -1 && errno == EINTR);
    CHECK(write(heard[1], "x", 1) == 1);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(calls > 0);
    for (int i = 0; i < 2; i++) close(data[i]), close(heard[i]);
}

static void suspending(void) {
    handle(SIGUSR1, note, 0);
    sigset_t set = set_of(SIGUSR1), none, now;
    sigemptyset(&none);
    sigprocmask(SIG_BLOCK, &set, NULL);
    pid_t self = getpid(), child = fork();
    if (child == 0) _exit(kill(self, SIGUSR1));
    CHECK(sigsuspend(&none) == -1 && errno == EINTR && calls == 1);
    sigprocmask(SIG_SETMASK, NULL, &now);
    CHECK(sigismember(&now, SIGUSR1));
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    CHECK(waitpid(child, NULL, 0) == child);
}

static void skip_two_bytes(int signal, siginfo_t *info, void *context) {
    (void)signal;
    last = *info;
    calls++;
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += 2;
}

static void faults(void) {
    static char alternate[1 << 16];
    handle(SIGSEGV, skip_two_bytes, 0);
    asm volatile("movl (%%rax), %%eax" ::"a"(0x1000L) : "memory");
    CHECK(calls == 1 && last.si_addr == (void *)0x1000 && last.si_code == SEGV_MAPERR);
    asm volatile("movl %%ecx, (%%rax)" ::"a"(&faults), "c"(0) : "memory");
    CHECK(calls == 2 && last.si_addr == (void *)&faults && last.si_code == SEGV_ACCERR);
    handle(SIGILL, skip_two_bytes, 0);
    asm volatile("ud2");
    CHECK(calls == 1 && last.si_signo == SIGILL);
    // Without a usable stack, on the alternate one.
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate}, old;
    CHECK(sigaltstack(&stack, NULL) == 0);
    handle(SIGSEGV, skip_two_bytes, SA_ONSTACK);
    asm volatile("mov %%rsp, %%rbx; mov $64, %%esp; movl (%%rax), %%eax; mov %%rbx, %%rsp" ::"a"(
                     0x1008L)
                 : "rbx", "memory");
    CHECK(calls == 1 && last.si_addr == (void *)0x1008);
    CHECK(sigaltstack(NULL, &old) == 0 && old.ss_sp == alternate && old.ss_flags == 0);
    stack.ss_size = 100;
    CHECK(sigaltstack(&stack, NULL) == -1 && errno == ENOMEM);
    stack.ss_flags = SS_DISABLE;
    CHECK(sigaltstack(&stack, NULL) == 0);
    // Blocked, ignored or without a stack for the handler, a fault ends the process.
    for (int how = 0; how < 3; how++) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            sigset_t set = set_of(SIGSEGV);
            if (how == 0) sigprocmask(SIG_BLOCK, &set, NULL);
            if (how == 1) signal(SIGSEGV, SIG_IGN);
            if (how == 2) handle(SIGSEGV, skip_two_bytes, 0);
            asm volatile("mov $64, %%esp; movl (%%rax), %%eax" ::"a"(0x1008L) : "memory");
            _exit(0);
        }
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    }
    signal(SIGSEGV, SIG_DFL);
    signal(SIGILL, SIG_DFL);
}

static void children(void) {
    int status;
    handle(SIGCHLD, note, SA_RESTART);
    pid_t child = fork();
    if (child == 0) _exit(7);
    CHECK(waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7);
    CHECK(calls == 1 && last.si_code == CLD_EXITED);
    CHECK(last.si_pid == child && last.si_status == 7);
    child = fork();
    if (child == 0) raise(SIGKILL);
    CHECK(waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGKILL);
    CHECK(calls == 2 && last.si_code == CLD_KILLED && last.si_status == SIGKILL);
    // Handlers and masks across fork; ignored signals and masks across exec are
    // the shell's to test.
    handle(SIGUSR1, note, 0);
    sigset_t set = set_of(SIGUSR2), now;
    sigprocmask(SIG_BLOCK, &set, NULL);
    child = fork();
    if (child == 0) {
        raise(SIGUSR1);
        sigprocmask(SIG_SETMASK, NULL, &now);
        _exit(!(calls == 1 && sigismember(&now, SIGUSR2)));
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    signal(SIGCHLD, SIG_IGN);
    child = fork();
    if (child == 0) _exit(0);
    CHECK(waitpid(child, &status, 0) == -1 && errno == ECHILD);
    handle(SIGCHLD, note, SA_RESTART | SA_NOCLDWAIT);
    child = fork();
    if (child == 0) _exit(0);
    CHECK(waitpid(child, &status, 0) == -1 && errno == ECHILD && calls == 1);
    signal(SIGCHLD, SIG_DFL);
}

static void *spin(void *unused) {
    while (unused == NULL) sched_yield();
    return NULL;
}

static void stopping(void) {
    int status;
    // With threads: asleep, awake.
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, spin, NULL);
        for (;;) pause();
    }
    for (int round = 0; round < 20; round++) {
        CHECK(kill(child, SIGSTOP) == 0);
        CHECK(waitpid(child, &status, WUNTRACED) == child);
        CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
        CHECK(waitpid(child, &status, WNOHANG | WUNTRACED | WCONTINUED) == 0);
        CHECK(kill(child, SIGCONT) == 0);
        CHECK(waitpid(child, &status, WCONTINUED) == child && WIFCONTINUED(status));
    }
    // A stopped process ends by SIGKILL at once, by others when it goes on.
    kill(child, SIGSTOP);
    CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
    kill(child, SIGKILL);
    CHECK(waitpid(child, &status, 0) == child && WTERMSIG(status) == SIGKILL);
    // Calls that a stop interrupts go on afterwards.
    int data[2];
    CHECK(pipe(data) == 0);
    child = fork();
    if (child == 0) {
        char byte;
        _exit(!(read(data[0], &byte, 1) == 1 && byte == 'y'));
    }
    kill(child, SIGSTOP);
    CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
    CHECK(write(data[1], "y", 1) == 1);
    CHECK(waitpid(child, &status, WNOHANG) == 0);
    kill(child, SIGCONT);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    close(data[0]), close(data[1]);
    // SIGCONT cancels a stop that was sent and not yet taken, and back.
    sigset_t set = set_of(SIGTSTP), waiting;
    sigaddset(&set, SIGCONT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGTSTP);
    raise(SIGCONT);
    CHECK(sigpending(&waiting) == 0 && !sigismember(&waiting, SIGTSTP));
    handle(SIGCONT, note, 0);
    raise(SIGCONT);
    raise(SIGTSTP);
    CHECK(sigpending(&waiting) == 0 && !sigismember(&waiting, SIGCONT));
    signal(SIGTSTP, SIG_IGN);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    signal(SIGTSTP, SIG_DFL);
    signal(SIGCONT, SIG_DFL);
    CHECK(calls == 0);
}

// Stopped by its parent's end alone: nobody could let it go on, so it gets
// SIGHUP and goes on.
static void orphans(void) {
    int tell[2];
    char byte;
    CHECK(pipe(tell) == 0);
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        pid_t grandchild = fork();
        if (grandchild == 0) {
            handle(SIGHUP, note, 0);
            handle(SIGCONT, note, 0);
            raise(SIGSTOP);
            // Both came before it went on.
            _exit(write(tell[1], calls == 2 ? "b" : "n", 1) != 1);
        }
        int status;
        waitpid(grandchild, &status, WUNTRACED);
        _exit(!WIFSTOPPED(status));
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(read(tell[0], &byte, 1) == 1 && byte == 'b');
    close(tell[0]), close(tell[1]);
}

static void *wait_for_usr2(void *unused) {
    sigset_t set = set_of(SIGUSR2);
    int signal;
    CHECK(sigwait(&set, &signal) == 0);
    return (void *)(long)signal + 0 * (long)unused;
}

static pthread_t catcher;

static void note_thread(int signal) {
    (void)signal;
    catcher = pthread_self();
    calls++;
}

static void *sleep_until_told(void *fd) {
    char byte;
    while (read(*(int *)fd, &byte, 1) == -1) CHECK(errno == EINTR);
    return NULL;
}

static void threads(void) {
    sigset_t set = set_of(SIGUSR2);
    pthread_t thread;
    void *result;
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_create(&thread, NULL, wait_for_usr2, NULL);
    kill(getpid(), SIGUSR2);
    CHECK(pthread_join(thread, &result) == 0 && result == (void *)SIGUSR2);
    // One that the first thread blocks goes to the other, which sleeps.
    int tell[2];
    CHECK(pipe(tell) == 0);
    signal(SIGUSR2, note_thread);
    calls = 0;
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    pthread_create(&thread, NULL, sleep_until_told, &tell[0]);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    for (int i = 1; i <= 100; i++) {
        kill(getpid(), SIGUSR2);
        while (calls < i) sched_yield();
        CHECK(pthread_equal(catcher, thread));
    }
    pthread_kill(thread, SIGUSR2);
    while (calls < 101) sched_yield();
    CHECK(write(tell[1], "x", 1) == 1 && pthread_join(thread, NULL) == 0);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    close(tell[0]), close(tell[1]);
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    infos();
    registers();
    masks();
    real_time();
    flags();
    interrupted_calls();
    suspending();
    faults();
    children();
    stopping();
    orphans();
    threads();
    return failures != 0;
}
