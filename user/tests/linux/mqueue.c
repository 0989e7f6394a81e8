// Message queues of POSIX, as a Linux program sees them. Exits with 0 if all is as
// mq_overview(7) says; it does on Linux itself, for root.
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asleep.h"
#include "check.h"
#include "clock.h"

#define NAME "/weft-test"
#define FAILS(call, number) CHECK((call) == -1 && errno == (number))

static mqd_t make(int flags, long most, long size) {
    struct mq_attr attr = {.mq_maxmsg = most, .mq_msgsize = size};
    mq_unlink(NAME);
    mqd_t queue = mq_open(NAME, O_CREAT | O_EXCL | flags, 0600, &attr);
    CHECK(queue >= 0);
    return queue;
}

static int ready(int fd) {
    struct pollfd entry = {.fd = fd, .events = POLLIN | POLLOUT};
    CHECK(poll(&entry, 1, 0) >= 0);
    return entry.revents;
}

static void names(void) {
    struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 8}, got;
    mq_unlink(NAME);
    FAILS(mq_open(NAME, O_RDWR), ENOENT);
    FAILS(mq_unlink(NAME), ENOENT);
    FAILS(mq_open("/", O_RDWR), ENOENT);
    FAILS(mq_open("/a/b", O_RDWR | O_CREAT, 0600, &attr), EACCES);
    FAILS(syscall(SYS_mq_open, ".", O_RDWR | O_CREAT, 0600, &attr), EACCES);
    FAILS(syscall(SYS_mq_open, 8, O_RDWR, 0, NULL), EFAULT);
    FAILS(syscall(SYS_mq_open, "weft-test", O_RDWR | O_CREAT, 0600, 8), EFAULT);
    char name[NAME_MAX + 3];
    memset(name, 'n', sizeof name);
    name[0] = '/', name[NAME_MAX + 2] = 0;
    FAILS(mq_open(name, O_RDWR | O_CREAT, 0600, &attr), ENAMETOOLONG);
    name[NAME_MAX + 1] = 0;
    mqd_t queue = mq_open(name, O_RDWR | O_CREAT, 0600, &attr);
    CHECK(queue >= 0 && mq_unlink(name) == 0);
    mq_close(queue);
    long bad[][2] = {{0, 1}, {1, 0}, {-1, 1}, {1, -1}, {65537, 1}, {1, (16 << 20) + 1}};
    for (int i = 0; i < 6; i++) {
        struct mq_attr wrong = {.mq_maxmsg = bad[i][0], .mq_msgsize = bad[i][1]};
        FAILS(mq_open(NAME, O_RDWR | O_CREAT, 0600, &wrong), EINVAL);
    }
    struct mq_attr much = {.mq_maxmsg = 100, .mq_msgsize = 8192};
    // Without the right to pass the limits, that is past the first.
    CHECK(mq_open(NAME, O_RDWR | O_CREAT, 0600, &much) == -1);
    CHECK(errno == EMFILE || errno == EINVAL);

    umask(022);
    queue = mq_open(NAME, O_RDWR | O_CREAT, 0666, NULL);
    CHECK(queue >= 0 && mq_getattr(queue, &got) == 0);
    CHECK(got.mq_maxmsg == 10 && got.mq_msgsize == 8192 && got.mq_curmsgs == 0);
    CHECK(fcntl(queue, F_GETFD) == FD_CLOEXEC);
    struct stat stat;
    CHECK(fstat(queue, &stat) == 0 && stat.st_mode == (S_IFREG | 0644) && stat.st_size == 80);
    FAILS(mq_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0600, &attr), EEXIST);
    // What it has is not changed by who opens it.
    mqd_t other = mq_open(NAME, O_RDWR | O_CREAT, 0600, &attr);
    CHECK(other >= 0 && mq_getattr(other, &got) == 0 && got.mq_maxmsg == 10);
    // It lives on without its name, apart from a new one.
    CHECK(mq_unlink(NAME) == 0 && mq_send(queue, "old", 3, 0) == 0);
    mqd_t fresh = mq_open(NAME, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
    CHECK(fresh >= 0 && mq_getattr(fresh, &got) == 0 && got.mq_curmsgs == 0);
    char buffer[8192];
    CHECK(mq_receive(other, buffer, sizeof buffer, NULL) == 3);
    CHECK(mq_unlink(NAME) == 0);
    mq_close(queue), mq_close(other), mq_close(fresh);
    FAILS(mq_close(fresh), EBADF);
}

