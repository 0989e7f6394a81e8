/* What the faces differ in, in terms of which each says what it means. */
#ifndef WEFT_PROCESS_H
#define WEFT_PROCESS_H

/* Whether the program may write there. Then that much is overwritten: where the
 * library itself fills in a result, a bad address is to fail the call, as in
 * xv6, and not to end the program. */
int weft_may_write(void *address, unsigned long size);
/* Whether a write to a pipe that nobody reads is only an error, as in xv6. The
 * kernel would end the program, and does so with those that it executes. */
void weft_survive_closed_pipes(int survive);
/* Ends the process with all its threads. */
void weft_process_exit(int code) __attribute__((noreturn));
/* A child's id, -1 if there is none. *status: its exit code, -1 if killed; if
 * that cannot be written, no child is taken. */
int weft_wait(int *status);
int weft_sleep(int ticks);
/* The old break, or -1 if there is not so much memory, which lazy does not ask.
 * As in xv6, less than nothing does nothing. */
long weft_move_break(long by, int lazy);

#endif
