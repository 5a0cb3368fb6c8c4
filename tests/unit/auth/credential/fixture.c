/* A scripted cloud on one plain socket, and helpers to ask it. */
#include "tests/unit/auth/credential/fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "auth-svc/config/snapshot.h"
#include "auth-svc/credential/config.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

enum { MAX_ANSWERS = 16, MAX_REQUESTS = 64, MAX_REQUEST = 128 * 1024 };

struct cloud {
  int listener;
  pthread_t thread;
  char host[64];
  struct cloud_answer answers[MAX_ANSWERS];
  size_t n_answers;
  pthread_mutex_t lock;
  char *requests[MAX_REQUESTS];
  size_t n_requests;
};

static bool is_whole(const char *raw, size_t len)
{
  const char *end = strstr(raw, "\r\n\r\n");
  const char *length = strcasestr(raw, "\r\ncontent-length:");
  size_t body = length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0;
  return end != NULL && len >= (size_t)(end + 4 - raw) + body;
}

static char *read_raw(int fd)
{
  char *raw = xcalloc(1, MAX_REQUEST);
  size_t len = 0;
  while (!is_whole(raw, len) && len + 1 < MAX_REQUEST) {
    ssize_t n = read(fd, raw + len, MAX_REQUEST - 1 - len);
    if (n <= 0)
      break;
    len += (size_t)n;
  }
  return raw;
}

static void write_all(int fd, const char *p, size_t n)
{
  while (n > 0) {
    ssize_t w = send(fd, p, n, MSG_NOSIGNAL);
    if (w <= 0)
      return;
    p += w;
    n -= (size_t)w;
  }
}

static void answer(int fd, const struct cloud_answer *a)
{
  struct buf out = BUF_INIT(8 << 20);
  struct pollfd client = {.fd = fd, .events = POLLRDHUP};
  poll(&client, 1, (int)a->delay_ms); /* or until it has given up */
  buf_printf(&out, "HTTP/1.1 %d X\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n", a->status,
             strlen(a->body) + a->padding, a->headers != NULL ? a->headers : "");
  buf_puts(&out, a->body);
  for (size_t i = 0; i < a->padding; i++)
    buf_putc(&out, ' ');
  write_all(fd, out.data, out.len);
  buf_free(&out);
}

static void serve(struct cloud *c, int fd)
{
  static const struct cloud_answer none = {"", 404, NULL, "nothing here", 0, 0};
  const struct cloud_answer *a = &none;
  char *raw = read_raw(fd);
  pthread_mutex_lock(&c->lock);
  if (c->n_requests == MAX_REQUESTS)
    abort();
  c->requests[c->n_requests++] = raw;
  pthread_mutex_unlock(&c->lock);
  for (size_t i = 0; i < c->n_answers && a == &none; i++)
    if (strncmp(raw, c->answers[i].match, strlen(c->answers[i].match)) == 0)
      a = &c->answers[i];
  answer(fd, a);
  close(fd);
}

static void *run(void *arg)
{
  struct cloud *c = arg;
  int fd;
  while ((fd = accept(c->listener, NULL, NULL)) >= 0)
    serve(c, fd);
  return NULL;
}

struct cloud *cloud_start(const struct cloud_answer *answers, size_t n)
{
  struct cloud *c = xcalloc(1, sizeof(*c));
  struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(addr);
  pthread_mutex_init(&c->lock, NULL);
  for (size_t i = 0; i < n && i < MAX_ANSWERS; i++)
    c->answers[c->n_answers++] = answers[i];
  c->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(c->listener, (struct sockaddr *)&addr, len) != 0 || listen(c->listener, 16) != 0 ||
      getsockname(c->listener, (struct sockaddr *)&addr, &len) != 0)
    abort();
  snprintf(c->host, sizeof(c->host), "127.0.0.1:%d", ntohs(addr.sin_port));
  if (pthread_create(&c->thread, NULL, run, c) != 0)
    abort();
  return c;
}

void cloud_stop(struct cloud *c)
{
  shutdown(c->listener, SHUT_RDWR);
  pthread_join(c->thread, NULL);
  close(c->listener);
  for (size_t i = 0; i < c->n_requests; i++)
    free(c->requests[i]);
  pthread_mutex_destroy(&c->lock);
  free(c);
}

const char *cloud_host(const struct cloud *c)
{
  return c->host;
}

size_t cloud_hits(struct cloud *c)
{
  pthread_mutex_lock(&c->lock);
  size_t n = c->n_requests;
  pthread_mutex_unlock(&c->lock);
  return n;
}

const char *cloud_request(struct cloud *c, size_t i)
{
  pthread_mutex_lock(&c->lock);
  const char *raw = i < c->n_requests ? c->requests[i] : "";
  pthread_mutex_unlock(&c->lock);
  return raw;
}

/* --------------------------------------------------------------------- requests */

const char *request_body(const char *raw)
{
  const char *end = strstr(raw, "\r\n\r\n");
  return end != NULL ? end + 4 : "";
}

char *request_header(const char *raw, const char *name)
{
  AUTO_FREE char *start = xasprintf("\r\n%s:", name);
  const char *at = strcasestr(raw, start);
  if (at == NULL || at > request_body(raw))
    return NULL;
  at += strlen(start);
  at += strspn(at, " ");
  return xstrndup(at, strcspn(at, "\r\n"));
}

