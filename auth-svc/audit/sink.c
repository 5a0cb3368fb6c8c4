/* Delivers audit lines to standard output or syslog, from a thread of its own. */
#include "auth-svc/audit/sink.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "common/base/wait.h"

enum {
  DRAIN_MS = 500,    /* at the end */
  PATIENCE_MS = 200, /* for one look whether the reader takes more */
  WARN_MS = 60 * 1000,
  RECONNECT_MS = 500,
  PRIORITY = 10 * 8 + 6, /* authpriv.info */
};

struct audit_sink {
  enum audit_sink_kind kind;
  char *socket_path; /* of syslog */
  int fd;            /* -1: not connected */
  int64_t connect_at_ms, warn_at_ms;
  uint64_t lost; /* since the last line of the log about it; of the thread, as the three above */
  struct metric *lines;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  /* Guarded by lock: */
  struct buf waiting;
  uint64_t refused; /* found no room */
  bool ending;
  int64_t end_ms;
};

bool audit_sink_parse(const char *s, enum audit_sink_kind *out)
{
  static const char *const names[] = {"none", "stdout", "syslog"};
  *out = (enum audit_sink_kind)text_find(names, ARRAY_LEN(names), s);
  return TEXT_IS_IN(names, s);
}

/* ---------------------------------------------------------------- from the audit log */

void audit_sink_offer(struct audit_sink *s, const char *line, size_t len)
{
  if (s == NULL)
    return;
  pthread_mutex_lock(&s->lock);
  bool room = s->waiting.len + len <= AUDIT_SINK_QUEUE_MAX;
  if (room)
    buf_append(&s->waiting, line, len);
  else
    s->refused++;
  pthread_cond_signal(&s->wake);
  pthread_mutex_unlock(&s->lock);
}

/* --------------------------------------------------------------------------- stdout */

/* Whether the program is to end and has waited long enough for a reader. */
static bool is_over(struct audit_sink *s)
{
  pthread_mutex_lock(&s->lock);
  bool over = s->ending && clock_mono_ms() >= s->end_ms;
  pthread_mutex_unlock(&s->lock);
  return over;
}

/* A pipe that poll() calls writable takes PIPE_BUF bytes at once, so that write() never blocks. */
static bool to_stdout(struct audit_sink *s, const char *line, size_t len)
{
  for (size_t done = 0; done < len;) {
    struct pollfd p = {.fd = s->fd, .events = POLLOUT};
    if (is_over(s) || (poll(&p, 1, PATIENCE_MS) < 0 && errno != EINTR))
      return false;
    if ((p.revents & (POLLERR | POLLNVAL)) != 0)
      return false;
    if ((p.revents & POLLOUT) == 0)
      continue;
    size_t part = len - done < PIPE_BUF ? len - done : PIPE_BUF;
    ssize_t n = write(s->fd, line + done, part);
    if (n < 0 && errno != EINTR && errno != EAGAIN)
      return false;
    done += n > 0 ? (size_t)n : 0;
  }
  return true;
}

/* --------------------------------------------------------------------------- syslog */

static bool connect_socket(struct audit_sink *s)
{
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  const int64_t now = clock_mono_ms();
  if (s->fd >= 0)
    return true;
  if (now < s->connect_at_ms || strlen(s->socket_path) >= sizeof(to.sun_path))
    return false;
  s->connect_at_ms = now + RECONNECT_MS;
  memcpy(to.sun_path, s->socket_path, strlen(s->socket_path) + 1);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 && connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
    close(fd);
    fd = -1;
  }
  s->fd = fd;
  return fd >= 0;
}

