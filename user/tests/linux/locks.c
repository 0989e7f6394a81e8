// Locks on files, of processes, of open files and on whole files, as a Linux
// program sees them.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define FAILS(call, error) CHECK((call) == -1 && errno == (error))

static const char *const name = "locked-file";

static int lock(int fd, int command, int type, off_t start, off_t length) {
    struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = length};
    return fcntl(fd, command, &lock);
}

// What is in the way of a lock: its type, and the rest in `found`.
static int get(int fd, int command, int type, off_t start, off_t length, struct flock *found) {
    *found = (struct flock){.l_type = type, .l_start = start, .l_len = length};
    CHECK(fcntl(fd, command, found) == 0);
    return found->l_type;
}

// What `act` gives, 0 to 255, in a child that has the file open anew.
static int in_child(int (*act)(int fd)) {
    int status;
    pid_t child = fork();
    if (child == 0) _exit(act(open(name, O_RDWR)));
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

// The bytes of the first 32 that are in the way of a shared (bit 0) or an
// exclusive lock (bit 1), told through a pipe.
static int report;
static int look(int fd) {
    char map[33] = "";
    struct flock found;
    for (int at = 0; at < 32; at++) {
        int read = get(fd, F_GETLK, F_RDLCK, at, 1, &found) != F_UNLCK;
        int write = get(fd, F_GETLK, F_WRLCK, at, 1, &found) != F_UNLCK;
        map[at] = read ? 'w' : write ? 'r' : '.';
    }
    return write(report, map, 32) != 32;
}

static void check_map(int line, const char *expected) {
    int ends[2];
    char map[33] = "";
    CHECK(pipe(ends) == 0);
    report = ends[1];
    CHECK(in_child(look) == 0 && read(ends[0], map, 32) == 32);
    if (strncmp(map, expected, strlen(expected)) != 0) {
        printf("line %d: %s, not %s\n", line, map, expected);
        failures++;
    }
    close(ends[0]), close(ends[1]);
}
#define MAP(expected) check_map(__LINE__, expected)

static void test_ranges(int fd) {
    struct flock found;
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0);
    MAP("wwwwwwwwww......");
    CHECK(lock(fd, F_SETLK, F_RDLCK, 3, 4) == 0);
    MAP("wwwrrrrwww......");
    CHECK(lock(fd, F_SETLK, F_UNLCK, 4, 1) == 0);
    MAP("wwwr.rrwww......");
    CHECK(lock(fd, F_SETLK, F_WRLCK, 2, 20) == 0);
    MAP("wwwwwwwwwwwwwwwwwwwwww....");
    // From the end, from the place, and backwards.
    CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0 && ftruncate(fd, 16) == 0);
    struct flock end = {.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -1, .l_len = 0};
    CHECK(fcntl(fd, F_SETLK, &end) == 0);
    MAP("...............wwwwwwwwwwwwwwwww");
    end = (struct flock){.l_type = F_UNLCK, .l_whence = SEEK_END, .l_start = 8, .l_len = -3};
    CHECK(fcntl(fd, F_SETLK, &end) == 0 && lseek(fd, 5, SEEK_SET) == 5);
    MAP("...............wwwwww...wwwwwwww");
    struct flock here = {.l_type = F_RDLCK, .l_whence = SEEK_CUR, .l_start = -1, .l_len = 2};
    CHECK(fcntl(fd, F_SETLK, &here) == 0);
    MAP("....rr.........wwwwww...wwwwwwww");
    // One's own locks are in nobody's way of one's own.
    CHECK(get(fd, F_GETLK, F_WRLCK, 0, 0, &found) == F_UNLCK && found.l_start == 0);
    CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
    MAP("................................");
}

static int find_whole(int fd) {
    struct flock found;
    return !(get(fd, F_GETLK, F_WRLCK, 0, 0, &found) == F_WRLCK && found.l_pid == getppid() &&
             found.l_start == 7 && found.l_len == 0 && found.l_whence == SEEK_SET);
}

static int try_shared(int fd) { return lock(fd, F_SETLK, F_RDLCK, 0, 0) == 0 ? 0 : errno; }
static int try_exclusive(int fd) { return lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0 ? 0 : errno; }