char *percent_decoded(const char *s)
{
  char *out = xcalloc(1, strlen(s) + 1), *o = out;
  while (*s != '\0') {
    bool coded = *s == '%';
    char hex[3] = {coded ? s[1] : '0', coded ? s[2] : '0', '\0'};
    *o++ = coded ? (char)strtol(hex, NULL, 16) : *s;
    s += coded ? 3 : 1;
  }
  return out;
}

char *request_form(const char *raw, const char *name)
{
  const char *p = request_body(raw);
  if (*p == '\0') {
    p = strchr(raw, '?');
    p = p != NULL ? p + 1 : "";
  }
  for (size_t n = strlen(name); *p != '\0' && *p != ' ';) {
    size_t item = strcspn(p, "& ");
    if (item > n && strncmp(p, name, n) == 0 && p[n] == '=') {
      AUTO_FREE char *value = xstrndup(p + n + 1, item - n - 1);
      return percent_decoded(value);
    }
    p += item + (p[item] == '&');
  }
  return NULL;
}

/* ------------------------------------------------------------------- credentials */

const char *cred_override;

struct wait {
  pthread_mutex_t lock;
  pthread_cond_t ended;
  int calls;
  struct token_reply reply;
};

static void on_token(void *user, struct token_reply *reply)
{
  struct wait *w = user;
  pthread_mutex_lock(&w->lock);
  w->calls++;
  w->reply = *reply;
  reply->access_token = reply->refresh_token = NULL; /* taken over */
  pthread_cond_signal(&w->ended);
  pthread_mutex_unlock(&w->lock);
}

struct token_reply cred_obtain(struct credential *c, uint32_t timeout_ms)
{
  struct wait w = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};
  struct token_env env = {.endpoint = cred_override, .timeout_ms = timeout_ms};
  const struct http_client_options options = {.user_agent = "test"};
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(http_client_new(&env.http, &options, NULL), ERR_OK);
  enum err_code code = c->kind->obtain(c, &env, NULL, on_token, &w, &e);
  CU_ASSERT_EQUAL(code, ERR_OK);
  pthread_mutex_lock(&w.lock);
  while (code == ERR_OK && w.calls == 0)
    pthread_cond_wait(&w.ended, &w.lock);
  pthread_mutex_unlock(&w.lock);
  http_client_free(env.http);
  CU_ASSERT_EQUAL(w.calls, 1);
  if (w.reply.error.code != ERR_OK && getenv("SHOW_ERRORS") != NULL)
    fprintf(stderr, "    [%s] %s\n", w.reply.error.reason, w.reply.error.message);
  return w.reply;
}

char *cred_at(const char *template, const char *host)
{
  struct buf out = BUF_INIT(1 << 20);
  for (; *template != '\0'; template ++) {
    if (*template == '@')
      buf_puts(&out, host);
    else
      buf_putc(&out, *template);
  }
  return buf_take(&out, NULL);
}

struct credential *cred_from(const char *json, const struct cloud *cloud)
{
  AUTO_FREE char *text = cred_at(json, cloud != NULL ? cloud_host(cloud) : "");
  struct credential *c = NULL;
  struct err e = {0};
  if (credential_from_adc_json(&c, "adc.json", text, strlen(text), &e) != ERR_OK)
    printf("\n  %s\n", e.message);
  CU_ASSERT_PTR_NOT_NULL_FATAL(c);
  return c;
}

struct credential *cred_of_dealer(const char *member, const char *name, char *message, size_t size)
{
  AUTO_FREE char *json = xasprintf(
      "[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"W\",\"properties\":[\"1\"]%s%s\n}]",
      *member != '\0' ? ",\n" : "", member);
  struct snapshot *s = NULL;
  struct err e = {0};
  *message = '\0';
  if (snapshot_parse(&s, name, json, strlen(json), NULL, &e) != ERR_OK) {
    snprintf(message, size, "%s", e.message);
    return NULL;
  }
  struct credential *c = credential_ref(s->credentials[0]);
  snapshot_unref(s);
  return c;
}

void cred_expect_failure(struct token_reply *r, enum token_outcome outcome, const char *reason, ...)
{
  va_list ap;
  bool good = r->outcome == outcome && strcmp(r->error.reason, reason) == 0 &&
              r->access_token == NULL && r->error.code != ERR_OK;
  va_start(ap, reason);
  for (const char *text = va_arg(ap, const char *); text != NULL; text = va_arg(ap, const char *))
    good = good && strstr(r->error.message, text) != NULL;
  va_end(ap);
  if (!good)
    printf("\n  outcome %d, reason %s: %s\n", (int)r->outcome, r->error.reason, r->error.message);
  CU_ASSERT_TRUE(good);
  token_reply_clear(r);
}

char *cred_key_file(const char *private_pem, const char *token_uri)
{
  struct buf b = BUF_INIT(1 << 16);
  buf_puts(&b,
           "{\"type\":\"service_account\",\"client_email\":\"reader@p.iam.gserviceaccount.com\","
           "\"private_key_id\":\"key-1\",\"private_key\":");
  buf_put_json_string(&b, private_pem, strlen(private_pem));
  buf_printf(&b, ",\"token_uri\":\"%s\"}", token_uri);
  return buf_take(&b, NULL);
}
