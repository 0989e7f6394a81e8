/* The thread library's locks, under the names of both thread families. */
#ifndef WEFT_LOCKS_H
#define WEFT_LOCKS_H

#include "weft.h"

typedef struct weft_ticket lock_t;
typedef struct weft_ticket tlock_t;
typedef struct weft_ticket tlock;
typedef struct weft_mutex mutex_t;
typedef struct weft_cond cond_t;
typedef struct weft_cond cv_t;
typedef struct weft_semaphore usem_t;
typedef struct weft_rwlock rwlock_t;
typedef struct weft_barrier barrier_t;
typedef struct weft_once once_t;

/* First come, first served. */
void lock_init(lock_t *);
void lock_acquire(lock_t *);
void lock_release(lock_t *);
int lock_holding(lock_t *);
void tlock_init(tlock_t *);
void tlock_acquire(tlock_t *);
void tlock_release(tlock_t *);
int tlock_holding(tlock_t *);

void mutex_init(mutex_t *);
void mutex_lock(mutex_t *);
void mutex_unlock(mutex_t *);

void cond_init(cond_t *);
void cond_wait(cond_t *, lock_t *);
void cond_signal(cond_t *);
void cond_broadcast(cond_t *);
void cv_init(cv_t *);
void cv_wait(cv_t *, lock_t *);
void cv_signal(cv_t *);
void cv_broadcast(cv_t *);
void cond_wait_mutex(cond_t *, mutex_t *);

/* In user memory; `sem_…` are the kernel's. */
void usem_init(usem_t *, unsigned int value);
void usem_wait(usem_t *);
int usem_trywait(usem_t *);
void usem_post(usem_t *);

void rwlock_init(rwlock_t *);
void rwlock_read(rwlock_t *);
void rwlock_write(rwlock_t *);
void rwlock_unlock(rwlock_t *);

void barrier_init(barrier_t *, unsigned int count);
int barrier_wait(barrier_t *);

void once(once_t *, void (*action)(void));

/* The kernel's semaphores, by handle; -1 on failure. */
int sem_create(int value);
int sem_wait(int handle);
int sem_trywait(int handle);
int sem_timedwait(int handle, int milliseconds);
int sem_post(int handle);
int sem_destroy(int handle);

#endif
