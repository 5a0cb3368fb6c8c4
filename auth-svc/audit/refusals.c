/* Refused calls, counted by kind: a line a minute for each, however many there are. */
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "auth-svc/audit/internal.h"
#include "common/base/mem.h"

enum { KEPT_TEXT_MAX = 2 * AUDIT_TEXT_MAX };

/* What calls of one kind have in common. */
enum { EVENT, RESULT, REASON, SUBJECT, REQUESTED, DETAIL, CLIENT, PEER };

/* Of "ipv4:127.0.0.1:4711" what stays the same with the next connection. */
static size_t host_len(const char *peer)
{
  const char *colon = strrchr(peer, ':');
  bool address = strncmp(peer, "ipv4:", 5) == 0 || strncmp(peer, "ipv6:", 5) == 0;
  return address && colon > peer + 4 ? (size_t)(colon - peer) : strlen(peer);
}

static const char *text_of(const struct audit_event *ev, size_t i, size_t *len)
{
  const char *const texts[AUDIT_REFUSAL_TEXTS] = {ev->event,   ev->result,    ev->reason,
                                                  ev->subject, ev->requested, ev->detail,
                                                  ev->client,  ev->peer};
  const char *text = texts[i] != NULL ? texts[i] : "";
  *len = i == PEER ? host_len(text) : strlen(text);
  return text;
}

/* Each text with its length before it, so that no two kinds read the same. */
static void key_of(uint8_t out[SHA256_SIZE], const struct audit_event *ev)
{
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  unsigned n = SHA256_SIZE;
  bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;
  for (size_t i = 0; i < AUDIT_REFUSAL_TEXTS && ok; i++) {
    size_t len;
    const char *s = text_of(ev, i, &len);
    ok = EVP_DigestUpdate(ctx, &len, sizeof(len)) == 1 && EVP_DigestUpdate(ctx, s, len) == 1;
  }
  if (!ok || EVP_DigestFinal_ex(ctx, out, &n) != 1)
    abort(); /* fails only when OpenSSL is unusable */
  EVP_MD_CTX_free(ctx);
}

static struct audit_refusal *refusal_new(struct audit *a, const uint8_t key[SHA256_SIZE],
                                         const struct audit_event *ev)
{
  struct audit_refusal *r = xcalloc(1, sizeof(*r));
  memcpy(r->key, key, SHA256_SIZE);
  for (size_t i = 0; i < AUDIT_REFUSAL_TEXTS; i++) {
    size_t len;
    const char *text = text_of(ev, i, &len);
    r->texts[i] = xstrndup(text, len < KEPT_TEXT_MAX ? len : KEPT_TEXT_MAX);
  }
  map_add(&a->refusals, &r->in_map, r->key, SHA256_SIZE);
  return r;
}

static void refusal_free(struct audit *a, struct audit_refusal *r)
{
  map_remove(&a->refusals, &r->in_map);
  for (size_t i = 0; i < AUDIT_REFUSAL_TEXTS; i++)
    free(r->texts[i]);
  free(r);
}

/* ------------------------------------------------------------------- one call */

/* The first of its kind: a line now, and its minute begins. */
static enum err_code write_first(struct audit *a, const uint8_t key[SHA256_SIZE],
                                 const struct audit_event *ev, struct err *e)
{
  struct audit_event one = *ev;
  one.count = 1;
  if (!audit_make_ready(a) || !audit_put(a, &one))
    return audit_refuse(a, errno, e);
  refusal_new(a, key, ev)->until_ms = a->mono_ms() + AUDIT_REFUSAL_MS;
  return ERR_OK;
}

/* Where the call is counted; NULL when it is the first of its kind. */
static struct audit_refusal *find_counter(struct audit *a, const uint8_t key[SHA256_SIZE])
{
  struct map_node *found = map_find(&a->refusals, key, SHA256_SIZE);
  if (found != NULL)
    return CONTAINER_OF(found, struct audit_refusal, in_map);
  if (a->refusals.n < AUDIT_REFUSAL_KINDS_MAX)
    return NULL;
  if (a->overflow.count == 0)
    a->overflow.until_ms = a->mono_ms() + AUDIT_REFUSAL_MS;
  return &a->overflow;
}

