// What users may do to files. Exits with 0 if all is as path_resolution(7) and the
// pages of the calls say; it does on Linux itself. It begins as root. Given a folder,
// it works there.
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>

#include "child.h"

#define FAILS(call, error) CHECK((call) == -1 && errno == (error))

enum { USER = 1000, OTHER = 1001, GROUP = 2000, FURTHER = 2001, NOBODYS = 2002 };

static struct stat look(const char *path) {
    struct stat found = {0};
    CHECK(lstat(path, &found) == 0);
    return found;
}

static int mode_of(const char *path) { return look(path).st_mode & 07777; }

static int opens(const char *path, int flags) {
    int file = open(path, flags, 0644);
    return file < 0 ? -1 : close(file);
}

static void make(const char *path, uid_t user, gid_t group, mode_t mode) {
    int file = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
    CHECK(file >= 0 && write(file, "text", 4) == 4 && close(file) == 0);
    CHECK(chown(path, user, group) == 0 && chmod(path, mode) == 0);
}

static void make_folder(const char *path, uid_t user, gid_t group, mode_t mode) {
    CHECK(mkdir(path, 0700) == 0 && chown(path, user, group) == 0 && chmod(path, mode) == 0);
}

static void be_user(void) {
    gid_t further = FURTHER;
    CHECK(setgroups(1, &further) == 0 && setgid(GROUP) == 0 && setuid(USER) == 0);
}

static void lay_out(void) {
    make("secret", 0, 0, 0600);
    make("readable", 0, 0, 0644);
    make("mine", USER, GROUP, 0200);
    make("groups", OTHER, GROUP, 0060);
    make("further", OTHER, FURTHER, 0606);
    make("script", 0, 0, 0644);
    make("tool", 0, 0, 0711);
    make_folder("closed", 0, 0, 0700);
    make("closed/file", USER, GROUP, 0666);
    make_folder("through", 0, 0, 0711);
    make("through/file", 0, 0, 0644);
    make_folder("listed", 0, 0, 0744);
    make("listed/file", 0, 0, 0644);
    make_folder("sticky", 0, 0, 01777);
    make("sticky/others", OTHER, GROUP, 0666);
    make("sticky/own", USER, GROUP, 0600);
    make_folder("sticky/folder", OTHER, GROUP, 0777);
    make_folder("shared", OTHER, FURTHER, 02777);
    make_folder("strange", OTHER, NOBODYS, 02777);
    make_folder("home", USER, GROUP, 0700);
    make("setid", OTHER, GROUP, 06777);
    make("group-writes", OTHER, GROUP, 0664);
    CHECK(symlink("../readable", "sticky/link") == 0 && lchown("sticky/link", OTHER, 0) == 0);
}

