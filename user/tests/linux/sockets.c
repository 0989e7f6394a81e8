// Sockets between programs of one machine, as a Linux program sees them. Exits
// with 0 if all is as unix(7) says; it does on Linux itself.
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static const int kinds[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};

static int ready(int fd, int events) {
    struct pollfd entry = {.fd = fd, .events = events};
    CHECK(poll(&entry, 1, 0) >= 0);
    return entry.revents;
}

static void pair(int kind, int ends[2]) {
    CHECK(socketpair(AF_UNIX, kind, 0, ends) == 0);
}

static void close_both(int ends[2]) {
    close(ends[0]), close(ends[1]);
}

static void pairs(void) {
    char buffer[64];
    for (int i = 0; i < 3; i++) {
        int ends[2], whole = kinds[i] != SOCK_STREAM;
        pair(kinds[i] | SOCK_CLOEXEC, ends);
        CHECK(fcntl(ends[1], F_GETFD) & FD_CLOEXEC);
        struct stat stat;
        CHECK(fstat(ends[0], &stat) == 0 && S_ISSOCK(stat.st_mode));
        CHECK(ready(ends[0], POLLIN | POLLOUT) == POLLOUT);
        CHECK(write(ends[0], "hello", 5) == 5 && send(ends[0], "you", 3, 0) == 3);
        CHECK(ready(ends[1], POLLIN | POLLOUT) == (POLLIN | POLLOUT));
        CHECK(recv(ends[1], buffer, 64, MSG_PEEK) == (whole ? 5 : 8));
        CHECK(read(ends[1], buffer, 2) == 2 && memcmp(buffer, "he", 2) == 0);
        // What was left of a message is gone.
        CHECK(read(ends[1], buffer, 64) == (whole ? 3 : 6));
        CHECK(memcmp(buffer, whole ? "you" : "lloyou", 3) == 0);
        CHECK(recv(ends[1], buffer, 64, MSG_DONTWAIT) == -1 && errno == EAGAIN);
        // Both ways.
        CHECK(write(ends[1], "back", 4) == 4 && read(ends[0], buffer, 64) == 4);
        if (whole) {
            CHECK(send(ends[0], "0123456789", 10, 0) == 10 && send(ends[0], "", 0, 0) == 0);
            CHECK(recv(ends[1], buffer, 4, MSG_TRUNC) == 10 && memcmp(buffer, "0123", 4) == 0);
            CHECK(recv(ends[1], buffer, 4, 0) == 0);
        }
        CHECK(lseek(ends[0], 0, SEEK_SET) == -1 && errno == ESPIPE);
        CHECK(send(ends[0], "x", 1, MSG_OOB) == -1 || kinds[i] == SOCK_STREAM);
        while (recv(ends[1], buffer, 64, MSG_DONTWAIT) > 0) {
        }
        close_both(ends);
    }
    int ends[2];
    CHECK(socketpair(AF_UNIX, 77, 0, ends) == -1);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 99, ends) == -1 && errno == EPROTONOSUPPORT);
    CHECK(syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, 8) == -1 && errno == EFAULT);
    CHECK(socket(77, SOCK_STREAM, 0) == -1 && errno == EAFNOSUPPORT);
    CHECK(read(0, NULL, 0) <= 0 && send(999, "x", 1, 0) == -1 && errno == EBADF);
    int file = open("/", O_RDONLY);
    CHECK(send(file, "x", 1, 0) == -1 && errno == ENOTSOCK);
    close(file);
}

static volatile sig_atomic_t pipes;

static void note(int signal) {
    (void)signal;
    pipes++;
}

