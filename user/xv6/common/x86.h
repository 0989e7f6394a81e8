#ifndef XV6_X86_H
#define XV6_X86_H

/* The instructions that a program in user mode may use. */

static inline unsigned int xchg(volatile unsigned int *address, unsigned int value) {
  return __atomic_exchange_n(address, value, __ATOMIC_SEQ_CST);
}

static inline int fetch_and_add(volatile int *address, int value) {
  return __atomic_fetch_add(address, value, __ATOMIC_SEQ_CST);
}

static inline unsigned long rdtsc(void) {
  unsigned int low, high;
  __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
  return (unsigned long)high << 32 | low;
}

static inline void pause_cpu(void) {
  __asm__ volatile("pause");
}

static inline unsigned long readeflags(void) {
  unsigned long flags;
  __asm__ volatile("pushfq; popq %0" : "=r"(flags));
  return flags;
}

#endif
