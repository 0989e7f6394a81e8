#ifndef XV6_STAT_H
#define XV6_STAT_H

#define T_DIR 1
#define T_FILE 2
#define T_DEV 3

/* In the order of the x86 edition; `fstat` makes it of the kernel's own. */
struct stat {
  short type;
  int dev;
  unsigned int ino;
  short nlink;
  unsigned int size;
};

#endif
