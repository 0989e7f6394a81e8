// Addresses differ from one run of a program to the next, and do not where that
// was asked for: by personality(2), or at boot, of which the word `off` tells.
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#define RUNS 6

enum place { PROGRAM, HEAP, STACK, MAPPING, LENT, LOADER, PLACES };

static const char *const names[PLACES] = {"program", "heap", "stack", "mapping", "vdso", "loader"};

static void look(unsigned long *places) {
    places[PROGRAM] = getauxval(AT_PHDR);
    places[HEAP] = (unsigned long)sbrk(0);
    places[STACK] = (unsigned long)&places;
    places[MAPPING] =
        (unsigned long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    places[LENT] = getauxval(AT_SYSINFO_EHDR);
    places[LOADER] = getauxval(AT_BASE);
}

// Where a new run of the program has its parts, with `persona` if not -1.
static void run(const char *path, long persona, unsigned long *places) {
    int ends[2], status;
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    if (child == 0) {
        if (persona != -1) personality((unsigned long)persona);
        dup2(ends[1], 1);
        execl(path, path, "look", (char *)NULL);
        _exit(2);
    }
    close(ends[1]);
    CHECK(read(ends[0], places, PLACES * sizeof *places) == PLACES * sizeof *places);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    close(ends[0]);
}

// How many of the runs after the first have the part elsewhere.
static int moved(unsigned long places[RUNS][PLACES], enum place place) {
    int count = 0;
    for (int i = 1; i < RUNS; i++) count += places[i][place] != places[0][place];
    return count;
}

int main(int argc, char **argv) {
    unsigned long places[RUNS][PLACES];
    if (argc > 1 && strcmp(argv[1], "look") == 0) {
        look(places[0]);
        return write(1, places[0], sizeof places[0]) != sizeof places[0];
    }
    setvbuf(stdout, NULL, _IONBF, 0);
    int is_off = argc > 1 && strcmp(argv[1], "off") == 0;
    for (int i = 0; i < RUNS; i++) run(argv[0], -1, places[i]);
    // What is linked to its place has no loader, and stays.
    int is_movable = places[0][LOADER] != 0;
    for (enum place place = 0; place < PLACES; place++) {
        int stays = is_off || (!is_movable && (place == PROGRAM || place == LOADER));
        int count = moved(places, place);
        if (stays ? count != 0 : count < 2) {
            printf("%s: %d of %d runs have it elsewhere\n", names[place], count, RUNS);
            failures++;
        }
    }
    for (int i = 0; i < RUNS; i++) {
        CHECK(places[i][MAPPING] % 4096 == 0 && places[i][LOADER] % 4096 == 0);
        CHECK(places[i][PROGRAM] < places[i][HEAP] && places[i][MAPPING] < places[i][STACK]);
    }
    for (int i = 0; i < RUNS; i++) run(argv[0], ADDR_NO_RANDOMIZE, places[i]);
    for (enum place place = 0; place < PLACES; place++) CHECK(moved(places, place) == 0);
    // It is told, kept by a child, and by the next program.
    CHECK(personality(0xffffffff) == 0);
    CHECK(personality(ADDR_NO_RANDOMIZE) == 0);
    CHECK(personality(0xffffffff) == ADDR_NO_RANDOMIZE);
    unsigned long again[PLACES];
    run(argv[0], -1, again);
    for (enum place place = 0; place < PLACES; place++) CHECK(again[place] == places[0][place]);
    CHECK(personality(0) == ADDR_NO_RANDOMIZE && personality(0xffffffff) == 0);
    printf("%s\n", failures ? "FAILED" : "passed");
    return failures != 0;
}
