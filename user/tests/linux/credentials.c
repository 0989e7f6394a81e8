// Users, groups and capabilities of a Linux program. Exits with 0 if all is as
// credentials(7) and capabilities(7) say; it does on Linux itself. It begins as root.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "child.h"

#define ALL_CAPABILITIES ((1ULL << 41) - 1)

struct sets {
    unsigned long long effective, permitted, inheritable;
};

static int users_are(uid_t real, uid_t effective, uid_t saved, uid_t file) {
    uid_t r, e, s;
    return getresuid(&r, &e, &s) == 0 && r == real && e == effective && s == saved &&
           getuid() == real && geteuid() == effective && setfsuid(-1) == (int)file;
}

static int groups_are(gid_t real, gid_t effective, gid_t saved, gid_t file) {
    gid_t r, e, s;
    return getresgid(&r, &e, &s) == 0 && r == real && e == effective && s == saved &&
           getgid() == real && getegid() == effective && setfsgid(-1) == (int)file;
}

static struct sets capabilities(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    CHECK(syscall(SYS_capget, &header, data) == 0);
    return (struct sets){data[0].effective | (unsigned long long)data[1].effective << 32,
                         data[0].permitted | (unsigned long long)data[1].permitted << 32,
                         data[0].inheritable | (unsigned long long)data[1].inheritable << 32};
}

static int set_capabilities(struct sets sets) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {
        {sets.effective, sets.permitted, sets.inheritable},
        {sets.effective >> 32, sets.permitted >> 32, sets.inheritable >> 32}};
    return syscall(SYS_capset, &header, data);
}

static void root_may_all(void) {
    CHECK(users_are(0, 0, 0, 0) && groups_are(0, 0, 0, 0));
    CHECK(capabilities().effective == ALL_CAPABILITIES);
    CHECK(setresuid(1, 2, 3) == 0 && users_are(1, 2, 3, 2));
    CHECK(capabilities().permitted == 0);
}

static void a_user_stays_one(void) {
    become(1000, 1001);
    CHECK(users_are(1000, 1000, 1000, 1000) && groups_are(1001, 1001, 1001, 1001));
    CHECK(capabilities().permitted == 0 && capabilities().effective == 0);
    CHECK(setuid(0) == -1 && errno == EPERM);
    CHECK(setgid(0) == -1 && errno == EPERM);
    CHECK(setuid(1000) == 0 && setgid(1001) == 0);
    CHECK(setreuid(-1, 0) == -1 && errno == EPERM);
    CHECK(setreuid(0, -1) == -1 && errno == EPERM);
    CHECK(setregid(-1, 0) == -1 && errno == EPERM);
    CHECK(setresuid(-1, -1, 0) == -1 && errno == EPERM);
    CHECK(setresgid(-1, -1, 0) == -1 && errno == EPERM);
    CHECK(setresuid(-1, 1000, -1) == 0 && setresgid(1001, -1, -1) == 0);
    CHECK(setgroups(0, NULL) == -1 && errno == EPERM);
    CHECK(setfsuid(0) == 1000 && setfsuid(-1) == 1000);
    CHECK(setuid(-1) == -1 && errno == EINVAL);
    CHECK(setgid(-1) == -1 && errno == EINVAL);
}

static void a_saved_id_leads_back(void) {
    CHECK(setresgid(-1, 6, -1) == 0 && setresuid(-1, 5, -1) == 0);
    CHECK(users_are(0, 5, 0, 5) && groups_are(0, 6, 0, 6));
    CHECK(capabilities().effective == 0 && capabilities().permitted == ALL_CAPABILITIES);
    CHECK(setgid(7) == -1 && errno == EPERM);
    CHECK(setuid(0) == 0 && users_are(0, 0, 0, 0));
    CHECK(capabilities().effective == ALL_CAPABILITIES);
    CHECK(setreuid(5, 6) == 0 && users_are(5, 6, 6, 6));
    CHECK(setreuid(6, 5) == 0 && users_are(6, 5, 5, 5));
    CHECK(setreuid(-1, 6) == 0 && users_are(6, 6, 5, 6));
    CHECK(setuid(5) == 0 && users_are(6, 5, 5, 5));
}

