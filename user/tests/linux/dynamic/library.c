// A library with data of its own, for each thread too. Built twice: linked to
// the program from the start (NAME is `linked`), and opened later (`later`).
#define JOIN(a, b) a##_##b
#define EXPAND(a, b) JOIN(a, b)
#define EXPORT(name) EXPAND(NAME, name)

// Both in a template that the loader copies, and in zeroes.
static _Thread_local int of_thread = 5;
static _Thread_local char zeroes[3000];
// More than the rest of a page, so that whole pages of zeroes follow the file's.
static char many_zeroes[20000];
static int began;

__attribute__((constructor)) static void begin(void) { began++; }

int *EXPORT(of_thread)(void) { return &of_thread; }
char *EXPORT(zeroes)(void) { return zeroes; }
char *EXPORT(many_zeroes)(void) { return many_zeroes; }
int EXPORT(began)(void) { return began; }
