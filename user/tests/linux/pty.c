// Pseudo-terminals: pairs, the line discipline between their ends, hang-ups, and job
// control in sessions of their own.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "check.h"

#define FAILS(call, error) CHECK((call) == -1 && errno == (error))

struct pair {
    int master, slave;
};

static void make_raw(int fd) {
    struct termios modes;
    CHECK(tcgetattr(fd, &modes) == 0);
    cfmakeraw(&modes);
    CHECK(tcsetattr(fd, TCSANOW, &modes) == 0);
}

static struct pair make(void) {
    struct pair pair;
    CHECK(openpty(&pair.master, &pair.slave, NULL, NULL, NULL) == 0);
    return pair;
}

static void finish(struct pair pair) { close(pair.slave), close(pair.master); }

// Whether exactly `text` comes out of `fd`, in as many reads as it takes.
static int gives(int fd, const char *text) {
    char got[512];
    size_t done = 0, length = strlen(text);
    while (done < length) {
        ssize_t count = read(fd, got + done, length - done);
        if (count <= 0) break;
        done += count;
    }
    if (done == length && memcmp(got, text, length) == 0) return 1;
    printf("got `%.*s`\n", (int)done, got);
    return 0;
}

static void put(int fd, const char *text) {
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

// Waits until so many bytes can be read: they may be on their way.
static void await(int fd, int wanted) {
    for (int count = 0; count < wanted; sched_yield())
        if (ioctl(fd, FIONREAD, &count) != 0) return;
}

// Waits until there is something to read.
static int readable(int fd) {
    struct pollfd look = {.fd = fd, .events = POLLIN};
    return poll(&look, 1, -1) == 1 && look.revents == POLLIN;
}

static int conditions(int fd) {
    struct pollfd look = {.fd = fd, .events = POLLIN | POLLOUT};
    CHECK(poll(&look, 1, 0) >= 0);
    return look.revents;
}

static int is_open(const char *name) { return access(name, F_OK) == 0; }

static void test_names(void) {
    char name[64], other[64];
    struct stat status;
    int number, locked;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    CHECK(master >= 0 && ptsname_r(master, name, sizeof name) == 0);
    CHECK(ioctl(master, TIOCGPTN, &number) == 0 && atoi(name + 9) == number);
    CHECK(strncmp(name, "/dev/pts/", 9) == 0 && stat(name, &status) == 0);
    CHECK(S_ISCHR(status.st_mode) && status.st_uid == geteuid());
    CHECK(status.st_rdev == (dev_t)(136 << 8 | (number & 0xff)) || number > 255);
    CHECK(ioctl(master, TIOCGPTLCK, &locked) == 0 && locked == 1);
    FAILS(open(name, O_RDWR | O_NOCTTY), EIO);
    FAILS(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY), EIO);
    CHECK(grantpt(master) == 0 && unlockpt(master) == 0);
    CHECK(ioctl(master, TIOCGPTLCK, &locked) == 0 && locked == 0);
    int slave = open(name, O_RDWR | O_NOCTTY);
    CHECK(slave >= 0 && isatty(slave) && isatty(master));
    CHECK(ttyname_r(slave, other, sizeof other) == 0 && strcmp(name, other) == 0);
    CHECK((fcntl(slave, F_GETFL) & (O_ACCMODE | O_NOCTTY)) == O_RDWR);
    int peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(peer >= 0 && fcntl(peer, F_GETFD) == FD_CLOEXEC);
    FAILS(ioctl(slave, TIOCGPTPEER, O_RDWR), EIO);
    FAILS(ioctl(slave, TIOCGPTN, &number), ENOTTY);
    put(peer, "to the master");
    CHECK(gives(master, "to the master"));
    put(master, "to the slave\n");
    CHECK(gives(slave, "to the slave\n"));
    CHECK(gives(master, "to the slave\r\n"));
    CHECK(chmod(name, 0644) == 0 && fstat(slave, &status) == 0);
    CHECK((status.st_mode & 0777) == 0644);
    FAILS(open("/dev/pts/new", O_RDWR | O_CREAT, 0600), errno);
    FAILS(unlink(name), EPERM);
    FAILS(mkdir("/dev/pts/x", 0700), errno);
    FAILS(lseek(master, 0, SEEK_SET), ESPIPE);
    FAILS(pread(slave, other, 1, 0), ESPIPE);
    int found = 0;
    DIR *folder = opendir("/dev/pts");
    for (struct dirent *entry; (entry = readdir(folder));)
        found |= strcmp(entry->d_name, name + 9) == 0 && entry->d_type == DT_CHR;
    closedir(folder);
    CHECK(found);
    close(peer), close(master);
    CHECK(!is_open(name));
    FAILS(open(name, O_RDWR), ENOENT);
    close(slave);
}

