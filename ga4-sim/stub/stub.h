/* The simulator without a world: answers that cost next to nothing, for benchmarks of what asks.
 *
 * Two threads serve all connections with epoll; a request that waits for --latency-ms holds a few
 * bytes and no thread. What is answered: POST /token, runReport, batchRunReports, GET /livez and
 * GET /sim/stats ({"totals":{...}}, with max_concurrent). Any bearer is taken, nothing is
 * checked, no quota is counted. */
#ifndef GA4_SIM_STUB_H
#define GA4_SIM_STUB_H

#include "ga4-sim/sim/options.h"

/* Writes dealers.json where --write-dealers says, serves until a signal, prints the address like
 * the simulator itself. */
enum err_code stub_run(const struct options *o, struct err *e);

#endif
