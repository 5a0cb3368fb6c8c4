/* Latencies of a benchmark, and its command line. Not thread-safe. */
#ifndef AMCP_BENCH_STATS_H
#define AMCP_BENCH_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What to run: `program server` or `program client ADDRESS IN_FLIGHT SECONDS`. */
struct bench_args {
  bool server;
  const char *address;
  size_t in_flight;
  int seconds;
};

/* Parses the command line; on false an exit code is in *status (help was shown, or what
 * is wrong). Seconds and calls in flight are bounded. */
bool bench_args_parse(struct bench_args *out, int argc, char **argv, int *status);
/* Port of a started server on a line of its own, for the script. */
void bench_say_port(unsigned port);
/* Blocks until standard input ends: the script closes it to stop a server. */
void bench_wait_for_end(void);

struct bench_stats;

struct bench_stats *bench_stats_new(void);
void bench_stats_free(struct bench_stats *s);
void bench_stats_add(struct bench_stats *s, int64_t latency_ns);
/* Forgets what was added and starts the clock: after a warm-up. */
void bench_stats_restart(struct bench_stats *s);
/* "calls/s p50_us p99_us" on one line. */
void bench_stats_print(const struct bench_stats *s);

#endif