static void test_lines(void) {
    struct pair pair = make();
    char bytes[64];
    // Nothing can be read of a line that is not finished, and it can be edited.
    put(pair.master, "abx\177c d\027e");
    CHECK(conditions(pair.slave) == POLLOUT);
    put(pair.master, "\r");
    CHECK(readable(pair.slave) && conditions(pair.slave) == (POLLIN | POLLOUT));
    CHECK(gives(pair.master, "abx\b \bc d\b \be\r\n"));
    CHECK(read(pair.slave, bytes, sizeof bytes) == 6 && memcmp(bytes, "abc e\n", 6) == 0);
    // Two lines are two reads; one that is too short goes on.
    put(pair.master, "one\ntwo\n");
    CHECK(read(pair.slave, bytes, sizeof bytes) == 4);
    CHECK(read(pair.slave, bytes, 2) == 2 && read(pair.slave, bytes, 64) == 2);
    // The end of the file, behind bytes and alone.
    put(pair.master, "end\004\004");
    CHECK(read(pair.slave, bytes, sizeof bytes) == 3);
    CHECK(readable(pair.slave));
    CHECK(read(pair.slave, bytes, sizeof bytes) == 0);
    CHECK(conditions(pair.slave) == POLLOUT);
    CHECK(gives(pair.master, "one\r\ntwo\r\nend"));
    int count;
    put(pair.slave, "x\ny\n");
    CHECK(gives(pair.master, "x\r\ny\r\n"));
    // Without a discipline every byte goes as it is.
    make_raw(pair.slave);
    put(pair.master, "\003\r\n\032");
    await(pair.slave, 4);
    CHECK(ioctl(pair.slave, FIONREAD, &count) == 0 && count == 4);
    CHECK(gives(pair.slave, "\003\r\n\032"));
    CHECK(conditions(pair.master) == POLLOUT);
    put(pair.slave, "a\nb");
    CHECK(gives(pair.master, "a\nb"));
    CHECK(ioctl(pair.slave, TIOCOUTQ, &count) == 0 && count == 0);
    CHECK(tcdrain(pair.slave) == 0);
    // What was typed can be thrown away.
    put(pair.master, "typed");
    await(pair.slave, 5);
    CHECK(tcflush(pair.slave, TCIFLUSH) == 0 && conditions(pair.slave) == POLLOUT);
    FAILS(tcflush(pair.slave, 17), EINVAL);
    // The master has no modes of its own.
    struct termios modes;
    CHECK(tcgetattr(pair.master, &modes) == 0 && !(modes.c_lflag & ICANON));
    modes.c_cc[VMIN] = 3, modes.c_cc[VTIME] = 0;
    CHECK(tcsetattr(pair.master, TCSANOW, &modes) == 0);
    put(pair.master, "xy");
    await(pair.slave, 2);
    CHECK(!(conditions(pair.slave) & POLLIN));
    put(pair.master, "z");
    CHECK(readable(pair.slave) && gives(pair.slave, "xyz"));
    modes.c_cc[VMIN] = 0;
    CHECK(tcsetattr(pair.slave, TCSANOW, &modes) == 0);
    CHECK(read(pair.slave, bytes, 1) == 0);
    CHECK(fcntl(pair.slave, F_SETFL, O_NONBLOCK) == 0 && read(pair.slave, bytes, 1) == 0);
    modes.c_cc[VMIN] = 2;
    CHECK(tcsetattr(pair.slave, TCSANOW, &modes) == 0);
    FAILS(read(pair.slave, bytes, 2), EAGAIN);
    put(pair.master, "q");
    await(pair.slave, 1);
    CHECK(read(pair.slave, bytes, 2) == 1);
    finish(pair);
}

static void test_size(void) {
    struct pair pair = make();
    struct winsize size = {.ws_row = 24, .ws_col = 80}, got;
    CHECK(ioctl(pair.slave, TIOCGWINSZ, &got) == 0 && got.ws_row == 0 && got.ws_col == 0);
    CHECK(ioctl(pair.master, TIOCSWINSZ, &size) == 0);
    CHECK(ioctl(pair.slave, TIOCGWINSZ, &got) == 0 && got.ws_row == 24 && got.ws_col == 80);
    FAILS(ioctl(pair.slave, TIOCGWINSZ, NULL), EFAULT);
    finish(pair);
}

