/* The calls that all faces have alike, as xv6 has them: -1 on failure. */
#include "calls.h"
#include "fcntl.h"
#include "fs.h"
#include "process.h"
#include "stat.h"
#include "weft.h"

/* Linux's numbers (abi/src/call.rs). */
enum {
  READ = 0, WRITE = 1, OPEN = 2, CLOSE = 3, FSTAT = 5, LSEEK = 8, SCHED_YIELD = 24, DUP = 32, GETPID = 39, KILL = 62,
  CHDIR = 80, MKDIR = 83, LINK = 86, UNLINK = 87, GETPPID = 110, MKNOD = 133, GETDENTS64 = 217, PIPE2 = 293,
  NATIVE = 0x1000, UPTIME = NATIVE + 10,
};

#define EISDIR 21
#define SIGKILL 9
#define KIND 0170000
#define FOLDER 0040000
#define FILE_KIND 0100000
#define CHARACTER_DEVICE 0020000

static int plain(long result) {
  return result < 0 ? -1 : (int)result;
}

#define CALL1(number, a) plain(weft_call(number, (weft_word)(a), 0, 0, 0, 0))
#define CALL2(number, a, b) plain(weft_call(number, (weft_word)(a), (weft_word)(b), 0, 0, 0))
#define CALL3(number, a, b, c) \
  plain(weft_call(number, (weft_word)(a), (weft_word)(b), (weft_word)(c), 0, 0))

int fork(void) { return plain(weft_fork()); }
int exec(const char *path, char **argv) {
  weft_survive_closed_pipes(0);
  int result = plain(weft_exec(path, argv));
  weft_survive_closed_pipes(1);
  return result;
}
int pipe(int *ends) { return CALL2(PIPE2, ends, 0); }
int write(int fd, const void *bytes, int length) { return CALL3(WRITE, fd, bytes, length); }
/* Below 1 the kernel's call names groups of processes, which xv6 has not. */
int kill(int pid) { return pid < 1 ? -1 : CALL2(KILL, pid, SIGKILL); }

/* xv6 numbers two flags otherwise than the kernel. */
int open(const char *path, int flags) {
  enum { KERNEL_CREATE = 0x40, KERNEL_TRUNCATE = 0x200 };
  int kernel = flags & (O_WRONLY | O_RDWR);
  if (flags & O_CREATE)
    kernel |= KERNEL_CREATE;
  if (flags & O_TRUNC)
    kernel |= KERNEL_TRUNCATE;
  /* Without permissions, all files can be run. */
  return CALL3(OPEN, path, kernel, 0777);
}
int unlink(const char *path) {
  enum { RMDIR = 84 };
  long result = weft_call(UNLINK, (weft_word)path, 0, 0, 0, 0);
  return result == -EISDIR ? CALL1(RMDIR, path) : plain(result);
}
int link(const char *old, const char *new) { return CALL2(LINK, old, new); }
int mkdir(const char *path) { return CALL2(MKDIR, path, 0777); }
int chdir(const char *path) { return CALL1(CHDIR, path); }
int close(int fd) { return CALL1(CLOSE, fd); }
int dup(int fd) { return CALL1(DUP, fd); }
int getpid(void) { return CALL1(GETPID, 0); }
int getppid(void) { return CALL1(GETPPID, 0); }
int uptime(void) { return CALL1(UPTIME, 0); }
int yield(void) { return CALL1(SCHED_YIELD, 0); }
int mknod(const char *path, short major, short minor) {
  return CALL3(MKNOD, path, CHARACTER_DEVICE | 0666, major << 8 | minor);
}

/* The kernel's `struct stat` (abi/src/file.rs), as far as it is used. */
struct kernel_stat {
  unsigned long dev, ino, nlink;
  unsigned int mode, uid, gid, pad;
  unsigned long rdev;
  long size;
  long rest[11];
};

int fstat(int fd, struct stat *out) {
  struct kernel_stat kernel;
  if (CALL2(FSTAT, fd, &kernel) < 0 || !weft_may_write(out, sizeof *out))
    return -1;
  out->dev = kernel.dev;
  out->ino = kernel.ino;
  out->nlink = kernel.nlink;
  out->size = kernel.size;
  out->type = (kernel.mode & KIND) == FOLDER ? T_DIR : (kernel.mode & KIND) == FILE_KIND ? T_FILE : T_DEV;
  return 0;
}

int stat(const char *path, struct stat *out) {
  int fd = open(path, 0);
  int result;
  if (fd < 0)
    return -1;
  result = fstat(fd, out);
  close(fd);
  return result;
}

/* One entry of the kernel's (getdents64(2)) as one of xv6's. */
static void translate(const char *entry, struct dirent *out) {
  unsigned long inode = *(unsigned long *)entry;
  /* 0 would say that the entry is unused. */
  out->inum = inode & 0xffff ? inode : 1;
  int i = 0;
  for (const char *name = entry + 19; i < DIRSIZ && *name; i++)
    out->name[i] = *name++;
  for (; i < DIRSIZ; i++)
    out->name[i] = 0;
}

/* xv6 programs read folders as files of `struct dirent`. Nothing is kept between
 * calls: where to go on is the descriptor's own position, which all share who
 * have it. */
static int read_folder(int fd, struct dirent *out, int length) {
  char entries[1024];
  int done = 0, room = length / (int)sizeof *out;
  if (room > 0 && !weft_may_write(out, room * sizeof *out))
    return -1;
  while (done < room) {
    long filled = weft_call(GETDENTS64, fd, (weft_word)entries, sizeof entries, 0, 0);
    if (filled <= 0)
      return filled < 0 ? -1 : done * (int)sizeof *out;
    for (char *entry = entries; entry < entries + filled; entry += *(unsigned short *)(entry + 16)) {
      translate(entry, &out[done++]);
      if (done == room)
        return CALL3(LSEEK, fd, *(long *)(entry + 8), 0) < 0 ? -1 : length - length % (int)sizeof *out;
    }
  }
  return 0;
}

int read(int fd, void *bytes, int length) {
  long n = weft_call(READ, fd, (weft_word)bytes, length, 0, 0);
  return n == -EISDIR ? read_folder(fd, bytes, length) : plain(n);
}
