// mremap(2): in place and elsewhere, private and shared, and what it refuses.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define PAGE 4096ul
#define BOTH (PROT_READ | PROT_WRITE)
#define OWN (MAP_PRIVATE | MAP_ANONYMOUS)

static char *map(size_t pages, int flags) {
    char *start = mmap(NULL, pages * PAGE, BOTH, flags | MAP_ANONYMOUS, -1, 0);
    CHECK(start != MAP_FAILED);
    return start;
}

// Room for `pages` pages, and nothing above and below.
static char *reserve(size_t pages) {
    char *start = mmap(NULL, (pages + 2) * PAGE, PROT_NONE, OWN, -1, 0);
    CHECK(start != MAP_FAILED);
    return start + PAGE;
}

static void number(char *start, size_t pages) {
    for (size_t i = 0; i < pages; i++) start[i * PAGE] = (char)(i + 1);
}

static int is_numbered(const char *start, size_t pages) {
    for (size_t i = 0; i < pages; i++)
        if (start[i * PAGE] != (char)(i + 1)) return 0;
    return 1;
}

static int is_mapped(char *page) {
    return msync(page, PAGE, MS_ASYNC) == 0;
}

// The signal that a read there ends with, or 0.
static int ends_with(volatile char *page) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        (void)*page;
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

static void in_place(void) {
    char *room = reserve(8);
    CHECK(munmap(room, 8 * PAGE) == 0);
    CHECK(mmap(room, 4 * PAGE, BOTH, OWN | MAP_FIXED, -1, 0) == room);
    number(room, 4);
    CHECK(mremap(room, 4 * PAGE, 8 * PAGE, 0) == room && is_numbered(room, 4));
    CHECK(room[7 * PAGE] == 0 && (room[7 * PAGE] = 1));
    // The page above is taken.
    CHECK(mremap(room, 8 * PAGE, 9 * PAGE, 0) == MAP_FAILED && errno == ENOMEM);
    CHECK(mremap(room, 8 * PAGE, 8 * PAGE, 0) == room);
    CHECK(mremap(room, 8 * PAGE, 3 * PAGE + 1, 0) == room && is_numbered(room, 4));
    CHECK(is_mapped(room + 3 * PAGE) && !is_mapped(room + 4 * PAGE));
    // From the middle it cannot grow, as the rest is above.
    CHECK(mremap(room, PAGE, 2 * PAGE, 0) == MAP_FAILED && errno == ENOMEM);
    // But it can become shorter.
    CHECK(mremap(room + PAGE, 2 * PAGE, PAGE, 0) == room + PAGE);
    CHECK(is_mapped(room + PAGE) && !is_mapped(room + 2 * PAGE) && is_mapped(room + 3 * PAGE));
    CHECK(munmap(room - PAGE, 10 * PAGE) == 0);
}

static void elsewhere(void) {
    // More than a page table holds.
    size_t pages = 1500;
    char *old = map(pages, MAP_PRIVATE);
    number(old, pages);
    char *room = reserve(pages + 7);
    CHECK(mremap(old, pages * PAGE, (pages + 7) * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, room) == room);
    CHECK(is_numbered(room, pages) && room[(pages + 6) * PAGE] == 0);
    CHECK(!is_mapped(old) && !is_mapped(old + (pages - 1) * PAGE));
    // Shorter on the way: the rest is unmapped where it was.
    char *back = reserve(2);
    CHECK(mremap(room, 4 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, back) == back);
    CHECK(is_numbered(back, 2) && !is_mapped(room) && !is_mapped(room + 3 * PAGE));
    CHECK(is_mapped(room + 4 * PAGE) && room[4 * PAGE] == 5);
    // It moves by itself where it cannot grow: the reserved page is above.
    char *moved = mremap(back, 2 * PAGE, 600 * PAGE, MREMAP_MAYMOVE);
    CHECK(moved != MAP_FAILED && moved != back && is_numbered(moved, 2) && !is_mapped(back));
    CHECK(munmap(moved, 600 * PAGE) == 0);
    CHECK(munmap(room + 4 * PAGE, (pages + 3) * PAGE) == 0);
}

