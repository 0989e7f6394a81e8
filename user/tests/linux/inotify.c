// Watching files for what happens to them (inotify), as a Linux program sees it.
// With "mount" as the argument it mounts a file system, too.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

#define FAILS(call, error) CHECK((call) == -1 && errno == (error))
enum { HEADER = sizeof(struct inotify_event) };

static int fd;
static uint32_t cookie;

// Whether the next event is this one, with this name (none if it is NULL).
static int is_next(int watch, uint32_t mask, const char *name) {
    char bytes[HEADER + 256] __attribute__((aligned(8)));
    struct inotify_event *event = (struct inotify_event *)bytes;
    // Room for this one, and for no other.
    size_t room = name ? HEADER + (strlen(name) / HEADER + 1) * HEADER : HEADER;
    ssize_t count = read(fd, bytes, room);
    if (count != (ssize_t)room) {
        printf("read: %zd (%s)\n", count, count < 0 ? strerror(errno) : "");
        return 0;
    }
    cookie = event->cookie;
    if (event->wd == watch && event->mask == mask && event->len == room - HEADER &&
        strcmp(name ? name : "", event->len ? event->name : "") == 0)
        return 1;
    printf("is: watch %d, mask %x, '%s'\n", event->wd, event->mask, event->len ? event->name : "");
    return 0;
}

static int no_more(void) {
    char bytes[HEADER + 256] __attribute__((aligned(8)));
    struct inotify_event *event = (struct inotify_event *)bytes;
    if (read(fd, bytes, sizeof bytes) == -1) return errno == EAGAIN;
    printf("more: watch %d, mask %x, '%s'\n", event->wd, event->mask, event->len ? event->name : "");
    return 0;
}

static void put(const char *path, int flags, const char *text) {
    int file = open(path, O_WRONLY | flags, 0644);
    CHECK(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text));
    CHECK(close(file) == 0);
}

static void begin(void) {
    fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    CHECK(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) && (fcntl(fd, F_GETFL) & O_NONBLOCK));
    CHECK(mkdir("watched", 0755) == 0 && mkdir("other", 0755) == 0);
}

// Removes a directory and the files in it.
static void clear(const char *path) {
    char name[300];
    DIR *directory = opendir(path);
    for (struct dirent *entry; (entry = readdir(directory));) {
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.') CHECK(remove(name) == 0);
    }
    CHECK(closedir(directory) == 0 && rmdir(path) == 0);
}

static void end(void) {
    CHECK(close(fd) == 0);
    clear("watched"), clear("other");
}

