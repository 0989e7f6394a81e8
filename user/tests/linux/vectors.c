// preadv, pwritev and the newer ones with flags, and advice, as a Linux program
// sees them.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"

#define FAILS(call, error) CHECK((call) == -1 && errno == (error))

static void test_flags(int fd, int ends[2]) {
    char text[20] = "";
    struct iovec part = {"ab", 2}, into = {text, 10};
    // To the end, wherever it is to be.
    CHECK(lseek(fd, 1, SEEK_SET) == 1);
    CHECK(pwritev2(fd, &part, 1, 0, RWF_APPEND) == 2 && lseek(fd, 0, SEEK_CUR) == 1);
    CHECK(pwritev2(fd, &part, 1, -1, RWF_APPEND | RWF_SYNC) == 2);
    CHECK(lseek(fd, 0, SEEK_CUR) == 14 && lseek(fd, 0, SEEK_END) == 14);
    CHECK(pwritev2(fd, &part, 1, 3, RWF_DSYNC) == 2 && lseek(fd, 4, SEEK_SET) == 4);
    CHECK(pwritev2(fd, &part, 1, -1, RWF_HIPRI) == 2 && lseek(fd, 0, SEEK_CUR) == 6);
    CHECK(preadv2(fd, &into, 1, -1, 0) == 8 && memcmp(text, "6789abab", 8) == 0);
    CHECK(preadv2(fd, &into, 1, 2, RWF_HIPRI) == 10 && memcmp(text, "2aab6789ab", 10) == 0);
    // Without an offset a pipe will do.
    CHECK(pwritev2(ends[1], &part, 1, -1, RWF_APPEND | RWF_SYNC) == 2);
    CHECK(preadv2(ends[0], &into, 1, -1, 0) == 2);
    FAILS(pwritev2(ends[1], &part, 1, 0, 0), ESPIPE);
    FAILS(preadv2(fd, &into, 1, -2, 0), EINVAL);
    FAILS(preadv2(fd, &into, 1, 0, 0x40000000), EOPNOTSUPP);
    FAILS(pwritev2(fd, &part, 1, 0, 0x40000000), EOPNOTSUPP);
}

int main(void) {
    char one[4] = "", two[20] = "";
    int fd = open("vectors-test", O_RDWR | O_CREAT | O_TRUNC, 0600), ends[2];
    CHECK(fd >= 0 && pipe(ends) == 0);
    struct iovec parts[] = {{"0123", 4}, {"", 0}, {"456789", 6}}, into[] = {{one, 3}, {two, 10}};
    CHECK(pwritev(fd, parts, 3, 0) == 10 && lseek(fd, 0, SEEK_CUR) == 0);
    CHECK(preadv(fd, into, 2, 2) == 8 && lseek(fd, 0, SEEK_CUR) == 0);
    CHECK(memcmp(one, "234", 3) == 0 && memcmp(two, "56789", 6) == 0);
    CHECK(preadv(fd, into, 2, 10) == 0 && preadv(fd, into, 0, 0) == 0);
    FAILS(preadv(fd, into, 2, -1), EINVAL);
    FAILS(pwritev(fd, parts, 2, -1), EINVAL);
    FAILS(syscall(SYS_preadv, fd, into, 1025, 0, 0), EINVAL);
    FAILS(preadv(999, into, 2, 0), EBADF);
    FAILS(preadv(ends[0], into, 2, 0), ESPIPE);
    int reads = open("vectors-test", O_RDONLY);
    FAILS(pwritev(reads, parts, 3, 0), EBADF);
    FAILS(pwritev2(reads, parts, 3, 0, RWF_APPEND), EBADF);
    test_flags(fd, ends);
    // Advice.
    for (int advice = 0; advice <= 5; advice++) CHECK(posix_fadvise(fd, 0, 0, advice) == 0);
    CHECK(posix_fadvise(fd, 0, 0, 6) == EINVAL && posix_fadvise(fd, 0, -1, 0) == EINVAL);
    CHECK(posix_fadvise(ends[0], 0, 0, 0) == ESPIPE && posix_fadvise(999, 0, 0, 0) == EBADF);
    CHECK(readahead(fd, 0, 100) == 0);
    FAILS(readahead(999, 0, 1), EBADF);
    FAILS(readahead(ends[0], 0, 1), EINVAL);
    FAILS(readahead(ends[1], 0, 1), EBADF);
    CHECK(unlink("vectors-test") == 0);
    printf("%s\n", failures ? "FAILED" : "passed");
    return failures != 0;
}