static void ending(void) {
    char buffer[8];
    signal(SIGPIPE, note);
    int ends[2];
    pair(SOCK_STREAM, ends);
    CHECK(write(ends[0], "x", 1) == 1 && shutdown(ends[0], SHUT_WR) == 0);
    CHECK(ready(ends[1], POLLIN | POLLRDHUP) == (POLLIN | POLLRDHUP));
    CHECK(read(ends[1], buffer, 8) == 1 && read(ends[1], buffer, 8) == 0);
    pipes = 0;
    CHECK(send(ends[0], "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE && pipes == 0);
    CHECK(send(ends[0], "x", 1, 0) == -1 && errno == EPIPE && pipes == 1);
    CHECK(write(ends[1], "back", 4) == 4 && read(ends[0], buffer, 8) == 4);
    close(ends[0]);
    CHECK(ready(ends[1], POLLIN | POLLRDHUP) == (POLLIN | POLLRDHUP | POLLHUP));
    CHECK(write(ends[1], "x", 1) == -1 && errno == EPIPE && pipes == 2);
    close(ends[1]);
    // What was not read is lost, and the other end hears of it once.
    pair(SOCK_STREAM, ends);
    CHECK(write(ends[0], "x", 1) == 1);
    close(ends[1]);
    CHECK(ready(ends[0], POLLIN) == (POLLIN | POLLHUP | POLLERR));
    CHECK(read(ends[0], buffer, 8) == -1 && errno == ECONNRESET);
    CHECK(read(ends[0], buffer, 8) == 0);
    close(ends[0]);
    pair(SOCK_DGRAM, ends);
    close(ends[1]);
    CHECK(send(ends[0], "x", 1, 0) == -1 && errno == ECONNREFUSED);
    CHECK(send(ends[0], "x", 1, 0) == -1 && errno == ENOTCONN);
    CHECK(recv(ends[0], buffer, 8, MSG_DONTWAIT) == -1 && errno == EAGAIN);
    close(ends[0]);
    pair(SOCK_SEQPACKET, ends);
    close(ends[1]);
    CHECK(read(ends[0], buffer, 8) == 0);
    CHECK(send(ends[0], "x", 1, 0) == -1 && errno == EPIPE);
    close(ends[0]);
    int lone = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(shutdown(lone, 7) == -1 && errno == EINVAL);
    CHECK(send(lone, "x", 1, 0) == -1 && errno == ENOTCONN);
    CHECK(recv(lone, buffer, 8, 0) == -1 && errno == EINVAL);
    close(lone);
}

static socklen_t name(struct sockaddr_un *address, const char *path) {
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    size_t length = strlen(path);
    memcpy(address->sun_path, path, length);
    // A name without a file begins with a zero.
    if (path[0] == '@') address->sun_path[0] = 0;
    return offsetof(struct sockaddr_un, sun_path) + length + (path[0] != '@');
}

static void connections(const char *path) {
    struct sockaddr_un address, other;
    char buffer[8];
    for (int i = 0; i < 3; i += 2) {
        int listener = socket(AF_UNIX, kinds[i], 0), client = socket(AF_UNIX, kinds[i], 0);
        socklen_t length = name(&address, path), got = sizeof other;
        CHECK(connect(client, (void *)&address, length) == -1);
        CHECK(errno == ENOENT || errno == ECONNREFUSED);
        CHECK(listen(listener, 1) == -1 && errno == EINVAL);
        CHECK(bind(listener, (void *)&address, length) == 0);
        CHECK(bind(client, (void *)&address, length) == -1 && errno == EADDRINUSE);
        CHECK(connect(client, (void *)&address, length) == -1 && errno == ECONNREFUSED);
        CHECK(accept(listener, NULL, NULL) == -1 && errno == EINVAL);
        CHECK(listen(listener, 1) == 0 && ready(listener, POLLIN) == 0);
        int value = 0;
        socklen_t size = sizeof value;
        CHECK(getsockopt(listener, SOL_SOCKET, SO_ACCEPTCONN, &value, &size) == 0 && value == 1);
        CHECK(fcntl(listener, F_SETFL, O_NONBLOCK) == 0);
        CHECK(accept(listener, NULL, NULL) == -1 && errno == EAGAIN);
        int wrong = socket(AF_UNIX, SOCK_DGRAM, 0);
        CHECK(connect(wrong, (void *)&address, length) == -1);
        CHECK(errno == (path[0] == '@' ? ECONNREFUSED : EPROTOTYPE));
        close(wrong);
        CHECK(connect(client, (void *)&address, length) == 0);
        CHECK(connect(client, (void *)&address, length) == -1 && errno == EISCONN);
        // It may send before it is accepted.
        CHECK(write(client, "early", 5) == 5 && ready(listener, POLLIN) == POLLIN);
        int server = accept4(listener, (void *)&other, &got, SOCK_NONBLOCK | SOCK_CLOEXEC);
        CHECK(server >= 0 && got == 2 && other.sun_family == AF_UNIX);
        CHECK(fcntl(server, F_GETFL) & O_NONBLOCK);
        CHECK(read(server, buffer, 8) == 5);
        CHECK(read(server, buffer, 8) == -1 && errno == EAGAIN);
        got = sizeof other;
        CHECK(getsockname(server, (void *)&other, &got) == 0 && got == length);
        CHECK(memcmp(other.sun_path, address.sun_path, length - 2) == 0);
        got = sizeof other;
        CHECK(getpeername(client, (void *)&other, &got) == 0 && got == length);
        CHECK(getpeername(listener, (void *)&other, &got) == -1 && errno == ENOTCONN);
        struct ucred peer;
        size = sizeof peer;
        CHECK(getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0);
        CHECK(peer.pid == getpid());
        // One that was shut before it is connected takes nothing.
        int deaf = socket(AF_UNIX, kinds[i], 0);
        CHECK(shutdown(deaf, SHUT_RD) == 0);
        CHECK(connect(deaf, (void *)&address, length) == 0);
        int sender = accept(listener, NULL, NULL);
        CHECK(send(sender, "x", 1, MSG_NOSIGNAL) == -1 && errno == EPIPE);
        close(sender), close(deaf);
        // Too many wait: one that must not wait itself is sent away.
        int more[3];
        for (int k = 0; k < 3; k++) {
            more[k] = socket(AF_UNIX, kinds[i] | SOCK_NONBLOCK, 0);
            int connected = connect(more[k], (void *)&address, length);
            CHECK(k < 2 ? connected == 0 : connected == -1 && errno == EAGAIN);
        }
        // One that may is let in as another is.
        pid_t child = fork();
        if (child == 0) {
            int late = socket(AF_UNIX, kinds[i], 0);
            _exit(connect(late, (void *)&address, length));
        }
        close(accept(listener, NULL, NULL));
        int status;
        CHECK(waitpid(child, &status, 0) == child && status == 0);
        close(listener);
        CHECK(read(more[1], buffer, 8) == -1 && errno == ECONNRESET);
        CHECK(connect(more[2], (void *)&address, length) == -1 && errno == ECONNREFUSED);
        for (int k = 0; k < 3; k++) close(more[k]);
        close(client), close(server);
        if (path[0] != '@') CHECK(unlink(path) == 0);
    }
}

static void datagrams(void) {
    struct sockaddr_un one, two, got;
    char buffer[8];
    int first = socket(AF_UNIX, SOCK_DGRAM, 0), second = socket(AF_UNIX, SOCK_DGRAM, 0);
    socklen_t first_length = name(&one, "@one-of-two"), length = sizeof got;
    CHECK(bind(first, (void *)&one, first_length) == 0);
    CHECK(listen(first, 1) == -1 && errno == EOPNOTSUPP);
    CHECK(accept(first, NULL, NULL) == -1 && errno == EOPNOTSUPP);
    CHECK(send(second, "x", 1, 0) == -1 && errno == ENOTCONN);
    CHECK(sendto(second, "anon", 4, 0, (void *)&one, first_length) == 4);
    CHECK(recvfrom(first, buffer, 8, 0, (void *)&got, &length) == 4 && length == 0);
    // A name that the kernel chooses.
    memset(&two, 0, sizeof two);
    two.sun_family = AF_UNIX;
    CHECK(bind(second, (void *)&two, 2) == 0);
    socklen_t second_length = sizeof two;
    CHECK(getsockname(second, (void *)&two, &second_length) == 0 && second_length == 8);
    CHECK(two.sun_path[0] == 0);
    CHECK(connect(second, (void *)&one, first_length) == 0 && send(second, "named", 5, 0) == 5);
    length = sizeof got;
    CHECK(recvfrom(first, buffer, 8, 0, (void *)&got, &length) == 5 && length == 8);
    CHECK(sendto(first, "reply", 5, 0, (void *)&got, length) == 5 && read(second, buffer, 8) == 5);
    // Who is connected takes from its peer only.
    int third = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK(sendto(third, "x", 1, 0, (void *)&two, second_length) == -1 && errno == EPERM);
    struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    CHECK(connect(second, &nobody, sizeof nobody) == 0);
    CHECK(sendto(third, "x", 1, 0, (void *)&two, second_length) == 1 && read(second, buffer, 8) == 1);
    static char large[1 << 20];
    CHECK(sendto(third, large, sizeof large, 0, (void *)&two, second_length) == -1);
    CHECK(errno == EMSGSIZE);
    close(first);
    CHECK(sendto(third, "x", 1, 0, (void *)&one, first_length) == -1 && errno == ECONNREFUSED);
    CHECK(sendto(third, "x", 1, 0, (void *)&one, 1) == -1 && errno == EINVAL);
    close(second), close(third);
}

// A message with descriptors, how many of which were taken.
static int pass(int to, const int *files, int count) {
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(300 * sizeof(int))];
    } control;
    struct iovec part = {"f", 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control};
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    memset(&control, 0, sizeof control);
    control.head = (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    control.head.cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(&control.head), files, count * sizeof(int));
    return sendmsg(to, &message, 0);
}

