/* Locks of the kernel: programs that include this want those of locks.h. */
#include "user.h"