static void walks_and_opens(void) {
    be_user();
    FAILS(opens("secret", O_RDONLY), EACCES);
    CHECK(opens("readable", O_RDONLY) == 0);
    FAILS(opens("readable", O_WRONLY), EACCES);
    FAILS(opens("readable", O_RDWR), EACCES);
    FAILS(opens("readable", O_RDONLY | O_TRUNC), EACCES);
    CHECK(look("readable").st_size == 4);
    CHECK(opens("mine", O_WRONLY) == 0);
    FAILS(opens("mine", O_RDONLY), EACCES);
    CHECK(opens("groups", O_RDWR) == 0);
    FAILS(opens("further", O_RDONLY), EACCES);
    FAILS(opens("closed/file", O_RDONLY), EACCES);
    FAILS(opens("closed/none", O_RDONLY), EACCES);
    FAILS(opens("closed", O_RDONLY), EACCES);
    FAILS(opens("readable", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK(opens("through/file", O_RDONLY) == 0);
    FAILS(opens("through", O_RDONLY), EACCES);
    CHECK(opens("listed", O_RDONLY) == 0);
    FAILS(opens("listed/file", O_RDONLY), EACCES);
    struct stat found;
    FAILS(stat("closed/file", &found), EACCES);
    CHECK(stat("secret", &found) == 0);
    FAILS(chdir("closed"), EACCES);
    FAILS(chdir("listed"), EACCES);
    CHECK(chdir("through") == 0 && chdir("..") == 0);
    int folder = open("listed", O_RDONLY);
    FAILS(fchdir(folder), EACCES);
    FAILS(openat(folder, "file", O_RDONLY), EACCES);
    close(folder);
    FAILS(truncate("readable", 0), EACCES);
    FAILS(truncate("home", 0), EISDIR);
    CHECK(truncate("mine", 0) == 0);
    char text[8];
    FAILS(readlink("closed/file", text, sizeof text), EACCES);
}

static void access_asks(void) {
    CHECK(access("secret", R_OK | W_OK) == 0);
    FAILS(access("secret", X_OK), EACCES);
    CHECK(access("tool", X_OK) == 0);
    CHECK(setegid(GROUP) == 0 && seteuid(USER) == 0);
    CHECK(access("secret", R_OK | W_OK) == 0);
    FAILS(faccessat(AT_FDCWD, "secret", R_OK, AT_EACCESS), EACCES);
    CHECK(access("closed/file", F_OK) == 0);
    FAILS(opens("secret", O_RDONLY), EACCES);
    CHECK(seteuid(0) == 0 && setreuid(USER, 0) == 0);
    FAILS(access("secret", R_OK), EACCES);
    FAILS(access("closed/file", F_OK), EACCES);
    CHECK(access("mine", W_OK) == 0);
    FAILS(access("mine", R_OK), EACCES);
    CHECK(opens("secret", O_RDONLY) == 0);
}

static void names_change(void) {
    be_user();
    FAILS(opens("new", O_CREAT | O_WRONLY), EACCES);
    FAILS(mkdir("new", 0755), EACCES);
    FAILS(mkdir("home", 0755), EEXIST);
    FAILS(symlink("x", "new"), EACCES);
    FAILS(mkfifo("new", 0644), EACCES);
    FAILS(link("readable", "new"), EPERM);
    FAILS(link("mine", "new"), EACCES);
    FAILS(unlink("mine"), EACCES);
    FAILS(unlink("none"), ENOENT);
    FAILS(rmdir("home"), EACCES);
    FAILS(rename("mine", "other"), EACCES);
    FAILS(rename("mine", "home/mine"), EACCES);
    CHECK(umask(022) == 022 && opens("home/file", O_CREAT | O_WRONLY) == 0);
    struct stat made = look("home/file");
    CHECK(made.st_uid == USER && made.st_gid == GROUP && (made.st_mode & 07777) == 0644);
    CHECK(mkdir("home/folder", 0777) == 0 && look("home/folder").st_uid == USER);
    CHECK(symlink("file", "home/link") == 0 && look("home/link").st_uid == USER);
    CHECK(mkfifo("home/fifo", 0600) == 0 && look("home/fifo").st_gid == GROUP);
    FAILS(mknod("home/null", S_IFCHR | 0666, makedev(1, 3)), EPERM);
    FAILS(mknod("home/disk", S_IFBLK | 0666, makedev(8, 0)), EPERM);
    FAILS(mknod("null", S_IFCHR | 0666, makedev(1, 3)), EACCES);
    // What cannot be read may be made so, by its owner.
    int file = open("home/write-only", O_CREAT | O_RDWR, 0200);
    CHECK(file >= 0 && close(file) == 0);
    FAILS(opens("home/write-only", O_RDONLY), EACCES);
    CHECK(chmod("home/write-only", 0600) == 0 && opens("home/write-only", O_RDONLY) == 0);
    CHECK(unlink("home/write-only") == 0 && unlink("home/fifo") == 0 && unlink("home/link") == 0);
    CHECK(rename("home/file", "home/folder/file") == 0 && unlink("home/folder/file") == 0);
    CHECK(chmod("home/folder", 0500) == 0);
    // Its `..` would change.
    CHECK(mkdir("home/target", 0700) == 0);
    FAILS(rename("home/folder", "home/target/folder"), EACCES);
    CHECK(rename("home/folder", "home/same") == 0);
    CHECK(rmdir("home/same") == 0 && rmdir("home/target") == 0);
}

static void sticky_folders(void) {
    be_user();
    FAILS(unlink("sticky/others"), EPERM);
    FAILS(rmdir("sticky/folder"), EPERM);
    FAILS(unlink("sticky/folder"), EPERM);
    FAILS(rename("sticky/others", "sticky/x"), EPERM);
    FAILS(rename("sticky/own", "sticky/others"), EPERM);
    FAILS(syscall(SYS_renameat2, AT_FDCWD, "sticky/own", AT_FDCWD, "sticky/others", 2), EPERM);
    CHECK(rename("sticky/own", "sticky/mine") == 0 && unlink("sticky/mine") == 0);
    // A link that somebody else has laid out.
    FAILS(opens("sticky/link", O_RDONLY), EACCES);
    struct stat found;
    FAILS(stat("sticky/link", &found), EACCES);
    CHECK(lstat("sticky/link", &found) == 0);
    // More names only for what one could write to, and that lends no rights.
    CHECK(link("group-writes", "sticky/one-more") == 0);
    FAILS(unlink("sticky/one-more"), EPERM);
    FAILS(link("setid", "sticky/two"), EPERM);
    FAILS(link("readable", "sticky/two"), EPERM);
    FAILS(linkat(open("readable", O_RDONLY), "", AT_FDCWD, "sticky/two", AT_EMPTY_PATH), ENOENT);
}

static void groups_are_handed_on(void) {
    be_user();
    umask(0);
    CHECK(mkdir("shared/folder", 0755) == 0);
    struct stat made = look("shared/folder");
    CHECK(made.st_gid == FURTHER && (made.st_mode & 07777) == 02755);
    int file = open("shared/file", O_CREAT | O_WRONLY, 02755);
    CHECK(file >= 0 && close(file) == 0);
    CHECK(look("shared/file").st_gid == FURTHER && mode_of("shared/file") == 02755);
    file = open("strange/file", O_CREAT | O_WRONLY, 02755);
    CHECK(file >= 0 && close(file) == 0);
    CHECK(look("strange/file").st_gid == NOBODYS && mode_of("strange/file") == 0755);
    CHECK(chmod("strange/file", 02755) == 0 && mode_of("strange/file") == 0755);
    CHECK(unlink("shared/file") == 0 && unlink("strange/file") == 0 && rmdir("shared/folder") == 0);
}

static void owners_change(void) {
    be_user();
    FAILS(chmod("readable", 0777), EPERM);
    FAILS(chmod("group-writes", 0777), EPERM);
    FAILS(chown("readable", USER, -1), EPERM);
    FAILS(chown("mine", OTHER, -1), EPERM);
    FAILS(chown("mine", -1, NOBODYS), EPERM);
    FAILS(chown("group-writes", -1, GROUP), EPERM);
    CHECK(chown("mine", USER, FURTHER) == 0 && look("mine").st_gid == FURTHER);
    CHECK(chmod("mine", 06755) == 0 && mode_of("mine") == 06755);
    CHECK(chown("mine", -1, GROUP) == 0 && mode_of("mine") == 0755);
    FAILS(chmod("closed/file", 0777), EACCES);
    // Times: now for who may write, others for the owner.
    struct timespec now[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}}, past[2] = {{1, 0}, {1, 0}};
    struct timespec one[2] = {{0, UTIME_NOW}, {0, UTIME_OMIT}};
    CHECK(utimensat(AT_FDCWD, "group-writes", NULL, 0) == 0);
    CHECK(utimensat(AT_FDCWD, "group-writes", now, 0) == 0);
    FAILS(utimensat(AT_FDCWD, "group-writes", past, 0), EPERM);
    FAILS(utimensat(AT_FDCWD, "group-writes", one, 0), EPERM);
    FAILS(utimensat(AT_FDCWD, "readable", NULL, 0), EACCES);
    CHECK(utimensat(AT_FDCWD, "mine", past, 0) == 0 && look("mine").st_mtime == 1);
    FAILS(utimes("readable", NULL), EACCES);
}

static void a_write_takes_bits_away(void) {
    int file = open("setid", O_WRONLY);
    CHECK(write(file, "x", 1) == 1 && mode_of("setid") == 06777);
    be_user();
    CHECK(mode_of("setid") == 06777 && write(file, "x", 1) == 1 && mode_of("setid") == 0777);
    close(file);
}

static void a_truncation_does_too(void) {
    CHECK(chmod("setid", 06777) == 0);
    be_user();
    CHECK(truncate("setid", 1) == 0 && mode_of("setid") == 0777);
}

static void programs_run(void) {
    char *words[] = {"x", NULL};
    FAILS(execv("script", words), EACCES);
    FAILS(execv("home", words), EACCES);
    FAILS(execv("tool", words), ENOEXEC);
    be_user();
    FAILS(execv("script", words), EACCES);
    FAILS(execv("tool", words), ENOEXEC);
    FAILS(execv("closed/file", words), EACCES);
    FAILS(execv("secret", words), EACCES);
}

static void roots_powers_go_one_by_one(void) {
    be_user();
    FAILS(mount("none", "home", "tmpfs", 0, NULL), EPERM);
    FAILS(umount("home"), EPERM);
    struct timespec time;
    CHECK(clock_gettime(CLOCK_REALTIME, &time) == 0);
    FAILS(clock_settime(CLOCK_REALTIME, &time), EPERM);
    struct timeval old = {time.tv_sec, 0};
    FAILS(settimeofday(&old, NULL), EPERM);
    FAILS(syscall(SYS_reboot, 0xfee1dead, 672274793, 0, NULL), EPERM);
}

static void sockets_have_permissions(void) {
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "socket"};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK(bind(listener, (struct sockaddr *)&name, sizeof name) == 0 && listen(listener, 5) == 0);
    CHECK(chmod("socket", 0755) == 0);
    pid_t child = fork();
    if (child == 0) {
        be_user();
        FAILS(connect(client, (struct sockaddr *)&name, sizeof name), EACCES);
        strcpy(name.sun_path, "socket2");
        FAILS(bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, sizeof name), EACCES);
        fflush(stdout);
        _exit(failures);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(chmod("socket", 0777) == 0);
    be_user();
    CHECK(connect(client, (struct sockaddr *)&name, sizeof name) == 0);
}

