/* The kernel's header has nothing for programs: they include it before file.h. */
