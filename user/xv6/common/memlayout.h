/* The addresses where xv6 for x86 has its kernel: here nothing is mapped there
 * that a program did not map, so that reading them ends the program too. */
#ifndef XV6_MEMLAYOUT_H
#define XV6_MEMLAYOUT_H

#define EXTMEM 0x100000
#define PHYSTOP 0xE000000
#define DEVSPACE 0xFE000000
#define KERNBASE 0x80000000
#define KERNLINK (KERNBASE + EXTMEM)

#endif