static void order(void) {
    unsigned priorities[] = {3, 0, 32767, 3, 1, 32767, 0, 3}, priority;
    char *expected = "cfadhebg", buffer[4];
    mqd_t queue = make(O_RDWR | O_NONBLOCK, 8, 4);
    CHECK(ready(queue) == POLLOUT);
    for (int i = 0; i < 8; i++)
        CHECK(mq_send(queue, &"abcdefgh"[i], 1, priorities[i]) == 0);
    CHECK(ready(queue) == POLLIN);
    FAILS(mq_send(queue, "x", 1, 0), EAGAIN);
    char text[128] = "";
    CHECK(read(queue, text, 128) > 0 && strncmp(text, "QSIZE:8 ", 8) == 0);
    CHECK(read(queue, text, 128) == 0 && lseek(queue, 0, SEEK_SET) == 0);
    CHECK(pread(queue, text, 5, 0) == 5);
    FAILS(write(queue, "x", 1), EINVAL);
    for (int i = 0; i < 8; i++) {
        CHECK(mq_receive(queue, buffer, 4, &priority) == 1);
        CHECK(buffer[0] == expected[i] && priority == priorities[expected[i] - 'a']);
    }
    FAILS(mq_receive(queue, buffer, 4, NULL), EAGAIN);
    // Empty messages are messages.
    CHECK(mq_send(queue, "", 0, 5) == 0 && mq_receive(queue, buffer, 4, &priority) == 0);
    CHECK(priority == 5);
    mq_close(queue);
}

static void refusals(void) {
    char buffer[16];
    mqd_t queue = make(O_RDWR, 1, 8);
    FAILS(mq_send(queue, buffer, 9, 0), EMSGSIZE);
    FAILS(mq_receive(queue, buffer, 7, NULL), EMSGSIZE);
    FAILS(mq_send(queue, buffer, 1, 32768), EINVAL);
    FAILS(mq_send(queue, (char *)8, 1, 0), EFAULT);
    FAILS(mq_send(0, buffer, 1, 0), EBADF);
    FAILS(mq_send(999, buffer, 1, 0), EBADF);
    FAILS(mq_receive(0, buffer, 16, NULL), EBADF);
    mqd_t reads = mq_open(NAME, O_RDONLY), writes = mq_open(NAME, O_WRONLY);
    FAILS(mq_send(reads, buffer, 1, 0), EBADF);
    FAILS(mq_receive(writes, buffer, 16, NULL), EBADF);
    // A time-out is looked at before all else, and not if there is a message.
    struct timespec bad = {0, 1000000000}, past = {1, 0};
    FAILS(mq_timedsend(999, buffer, 1, 0, &bad), EINVAL);
    FAILS(syscall(SYS_mq_timedsend, queue, buffer, 1, 0, 8), EFAULT);
    CHECK(mq_timedsend(queue, "1", 1, 0, &past) == 0);
    FAILS(mq_timedsend(queue, "2", 1, 0, &past), ETIMEDOUT);
    CHECK(mq_timedreceive(queue, buffer, 16, NULL, &past) == 1);
    FAILS(mq_timedreceive(queue, buffer, 16, NULL, &past), ETIMEDOUT);
    struct timespec soon = spec(now(CLOCK_REALTIME) + 20 * MS);
    FAILS(mq_timedreceive(queue, buffer, 16, NULL, &soon), ETIMEDOUT);
    CHECK(now(CLOCK_REALTIME) >= soon.tv_sec * SECOND + soon.tv_nsec);
    // A message that cannot be stored is taken all the same.
    CHECK(mq_send(queue, "1", 1, 0) == 0);
    FAILS(mq_receive(queue, (char *)8, 16, NULL), EFAULT);
    struct mq_attr attr, old;
    CHECK(mq_getattr(queue, &attr) == 0 && attr.mq_curmsgs == 0);
    // Only one flag can be set.
    attr.mq_flags = O_NONBLOCK, attr.mq_maxmsg = 5;
    CHECK(mq_setattr(queue, &attr, &old) == 0 && old.mq_flags == 0);
    CHECK(mq_getattr(queue, &old) == 0 && old.mq_flags == O_NONBLOCK && old.mq_maxmsg == 1);
    CHECK(fcntl(queue, F_GETFL) & O_NONBLOCK);
    attr.mq_flags = O_APPEND;
    FAILS(mq_setattr(queue, &attr, NULL), EINVAL);
    FAILS(mq_getattr(0, &attr), EBADF);
    mq_close(queue), mq_close(reads), mq_close(writes);
}

