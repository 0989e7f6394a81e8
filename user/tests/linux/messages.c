// Message queues as System V has them, as a Linux program sees them. Exits with 0 if all
// is as msgget(2), msgop(2) and msgctl(2) say; it does on Linux itself, for root.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/syscall.h>

#include "asleep.h"
#include "child.h"

#define KEY 0x57656676
#define FAILS(call, number) CHECK((long)(call) == -1 && errno == (number))

struct message {
    long kind;
    char text[8192];
};

static int make(void) {
    int id = msgget(IPC_PRIVATE, 0600);
    CHECK(id >= 0);
    return id;
}

static void discard(int id) {
    CHECK(msgctl(id, IPC_RMID, NULL) == 0);
}

static struct msqid_ds stat_of(int id) {
    struct msqid_ds ds = {0};
    CHECK(msgctl(id, IPC_STAT, &ds) == 0);
    return ds;
}

static void set_limit(int id, int bytes) {
    struct msqid_ds ds = stat_of(id);
    ds.msg_qbytes = bytes;
    CHECK(msgctl(id, IPC_SET, &ds) == 0);
}

static int send_(int id, long kind, const char *text, int flags) {
    struct message message = {.kind = kind};
    strcpy(message.text, text);
    return msgsnd(id, &message, strlen(text), flags);
}

// Whether what comes is this message.
static int receives(int id, long wanted, int flags, long kind, const char *text) {
    struct message message = {0};
    ssize_t length = msgrcv(id, &message, sizeof message.text, wanted, flags);
    return length == (ssize_t)strlen(text) && message.kind == kind &&
           memcmp(message.text, text, length) == 0;
}

static int ended(pid_t child) {
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    return status;
}

// A child that receives once, or sends; it ends with the number of the error, or says
// by 200 that the message is another.
static pid_t receiver(int id, long wanted, int flags, size_t room, const char *text) {
    pid_t child = fork();
    if (child == 0) {
        struct message message;
        ssize_t length = msgrcv(id, &message, room, wanted, flags);
        if (length < 0)
            _exit(errno);
        _exit(length == (ssize_t)strlen(text) && !memcmp(message.text, text, length) ? 0 : 200);
    }
    until_asleep(child, child);
    return child;
}

static pid_t sender(int id, long kind, const char *text) {
    pid_t child = fork();
    if (child == 0)
        _exit(send_(id, kind, text, 0) == 0 ? 0 : errno);
    until_asleep(child, child);
    return child;
}

static void keys(void) {
    FAILS(msgget(KEY, 0), ENOENT);
    int id = msgget(KEY, IPC_CREAT | IPC_EXCL | 0640);
    CHECK(id >= 0 && msgget(KEY, 0) == id && msgget(KEY, IPC_CREAT) == id);
    FAILS(msgget(KEY, IPC_CREAT | IPC_EXCL), EEXIST);
    struct msqid_ds ds = stat_of(id);
    CHECK(ds.msg_qnum == 0 && ds.msg_qbytes == 16384 && ds.__msg_cbytes == 0);
    CHECK(ds.msg_stime == 0 && ds.msg_rtime == 0 && ds.msg_ctime != 0);
    CHECK(ds.msg_lspid == 0 && ds.msg_lrpid == 0);
    CHECK(ds.msg_perm.__key == KEY && ds.msg_perm.mode == 0640 && ds.msg_perm.uid == 0);
    ds.msg_perm.uid = 5, ds.msg_perm.gid = 6, ds.msg_perm.mode = 01604, ds.msg_qbytes = 100;
    CHECK(msgctl(id, IPC_SET, &ds) == 0);
    ds = stat_of(id);
    CHECK(ds.msg_perm.uid == 5 && ds.msg_perm.gid == 6 && ds.msg_perm.cuid == 0);
    CHECK(ds.msg_perm.mode == 0604 && ds.msg_qbytes == 100);
    FAILS(msgctl(id, 99, NULL), EINVAL);
    FAILS(msgctl(-1, IPC_STAT, &ds), EINVAL);
    FAILS(msgctl(id + 1, IPC_STAT, &ds), EINVAL);
    FAILS(msgctl(id, IPC_STAT, (void *)8), EFAULT);
    FAILS(msgctl(id, IPC_SET, (void *)8), EFAULT);
    discard(id);
    FAILS(msgctl(id, IPC_RMID, NULL), EINVAL);
    FAILS(send_(id, 1, "x", 0), EINVAL);
    FAILS(msgrcv(id, &ds, 1, 0, 0), EINVAL);
}

