#ifndef XV6_MMU_H
#define XV6_MMU_H

#define PGSIZE 4096
#define PGSHIFT 12
#define PGROUNDUP(size) (((size) + PGSIZE - 1) & ~(unsigned long)(PGSIZE - 1))
#define PGROUNDDOWN(address) ((address) & ~(unsigned long)(PGSIZE - 1))

#endif
