// A dynamically linked program: its loader, libraries from the start and later,
// threads with data of their own in them, and what exec says to loaders that are
// none.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../check.h"

#define THREADS 8
#define PAGE 4096

int *linked_of_thread(void);
char *linked_zeroes(void);
char *linked_many_zeroes(void);
int linked_began(void);

static int *(*later_of_thread)(void);
static pthread_barrier_t together;

static void *thread(void *number) {
    *linked_of_thread() += (int)(long)number;
    *later_of_thread() += (int)(long)number;
    linked_zeroes()[2999] = 1;
    pthread_barrier_wait(&together);
    long sum = *linked_of_thread() + *later_of_thread();
    // Cancelled in a sleep: the C library opens one more library for that.
    if ((long)number % 2) pause();
    return (void *)sum;
}

static void threads_have_their_own(void) {
    pthread_t threads[THREADS];
    void *result;
    pthread_barrier_init(&together, NULL, THREADS + 1);
    for (long i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, thread, (void *)i) == 0);
    pthread_barrier_wait(&together);
    for (long i = 0; i < THREADS; i++) {
        if (i % 2) CHECK(pthread_cancel(threads[i]) == 0);
        CHECK(pthread_join(threads[i], &result) == 0);
        CHECK(result == (i % 2 ? PTHREAD_CANCELED : (void *)(10 + 2 * i)));
    }
    CHECK(*linked_of_thread() == 5 && *later_of_thread() == 5 && linked_zeroes()[2999] == 0);
}

static int all_zero(const char *bytes, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (bytes[i]) return 0;
    return 1;
}

static void libraries_come_and_go(const char *own_path) {
    CHECK(linked_began() == 1 && all_zero(linked_many_zeroes(), 20000));
    char path[PATH_MAX];
    int folder = (int)(strrchr(own_path, '/') - own_path);
    snprintf(path, sizeof path, "%.*s/libwovenlater.so", folder, own_path);
    void *library = dlopen(path, RTLD_NOW);
    if (!library) {
        printf("%s\n", dlerror());
        failures++;
        return;
    }
    later_of_thread = (int *(*)(void))dlsym(library, "later_of_thread");
    int (*began)(void) = (int (*)(void))dlsym(library, "later_began");
    char *(*zeroes)(void) = (char *(*)(void))dlsym(library, "later_many_zeroes");
    CHECK(later_of_thread && began && zeroes);
    CHECK(began() == 1 && all_zero(zeroes(), 20000));
    threads_have_their_own();
    CHECK(dlclose(library) == 0);
    CHECK(dlopen("libnosuch.so", RTLD_NOW) == NULL && dlerror() != NULL);
}

static int first_has_headers(struct dl_phdr_info *info, size_t size, void *data) {
    (void)size;
    const ElfW(Phdr) **headers = data;
    *headers = info->dlpi_phdr;
    return 1;
}

extern void _start(void);

static void the_vector_is_right(const char *path) {
    const ElfW(Phdr) *headers = NULL;
    dl_iterate_phdr(first_has_headers, &headers);
    CHECK((ElfW(Addr))headers == getauxval(AT_PHDR) && getauxval(AT_PHENT) == sizeof *headers);
    CHECK(getauxval(AT_ENTRY) == (unsigned long)_start);
    const char *loader = (const char *)getauxval(AT_BASE);
    CHECK(loader && memcmp(loader, ELFMAG, SELFMAG) == 0);
    CHECK(strcmp((const char *)getauxval(AT_EXECFN), path) == 0);
    CHECK(strcmp((const char *)getauxval(AT_PLATFORM), "x86_64") == 0);
    CHECK(getauxval(AT_PAGESZ) == PAGE && getauxval(AT_CLKTCK) == 100);
    CHECK(getauxval(AT_SECURE) == 0 && getauxval(AT_RANDOM) != 0);
}