static int take(int from, int *files, int most, int flags, int *told) {
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(300 * sizeof(int))];
    } control;
    char byte;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control};
    message.msg_controllen = most ? CMSG_LEN(most * sizeof(int)) : 0;
    CHECK(recvmsg(from, &message, flags) == 1);
    *told = message.msg_flags;
    if (message.msg_controllen < sizeof control.head) return 0;
    CHECK(control.head.cmsg_level == SOL_SOCKET && control.head.cmsg_type == SCM_RIGHTS);
    int count = (control.head.cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(files, CMSG_DATA(&control.head), count * sizeof(int));
    return count;
}

static void descriptors(void) {
    for (int i = 0; i < 3; i++) {
        int ends[2], data[2], got[300], told;
        char byte;
        pair(kinds[i], ends);
        CHECK(pipe(data) == 0);
        CHECK(pass(ends[0], data, 2) == 1);
        // They are open on their way.
        close_both(data);
        CHECK(take(ends[1], got, 2, MSG_CMSG_CLOEXEC, &told) == 2 && (told & MSG_CTRUNC) == 0);
        CHECK(fcntl(got[0], F_GETFD) & FD_CLOEXEC);
        CHECK(write(got[1], "x", 1) == 1 && read(got[0], &byte, 1) == 1 && byte == 'x');
        // No room for all, or any: the rest are closed.
        CHECK(pass(ends[0], got, 2) == 1 && pass(ends[0], &got[1], 1) == 1);
        close(got[1]);
        int one[2];
        CHECK(take(ends[1], one, 1, 0, &told) == 1 && (told & MSG_CTRUNC));
        CHECK(take(ends[1], &one[1], 0, 0, &told) == 0 && (told & MSG_CTRUNC));
        CHECK(read(got[0], &byte, 1) == 0);
        close(one[0]), close(got[0]);
        // Never read: closed with the socket.
        CHECK(pipe(data) == 0 && pass(ends[0], &data[1], 1) == 1);
        close(data[1]);
        close_both(ends);
        CHECK(read(data[0], &byte, 1) == 0);
        close(data[0]);
        pair(kinds[i], ends);
        int bad = 999;
        CHECK(pass(ends[0], &bad, 1) == -1 && errno == EBADF);
        for (int k = 0; k < 300; k++) got[k] = ends[0];
        CHECK(pass(ends[0], got, 254) == -1 && errno == EINVAL);
        CHECK(pass(ends[0], got, 253) == 1);
        close_both(ends);
    }
    // A read of a stream ends with what descriptors go along with.
    int ends[2], got[4], told;
    char buffer[8];
    pair(SOCK_STREAM, ends);
    CHECK(write(ends[0], "ab", 2) == 2 && pass(ends[0], ends, 1) == 1);
    CHECK(write(ends[0], "c", 1) == 1);
    CHECK(recv(ends[1], buffer, 8, 0) == 3 && memcmp(buffer, "abf", 3) == 0);
    CHECK(recv(ends[1], buffer, 8, 0) == 1 && pass(ends[0], ends, 1) == 1);
    CHECK(take(ends[1], got, 1, 0, &told) == 1);
    close(got[0]);
    close_both(ends);
    // Sockets in sockets, thousands deep, are closed one after the other.
    pair(SOCK_DGRAM, ends);
    for (int i = 0; i < 3000; i++) {
        int next[2];
        pair(SOCK_DGRAM, next);
        CHECK(pass(next[0], ends, 2) == 1);
        close_both(ends);
        memcpy(ends, next, sizeof ends);
    }
    close_both(ends);
}

