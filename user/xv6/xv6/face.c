/* The plain xv6 face for x86. */
#include "user.h"
#include "process.h"

void exit(void) { weft_process_exit(0); }
void weft_end(int code) { weft_process_exit(code); }
