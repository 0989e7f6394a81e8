// Semaphores as System V has them, as a Linux program sees them. Exits with 0 if all is
// as semget(2), semop(2) and semctl(2) say; it does on Linux itself, for root.
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "sem.h"
#include "clock.h"

#define KEY 0x57656675

static void keys(void) {
    FAILS(semget(KEY, 1, 0), ENOENT);
    FAILS(semget(KEY, 0, IPC_CREAT | 0600), EINVAL);
    FAILS(semget(KEY, -1, IPC_CREAT | 0600), EINVAL);
    FAILS(semget(KEY, 1 << 30, IPC_CREAT | 0600), EINVAL);
    int id = semget(KEY, 3, IPC_CREAT | IPC_EXCL | 0640);
    CHECK(id >= 0 && semget(KEY, 3, 0) == id && semget(KEY, 0, IPC_CREAT) == id);
    FAILS(semget(KEY, 4, 0), EINVAL);
    FAILS(semget(KEY, 1, IPC_CREAT | IPC_EXCL), EEXIST);
    struct semid_ds ds = stat_of(id);
    CHECK(ds.sem_nsems == 3 && ds.sem_otime == 0 && ds.sem_ctime != 0);
    CHECK(ds.sem_perm.__key == KEY && ds.sem_perm.mode == 0640 && ds.sem_perm.uid == 0);
    ds.sem_perm.uid = 5, ds.sem_perm.gid = 6, ds.sem_perm.mode = 01604;
    CHECK(semctl(id, 0, IPC_SET, &ds) == 0);
    ds = stat_of(id);
    CHECK(ds.sem_perm.uid == 5 && ds.sem_perm.gid == 6 && ds.sem_perm.cuid == 0);
    CHECK(ds.sem_perm.mode == 0604);
    FAILS(semctl(id, 0, 99), EINVAL);
    FAILS(semctl(-1, 0, IPC_STAT, &ds), EINVAL);
    FAILS(semctl(id + 1, 0, IPC_STAT, &ds), EINVAL);
    FAILS(semctl(id, 0, IPC_STAT, (void *)8), EFAULT);
    FAILS(semctl(id, 0, IPC_SET, (void *)8), EFAULT);
    discard(id);
    FAILS(semctl(id, 0, IPC_RMID), EINVAL);
    FAILS(semctl(id, 0, GETVAL), EINVAL);
    FAILS(OPERATE(id, {0, 1, 0}), EINVAL);
}

static void values(void) {
    int id = make(3);
    unsigned short got[3], wanted[] = {5, 0, 32767}, bad[] = {1, 1, 32768};
    CHECK(semctl(id, 0, GETALL, got) == 0 && got[0] == 0 && got[1] == 0 && got[2] == 0);
    CHECK(semctl(id, 1, GETPID) == 0);
    CHECK(semctl(id, 0, SETALL, wanted) == 0 && semctl(id, 1, GETPID) == getpid());
    CHECK(semctl(id, 0, GETALL, got) == 0 && memcmp(got, wanted, sizeof got) == 0);
    FAILS(semctl(id, 0, SETALL, bad), ERANGE);
    FAILS(semctl(id, 0, SETALL, 8), EFAULT);
    FAILS(semctl(id, 0, GETALL, 8), EFAULT);
    FAILS(semctl(id, 0, SETVAL, -1), ERANGE);
    FAILS(semctl(id, 0, SETVAL, 32768), ERANGE);
    FAILS(semctl(id, 3, SETVAL, 1), EINVAL);
    FAILS(semctl(id, -1, SETVAL, 1), EINVAL);
    int commands[] = {GETVAL, GETPID, GETNCNT, GETZCNT};
    for (int i = 0; i < 4; i++) {
        FAILS(semctl(id, 3, commands[i]), EINVAL);
        FAILS(semctl(id, -1, commands[i]), EINVAL);
    }
    CHECK(value(id, 0) == 5 && value(id, 2) == 32767);
    CHECK(semctl(id, 1, SETVAL, 32767) == 0 && value(id, 1) == 32767);
    discard(id);
}

