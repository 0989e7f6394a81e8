/* A program for plain xv6 (x86): processes, pipes, folders. */
#include "types.h"
#include "stat.h"
#include "user.h"
#include "fcntl.h"
#include "fs.h"

int main(int argc, char *argv[]) {
  int ends[2], found = 0;
  char buffer[32];
  struct dirent entry;
  struct stat st;

  pipe(ends);
  if (fork() == 0) {
    close(1);
    dup(ends[1]);
    close(ends[0]);
    close(ends[1]);
    char *words[] = {"echo", "through", "a", "pipe", 0};
    exec("echo", words);
    printf(2, "xv6: exec failed\n");
    exit();
  }
  close(ends[1]);
  int n = read(ends[0], buffer, sizeof buffer);
  wait();
  buffer[n > 0 ? n : 0] = 0;
  printf(1, "xv6: %s", buffer);

  int fd = open("/dev", O_RDONLY);
  while (read(fd, &entry, sizeof entry) == sizeof entry)
    if (strcmp(entry.name, "null") == 0)
      found = entry.inum;
  close(fd);
  if (!found || stat("/dev/null", &st) < 0 || st.type != T_DEV) {
    printf(2, "xv6: folders FAILED\n");
    kill(getpid());
  }
  /* A path that goes on past the end of memory, and one that is nowhere. */
  char *none[] = {0}, *top;
  sbrk(4096 - (uintp)sbrk(0) % 4096 + 4096);
  top = sbrk(0) - 1;
  *top = 'x';
  if (exec(top, none) != -1 || exec((char *)-1, none) != -1 || open(top, O_CREATE) != -1) {
    printf(2, "xv6: bad paths FAILED\n");
    kill(getpid());
  }
  char *old = sbrk(4096);
  old[0] = 1;
  if (sbrk(-4096) != old + 4096 || sbrk(0) != old) {
    printf(2, "xv6: sbrk FAILED\n");
    kill(getpid());
  }
  exit();
}