static void the_file_systems_user(void) {
    CHECK(setfsuid(1000) == 0 && users_are(0, 0, 0, 1000));
    unsigned long long lost = ALL_CAPABILITIES & ~capabilities().effective;
    CHECK(lost & 1ULL << CAP_DAC_OVERRIDE && lost & 1ULL << CAP_FOWNER);
    CHECK(!(lost & 1ULL << CAP_SETUID) && !(lost & 1ULL << CAP_KILL));
    CHECK(setfsuid(0) == 1000 && capabilities().effective == ALL_CAPABILITIES);
    CHECK(setfsgid(7) == 0 && groups_are(0, 0, 0, 7));
    CHECK(setegid(0) == 0 && groups_are(0, 0, 0, 0));
}

static void further_groups(void) {
    gid_t many[] = {30, 10, 20, 10}, got[8];
    CHECK(setgroups(4, many) == 0 && getgroups(0, NULL) == 4);
    CHECK(getgroups(3, got) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_getgroups, -1, got) == -1 && errno == EINVAL);
    CHECK(getgroups(8, got) == 4 && got[0] == 10 && got[1] == 10 && got[3] == 30);
    CHECK(syscall(SYS_setgroups, 65537, many) == -1 && errno == EINVAL);
    CHECK(syscall(SYS_setgroups, 4, NULL) == -1 && errno == EFAULT);
    CHECK(setgroups(0, NULL) == 0 && getgroups(8, got) == 0);
}

static void capabilities_shrink(void) {
    unsigned long long kill = 1ULL << CAP_KILL, groups = 1ULL << CAP_SETGID;
    CHECK(prctl(PR_CAPBSET_READ, CAP_KILL) == 1 && prctl(PR_CAPBSET_DROP, CAP_KILL) == 0);
    CHECK(prctl(PR_CAPBSET_READ, CAP_KILL) == 0);
    CHECK(prctl(PR_CAPBSET_READ, 64) == -1 && errno == EINVAL);
    CHECK(prctl(PR_CAPBSET_DROP, 64) == -1 && errno == EINVAL);
    CHECK(set_capabilities((struct sets){0, kill | groups, 0}) == 0);
    CHECK(prctl(PR_CAPBSET_DROP, CAP_CHOWN) == -1 && errno == EPERM);
    CHECK(setgid(5) == -1 && errno == EPERM);
    CHECK(set_capabilities((struct sets){groups, kill | groups, 0}) == 0);
    CHECK(setgid(5) == 0);
    CHECK(set_capabilities((struct sets){groups, groups, 0}) == 0);
    CHECK(set_capabilities((struct sets){groups, kill | groups, 0}) == -1 && errno == EPERM);
    CHECK(set_capabilities((struct sets){kill, groups, 0}) == -1 && errno == EPERM);
    CHECK(capabilities().permitted == groups && capabilities().inheritable == 0);

    struct __user_cap_header_struct header = {1, 0};
    CHECK(syscall(SYS_capget, &header, NULL) == 0);
    CHECK(header.version == _LINUX_CAPABILITY_VERSION_3);
    struct __user_cap_data_struct data[2];
    header.version = 1;
    CHECK(syscall(SYS_capget, &header, data) == -1 && errno == EINVAL);
    header.pid = -1;
    CHECK(syscall(SYS_capget, &header, data) == -1 && errno == EINVAL);
    header.pid = 0x3ffffff;
    CHECK(syscall(SYS_capget, &header, data) == -1 && errno == ESRCH);
    header.pid = getppid();
    CHECK(syscall(SYS_capget, &header, data) == 0 && data[0].effective == 0xffffffff);
    CHECK(syscall(SYS_capset, &header, data) == -1 && errno == EPERM);
}

static void capabilities_are_kept(void) {
    CHECK(prctl(PR_SET_KEEPCAPS, 2) == -1 && errno == EINVAL);
    CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0 && prctl(PR_GET_KEEPCAPS) == 1);
    CHECK(setuid(1000) == 0);
    struct sets sets = capabilities();
    CHECK(sets.effective == 0 && sets.permitted == ALL_CAPABILITIES);
    sets.effective = 1ULL << CAP_SETUID;
    CHECK(set_capabilities(sets) == 0 && setresuid(7, 8, 9) == 0);
}