struct peer {
    pthread_t thread;
    mqd_t queue;
    atomic_int tid;
    char letter, got[8];
    int result, error;
};

static void *receiver(void *argument) {
    struct peer *peer = argument;
    peer->tid = gettid();
    peer->result = mq_receive(peer->queue, peer->got, 8, NULL);
    peer->error = errno;
    return NULL;
}

static void *sender(void *argument) {
    struct peer *peer = argument;
    peer->tid = gettid();
    peer->result = mq_send(peer->queue, &peer->letter, 1, 0);
    peer->error = errno;
    return NULL;
}

static void start(struct peer *peer, void *(*what)(void *)) {
    peer->tid = 0;
    CHECK(pthread_create(&peer->thread, NULL, what, peer) == 0);
    while (!peer->tid)
        sched_yield();
    until_asleep(getpid(), peer->tid);
}

// Who waits longest is served first, and nobody who comes later is faster.
static void hand_over(void) {
    mqd_t queue = make(O_RDWR | O_NONBLOCK, 1, 8), waits = mq_open(NAME, O_RDWR);
    struct peer peers[4] = {0};
    char buffer[8];
    for (int i = 0; i < 4; i++) {
        peers[i].queue = waits;
        start(&peers[i], receiver);
    }
    for (int i = 0; i < 4; i++)
        CHECK(mq_send(queue, &"abcd"[i], 1, i) == 0);
    FAILS(mq_receive(queue, buffer, 8, NULL), EAGAIN);
    for (int i = 0; i < 4; i++) {
        pthread_join(peers[i].thread, NULL);
        CHECK(peers[i].result == 1 && peers[i].got[0] == "abcd"[i]);
    }
    CHECK(mq_send(queue, "-", 1, 0) == 0);
    for (int i = 0; i < 4; i++) {
        peers[i].letter = "abcd"[i];
        start(&peers[i], sender);
    }
    for (int i = 0; i < 5; i++) {
        // The place is taken in the same step as it becomes free.
        CHECK(mq_receive(queue, buffer, 8, NULL) == 1 && buffer[0] == "-abcd"[i]);
        if (i < 4)
            FAILS(mq_send(queue, "x", 1, 9), EAGAIN);
    }
    for (int i = 0; i < 4; i++)
        pthread_join(peers[i].thread, NULL);
    mq_close(queue), mq_close(waits);
}

static atomic_int seen;
static siginfo_t told;

static void note(int signal, siginfo_t *info, void *context) {
    (void)signal, (void)context;
    told = *info;
    seen++;
}

static void handle(int signal, int flags) {
    struct sigaction action = {.sa_sigaction = note, .sa_flags = SA_SIGINFO | flags};
    CHECK(sigaction(signal, &action, NULL) == 0);
}

// A sender that is killed, or interrupted, leaves nothing behind.
static void gone(void) {
    mqd_t queue = make(O_RDWR, 1, 8);
    char buffer[8];
    CHECK(mq_send(queue, "-", 1, 0) == 0);
    pid_t child = fork();
    if (child == 0) {
        mq_send(queue, "killed", 6, 0);
        _exit(0);
    }
    until_asleep(child, child);
    CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
    CHECK(mq_receive(queue, buffer, 8, NULL) == 1);
    for (int restarts = 0; restarts < 2; restarts++) {
        struct peer peer = {.queue = queue};
        handle(SIGUSR1, restarts ? SA_RESTART : 0);
        start(&peer, receiver);
        int before = seen;
        CHECK(pthread_kill(peer.thread, SIGUSR1) == 0);
        while (seen == before)
            sched_yield();
        if (restarts)
            CHECK(mq_send(queue, "again", 5, 0) == 0);
        pthread_join(peer.thread, NULL);
        if (restarts)
            CHECK(peer.result == 5);
        else
            CHECK(peer.result == -1 && peer.error == EINTR);
    }
    struct mq_attr attr;
    CHECK(mq_getattr(queue, &attr) == 0 && attr.mq_curmsgs == 0);
    mq_close(queue);
}

