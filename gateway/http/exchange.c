/* One request and its one answer, between libmicrohttpd's threads and the code that answers. */
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "gateway/http/internal.h"

enum {
  ARENA_MAX = 128 * 1024,       /* headers of request and answer */
  MAX_HEADERS = 128,            /* of a request: finding one is a walk over all */
  MAX_QUERY = 128,              /* arguments of a query */
  STREAM_MAX = 8 * 1024 * 1024, /* events a client has not taken yet */
  STREAM_BLOCK = 32 * 1024,
};

/* ---------------------------------------------------------------- request */

static struct header *find_header(const struct exchange *x, const char *name)
{
  struct header *h = x->request_headers;
  while (h != NULL && (((h->name[0] ^ name[0]) & ~0x20) != 0 || !ascii_case_equal(h->name, name)))
    h = h->next;
  return h;
}

static bool add_header(struct exchange *x, const char *name, const char *value)
{
  struct header *h = ARENA_NEW(x->arena, struct header);
  if (h == NULL)
    return false;
  size_t skip = strspn(value, " \t"), len = strlen(value + skip);
  while (len > 0 && (value[skip + len - 1] == ' ' || value[skip + len - 1] == '\t'))
    len--;
  h->name = arena_strdup(x->arena, name);
  h->value = arena_strndup(x->arena, value + skip, len);
  h->next = x->request_headers;
  if (h->name == NULL || h->value == NULL)
    return false;
  x->request_headers = h;
  return true;
}

/* Copies a header; repeated ones are joined with ", " (RFC 9110, 5.3). A request of which not
 * all headers were copied is refused: the one that is missing might be its Origin. */
static enum MHD_Result copy_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
  (void)kind;
  struct exchange *x = cls;
  struct header *h = find_header(x, name);
  bool copied = ++x->n_request_headers <= MAX_HEADERS;
  if (copied && h != NULL) {
    h->value = arena_printf(x->arena, "%s, %s", h->value, value != NULL ? value : "");
    copied = h->value != NULL;
  } else if (copied) {
    copied = add_header(x, name, value != NULL ? value : "");
  }
  x->head_too_large |= !copied;
  return copied ? MHD_YES : MHD_NO;
}

/* Bytes followed by a NUL; NULL when the arena is full. */
static const char *copy_bytes(struct arena *arena, const char *bytes, size_t len)
{
  char *copy = arena_alloc(arena, len + 1); /* zeroed */
  if (copy != NULL && len > 0)
    memcpy(copy, bytes, len);
  return copy;
}

static enum MHD_Result copy_query(void *cls, enum MHD_ValueKind kind, const char *name,
                                  size_t name_len, const char *value, size_t value_len)
{
  (void)kind;
  struct exchange *x = cls;
  value_len = value != NULL ? value_len : 0;
  struct query *q = ++x->n_query <= MAX_QUERY ? ARENA_NEW(x->arena, struct query) : NULL;
  if (q != NULL) {
    *q = (struct query){.name = copy_bytes(x->arena, name, name_len),
                        .value = copy_bytes(x->arena, value, value_len),
                        .name_len = name_len,
                        .value_len = value_len};
    *x->query_end = q;
    x->query_end = &q->next;
  }
  bool copied = q != NULL && q->name != NULL && q->value != NULL;
  x->head_too_large |= !copied;
  return copied ? MHD_YES : MHD_NO;
}

/* After the headers were copied. */
static const char *client_of(struct exchange *x)
{
  const struct proxies *proxies = x->listener->options.proxies;
  const char *peer = x->conn->peer, *client = x->conn->client, *value = NULL;
  char behind[ADDRESS_TEXT];
  if (peer[0] == '\0')
    return NULL;
  if (proxies != NULL && (value = exchange_header(x, proxies_header(proxies))) != NULL) {
    proxies_client(proxies, behind, peer, value);
    client = behind;
  }
  return arena_strdup(x->arena, client);
}