enum err_code audit_write_refusal(struct audit *a, const struct audit_event *event, bool *counted,
                                  struct err *e)
{
  uint8_t key[SHA256_SIZE];
  enum err_code code = ERR_OK;
  *counted = false;
  if (a == NULL)
    return ERR_OK;
  key_of(key, event);
  pthread_mutex_lock(&a->lock);
  struct audit_refusal *r = find_counter(a, key);
  /* While lines cannot be written nothing is answered, refusals neither. */
  *counted = r != NULL && (!a->failed || audit_make_ready(a));
  if (*counted)
    r->count++;
  else
    code = r != NULL ? audit_refuse(a, errno, e) : write_first(a, key, event, e);
  pthread_mutex_unlock(&a->lock);
  if (*counted)
    metric_add(a->refusals_counted, 1, NULL);
  else
    metric_add(a->lines, 1, METRIC_LABELS(code == ERR_OK ? "ok" : "failed"));
  return code;
}

/* ------------------------------------------------------------ the end of a minute */

static bool write_count(struct audit *a, struct audit_refusal *r)
{
  static const char *const overflow[] = {
      [EVENT] = "refused",
      [RESULT] = "denied",
      [REASON] = "many_kinds",
      [DETAIL] = "kinds of refusals beyond 256 in a minute, counted as one",
      [PEER] = NULL};
  const char *const *texts = r == &a->overflow ? overflow : (const char *const *)r->texts;
  const struct audit_event event = {.event = texts[EVENT],
                                    .result = texts[RESULT],
                                    .reason = texts[REASON],
                                    .subject = texts[SUBJECT],
                                    .requested = texts[REQUESTED],
                                    .peer = texts[PEER],
                                    .client = texts[CLIENT],
                                    .detail = texts[DETAIL],
                                    .count = r->count};
  if (r->count == 0)
    return true;
  bool ok = audit_make_ready(a) && audit_put(a, &event);
  if (!ok)
    audit_refuse(a, errno, NULL);
  metric_add(a->lines, 1, METRIC_LABELS(ok ? "ok" : "failed"));
  return ok;
}

/* True when the kind is over: nothing was counted in its last minute. */
static bool end_minute(struct audit *a, struct audit_refusal *r, int64_t now, bool *ok)
{
  bool silent = r->count == 0;
  *ok = write_count(a, r);
  if (!*ok)
    return false;
  r->count = 0;
  r->until_ms = now + AUDIT_REFUSAL_MS;
  return silent;
}

void audit_refusals_write(struct audit *a, bool all)
{
  const int64_t now = a->mono_ms();
  bool ok = true;
  for (struct map_node *n = map_first(&a->refusals), *next; n != NULL && ok; n = next) {
    struct audit_refusal *r = CONTAINER_OF(n, struct audit_refusal, in_map);
    next = map_next(&a->refusals, n);
    if ((all || now >= r->until_ms) && end_minute(a, r, now, &ok))
      refusal_free(a, r);
  }
  if (ok && a->overflow.count > 0 && (all || now >= a->overflow.until_ms))
    end_minute(a, &a->overflow, now, &ok);
}

void audit_flush_refusals(struct audit *a)
{
  if (a == NULL)
    return;
  pthread_mutex_lock(&a->lock);
  audit_refusals_write(a, true);
  pthread_mutex_unlock(&a->lock);
}

void audit_refusals_free(struct audit *a)
{
  for (struct map_node *n = map_first(&a->refusals), *next; n != NULL; n = next) {
    next = map_next(&a->refusals, n);
    refusal_free(a, CONTAINER_OF(n, struct audit_refusal, in_map));
  }
  map_free(&a->refusals);
}
