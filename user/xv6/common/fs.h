#ifndef XV6_FS_H
#define XV6_FS_H

#define ROOTINO 1
/* The RISC-V edition sets its own. */
#ifndef BSIZE
#define BSIZE 512
#endif
#define NDIRECT 12
#define NINDIRECT (BSIZE / sizeof(unsigned int))
/* What programs size their biggest file by, in blocks; Weft has no such limit. */
#define MAXFILE (NDIRECT + NINDIRECT)
#define DIRSIZ 14

/* What `read` gives of a folder; longer names are cut off. */
struct dirent {
  unsigned short inum;
  char name[DIRSIZ];
};

#endif
