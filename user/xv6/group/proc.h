/* A process as the kernel sees it: programs that include this want what user.h
 * has. */
#include "user.h"
