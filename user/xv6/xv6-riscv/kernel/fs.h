/* The RISC-V edition's blocks are twice as large. */
#define BSIZE 1024
#include "../../common/fs.h"
