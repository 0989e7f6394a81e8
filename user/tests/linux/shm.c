// Shared memory as System V has it, as a Linux program sees it. Exits with 0 if all is
// as shmget(2), shmop(2) and shmctl(2) say; it does on Linux itself, for root.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define KEY 0x57656674
#define FAILS(call, number) CHECK((long)(call) == -1 && errno == (number))

static const long page = 4096;

static struct shmid_ds stat_of(int id) {
    struct shmid_ds ds = {0};
    CHECK(shmctl(id, IPC_STAT, &ds) == 0);
    return ds;
}

static int ended(pid_t child) {
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    return status;
}

static void keys(void) {
    FAILS(shmget(KEY, 1, 0), ENOENT);
    FAILS(shmget(KEY, 0, IPC_CREAT | 0600), EINVAL);
    FAILS(shmget(KEY, -1UL, IPC_CREAT | 0600), EINVAL);
    int id = shmget(KEY, 5000, IPC_CREAT | IPC_EXCL | 0640);
    CHECK(id >= 0 && shmget(KEY, 5000, 0) == id && shmget(KEY, 0, IPC_CREAT) == id);
    FAILS(shmget(KEY, 5001, 0), EINVAL);
    FAILS(shmget(KEY, 1, IPC_CREAT | IPC_EXCL), EEXIST);
    struct shmid_ds ds = stat_of(id);
    CHECK(ds.shm_segsz == 5000 && ds.shm_nattch == 0 && ds.shm_cpid == getpid());
    CHECK(ds.shm_perm.__key == KEY && ds.shm_perm.mode == 0640);
    CHECK(ds.shm_perm.uid == 0 && ds.shm_perm.cuid == 0 && ds.shm_lpid == 0);
    CHECK(ds.shm_atime == 0 && ds.shm_dtime == 0 && ds.shm_ctime != 0);
    ds.shm_perm.uid = 5, ds.shm_perm.gid = 6, ds.shm_perm.mode = 01604;
    CHECK(shmctl(id, IPC_SET, &ds) == 0);
    ds = stat_of(id);
    CHECK(ds.shm_perm.uid == 5 && ds.shm_perm.gid == 6 && ds.shm_perm.cuid == 0);
    CHECK(ds.shm_perm.mode == 0604);
    CHECK(shmctl(id, SHM_LOCK, NULL) == 0 && stat_of(id).shm_perm.mode == (SHM_LOCKED | 0604));
    CHECK(shmctl(id, SHM_UNLOCK, NULL) == 0 && stat_of(id).shm_perm.mode == 0604);
    FAILS(shmctl(id, 99, NULL), EINVAL);
    FAILS(shmctl(-1, IPC_STAT, &ds), EINVAL);
    FAILS(shmctl(id + 1, IPC_STAT, &ds), EINVAL);
    FAILS(shmctl(id, IPC_STAT, (void *)8), EFAULT);
    FAILS(shmctl(id, IPC_SET, (void *)8), EFAULT);
    CHECK(shmctl(id, IPC_RMID, NULL) == 0);
    FAILS(shmctl(id, IPC_RMID, NULL), EINVAL);
    FAILS(shmat(id, NULL, 0), EINVAL);
    int again = shmget(KEY, 1, IPC_CREAT | 0600);
    CHECK(again >= 0 && again != id && shmctl(again, IPC_RMID, NULL) == 0);
}

