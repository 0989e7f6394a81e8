#include "../../common/fcntl.h"
