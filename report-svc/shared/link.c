/* The thread that talks to Redis. See link.h.
 *
 *     link_submit() -> queue -> out (bytes) and sent (operations, oldest first) -> end, release
 *
 * Redis answers in order, so a reply belongs to the oldest operation of `sent`. The lock guards the
 * queue, `up` and `stopping`; all else is the thread's. One whose time is over ends at once but
 * stays in `sent` until its reply has come. */
#include "report-svc/shared/link.h"

#include <hiredis/hiredis.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "report-svc/shared/greet.h"

enum { CONNECT_MS = 2000, SILENCE_MS = 1500, STEADY_MS = 5000 };
enum { RETRY_MS = 200, RETRY_MAX_MS = 5000 };
enum { READ_SIZE = 16384, MAX_REPLY = 8 * 1024 * 1024, REASON_SIZE = 200 };

struct ops {
  struct link_op *first, *last;
};

struct link {
  struct link_options options;
  char shas[LINK_MAX_SCRIPTS][LINK_SHA_SIZE];
  struct metric *up_gauge, *operations;
  pthread_t thread;
  int wake_fd;
  struct wire *wire;
  redisReader *reader;
  size_t fed; /* bytes since the last whole reply */
  struct buf out;
  struct ops sent;
  int64_t next_tick_ms;
  bool said_down;

  pthread_mutex_t lock;
  struct ops queue; /* guarded by the lock, as the rest */
  size_t n, bytes;  /* operations that have not been released; bytes of commands not written */
  bool up, stopping;
};

/* ------------------------------------------------------------------ operations */

static void push(struct ops *ops, struct link_op *op)
{
  op->next = NULL;
  *(ops->last != NULL ? &ops->last->next : &ops->first) = op;
  ops->last = op;
}

static struct link_op *pop(struct ops *ops)
{
  struct link_op *op = ops->first;
  if (op != NULL && (ops->first = op->next) == NULL)
    ops->last = NULL;
  return op;
}

void link_op_set(struct link_op *op, const struct link_op_type *type, int argc, const char **argv,
                 const size_t *lens)
{
  int len = (int)redisFormatCommandArgv(&op->command, argc, argv, lens);
  *op = (struct link_op){.type = type, .command = op->command, .len = len < 0 ? 0 : (size_t)len};
}

static void release(struct link_op *op)
{
  redisFreeCommand(op->command);
  op->type->release(op);
}

static void end(struct link *l, struct link_op *op, const redisReply *reply, const char *outcome)
{
  if (op->ended)
    return;
  op->ended = true;
  metric_add(l->operations, 1, METRIC_LABELS(op->type->name, outcome));
  op->type->end(op, reply);
}

void link_submit(struct link *l, struct link_op *op)
{
  pthread_mutex_lock(&l->lock);
  bool taken = l->up && l->n < LINK_QUEUE_MAX && l->bytes + op->len <= LINK_BYTES_MAX;
  if (taken) {
    op->sent_ms = clock_mono_ms();
    op->deadline_ms = op->sent_ms + l->options.patience_ms;
    l->n++;
    l->bytes += op->len;
    push(&l->queue, op);
    eventfd_write(l->wake_fd, 1);
  }
  pthread_mutex_unlock(&l->lock);
  if (taken)
    return;
  end(l, op, NULL, "away");
  release(op);
}

/* The oldest one sent has its reply, or will have none. */
static void drop_first(struct link *l)
{
  struct link_op *op = pop(&l->sent);
  pthread_mutex_lock(&l->lock);
  l->n--;
  pthread_mutex_unlock(&l->lock);
  release(op);
}

/* ------------------------------------------------------------------ replies */

/* False when the connection is of no use any more: a Redis without our scripts, or one that has
 * become a replica. A full one still counts places. */
static bool take_reply(struct link *l, const redisReply *reply, char reason[REASON_SIZE])
{
  struct link_op *op = l->sent.first;
  bool failed = reply->type == REDIS_REPLY_ERROR;
  if (op == NULL) {
    snprintf(reason, REASON_SIZE, "it sent a reply that nobody asked for");
    return false;
  }
  if (!failed && op->ended && op->type->late != NULL)
    op->type->late(op, reply);
  end(l, op, failed ? NULL : reply, failed ? "failed" : "ok");
  drop_first(l);
  if (!failed || strncmp(reply->str, "OOM", 3) == 0)
    return true;
  snprintf(reason, REASON_SIZE, "it refused a command: %.*s", redis_error_word(reply->str),
           reply->str);
  return false;
}