static void operations(void) {
    int id = make(2);
    struct sembuf one = {0, 1, 0}, many[501] = {0};
    FAILS(semop(id, &one, 0), EINVAL);
    FAILS(semop(-1, &one, 1), EINVAL);
    FAILS(semop(id, many, 501), E2BIG);
    FAILS(semop(id, (void *)8, 1), EFAULT);
    FAILS(OPERATE(id, {2, 1, 0}), EFBIG);
    FAILS(OPERATE(id, {0, 1, 0}, {65535, 1, 0}), EFBIG);
    CHECK(semop(id, many, 500) == 0 && value(id, 0) == 0);
    FAILS(OPERATE(id, {0, -1, IPC_NOWAIT}), EAGAIN);
    FAILS(OPERATE(id, {0, 1, 0}, {0, 0, IPC_NOWAIT}), EAGAIN);
    CHECK(value(id, 0) == 0 && stat_of(id).sem_otime != 0);
    CHECK(OPERATE(id, {0, 3, 0}, {1, 2, 0}, {0, -1, 0}) == 0);
    CHECK(value(id, 0) == 2 && value(id, 1) == 2);
    // All or nothing.
    FAILS(OPERATE(id, {0, -2, 0}, {0, 0, 0}, {1, -3, IPC_NOWAIT}), EAGAIN);
    FAILS(OPERATE(id, {1, -2, 0}, {0, 32766, 0}), ERANGE);
    FAILS(OPERATE(id, {1, -2, SEM_UNDO}, {0, 32767, SEM_UNDO}), ERANGE);
    CHECK(value(id, 0) == 2 && value(id, 1) == 2);
    CHECK(OPERATE(id, {0, -2, 0}, {0, 0, 0}, {0, 2, 0}) == 0 && value(id, 0) == 2);
    struct timespec no_time = {0, 0}, bad = {0, 1000000000}, negative = {-1, 0};
    one.sem_op = -3;
    FAILS(semtimedop(id, &one, 1, &no_time), EAGAIN);
    FAILS(semtimedop(id, &one, 1, &bad), EINVAL);
    FAILS(semtimedop(id, &one, 1, &negative), EINVAL);
    FAILS(syscall(SYS_semtimedop, id, &one, 1L, 8L), EFAULT);
    struct timespec some = {0, 20000000};
    long long before = now(CLOCK_MONOTONIC);
    FAILS(semtimedop(id, &one, 1, &some), EAGAIN);
    CHECK(now(CLOCK_MONOTONIC) - before >= 20000000);
    CHECK(semctl(id, 0, GETNCNT) == 0);
    discard(id);
}

// Waiters go on in the order in which they came, once all they want is there.
static void waiters(void) {
    int id = make(2);
    pid_t two = OPERATOR(id, {0, -2, 0});
    until(id, 0, GETNCNT, 1);
    pid_t both = OPERATOR(id, {0, -1, 0}, {1, -1, 0});
    until(id, 0, GETNCNT, 2);
    CHECK(OPERATE(id, {0, 1, 0}) == 0);
    pid_t zero = OPERATOR(id, {0, 0, 0}, {1, 0, 0});
    until(id, 0, GETZCNT, 1);
    // The second has come to its other operation.
    CHECK(semctl(id, 0, GETNCNT) == 1 && semctl(id, 1, GETNCNT) == 1);
    CHECK(semctl(id, 1, GETZCNT) == 0 && value(id, 0) == 1);
    CHECK(OPERATE(id, {1, 1, 0}) == 0 && ended(both) == 0);
    // So both are 0 for a moment, in which the one that waits for that goes on.
    CHECK(ended(zero) == 0 && semctl(id, 0, GETPID) == zero);
    CHECK(OPERATE(id, {0, 3, 0}) == 0 && ended(two) == 0 && value(id, 0) == 1);
    CHECK(semctl(id, 0, GETPID) == two);
    // One that is let go by what another waiter does.
    pid_t last = OPERATOR(id, {1, -5, 0});
    until(id, 1, GETNCNT, 1);
    pid_t first = OPERATOR(id, {0, -3, 0}, {1, 5, 0});
    until(id, 0, GETNCNT, 1);
    CHECK(semctl(id, 0, SETVAL, 4) == 0 && ended(first) == 0 && ended(last) == 0);
    CHECK(value(id, 0) == 1 && value(id, 1) == 0);
    // One whose turn brings an error: what it must not wait for, or a value too great.
    pid_t nowait = OPERATOR(id, {0, -2, 0}, {1, -1, IPC_NOWAIT});
    until(id, 0, GETNCNT, 1);
    pid_t great = OPERATOR(id, {0, -2, 0}, {1, 32767, 0}, {1, 1, 0});
    until(id, 0, GETNCNT, 2);
    CHECK(OPERATE(id, {0, 1, 0}) == 0);
    CHECK(ended(nowait) == EAGAIN << 8 && ended(great) == ERANGE << 8);
    CHECK(value(id, 0) == 2 && value(id, 1) == 0);
    discard(id);
}

static void note(int signal) {
    (void)signal;
}

// No handler has it begin anew; a kill ends it, and it takes nothing then.
static void interrupted(void) {
    int id = make(1);
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    sigaction(SIGUSR1, &action, NULL);
    pid_t child = OPERATOR(id, {0, -1, SEM_UNDO});
    until(id, 0, GETNCNT, 1);
    kill(child, SIGUSR1);
    CHECK(ended(child) == EINTR << 8);
    child = OPERATOR(id, {0, -1, SEM_UNDO});
    until(id, 0, GETNCNT, 1);
    kill(child, SIGKILL);
    CHECK(ended(child) == SIGKILL && semctl(id, 0, GETNCNT) == 0);
    CHECK(OPERATE(id, {0, 1, 0}) == 0 && value(id, 0) == 1);
    discard(id);
}