static void test_close_of_the_slave(void) {
    struct pair pair = make();
    char name[64], byte;
    CHECK(ptsname_r(pair.master, name, sizeof name) == 0);
    int second = dup(pair.slave);
    put(pair.slave, "last");
    close(pair.slave);
    CHECK(readable(pair.master));
    close(second);
    CHECK(conditions(pair.master) & POLLHUP);
    CHECK(gives(pair.master, "last"));
    FAILS(read(pair.master, &byte, 1), EIO);
    // It can be opened again.
    pair.slave = open(name, O_RDWR | O_NOCTTY);
    CHECK(pair.slave >= 0 && conditions(pair.master) == POLLOUT);
    put(pair.slave, "again");
    CHECK(gives(pair.master, "again"));
    CHECK(fcntl(pair.master, F_SETFL, O_NONBLOCK) == 0);
    FAILS(read(pair.master, &byte, 1), EAGAIN);
    finish(pair);
}

static void test_close_of_the_master(void) {
    struct pair pair = make();
    char byte;
    int pgrp;
    put(pair.master, "lost\n");
    close(pair.master);
    CHECK(read(pair.slave, &byte, 1) == 0);
    FAILS(write(pair.slave, "x", 1), EIO);
    CHECK(conditions(pair.slave) == (POLLIN | POLLOUT | POLLERR | POLLHUP));
    struct termios modes;
    FAILS(tcgetattr(pair.slave, &modes), EIO);
    FAILS(ioctl(pair.slave, TIOCSPGRP, &pgrp), ENOTTY);
    close(pair.slave);
}

static void *read_one(void *fd) {
    char byte;
    ssize_t count = read((int)(long)fd, &byte, 1);
    return (void *)(long)(count == -1 ? -errno : count);
}

// Those who wait at one end are told when the other goes. (They may as well find
// it gone: it is the same to them.)
static void test_waiters(void) {
    for (int round = 0; round < 50; round++) {
        struct pair pair = make();
        pthread_t thread;
        void *result;
        CHECK(pthread_create(&thread, NULL, read_one, (void *)(long)pair.slave) == 0);
        if (round % 2) sched_yield();
        close(pair.master);
        CHECK(pthread_join(thread, &result) == 0 && ((long)result == 0 || (long)result == -EIO));
        close(pair.slave);
        pair = make();
        CHECK(pthread_create(&thread, NULL, read_one, (void *)(long)pair.master) == 0);
        if (round % 2) sched_yield();
        close(pair.slave);
        CHECK(pthread_join(thread, &result) == 0 && (long)result == -EIO);
        close(pair.master);
    }
}

enum { AMOUNT = 300000 };

static void *write_much(void *fd) {
    static unsigned char bytes[1000];
    for (int at = 0; at < AMOUNT;) {
        for (int i = 0; i < 1000; i++) bytes[i] = (at + i) % 251;
        ssize_t count = write((int)(long)fd, bytes, 1000);
        if (count <= 0) return "a write failed";
        at += count;
    }
    return NULL;
}

// Much goes through either way, and nothing is lost.
static void test_much(int from_master) {
    struct pair pair = make();
    make_raw(pair.slave);
    int writer = from_master ? pair.master : pair.slave;
    int reader = from_master ? pair.slave : pair.master;
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, write_much, (void *)(long)writer) == 0);
    int wrong = 0;
    for (int at = 0; at < AMOUNT;) {
        unsigned char bytes[777];
        ssize_t count = read(reader, bytes, sizeof bytes);
        if (count <= 0) break;
        for (int i = 0; i < count; i++) wrong += bytes[i] != (at + i) % 251;
        at += count;
        if (at >= AMOUNT) CHECK(at == AMOUNT);
    }
    void *result;
    CHECK(wrong == 0 && pthread_join(thread, &result) == 0 && result == NULL);
    finish(pair);
}

