#include "../stat.h"
