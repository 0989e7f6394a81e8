#ifndef XV6_PARAM_H
#define XV6_PARAM_H

/* Weft has no fixed tables: what programs size their tests by. */
#define NPROC 64
#define KSTACKSIZE 4096
#define NCPU 8
#define NOFILE 16
#define NFILE 100
#define NINODE 50
#define NDEV 10
#define ROOTDEV 1
#define MAXARG 32
#define MAXOPBLOCKS 10
#define FSSIZE 1000
#define MAXPATH 128
/* Pages of the stack; see kernel/riscv.h of the RISC-V edition. */
#define USERSTACK 1

#endif