static void test_names(void) {
    begin();
    uint32_t names = IN_CREATE | IN_DELETE | IN_MOVE | IN_MODIFY | IN_CLOSE_WRITE;
    int watch = inotify_add_watch(fd, "watched", names | IN_ONLYDIR);
    CHECK(watch == 1 && no_more());
    put("watched/file", O_CREAT, "text");
    CHECK(is_next(watch, IN_CREATE, "file") && is_next(watch, IN_MODIFY, "file"));
    CHECK(is_next(watch, IN_CLOSE_WRITE, "file") && no_more());
    // Cut off, then written to: two events that are the same.
    put("watched/file", O_TRUNC, "more");
    CHECK(is_next(watch, IN_MODIFY, "file") && is_next(watch, IN_CLOSE_WRITE, "file") && no_more());
    CHECK(mkdir("watched/directory", 0755) == 0 && symlink("file", "watched/link") == 0);
    CHECK(link("watched/file", "watched/a-name-of-sixteen") == 0);
    CHECK(mkfifo("watched/fifteen-letters", 0644) == 0);
    CHECK(is_next(watch, IN_CREATE | IN_ISDIR, "directory") && is_next(watch, IN_CREATE, "link"));
    CHECK(is_next(watch, IN_CREATE, "a-name-of-sixteen"));
    CHECK(is_next(watch, IN_CREATE, "fifteen-letters") && no_more());
    // Within.
    CHECK(rename("watched/file", "watched/moved") == 0);
    CHECK(is_next(watch, IN_MOVED_FROM, "file") && cookie != 0);
    uint32_t first = cookie;
    CHECK(is_next(watch, IN_MOVED_TO, "moved") && cookie == first && no_more());
    // Out and in.
    CHECK(rename("watched/directory", "other/directory") == 0);
    CHECK(is_next(watch, IN_MOVED_FROM | IN_ISDIR, "directory") && cookie != first && no_more());
    CHECK(rename("other/directory", "watched/back") == 0);
    CHECK(is_next(watch, IN_MOVED_TO | IN_ISDIR, "back") && cookie != 0 && no_more());
    // Over another, and over itself.
    CHECK(rename("watched/moved", "watched/link") == 0);
    CHECK(is_next(watch, IN_MOVED_FROM, "moved") && is_next(watch, IN_MOVED_TO, "link"));
    CHECK(rename("watched/link", "watched/link") == 0 && no_more());
    CHECK(rename("watched/link", "watched/a-name-of-sixteen") == 0 && no_more());
    CHECK(renameat2(AT_FDCWD, "watched/link", AT_FDCWD, "watched/back", RENAME_EXCHANGE) == 0);
    CHECK(is_next(watch, IN_MOVED_FROM, "link") && is_next(watch, IN_MOVED_TO, "back"));
    CHECK(is_next(watch, IN_MOVED_FROM | IN_ISDIR, "back"));
    CHECK(is_next(watch, IN_MOVED_TO | IN_ISDIR, "link") && no_more());
    CHECK(unlink("watched/back") == 0 && rmdir("watched/link") == 0);
    CHECK(is_next(watch, IN_DELETE, "back") && is_next(watch, IN_DELETE | IN_ISDIR, "link"));
    // What fails is nothing.
    FAILS(mkdir("watched/fifteen-letters", 0755), EEXIST);
    FAILS(unlink("watched/not-there"), ENOENT);
    FAILS(rename("watched/not-there", "watched/x"), ENOENT);
    CHECK(no_more());
    end();
}

static void test_reading(void) {
    char bytes[4096];
    int count;
    begin();
    int watch = inotify_add_watch(fd, "watched", IN_CREATE);
    FAILS(write(fd, bytes, 1), EBADF);
    FAILS(read(fd, bytes, sizeof bytes), EAGAIN);
    struct pollfd entry = {.fd = fd, .events = POLLIN};
    CHECK(poll(&entry, 1, 0) == 0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.fd = fd}, got;
    int epoll = epoll_create1(0);
    CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0 && epoll_wait(epoll, &got, 1, 0) == 0);
    CHECK(ioctl(fd, FIONREAD, &count) == 0 && count == 0);
    put("watched/one", O_CREAT, "");
    CHECK(poll(&entry, 1, 0) == 1 && entry.revents == POLLIN);
    CHECK(epoll_wait(epoll, &got, 1, 0) == 1 && got.events == EPOLLIN);
    CHECK(epoll_wait(epoll, &got, 1, 0) == 0);
    put("watched/two", O_CREAT, ""), put("watched/three", O_CREAT, "");
    CHECK(epoll_wait(epoll, &got, 1, 0) == 1);
    CHECK(ioctl(fd, FIONREAD, &count) == 0 && count == 3 * (HEADER + 16));
    FAILS(read(fd, bytes, 0), EINVAL);
    FAILS(read(fd, bytes, HEADER + 15), EINVAL);
    // As many as fit.
    CHECK(read(fd, bytes, 2 * (HEADER + 16) + 31) == 2 * (HEADER + 16));
    CHECK(is_next(watch, IN_CREATE, "three") && no_more() && poll(&entry, 1, 0) == 0);
    close(epoll);
    end();
}

static void *make_later(void *unused) {
    put("watched/late", O_CREAT, "");
    return unused;
}

