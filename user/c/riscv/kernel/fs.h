#include "../../common/fs.h"