struct exchange *exchange_new(struct listener *l, struct MHD_Connection *c, struct conn *conn,
                              const char *method, const char *path)
{
  struct exchange *x = xcalloc(1, sizeof(*x));
  x->magic = EXCHANGE_MAGIC;
  atomic_init(&x->refs, 1);
  pthread_mutex_init(&x->lock, NULL);
  x->listener = l;
  x->started_ms = clock_mono_ms();
  x->connection = c;
  x->conn = conn;
  x->arena = arena_new(ARENA_MAX);
  x->method = arena_strdup(x->arena, method);
  x->path = arena_strdup(x->arena, path);
  x->body = BUF_INIT(l->options.max_body);
  x->reply = BUF_INIT(1);
  x->stream = BUF_INIT(STREAM_MAX);
  x->query_end = &x->query;
  MHD_get_connection_values(c, MHD_HEADER_KIND, copy_header, x);
  MHD_get_connection_values_n(c, MHD_GET_ARGUMENT_KIND, copy_query, x);
  x->client = client_of(x);
  return x;
}

void exchange_query(const struct exchange *x,
                    bool (*fn)(void *arg, const char *name, size_t name_len, const char *value,
                               size_t value_len),
                    void *arg)
{
  for (const struct query *q = x->query; q != NULL; q = q->next) {
    if (!fn(arg, q->name, q->name_len, q->value, q->value_len))
      return;
  }
}

const char *exchange_method(const struct exchange *x)
{
  return x->method;
}

const char *exchange_path(const struct exchange *x)
{
  return x->path;
}

const char *exchange_client(const struct exchange *x)
{
  return x->client;
}

const char *exchange_header(const struct exchange *x, const char *name)
{
  const struct header *h = find_header(x, name);
  return h != NULL ? h->value : NULL;
}

const char *exchange_body(const struct exchange *x, size_t *len)
{
  *len = x->body.len;
  return buf_str(&x->body);
}

/* --------------------------------------------------------------- lifetime */

void exchange_ref(struct exchange *x)
{
  atomic_fetch_add(&x->refs, 1);
}

/* Ends the suspension, if there is one: unlock_and_resume() must follow. */
static bool wake_locked(struct exchange *x)
{
  bool suspended = x->suspended;
  x->suspended = false;
  if (suspended)
    watch_remove(x->listener->watch, x->conn->fd);
  return suspended;
}

/* Resumes the connection once the lock is free: its thread begins by taking it. Afterwards nothing
 * but the caller's reference keeps the exchange. */
static void unlock_and_resume(struct exchange *x, bool woken)
{
  pthread_mutex_unlock(&x->lock);
  if (woken)
    http_daemon_resume(x->listener->daemon, x->connection);
}

bool exchange_answered(struct exchange *x)
{
  pthread_mutex_lock(&x->lock);
  bool answered = x->answered;
  pthread_mutex_unlock(&x->lock);
  return answered;
}

void exchange_set_user(struct exchange *x, void *user, void (*free_user)(void *user))
{
  x->user = user;
  x->free_user = free_user;
}

void *exchange_user(const struct exchange *x)
{
  return x->user;
}

/* ------------------------------------------------------------------ share */

void exchange_hold(struct exchange *x)
{
  pthread_mutex_lock(&x->lock);
  x->held = true;
  pthread_mutex_unlock(&x->lock);
}

void exchange_release(struct exchange *x, struct share *share)
{
  share_ref(share);
  pthread_mutex_lock(&x->lock);
  x->held = false;
  x->share = share;
  if (share != NULL && !x->closed)
    atomic_store(&x->conn->known, true);
  unlock_and_resume(x, !x->handed_over && wake_locked(x));
}

static bool suspend_locked(struct exchange *x);

enum body_next exchange_body_next(struct exchange *x, size_t len)
{
  enum body_next next = BODY_KEEP;
  pthread_mutex_lock(&x->lock);
  if (x->answered || x->closed || x->too_large || x->no_room)
    next = BODY_DROP;
  else if (x->held && len > x->listener->options.small_body)
    next = suspend_locked(x) ? BODY_LATER : BODY_DROP;
  pthread_mutex_unlock(&x->lock);
  return next;
}

bool exchange_body_take(struct exchange *x, size_t bytes)
{
  pthread_mutex_lock(&x->lock);
  struct share *share = x->share;
  pthread_mutex_unlock(&x->lock);
  if (share_body(share, bytes) != SHARE_GRANTED)
    return false;
  x->counted += bytes;
  return true;
}

/* Bytes of an answer that wait for the client. */
static bool hold_answer_locked(struct exchange *x, size_t bytes)
{
  if (share_answer(x->share, bytes) != SHARE_GRANTED)
    return false;
  x->answer_bytes += bytes;
  return true;
}