static void test_waiting(void) {
    pthread_t thread;
    begin();
    int watch = inotify_add_watch(fd, "watched", IN_CREATE);
    CHECK(fcntl(fd, F_SETFL, 0) == 0);
    CHECK(pthread_create(&thread, NULL, make_later, NULL) == 0);
    CHECK(is_next(watch, IN_CREATE, "late"));
    CHECK(pthread_join(thread, NULL) == 0);
    end();
}

static void test_watches(void) {
    begin();
    put("other/file", O_CREAT, "");
    int watch = inotify_add_watch(fd, "watched", IN_CREATE);
    CHECK(inotify_add_watch(fd, "watched/../watched", IN_DELETE) == watch);
    put("watched/file", O_CREAT, "");
    CHECK(no_more() && unlink("watched/file") == 0 && is_next(watch, IN_DELETE, "file"));
    CHECK(inotify_add_watch(fd, "watched", IN_CREATE | IN_MASK_ADD) == watch);
    put("watched/file", O_CREAT, "");
    CHECK(unlink("watched/file") == 0);
    CHECK(is_next(watch, IN_CREATE, "file") && is_next(watch, IN_DELETE, "file") && no_more());
    FAILS(inotify_add_watch(fd, "watched", IN_CREATE | IN_MASK_CREATE), EEXIST);
    FAILS(inotify_add_watch(fd, "watched", IN_CREATE | IN_MASK_CREATE | IN_MASK_ADD), EINVAL);
    FAILS(inotify_add_watch(fd, "watched", 0), EINVAL);
    FAILS(inotify_add_watch(fd, "other/file", IN_CREATE | IN_ONLYDIR), ENOTDIR);
    FAILS(inotify_add_watch(fd, "not-there", IN_CREATE), ENOENT);
    FAILS(inotify_add_watch(fd, (char *)8, IN_CREATE), EFAULT);
    FAILS(inotify_add_watch(999, "watched", IN_CREATE), EBADF);
    FAILS(inotify_add_watch(0, "watched", IN_CREATE), EINVAL);
    FAILS(inotify_rm_watch(999, watch), EBADF);
    FAILS(inotify_rm_watch(0, watch), EINVAL);
    FAILS(inotify_rm_watch(fd, watch + 1), EINVAL);
    FAILS(inotify_rm_watch(fd, -1), EINVAL);
    FAILS(inotify_init1(1), EINVAL);
    // One that is not known by its number any more.
    CHECK(inotify_rm_watch(fd, watch) == 0 && is_next(watch, IN_IGNORED, NULL));
    FAILS(inotify_rm_watch(fd, watch), EINVAL);
    CHECK(inotify_add_watch(fd, "watched", IN_CREATE | IN_ONESHOT) == watch + 1);
    put("watched/one", O_CREAT, ""), put("watched/two", O_CREAT, "");
    CHECK(is_next(watch + 1, IN_CREATE, "one") && is_next(watch + 1, IN_IGNORED, NULL) && no_more());
    // Others have their own.
    int other = inotify_init(), more = inotify_add_watch(fd, "watched", IN_CREATE);
    CHECK(inotify_add_watch(other, "watched", IN_DELETE) == 1 && more == watch + 2);
    put("watched/three", O_CREAT, "");
    CHECK(is_next(more, IN_CREATE, "three") && unlink("watched/three") == 0 && no_more());
    CHECK(close(fd) == 0);
    fd = other;
    CHECK(is_next(1, IN_DELETE, "three"));
    CHECK(symlink("watched", "other/link") == 0);
    int link = inotify_add_watch(fd, "other/link", IN_ATTRIB | IN_DONT_FOLLOW);
    CHECK(link == 2 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && no_more());
    end();
}

