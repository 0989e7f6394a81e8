// Memory that is locked, made at once or looked at: mlock(2) and its kin,
// mincore(2), and what madvise(2) and msync(2) say to such memory.
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define PAGE 4096ul
#define BOTH (PROT_READ | PROT_WRITE)

#define REFUSED(error, ...) CHECK((__VA_ARGS__) == -1 && errno == error)

static char *map(size_t pages, int protection, int flags) {
    char *start = mmap(NULL, pages * PAGE, protection, flags | MAP_ANONYMOUS, -1, 0);
    CHECK(start != MAP_FAILED);
    return start;
}

// How many of the pages are in memory; -1 if that cannot be told.
static int present(void *start, size_t pages) {
    unsigned char bytes[600];
    memset(bytes, 0xff, sizeof bytes);
    if (mincore(start, pages * PAGE, bytes) != 0) return -1;
    CHECK(bytes[pages] == 0xff);
    int count = 0;
    for (size_t i = 0; i < pages; i++) count += bytes[i] & 1;
    return count;
}

static void pages_are_made(void) {
    char *own = map(590, BOTH, MAP_PRIVATE);
    CHECK(present(own, 590) == 0);
    own[3 * PAGE] = 1;
    CHECK(present(own, 590) == 1 && present(own + 3 * PAGE, 1) == 1);
    // Every page that the range touches.
    CHECK(mlock(own + 5 * PAGE - 1, 2) == 0 && present(own, 590) == 3);
    CHECK(present(own + 4 * PAGE, 2) == 2);
    CHECK(mlock(own, 590 * PAGE) == 0 && present(own, 590) == 590);
    CHECK(munlock(own, 590 * PAGE) == 0 && present(own, 590) == 590);
    CHECK(munmap(own, 590 * PAGE) == 0);
    own = map(4, BOTH, MAP_PRIVATE | MAP_LOCKED);
    CHECK(present(own, 4) == 4 && munmap(own, 4 * PAGE) == 0);
    own = map(4, PROT_READ, MAP_PRIVATE | MAP_POPULATE);
    CHECK(present(own, 4) == 4 && munmap(own, 4 * PAGE) == 0);
    own = map(4, BOTH, MAP_SHARED);
    CHECK(mlock(own, 4 * PAGE) == 0 && present(own, 4) == 4);
    CHECK(munmap(own, 4 * PAGE) == 0);
}

static void made_when_touched(void) {
    char *own = map(4, BOTH, MAP_PRIVATE);
    CHECK(syscall(SYS_mlock2, own, 4 * PAGE, MLOCK_ONFAULT) == 0 && present(own, 4) == 0);
    own[PAGE] = 1;
    CHECK(present(own, 4) == 1);
    CHECK(syscall(SYS_mlock2, own, 4 * PAGE, 0) == 0 && present(own, 4) == 4);
    REFUSED(EINVAL, syscall(SYS_mlock2, own, 4 * PAGE, 2));
    CHECK(munmap(own, 4 * PAGE) == 0);
}

static void refusals(void) {
    char *own = map(4, BOTH, MAP_PRIVATE);
    CHECK(munmap(own + 2 * PAGE, PAGE) == 0);
    REFUSED(ENOMEM, mlock(own, 4 * PAGE));
    REFUSED(ENOMEM, munlock(own, 4 * PAGE));
    REFUSED(EINVAL, mlock((void *)(-2 * PAGE), 3 * PAGE));
    CHECK(mlock(own, 0) == 0 && mlock((void *)(1ul << 46), 0) == 0);
    unsigned char bytes[4];
    REFUSED(ENOMEM, mincore(own, 4 * PAGE, bytes));
    REFUSED(EINVAL, mincore(own + 1, PAGE, bytes));
    REFUSED(EFAULT, mincore(own, PAGE, (unsigned char *)8));
    REFUSED(ENOMEM, mincore(own, -1ul << 20, bytes));
    CHECK(mincore(own, 0, bytes) == 0);
    CHECK(mprotect(own, PAGE, PROT_NONE) == 0);
    REFUSED(ENOMEM, mlock(own, PAGE));
    REFUSED(EINVAL, mlockall(0));
    REFUSED(EINVAL, mlockall(8));
    REFUSED(EINVAL, mlockall(4));
    CHECK(munlockall() == 0);
    CHECK(munmap(own, 4 * PAGE) == 0);
}