static void rights_move_too(void) {
    char *old = map(3, MAP_PRIVATE);
    number(old, 3);
    CHECK(mprotect(old + PAGE, PAGE, PROT_READ) == 0);
    char *room = reserve(4);
    int fixed = MREMAP_MAYMOVE | MREMAP_FIXED;
    // Three mappings now: they do not grow together.
    CHECK(mremap(old, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
    CHECK(mremap(old + PAGE, PAGE, PAGE, fixed, room) == room && room[0] == 2);
    int status;
    pid_t child = fork();
    if (child == 0) {
        *(volatile char *)room = 1;
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status));
    CHECK(old[0] == 1 && old[2 * PAGE] == 3 && ends_with(old + PAGE) == SIGSEGV);
}

// What a child shares until one of them writes.
static void copies_stay_apart(void) {
    char *old = map(2, MAP_PRIVATE);
    number(old, 2);
    int status;
    pid_t child = fork();
    if (child == 0) {
        char *moved = mremap(old, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE);
        if (moved == MAP_FAILED || !is_numbered(moved, 2)) _exit(1);
        moved[0] = 9;
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0 && is_numbered(old, 2));
}

static void old_range_may_stay(void) {
    char *old = map(2, MAP_PRIVATE);
    number(old, 2);
    int flags = MREMAP_MAYMOVE | MREMAP_DONTUNMAP;
    char *moved = mremap(old, 2 * PAGE, 2 * PAGE, flags, NULL);
    CHECK(moved != MAP_FAILED && moved != old && is_numbered(moved, 2));
    CHECK(old[0] == 0 && old[PAGE] == 0 && (old[0] = 7) && moved[0] == 1);
    char *room = reserve(2);
    CHECK(mremap(moved, 2 * PAGE, 2 * PAGE, flags | MREMAP_FIXED, room) == room);
    CHECK(is_numbered(room, 2) && moved[0] == 0);
    CHECK(mremap(room, 2 * PAGE, 3 * PAGE, flags, NULL) == MAP_FAILED && errno == EINVAL);
}

static void shared_memory(void) {
    char *old = map(2, MAP_SHARED);
    number(old, 2);
    // A length of nothing maps the same once more.
    char *again = mremap(old, 0, 2 * PAGE, MREMAP_MAYMOVE);
    CHECK(again != MAP_FAILED && again != old && is_numbered(again, 2));
    again[0] = 5;
    CHECK(old[0] == 5);
    CHECK(mremap(old, 0, 2 * PAGE, 0) == MAP_FAILED && errno == ENOMEM);
    char *half = mremap(old + PAGE, 0, PAGE, MREMAP_MAYMOVE);
    CHECK(half != MAP_FAILED && half[0] == 2);
    char *moved = mremap(old, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
    CHECK(moved != MAP_FAILED && moved[0] == 5 && (moved[1] = 6) && again[1] == 6);
    // It grows, but what is shared does not.
    CHECK(ends_with(moved + 2 * PAGE) == SIGBUS);
    char *own = map(1, MAP_PRIVATE);
    CHECK(mremap(own, 0, PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EINVAL);
}

static void files(int flags) {
    char name[] = "/tmp/mremapXXXXXX";
    int file = mkstemp(name);
    CHECK(file >= 0 && unlink(name) == 0 && ftruncate(file, 8 * PAGE) == 0);
    for (int i = 0; i < 8; i++) {
        char byte = (char)(i + 1);
        CHECK(pwrite(file, &byte, 1, i * PAGE) == 1);
    }
    char *room = reserve(8);
    CHECK(munmap(room, 8 * PAGE) == 0);
    CHECK(mmap(room, 2 * PAGE, BOTH, flags | MAP_FIXED, file, 0) == room);
    room[PAGE + 1] = 50;
    // In place, again and again, and each time it is one mapping.
    for (size_t pages = 2; pages < 8; pages++)
        CHECK(mremap(room, pages * PAGE, (pages + 1) * PAGE, 0) == room);
    CHECK(is_numbered(room, 8) && room[PAGE + 1] == 50);
    room[6 * PAGE + 1] = 60;
    char *moved = mremap(room + PAGE, 7 * PAGE, 7 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
                         reserve(7));
    CHECK(moved != MAP_FAILED && moved[0] == 2 && moved[1] == 50 && moved[5 * PAGE + 1] == 60);
    CHECK(moved[6 * PAGE] == 8 && room[0] == 1 && !is_mapped(room + PAGE));
    char byte;
    CHECK(pread(file, &byte, 1, 6 * PAGE + 1) == 1 && byte == (flags == MAP_SHARED ? 60 : 0));
    // The cache finds the pages where they are now.
    CHECK(ftruncate(file, 3 * PAGE) == 0);
    CHECK(moved[PAGE] == 3 && ends_with(moved + 2 * PAGE) == SIGBUS);
    CHECK(ftruncate(file, 8 * PAGE) == 0);
    CHECK(moved[6 * PAGE] == 0);
    CHECK(msync(moved, 7 * PAGE, MS_SYNC) == 0 && close(file) == 0);
}

static void refusals(void) {
    char *own = map(4, MAP_PRIVATE);
    int fixed = MREMAP_MAYMOVE | MREMAP_FIXED;
#define REFUSED(error, ...) CHECK(mremap(__VA_ARGS__) == MAP_FAILED && errno == error)
    REFUSED(EINVAL, own, PAGE, PAGE, 8);
    REFUSED(EINVAL, own, PAGE, PAGE, MREMAP_FIXED, own + 8 * PAGE);
    REFUSED(EINVAL, own, PAGE, PAGE, MREMAP_DONTUNMAP, NULL);
    REFUSED(EINVAL, own + 1, PAGE, PAGE, 0);
    REFUSED(EINVAL, own, PAGE, 0, 0);
    REFUSED(EINVAL, own, PAGE, PAGE, fixed, own + 1);
    REFUSED(EINVAL, own, 2 * PAGE, 2 * PAGE, fixed, own + PAGE);
    REFUSED(EINVAL, own + PAGE, PAGE, 2 * PAGE, fixed, own);
    REFUSED(EINVAL, own, PAGE, PAGE, fixed, (void *)-PAGE);
    REFUSED(EINVAL, own, PAGE, 1ul << 47, fixed, reserve(1));
    REFUSED(EFAULT, own, 5 * PAGE, 6 * PAGE, MREMAP_MAYMOVE);
    REFUSED(ENOMEM, own, PAGE, (1ul << 47) - 2 * PAGE, MREMAP_MAYMOVE);
    CHECK(munmap(own + PAGE, PAGE) == 0);
    REFUSED(EFAULT, own + PAGE, PAGE, PAGE, 0);
    REFUSED(EFAULT, own, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
    REFUSED(EFAULT, (void *)PAGE, PAGE, PAGE, 0);
}

static volatile uint32_t *counter;
static volatile int done;

static void *count(void *unused) {
    (void)unused;
    uint32_t last = 0;
    while (!done) {
        volatile uint32_t *now = __atomic_load_n(&counter, __ATOMIC_ACQUIRE);
        uint32_t value = __atomic_load_n(now, __ATOMIC_RELAXED);
        if (value < last) return "it went back";
        last = value;
    }
    return NULL;
}

// A peer goes on reading at the old place, which stays mapped, shared: whatever
// each CPU has of it, the value does not go back.
static void while_peers_read(void) {
    char *page = map(1, MAP_SHARED);
    counter = (volatile uint32_t *)page;
    pthread_t peer;
    void *wrong;
    CHECK(pthread_create(&peer, NULL, count, NULL) == 0);
    for (int i = 0; i < 2000; i++) {
        ++*counter;
        char *moved = mremap(page, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
        CHECK(moved != MAP_FAILED);
        __atomic_store_n(&counter, (volatile uint32_t *)moved, __ATOMIC_RELEASE);
        ++*counter;
        if (i % 64 == 63) sched_yield();
        page = moved;
    }
    done = 1;
    CHECK(pthread_join(peer, &wrong) == 0 && wrong == NULL);
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    in_place();
    elsewhere();
    rights_move_too();
    copies_stay_apart();
    old_range_may_stay();
    shared_memory();
    files(MAP_SHARED);
    files(MAP_PRIVATE);
    refusals();
    while_peers_read();
    printf("%s\n", failures ? "FAILED" : "passed");
    return failures != 0;
}
