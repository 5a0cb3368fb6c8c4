/* Times the steps of auth-svc's calls inside one process, without gRPC. */
#ifndef AMCP_BENCH_AUTH_PARTS_H
#define AMCP_BENCH_AUTH_PARTS_H

#include <stddef.h>

/* Prints "step nanoseconds", the median of the rounds, a line each. `dir` is of world_make().
 * Returns an exit code. */
int parts_run(const char *dir, size_t n_dealers, size_t rounds);

#endif