static bool take_replies(struct link *l, char reason[REASON_SIZE])
{
  void *reply = NULL;
  for (;;) {
    if (redisReaderGetReply(l->reader, &reply) != REDIS_OK) {
      snprintf(reason, REASON_SIZE, "it does not speak Redis's protocol");
      return false;
    }
    if (reply == NULL)
      return true;
    l->fed = 0;
    bool go_on = take_reply(l, reply, reason);
    freeReplyObject(reply);
    if (!go_on)
      return false;
  }
}

static bool read_some(struct link *l, char reason[REASON_SIZE])
{
  char data[READ_SIZE];
  ssize_t n;
  while ((n = wire_read(l->wire, data, sizeof(data))) > 0) {
    l->fed += (size_t)n;
    if (l->fed > MAX_REPLY || redisReaderFeed(l->reader, data, (size_t)n) != REDIS_OK) {
      snprintf(reason, REASON_SIZE, "a reply is too large");
      return false;
    }
    if (!take_replies(l, reason))
      return false;
  }
  if (n < 0)
    snprintf(reason, REASON_SIZE, "the connection ended");
  return n == 0;
}

/* ------------------------------------------------------------------ sending */

static bool flush(struct link *l)
{
  size_t done = 0;
  ssize_t n = 0;
  while (done < l->out.len && (n = wire_write(l->wire, l->out.data + done, l->out.len - done)) > 0)
    done += (size_t)n;
  if (done > 0) {
    memmove(l->out.data, l->out.data + done, l->out.len - done);
    buf_truncate(&l->out, l->out.len - done);
  }
  pthread_mutex_lock(&l->lock);
  l->bytes -= done;
  pthread_mutex_unlock(&l->lock);
  return n >= 0;
}

/* Moves what was submitted to what is sent; false when the link is to stop. */
static bool take_queue(struct link *l)
{
  pthread_mutex_lock(&l->lock);
  struct link_op *op;
  while ((op = pop(&l->queue)) != NULL) {
    buf_append(&l->out, op->command, op->len); /* fits: `bytes` is bounded */
    push(&l->sent, op);
  }
  bool stopping = l->stopping;
  pthread_mutex_unlock(&l->lock);
  return !stopping;
}

static void end_late(struct link *l, int64_t now_ms)
{
  for (struct link_op *op = l->sent.first; op != NULL && op->deadline_ms <= now_ms; op = op->next)
    end(l, op, NULL, "late");
}

static int64_t next_event_ms(const struct link *l)
{
  int64_t at = l->next_tick_ms;
  const struct link_op *op = l->sent.first;
  if (op != NULL && op->sent_ms + l->options.silence_ms < at)
    at = op->sent_ms + l->options.silence_ms;
  while (op != NULL && op->ended)
    op = op->next;
  return op != NULL && op->deadline_ms < at ? op->deadline_ms : at;
}

static void tick(struct link *l, int64_t now_ms)
{
  if (now_ms < l->next_tick_ms)
    return;
  l->next_tick_ms = now_ms + l->options.tick_ms;
  if (l->options.on_tick != NULL)
    l->options.on_tick(l->options.user);
}

/* Until the link stops (true) or the connection is of no use (false, with the reason). */
static bool serve(struct link *l, char reason[REASON_SIZE])
{
  while (take_queue(l)) {
    if (!flush(l)) {
      snprintf(reason, REASON_SIZE, "the connection ended");
      return false;
    }
    int64_t now = clock_mono_ms(), wait = next_event_ms(l) - now;
    wire_wait(l->wire, l->out.len > 0, l->wake_fd, wait < 0 ? 0 : (int)wait);
    eventfd_t ignored;
    eventfd_read(l->wake_fd, &ignored);
    if (!read_some(l, reason))
      return false;
    now = clock_mono_ms();
    end_late(l, now);
    if (l->sent.first != NULL && now - l->sent.first->sent_ms >= l->options.silence_ms) {
      snprintf(reason, REASON_SIZE, "no answer in time");
      return false;
    }
    tick(l, now);
  }
  return true;
}

/* ------------------------------------------------------------------ a new connection */

static enum err_code open_link(struct link *l, struct err *e)
{
  int64_t deadline = clock_mono_ms() + CONNECT_MS;
  if (wire_open(&l->wire, &l->options.url, &l->options.trust, deadline, e) != ERR_OK)
    return e->code;
  l->reader = redisReaderCreate();
  if (l->reader == NULL)
    return err_set(e, ERR_UNAVAILABLE, "redis", "out of memory");
  l->fed = 0;
  buf_clear(&l->out);
  return redis_greet(l->wire, l->reader, &l->options, deadline, e);
}

static void close_link(struct link *l)
{
  wire_close(TAKE_PTR(l->wire));
  if (l->reader != NULL)
    redisReaderFree(TAKE_PTR(l->reader));
}

