// The size of pipes, and splice, tee and vmsplice, as a Linux program sees them.
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "check.h"

#define FAILS(call, error) CHECK((call) == -1 && errno == (error))

static char data[300000], copy[300000];

static void make(int *ends, int flags) { CHECK(pipe2(ends, flags) == 0); }
static void finish(int *ends) { close(ends[0]), close(ends[1]); }

// Whether what can be read now is so many bytes of `data` from `at` on.
static int holds(int fd, size_t at, ssize_t length) {
    return read(fd, copy, sizeof copy) == length && memcmp(copy, data + at, length) == 0;
}

static void test_size(void) {
    int ends[2];
    make(ends, O_NONBLOCK);
    CHECK(fcntl(ends[0], F_GETPIPE_SZ) == 65536 && fcntl(ends[1], F_GETPIPE_SZ) == 65536);
    CHECK(fcntl(ends[1], F_SETPIPE_SZ, 0) == 4096 && fcntl(ends[0], F_GETPIPE_SZ) == 4096);
    CHECK(write(ends[1], data, 10000) == 4096);
    FAILS(write(ends[1], data, 1), EAGAIN);
    struct pollfd poll_out = {.fd = ends[1], .events = POLLOUT};
    CHECK(poll(&poll_out, 1, 0) == 0);
    CHECK(fcntl(ends[1], F_SETPIPE_SZ, 4097) == 8192 && poll(&poll_out, 1, 0) == 1);
    CHECK(write(ends[1], data + 4096, 10000) == 4096);
    FAILS(fcntl(ends[0], F_SETPIPE_SZ, 4096), EBUSY);
    CHECK(fcntl(ends[0], F_SETPIPE_SZ, 300000) == 524288);
    CHECK(write(ends[1], data + 8192, 200000) == 200000);
    CHECK(holds(ends[0], 0, 208192));
    CHECK(fcntl(ends[0], F_SETPIPE_SZ, 5000) == 8192);
    CHECK(write(ends[1], data, 10000) == 8192 && holds(ends[0], 0, 8192));
    FAILS(fcntl(ends[0], F_SETPIPE_SZ, 0x80000001u), EINVAL);
    FAILS(fcntl(0x7fff, F_GETPIPE_SZ), EBADF);
    int file = open("pipe-test", O_RDWR | O_CREAT, 0600);
    FAILS(fcntl(file, F_GETPIPE_SZ), EBADF);
    FAILS(fcntl(file, F_SETPIPE_SZ, 4096), EBADF);
    close(file), finish(ends);
    char text[20] = "";
    file = open("/proc/sys/fs/pipe-max-size", O_RDONLY);
    CHECK(read(file, text, 19) > 0 && atoi(text) == 1048576);
    close(file);
}

static void *write_all(void *fd) {
    CHECK(write(*(int *)fd, data, 200000) == 200000);
    return NULL;
}

// A writer that waits for room has it.
static void test_growing_under_a_writer(void) {
    int ends[2];
    pthread_t writer;
    make(ends, 0);
    CHECK(fcntl(ends[0], F_SETPIPE_SZ, 4096) == 4096);
    CHECK(pthread_create(&writer, NULL, write_all, &ends[1]) == 0);
    CHECK(read(ends[0], copy, 1) == 1 && copy[0] == data[0]);
    CHECK(fcntl(ends[0], F_SETPIPE_SZ, 1048576) == 1048576);
    CHECK(pthread_join(writer, NULL) == 0 && holds(ends[0], 1, 199999));
    finish(ends);
}