static void arguments(void) {
    int id = make();
    struct message message = {.kind = 1};
    FAILS(msgsnd(id, &message, 8193, 0), EINVAL);
    FAILS(msgsnd(id, &message, -1, 0), EINVAL);
    FAILS(msgsnd(-1, &message, 1, 0), EINVAL);
    FAILS(send_(id, 0, "x", 0), EINVAL);
    FAILS(send_(id, -1, "x", 0), EINVAL);
    FAILS(syscall(SYS_msgsnd, id, 8L, 1L, 0), EFAULT);
    FAILS(msgrcv(id, &message, -1, 0, 0), EINVAL);
    FAILS(msgrcv(-1, &message, 1, 0, 0), EINVAL);
    FAILS(msgrcv(id, &message, 1, 0, IPC_NOWAIT), ENOMSG);
    // What is too long stays, or is cut off.
    CHECK(send_(id, 3, "hello", 0) == 0 && send_(id, 4, "", 0) == 0);
    FAILS(msgrcv(id, &message, 4, 0, 0), E2BIG);
    CHECK(msgrcv(id, &message, 4, 0, MSG_NOERROR) == 4 && !memcmp(message.text, "hell", 4));
    CHECK(message.kind == 3 && receives(id, 0, 0, 4, ""));
    struct msqid_ds ds = stat_of(id);
    CHECK(ds.msg_qnum == 0 && ds.__msg_cbytes == 0 && ds.msg_stime != 0 && ds.msg_rtime != 0);
    CHECK(ds.msg_lspid == getpid() && ds.msg_lrpid == getpid());
    // Cannot be stored: lost.
    CHECK(send_(id, 1, "x", 0) == 0);
    FAILS(syscall(SYS_msgrcv, id, 8L, 1L, 0L, 0), EFAULT);
    CHECK(stat_of(id).msg_qnum == 0);
    discard(id);
}

static void kinds(void) {
    int id = make();
    char text[] = "a";
    for (const char *kind = "539351"; *kind; kind++, text[0]++)
        CHECK(send_(id, *kind - '0', text, 0) == 0);
    CHECK(receives(id, 3, 0, 3, "b") && receives(id, 5, MSG_EXCEPT, 9, "c"));
    CHECK(receives(id, -4, 0, 1, "f") && receives(id, -9, 0, 3, "d"));
    struct message message;
    FAILS(msgrcv(id, &message, 9, -4, IPC_NOWAIT), ENOMSG);
    FAILS(msgrcv(id, &message, 9, 5, MSG_EXCEPT | IPC_NOWAIT), ENOMSG);
    CHECK(receives(id, 0, 0, 5, "a") && receives(id, 0, 0, 5, "e"));
    discard(id);
}

// What comes goes to the first who wants it, and has room for it.
static void receivers(void) {
    int id = make();
    pid_t other = receiver(id, 7, 0, 100, "seven"), small = receiver(id, -5, 0, 2, "");
    pid_t first = receiver(id, 3, 0, 100, "three"), second = receiver(id, 0, 0, 100, "next");
    CHECK(send_(id, 3, "three", 0) == 0);
    CHECK(ended(small) == E2BIG << 8 && ended(first) == 0);
    CHECK(stat_of(id).msg_lrpid == first && stat_of(id).msg_lspid == getpid());
    CHECK(send_(id, 3, "next", 0) == 0 && ended(second) == 0);
    CHECK(send_(id, 7, "seven", 0) == 0 && ended(other) == 0 && stat_of(id).msg_qnum == 0);
    discard(id);
}

