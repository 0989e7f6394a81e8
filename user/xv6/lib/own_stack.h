/* The threads of the ostep and uw faces, which differ in what they pass. */
#ifndef WEFT_OWN_STACK_H
#define WEFT_OWN_STACK_H

/* A thread on the page at `stack`; -1 if that is not one writable page. */
int weft_clone_page(void (*function)(void *, void *), void *first, void *second, void *stack);
/* A thread on a stack of the library's. */
int weft_create(void (*function)(void *, void *), void *first, void *second);

#endif
