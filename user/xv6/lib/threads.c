/* What both thread faces have alike: locks, semaphores, ids. */
#include "locks.h"
#include "weft.h"

enum {
  GETTID = 186, TGKILL = 234, NATIVE = 0x1000,
  SEM_CREATE = NATIVE + 4, SEM_WAIT, SEM_TRYWAIT, SEM_TIMEDWAIT, SEM_POST, SEM_DESTROY,
};

static int plain(long result) {
  return result < 0 ? -1 : (int)result;
}

int gettid(void) { return plain(weft_call(GETTID, 0, 0, 0, 0, 0)); }
int thread_self(void) { return gettid(); }
int tgkill(int tgid, int tid, int signal) { return plain(weft_call(TGKILL, tgid, tid, signal, 0, 0)); }
int thread_detach(int tid) { return plain(weft_thread_detach(tid)); }
void thread_exit(void) { weft_thread_exit(); }

void lock_init(lock_t *lock) { *lock = (lock_t){0}; }
void lock_acquire(lock_t *lock) { weft_ticket_acquire(lock); }
void lock_release(lock_t *lock) { weft_ticket_release(lock); }
int lock_holding(lock_t *lock) { return weft_ticket_held(lock); }
void tlock_init(tlock_t *lock) { lock_init(lock); }
void tlock_acquire(tlock_t *lock) { lock_acquire(lock); }
void tlock_release(tlock_t *lock) { lock_release(lock); }
int tlock_holding(tlock_t *lock) { return lock_holding(lock); }

void mutex_init(mutex_t *mutex) { *mutex = (mutex_t){0}; }
void mutex_lock(mutex_t *mutex) { weft_mutex_lock(mutex); }
void mutex_unlock(mutex_t *mutex) { weft_mutex_unlock(mutex); }

void cond_init(cond_t *condition) { *condition = (cond_t){0}; }
void cond_wait(cond_t *condition, lock_t *lock) { weft_cond_wait_ticket(condition, lock); }
void cond_signal(cond_t *condition) { weft_cond_signal(condition); }
void cond_broadcast(cond_t *condition) { weft_cond_broadcast(condition); }
void cond_wait_mutex(cond_t *condition, mutex_t *mutex) { weft_cond_wait_mutex(condition, mutex); }
void cv_init(cv_t *condition) { cond_init(condition); }
void cv_wait(cv_t *condition, lock_t *lock) { cond_wait(condition, lock); }
void cv_signal(cv_t *condition) { cond_signal(condition); }
void cv_broadcast(cv_t *condition) { cond_broadcast(condition); }

void usem_init(usem_t *semaphore, unsigned int value) { *semaphore = (usem_t){value, 0}; }
void usem_wait(usem_t *semaphore) { weft_semaphore_wait(semaphore); }
int usem_trywait(usem_t *semaphore) { return weft_semaphore_try(semaphore) ? 0 : -1; }
void usem_post(usem_t *semaphore) { weft_semaphore_post(semaphore); }

void rwlock_init(rwlock_t *lock) { *lock = (rwlock_t){0}; }
void rwlock_read(rwlock_t *lock) { weft_rwlock_read(lock); }
void rwlock_write(rwlock_t *lock) { weft_rwlock_write(lock); }
void rwlock_unlock(rwlock_t *lock) { weft_rwlock_unlock(lock); }

void barrier_init(barrier_t *barrier, unsigned int count) { *barrier = (barrier_t){.count = count}; }

/* 1 in the thread that came last. */
int barrier_wait(barrier_t *barrier) {
  int last;
  weft_mutex_lock(&barrier->mutex);
  unsigned int round = barrier->round;
  last = ++barrier->arrived >= barrier->count;
  if (last) {
    barrier->arrived = 0;
    barrier->round++;
    weft_cond_broadcast(&barrier->complete);
  }
  while (barrier->round == round)
    weft_cond_wait_mutex(&barrier->complete, &barrier->mutex);
  weft_mutex_unlock(&barrier->mutex);
  return last;
}

void once(once_t *state, void (*action)(void)) { weft_once(state, action); }

int sem_create(int value) { return value < 0 ? -1 : plain(weft_call(SEM_CREATE, value, 0, 0, 0, 0)); }
int sem_wait(int handle) { return plain(weft_call(SEM_WAIT, handle, 0, 0, 0, 0)); }
int sem_trywait(int handle) { return plain(weft_call(SEM_TRYWAIT, handle, 0, 0, 0, 0)); }
int sem_post(int handle) { return plain(weft_call(SEM_POST, handle, 0, 0, 0, 0)); }
int sem_destroy(int handle) { return plain(weft_call(SEM_DESTROY, handle, 0, 0, 0, 0)); }
int sem_timedwait(int handle, int milliseconds) {
  long time[2] = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
  return plain(weft_call(SEM_TIMEDWAIT, handle, (weft_word)time, 0, 0, 0));
}
