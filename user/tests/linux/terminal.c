// Job control at the terminal (termios(3)). Begins as the process in front of
// a session whose terminal is its standard input.
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "check.h"

enum action { READ, TAKE, MODES };

// Does `action` in a process group that is not in front: its exit status, or
// -1 where it stopped, with the signal in `*stopped`. A stopped one is let go
// on in front.
static int in_background(enum action action, void (*heed)(int), int *stopped) {
    struct termios modes;
    int status;
    *stopped = 0;
    CHECK(tcgetattr(0, &modes) == 0);
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        signal(SIGTTIN, heed);
        signal(SIGTTOU, heed);
        char byte;
        int result = action == READ   ? (int)read(0, &byte, 1)
                     : action == TAKE ? tcsetpgrp(0, getpgrp())
                                      : tcsetattr(0, TCSANOW, &modes);
        _exit(result == 0 ? 0 : errno);
    }
    CHECK(waitpid(child, &status, WUNTRACED) == child);
    if (!WIFSTOPPED(status)) return WEXITSTATUS(status);
    *stopped = WSTOPSIG(status);
    CHECK(tcsetpgrp(0, child) == 0);
    if (action == READ) {
        // It would wait for a key.
        CHECK(kill(child, SIGKILL) == 0 && waitpid(child, &status, 0) == child);
    } else {
        CHECK(kill(child, SIGCONT) == 0 && waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    signal(SIGTTOU, SIG_IGN);
    CHECK(tcsetpgrp(0, getpgrp()) == 0);
    signal(SIGTTOU, SIG_DFL);
    return -1;
}

int main(void) {
    setvbuf(stdout, NULL, _IONBF, 0);
    int stopped;
    CHECK(tcgetpgrp(0) == getpgrp() && getsid(0) == getpid() && getpgid(0) == getpgrp());
    CHECK(in_background(READ, SIG_DFL, &stopped) == -1 && stopped == SIGTTIN);
    CHECK(in_background(TAKE, SIG_DFL, &stopped) == -1 && stopped == SIGTTOU);
    CHECK(in_background(MODES, SIG_DFL, &stopped) == -1 && stopped == SIGTTOU);
    CHECK(in_background(READ, SIG_IGN, &stopped) == EIO);
    CHECK(in_background(MODES, SIG_IGN, &stopped) == 0);
    CHECK(in_background(TAKE, SIG_IGN, &stopped) == 0);
    signal(SIGTTOU, SIG_IGN);
    CHECK(tcsetpgrp(0, getpgrp()) == 0);
    // Another session has no say.
    pid_t child = fork();
    int status;
    if (child == 0) {
        setsid();
        pid_t inner = fork();
        if (inner == 0) _exit(!(tcsetpgrp(0, getpgrp()) == -1 && errno == ENOTTY));
        waitpid(inner, &status, 0);
        _exit(status != 0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    return failures != 0;
}
