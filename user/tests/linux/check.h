// What the Linux test programs share: a check that names its line, and counting.
#pragma once
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int failures;

#define CHECK(condition)                                                           \
    do {                                                                           \
        if (!(condition)) {                                                        \
            printf("%s:%d: not so: %s (%s)\n", __FILE__, __LINE__, #condition,     \
                   strerror(errno));                                               \
            failures++;                                                            \
        }                                                                          \
    } while (0)
