// Job control in sessions on pseudo-terminals: keys, background reads and writes, a
// little shell with jobs, and how terminals are taken, given up and hung up.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "check.h"

#define FAILS(call, error) CHECK((call) == -1 && errno == (error))

static void put(int fd, const char *text) {
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

// Reads up to and with `text`: whether it comes.
static int comes(int fd, const char *text) {
    char got[4096];
    size_t done = 0;
    while (done < sizeof got - 1) {
        if (read(fd, got + done, 1) != 1) break;
        got[++done] = 0;
        if (strstr(got, text)) return 1;
    }
    got[done] = 0;
    printf("`%s` is not in `%s`\n", text, got);
    return 0;
}

// Says something to the one at the master: to be used in children.
static void say(const char *text) {
    if (write(1, text, strlen(text)) < 0) _exit(90);
}

static volatile sig_atomic_t got_signal;
static void note(int signal) { got_signal = signal; }

static void catch(int signal) {
    struct sigaction action = {.sa_handler = note};
    sigaction(signal, &action, NULL);
}

// Starts `body` as the first process of a session at a terminal of its own, without
// echo.
static pid_t start(int *master, void (*body)(void)) {
    fflush(stdout);
    pid_t child = forkpty(master, NULL, NULL, NULL);
    if (child == 0) {
        struct termios modes;
        tcgetattr(0, &modes);
        modes.c_lflag &= ~ECHO;
        tcsetattr(0, TCSANOW, &modes);
        body();
        _exit(0);
    }
    CHECK(child > 0);
    return child;
}

static int ends(pid_t child) {
    int status;
    if (waitpid(child, &status, 0) != child) return -1;
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

// A child in a process group of its own, in front or not.
static pid_t job(int in_front) {
    pid_t child = fork();
    pid_t group = child == 0 ? getpid() : child;
    setpgid(group, group);
    if (in_front) {
        signal(SIGTTOU, SIG_IGN);
        if (tcsetpgrp(0, group) != 0) _exit(91);
        signal(SIGTTOU, SIG_DFL);
    }
    return child;
}

static void in_front_again(void) {
    signal(SIGTTOU, SIG_IGN);
    if (tcsetpgrp(0, getpgrp()) != 0) _exit(92);
    signal(SIGTTOU, SIG_DFL);
}

static void owner(void) {
    if (tcgetpgrp(0) != getpgrp() || tcgetsid(0) != getpid()) _exit(1);
    int tty = open("/dev/tty", O_RDWR);
    char name[64], other[64];
    if (tty < 0 || !isatty(tty) || tcgetpgrp(tty) != getpgrp()) _exit(2);
    if (ttyname_r(0, name, sizeof name) || strncmp(name, "/dev/pts/", 9)) _exit(3);
    // A second terminal is not taken, and this one is.
    int master, slave;
    if (openpty(&master, &slave, NULL, NULL, NULL) != 0) _exit(4);
    if (ptsname_r(master, other, sizeof other) != 0) _exit(5);
    if (open(other, O_RDWR) < 0 || tcgetpgrp(slave) != -1 || errno != ENOTTY) _exit(6);
    if (ioctl(slave, TIOCSCTTY, 0) != -1 || errno != EPERM) _exit(7);
    if (ioctl(0, TIOCSCTTY, 0) != 0) _exit(8);
    if (tcsetpgrp(0, 0x3fffffff) != -1 || errno != ESRCH) _exit(9);
    if (tcsetpgrp(0, -1) != -1 || errno != EINVAL) _exit(10);
    if (tcsetpgrp(0, getppid()) != -1 || (errno != EPERM && errno != ESRCH)) _exit(11);
    // Another session has none, until it takes one.
    pid_t child = fork();
    if (child == 0) {
        setsid();
        if (open("/dev/tty", O_RDWR) != -1 || errno != ENXIO) _exit(1);
        if (tcgetpgrp(0) != -1 || errno != ENOTTY) _exit(2);
        if (ioctl(0, TIOCSCTTY, 0) != -1 || errno != EPERM) _exit(3);
        if (open(other, O_RDWR | O_NOCTTY) < 0 || open("/dev/tty", O_RDWR) != -1) _exit(4);
        int taken = open(other, O_RDWR);
        if (tcgetsid(taken) != getpid() || tcgetpgrp(taken) != getpid()) _exit(5);
        if (open("/dev/tty", O_RDWR) < 0) _exit(6);
        catch(SIGHUP), catch(SIGCONT);
        if (ioctl(taken, TIOCNOTTY) != 0 || got_signal == 0) _exit(7);
        if (tcgetpgrp(taken) != -1 || errno != ENOTTY) _exit(8);
        if (ioctl(taken, TIOCSCTTY, 0) != 0 || tcgetsid(taken) != getpid()) _exit(9);
        _exit(0);
    }
    int status = ends(child);
    _exit(status == 0 ? 0 : 100 + status);
}

// A key ends who is in front, and nobody else.
static void keys(void) {
    signal(SIGINT, SIG_IGN), signal(SIGQUIT, SIG_IGN);
    pid_t behind = job(0);
    if (behind == 0) {
        signal(SIGINT, SIG_DFL);
        for (;;) pause();
    }
    int signals[] = {SIGINT, SIGQUIT};
    for (int i = 0; i < 2; i++) {
        pid_t front = job(1);
        if (front == 0) {
            signal(signals[i], SIG_DFL);
            say("ready\n");
            for (;;) pause();
        }
        if (ends(front) != -signals[i]) _exit(1);
        in_front_again();
    }
    say("done\n");
    kill(behind, SIGTERM);
    _exit(ends(behind) == -SIGTERM ? 0 : 2);
}

static void test_keys(void) {
    int master;
    pid_t child = start(&master, keys);
    CHECK(comes(master, "ready\r\n"));
    put(master, "\003");
    CHECK(comes(master, "ready\r\n"));
    put(master, "typed\034");
    CHECK(comes(master, "done\r\n"));
    CHECK(ends(child) == 0);
    close(master);
}

// ^Z stops, a background read stops, and fg lets the job go on.
static void shell(void) {
    pid_t front = job(1);
    if (front == 0) {
        char line[64];
        for (;;) {
            say("job? ");
            ssize_t count = read(0, line, sizeof line);
            if (count <= 0) _exit(3);
            if (memcmp(line, "end", 3) == 0) _exit(0);
            say("ok\n");
        }
    }
    for (int stops = 0;;) {
        int status;
        if (waitpid(front, &status, WUNTRACED) != front) _exit(4);
        in_front_again();
        if (!WIFSTOPPED(status)) {
            say("bye\n");
            _exit(WIFEXITED(status) && WEXITSTATUS(status) == 0 && stops == 2 ? 0 : 5);
        }
        stops++;
        if (stops == 1 && WSTOPSIG(status) != SIGTSTP) _exit(6);
        if (stops == 2 && WSTOPSIG(status) != SIGTTIN) _exit(7);
        char line[64];
        say("$ ");
        ssize_t count = read(0, line, sizeof line);
        if (count == 3 && memcmp(line, "fg\n", 3) == 0) {
            signal(SIGTTOU, SIG_IGN);
            tcsetpgrp(0, front);
            signal(SIGTTOU, SIG_DFL);
        } else if (count != 3 || memcmp(line, "bg\n", 3) != 0) {
            _exit(8);
        }
        if (kill(-front, SIGCONT) != 0) _exit(9);
    }
}

static void test_shell(void) {
    int master;
    pid_t child = start(&master, shell);
    CHECK(comes(master, "job? "));
    put(master, "one\n");
    CHECK(comes(master, "ok\r\njob? "));
    put(master, "forgotten\032");
    CHECK(comes(master, "$ "));
    put(master, "bg\n");
    // It reads, and stops at that.
    CHECK(comes(master, "$ "));
    put(master, "fg\nend\n");
    CHECK(comes(master, "bye\r\n"));
    CHECK(ends(child) == 0);
    close(master);
}

// Writes behind stop under TOSTOP only, and have an error where nobody would let
// them go on.
static void writes(void) {
    struct termios modes;
    int status;
    pid_t child = job(0);
    if (child == 0) _exit(write(1, "free\n", 5) != 5);
    if (ends(child) != 0) _exit(1);
    tcgetattr(0, &modes);
    modes.c_lflag |= TOSTOP;
    tcsetattr(0, TCSANOW, &modes);
    child = job(0);
    if (child == 0) _exit(write(1, "stopped\n", 8) != 8);
    if (waitpid(child, &status, WUNTRACED) != child) _exit(2);
    if (!WIFSTOPPED(status) || WSTOPSIG(status) != SIGTTOU) _exit(3);
    signal(SIGTTOU, SIG_IGN);
    tcsetpgrp(0, child);
    kill(child, SIGCONT);
    if (ends(child) != 0) _exit(4);
    tcsetpgrp(0, getpgrp());
    // Who ignores the signal may write, and not read.
    child = job(0);
    if (child == 0) {
        signal(SIGTTIN, SIG_IGN);
        char byte;
        if (write(1, "deaf\n", 5) != 5) _exit(1);
        _exit(read(0, &byte, 1) == -1 && errno == EIO ? 0 : 2);
    }
    if (ends(child) != 0) _exit(5);
    signal(SIGTTOU, SIG_DFL);
    // An orphaned group.
    int told[2];
    if (pipe(told) != 0) _exit(6);
    child = job(0);
    if (child == 0) {
        pid_t parent = getpid();
        if (fork() == 0) {
            char byte, result = 0;
            while (getppid() == parent) usleep(1000);
            if (read(0, &byte, 1) != -1 || errno != EIO) result |= 1;
            if (write(1, "orphan\n", 7) != -1 || errno != EIO) result |= 2;
            if (tcsetpgrp(0, getpgrp()) != -1 || errno != ENOTTY) result |= 4;
            if (write(told[1], &result, 1) != 1) _exit(1);
        }
        _exit(0);
    }
    if (ends(child) != 0) _exit(7);
    char result;
    if (read(told[0], &result, 1) != 1 || result != 0) _exit(20 + result);
    say("done\n");
    _exit(0);
}

static void test_writes(void) {
    int master;
    pid_t child = start(&master, writes);
    CHECK(comes(master, "free\r\n") && comes(master, "stopped\r\n"));
    CHECK(comes(master, "deaf\r\ndone\r\n"));
    CHECK(ends(child) == 0);
    close(master);
}

static int report[2];

static void tell(char what) {
    if (write(report[1], &what, 1) != 1) _exit(95);
}

static int told(char what) {
    char got = 0;
    int as_meant = read(report[0], &got, 1) == 1 && got == what;
    if (!as_meant) printf("told %d\n", got);
    return as_meant;
}

// The end of a session's first process is SIGHUP for those in front.
static void leader(void) {
    pid_t front = job(1);
    if (front == 0) {
        sigset_t set;
        int signal;
        sigemptyset(&set), sigaddset(&set, SIGHUP);
        sigprocmask(SIG_BLOCK, &set, NULL);
        tell('r');
        if (sigwait(&set, &signal) == 0) tell('h');
        // The terminal is no one's now.
        tell(open("/dev/tty", O_RDWR) == -1 && errno == ENXIO ? 'n' : 'y');
        _exit(0);
    }
    for (;;) pause();
}

static void waits(void) {
    catch(SIGHUP);
    sigset_t set, old;
    sigemptyset(&set), sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, &old);
    tell('r');
    while (!got_signal) sigsuspend(&old);
    tell('h');
    char byte;
    tell(read(0, &byte, 1) == 0 ? '0' : '1');
    tell(write(1, &byte, 1) == -1 && errno == EIO ? 'e' : 'w');
    _exit(0);
}

static void test_hang_ups(void) {
    int master;
    pid_t child = start(&master, leader);
    CHECK(told('r'));
    CHECK(kill(child, SIGKILL) == 0 && ends(child) == -SIGKILL);
    CHECK(told('h') && told('n'));
    close(master);
    // The master's end is SIGHUP for the first process.
    child = start(&master, waits);
    CHECK(told('r'));
    close(master);
    CHECK(told('h') && told('0') && told('e'));
    CHECK(ends(child) == 0);
}

// A new size is SIGWINCH for those in front, once.
static void sized(void) {
    struct winsize size;
    sigset_t set;
    int signal;
    sigemptyset(&set), sigaddset(&set, SIGWINCH);
    sigprocmask(SIG_BLOCK, &set, NULL);
    tell('r');
    if (sigwait(&set, &signal) != 0) _exit(1);
    if (ioctl(0, TIOCGWINSZ, &size) != 0 || size.ws_row != 50) _exit(2);
    tell('s');
    char line[8];
    if (read(0, line, sizeof line) <= 0) _exit(3);
    sigpending(&set);
    _exit(sigismember(&set, SIGWINCH) ? 4 : 0);
}

static void test_size(void) {
    int master;
    struct winsize size = {.ws_row = 50, .ws_col = 100};
    pid_t child = start(&master, sized);
    CHECK(told('r') && tcgetpgrp(master) == child && tcgetsid(master) == child);
    CHECK(ioctl(master, TIOCSWINSZ, &size) == 0);
    CHECK(told('s'));
    CHECK(ioctl(master, TIOCSWINSZ, &size) == 0);
    put(master, "\n");
    CHECK(ends(child) == 0);
    close(master);
}

// A signal ends a read.
static void interrupted(void) {
    catch(SIGINT);
    char byte;
    tell('r');
    ssize_t count = read(0, &byte, 1);
    _exit(got_signal == SIGINT && (count == 1 || (count == -1 && errno == EINTR)) ? 0 : 1);
}

static void test_interruption(void) {
    int master;
    pid_t child = start(&master, interrupted);
    CHECK(told('r'));
    // If the key comes before the read, the line ends it.
    put(master, "\003");
    put(master, "\n");
    CHECK(ends(child) == 0);
    close(master);
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    CHECK(pipe(report) == 0);
    int master;
    pid_t child = start(&master, owner);
    int status = ends(child);
    if (status != 0) printf("owner: %d\n", status), failures++;
    close(master);
    test_keys();
    test_shell();
    test_writes();
    test_hang_ups();
    test_size();
    test_interruption();
    return failures != 0;
}