/* "<86>Nov 30 06:00:00 auth-svc[17]: {...}", as RFC 3164 and the C library have it. */
static size_t put_message(char *out, size_t size, const char *line, size_t len)
{
  char date[32];
  struct tm tm;
  time_t now = time(NULL);
  strftime(date, sizeof(date), "%b %e %T", localtime_r(&now, &tm));
  int n = snprintf(out, size, "<%d>%s auth-svc[%d]: %.*s", PRIORITY, date, (int)getpid(), (int)len,
                   line);
  return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

static bool send_once(struct audit_sink *s, const char *message, size_t len)
{
  struct pollfd p = {.fd = s->fd, .events = POLLOUT};
  if (poll(&p, 1, PATIENCE_MS) > 0 &&
      send(s->fd, message, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len)
    return true;
  if (errno != EAGAIN && errno != EMSGSIZE && errno != ENOBUFS) { /* the daemon was restarted */
    close(s->fd);
    s->fd = -1;
  }
  return false;
}

static bool to_syslog(struct audit_sink *s, const char *line, size_t len)
{
  if (is_over(s))
    return false;
  char message[AUDIT_LINE_MAX + 128];
  size_t n = put_message(message, sizeof(message), line, len - 1); /* without its newline */
  if (n == 0 || !connect_socket(s))
    return false;
  if (send_once(s, message, n))
    return true;
  return s->fd < 0 && connect_socket(s) && send_once(s, message, n);
}

/* --------------------------------------------------------------------------- thread */

static void note_lost(struct audit_sink *s, uint64_t n)
{
  const int64_t now = clock_mono_ms();
  s->lost += n;
  if (n > 0)
    metric_add(s->lines, (double)n, METRIC_LABELS("lost"));
  if (s->lost == 0 || now < s->warn_at_ms)
    return;
  log_warn("lines of the audit log did not reach AUTH_AUDIT_SINK; its file has them",
           LOG_I("lost", s->lost));
  s->lost = 0;
  s->warn_at_ms = now + WARN_MS;
}

static void deliver(struct audit_sink *s, const struct buf *lines)
{
  uint64_t lost = 0, sent = 0;
  const char *at = lines->data, *end = at + lines->len;
  while (at < end) {
    const char *next = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
    bool ok = s->kind == AUDIT_SINK_STDOUT ? to_stdout(s, at, (size_t)(next - at))
                                           : to_syslog(s, at, (size_t)(next - at));
    lost += !ok;
    sent += ok;
    at = next;
  }
  if (sent > 0)
    metric_add(s->lines, (double)sent, METRIC_LABELS("ok"));
  note_lost(s, lost);
}

static void *sink_loop(void *arg)
{
  struct audit_sink *s = arg;
  pthread_mutex_lock(&s->lock);
  while (!s->ending || s->waiting.len > 0) {
    if (s->waiting.len == 0 && s->refused == 0) {
      pthread_cond_wait(&s->wake, &s->lock);
      continue;
    }
    struct buf lines = s->waiting;
    uint64_t refused = s->refused;
    s->waiting = BUF_INIT(AUDIT_SINK_QUEUE_MAX);
    s->refused = 0;
    pthread_mutex_unlock(&s->lock);
    note_lost(s, refused);
    if (lines.len > 0)
      deliver(s, &lines);
    buf_free(&lines);
    pthread_mutex_lock(&s->lock);
  }
  pthread_mutex_unlock(&s->lock);
  return NULL;
}

static void drop(struct audit_sink *s)
{
  if (s->kind == AUDIT_SINK_SYSLOG && s->fd >= 0)
    close(s->fd);
  buf_free(&s->waiting);
  pthread_mutex_destroy(&s->lock);
  pthread_cond_destroy(&s->wake);
  free(s->socket_path);
  free(s);
}

enum err_code audit_sink_new(struct audit_sink **out, enum audit_sink_kind kind, const char *target,
                             struct err *e)
{
  struct audit_sink *s = xcalloc(1, sizeof(*s));
  s->kind = kind;
  s->socket_path = xstrdup(target != NULL ? target : "/dev/log");
  s->fd = kind == AUDIT_SINK_SYSLOG ? -1
          : target != NULL          ? (int)strtol(target, NULL, 10)
                                    : STDOUT_FILENO;
  s->waiting = BUF_INIT(AUDIT_SINK_QUEUE_MAX);
  s->lines = metrics_counter("auth_audit_sink_lines_total",
                             "Audit lines for AUTH_AUDIT_SINK: ok, or lost on the way there.",
                             "result", NULL);
  metric_add(s->lines, 0, METRIC_LABELS("lost"));
  pthread_mutex_init(&s->lock, NULL);
  wait_init(&s->wake);
  *out = s;
  if (pthread_create(&s->thread, NULL, sink_loop, s) == 0)
    return ERR_OK;
  *out = NULL;
  drop(s);
  return err_set(e, ERR_UNAVAILABLE, "no_thread", "cannot start the thread of AUTH_AUDIT_SINK");
}

void audit_sink_free(struct audit_sink *s)
{
  if (s == NULL)
    return;
  pthread_mutex_lock(&s->lock);
  s->ending = true;
  s->end_ms = clock_mono_ms() + DRAIN_MS;
  pthread_cond_signal(&s->wake);
  pthread_mutex_unlock(&s->lock);
  pthread_join(s->thread, NULL);
  drop(s);
}
