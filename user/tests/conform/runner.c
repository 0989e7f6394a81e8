// Runs a list of programs, one after the other, and tells how each ends and what
// it says. The same binary does so on Weft, and on Linux as its first process.
//
// Usage: runner LIST. Each line of LIST is a name, a limit in seconds, and the
// words of a command, parted by tabs. Of each program it prints:
//
//     @begin NAME
//     |a line of its output        what is not ASCII as \xNN, \ as \\ .
//     @end exit STATUS             or: signal NUMBER, late, failed ERRNO
//
// and at the end "@done". A program starts in a fresh folder, in a session of its
// own; what it leaves running is killed.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FOLDER "/tmp/conform"
#define OUTPUT "/tmp/conform.output"

enum { MOST_WORDS = 32, MOST_LINE = 4096, MOST_OUTPUT = 16384 };

// What an init finds nobody else to do. What is there already stays.
static void set_up(void) {
    const struct {
        const char *type, *place;
    } mounts[] = {
        {"proc", "/proc"},    {"sysfs", "/sys"},      {"devtmpfs", "/dev"},
        {"tmpfs", "/tmp"},    {"tmpfs", "/dev/shm"},  {"mqueue", "/dev/mqueue"},
        {"devpts", "/dev/pts"},
    };
    for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
        mkdir(mounts[i].place, 0755);
        mount(mounts[i].type, mounts[i].place, mounts[i].type, 0, NULL);
    }
    for (int i = 0; i < 3; i++)
        if (fcntl(i, F_GETFD) < 0) open("/dev/console", O_RDWR);
    struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    if (s >= 0) {
        ioctl(s, SIOCSIFFLAGS, &loopback);
        close(s);
    }
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *at) {
    (void)status, (void)type;
    return at->level == 0 ? 0 : remove(path);
}

static void run_child(char **words) {
    setsid();
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int input = open("/dev/null", O_RDONLY);
    int output = open(OUTPUT, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    dup2(input, 0);
    dup2(output, 1);
    dup2(output, 2);
    if (input > 2) close(input);
    if (output > 2) close(output);
    if (chdir(FOLDER) == 0) execv(words[0], words);
    dprintf(1, "cannot run %s: %s\n", words[0], strerror(errno));
    _exit(127);
}

// Waits until `child` ends, or the limit passes: false.
static int wait_for(pid_t child, int *status, int limit) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    time_t end = now.tv_sec + limit;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    for (;;) {
        pid_t ended = waitpid(-1, status, WNOHANG);
        if (ended == child) return 1;
        if (ended > 0) continue;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec >= end) return 0;
        struct timespec most = {1, 0};
        sigtimedwait(&set, NULL, &most);
    }
}

static void print_output(void) {
    static unsigned char bytes[MOST_OUTPUT];
    int file = open(OUTPUT, O_RDONLY);
    ssize_t count = read(file, bytes, sizeof bytes);
    close(file);
    int begins = 1;
    for (ssize_t i = 0; i < count; i++) {
        if (begins) putchar('|');
        begins = bytes[i] == '\n';
        if (bytes[i] == '\\')
            printf("\\\\");
        else if (bytes[i] == '\n' || bytes[i] == '\t' || (bytes[i] >= ' ' && bytes[i] < 127))
            putchar(bytes[i]);
        else
            printf("\\x%02x", bytes[i]);
    }
    if (!begins) putchar('\n');
}

static void run(const char *name, int limit, char **words) {
    printf("@begin %s\n", name);
    fflush(stdout);
    mkdir(FOLDER, 01777);
    chmod(FOLDER, 01777);
    unlink(OUTPUT);
    int status;
    pid_t child = fork();
    if (child < 0) {
        printf("@end failed %d\n", errno);
        return;
    }
    if (child == 0) run_child(words);
    int ended = wait_for(child, &status, limit);
    kill(-1, SIGKILL);
    if (!ended)
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) continue;
    while (waitpid(-1, NULL, WNOHANG) > 0) continue;
    print_output();
    if (!ended)
        printf("@end late\n");
    else if (WIFEXITED(status))
        printf("@end exit %d\n", WEXITSTATUS(status));
    else
        printf("@end signal %d\n", WTERMSIG(status));
    fflush(stdout);
    nftw(FOLDER, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

int main(int count, char **arguments) {
    int is_init = getpid() == 1;
    set_up();
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    setenv("PATH", "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", 1);
    setenv("HOME", "/tmp", 1);
    setenv("LC_ALL", "C", 1);
    const char *path = count > 1 ? arguments[1] : "/conform/list";
    FILE *list = fopen(path, "re");
    if (!list) printf("cannot read %s: %s\n", path, strerror(errno));
    static char line[MOST_LINE];
    while (list && fgets(line, sizeof line, list)) {
        char *words[MOST_WORDS + 1];
        int many = 0;
        line[strcspn(line, "\n")] = 0;
        for (char *rest = line, *word; many < MOST_WORDS && (word = strsep(&rest, "\t"));)
            words[many++] = word;
        words[many] = NULL;
        if (many >= 3) run(words[0], atoi(words[1]), words + 2);
    }
    printf("@done\n");
    fflush(stdout);
    if (is_init) {
        sync();
        reboot(RB_POWER_OFF);
    }
    return 0;
}
