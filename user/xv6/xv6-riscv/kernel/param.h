#include "../../common/param.h"