static void signals(void) {
    char buffer[8], text[128] = "";
    mqd_t queue = make(O_RDWR, 4, 8);
    sigset_t set;
    siginfo_t info;
    sigemptyset(&set), sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    event.sigev_value.sival_int = 77;
    struct timespec none = {0};
    CHECK(mq_notify(queue, &event) == 0);
    FAILS(mq_notify(queue, &event), EBUSY);
    CHECK(read(queue, text, 127) > 0 && strstr(text, "NOTIFY:0 ") && strstr(text, "NOTIFY_PID:"));
    pid_t child = fork();
    if (child == 0) {
        // Another's request is not to be taken back.
        mq_notify(queue, NULL);
        mq_send(queue, "1", 1, 0);
        _exit(mq_notify(queue, &event) != 0);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(sigtimedwait(&set, &info, &none) == SIGRTMIN);
    CHECK(info.si_code == SI_MESGQ && info.si_pid == child && info.si_uid == getuid());
    CHECK(info.si_value.sival_int == 77);
    // The child's request went with it. A queue that is not empty tells of nothing.
    CHECK(mq_notify(queue, &event) == 0 && mq_send(queue, "2", 1, 0) == 0);
    FAILS(sigtimedwait(&set, &info, &none), EAGAIN);
    CHECK(mq_receive(queue, buffer, 8, NULL) == 1 && mq_receive(queue, buffer, 8, NULL) == 1);
    // A receiver that waits gets it, and nobody is told.
    struct peer peer = {.queue = queue};
    start(&peer, receiver);
    CHECK(mq_send(queue, "3", 1, 0) == 0 && pthread_join(peer.thread, NULL) == 0);
    FAILS(sigtimedwait(&set, &info, &none), EAGAIN);
    CHECK(mq_send(queue, "4", 1, 0) == 0 && sigtimedwait(&set, &info, &none) == SIGRTMIN);
    CHECK(mq_receive(queue, buffer, 8, NULL) == 1);
    // It is told once.
    CHECK(mq_send(queue, "5", 1, 0) == 0 && mq_receive(queue, buffer, 8, NULL) == 1);
    FAILS(sigtimedwait(&set, &info, &none), EAGAIN);
    // A process that closes any of its descriptors has no request any more.
    CHECK(mq_notify(queue, &event) == 0);
    mq_close(mq_open(NAME, O_RDONLY));
    CHECK(mq_notify(queue, &event) == 0 && mq_notify(queue, NULL) == 0);
    event.sigev_notify = SIGEV_NONE;
    CHECK(mq_notify(queue, &event) == 0);
    FAILS(mq_notify(queue, &event), EBUSY);
    CHECK(mq_send(queue, "6", 1, 0) == 0 && mq_notify(queue, &event) == 0);
    event.sigev_notify = 99;
    FAILS(mq_notify(queue, &event), EINVAL);
    event.sigev_notify = SIGEV_SIGNAL, event.sigev_signo = 65;
    FAILS(mq_notify(queue, &event), EINVAL);
    FAILS(mq_notify(0, NULL), EBADF);
    mq_close(queue);
}

static atomic_int called;

static void in_thread(union sigval value) {
    called = value.sival_int;
}

// What a C library makes of a socket that the kernel tells.
static void threads(void) {
    char buffer[8];
    mqd_t queue = make(O_RDWR, 4, 8);
    struct sigevent event = {.sigev_notify = SIGEV_THREAD};
    event.sigev_notify_function = in_thread;
    for (int i = 1; i < 4; i++) {
        event.sigev_value.sival_int = i;
        CHECK(mq_notify(queue, &event) == 0 && mq_send(queue, "1", 1, 0) == 0);
        while (called != i)
            sched_yield();
        CHECK(mq_receive(queue, buffer, 8, NULL) == 1);
    }
    CHECK(mq_notify(queue, &event) == 0 && mq_notify(queue, NULL) == 0);

    unsigned char cookie[32] = "cookie";
    int ends[2], socket_ = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);
    CHECK(socket_ >= 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
    event.sigev_value.sival_ptr = cookie, event.sigev_signo = socket_;
    CHECK(syscall(SYS_mq_notify, queue, &event) == 0 && mq_notify(queue, NULL) == 0);
    CHECK(recv(socket_, cookie, 32, MSG_DONTWAIT) == 32);
    CHECK(memcmp(cookie, "cookie", 6) == 0 && cookie[31] == 2);
    CHECK(syscall(SYS_mq_notify, queue, &event) == 0 && mq_send(queue, "1", 1, 0) == 0);
    CHECK(recv(socket_, cookie, 32, MSG_DONTWAIT) == 32 && cookie[31] == 1);
    FAILS(recv(socket_, cookie, 32, MSG_DONTWAIT), EAGAIN);
    // A socket that is closed is told nothing.
    mq_receive(queue, buffer, 8, NULL);
    CHECK(syscall(SYS_mq_notify, queue, &event) == 0 && close(socket_) == 0);
    CHECK(mq_send(queue, "1", 1, 0) == 0);
    event.sigev_signo = ends[0];
    FAILS(syscall(SYS_mq_notify, queue, &event), EINVAL);
    event.sigev_signo = queue;
    FAILS(syscall(SYS_mq_notify, queue, &event), ENOTSOCK);
    event.sigev_signo = 999;
    FAILS(syscall(SYS_mq_notify, queue, &event), EBADF);
    event.sigev_value.sival_ptr = (void *)8;
    FAILS(syscall(SYS_mq_notify, queue, &event), EFAULT);
    close(ends[0]), close(ends[1]), mq_close(queue);
}

static void waiting_for(void) {
    mqd_t queue = make(O_RDWR, 1, 8);
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, queue, &event) == 0);
    CHECK(epoll_wait(epoll, &event, 1, 0) == 0);
    pid_t child = fork();
    if (child == 0)
        _exit(mq_send(queue, "1", 1, 0) != 0);
    CHECK(epoll_wait(epoll, &event, 1, -1) == 1 && event.events == EPOLLIN);
    CHECK(epoll_wait(epoll, &event, 1, 0) == 0);
    CHECK(waitpid(child, NULL, 0) == child);
    child = fork();
    if (child == 0) {
        char buffer[8];
        _exit(mq_receive(queue, buffer, 8, NULL) != 1);
    }
    struct pollfd entry = {.fd = queue, .events = POLLOUT};
    CHECK(poll(&entry, 1, -1) == 1 && entry.revents == POLLOUT);
    CHECK(waitpid(child, NULL, 0) == child);
    close(epoll), mq_close(queue);
}

