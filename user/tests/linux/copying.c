// sendfile and copy_file_range as a Linux program sees them. Exits with 0 if all
// is as the manual says; it does on Linux itself.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

enum { SIZE = 200000 };

static char data[SIZE], copy[SIZE];

static int file(const char *name, int flags) {
    int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | flags, 0600);
    CHECK(fd >= 0 && unlink(name) == 0);
    return fd;
}

int main(void) {
    for (int i = 0; i < SIZE; i++) data[i] = i * 7 + i / 256;
    int from = file("copied-from", 0), to = file("copied-to", 0), ends[2];
    CHECK(write(from, data, SIZE) == SIZE && lseek(from, 100, SEEK_SET) == 100);
    // From its own place on, up to the end.
    CHECK(sendfile(to, from, NULL, 1 << 20) == SIZE - 100);
    CHECK(lseek(from, 0, SEEK_CUR) == SIZE && lseek(to, 0, SEEK_CUR) == SIZE - 100);
    CHECK(pread(to, copy, SIZE, 0) == SIZE - 100 && memcmp(copy, data + 100, SIZE - 100) == 0);
    CHECK(sendfile(to, from, NULL, 10) == 0);
    // From a place that is told: its own stays.
    off_t offset = 5;
    CHECK(sendfile(to, from, &offset, 10) == 10 && offset == 15);
    CHECK(lseek(from, 0, SEEK_CUR) == SIZE);
    // As much as a pipe takes.
    CHECK(pipe2(ends, O_NONBLOCK) == 0);
    offset = 0;
    ssize_t sent = sendfile(ends[1], from, &offset, SIZE);
    CHECK(sent >= 4096 && sent < SIZE && offset == sent);
    CHECK(sendfile(ends[1], from, &offset, SIZE) == -1 && errno == EAGAIN && offset == sent);
    for (ssize_t got = 0; got < sent;) {
        ssize_t part = read(ends[0], copy, SIZE);
        CHECK(part > 0 && memcmp(copy, data + got, part) == 0);
        if (part <= 0) break;
        got += part;
    }
    offset = -1;
    CHECK(sendfile(to, from, &offset, 1) == -1 && errno == EINVAL);
    CHECK(sendfile(999, from, NULL, 1) == -1 && errno == EBADF);
    CHECK(sendfile(ends[0], from, NULL, 1) == -1 && errno == EBADF);
    CHECK(sendfile(to, ends[1], NULL, 1) == -1 && errno == EBADF);
    CHECK(syscall(SYS_sendfile, to, from, 8, 1) == -1 && errno == EFAULT);
    // copy_file_range.
    loff_t in = 1000, out = 3;
    CHECK(ftruncate(to, 0) == 0 && copy_file_range(from, &in, to, &out, 150000, 0) == 150000);
    CHECK(in == 151000 && out == 150003 && pread(to, copy, SIZE, 3) == 150000);
    CHECK(memcmp(copy, data + 1000, 150000) == 0);
    CHECK(pread(to, copy, 3, 0) == 3 && copy[0] == 0 && copy[2] == 0);
    CHECK(lseek(from, SIZE - 5, SEEK_SET) == SIZE - 5 && lseek(to, 0, SEEK_SET) == 0);
    CHECK(copy_file_range(from, NULL, to, NULL, 10, 0) == 5);
    CHECK(lseek(from, 0, SEEK_CUR) == SIZE && lseek(to, 0, SEEK_CUR) == 5);
    CHECK(copy_file_range(from, NULL, to, NULL, 10, 0) == 0);
    in = 0, out = 5;
    CHECK(copy_file_range(from, &in, from, &out, 10, 0) == -1 && errno == EINVAL);
    CHECK(copy_file_range(from, &in, from, &out, 5, 0) == 5);
    CHECK(copy_file_range(from, &in, to, NULL, 10, 1) == -1 && errno == EINVAL);
    CHECK(copy_file_range(from, &in, ends[1], NULL, 10, 0) == -1 && errno == EINVAL);
    int appends = file("appended-to", O_APPEND);
    CHECK(copy_file_range(from, &in, appends, NULL, 10, 0) == -1 && errno == EBADF);
    CHECK(sendfile(appends, from, NULL, 1) == -1 && errno == EINVAL);
    return failures != 0;
}
