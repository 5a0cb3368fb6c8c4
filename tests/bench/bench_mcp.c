/* Load on an MCP endpoint: N connections, each sending one tools/call after the other, or all
 * together so many in a second (--rate); or N open sessions (--sessions).
 *
 * Prints calls/s and latency percentiles; at a fixed rate a latency counts from the moment at which
 * the call was due, so that a server that falls behind shows. The text @N@ in the arguments is
 * replaced by a number that is different in every call, to get past caches. Only loopback targets
 * are accepted. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

enum { MAX_CALLS = 4 << 20, MAX_BODY = 64 << 20 };

struct options {
  uint16_t port;
  size_t connections;
  int64_t duration_ms;
  int64_t max_calls;
  const char *tool;
  const char *arguments;
  double rate;     /* calls/s of all connections together; 0: as fast as they are answered */
  size_t sessions; /* to hold open instead of calling */
  bool streams;    /* each with its stream of notifications */
};

static struct options opt = {
    .connections = 1, .duration_ms = 3000, .max_calls = MAX_CALLS, .arguments = "{}"};
static atomic_llong next_number = 1;
static atomic_llong calls, errors;
static uint32_t *latency_us; /* one per call */
static int64_t stop_at_ms, began_ns;
static atomic_llong tickets; /* calls that were given their time */

struct connection {
  int fd;
  struct buf in;
  char session[128];
};