// Who waits for room has it before those who come later.
static void senders(void) {
    int id = make();
    set_limit(id, 4);
    CHECK(send_(id, 1, "abcd", 0) == 0);
    FAILS(send_(id, 1, "x", IPC_NOWAIT), EAGAIN);
    CHECK(send_(id, 1, "", IPC_NOWAIT) == 0);
    CHECK(stat_of(id).msg_qnum == 2 && receives(id, 0, 0, 1, "abcd") && receives(id, 0, 0, 1, ""));
    CHECK(send_(id, 1, "abc", 0) == 0);
    pid_t long_ = sender(id, 2, "efgh"), short_ = sender(id, 3, "ij");
    CHECK(send_(id, 4, "d", 0) == 0 && receives(id, 1, 0, 1, "abc"));
    // Not room enough for the first, but for the second.
    CHECK(ended(short_) == 0 && receives(id, 3, 0, 3, "ij") && receives(id, 0, 0, 4, "d"));
    CHECK(ended(long_) == 0 && receives(id, 0, 0, 2, "efgh"));
    // More room by another limit.
    CHECK(send_(id, 1, "abcd", 0) == 0);
    long_ = sender(id, 2, "efgh");
    set_limit(id, 8);
    CHECK(ended(long_) == 0 && stat_of(id).msg_qnum == 2 && stat_of(id).__msg_cbytes == 8);
    discard(id);
    // As many messages as bytes, even if they are empty.
    id = make();
    set_limit(id, 2);
    CHECK(send_(id, 1, "", 0) == 0 && send_(id, 1, "", 0) == 0);
    FAILS(send_(id, 1, "", IPC_NOWAIT), EAGAIN);
    discard(id);
}

static void note(int signal) {
    (void)signal;
}

// No handler has it begin anew; a kill ends it, and nothing is taken or sent then.
static void interrupted(void) {
    int id = make();
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    pid_t child = receiver(id, 0, 0, 9, "");
    kill(child, SIGUSR1);
    CHECK(ended(child) == EINTR << 8);
    child = receiver(id, 0, 0, 9, "");
    kill(child, SIGKILL);
    CHECK(ended(child) == SIGKILL);
    set_limit(id, 4);
    CHECK(send_(id, 1, "abcd", 0) == 0);
    child = sender(id, 2, "x");
    kill(child, SIGUSR1);
    CHECK(ended(child) == EINTR << 8);
    child = sender(id, 2, "x");
    kill(child, SIGKILL);
    CHECK(ended(child) == SIGKILL && receives(id, 0, 0, 1, "abcd"));
    CHECK(stat_of(id).msg_qnum == 0);
    discard(id);
}

static void removed(void) {
    int id = make();
    pid_t waits = receiver(id, 2, 0, 9, "");
    set_limit(id, 4);
    CHECK(send_(id, 1, "abcd", 0) == 0);
    pid_t sends = sender(id, 1, "x");
    discard(id);
    CHECK(ended(waits) == EIDRM << 8 && ended(sends) == EIDRM << 8);
}

// One removes while another begins to wait: it is told so in any case.
static void *remove_soon(void *shared) {
    atomic_int *id = shared;
    for (int round = 0; round < 500; round++) {
        while (id[1] != round)
            sched_yield();
        discard(id[0]);
        id[1] = -1;
    }
    return NULL;
}

static void removed_meanwhile(void) {
    atomic_int shared[2] = {0, -1};
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, remove_soon, shared) == 0);
    for (int round = 0; round < 500; round++) {
        struct message message;
        int id = shared[0] = make();
        shared[1] = round;
        CHECK(msgrcv(id, &message, 1, 0, 0) == -1 && (errno == EIDRM || errno == EINVAL));
        while (shared[1] != -1)
            sched_yield();
    }
    pthread_join(thread, NULL);
}

enum { THREADS = 4, MESSAGES = 500 };

static int crowded;
static atomic_int received[THREADS * MESSAGES];

static void *send_many(void *first) {
    struct message message = {.kind = 1};
    for (int i = 0; i < MESSAGES; i++) {
        int number = *(int *)first + i;
        message.kind = 1 + number % 3;
        memcpy(message.text, &number, sizeof number);
        CHECK(msgsnd(crowded, &message, sizeof number, 0) == 0);
    }
    return NULL;
}

static void *receive_many(void *argument) {
    (void)argument;
    for (int i = 0; i < MESSAGES; i++) {
        struct message message;
        int number;
        CHECK(msgrcv(crowded, &message, sizeof message.text, -3, 0) == sizeof number);
        memcpy(&number, message.text, sizeof number);
        CHECK(number >= 0 && number < THREADS * MESSAGES && message.kind == 1 + number % 3);
        received[number]++;
    }
    return NULL;
}