// What is watched goes.
static void test_ends(void) {
    begin();
    put("watched/file", O_CREAT, "");
    int file = inotify_add_watch(fd, "watched/file", IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB);
    int over = open("watched/file", O_RDONLY);
    int directory = inotify_add_watch(fd, "watched", IN_DELETE_SELF | IN_MOVE_SELF | IN_DELETE);
    CHECK(link("watched/file", "watched/second") == 0 && is_next(file, IN_ATTRIB, NULL));
    CHECK(unlink("watched/second") == 0 && is_next(file, IN_ATTRIB, NULL));
    CHECK(is_next(directory, IN_DELETE, "second"));
    CHECK(rename("watched/file", "watched/moved") == 0 && is_next(file, IN_MOVE_SELF, NULL));
    CHECK(unlink("watched/moved") == 0 && is_next(file, IN_ATTRIB, NULL));
    CHECK(is_next(directory, IN_DELETE, "moved") && no_more());
    // It is there as long as it is open.
    CHECK(close(over) == 0 && is_next(file, IN_DELETE_SELF, NULL) && is_next(file, IN_IGNORED, NULL));
    FAILS(inotify_rm_watch(fd, file), EINVAL);
    // Replaced by another.
    put("watched/file", O_CREAT, ""), put("watched/new", O_CREAT, "");
    file = inotify_add_watch(fd, "watched/file", IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB);
    CHECK(rename("watched/new", "watched/file") == 0 && is_next(file, IN_ATTRIB, NULL));
    CHECK(is_next(file, IN_DELETE_SELF, NULL) && is_next(file, IN_IGNORED, NULL) && no_more());
    CHECK(unlink("watched/file") == 0 && is_next(directory, IN_DELETE, "file"));
    CHECK(rename("watched", "other/watched") == 0 && rename("other/watched", "watched") == 0);
    CHECK(is_next(directory, IN_MOVE_SELF, NULL) && no_more());
    CHECK(rmdir("watched") == 0);
    CHECK(is_next(directory, IN_DELETE_SELF, NULL) && is_next(directory, IN_IGNORED, NULL));
    CHECK(mkdir("watched", 0755) == 0 && no_more());
    end();
}

// What is done to a file, by its name and open, is told to its directory and to itself.
static void test_files(void) {
    char byte;
    struct timespec times[2] = {{.tv_sec = 1}, {.tv_nsec = UTIME_OMIT}};
    begin();
    put("watched/file", O_CREAT, "text");
    int directory = inotify_add_watch(fd, "watched", IN_ALL_EVENTS);
    int file = inotify_add_watch(fd, "watched/file", IN_ALL_EVENTS);
#define BOTH(mask) (is_next(directory, mask, "file") && is_next(file, mask, NULL))
    int over = open("watched/file", O_RDWR);
    CHECK(over >= 0 && BOTH(IN_OPEN) && no_more());
    CHECK(read(over, &byte, 1) == 1 && BOTH(IN_ACCESS));
    CHECK(pread(over, &byte, 1, 100) == 0 && no_more());
    CHECK(write(over, "x", 1) == 1 && BOTH(IN_MODIFY));
    CHECK(pwrite(over, "x", 1, 0) == 1 && BOTH(IN_MODIFY));
    CHECK(ftruncate(over, 2) == 0 && BOTH(IN_MODIFY));
    CHECK(fchmod(over, 0600) == 0 && BOTH(IN_ATTRIB));
    CHECK(futimens(over, NULL) == 0 && BOTH(IN_ATTRIB));
    CHECK(fchown(over, -1, -1) == 0 && no_more());
    CHECK(close(over) == 0 && BOTH(IN_CLOSE_WRITE) && no_more());
    CHECK(chmod("watched/file", 0644) == 0 && BOTH(IN_ATTRIB));
    CHECK(chown("watched/file", getuid(), -1) == 0 && BOTH(IN_ATTRIB));
    CHECK(truncate("watched/file", 1) == 0 && BOTH(IN_MODIFY));
    CHECK(utimensat(AT_FDCWD, "watched/file", times, 0) == 0 && BOTH(IN_ACCESS));
    times[1] = times[0], times[0].tv_nsec = UTIME_OMIT;
    CHECK(utimensat(AT_FDCWD, "watched/file", times, 0) == 0 && BOTH(IN_MODIFY));
    over = open("other/../watched/file", O_RDONLY);
    CHECK(over >= 0 && BOTH(IN_OPEN) && close(over) == 0 && BOTH(IN_CLOSE_NOWRITE));
    over = open("watched/file", O_WRONLY | O_TRUNC);
    CHECK(over >= 0 && BOTH(IN_OPEN) && BOTH(IN_MODIFY) && close(over) == 0);
    CHECK(BOTH(IN_CLOSE_WRITE) && no_more());
    // The directory itself, and one in it, which is known by its name however it was found.
    over = open("watched", O_RDONLY);
    CHECK(over >= 0 && is_next(directory, IN_OPEN | IN_ISDIR, NULL));
    CHECK(fchmod(over, 0755) == 0 && is_next(directory, IN_ATTRIB | IN_ISDIR, NULL));
    CHECK(close(over) == 0 && is_next(directory, IN_CLOSE_NOWRITE | IN_ISDIR, NULL));
    CHECK(mkdir("watched/inner", 0755) == 0);
    CHECK(is_next(directory, IN_CREATE | IN_ISDIR, "inner") && chmod("watched/inner/.", 0700) == 0);
    CHECK(is_next(directory, IN_ATTRIB | IN_ISDIR, "inner") && no_more());
#undef BOTH
    end();
}