// What is full takes no more, and all that it took comes out.
static void test_full(int from_master) {
    struct pair pair = make();
    make_raw(pair.slave);
    int writer = from_master ? pair.master : pair.slave;
    int reader = from_master ? pair.slave : pair.master;
    CHECK(fcntl(writer, F_SETFL, O_NONBLOCK) == 0 && fcntl(reader, F_SETFL, O_NONBLOCK) == 0);
    long written = 0, got = 0;
    char bytes[100];
    memset(bytes, 'x', sizeof bytes);
    for (int failed = 0; failed < 100;) {
        ssize_t count = write(writer, bytes, sizeof bytes);
        if (count > 0) written += count, failed = 0;
        if (count > 0) continue;
        CHECK(count == -1 && errno == EAGAIN);
        failed++, sched_yield();
    }
    CHECK(written >= 4000 && !(conditions(writer) & POLLOUT));
    CHECK(fcntl(reader, F_SETFL, 0) == 0);
    while (got < written) {
        ssize_t count = read(reader, bytes, sizeof bytes);
        if (count <= 0) break;
        got += count;
    }
    CHECK(got == written);
    finish(pair);
}

// One who only writes to the master is not held up by what is echoed to it, and a
// line that is too long still ends.
static void test_endless_line(void) {
    struct pair pair = make();
    char line[6000];
    memset(line, 'l', sizeof line);
    CHECK(write(pair.master, line, sizeof line) == sizeof line);
    put(pair.master, "\n");
    CHECK(read(pair.slave, line, sizeof line) == 4096 && line[4095] == '\n');
    finish(pair);
}

static void test_epoll(void) {
    struct pair pair = make();
    make_raw(pair.slave);
    int watch = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u32 = 1}, got;
    CHECK(epoll_ctl(watch, EPOLL_CTL_ADD, pair.master, &event) == 0);
    event.data.u32 = 2;
    CHECK(epoll_ctl(watch, EPOLL_CTL_ADD, pair.slave, &event) == 0);
    CHECK(epoll_wait(watch, &got, 1, 0) == 0);
    put(pair.slave, "out");
    CHECK(epoll_wait(watch, &got, 1, -1) == 1 && got.data.u32 == 1 && got.events == EPOLLIN);
    CHECK(gives(pair.master, "out") && epoll_wait(watch, &got, 1, 0) == 0);
    put(pair.master, "in");
    CHECK(epoll_wait(watch, &got, 1, -1) == 1 && got.data.u32 == 2 && got.events == EPOLLIN);
    close(pair.master);
    CHECK(epoll_wait(watch, &got, 1, -1) == 1 && got.data.u32 == 2 && got.events & EPOLLHUP);
    close(pair.slave);
    pair = make();
    event.data.u32 = 3;
    CHECK(epoll_ctl(watch, EPOLL_CTL_ADD, pair.master, &event) == 0);
    CHECK(epoll_wait(watch, &got, 1, 0) == 0);
    close(pair.slave);
    CHECK(epoll_wait(watch, &got, 1, -1) == 1 && got.data.u32 == 3 && got.events & EPOLLHUP);
    close(pair.master), close(watch);
}

// Many at once, each with its own name, and numbers are used again.
static void test_many(void) {
    enum { MANY = 100 };
    struct pair pairs[MANY];
    int first = -1, number;
    for (int i = 0; i < MANY; i++) {
        pairs[i] = make();
        make_raw(pairs[i].slave);
        CHECK(ioctl(pairs[i].master, TIOCGPTN, &number) == 0);
        if (i == 0) first = number;
    }
    for (int i = 0; i < MANY; i++) {
        char text[16];
        snprintf(text, sizeof text, "pair %d", i);
        put(pairs[i].slave, text), put(pairs[i].master, text);
    }
    for (int i = MANY - 1; i >= 0; i--) {
        char text[16];
        snprintf(text, sizeof text, "pair %d", i);
        CHECK(gives(pairs[i].master, text) && gives(pairs[i].slave, text));
        finish(pairs[i]);
    }
    struct pair pair = make();
    CHECK(ioctl(pair.master, TIOCGPTN, &number) == 0 && number == first);
    // While a slave is open its number stays taken.
    close(pair.master);
    struct pair other = make();
    int next;
    CHECK(ioctl(other.master, TIOCGPTN, &next) == 0 && next != number);
    finish(other), close(pair.slave);
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    test_names();
    test_lines();
    test_size();
    test_close_of_the_slave();
    test_close_of_the_master();
    test_waiters();
    test_much(0), test_much(1);
    test_full(0), test_full(1);
    test_endless_line();
    test_epoll();
    test_many();
    return failures != 0;
}
