/* Formatted output: %d %i %u %x %p %s %c %%, with l and ll, a width, - and 0. */
#include "weft.h"

#define WRITE 1

struct output {
  int fd, used;
  char bytes[512];
};

static void flush(struct output *out) {
  int done = 0;
  while (done < out->used) {
    long n = weft_call(WRITE, out->fd, (weft_word)out->bytes + done, out->used - done, 0, 0);
    if (n <= 0)
      break;
    done += n;
  }
  out->used = 0;
}

static void put(struct output *out, char byte) {
  if (out->used == sizeof out->bytes)
    flush(out);
  out->bytes[out->used++] = byte;
}

/* How a number or string is laid out in its field. */
struct field {
  int width, left, zero;
};

static void put_field(struct output *out, const char *text, int length, struct field field) {
  int pad = field.width > length ? field.width - length : 0;
  if (!field.left)
    for (; pad > 0; pad--)
      put(out, field.zero ? '0' : ' ');
  for (int i = 0; i < length; i++)
    put(out, text[i]);
  for (; pad > 0; pad--)
    put(out, ' ');
}

static void put_number(struct output *out, weft_word value, unsigned base, int negative, struct field field) {
  char digits[24];
  int at = sizeof digits;
  do
    digits[--at] = "0123456789ABCDEF"[value % base];
  while (value /= base);
  if (negative && field.zero) {
    put(out, '-');
    field.width--;
  } else if (negative)
    digits[--at] = '-';
  put_field(out, digits + at, sizeof digits - at, field);
}

static weft_word argument(__builtin_va_list *arguments, int is_long, int is_signed) {
  if (is_long)
    return __builtin_va_arg(*arguments, weft_word);
  if (is_signed)
    return (long)__builtin_va_arg(*arguments, int);
  return __builtin_va_arg(*arguments, unsigned int);
}

void weft_format(int fd, const char *format, __builtin_va_list given) {
  struct output out = {.fd = fd};
  __builtin_va_list arguments;
  __builtin_va_copy(arguments, given);
  for (; *format; format++) {
    struct field field = {0};
    int is_long = 0;
    if (*format != '%') {
      put(&out, *format);
      continue;
    }
    for (format++; *format == '-' || *format == '0'; format++)
      *(*format == '-' ? &field.left : &field.zero) = 1;
    for (; *format >= '0' && *format <= '9'; format++)
      field.width = field.width * 10 + (*format - '0');
    for (; *format == 'l'; format++)
      is_long = 1;
    switch (*format) {
    case 'd':
    case 'i': {
      long value = argument(&arguments, is_long, 1);
      put_number(&out, value < 0 ? -(weft_word)value : (weft_word)value, 10, value < 0, field);
      break;
    }
    case 'u':
      put_number(&out, argument(&arguments, is_long, 0), 10, 0, field);
      break;
    case 'x':
    case 'X':
      put_number(&out, argument(&arguments, is_long, 0), 16, 0, field);
      break;
    case 'p':
      put(&out, '0');
      put(&out, 'x');
      put_number(&out, __builtin_va_arg(arguments, weft_word), 16, 0, field);
      break;
    case 's': {
      const char *text = __builtin_va_arg(arguments, const char *);
      int length = 0;
      if (!text)
        text = "(null)";
      while (text[length])
        length++;
      put_field(&out, text, length, field);
      break;
    }
    case 'c':
      put(&out, __builtin_va_arg(arguments, int));
      break;
    case '%':
      put(&out, '%');
      break;
    case 0:
      format--;
      break;
    default:
      /* Shown as it is, so that it is noticed. */
      put(&out, '%');
      put(&out, *format);
    }
  }
  flush(&out);
  __builtin_va_end(arguments);
}
