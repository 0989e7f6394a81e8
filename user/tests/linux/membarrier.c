// membarrier(2): who may ask, and that a peer that uses no barrier of its own is
// seen in order. Exits with 0 if all is as on Linux; it is on Linux itself.
#define _GNU_SOURCE
#include <linux/membarrier.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { ROUNDS = 2000 };

static int membarrier(int command, unsigned flags) {
    return syscall(SYS_membarrier, command, flags, 0);
}

static atomic_int mine, its, round_of, answer, done;

// The quick side of Dekker's protocol: a store and a load, which the CPU may
// exchange, for there is no barrier between them.
static void *quick(void *unused) {
    for (int round = 1; round <= ROUNDS; round++) {
        while (atomic_load(&round_of) != round) continue;
        atomic_store_explicit(&its, 1, memory_order_relaxed);
        atomic_signal_fence(memory_order_seq_cst);
        answer = atomic_load_explicit(&mine, memory_order_relaxed);
        atomic_store(&done, round);
    }
    return unused;
}

// Of the two sides at least one sees the other.
static void order(void) {
    pthread_t peer;
    CHECK(pthread_create(&peer, NULL, quick, NULL) == 0);
    int missed = 0;
    for (int round = 1; round <= ROUNDS; round++) {
        atomic_store(&mine, 0);
        atomic_store(&its, 0);
        atomic_store(&round_of, round);
        atomic_store_explicit(&mine, 1, memory_order_relaxed);
        if (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0)) missed++;
        int seen = atomic_load_explicit(&its, memory_order_relaxed);
        while (atomic_load(&done) != round) continue;
        missed += !seen && !answer;
    }
    CHECK(missed == 0 && pthread_join(peer, NULL) == 0);
}

int main(void) {
    int known = membarrier(MEMBARRIER_CMD_QUERY, 0);
    CHECK(known > 0 && known & MEMBARRIER_CMD_GLOBAL);
    CHECK(known & MEMBARRIER_CMD_PRIVATE_EXPEDITED);
    CHECK(known & MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
    CHECK(membarrier(MEMBARRIER_CMD_GLOBAL, 0) == 0);
    CHECK(membarrier(MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0) == 0);
    CHECK(membarrier(MEMBARRIER_CMD_QUERY, 7) == -1 && errno == EINVAL);
    CHECK(membarrier(3, 0) == -1 && errno == EINVAL);
    CHECK(membarrier(1 << 30, 0) == -1 && errno == EINVAL);
    CHECK(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0) == -1 && errno == EPERM);
    CHECK(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0) == -1 && errno == EPERM);
    CHECK(membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0) == 0);
    CHECK(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0) == -1 && errno == EPERM);
    CHECK(membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE, 0) == 0);
    CHECK(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE, 0) == 0);
    order();
    // A child by fork has registered, too.
    pid_t child = fork();
    if (child == 0) _exit(membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0) != 0);
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    return failures != 0;
}