static void go_up(struct link *l)
{
  log_info("Redis is in use: quota, places and cached answers are shared",
           LOG_S("host", l->options.url.host), LOG_S("port", l->options.url.port));
  l->said_down = false;
  l->next_tick_ms = clock_mono_ms();
  metric_set(l->up_gauge, 1, NULL);
  pthread_mutex_lock(&l->lock);
  l->up = true;
  pthread_mutex_unlock(&l->lock);
}

/* Everything under way ends without a reply. */
static void go_down(struct link *l, const char *reason)
{
  pthread_mutex_lock(&l->lock);
  l->up = false;
  bool stopping = l->stopping;
  pthread_mutex_unlock(&l->lock);
  metric_set(l->up_gauge, 0, NULL);
  if (!stopping && !l->said_down)
    log_warn("Redis is unreachable: this replica uses its own state",
             LOG_S("host", l->options.url.host), LOG_S("port", l->options.url.port),
             LOG_S("reason", reason));
  l->said_down = true;
  take_queue(l);
  while (l->sent.first != NULL) {
    end(l, l->sent.first, NULL, "away");
    drop_first(l);
  }
  pthread_mutex_lock(&l->lock);
  l->bytes = 0;
  pthread_mutex_unlock(&l->lock);
  close_link(l);
}

/* Waits before the next attempt; false when the link is to stop. */
static bool rest(struct link *l, uint32_t ms)
{
  struct pollfd p = {.fd = l->wake_fd, .events = POLLIN};
  eventfd_t ignored;
  poll(&p, 1, (int)ms);
  eventfd_read(l->wake_fd, &ignored);
  pthread_mutex_lock(&l->lock);
  bool stopping = l->stopping;
  pthread_mutex_unlock(&l->lock);
  return !stopping;
}

static void *run(void *arg)
{
  struct link *l = arg;
  uint32_t first = l->options.retry_ms == 0 ? RETRY_MS : l->options.retry_ms;
  struct backoff backoff = {first, RETRY_MAX_MS, 0};
  do {
    struct err e = {0};
    char reason[REASON_SIZE] = "";
    int64_t began = clock_mono_ms();
    if (open_link(l, &e) == ERR_OK) {
      go_up(l);
      serve(l, reason);
    } else {
      snprintf(reason, sizeof(reason), "%.199s", e.message);
    }
    go_down(l, reason);
    if (clock_mono_ms() - began >= STEADY_MS)
      backoff.attempt = 0;
  } while (rest(l, backoff_next_ms(&backoff)));
  return NULL;
}

/* ------------------------------------------------------------------ public */

static void name_scripts(struct link *l)
{
  for (size_t i = 0; i < l->options.n_scripts; i++) {
    unsigned char sha[EVP_MAX_MD_SIZE];
    const char *text = l->options.scripts[i];
    EVP_Digest(text, strlen(text), sha, NULL, EVP_sha1(), NULL);
    hex_write(l->shas[i], sha, 20);
  }
}

struct link *link_new(const struct link_options *options)
{
  struct link *l = xcalloc(1, sizeof(*l));
  l->options = *options;
  if (l->options.silence_ms == 0)
    l->options.silence_ms = SILENCE_MS;
  l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  buf_init(&l->out, LINK_BYTES_MAX);
  pthread_mutex_init(&l->lock, NULL);
  l->up_gauge =
      metrics_gauge("report_redis_up", "1 while Redis is in use, 0 while it is unreachable.", NULL);
  l->operations = metrics_counter("report_redis_operations_total",
                                  "Operations on Redis by outcome.", "operation", "outcome", NULL);
  metric_set(l->up_gauge, 0, NULL);
  name_scripts(l);
  if (l->wake_fd < 0)
    abort();
  return l;
}

void link_start(struct link *l)
{
  if (pthread_create(&l->thread, NULL, run, l) != 0)
    abort();
}

void link_stop(struct link *l)
{
  pthread_mutex_lock(&l->lock);
  bool first = !l->stopping;
  l->stopping = true;
  eventfd_write(l->wake_fd, 1);
  pthread_mutex_unlock(&l->lock);
  if (first)
    pthread_join(l->thread, NULL);
}

void link_free(struct link *l)
{
  if (l == NULL)
    return;
  link_stop(l);
  redis_url_free(&l->options.url);
  buf_free(&l->out);
  close(l->wake_fd);
  pthread_mutex_destroy(&l->lock);
  free(l);
}

bool link_is_up(struct link *l)
{
  pthread_mutex_lock(&l->lock);
  bool up = l->up;
  pthread_mutex_unlock(&l->lock);
  return up;
}

const char *link_script(const struct link *l, size_t i)
{
  return l->shas[i];
}