static void credentials(void) {
    int ends[2], on = 1;
    pair(SOCK_DGRAM, ends);
    CHECK(setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on) == 0);
    pid_t child = fork();
    if (child == 0) _exit(write(ends[0], "x", 1) != 1);
    union {
        struct cmsghdr head;
        char bytes[CMSG_SPACE(sizeof(struct ucred))];
    } control;
    char byte;
    struct iovec part = {&byte, 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control};
    message.msg_controllen = sizeof control;
    CHECK(recvmsg(ends[1], &message, 0) == 1);
    struct ucred sender;
    memcpy(&sender, CMSG_DATA(&control.head), sizeof sender);
    CHECK(control.head.cmsg_type == SCM_CREDENTIALS && sender.pid == child);
    CHECK(waitpid(child, NULL, 0) == child);
    close_both(ends);
}

static void options(void) {
    int ends[2], value = 0;
    socklen_t size = sizeof value;
    pair(SOCK_STREAM, ends);
    CHECK(getsockopt(ends[0], SOL_SOCKET, SO_TYPE, &value, &size) == 0 && value == SOCK_STREAM);
    CHECK(getsockopt(ends[0], SOL_SOCKET, SO_DOMAIN, &value, &size) == 0 && value == AF_UNIX);
    CHECK(getsockopt(ends[0], SOL_SOCKET, SO_ERROR, &value, &size) == 0 && value == 0);
    CHECK(getsockopt(ends[0], SOL_SOCKET, 9999, &value, &size) == -1 && errno == ENOPROTOOPT);
    value = 10000;
    CHECK(setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &value, sizeof value) == 0);
    CHECK(getsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &value, &size) == 0 && value == 20000);
    // It takes about as much as was said, and goes on once that is read.
    static char block[1000];
    int sent = 0;
    while (send(ends[0], block, sizeof block, MSG_DONTWAIT) > 0) sent++;
    CHECK(errno == EAGAIN && sent >= 1 && sent <= 20);
    CHECK(ready(ends[0], POLLOUT) == 0);
    int count;
    CHECK(ioctl(ends[1], FIONREAD, &count) == 0 && count == sent * 1000);
    for (int i = 0; i < sent; i++) CHECK(recv(ends[1], block, 1000, MSG_WAITALL) == 1000);
    CHECK(ready(ends[0], POLLOUT) == POLLOUT);
    struct timeval time = {0, 2000};
    CHECK(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == 0);
    CHECK(read(ends[0], block, 1) == -1 && errno == EAGAIN);
    time.tv_usec = 2000000;
    CHECK(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == -1 && errno == EDOM);
    close_both(ends);
}