static void answer_taken_locked(struct exchange *x)
{
  share_answer_end(x->share, x->answer_bytes);
  x->answer_bytes = 0;
}

/* The last owner but the listener leaves: an answer that has not begun will not come. */
static void check_orphan(struct exchange *x)
{
  pthread_mutex_lock(&x->lock);
  bool open = x->handed_over && !x->closed && (!x->answered || (x->streaming && !x->stream_ended));
  x->orphaned |= open;
  bool stream = open && x->streaming;
  bool reply = open && !x->streaming && x->suspended;
  x->closed |= stream;
  unlock_and_resume(x, stream && wake_locked(x));
  if (open)
    log_error("request was left without an answer", LOG_S("path", x->path));
  if (reply)
    exchange_reply(x, 500, NULL, NULL);
}

void exchange_unref(struct exchange *x)
{
  if (x == NULL)
    return;
  MAGIC_CHECK(x, EXCHANGE_MAGIC);
  if (atomic_load(&x->refs) == 2)
    check_orphan(x);
  if (atomic_fetch_sub(&x->refs, 1) != 1)
    return;
  if (x->free_arg != NULL)
    x->free_arg(x->close_arg);
  if (x->free_user != NULL)
    x->free_user(x->user);
  answer_taken_locked(x); /* nobody else is left */
  share_unref(x->share);
  span_free(x->span);
  buf_free(&x->body);
  buf_free(&x->reply);
  buf_free(&x->stream);
  arena_wipe(x->arena); /* the bearer was in it */
  arena_free(x->arena);
  pthread_mutex_destroy(&x->lock);
  x->magic = 0;
  free(x);
}

void exchange_on_close(struct exchange *x, void (*fn)(void *arg), void (*free_arg)(void *arg),
                       void *arg)
{
  pthread_mutex_lock(&x->lock);
  bool gone = x->closed;
  x->on_close = gone ? NULL : fn;
  x->free_arg = free_arg;
  x->close_arg = arg;
  pthread_mutex_unlock(&x->lock);
  if (gone)
    fn(arg);
}

/* Marks the exchange closed. Calls the owner unless the answer was complete. */
static void close_and_tell(struct exchange *x, bool wake)
{
  pthread_mutex_lock(&x->lock);
  x->closed = true;
  bool complete = x->answered && (!x->streaming || x->stream_ended);
  void (*fn)(void *arg) = complete ? NULL : x->on_close;
  x->on_close = NULL;
  unlock_and_resume(x, wake && wake_locked(x));
  if (fn != NULL)
    fn(x->close_arg);
}

void exchange_peer_gone(struct exchange *x, bool force)
{
  pthread_mutex_lock(&x->lock);
  bool suspended = x->suspended;
  pthread_mutex_unlock(&x->lock);
  if (suspended || force)
    close_and_tell(x, true);
}

void exchange_complete(struct exchange *x)
{
  pthread_mutex_lock(&x->lock);
  answer_taken_locked(x);
  share_body_end(x->share, x->counted);
  pthread_mutex_unlock(&x->lock);
  close_and_tell(x, false);
  exchange_unref(x);
}

/* ----------------------------------------------------------------- answer */

static bool header_text(const char *s)
{
  for (; *s != '\0'; s++) {
    if ((unsigned char)*s < 0x20 || *s == 0x7f)
      return false;
  }
  return true;
}

void exchange_add_header(struct exchange *x, const char *name, const char *value)
{
  struct header *h = NULL;
  pthread_mutex_lock(&x->lock);
  if (header_text(name) && header_text(value))
    h = ARENA_NEW(x->arena, struct header);
  if (h != NULL) {
    h->name = arena_strdup(x->arena, name);
    h->value = arena_strdup(x->arena, value);
  }
  if (h != NULL && h->name != NULL && h->value != NULL) {
    h->next = x->reply_headers;
    x->reply_headers = h;
  } else {
    log_warn("response header dropped", LOG_S("name", name));
  }
  pthread_mutex_unlock(&x->lock);
}

/* False when the exchange has an answer already, or nobody waits for one. */
static bool begin_answer_locked(struct exchange *x, int status)
{
  if (x->answered)
    log_error("request was answered twice", LOG_S("path", x->path), LOG_I("first", x->status),
              LOG_I("second", status));
  if (x->answered || x->closed)
    return false;
  x->answered = true;
  x->status = status;
  x->followed = atomic_load(&x->listener->draining) && conn_has_unread(x->conn);
  return true;
}

