/* Strings and memory, as xv6's programs know them. */
#include "calls.h"
#include "weft.h"

char *strcpy(char *to, const char *from) {
  char *start = to;
  while ((*to++ = *from++))
    ;
  return start;
}

char *strchr(const char *string, char character) {
  for (; *string; string++)
    if (*string == character)
      return (char *)string;
  return 0;
}

int strcmp(const char *a, const char *b) {
  while (*a && *a == *b)
    a++, b++;
  return (unsigned char)*a - (unsigned char)*b;
}

char *gets(char *buffer, int length) {
  int at = 0;
  while (at + 1 < length && read(0, buffer + at, 1) == 1)
    if (buffer[at++] == '\n' || buffer[at - 1] == '\r')
      break;
  buffer[at] = 0;
  return buffer;
}

int atoi(const char *string) {
  unsigned int value = 0;
  while (*string >= '0' && *string <= '9')
    value = value * 10 + (*string++ - '0');
  return value;
}

void *malloc(unsigned long size) { return weft_malloc(size); }
void *realloc(void *block, unsigned long size) { return weft_realloc(block, size); }
void free(void *block) { weft_free(block); }

void *calloc(unsigned long count, unsigned long size) {
  unsigned long total;
  void *block;
  if (__builtin_mul_overflow(count, size, &total) || !(block = weft_malloc(total)))
    return 0;
  return memset(block, 0, total);
}
