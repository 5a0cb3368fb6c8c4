/* dealers.json for a stub. */
#ifndef GA4_SIM_STUB_DEALERS_H
#define GA4_SIM_STUB_DEALERS_H

#include <stddef.h>

#include "common/base/error.h"

/* Writes so many dealers ("d01" onwards, a property each, in `regions` regions, an owner each)
 * that sign in at base_url. */
enum err_code stub_dealers_write(const char *path, size_t n, size_t regions, const char *base_url,
                                 struct err *e);

#endif