static void test_errors(int fd) {
    int reads = open(name, O_RDONLY), writes = open(name, O_WRONLY);
    FAILS(lock(reads, F_SETLK, F_WRLCK, 0, 1), EBADF);
    FAILS(lock(writes, F_SETLK, F_RDLCK, 0, 1), EBADF);
    FAILS(lock(reads, F_OFD_SETLK, F_WRLCK, 0, 1), EBADF);
    CHECK(lock(reads, F_SETLK, F_UNLCK, 0, 1) == 0);
    FAILS(lock(999, F_SETLK, F_RDLCK, 0, 1), EBADF);
    FAILS(lock(fd, F_SETLK, 7, 0, 1), EINVAL);
    FAILS(lock(fd, F_GETLK, F_UNLCK, 0, 1), EINVAL);
    FAILS(lock(fd, F_SETLK, F_RDLCK, -1, 1), EINVAL);
    FAILS(lock(fd, F_SETLK, F_RDLCK, 3, -4), EINVAL);
    FAILS(lock(fd, F_SETLK, F_RDLCK, INT64_MAX, 2), EOVERFLOW);
    CHECK(lock(fd, F_SETLK, F_RDLCK, INT64_MAX, 1) == 0 && lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
    struct flock odd = {.l_type = F_RDLCK, .l_whence = 5};
    FAILS(fcntl(fd, F_SETLK, &odd), EINVAL);
    odd = (struct flock){.l_type = F_RDLCK, .l_whence = SEEK_END, .l_start = INT64_MAX};
    FAILS(fcntl(fd, F_SETLK, &odd), EOVERFLOW);
    odd = (struct flock){.l_type = F_RDLCK, .l_pid = 1};
    FAILS(fcntl(fd, F_OFD_SETLK, &odd), EINVAL);
    FAILS(fcntl(fd, F_OFD_GETLK, &odd), EINVAL);
    FAILS(fcntl(fd, F_SETLK, (void *)8), EFAULT);
    FAILS(flock(fd, 0), EINVAL);
    FAILS(flock(fd, LOCK_SH | LOCK_EX), EINVAL);
    FAILS(flock(999, LOCK_SH), EBADF);
    close(reads), close(writes);
}

// A process has its locks until it closes the file, whichever way.
static void test_lifetime(void) {
    int fd = open(name, O_RDWR), other = open(name, O_RDWR);
    CHECK(lock(fd, F_SETLK, F_WRLCK, 7, 0) == 0 && in_child(find_whole) == 0);
    CHECK(in_child(try_exclusive) == EAGAIN && in_child(try_shared) == EAGAIN);
    close(other);
    CHECK(in_child(try_exclusive) == 0);
    CHECK(lock(fd, F_SETLK, F_RDLCK, 7, 0) == 0);
    CHECK(in_child(try_exclusive) == EAGAIN && in_child(try_shared) == 0);
    int copy = dup(fd);
    CHECK(dup2(0, copy) == copy && in_child(try_exclusive) == 0);
    close(copy), close(fd);
    // A child's end lets go of its own, and of nobody else's.
    fd = open(name, O_RDWR);
    CHECK(lock(fd, F_SETLK, F_RDLCK, 0, 0) == 0 && in_child(try_shared) == 0);
    CHECK(in_child(try_exclusive) == EAGAIN);
    close(fd);
}

// The next program has them still, but for files that it does not get.
static int run_next(const char *self, int flags) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        int fd = open(name, O_RDWR | flags);
        if (lock(fd, F_SETLK, F_WRLCK, 0, 0) != 0) _exit(3);
        execl(self, self, "next", (char *)NULL);
        _exit(4);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int owner;
static int other_owner(int fd) {
    if (lock(fd, F_OFD_SETLK, F_WRLCK, 0, 0) == 0 || errno != EAGAIN) return 1;
    struct flock found;
    if (get(fd, F_GETLK, F_RDLCK, 0, 0, &found) != F_WRLCK || found.l_pid != -1) return 2;
    // What the parent's open file has, the child has by it.
    return lock(owner, F_OFD_SETLK, F_UNLCK, 0, 5) != 0;
}

static void test_open_files(void) {
    struct flock found;
    int one = open(name, O_RDWR), two = open(name, O_RDWR);
    CHECK(lock(one, F_OFD_SETLK, F_WRLCK, 0, 10) == 0);
    FAILS(lock(two, F_OFD_SETLK, F_RDLCK, 9, 1), EAGAIN);
    FAILS(lock(two, F_SETLK, F_RDLCK, 9, 1), EAGAIN);
    CHECK(get(two, F_OFD_GETLK, F_RDLCK, 3, 0, &found) == F_WRLCK);
    CHECK(found.l_pid == -1 && found.l_start == 0 && found.l_len == 10);
    owner = one;
    CHECK(in_child(other_owner) == 0);
    CHECK(get(two, F_OFD_GETLK, F_RDLCK, 3, 0, &found) == F_WRLCK && found.l_start == 5);
    // Another descriptor keeps it, another open file's end does not matter.
    int copy = dup(one);
    close(one), close(two);
    two = open(name, O_RDWR);
    FAILS(lock(two, F_OFD_SETLK, F_WRLCK, 0, 0), EAGAIN);
    close(copy);
    CHECK(lock(two, F_OFD_SETLKW, F_WRLCK, 0, 0) == 0);
    close(two);
}

static int flock_shared(int fd) { return flock(fd, LOCK_SH | LOCK_NB) == 0 ? 0 : errno; }
static int flock_exclusive(int fd) { return flock(fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno; }

static void test_whole(void) {
    int one = open(name, O_RDONLY), two = open(name, O_RDONLY);
    CHECK(flock(one, LOCK_SH) == 0 && flock(two, LOCK_SH) == 0 && flock(one, LOCK_SH) == 0);
    FAILS(flock(two, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    // In vain, and what it had is gone.
    CHECK(flock(one, LOCK_EX | LOCK_NB) == 0);
    CHECK(in_child(flock_shared) == EWOULDBLOCK);
    CHECK(flock(one, LOCK_SH) == 0 && in_child(flock_shared) == 0);
    CHECK(in_child(flock_exclusive) == EWOULDBLOCK);
    // They know nothing of locks on bytes.
    int writer = open(name, O_RDWR);
    CHECK(lock(writer, F_OFD_SETLK, F_WRLCK, 0, 0) == 0);
    close(writer);
    int copy = dup(one);
    close(one);
    CHECK(in_child(flock_exclusive) == EWOULDBLOCK);
    close(copy);
    CHECK(in_child(flock_exclusive) == 0);
    CHECK(flock(two, LOCK_UN) == 0 && flock(two, LOCK_UN) == 0);
    close(two);
}

static void note(int signal) { (void)signal; }

// A parent and its child each have a byte, and want the other's.
static void test_deadlock(int fd) {
    int ready[2], status;
    char byte = 0;
    CHECK(pipe(ready) == 0 && lock(fd, F_SETLK, F_WRLCK, 0, 1) == 0);
    pid_t child = fork();
    if (child == 0) {
        int own = open(name, O_RDWR);
        if (lock(own, F_SETLK, F_WRLCK, 1, 1) != 0 || write(ready[1], &byte, 1) != 1) _exit(9);
        int result = lock(own, F_SETLKW, F_WRLCK, 0, 1);
        _exit(result == 0 ? 1 : errno == EDEADLK ? 2 : 3);
    }
    CHECK(read(ready[0], &byte, 1) == 1);
    int mine = lock(fd, F_SETLKW, F_WRLCK, 1, 1);
    int told = mine == -1 && errno == EDEADLK;
    CHECK(mine == 0 || told);
    CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == (told ? 1 : 2));
    close(ready[0]), close(ready[1]);
}

// A wait ends by a signal, unless it is to go on, and then by the lock.
static void test_interruption(int fd, int command) {
    int status, ready[2], go_on = command < 0;
    char byte;
    if (go_on) command = -command;
    CHECK(pipe(ready) == 0);
    if (command == LOCK_EX) CHECK(flock(fd, LOCK_EX) == 0);
    else CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
    pid_t child = fork();
    if (child == 0) {
        struct sigaction action = {.sa_handler = note, .sa_flags = go_on ? SA_RESTART : 0};
        sigaction(SIGUSR1, &action, NULL);
        int own = open(name, O_RDWR);
        if (write(ready[1], "x", 1) != 1) _exit(9);
        int result = command == LOCK_EX ? flock(own, LOCK_EX) : lock(own, command, F_WRLCK, 0, 0);
        _exit(result == 0 ? 0 : errno);
    }
    CHECK(read(ready[0], &byte, 1) == 1);
    // Until it sleeps, a signal may come too early to interrupt anything.
    if (go_on) {
        for (int i = 0; i < 20; i++) kill(child, SIGUSR1), sched_yield();
        CHECK(command == LOCK_EX ? flock(fd, LOCK_UN) == 0 : lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    } else {
        while (waitpid(child, &status, WNOHANG) == 0) kill(child, SIGUSR1), sched_yield();
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == EINTR);
        CHECK(command == LOCK_EX ? flock(fd, LOCK_UN) == 0 : lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
    }
    close(ready[0]), close(ready[1]);
}

enum { THREADS = 4, ROUNDS = 200 };

// Each has an open file of its own, and so locks of its own.
static void *count(void *value) {
    int fd = open(name, O_RDWR);
    for (int i = 0; i < ROUNDS; i++) {
        CHECK(i % 2 ? flock(fd, LOCK_EX) == 0 : lock(fd, F_OFD_SETLKW, F_WRLCK, 3, 1) == 0);
        volatile int *counter = (int *)value + i % 2;
        int old = *counter;
        sched_yield();
        *counter = old + 1;
        CHECK(i % 2 ? flock(fd, LOCK_UN) == 0 : lock(fd, F_OFD_SETLK, F_UNLCK, 3, 1) == 0);
    }
    close(fd);
    return NULL;
}

static void test_threads(void) {
    pthread_t threads[THREADS];
    int values[2] = {0, 0};
    for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, count, values) == 0);
    for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(values[0] == THREADS * ROUNDS / 2 && values[1] == THREADS * ROUNDS / 2);
}

// `/proc/locks` has a line for it, that ends so.
static int listed(const char *kind, const char *end) {
    char line[200];
    FILE *file = fopen("/proc/locks", "r");
    int found = 0;
    while (file && fgets(line, sizeof line, file)) {
        size_t length = strlen(line), tail = strlen(end);
        found |= strstr(line, kind) && length > tail && strcmp(line + length - tail, end) == 0;
    }
    if (file) fclose(file);
    return found;
}

int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "next") == 0) {
        int free = in_child(try_exclusive) == 0;
        return free ? 1 : 0;
    }
    setvbuf(stdout, NULL, _IONBF, 0);
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0);
    test_ranges(fd);
    test_errors(fd);
    test_lifetime();
    CHECK(run_next(argv[0], 0) == 0 && run_next(argv[0], O_CLOEXEC) == 1);
    test_open_files();
    test_whole();
    test_deadlock(fd);
    test_interruption(fd, F_SETLKW);
    test_interruption(fd, F_OFD_SETLKW);
    test_interruption(fd, LOCK_EX);
    test_interruption(fd, -F_SETLKW);
    test_interruption(fd, -LOCK_EX);
    test_threads();
    CHECK(lock(fd, F_SETLK, F_WRLCK, 12345, 6) == 0);
    CHECK(listed("POSIX  ADVISORY  WRITE", " 12345 12350\n"));
    CHECK(flock(fd, LOCK_SH) == 0 && listed("FLOCK  ADVISORY  READ ", " 0 EOF\n"));
    close(fd);
    CHECK(!listed("POSIX ", " 12345 12350\n"));
    // A pipe has bytes to lock as well.
    int ends[2];
    CHECK(pipe(ends) == 0 && lock(ends[0], F_SETLK, F_RDLCK, 0, 0) == 0);
    CHECK(flock(ends[1], LOCK_EX) == 0);
    CHECK(unlink(name) == 0);
    printf("%s\n", failures ? "FAILED" : "passed");
    return failures != 0;
}