static void several(void) {
    int ends[2];
    pair(SOCK_SEQPACKET, ends);
    struct iovec parts[4];
    struct mmsghdr messages[4];
    char buffers[4][8];
    memset(messages, 0, sizeof messages);
    for (int i = 0; i < 4; i++) {
        parts[i] = (struct iovec){"abcd", i + 1};
        messages[i].msg_hdr.msg_iov = &parts[i], messages[i].msg_hdr.msg_iovlen = 1;
    }
    CHECK(sendmmsg(ends[0], messages, 4, 0) == 4 && messages[3].msg_len == 4);
    for (int i = 0; i < 4; i++) parts[i] = (struct iovec){buffers[i], 8};
    CHECK(recvmmsg(ends[1], messages, 3, 0, NULL) == 3 && messages[2].msg_len == 3);
    CHECK(recvmmsg(ends[1], messages, 4, MSG_WAITFORONE, NULL) == 1 && messages[0].msg_len == 4);
    CHECK(recvmmsg(ends[1], messages, 4, MSG_DONTWAIT, NULL) == -1 && errno == EAGAIN);
    close_both(ends);
}

enum { GROUP = 8, ROUNDS = 200, SIZE = 100 };

// Each of a group's writers sends to each of its readers, again and again.
static void crowd(int kind) {
    int ends[GROUP][2], status;
    pid_t children[2 * GROUP];
    for (int i = 0; i < GROUP; i++) pair(kind, ends[i]);
    for (int i = 0; i < 2 * GROUP; i++) {
        children[i] = fork();
        if (children[i] != 0) continue;
        char block[SIZE];
        memset(block, i, SIZE);
        int wrong = 0;
        for (int k = 0; i < GROUP && k < GROUP * ROUNDS; k++) {
            wrong |= recv(ends[i][1], block, SIZE, MSG_WAITALL) != SIZE;
            for (int b = 1; b < SIZE; b++) wrong |= block[b] != block[0];
        }
        for (int k = 0; i >= GROUP && k < GROUP * ROUNDS; k++) {
            wrong |= write(ends[k % GROUP][0], block, SIZE) != SIZE;
        }
        _exit(wrong);
    }
    for (int i = 0; i < GROUP; i++) close_both(ends[i]);
    for (int i = 0; i < 2 * GROUP; i++) {
        CHECK(waitpid(children[i], &status, 0) == children[i] && status == 0);
    }
}