static void test_splice(void) {
    int one[2], two[2];
    loff_t at = 100;
    int file = open("pipe-test", O_RDWR | O_TRUNC), appends = open("pipe-test", O_WRONLY | O_APPEND);
    make(one, 0), make(two, 0);
    CHECK(write(file, data, 50000) == 50000 && lseek(file, 7, SEEK_SET) == 7);
    // From a file, from a place told and from its own.
    CHECK(splice(file, &at, one[1], NULL, 10, 0) == 10 && at == 110 && holds(one[0], 100, 10));
    CHECK(splice(file, NULL, one[1], NULL, 20, SPLICE_F_MOVE | SPLICE_F_MORE) == 20);
    CHECK(lseek(file, 0, SEEK_CUR) == 27);
    // To another pipe, and what is left.
    CHECK(splice(one[0], NULL, two[1], NULL, 5, 0) == 5 && holds(two[0], 7, 5));
    CHECK(splice(one[0], NULL, two[1], NULL, 500, 0) == 15 && holds(two[0], 12, 15));
    // To a file.
    CHECK(write(one[1], data + 1000, 3000) == 3000);
    at = 60000;
    CHECK(splice(one[0], NULL, file, &at, 1000, 0) == 1000 && at == 61000);
    CHECK(splice(one[0], NULL, file, NULL, 100000, 0) == 2000 && lseek(file, 0, SEEK_CUR) == 2027);
    CHECK(pread(file, copy, 1000, 60000) == 1000 && memcmp(copy, data + 1000, 1000) == 0);
    CHECK(pread(file, copy, 2000, 27) == 2000 && memcmp(copy, data + 2000, 2000) == 0);
    at = 61000;
    CHECK(splice(file, &at, one[1], NULL, 10, 0) == 0);
    // What cannot be.
    FAILS(splice(one[0], NULL, one[1], NULL, 1, 0), EINVAL);
    FAILS(splice(file, NULL, file, NULL, 1, 0), EINVAL);
    FAILS(splice(one[0], &at, two[1], NULL, 1, 0), ESPIPE);
    FAILS(splice(file, NULL, one[1], &at, 1, 0), ESPIPE);
    FAILS(splice(one[1], NULL, file, NULL, 1, 0), EBADF);
    FAILS(splice(file, NULL, one[0], NULL, 1, 0), EBADF);
    FAILS(splice(999, NULL, one[1], NULL, 1, 0), EBADF);
    FAILS(splice(file, NULL, one[1], NULL, 1, 16), EINVAL);
    CHECK(write(one[1], data, 2) == 2);
    FAILS(splice(one[0], NULL, appends, NULL, 1, 0), EINVAL);
    at = -1;
    FAILS(splice(file, &at, one[1], NULL, 1, 0), EINVAL);
    CHECK(holds(one[0], 0, 2) && splice(999, NULL, 999, NULL, 0, 0) == 0);
    FAILS(splice(one[0], NULL, file, NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
    FAILS(splice(one[0], NULL, two[1], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
    // A file that takes nothing: the bytes stay.
    int reads_only[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, reads_only) == 0);
    CHECK(write(one[1], data, 100) == 100);
    CHECK(splice(one[0], NULL, reads_only[0], NULL, 60, 0) == 60 && holds(reads_only[1], 0, 60));
    close(reads_only[1]);
    FAILS(splice(one[0], NULL, reads_only[0], NULL, 40, 0), EPIPE);
    close(reads_only[0]);
    // Full, and nobody left.
    CHECK(fcntl(two[1], F_SETPIPE_SZ, 4096) == 4096 && write(two[1], data, 4096) == 4096);
    at = 0;
    FAILS(splice(file, &at, two[1], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
    close(two[0]);
    FAILS(splice(file, &at, two[1], NULL, 1, 0), EPIPE);
    close(one[1]);
    CHECK(read(one[0], copy, 100) >= 0 && splice(one[0], NULL, file, NULL, 10, 0) == 0);
    close(one[0]), close(two[1]), close(file), close(appends);
}

static void test_tee(void) {
    int one[2], two[2];
    make(one, 0), make(two, 0);
    CHECK(write(one[1], data, 5000) == 5000);
    CHECK(tee(one[0], two[1], 300, 0) == 300 && holds(two[0], 0, 300));
    CHECK(tee(one[0], two[1], 100000, 0) == 5000 && holds(two[0], 0, 5000));
    CHECK(holds(one[0], 0, 5000));
    FAILS(tee(one[0], two[1], 1, SPLICE_F_NONBLOCK), EAGAIN);
    FAILS(tee(one[0], one[1], 1, 0), EINVAL);
    FAILS(tee(one[0], two[1], 1, 32), EINVAL);
    FAILS(tee(one[1], two[1], 1, 0), EBADF);
    CHECK(tee(one[0], two[1], 0, 0) == 0);
    int file = open("pipe-test", O_RDWR);
    FAILS(tee(file, two[1], 1, 0), EINVAL);
    close(file), close(one[1]);
    CHECK(tee(one[0], two[1], 1, 0) == 0);
    close(one[0]), finish(two);
}

static void test_vmsplice(void) {
    int ends[2];
    struct iovec parts[] = {{data, 100}, {data + 100, 5000}, {data + 5100, 0}};
    make(ends, 0);
    CHECK(vmsplice(ends[1], parts, 3, SPLICE_F_GIFT) == 5100 && holds(ends[0], 0, 5100));
    struct iovec large = {data, sizeof data};
    CHECK(fcntl(ends[1], F_SETPIPE_SZ, 8192) == 8192);
    ssize_t count = vmsplice(ends[1], &large, 1, 0);
    CHECK(count > 4096 && count <= 8192);
    FAILS(vmsplice(ends[1], &large, 1, SPLICE_F_NONBLOCK), EAGAIN);
    struct iovec into[] = {{copy, 10}, {copy + 10, 20}};
    memset(copy, 0, 40);
    CHECK(vmsplice(ends[0], into, 2, 0) == 30 && memcmp(copy, data, 30) == 0);
    struct iovec nowhere = {(void *)8, 10};
    FAILS(vmsplice(ends[0], &nowhere, 1, 0), EFAULT);
    CHECK(holds(ends[0], 30, count - 30));
    FAILS(vmsplice(ends[0], into, 2, SPLICE_F_NONBLOCK), EAGAIN);
    FAILS(vmsplice(ends[1], parts, 2, 64), EINVAL);
    FAILS(vmsplice(ends[1], parts, 2000, 0), EINVAL);
    FAILS(vmsplice(ends[1], (void *)8, 1, 0), EFAULT);
    CHECK(vmsplice(ends[1], parts + 2, 1, 0) == 0);
    int file = open("pipe-test", O_RDWR);
    FAILS(vmsplice(file, parts, 2, 0), EBADF);
    close(file), close(ends[0]);
    FAILS(vmsplice(ends[1], parts, 2, 0), EPIPE);
    close(ends[1]);
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < sizeof data; i++) data[i] = i ^ i >> 8 ^ i >> 16;
    test_size();
    test_growing_under_a_writer();
    test_splice();
    test_tee();
    test_vmsplice();
    CHECK(unlink("pipe-test") == 0);
    printf("%s\n", failures ? "FAILED" : "passed");
    return failures != 0;
}