static void fail(const char *what)
{
  fprintf(stderr, "bench_mcp: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void connection_open(struct connection *c)
{
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(opt.port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  if (connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
    fail("connect");
}

static void fill(struct connection *c)
{
  char *p = buf_reserve(&c->in, 65536);
  if (p == NULL) {
    fprintf(stderr, "bench_mcp: answer larger than %d bytes\n", MAX_BODY);
    exit(1);
  }
  ssize_t n = read(c->fd, p, 65536);
  if (n <= 0)
    fail("read");
  c->in.len += (size_t)n;
  c->in.data[c->in.len] = '\0';
}

/* Value of a response header, as an offset into the buffer; NULL when absent. */
static const char *header(const char *head, const char *name)
{
  size_t n = strlen(name);
  for (const char *line = strstr(head, "\r\n"); line != NULL && line[2] != '\r';
       line = strstr(line + 2, "\r\n"))
    if (strncasecmp(line + 2, name, n) == 0 && line[2 + n] == ':')
      return line + 3 + n + strspn(line + 3 + n, " ");
  return NULL;
}

/* Whether a body in chunks is there with its last one. */
static bool chunks_ended(const struct connection *c)
{
  static const char last[] = "0\r\n\r\n";
  size_t n = sizeof(last) - 1;
  return c->in.len >= n && memcmp(c->in.data + c->in.len - n, last, n) == 0;
}

/* Reads one answer and returns its body, valid until the next read; one in chunks with their heads.
 */
static const char *read_answer(struct connection *c, int *status)
{
  char *end;
  while (c->in.data == NULL || (end = strstr(c->in.data, "\r\n\r\n")) == NULL)
    fill(c);
  size_t head = (size_t)(end - c->in.data) + 4;
  const char *length = header(c->in.data, "Content-Length");
  size_t body = length != NULL ? strtoul(length, NULL, 10) : 0;
  bool chunked = length == NULL && header(c->in.data, "Transfer-Encoding") != NULL;
  while (c->in.len < head + body || (chunked && !chunks_ended(c)))
    fill(c);
  *status = (int)strtol(c->in.data + 9, NULL, 10);
  const char *session = header(c->in.data, "Mcp-Session-Id");
  if (session != NULL)
    snprintf(c->session, sizeof(c->session), "%.*s", (int)strcspn(session, "\r"), session);
  return c->in.data + head;
}

static void post(struct connection *c, const char *body, size_t len)
{
  struct buf out AUTO_BUF = BUF_INIT(1 << 20);
  buf_printf(&out,
             "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Type: application/json\r\n"
             "Accept: application/json, text/event-stream\r\nContent-Length: %zu\r\n",
             opt.port, len);
  if (c->session[0] != '\0')
    buf_printf(&out, "Mcp-Session-Id: %s\r\nMCP-Protocol-Version: 2025-11-25\r\n", c->session);
  buf_puts(&out, "\r\n");
  buf_append(&out, body, len);
  for (size_t sent = 0; sent < out.len;) {
    ssize_t n = write(c->fd, out.data + sent, out.len - sent);
    if (n <= 0)
      fail("write");
    sent += (size_t)n;
  }
  buf_clear(&c->in);
}

static void put_arguments(struct buf *b)
{
  const char *p = opt.arguments;
  for (const char *mark; (mark = strstr(p, "@N@")) != NULL; p = mark + 3) {
    buf_append(b, p, (size_t)(mark - p));
    buf_printf(b, "%lld", (long long)atomic_fetch_add(&next_number, 1));
  }
  buf_puts(b, p);
}

/* Opens a connection and a session on it. */
static void session_open(struct connection *c)
{
  static const char init[] =
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
      "\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"bench\",\"version\":\"1\"}}}";
  int status;
  connection_open(c);
  post(c, init, sizeof(init) - 1);
  read_answer(c, &status);
}

/* When the next call begins, by clock_mono_ns(): now, or at a fixed rate its time, waited for. */
static int64_t next_start(void)
{
  if (opt.rate <= 0)
    return clock_mono_ns();
  int64_t due = began_ns + (int64_t)((double)atomic_fetch_add(&tickets, 1) / opt.rate * 1e9);
  struct timespec at = {due / 1000000000, due % 1000000000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) == EINTR)
    ;
  return due;
}

static void *drive(void *arg)
{
  (void)arg;
  struct connection c = {.in = BUF_INIT(MAX_BODY)};
  int status;
  session_open(&c);
  long long id = 1;
  while (clock_mono_ms() < stop_at_ms) {
    struct buf body AUTO_BUF = BUF_INIT(1 << 20);
    buf_printf(
        &body,
        "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"method\":\"tools/call\",\"params\":{\"name\":\"%s\","
        "\"arguments\":",
        ++id, opt.tool);
    put_arguments(&body);
    buf_puts(&body, "}}");
    int64_t began = next_start();
    post(&c, body.data, body.len);
    const char *answer = read_answer(&c, &status);
    int64_t took = (clock_mono_ns() - began) / 1000;
    if (status != 200 || strstr(answer, "\"isError\":true") != NULL ||
        strstr(answer, "\"error\":{") != NULL) {
      if (atomic_fetch_add(&errors, 1) == 0)
        fprintf(stderr, "bench_mcp: first failed call: HTTP %d %.600s\n", status, answer);
    }
    long long i = atomic_fetch_add(&calls, 1);
    if (i >= opt.max_calls)
      break;
    latency_us[i] = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
  }
  close(c.fd);
  buf_free(&c.in);
  return NULL;
}

/* Opens the stream of a session. */
static void stream_open(struct connection *c)
{
  struct buf out AUTO_BUF = BUF_INIT(4096);
  buf_printf(&out,
             "GET /mcp HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: text/event-stream\r\n"
             "Mcp-Session-Id: %s\r\nMCP-Protocol-Version: 2025-11-25\r\n\r\n",
             opt.port, c->session);
  if (write(c->fd, out.data, out.len) != (ssize_t)out.len)
    fail("write");
  buf_clear(&c->in);
  while (c->in.data == NULL || strstr(c->in.data, "\r\n\r\n") == NULL)
    fill(c);
  if (strncmp(c->in.data, "HTTP/1.1 200", 12) != 0) {
    fprintf(stderr, "bench_mcp: no stream: %.200s\n", c->in.data);
    exit(1);
  }
}

/* Opens the sessions, says so, holds their connections until the time is over. */
static int hold_sessions(void)
{
  struct connection *all AUTO_FREE = xcalloc(opt.sessions, sizeof(*all));
  for (size_t i = 0; i < opt.sessions; i++) {
    buf_init(&all[i].in, MAX_BODY);
    session_open(&all[i]);
    if (opt.streams)
      stream_open(&all[i]);
  }
  printf("%s %zu open\n", opt.streams ? "streams" : "sessions", opt.sessions);
  fflush(stdout);
  usleep((useconds_t)opt.duration_ms * 1000);
  for (size_t i = 0; i < opt.sessions; i++) {
    close(all[i].fd);
    buf_free(&all[i].in);
  }
  return 0;
}

static int by_value(const void *a, const void *b)
{
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y ? 1 : 0;
}

static void usage(FILE *f)
{
  fprintf(f,
          "Usage: bench_mcp --port N --tool NAME [--arguments JSON] [--connections N]\n"
          "                 [--seconds N] [--calls N] [--rate CALLS_PER_S]\n"
          "       bench_mcp --port N --sessions N [--streams] [--seconds N]\n"
          "Calls a tool of the MCP endpoint at 127.0.0.1:PORT/mcp and prints calls/s and\n"
          "latencies. @N@ in the arguments becomes a different number in every call. With --rate\n"
          "calls begin at fixed times and latencies count from those. --sessions holds\n"
          "idle sessions open.\n");
}

static void parse(int argc, char **argv)
{
  static const struct option longs[] = {{"port", 1, NULL, 'p'},
                                        {"tool", 1, NULL, 't'},
                                        {"arguments", 1, NULL, 'a'},
                                        {"connections", 1, NULL, 'c'},
                                        {"seconds", 1, NULL, 's'},
                                        {"calls", 1, NULL, 'n'},
                                        {"rate", 1, NULL, 'r'},
                                        {"sessions", 1, NULL, 'e'},
                                        {"streams", 0, NULL, 'm'},
                                        {"help", 0, NULL, 'h'},
                                        {0}};
  int o;
  while ((o = getopt_long(argc, argv, "", longs, NULL)) != -1) {
    switch (o) {
    case 'p':
      opt.port = (uint16_t)strtoul(optarg, NULL, 10);
      break;
    case 't':
      opt.tool = optarg;
      break;
    case 'a':
      opt.arguments = optarg;
      break;
    case 'c':
      opt.connections = strtoul(optarg, NULL, 10);
      break;
    case 's':
      opt.duration_ms = (int64_t)(strtod(optarg, NULL) * 1000);
      break;
    case 'n':
      opt.max_calls = strtoll(optarg, NULL, 10);
      break;
    case 'r':
      opt.rate = strtod(optarg, NULL);
      break;
    case 'e':
      opt.sessions = strtoul(optarg, NULL, 10);
      break;
    case 'm':
      opt.streams = true;
      break;
    case 'h':
      usage(stdout);
      exit(0);
    default:
      usage(stderr);
      exit(2);
    }
  }
  if (opt.port == 0 || (opt.tool == NULL) == (opt.sessions == 0) || opt.sessions > 10000 ||
      opt.rate < 0 || opt.connections < 1 || opt.connections > 512 || opt.duration_ms > 60000 ||
      opt.max_calls < 1 || opt.max_calls > MAX_CALLS) {
    usage(stderr);
    exit(2);
  }
}

int main(int argc, char **argv)
{
  parse(argc, argv);
  if (opt.sessions > 0)
    return hold_sessions();
  latency_us = xcalloc((size_t)opt.max_calls, sizeof(*latency_us));
  stop_at_ms = clock_mono_ms() + opt.duration_ms;
  began_ns = clock_mono_ns();
  pthread_t *threads AUTO_FREE = xcalloc(opt.connections, sizeof(*threads));
  for (size_t i = 0; i < opt.connections; i++)
    if (pthread_create(&threads[i], NULL, drive, NULL) != 0)
      fail("thread");
  for (size_t i = 0; i < opt.connections; i++)
    pthread_join(threads[i], NULL);
  double seconds = (double)(clock_mono_ns() - began_ns) / 1e9;
  long long n = atomic_load(&calls) < opt.max_calls ? atomic_load(&calls) : opt.max_calls;
  if (n == 0)
    return 1;
  qsort(latency_us, (size_t)n, sizeof(*latency_us), by_value);
  printf("connections %zu calls %lld errors %lld calls_per_s %.0f p50_ms %.3f p99_ms %.3f max_ms "
         "%.3f\n",
         opt.connections, n, (long long)atomic_load(&errors), (double)n / seconds,
         latency_us[n / 2] / 1e3, latency_us[n * 99 / 100] / 1e3, latency_us[n - 1] / 1e3);
  free(latency_us);
  return atomic_load(&errors) == 0 ? 0 : 1;
}
