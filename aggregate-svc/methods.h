/* The table of rpcs. */
#ifndef AMCP_AGGREGATE_METHODS_H
#define AMCP_AGGREGATE_METHODS_H

#include <stddef.h>

#include "common/rpc/rpc.h"

/* Their `service` is a struct aggregate_service. */
extern const struct rpc_method aggregate_methods[];
extern const size_t aggregate_n_methods;

#endif
