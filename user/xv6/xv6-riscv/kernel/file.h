/* What programs use of the kernel's own header: the console's major number. */
#ifndef XV6_FILE_H
#define XV6_FILE_H

#define CONSOLE 1

#endif