// Many send and receive at once: each message arrives once, a sender's in order.
enum { PEERS = 3, EACH = 2000 };
static mqd_t crowded;
static atomic_int received[PEERS][EACH];

static void *crowd_sender(void *argument) {
    int message[2] = {(int)(long)argument, 0};
    for (; message[1] < EACH; message[1]++)
        CHECK(mq_send(crowded, (char *)message, 8, 0) == 0);
    return NULL;
}

static void *crowd_receiver(void *argument) {
    (void)argument;
    int last[PEERS], message[2];
    memset(last, -1, sizeof last);
    while (mq_receive(crowded, (char *)message, 8, NULL) == 8 && message[0] >= 0) {
        CHECK(message[1] > last[message[0]]);
        last[message[0]] = message[1];
        received[message[0]][message[1]]++;
    }
    return NULL;
}

static void crowd(void) {
    pthread_t senders[PEERS], receivers[PEERS];
    crowded = make(O_RDWR, 2, 8);
    for (long i = 0; i < PEERS; i++) {
        pthread_create(&senders[i], NULL, crowd_sender, (void *)i);
        pthread_create(&receivers[i], NULL, crowd_receiver, NULL);
    }
    for (int i = 0; i < PEERS; i++)
        pthread_join(senders[i], NULL);
    int end[2] = {-1, 0};
    for (int i = 0; i < PEERS; i++)
        CHECK(mq_send(crowded, (char *)end, 8, 0) == 0);
    for (int i = 0; i < PEERS; i++)
        pthread_join(receivers[i], NULL);
    int wrong = 0;
    for (int i = 0; i < PEERS; i++)
        for (int j = 0; j < EACH; j++)
            wrong += received[i][j] != 1;
    CHECK(wrong == 0);
    mq_close(crowded);
}

// What was taken for queues is given back, by those that end without a word as well.
static void limits(void) {
    struct mq_attr attr = {.mq_maxmsg = 10, .mq_msgsize = 8192};
    for (int round = 0; round < 3; round++) {
        pid_t child = fork();
        if (child == 0) {
            char name[32];
            int count = 0;
            for (;; count++) {
                sprintf(name, "/weft-test-%d", count);
                if (mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr) < 0)
                    break;
                mq_unlink(name);
            }
            _exit(errno == EMFILE ? count : 100);
        }
        int status;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 9);
    }
    char text[32] = "";
    int file = open("/proc/sys/fs/mqueue/msg_max", O_RDONLY);
    CHECK(file >= 0 && read(file, text, 31) > 0 && atoi(text) == 10);
    close(file);
}

int main(void) {
    names();
    order();
    refusals();
    hand_over();
    gone();
    signals();
    threads();
    waiting_for();
    crowd();
    mq_unlink(NAME);
    limits();
    return failures != 0;
}