/* The client has to read what it has first. */
static void refuse_answer_locked(struct exchange *x, const char **content_type, struct buf *body)
{
  buf_free(body);
  *body = BUF_INIT(256);
  buf_printf(body, "{\"error\":\"%s: read them, then try again\"}",
             share_cause_text(SHARE_ANSWERS));
  *content_type = "application/json";
  x->status = 503;
}

void exchange_reply(struct exchange *x, int status, const char *content_type, struct buf *body)
{
  MAGIC_CHECK(x, EXCHANGE_MAGIC);
  bool woken = false;
  pthread_mutex_lock(&x->lock);
  if (begin_answer_locked(x, status)) {
    if (body != NULL && !hold_answer_locked(x, body->len))
      refuse_answer_locked(x, &content_type, body);
    x->content_type = content_type != NULL ? arena_strdup(x->arena, content_type) : NULL;
    if (body != NULL) {
      x->reply = *body;
      *body = BUF_INIT(body->max);
    }
    woken = wake_locked(x);
  }
  unlock_and_resume(x, woken);
  if (body != NULL)
    buf_free(body);
}

void exchange_stream_start(struct exchange *x)
{
  MAGIC_CHECK(x, EXCHANGE_MAGIC);
  bool woken = false;
  pthread_mutex_lock(&x->lock);
  if (begin_answer_locked(x, 200)) {
    x->streaming = true;
    x->last_write_ms = clock_mono_ms();
    woken = wake_locked(x);
  }
  unlock_and_resume(x, woken);
}

/* A line feed would end the event early: every line becomes a data line of its own. */
static void put_event(struct buf *out, const char *data, size_t len)
{
  buf_puts(out, "event: message\ndata: ");
  const char *end = data + len, *line;
  while ((line = memchr(data, '\n', (size_t)(end - data))) != NULL) {
    size_t n = (size_t)(line - data);
    buf_append(out, data, n > 0 && data[n - 1] == '\r' ? n - 1 : n);
    buf_puts(out, "\ndata: ");
    data = line + 1;
  }
  buf_append(out, data, (size_t)(end - data));
  buf_puts(out, "\n\n");
}

/* A client that does not read while events pile up is as good as gone. */
static bool write_locked(struct exchange *x, const char *data, size_t len, bool comment,
                         bool *woken)
{
  *woken = false;
  if (!x->streaming || x->stream_ended || x->closed)
    return true;
  size_t before = x->stream.len;
  if (comment)
    buf_append(&x->stream, data, len);
  else
    put_event(&x->stream, data, len);
  x->stream.failed |= !hold_answer_locked(x, x->stream.len - before);
  x->last_write_ms = clock_mono_ms();
  *woken = !x->stream.failed && wake_locked(x);
  return !x->stream.failed;
}

void exchange_stream_event(struct exchange *x, const char *data, size_t len)
{
  bool woken;
  pthread_mutex_lock(&x->lock);
  bool ok = write_locked(x, data, len, false, &woken);
  if (!ok) {
    /* Not suspended: libmicrohttpd waits to write, and would go on waiting. */
    x->closed = true;
    shutdown(x->conn->fd, SHUT_RDWR);
  }
  unlock_and_resume(x, woken);
  if (!ok)
    log_warn("client does not read its stream, closing", LOG_S("path", x->path));
}

void exchange_stream_end(struct exchange *x)
{
  pthread_mutex_lock(&x->lock);
  bool ends = x->streaming && !x->stream_ended;
  x->stream_ended |= ends;
  unlock_and_resume(x, ends && wake_locked(x));
}

void exchange_keep_alive(struct exchange *x, int64_t now_ms, uint32_t keepalive_ms)
{
  static const char comment[] = ": keepalive\n\n";
  bool woken = false;
  pthread_mutex_lock(&x->lock);
  if (x->streaming && x->suspended && now_ms - x->last_write_ms >= keepalive_ms)
    write_locked(x, comment, sizeof(comment) - 1, true, &woken);
  unlock_and_resume(x, woken);
}

/* ----------------------------------------------------- libmicrohttpd side */