static void what_is_seen_changes(void) {
    CHECK(prctl(PR_SET_PDEATHSIG, SIGUSR1) == 0 && prctl(PR_GET_DUMPABLE) == 1);
    CHECK(setuid(0) == 0 && prctl(PR_GET_DUMPABLE) == 1);
    gid_t groups[] = {20, 10};
    CHECK(setgroups(2, groups) == 0);
    CHECK(setresgid(4, 5, 6) == 0 && setresuid(1, 2, 3) == 0);
    int signal = -1;
    CHECK(prctl(PR_GET_DUMPABLE) == 0);
    CHECK(prctl(PR_GET_PDEATHSIG, &signal) == 0 && signal == 0);
    CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
    char text[4096];
    int file = open("/proc/self/status", O_RDONLY);
    ssize_t length = read(file, text, sizeof text - 1);
    CHECK(length > 0);
    text[length > 0 ? length : 0] = 0;
    CHECK(strstr(text, "\nUid:\t1\t2\t3\t2\n") != NULL);
    CHECK(strstr(text, "\nGid:\t4\t5\t6\t5\n") != NULL);
    CHECK(strstr(text, "\nGroups:\t10 20 \n") != NULL);
    CHECK(strstr(text, "\nCapEff:\t0000000000000000\n") != NULL);
    CHECK(strstr(text, "\nNoNewPrivs:\t0\n") != NULL);
}

static void *drops(void *unused) {
    (void)unused;
    // The thread's own, not by the C library, which changes all threads.
    CHECK(syscall(SYS_setuid, 1000) == 0 && getuid() == 1000);
    return NULL;
}

static void threads_have_their_own(void) {
    pthread_t peer;
    CHECK(pthread_create(&peer, NULL, drops, NULL) == 0 && pthread_join(peer, NULL) == 0);
    CHECK(getuid() == 0);
}

// Whom signals may be sent to: another user's process, one of the same user, one's own.
static pid_t other_users, same_users;

static void signals_stay_among_users(void) {
    siginfo_t info = {.si_code = SI_QUEUE};
    become(1000, 1001);
    CHECK(kill(other_users, 0) == -1 && errno == EPERM);
    CHECK(kill(other_users, SIGTERM) == -1 && errno == EPERM);
    CHECK(kill(getppid(), SIGTERM) == -1 && errno == EPERM);
    CHECK(syscall(SYS_tgkill, other_users, other_users, SIGTERM) == -1 && errno == EPERM);
    CHECK(syscall(SYS_tkill, other_users, 0) == -1 && errno == EPERM);
    CHECK(syscall(SYS_rt_sigqueueinfo, other_users, SIGTERM, &info) == -1 && errno == EPERM);
    // To go on, all of the session may tell each other.
    CHECK(kill(other_users, SIGCONT) == 0);
    CHECK(kill(same_users, 0) == 0 && kill(same_users, SIGUSR1) == 0);
    CHECK(kill(getpid(), 0) == 0);
    // Some of the group may be told.
    CHECK(kill(0, 0) == 0);
    CHECK(setpgid(0, 0) == 0 && kill(-getppid(), 0) == -1 && errno == EPERM);
    CHECK(kill(-0x3ffffff, 0) == -1 && errno == ESRCH);
}

static pid_t start(uid_t user, gid_t group) {
    int ready[2];
    char byte = 0;
    CHECK(pipe(ready) == 0);
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR1);
    pid_t child = fork();
    if (child == 0) {
        siginfo_t info;
        CHECK(sigprocmask(SIG_BLOCK, &blocked, NULL) == 0);
        become(user, group);
        CHECK(setpgid(0, 0) == 0 && write(ready[1], &byte, 1) == 1);
        CHECK(sigwaitinfo(&blocked, &info) == SIGUSR1 && info.si_uid == 1000);
        _exit(failures);
    }
    CHECK(read(ready[0], &byte, 1) == 1 && close(ready[0]) == 0 && close(ready[1]) == 0);
    return child;
}