// Another's process, and one's own that must not be looked into.
static pid_t target;

static void processes_are_closed(void) {
    char path[64], text[256];
    be_user();
    const char *links[] = {"exe", "cwd", "root"};
    for (int index = 0; index < 3; index++) {
        snprintf(path, sizeof path, "/proc/%d/%s", target, links[index]);
        FAILS(readlink(path, text, sizeof text), EACCES);
    }
    snprintf(path, sizeof path, "/proc/%d/fd", target);
    CHECK(look(path).st_uid == 0 && mode_of(path) == 0500);
    FAILS(opens(path, O_RDONLY), EACCES);
    snprintf(path, sizeof path, "/proc/%d/environ", target);
    FAILS(opens(path, O_RDONLY), EACCES);
    snprintf(path, sizeof path, "/proc/%d/maps", target);
    FAILS(opens(path, O_RDONLY), EACCES);
    snprintf(path, sizeof path, "/proc/%d/stat", target);
    CHECK(opens(path, O_RDONLY) == 0);
    // It has changed its user since the program began.
    CHECK(look("/proc/self/").st_uid == USER && look("/proc/self/").st_gid == GROUP);
    CHECK(look("/proc/self/status").st_uid == 0);
    CHECK(opens("/proc/self/fd", O_RDONLY) == 0);
    CHECK(readlink("/proc/self/exe", text, sizeof text) > 0);
    CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
    CHECK(look("/proc/self/status").st_uid == USER && look("/proc/self/fd").st_gid == GROUP);
}

static void look_at_processes(void) {
    int status;
    target = fork();
    if (target == 0) for (;;) pause();
    in_child(processes_are_closed);
    CHECK(kill(target, SIGKILL) == 0 && waitpid(target, &status, 0) == target);
}

int main(int count, char **words) {
    char folder[64];
    mkdir("/tmp", 01777);
    snprintf(folder, sizeof folder, "%s/permissions-XXXXXX", count > 1 ? words[1] : "/tmp");
    umask(022);
    CHECK(mkdtemp(folder) != NULL && chmod(folder, 0755) == 0 && chdir(folder) == 0);
    lay_out();
    in_child(walks_and_opens);
    in_child(access_asks);
    in_child(names_change);
    in_child(sticky_folders);
    in_child(groups_are_handed_on);
    in_child(owners_change);
    in_child(a_write_takes_bits_away);
    in_child(a_truncation_does_too);
    in_child(programs_run);
    in_child(roots_powers_go_one_by_one);
    in_child(sockets_have_permissions);
    look_at_processes();
    return failures != 0;
}
