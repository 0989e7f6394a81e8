#include "../../common/types.h"
