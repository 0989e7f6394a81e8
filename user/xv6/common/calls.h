/* The calls that all faces have alike. */
#ifndef XV6_CALLS_H
#define XV6_CALLS_H

#include "types.h"

struct stat;

int fork(void);
int pipe(int *ends);
int write(int fd, const void *bytes, int length);
int read(int fd, void *bytes, int length);
int close(int fd);
int kill(int pid);
int exec(const char *path, char **argv);
int open(const char *path, int flags);
int mknod(const char *path, short major, short minor);
int unlink(const char *path);
int fstat(int fd, struct stat *);
int link(const char *old, const char *new);
int mkdir(const char *path);
int chdir(const char *path);
int dup(int fd);
int getpid(void);
int getppid(void);
int uptime(void);
int yield(void);

int stat(const char *path, struct stat *);
char *strcpy(char *to, const char *from);
void *memmove(void *to, const void *from, unsigned long length);
void *memcpy(void *to, const void *from, unsigned long length);
void *memset(void *to, int byte, unsigned long length);
int memcmp(const void *a, const void *b, unsigned long length);
char *strchr(const char *string, char character);
int strcmp(const char *a, const char *b);
unsigned long strlen(const char *string);
char *gets(char *buffer, int length);
int atoi(const char *string);
void *malloc(unsigned long size);
void *calloc(unsigned long count, unsigned long size);
void *realloc(void *block, unsigned long size);
void free(void *block);

#endif
