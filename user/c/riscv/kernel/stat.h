#include "../../common/stat.h"
