/* The table of rpcs. */
#ifndef AMCP_AGGREGATE_METHODS_H
#define AMCP_AGGREGATE_METHODS_H

#include <stddef.h>

#include "common/rpc/rpc.h"

/* Their `service` is a struct aggregate_service. */
extern const struct rpc_method aggregate_methods[];
extern const size_t aggregate_n_methods;

struct aggregate_service;
/* Adds AggregateService and StatusService to a server; the service must outlive it. */
enum err_code aggregate_register(struct rpc_server *server, struct aggregate_service *s,
                                 struct err *e);

#endif
