/* A program for xv6 on RISC-V: exit codes through wait, printf to the console. */
#include "kernel/types.h"
#include "kernel/stat.h"
#include "kernel/fcntl.h"
#include "user/user.h"

int main(int argc, char *argv[]) {
  int status;
  int pid = fork();
  if (pid == 0)
    exit(7);
  if (wait(&status) != pid || status != 7) {
    fprintf(2, "riscv: wait FAILED\n");
    exit(1);
  }
  int fd = open("riscv-file", O_CREATE | O_RDWR);
  if (write(fd, "hello", 5) != 5 || close(fd) < 0 || unlink("riscv-file") < 0) {
    fprintf(2, "riscv: files FAILED\n");
    exit(1);
  }
  pause(1);
  printf("riscv: child %d ended with %d, %d arguments\n", pid > 0, status, argc);
  exit(0);
}
