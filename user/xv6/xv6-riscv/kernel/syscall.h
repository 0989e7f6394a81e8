#include "../../common/syscall.h"
