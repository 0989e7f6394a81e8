/* From the runtime's start to `main`; what `main` returns is the face's. */
#include "weft.h"

int main(int argc, char **argv);
/* In face.c: the end of a program whose `main` returns. */
void weft_end(int code) __attribute__((noreturn));

int weft_main(void) {
  char **argv;
  int argc;
  weft_memory_start();
  argc = weft_arguments(&argv);
  weft_end(main(argc, argv));
}
