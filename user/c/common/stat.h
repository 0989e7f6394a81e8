#ifndef XV6_STAT_H
#define XV6_STAT_H

#define T_DIR 1
#define T_FILE 2
#define T_DEV 3
#define T_DEVICE 3

/* What `fstat` makes of the kernel's own. */
struct stat {
  int dev;
  unsigned int ino;
  short type;
  short nlink;
  unsigned long size;
};

#endif
