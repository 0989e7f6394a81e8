/* From the runtime's start to `main`; what `main` returns is the face's. */
#include "process.h"
#include "weft.h"

int main(int argc, char **argv);
/* The face's: the end of a program whose `main` returns. */
void weft_end(int code) __attribute__((noreturn));
/* The face's: where memory other than the break begins, below 4 GiB. */
weft_word weft_memory_low(void);

int weft_main(void) {
  char **argv;
  int argc;
  weft_memory_start(weft_memory_low());
  weft_survive_closed_pipes(1);
  argc = weft_arguments(&argv);
  weft_end(main(argc, argv));
}
