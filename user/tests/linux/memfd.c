// Files in memory without a name, and their seals, as a Linux program sees them.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

#define FAILS(call, error) CHECK((call) == -1 && errno == (error))
enum { PAGE = 4096 };

static char data[2 * PAGE];

static int make(int seals) {
    int fd = memfd_create("test", MFD_ALLOW_SEALING);
    CHECK(fd >= 0 && write(fd, data, PAGE + 10) == PAGE + 10);
    CHECK(fcntl(fd, F_GET_SEALS) == 0 && fcntl(fd, F_ADD_SEALS, seals) == 0);
    CHECK(fcntl(fd, F_GET_SEALS) == seals);
    return fd;
}

static void test_file(void) {
    char name[300], copy[10];
    struct stat stat;
    int fd = memfd_create("name", MFD_CLOEXEC);
    CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
    CHECK(fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_size == 0);
    CHECK((stat.st_mode & 07777) == 0777 && stat.st_nlink == 0);
    CHECK(write(fd, "abc", 3) == 3 && pread(fd, copy, 10, 0) == 3 && memcmp(copy, "abc", 3) == 0);
    CHECK(fcntl(fd, F_GET_SEALS) == F_SEAL_SEAL);
    FAILS(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW), EPERM);
    close(fd);
    memset(name, 'x', sizeof name);
    name[250] = 0;
    FAILS(memfd_create(name, 0), EINVAL);
    name[249] = 0;
    fd = memfd_create(name, 0);
    CHECK(fd >= 0 && close(fd) == 0);
    FAILS(memfd_create("name", 0x1000), EINVAL);
    FAILS(memfd_create((char *)8, 0), EFAULT);
    int ends[2];
    CHECK(pipe(ends) == 0);
    FAILS(fcntl(ends[0], F_GET_SEALS), EINVAL);
    FAILS(fcntl(999, F_GET_SEALS), EBADF);
    close(ends[0]), close(ends[1]);
}

static void test_sizes(void) {
    int fd = make(F_SEAL_SHRINK);
    FAILS(ftruncate(fd, 5), EPERM);
    CHECK(ftruncate(fd, PAGE + 10) == 0 && ftruncate(fd, 2 * PAGE) == 0);
    close(fd);
    fd = make(F_SEAL_GROW);
    FAILS(ftruncate(fd, PAGE + 11), EPERM);
    FAILS(pwrite(fd, data, 11, PAGE), EPERM);
    FAILS(write(fd, data, 1), EPERM);
    FAILS(fallocate(fd, 0, 0, 2 * PAGE), EPERM);
    CHECK(pwrite(fd, data, 10, PAGE) == 10 && fallocate(fd, 0, 0, PAGE) == 0);
    // Whole pages before the end are written.
    CHECK(pwrite(fd, data, 2 * PAGE, 0) == PAGE);
    CHECK(ftruncate(fd, 5) == 0);
    FAILS(ftruncate(fd, 6), EPERM);
    FAILS(fcntl(fd, F_ADD_SEALS, 0x1000), EINVAL);
    CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL) == 0);
    FAILS(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), EPERM);
    CHECK(fcntl(fd, F_GET_SEALS) == (F_SEAL_GROW | F_SEAL_SEAL));
    close(fd);
}

static void *map(int fd, int protection, int flags) {
    return mmap(NULL, PAGE, protection, flags, fd, 0);
}

static void test_writing(void) {
    int fd = make(F_SEAL_WRITE);
    FAILS(pwrite(fd, data, 1, 0), EPERM);
    CHECK(pwrite(fd, data, 0, 0) == 0);
    CHECK(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED) == MAP_FAILED && errno == EPERM);
    char *own = map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    CHECK(own != MAP_FAILED);
    own[0] = 1;
    CHECK(munmap(own, PAGE) == 0 && ftruncate(fd, 0) == 0);
    close(fd);
    // Who can write by a mapping keeps the seal away.
    fd = make(0);
    char *shared = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
    CHECK(shared != MAP_FAILED);
    FAILS(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
    CHECK(fcntl(fd, F_GET_SEALS) == 0);
    // But not the one for what comes later.
    CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) == 0);
    shared[0] = 'x';
    FAILS(pwrite(fd, data, 1, 0), EPERM);
    CHECK(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED) == MAP_FAILED && errno == EPERM);
    char *reads = map(fd, PROT_READ, MAP_SHARED);
    CHECK(reads != MAP_FAILED && reads[0] == 'x');
    FAILS(mprotect(reads, PAGE, PROT_READ | PROT_WRITE), EACCES);
    CHECK(munmap(shared, PAGE) == 0 && munmap(reads, PAGE) == 0);
    CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0);
    close(fd);
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    test_file();
    test_sizes();
    test_writing();
    printf("%s\n", failures ? "FAILED" : "passed");
    return failures != 0;
}
