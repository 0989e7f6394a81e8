/* The runtime below the faces (user/runtime/src/c): system calls as they are,
 * and the thread library. Results below 0 are negated error numbers. */
#ifndef WEFT_H
#define WEFT_H

typedef unsigned long weft_word;

long weft_call(long number, weft_word a, weft_word b, weft_word c, weft_word d, weft_word e);
int weft_arguments(char ***argv);
void weft_memory_start(weft_word low);

int weft_fork(void);
int weft_exec(const char *path, char **argv);
void *weft_malloc(weft_word size);
void weft_free(void *block);
void *weft_realloc(void *block, weft_word size);
/* The old break. Pages are made when they are touched if lazy, else at once. */
long weft_sbrk(long by, _Bool lazy);

/* What a thread shares (abi/src/clone.rs). */
#define WEFT_CLONE_VM 0x100
#define WEFT_CLONE_FS 0x200
#define WEFT_CLONE_FILES 0x400
#define WEFT_CLONE_SIGHAND 0x800
#define WEFT_CLONE_PARENT 0x8000
#define WEFT_CLONE_THREAD 0x10000

long weft_clone(void (*function)(void *, void *), void *first, void *second,
                weft_word base, weft_word size, weft_word flags);
int weft_thread_create(void (*function)(void *, void *), void *first, void *second,
                       weft_word flags);
int weft_thread_join(int id);
int weft_thread_join_any(void);
int weft_thread_detach(int id);
void weft_thread_exit(void) __attribute__((noreturn));

/* Locks: some words each, valid when zeroed. */
struct weft_ticket { unsigned int word[3]; };
struct weft_mutex { unsigned int word[1]; };
struct weft_cond { unsigned int word[2]; };
struct weft_semaphore { unsigned int value, waiters; };
struct weft_rwlock { unsigned int word[6]; };
struct weft_barrier { struct weft_mutex mutex; struct weft_cond complete; unsigned int count, arrived, round; };
struct weft_once { unsigned int word[1]; };

int weft_ticket_acquire(struct weft_ticket *);
int weft_ticket_release(struct weft_ticket *);
int weft_ticket_try(struct weft_ticket *);
int weft_ticket_held(struct weft_ticket *);
int weft_mutex_lock(struct weft_mutex *);
int weft_mutex_unlock(struct weft_mutex *);
int weft_mutex_try(struct weft_mutex *);
void weft_cond_wait_ticket(struct weft_cond *, struct weft_ticket *);
void weft_cond_wait_mutex(struct weft_cond *, struct weft_mutex *);
int weft_cond_signal(struct weft_cond *);
int weft_cond_broadcast(struct weft_cond *);
int weft_semaphore_wait(struct weft_semaphore *);
int weft_semaphore_post(struct weft_semaphore *);
int weft_semaphore_try(struct weft_semaphore *);
int weft_rwlock_read(struct weft_rwlock *);
int weft_rwlock_write(struct weft_rwlock *);
int weft_rwlock_unlock(struct weft_rwlock *);
void weft_once(struct weft_once *, void (*action)(void));

/* user/c/lib: formatted output. One `write` for each call, up to 512 bytes. */
void weft_format(int fd, const char *format, __builtin_va_list arguments);

#endif