static bool suspend_locked(struct exchange *x)
{
  if (!watch_add(x->listener->watch, x->conn->fd, x))
    return false;
  MHD_suspend_connection(x->connection);
  x->suspended = true;
  return true;
}

/* Gives libmicrohttpd the next part of a stream; waits suspended when there is none. */
static ssize_t read_stream(void *cls, uint64_t pos, char *out, size_t max)
{
  (void)pos;
  struct exchange *x = cls;
  pthread_mutex_lock(&x->lock);
  ssize_t result = 0;
  size_t left = x->stream.len - x->stream_sent;
  if (x->closed) {
    result = MHD_CONTENT_READER_END_WITH_ERROR;
  } else if (left > 0) {
    size_t n = left < max ? left : max;
    memcpy(out, x->stream.data + x->stream_sent, n);
    x->stream_sent += n;
    x->sent += n;
    if (n == left) {
      buf_clear(&x->stream);
      x->stream_sent = 0;
      answer_taken_locked(x);
    }
    result = (ssize_t)n;
  } else if (x->stream_ended) {
    result = MHD_CONTENT_READER_END_OF_STREAM;
  } else if (atomic_load(&x->listener->stopping) || !suspend_locked(x)) {
    x->closed = true;
    result = MHD_CONTENT_READER_END_WITH_ERROR;
  }
  pthread_mutex_unlock(&x->lock);
  return result;
}

static void add_headers_locked(struct exchange *x, struct MHD_Response *r)
{
  for (struct header *h = x->reply_headers; h != NULL; h = h->next)
    MHD_add_response_header(r, h->name, h->value);
  if (atomic_load(&x->listener->draining)) {
    /* Not while another request waits behind this one: the connection must answer it too. Once
     * resumed, libmicrohttpd may have read it already. */
    if (!x->followed && !conn_has_unread(x->conn))
      MHD_add_response_header(r, "Connection", "close");
  } else if (x->listener->options.idle_ms >= KEEP_ALIVE_MS) {
    /* Clients that reuse a connection should stop before this side closes it. */
    MHD_add_response_header(r, "Keep-Alive", x->listener->keep_alive);
  }
  MHD_add_response_header(r, "X-Content-Type-Options", "nosniff");
}

static struct MHD_Response *stream_response_locked(struct exchange *x)
{
  struct MHD_Response *r =
      MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK, read_stream, x, NULL);
  if (r == NULL)
    return NULL;
  MHD_add_response_header(r, "Content-Type", "text/event-stream");
  MHD_add_response_header(r, "Cache-Control", "no-cache, no-transform");
  MHD_add_response_header(r, "X-Accel-Buffering", "no");
  return r;
}

static struct MHD_Response *plain_response_locked(struct exchange *x)
{
  size_t len;
  char *body = buf_take(&x->reply, &len);
  x->sent = len;
  struct MHD_Response *r = MHD_create_response_from_buffer(len, body, MHD_RESPMEM_MUST_FREE);
  if (r == NULL) {
    free(body);
    return NULL;
  }
  if (x->content_type != NULL)
    MHD_add_response_header(r, "Content-Type", x->content_type);
  MHD_add_response_header(r, "Cache-Control", "no-store");
  return r;
}

static enum MHD_Result queue_locked(struct exchange *x)
{
  struct MHD_Response *r = x->streaming ? stream_response_locked(x) : plain_response_locked(x);
  if (r == NULL)
    return MHD_NO;
  add_headers_locked(x, r);
  x->queued = true;
  if (!x->streaming) {
    atomic_store(&x->conn->since_ms, clock_mono_ms());
    atomic_store(&x->conn->phase, CONN_SENDING);
  }
  enum MHD_Result result = MHD_queue_response(x->connection, (unsigned)x->status, r);
  MHD_destroy_response(r);
  return result;
}

enum MHD_Result exchange_proceed(struct exchange *x)
{
  enum MHD_Result result = MHD_YES;
  pthread_mutex_lock(&x->lock);
  if (!x->answered && !x->closed && (x->orphaned || atomic_load(&x->refs) == 1))
    begin_answer_locked(x, 500);
  if (!x->closed && x->answered)
    result = queue_locked(x);
  else if (x->closed || atomic_load(&x->listener->stopping) || !suspend_locked(x))
    result = MHD_NO;
  pthread_mutex_unlock(&x->lock);
  return result;
}