// What a loader does: parts of a file over a range that is reserved for all.
static void files_lie_in_reserved_ranges(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    char *range = mmap(NULL, 8 * PAGE, PROT_READ, MAP_PRIVATE | MAP_DENYWRITE, file, 0);
    CHECK(file >= 0 && range != MAP_FAILED);
    int fixed = MAP_PRIVATE | MAP_FIXED | MAP_DENYWRITE;
    int both = PROT_READ | PROT_WRITE;
    CHECK(mmap(range + PAGE, PAGE, both, fixed, file, 0) == range + PAGE);
    CHECK(mmap(range + 4 * PAGE, 4 * PAGE, both, fixed | MAP_ANONYMOUS, -1, 0) ==
          range + 4 * PAGE);
    CHECK(memcmp(range, range + PAGE, PAGE) == 0 && all_zero(range + 4 * PAGE, 4 * PAGE));
    range[PAGE] = 'x';
    CHECK(range[0] == ELFMAG0 && range[PAGE] == 'x');
    CHECK(mprotect(range + PAGE, PAGE, PROT_READ) == 0 && range[PAGE] == 'x');
    CHECK(mprotect(range, PAGE, PROT_NONE) == 0 && range[PAGE] == 'x');
    CHECK(munmap(range, 8 * PAGE) == 0 && close(file) == 0);
}

// Copies the program to `copy` with another loader named: exec's error.
static int error_with_loader(const char *path, const char *copy, const char *loader) {
    static char bytes[1 << 20];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = read(file, bytes, sizeof bytes);
    CHECK(file >= 0 && size > PAGE && close(file) == 0);
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)bytes;
    Elf64_Phdr *segments = (Elf64_Phdr *)(bytes + header->e_phoff);
    for (int i = 0; i < header->e_phnum; i++) {
        if (segments[i].p_type != PT_INTERP) continue;
        CHECK(strlen(loader) < segments[i].p_filesz);
        segments[i].p_filesz = strlen(loader) + 1;
        strcpy(bytes + segments[i].p_offset, loader);
    }
    file = open(copy, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    CHECK(file >= 0 && write(file, bytes, size) == size && close(file) == 0);
    int status;
    pid_t child = fork();
    if (child == 0) {
        execl(copy, copy, (char *)NULL);
        _exit(errno);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status));
    unlink(copy);
    return WEXITSTATUS(status);
}

static void write_file(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
    CHECK(file >= 0 && write(file, text, strlen(text)) == (ssize_t)strlen(text));
    CHECK(close(file) == 0);
}

static void loaders_that_are_none(const char *path) {
    CHECK(chdir("/tmp") == 0);
    const char *copy = "/tmp/woven";
    CHECK(error_with_loader(path, copy, "/nosuch") == ENOENT);
    CHECK(error_with_loader(path, copy, "") == ENOEXEC);
    CHECK(error_with_loader(path, copy, "/tmp") == EACCES);
    CHECK(error_with_loader(path, copy, "/dev/null/x") == ENOTDIR);
    char text[200] = "no program, but as long as the header of one would have to be: ";
    memset(text + strlen(text), '.', sizeof text - 1 - strlen(text));
    write_file("/tmp/text", text);
    CHECK(error_with_loader(path, copy, "/tmp/text") == ELIBBAD);
    // A relative path counts from the working folder.
    CHECK(error_with_loader(path, copy, "text") == ELIBBAD);
    CHECK(unlink("/tmp/text") == 0);
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IONBF, 0);
    if (argc > 1) return strcmp(argv[1], "again") == 0 && *linked_of_thread() == 5 ? 0 : 1;
    char *path = realpath(argv[0], NULL);
    the_vector_is_right(argv[0]);
    libraries_come_and_go(path);
    files_lie_in_reserved_ranges(path);
    loaders_that_are_none(path);
    int status;
    *linked_of_thread() = 6;
    pid_t child = fork();
    if (child == 0) {
        execl(path, path, "again", (char *)NULL);
        _exit(2);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    printf("%s\n", failures ? "FAILED" : "passed");
    return failures != 0;
}
