#include "common/base/processors.h"

#include <unistd.h>

size_t processors(void)
{
  long n = sysconf(_SC_NPROCESSORS_ONLN);
  return n > 0 ? (size_t)n : 1;
}
