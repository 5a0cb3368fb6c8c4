/* How many threads can work at the same time. */
#ifndef AMCP_BASE_PROCESSORS_H
#define AMCP_BASE_PROCESSORS_H

#include <stddef.h>

/* Processors of the machine that are online, at least 1. A container's share of them does not
 * show. Thread-safe. */
size_t processors(void);

#endif
