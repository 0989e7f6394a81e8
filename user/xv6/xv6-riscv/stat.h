#ifndef XV6_STAT_H
#define XV6_STAT_H

#define T_DIR 1
#define T_FILE 2
#define T_DEVICE 3
/* For lib/calls.c, which serves both editions. */
#define T_DEV T_DEVICE

/* In the order of the RISC-V edition. */
struct stat {
  int dev;
  unsigned int ino;
  short type;
  short nlink;
  unsigned long size;
};

#endif