static void what_is_locked_is_not_given_up(void) {
    char *own = map(2, BOTH, MAP_PRIVATE), *shared = map(2, BOTH, MAP_SHARED);
    own[0] = 1;
    CHECK(mlock(own, 2 * PAGE) == 0);
    REFUSED(EINVAL, madvise(own, PAGE, MADV_DONTNEED));
    REFUSED(EINVAL, madvise(own, PAGE, MADV_FREE));
    REFUSED(EINVAL, madvise(shared, PAGE, MADV_FREE));
    CHECK(own[0] == 1 && madvise(own, 2 * PAGE, MADV_WILLNEED) == 0);
    REFUSED(EINVAL, madvise(own, PAGE, 99));
    REFUSED(EINVAL, madvise(own, PAGE, -1));
    REFUSED(EBUSY, msync(own, PAGE, MS_INVALIDATE));
    REFUSED(EBUSY, msync(own, 2 * PAGE, MS_INVALIDATE | MS_SYNC));
    CHECK(msync(own, PAGE, MS_SYNC) == 0 && msync(own, PAGE, MS_ASYNC) == 0);
    REFUSED(EINVAL, msync(own, PAGE, MS_SYNC | MS_ASYNC));
    REFUSED(EINVAL, msync(own, PAGE, 8));
    REFUSED(EINVAL, msync(own + 1, PAGE, MS_SYNC));
    CHECK(munlock(own, PAGE) == 0 && msync(own, PAGE, MS_INVALIDATE) == 0);
    CHECK(madvise(own, PAGE, MADV_DONTNEED) == 0 && own[0] == 0);
    // A child locks for itself.
    int status;
    pid_t child = fork();
    if (child == 0) _exit(madvise(own, 2 * PAGE, MADV_DONTNEED) == 0 ? 0 : 1);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(munmap(own, 2 * PAGE) == 0 && munmap(shared, 2 * PAGE) == 0);
}

static void all_at_once(void) {
    char *before = map(3, BOTH, MAP_PRIVATE);
    CHECK(mlockall(MCL_FUTURE) == 0);
    char *after = map(3, BOTH, MAP_PRIVATE);
    CHECK(present(before, 3) == 0 && present(after, 3) == 3);
    char *end = sbrk(5 * PAGE);
    char *page = (char *)(((unsigned long)end + PAGE - 1) & -PAGE);
    CHECK(present(page, 4) == 4);
    CHECK(mlockall(MCL_CURRENT) == 0 && present(before, 3) == 3);
    // What comes now is left alone again.
    char *later = map(3, BOTH, MAP_PRIVATE);
    CHECK(present(later, 3) == 0);
    CHECK(mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0);
    char *last = map(3, BOTH, MAP_PRIVATE);
    CHECK(present(later, 3) == 0 && present(last, 3) == 0);
    REFUSED(EINVAL, madvise(last, PAGE, MADV_DONTNEED));
    CHECK(munlockall() == 0 && madvise(last, PAGE, MADV_DONTNEED) == 0);
    // It grows where it moves, too.
    CHECK(mlock(last, 3 * PAGE) == 0);
    char *moved = mremap(last, 3 * PAGE, 40 * PAGE, MREMAP_MAYMOVE);
    CHECK(moved != MAP_FAILED && present(moved, 40) == 40);
    CHECK(munmap(moved, 40 * PAGE) == 0 && sbrk(-5 * (long)PAGE) != (void *)-1);
}

// Neighbours that become one region while one of them is filled.
static void alike_side_by_side(void) {
    char *p = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(p != MAP_FAILED && mlock(p + 4096, 4096) == 0 && mlock(p, 4096) == 0);
    CHECK(munlock(p, 4 * 4096) == 0 && munmap(p, 4 * 4096) == 0);
    for (int i = 0; i < 3; i++) {
        int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
        CHECK(mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags, -1, 0) != MAP_FAILED);
    }
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    pages_are_made();
    made_when_touched();
    refusals();
    what_is_locked_is_not_given_up();
    all_at_once();
    alike_side_by_side();
    printf("%s\n", failures ? "FAILED" : "passed");
    return failures != 0;
}