static void removed(void) {
    int id = make(1);
    pid_t children[3];
    for (int i = 0; i < 3; i++)
        children[i] = OPERATOR(id, {0, -1, SEM_UNDO});
    until(id, 0, GETNCNT, 3);
    discard(id);
    for (int i = 0; i < 3; i++)
        CHECK(ended(children[i]) == EIDRM << 8);
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
        int id = shared[0] = make(1);
        shared[1] = round;
        CHECK(OPERATE(id, {0, -1, SEM_UNDO}) == -1 && (errno == EIDRM || errno == EINVAL));
        while (shared[1] != -1)
            sched_yield();
    }
    pthread_join(thread, NULL);
}

enum { THREADS = 8, ROUNDS = 300 };

static void *pass(void *argument) {
    int id = *(int *)argument;
    for (int round = 0; round < ROUNDS; round++) {
        int from = round % 3, to = (round + 1) % 3;
        CHECK(OPERATE(id, {from, -1, SEM_UNDO}, {to, 1, SEM_UNDO}) == 0);
        CHECK(OPERATE(id, {to, -1, 0}, {from, 1, 0}) == 0);
    }
    return NULL;
}

// Many on one set: nothing is lost, and nobody waits for ever.
static void crowd(void) {
    int id = make(3);
    unsigned short values[] = {1, 1, 1};
    pthread_t threads[THREADS];
    CHECK(semctl(id, 0, SETALL, values) == 0);
    pid_t child = fork();
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, pass, &id) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    if (child == 0)
        _exit(failures != 0);
    CHECK(ended(child) == 0);
    CHECK(semctl(id, 0, GETALL, values) == 0);
    // What the child's end has undone adds up to nothing.
    CHECK(values[0] == 1 && values[1] == 1 && values[2] == 1);
    CHECK(semctl(id, 0, GETNCNT) == 0);
    discard(id);
}

static void told(void) {
    struct seminfo limits, used;
    CHECK(semctl(0, 0, IPC_INFO, &limits) >= 0 && limits.semvmx == 32767);
    CHECK(limits.semmsl == 32000 && limits.semopm == 500 && limits.semmni == 32000);
    CHECK(semctl(0, 0, SEM_INFO, &used) >= 0);
    int sets = used.semusz, semaphores = used.semaem;
    int id = semget(KEY, 7, IPC_CREAT | 0600);
    int greatest = semctl(0, 0, SEM_INFO, &used), found = 0;
    CHECK(used.semusz == sets + 1 && used.semaem == semaphores + 7);
    for (int place = 0; place <= greatest; place++) {
        struct semid_ds ds;
        int any = semctl(place, 0, SEM_STAT, &ds);
        CHECK(any >= 0 || errno == EINVAL);
        if (any == id)
            found += ds.sem_nsems == 7 && ds.sem_perm.__key == KEY;
    }
    CHECK(found == 1);
    char line[512];
    FILE *file = fopen("/proc/sysvipc/sem", "r");
    CHECK(file && fgets(line, sizeof line, file) && strstr(line, "semid perms"));
    for (found = 0; file && fgets(line, sizeof line, file);) {
        int key, semid, perms, count;
        CHECK(sscanf(line, "%d %d %o %d", &key, &semid, &perms, &count) == 4);
        found += key == KEY && semid == id && perms == 0600 && count == 7;
    }
    CHECK(found == 1 && fclose(file) == 0);
    discard(id);
    int sem[4];
    file = fopen("/proc/sys/kernel/sem", "r");
    CHECK(file && fscanf(file, "%d %d %d %d", sem, sem + 1, sem + 2, sem + 3) == 4);
    CHECK(sem[0] == limits.semmsl && sem[1] == limits.semmns && sem[3] == limits.semmni);
    CHECK(sem[2] == limits.semopm && fclose(file) == 0);
}

// Others may do what the mode says.
static int readable, hidden;

static void as_other(void) {
    struct semid_ds ds;
    become(77, 77);
    CHECK(value(readable, 0) == 0 && semctl(readable, 0, IPC_STAT, &ds) == 0);
    CHECK(OPERATE(readable, {0, 0, 0}) == 0);
    FAILS(OPERATE(readable, {0, 1, 0}), EACCES);
    FAILS(semctl(readable, 0, SETVAL, 1), EACCES);
    FAILS(semctl(readable, 0, SETALL, 8), EACCES);
    FAILS(semctl(readable, 0, IPC_SET, &ds), EPERM);
    FAILS(semctl(readable, 0, IPC_RMID), EPERM);
    FAILS(value(hidden, 0), EACCES);
    FAILS(OPERATE(hidden, {0, 0, 0}), EACCES);
    FAILS(semctl(hidden, 0, IPC_STAT, &ds), EACCES);
    FAILS(semget(KEY, 1, 0400), EACCES);
    CHECK(semget(KEY, 1, 0) == hidden);
    int own = semget(IPC_PRIVATE, 1, 0000);
    FAILS(value(own, 0), EACCES);
    discard(own);
}

static void rights(void) {
    readable = semget(IPC_PRIVATE, 1, 0604), hidden = semget(KEY, 1, IPC_CREAT | 0600);
    in_child(as_other);
    discard(readable), discard(hidden);
}

int main(void) {
    keys();
    values();
    operations();
    waiters();
    interrupted();
    removed();
    removed_meanwhile();
    crowd();
    told();
    rights();
    return failures != 0;
}
