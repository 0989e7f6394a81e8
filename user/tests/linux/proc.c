// What programs read in /proc, of themselves and of others, and in /dev.
#define _GNU_SOURCE
#include "check.h"
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

static char text[1 << 16];

// Reads a file into `text`; its length, or -1.
static ssize_t read_file(const char *path) {
    int fd = open(path, O_RDONLY);
    if (fd < 0) return -1;
    ssize_t length = 0, count;
    while ((count = read(fd, text + length, sizeof text - 1 - length)) > 0) length += count;
    text[length] = 0;
    close(fd);
    return length;
}

static const char *link_of(const char *path) {
    ssize_t length = readlink(path, text, sizeof text - 1);
    text[length < 0 ? 0 : length] = 0;
    return text;
}

// The value of a line "NAME:\tVALUE"; -1 if there is none.
static long line_of(const char *name) {
    char *line = strstr(text, name);
    return line ? strtol(line + strlen(name) + 1, NULL, 10) : -1;
}

static int entries_of(const char *path) {
    DIR *folder = opendir(path);
    int count = 0;
    if (!folder) return -1;
    for (struct dirent *entry; (entry = readdir(folder));) count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static void links(void) {
    struct stat one, other;
    CHECK(atoi(link_of("/proc/self")) == getpid());
    snprintf(text, sizeof text, "/proc/%d/exe", getpid());
    CHECK(stat(text, &one) == 0 && stat("/proc/self/exe", &other) == 0);
    CHECK(one.st_ino == other.st_ino && S_ISREG(one.st_mode));
    CHECK(stat(link_of("/proc/self/exe"), &other) == 0 && one.st_ino == other.st_ino);
    CHECK(lstat("/proc/self/exe", &one) == 0 && S_ISLNK(one.st_mode));
    CHECK(chdir("/proc/self") == 0);
    char *here = getcwd(NULL, 0);
    CHECK(here && atoi(here + strlen("/proc/")) == getpid());
    CHECK(strcmp(link_of("cwd"), here) == 0);
    CHECK(chdir("cwd/..") == 0 && strcmp(link_of("/proc/self/cwd"), "/proc") == 0);
    CHECK(strcmp(link_of("/proc/self/root"), "/") == 0);
    free(here);
    CHECK(chdir("/tmp") == 0);
    CHECK(readlink("/proc/self/stat", text, 10) < 0 && errno == EINVAL);
    CHECK(open("/proc/self/missing", O_RDONLY) < 0 && errno == ENOENT);
    CHECK(open("/proc/999999999", O_RDONLY) < 0 && errno == ENOENT);
    CHECK(open("/proc/01", O_RDONLY) < 0 && errno == ENOENT);
}

static void descriptors(void) {
    int before = entries_of("/proc/self/fd"), ends[2];
    char path[64];
    CHECK(before >= 3 && pipe(ends) == 0);
    CHECK(entries_of("/proc/self/fd") == before + 2);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    CHECK(strncmp(link_of(path), "pipe:[", 6) == 0);
    close(ends[0]);
    close(ends[1]);
    CHECK(readlink(path, text, 10) < 0 && errno == ENOENT);
    // Another end of a pipe.
    CHECK(pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
    snprintf(path, sizeof path, "/proc/self/fd/%d", ends[0]);
    int again = open(path, O_RDONLY);
    CHECK(again >= 0 && close(ends[0]) == 0 && read(again, text, 10) == 1 && text[0] == 'x');
    CHECK(close(ends[1]) == 0 && read(again, text, 10) == 0 && close(again) == 0);
    // The link leads to the file, though it has no name any more.
    int fd = open("unnamed", O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && write(fd, "abc", 3) == 3 && unlink("unnamed") == 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    CHECK(read_file(path) == 3 && strcmp(text, "abc") == 0);
    struct stat one, other;
    CHECK(stat(path, &one) == 0 && fstat(fd, &other) == 0 && one.st_ino == other.st_ino);
    close(fd);
}

static void *sleep_long(void *ends) {
    char byte;
    prctl(PR_SET_NAME, "second");
    CHECK(read(((int *)ends)[0], &byte, 1) == 1);
    return NULL;
}

static void threads(void) {
    int ends[2];
    pthread_t thread;
    CHECK(entries_of("/proc/self/task") == 1);
    CHECK(pipe(ends) == 0 && pthread_create(&thread, NULL, sleep_long, ends) == 0);
    CHECK(entries_of("/proc/self/task") == 2);
    CHECK(read_file("/proc/self/status") > 0 && line_of("Threads") == 2);
    CHECK(strncmp(link_of("/proc/thread-self"), "", 0) == 0 && strstr(text, "/task/"));
    int named = 0;
    while (!named) {
        DIR *folder = opendir("/proc/self/task");
        for (struct dirent *entry; (entry = readdir(folder));) {
            char path[300];
            snprintf(path, sizeof path, "/proc/self/task/%s/comm", entry->d_name);
            if (entry->d_name[0] != '.' && read_file(path) > 0) named |= !strcmp(text, "second\n");
        }
        closedir(folder);
    }
    CHECK(write(ends[1], "", 1) == 1 && pthread_join(thread, NULL) == 0);
    close(ends[0]);
    close(ends[1]);
}

static void texts(char **arguments) {
    char comm[32], state;
    int pid, parent, group, session;
    CHECK(prctl(PR_SET_NAME, "a) b (c") == 0);
    CHECK(read_file("/proc/self/comm") == 8 && strcmp(text, "a) b (c\n") == 0);
    CHECK(read_file("/proc/self/stat") > 0);
    CHECK(sscanf(text, "%d (a) b (c) %c %d %d %d", &pid, &state, &parent, &group, &session) == 5);
    CHECK(pid == getpid() && state == 'R' && parent == getppid());
    CHECK(group == getpgrp() && session == getsid(0));
    int fields = 2;
    for (char *at = strrchr(text, ')'); (at = strchr(at + 1, ' '));) fields++;
    CHECK(fields == 52);
    int fd = open("/proc/self/comm", O_WRONLY | O_TRUNC);
    CHECK(fd >= 0 && write(fd, "renamed", 7) == 7 && close(fd) == 0);
    CHECK(prctl(PR_GET_NAME, comm) == 0 && strcmp(comm, "renamed") == 0);
    // Read again from the beginning, it is told anew.
    fd = open("/proc/self/comm", O_RDONLY);
    CHECK(read(fd, comm, 32) == 8 && prctl(PR_SET_NAME, "anew") == 0 && read(fd, comm, 32) == 0);
    CHECK(pread(fd, comm, 32, 0) == 5 && memcmp(comm, "anew\n", 5) == 0);
    CHECK(prctl(PR_SET_NAME, "renamed") == 0 && lseek(fd, 0, SEEK_SET) == 0);
    CHECK(read(fd, comm, 32) == 8 && close(fd) == 0);
    CHECK(read_file("/proc/self/cmdline") == (ssize_t)strlen(arguments[0]) + 1);
    CHECK(strcmp(text, arguments[0]) == 0);
    CHECK(read_file("/proc/self/status") > 0 && strncmp(text, "Name:\trenamed\n", 14) == 0);
    CHECK(line_of("\nPid") == getpid() && line_of("PPid") == getppid() && line_of("VmSize") > 0);
    CHECK(read_file("/proc/self/statm") > 0 && atol(text) > 10);
    struct utsname names;
    CHECK(uname(&names) == 0 && read_file("/proc/sys/kernel/osrelease") > 0);
    CHECK(strncmp(text, names.release, strlen(names.release)) == 0);
    CHECK(read_file("/proc/meminfo") > 0 && line_of("MemTotal") > line_of("MemFree"));
    CHECK(read_file("/proc/uptime") > 0 && atof(text) > 0);
    CHECK(read_file("/proc/loadavg") > 0 && strchr(text, '/'));
    CHECK(read_file("/proc/version") > 0 && strncmp(text, "Linux version ", 14) == 0);
    CHECK(read_file("/proc/cpuinfo") > 0 && strstr(text, "processor\t: 0"));
    CHECK(read_file("/proc/sys/kernel/random/uuid") == 37);
    CHECK(mkdir("/proc/made", 0700) < 0);
}

static void devices(void) {
    static unsigned char bytes[2][1000];
    for (int i = 0; i < 2; i++) {
        int fd = open(i ? "/dev/random" : "/dev/urandom", O_RDWR);
        CHECK(fd >= 0 && read(fd, bytes[i], 1000) == 1000 && write(fd, "seed", 4) == 4);
        CHECK(bytes[i][997] | bytes[i][998] | bytes[i][999]);
        close(fd);
    }
    CHECK(memcmp(bytes[0], bytes[1], 1000) != 0);
    int fd = shm_open("/proc_test", O_RDWR | O_CREAT | O_EXCL, 0600);
    CHECK(fd >= 0 && ftruncate(fd, 4096) == 0);
    char *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(shared != MAP_FAILED && close(fd) == 0);
    if (fork() == 0) _exit(shared[5] = 7);
    CHECK(wait(NULL) > 0 && shared[5] == 7);
    CHECK(shm_unlink("/proc_test") == 0 && shm_unlink("/proc_test") < 0 && errno == ENOENT);
}

// The region that holds an address: its rights, and its name.
static int region_of(const void *address, char rights[5], char *name) {
    CHECK(read_file("/proc/self/maps") > 0);
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        uintptr_t start, end;
        name[0] = 0;
        CHECK(sscanf(line, "%lx-%lx %4s %*x %*x:%*x %*d %255s", &start, &end, rights, name) >= 3);
        if ((uintptr_t)address >= start && (uintptr_t)address < end) return 1;
    }
    return 0;
}

static void regions(void) {
    char rights[5], name[256], program[256];
    snprintf(program, sizeof program, "%s", link_of("/proc/self/exe"));
    CHECK(region_of((void *)regions, rights, name));
    CHECK(strcmp(rights, "r-xp") == 0 && strcmp(name, program) == 0);
    CHECK(region_of(rights, rights, name) && strcmp(name, "[stack]") == 0);
    CHECK(strcmp(rights, "rw-p") == 0);
    CHECK(region_of(sbrk(0) - 1, rights, name) && strcmp(name, "[heap]") == 0);
}

static void ended(void) {
    char path[64];
    siginfo_t info;
    pid_t child = fork();
    if (child == 0) _exit(0);
    CHECK(waitid(P_PID, child, &info, WEXITED | WNOWAIT) == 0);
    snprintf(path, sizeof path, "/proc/%d/stat", child);
    CHECK(read_file(path) > 0 && strstr(text, ") Z "));
    snprintf(path, sizeof path, "/proc/%d/maps", child);
    CHECK(read_file(path) == 0);
    int folder = open("/proc", O_RDONLY | O_DIRECTORY);
    snprintf(path, sizeof path, "%d", child);
    int fd = openat(folder, path, O_RDONLY | O_DIRECTORY);
    CHECK(fd >= 0 && waitpid(child, NULL, 0) == child);
    CHECK(openat(fd, "stat", O_RDONLY) < 0);
    CHECK(openat(folder, path, O_RDONLY) < 0 && errno == ENOENT);
    close(fd);
    close(folder);
}

// The CPUs below /sys, and descriptors below /dev.
static void cpus_and_names(void) {
    long cpus = sysconf(_SC_NPROCESSORS_CONF);
    char path[64], expected[32];
    snprintf(expected, sizeof expected, cpus == 1 ? "0\n" : "0-%ld\n", cpus - 1);
    CHECK(read_file("/sys/devices/system/cpu/possible") > 0 && strcmp(text, expected) == 0);
    CHECK(read_file("/sys/devices/system/cpu/online") > 0);
    struct stat status;
    for (long cpu = 0; cpu <= cpus; cpu++) {
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%ld", cpu);
        CHECK(stat(path, &status) == (cpu < cpus ? 0 : -1));
    }
    CHECK(stat("/sys/devices/system/cpu/cpu00", &status) == -1 && errno == ENOENT);
    CHECK(stat("/sys/devices/system/cpu/0", &status) == -1 && errno == ENOENT);
    int ends[2];
    CHECK(pipe(ends) == 0 && write(ends[1], "x", 1) == 1);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[0]);
    int again = open(path, O_RDONLY);
    CHECK(again >= 0 && read(again, text, 10) == 1 && text[0] == 'x');
    close(again), close(ends[0]), close(ends[1]);
    CHECK(strcmp(link_of("/dev/stdin"), "/proc/self/fd/0") == 0);
    CHECK(strcmp(link_of("/dev/stderr"), "/proc/self/fd/2") == 0);
}

int main(int count, char **arguments) {
    (void)count;
    CHECK(sbrk(4096) != (void *)-1);
    CHECK(chdir("/tmp") == 0);
    links();
    descriptors();
    threads();
    texts(arguments);
    regions();
    ended();
    devices();
    cpus_and_names();
    return failures != 0;
}
