#ifndef XV6_FS_H
#define XV6_FS_H

#define ROOTINO 1
#define BSIZE 512
#define DIRSIZ 14

/* What `read` gives of a folder; longer names are cut off. */
struct dirent {
  unsigned short inum;
  char name[DIRSIZ];
};

#endif
