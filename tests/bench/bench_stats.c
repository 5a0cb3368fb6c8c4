/* Counts latencies in a table of microseconds, so that nothing grows during a run. */
#include "tests/bench/bench_stats.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"

enum { TABLE = 1000 * 1000 }; /* latencies up to a second, the rest in the last entry */

struct bench_stats {
  int64_t started_ns;
  uint64_t n;
  uint32_t table[TABLE];
};

static int usage(FILE *to, const char *program)
{
  fprintf(to,
          "usage: %s server\n"
          "       %s client HOST:PORT IN_FLIGHT SECONDS\n"
          "The server prints its port and runs until its standard input ends.\n"
          "The client prints calls/s, median and 99th percentile in microseconds.\n",
          program, program);
  return to == stdout ? 0 : 2;
}

bool bench_args_parse(struct bench_args *out, int argc, char **argv, int *status)
{
  *out = (struct bench_args){0};
  if (argc == 2 && strcmp(argv[1], "--version") == 0) {
    printf("%s\n", AMCP_VERSION);
    *status = 0;
    return false;
  }
  if (argc == 2 && strcmp(argv[1], "--help") == 0) {
    *status = usage(stdout, argv[0]);
    return false;
  }
  if (argc == 2 && strcmp(argv[1], "server") == 0) {
    out->server = true;
    return true;
  }
  *status = 2;
  if (argc != 5 || strcmp(argv[1], "client") != 0) {
    usage(stderr, argv[0]);
    return false;
  }
  char *end1, *end2;
  unsigned long in_flight = strtoul(argv[3], &end1, 10);
  unsigned long seconds = strtoul(argv[4], &end2, 10);
  if (*end1 != '\0' || *end2 != '\0' || in_flight < 1 || in_flight > 10000 || seconds < 1 ||
      seconds > 60) {
    fprintf(stderr, "IN_FLIGHT must be 1 to 10000 and SECONDS 1 to 60\n");
    return false;
  }
  out->address = argv[2];
  out->in_flight = in_flight;
  out->seconds = (int)seconds;
  return true;
}

void bench_say_port(unsigned port)
{
  printf("%u\n", port);
  fflush(stdout);
}

void bench_wait_for_end(void)
{
  char c;
  while (read(STDIN_FILENO, &c, 1) > 0)
    ;
}

struct bench_stats *bench_stats_new(void)
{
  return xcalloc(1, sizeof(struct bench_stats));
}

void bench_stats_free(struct bench_stats *s)
{
  free(s);
}

void bench_stats_add(struct bench_stats *s, int64_t latency_ns)
{
  int64_t us = latency_ns / 1000;
  s->table[us < TABLE ? us : TABLE - 1]++;
  s->n++;
}

void bench_stats_restart(struct bench_stats *s)
{
  memset(s, 0, sizeof(*s));
  s->started_ns = clock_mono_ns();
}

/* The least latency that `share` of the calls did not exceed, in microseconds. */
static size_t percentile(const struct bench_stats *s, double share)
{
  uint64_t want = (uint64_t)((double)s->n * share), seen = 0;
  for (size_t us = 0; us < TABLE; us++) {
    seen += s->table[us];
    if (seen > want)
      return us;
  }
  return TABLE - 1;
}

void bench_stats_print(const struct bench_stats *s)
{
  double seconds = (double)(clock_mono_ns() - s->started_ns) / 1e9;
  printf("%.0f %zu %zu\n", (double)s->n / seconds, percentile(s, 0.5), percentile(s, 0.99));
}
