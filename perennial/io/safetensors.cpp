#include "perennial/io/safetensors.h"