static void test_unmount(void) {
    begin();
    CHECK(mount("none", "watched", "tmpfs", 0, NULL) == 0);
    put("watched/file", O_CREAT, "");
    int directory = inotify_add_watch(fd, "watched", IN_DELETE_SELF);
    int file = inotify_add_watch(fd, "watched/file", IN_DELETE_SELF);
    int other = inotify_add_watch(fd, "other", IN_CREATE);
    CHECK(umount("watched") == 0);
    // In either order.
    int first = directory, second = file;
    struct inotify_event events[4];
    CHECK(read(fd, events, sizeof events) == sizeof events);
    if (events[0].wd == file) first = file, second = directory;
    for (int i = 0; i < 4; i++) {
        uint32_t unmount = IN_UNMOUNT | (events[i].wd == directory ? IN_ISDIR : 0);
        CHECK(events[i].mask == (i % 2 ? IN_IGNORED : unmount));
        CHECK(events[i].wd == (i < 2 ? first : second));
    }
    put("other/file", O_CREAT, "");
    CHECK(is_next(other, IN_CREATE, "file") && no_more());
    FAILS(inotify_rm_watch(fd, file), EINVAL);
    end();
}

static void test_overflow(void) {
    int most = 0;
    FILE *setting = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
    CHECK(setting && fscanf(setting, "%d", &most) == 1 && most > 0 && fclose(setting) == 0);
    begin();
    put("watched/a", O_CREAT, "");
    int watch = inotify_add_watch(fd, "watched", IN_MOVE);
    for (int i = 0; i < most / 2 + 2; i++) {
        CHECK(rename("watched/a", "watched/b") == 0 && rename("watched/b", "watched/a") == 0);
        if (failures) break;
    }
    for (int i = 0; i < most; i++) {
        const char *name = (i + 1) / 2 % 2 ? "b" : "a";
        if (!is_next(watch, i % 2 ? IN_MOVED_TO : IN_MOVED_FROM, name)) {
            CHECK(!"all until there are too many");
            break;
        }
    }
    CHECK(is_next(-1, IN_Q_OVERFLOW, NULL) && no_more());
    CHECK(rename("watched/a", "watched/b") == 0 && is_next(watch, IN_MOVED_FROM, "a"));
    end();
}

int main(int argc, char **argv) {
    (void)argv;
    setvbuf(stdout, NULL, _IONBF, 0);
    CHECK(mkdir("inotify-test", 0755) == 0 && chdir("inotify-test") == 0);
    test_names();
    test_reading();
    test_waiting();
    test_watches();
    test_ends();
    test_files();
    test_overflow();
    if (argc > 1) test_unmount();
    CHECK(chdir("..") == 0 && rmdir("inotify-test") == 0);
    printf("%s\n", failures ? "FAILED" : "passed");
    return failures != 0;
}
