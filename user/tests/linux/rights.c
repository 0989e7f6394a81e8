// What a user may do to others' threads and files, where it is not permissions that
// say so. Exits with 0 if all is as sched(7), setpriority(2), chown(2) and execve(2)
// say; it does on Linux itself. For root.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "child.h"

static void become_user(void) { become(1000, 1000); }

static int scheduler(pid_t pid, int policy, int priority) {
    struct sched_param param = {.sched_priority = priority};
    return sched_setscheduler(pid, policy, &param);
}

static pid_t roots, anothers;

static void scheduling(void) {
    become_user();
    CHECK(scheduler(0, SCHED_FIFO, 1) == -1 && errno == EPERM);
    CHECK(scheduler(roots, SCHED_IDLE, 0) == -1 && errno == EPERM);
    CHECK(scheduler(anothers, SCHED_BATCH, 0) == -1 && errno == EPERM);
    cpu_set_t all;
    CHECK(sched_getaffinity(0, sizeof all, &all) == 0);
    CHECK(sched_setaffinity(roots, sizeof all, &all) == -1 && errno == EPERM);
    CHECK(sched_setaffinity(0, sizeof all, &all) == 0);
    CHECK(setpriority(PRIO_PROCESS, roots, 10) == -1 && errno == EPERM);
    CHECK(setpriority(PRIO_USER, 0, 5) == 0 && getpriority(PRIO_PROCESS, 0) == 5);
    errno = 0;
    CHECK(getpriority(PRIO_PROCESS, roots) == 0 && errno == 0);
    CHECK(getpriority(PRIO_PROCESS, anothers) == 0 && errno == 0);
    CHECK(setpriority(PRIO_USER, 1001, 5) == -1 && errno == EPERM);
    CHECK(setpriority(PRIO_USER, 4321, 5) == -1 && errno == ESRCH);
    CHECK(setpriority(PRIO_PROCESS, 0, 4) == -1 && errno == EACCES);
    CHECK(setpriority(PRIO_PROCESS, 0, 6) == 0);
    CHECK(scheduler(0, SCHED_IDLE, 0) == 0);
    CHECK(scheduler(0, SCHED_OTHER, 0) == -1 && errno == EPERM);
}

// As far as the limits go.
static void limited(void) {
    CHECK(setrlimit(RLIMIT_NICE, &(struct rlimit){22, 22}) == 0);
    CHECK(setrlimit(RLIMIT_RTPRIO, &(struct rlimit){10, 10}) == 0);
    become_user();
    CHECK(setpriority(PRIO_PROCESS, 0, -2) == 0);
    CHECK(setpriority(PRIO_PROCESS, 0, -3) == -1 && errno == EACCES);
    CHECK(scheduler(0, SCHED_FIFO, 11) == -1 && errno == EPERM);
    CHECK(scheduler(0, SCHED_FIFO, 10) == 0 && scheduler(0, SCHED_RR, 3) == 0);
    CHECK(scheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, 0) == 0);
    CHECK(scheduler(0, SCHED_OTHER, 0) == -1 && errno == EPERM);
}

static const char *program;

// Nobody but its owner takes the bits of a program.
static void bits(void) {
    struct stat status;
    become_user();
    CHECK(chown(program, -1, -1) == -1 && errno == EPERM);
    int file = open(program, O_RDONLY);
    CHECK(file >= 0 && fchown(file, -1, -1) == -1 && errno == EPERM);
    CHECK(stat(program, &status) == 0 && (status.st_mode & 07777) == 06755);
}

// A pipe is its maker's, who may open it again.
static void pipes(void) {
    become_user();
    int ends[2];
    char path[40], byte;
    struct stat status;
    CHECK(pipe(ends) == 0 && fstat(ends[0], &status) == 0);
    CHECK(status.st_uid == 1000 && status.st_gid == 1000);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[1]);
    int again = open(path, O_WRONLY);
    CHECK(again >= 0 && write(again, "x", 1) == 1 && read(ends[0], &byte, 1) == 1);
}

// The program with the bits, in another's place: its umask is its own, and no
// privileges are to be had where none may be.
static void runs_with_rights(void) {
    CHECK(getuid() == 1000 && geteuid() == 0);
}

static void plain(void) {
    become_user();
    execl(program, program, "rights", NULL);
    CHECK(!"exec");
}

static void without_privileges(void) {
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    become_user();
    execl(program, program, "none", NULL);
    CHECK(!"exec");
}

static pid_t sleeper(uid_t user) {
    pid_t child = fork();
    if (child == 0) {
        if (setuid(user) == 0)
            for (;;) pause();
        _exit(1);
    }
    return child;
}

static void copy(const char *from, const char *to) {
    static char bytes[1 << 16];
    int source = open(from, O_RDONLY), target = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    for (ssize_t count; (count = read(source, bytes, sizeof bytes)) > 0;) CHECK(write(target, bytes, count) == count);
    close(source), close(target);
}

int main(int count, char **words) {
    if (count > 1) {
        if (strcmp(words[1], "rights") == 0) runs_with_rights();
        else CHECK(getuid() == 1000 && geteuid() == 1000);
        return failures != 0;
    }
    char folder[] = "/tmp/rights-XXXXXX", path[64];
    CHECK(mkdtemp(folder) && chmod(folder, 0755) == 0);
    snprintf(path, sizeof path, "%s/program", folder);
    program = path;
    copy("/proc/self/exe", program);
    CHECK(chmod(program, 06755) == 0);
    roots = sleeper(0), anothers = sleeper(1001);
    in_child(scheduling);
    in_child(limited);
    in_child(bits);
    in_child(pipes);
    in_child(plain);
    in_child(without_privileges);
    CHECK(kill(roots, SIGKILL) == 0 && kill(anothers, SIGKILL) == 0);
    CHECK(unlink(program) == 0 && rmdir(folder) == 0);
    return failures != 0;
}