static void signals(void) {
    int status;
    siginfo_t info;
    CHECK(setpgid(0, 0) == 0);
    other_users = start(2000, 2001);
    same_users = start(1000, 3001);
    in_child(signals_stay_among_users);
    CHECK(waitid(P_PID, same_users, &info, WEXITED) == 0);
    CHECK(info.si_uid == 1000 && info.si_status == 0 && info.si_code == CLD_EXITED);
    CHECK(kill(other_users, SIGKILL) == 0 && waitpid(other_users, &status, 0) == other_users);
}

// A new program: this one, with the word that says what to look at.
static void exec_self(const char *word) {
    execl("/proc/self/exe", "credentials", word, NULL);
    CHECK(!"exec");
}

static void exec_as_user(void) {
    become(1000, 1001);
    exec_self("user");
}

static void exec_with_root_saved(void) {
    CHECK(prctl(PR_SET_KEEPCAPS, 1) == 0);
    CHECK(setresuid(0, 1000, 0) == 0);
    exec_self("saved");
}

// A copy of this program whose owner's rights it runs with.
static char copy[] = "/tmp/credentials-XXXXXX";

static void make_copy(void) {
    char bytes[65536];
    ssize_t length;
    mkdir("/tmp", 01777);
    int from = open("/proc/self/exe", O_RDONLY), to = mkstemp(copy);
    CHECK(from >= 0 && to >= 0);
    while ((length = read(from, bytes, sizeof bytes)) > 0) CHECK(write(to, bytes, length) == length);
    CHECK(fchown(to, 2000, 2001) == 0 && fchmod(to, 06755) == 0);
    CHECK(close(to) == 0 && close(from) == 0);
}

static void exec_copy(void) {
    become(1000, 1001);
    execl(copy, "credentials", "setid", NULL);
    CHECK(!"exec");
}

static void exec_copy_held(void) {
    become(1000, 1001);
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    execl(copy, "credentials", "user", NULL);
    CHECK(!"exec");
}

static int looked_at(const char *word) {
    if (strcmp(word, "user") == 0) {
        CHECK(users_are(1000, 1000, 1000, 1000) && groups_are(1001, 1001, 1001, 1001));
        CHECK(getauxval(AT_UID) == 1000 && getauxval(AT_EUID) == 1000);
        CHECK(getauxval(AT_GID) == 1001 && getauxval(AT_EGID) == 1001);
        CHECK(getauxval(AT_SECURE) == 0 && prctl(PR_GET_DUMPABLE) == 1);
        CHECK(capabilities().permitted == 0);
    } else if (strcmp(word, "saved") == 0) {
        CHECK(users_are(0, 1000, 1000, 1000) && prctl(PR_GET_KEEPCAPS) == 0);
        CHECK(getauxval(AT_SECURE) == 1);
        CHECK(capabilities().effective == 0 && capabilities().permitted == ALL_CAPABILITIES);
    } else {
        CHECK(users_are(1000, 2000, 2000, 2000) && groups_are(1001, 2001, 2001, 2001));
        CHECK(getauxval(AT_UID) == 1000 && getauxval(AT_EUID) == 2000);
        CHECK(getauxval(AT_GID) == 1001 && getauxval(AT_EGID) == 2001);
        CHECK(getauxval(AT_SECURE) == 1 && prctl(PR_GET_DUMPABLE) == 0);
        CHECK(setuid(1000) == 0 && seteuid(2000) == 0);
    }
    return failures;
}

int main(int count, char **words) {
    if (count > 1) return looked_at(words[1]);
    in_child(root_may_all);
    in_child(a_user_stays_one);
    in_child(a_saved_id_leads_back);
    in_child(the_file_systems_user);
    in_child(further_groups);
    in_child(capabilities_shrink);
    in_child(capabilities_are_kept);
    in_child(what_is_seen_changes);
    in_child(threads_have_their_own);
    in_child(signals);
    in_child(exec_as_user);
    in_child(exec_with_root_saved);
    make_copy();
    in_child(exec_copy);
    in_child(exec_copy_held);
    unlink(copy);
    return failures != 0;
}