static int shared[2];

static void *pour(void *unused) {
    static char block[70000];
    for (int i = 0; i < 50; i++) CHECK(send(shared[0], block, sizeof block, MSG_NOSIGNAL) >= 0);
    return unused;
}

// Edges: what comes between a look and a wait is told.
static void edges(void) {
    pair(SOCK_STREAM | SOCK_NONBLOCK, shared);
    CHECK(fcntl(shared[0], F_SETFL, 0) == 0);
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET | EPOLLRDHUP}, got;
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, shared[1], &event) == 0);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, pour, NULL) == 0);
    static char block[10000];
    long sum = 0;
    while (sum < 50 * 70000) {
        CHECK(epoll_wait(epoll, &got, 1, -1) == 1 && (got.events & EPOLLIN));
        ssize_t count;
        while ((count = read(shared[1], block, sizeof block)) > 0) sum += count;
        CHECK(errno == EAGAIN);
    }
    CHECK(sum == 50 * 70000 && pthread_join(thread, NULL) == 0);
    close(shared[0]);
    CHECK(epoll_wait(epoll, &got, 1, -1) == 1 && (got.events & EPOLLRDHUP));
    close(shared[1]), close(epoll);
}

static void *read_one(void *end) {
    char byte;
    return (void *)read(*(int *)end, &byte, 1);
}

// One message is enough for two who want a byte each.
static void two_readers(void) {
    for (int i = 0; i < 200; i++) {
        int ends[2];
        pthread_t readers[2];
        void *count;
        CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
        for (int j = 0; j < 2; j++) pthread_create(&readers[j], NULL, read_one, ends);
        if (i & 1) sched_yield();
        CHECK(write(ends[1], "ab", 2) == 2);
        for (int j = 0; j < 2; j++)
            CHECK(pthread_join(readers[j], &count) == 0 && (long)count == 1);
        close(ends[0]);
        close(ends[1]);
    }
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    pairs();
    ending();
    connections("@a name without a file");
    connections("a-socket");
    datagrams();
    descriptors();
    credentials();
    options();
    several();
    for (int i = 0; i < 3; i += 2) crowd(kinds[i]);
    edges();
    two_readers();
    return failures != 0;
}