// Many on one queue that holds few: each message comes to one of them.
static void crowd(void) {
    pthread_t threads[2 * THREADS];
    int first[THREADS];
    crowded = make();
    set_limit(crowded, 5 * sizeof(int));
    for (int i = 0; i < THREADS; i++) {
        first[i] = i * MESSAGES;
        CHECK(pthread_create(&threads[2 * i], NULL, send_many, &first[i]) == 0);
        CHECK(pthread_create(&threads[2 * i + 1], NULL, receive_many, NULL) == 0);
    }
    for (int i = 0; i < 2 * THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < THREADS * MESSAGES; i++)
        CHECK(received[i] == 1);
    CHECK(stat_of(crowded).msg_qnum == 0);
    discard(crowded);
}

static void told(void) {
    struct msginfo limits, used;
    CHECK(msgctl(0, IPC_INFO, (void *)&limits) >= 0 && limits.msgmax == 8192);
    CHECK(limits.msgmnb == 16384 && limits.msgmni == 32000);
    CHECK(msgctl(0, MSG_INFO, (void *)&used) >= 0);
    int queues = used.msgpool, messages = used.msgmap, bytes = used.msgtql;
    int id = msgget(KEY, IPC_CREAT | 0600), found = 0;
    CHECK(send_(id, 1, "hello", 0) == 0 && send_(id, 1, "you", 0) == 0);
    int greatest = msgctl(0, MSG_INFO, (void *)&used);
    CHECK(used.msgpool == queues + 1 && used.msgmap == messages + 2 && used.msgtql == bytes + 8);
    for (int place = 0; place <= greatest; place++) {
        struct msqid_ds ds;
        int any = msgctl(place, MSG_STAT, &ds);
        CHECK(any >= 0 || errno == EINVAL);
        if (any == id)
            found += ds.msg_qnum == 2 && ds.msg_perm.__key == KEY;
    }
    CHECK(found == 1);
    char line[512];
    FILE *file = fopen("/proc/sysvipc/msg", "r");
    CHECK(file && fgets(line, sizeof line, file) && strstr(line, "msqid perms"));
    for (found = 0; file && fgets(line, sizeof line, file);) {
        int key, msqid, perms, size, count;
        CHECK(sscanf(line, "%d %d %o %d %d", &key, &msqid, &perms, &size, &count) == 5);
        found += key == KEY && msqid == id && perms == 0600 && size == 8 && count == 2;
    }
    CHECK(found == 1 && fclose(file) == 0);
    discard(id);
    CHECK(msgctl(0, MSG_INFO, (void *)&used) >= 0 && used.msgpool == queues);
    CHECK(used.msgmap == messages && used.msgtql == bytes);
    int most = 0;
    file = fopen("/proc/sys/kernel/msgmax", "r");
    CHECK(file && fscanf(file, "%d", &most) == 1 && most == 8192 && fclose(file) == 0);
}

// Others may do what the mode says.
static int readable, hidden;

static void as_other(void) {
    struct msqid_ds ds;
    become(77, 77);
    CHECK(msgctl(readable, IPC_STAT, &ds) == 0);
    struct message message;
    FAILS(msgrcv(readable, &message, 9, 0, IPC_NOWAIT), ENOMSG);
    FAILS(send_(readable, 1, "x", 0), EACCES);
    FAILS(msgctl(readable, IPC_SET, &ds), EPERM);
    FAILS(msgctl(readable, IPC_RMID, NULL), EPERM);
    FAILS(send_(hidden, 1, "x", 0), EACCES);
    FAILS(msgctl(hidden, IPC_STAT, &ds), EACCES);
    FAILS(msgget(KEY, 0400), EACCES);
    CHECK(msgget(KEY, 0) == hidden);
    int own = make();
    ds = stat_of(own);
    ds.msg_qbytes = 16385;
    FAILS(msgctl(own, IPC_SET, &ds), EPERM);
    discard(own);
}

static void rights(void) {
    readable = msgget(IPC_PRIVATE, 0604), hidden = msgget(KEY, IPC_CREAT | 0600);
    in_child(as_other);
    discard(readable), discard(hidden);
}

int main(void) {
    keys();
    arguments();
    kinds();
    receivers();
    senders();
    interrupted();
    removed();
    removed_meanwhile();
    crowd();
    told();
    rights();
    return failures != 0;
}