static void addresses(void) {
    int id = shmget(IPC_PRIVATE, 2 * page, 0600);
    char *room = mmap(NULL, 8 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    FAILS(shmat(id, room + 1, 0), EINVAL);
    FAILS(shmat(id, room, 0), EINVAL);
    FAILS(shmat(id, NULL, SHM_REMAP), EINVAL);
    FAILS(shmat(id, room + 1, SHM_REMAP), EINVAL);
    CHECK(shmat(id, room + page + 5, SHM_REMAP | SHM_RND) == room + page);
    strcpy(room + page, "here");
    CHECK(munmap(room + 4 * page, 2 * page) == 0);
    CHECK(shmat(id, room + 4 * page + 9, SHM_RND) == room + 4 * page);
    CHECK(strcmp(room + 4 * page, "here") == 0);
    CHECK(shmat(id, room + 4 * page, SHM_REMAP | SHM_RDONLY) == room + 4 * page);
    CHECK(stat_of(id).shm_nattch == 2);
    CHECK(mprotect(room + 4 * page, page, PROT_READ | PROT_WRITE) == -1 && errno == EACCES);
    int pipe_[2];
    CHECK(pipe(pipe_) == 0 && write(pipe_[1], "x", 1) == 1);
    CHECK(read(pipe_[0], room + 4 * page, 1) == -1 && errno == EFAULT);
    close(pipe_[0]), close(pipe_[1]);
    FAILS(shmdt(room), EINVAL);
    FAILS(shmdt(room + page + 1), EINVAL);
    FAILS(shmdt(room + 2 * page), EINVAL);
    FAILS(shmdt(NULL), EINVAL);
    // A piece that was unmapped, or whose rights differ, is part of it nevertheless.
    CHECK(munmap(room + page, page) == 0 && stat_of(id).shm_nattch == 2);
    CHECK(shmdt(room + page) == 0 && stat_of(id).shm_nattch == 1);
    FAILS(shmdt(room + page), EINVAL);
    CHECK(mprotect(room + 5 * page, page, PROT_NONE) == 0);
    CHECK(shmdt(room + 4 * page) == 0 && stat_of(id).shm_nattch == 0);
    CHECK(mincore(room + 5 * page, page, (void *)&(char){0}) == -1 && errno == ENOMEM);
    CHECK(munmap(room, page) == 0);
    // What is unmapped as a whole is detached.
    room = shmat(id, NULL, 0);
    CHECK(munmap(room, 2 * page) == 0 && stat_of(id).shm_nattch == 0);
    CHECK(shmctl(id, IPC_RMID, NULL) == 0);
    // Code can be run from it if it is asked for.
    id = shmget(IPC_PRIVATE, 1, 0700);
    unsigned char *code = shmat(id, NULL, SHM_EXEC);
    memcpy(code, "\xb8\x2a\0\0\0\xc3", 6);
    CHECK(((int (*)(void))code)() == 42);
    CHECK(shmdt(code) == 0 && shmctl(id, IPC_RMID, NULL) == 0);
}

// It is counted through fork, exec and exit, and goes with the last who has it.
static void lives(const char *self) {
    int id = shmget(KEY, page, IPC_CREAT | 0600), to[2], from[2];
    atomic_int *word = shmat(id, NULL, 0);
    CHECK(stat_of(id).shm_nattch == 1 && stat_of(id).shm_lpid == getpid());
    CHECK(pipe(to) == 0 && pipe(from) == 0);
    pid_t child = fork();
    if (child == 0) {
        char byte;
        word[1] = stat_of(id).shm_nattch;
        CHECK(write(from[1], "x", 1) == 1 && read(to[0], &byte, 1) == 1);
        execl(self, self, "exec", NULL);
        _exit(1);
    }
    char byte;
    CHECK(read(from[0], &byte, 1) == 1 && word[1] == 2 && stat_of(id).shm_nattch == 2);
    CHECK(shmctl(id, IPC_RMID, NULL) == 0);
    struct shmid_ds ds = stat_of(id);
    CHECK(ds.shm_perm.mode == (SHM_DEST | 0600) && ds.shm_perm.__key == IPC_PRIVATE);
    FAILS(shmget(KEY, 1, 0), ENOENT);
    // Who knows its id still finds it.
    void *second = shmat(id, NULL, 0);
    CHECK(second != (void *)-1 && stat_of(id).shm_nattch == 3 && shmdt(second) == 0);
    CHECK(write(to[1], "x", 1) == 1 && ended(child) == 0);
    ds = stat_of(id);
    CHECK(ds.shm_nattch == 1 && ds.shm_lpid == child && ds.shm_dtime != 0);
    child = fork();
    if (child == 0) {
        word[0] = 7;
        kill(getpid(), 9);
    }
    CHECK(ended(child) == 9 && word[0] == 7 && stat_of(id).shm_nattch == 1);
    CHECK(shmdt(word) == 0);
    FAILS(shmctl(id, IPC_STAT, &ds), EINVAL);
    close(to[0]), close(to[1]), close(from[0]), close(from[1]);
}

static void told(void) {
    struct shminfo limits;
    struct shm_info used;
    CHECK(shmctl(0, IPC_INFO, (void *)&limits) >= 0 && limits.shmmin == 1 && limits.shmmni == 4096);
    CHECK(shmctl(0, SHM_INFO, (void *)&used) >= 0);
    int before = used.used_ids;
    unsigned long pages = used.shm_tot;
    int id = shmget(KEY, 3 * page, IPC_CREAT | 0600);
    int greatest = shmctl(0, SHM_INFO, (void *)&used);
    CHECK(used.used_ids == before + 1 && used.shm_tot == pages + 3);
    int found = 0;
    for (int place = 0; place <= greatest; place++) {
        struct shmid_ds ds;
        int any = shmctl(place, SHM_STAT, &ds);
        CHECK(any >= 0 || errno == EINVAL);
        if (any == id)
            found += ds.shm_segsz == (size_t)(3 * page) && ds.shm_perm.__key == KEY;
    }
    CHECK(found == 1);
    char line[512];
    FILE *file = fopen("/proc/sysvipc/shm", "r");
    CHECK(file && fgets(line, sizeof line, file) && strstr(line, "shmid perms"));
    for (found = 0; file && fgets(line, sizeof line, file);) {
        int key, shmid, perms;
        unsigned long size;
        CHECK(sscanf(line, "%d %d %o %lu", &key, &shmid, &perms, &size) == 4);
        found += key == KEY && shmid == id && perms == 0600 && size == (size_t)(3 * page);
    }
    CHECK(found == 1 && fclose(file) == 0);
    CHECK(shmctl(id, IPC_RMID, NULL) == 0);
    CHECK(shmctl(0, SHM_INFO, (void *)&used) >= 0 && used.used_ids == before);
    CHECK(used.shm_tot == pages);
}

// Others may do what the mode says.
static void rights(void) {
    int mine = shmget(IPC_PRIVATE, page, 0604), keyed = shmget(KEY, page, IPC_CREAT | 0600);
    pid_t child = fork();
    if (child == 0) {
        struct shmid_ds ds;
        CHECK(setgid(77) == 0 && setuid(77) == 0);
        FAILS(shmat(mine, NULL, 0), EACCES);
        FAILS(shmat(mine, NULL, SHM_RDONLY | SHM_EXEC), EACCES);
        CHECK(shmat(mine, NULL, SHM_RDONLY) != (void *)-1 && shmctl(mine, IPC_STAT, &ds) == 0);
        FAILS(shmctl(keyed, IPC_STAT, &ds), EACCES);
        FAILS(shmget(KEY, page, 0400), EACCES);
        CHECK(shmget(KEY, page, 0) == keyed);
        FAILS(shmctl(mine, IPC_SET, &ds), EPERM);
        FAILS(shmctl(mine, IPC_RMID, NULL), EPERM);
        int own = shmget(IPC_PRIVATE, page, 0000);
        FAILS(shmat(own, NULL, 0), EACCES);
        CHECK(shmctl(own, IPC_RMID, NULL) == 0);
        _exit(failures != 0);
    }
    CHECK(ended(child) == 0);
    CHECK(shmctl(mine, IPC_RMID, NULL) == 0 && shmctl(keyed, IPC_RMID, NULL) == 0);
}

// One attaches while another removes: it has it, or is told that there is none.
static void race(void) {
    atomic_int *shared = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child = fork();
    if (child == 0) {
        for (int seen = 0; seen < 500;) {
            int round = shared[0];
            if (round == seen)
                continue;
            seen = round;
            int *word = shmat(shared[1], NULL, 0);
            if (word != (void *)-1)
                CHECK(*word == seen && shmdt(word) == 0);
            else
                CHECK(errno == EINVAL || errno == EIDRM);
            shared[2] = seen;
        }
        _exit(failures != 0);
    }
    for (int round = 1; round <= 500; round++) {
        int id = shmget(IPC_PRIVATE, page, 0600);
        int *word = shmat(id, NULL, 0);
        *word = round;
        CHECK(shmdt(word) == 0);
        shared[1] = id;
        shared[0] = round;
        CHECK(shmctl(id, IPC_RMID, NULL) == 0);
        while (shared[2] != round)
            sched_yield();
        FAILS(shmctl(id, IPC_RMID, NULL), EINVAL);
    }
    CHECK(ended(child) == 0);
}

int main(int argc, char **argv) {
    if (argc > 1)
        return 0;
    keys();
    addresses();
    lives(argv[0]);
    told();
    rights();
    race();
    return failures != 0;
}
