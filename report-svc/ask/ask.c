/* A question to Google on its way to an answer. See ask.h.
 *
 * One thread at a time drives an ask: its google_call's callbacks, page after page. The lock guards
 * only what ask_cancel() needs, which may come from any thread: the call under way and whether
 * there should be a further one. The chain holds a reference from start to on_done. */
#include "report-svc/ask/ask.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "report-svc/ask/report.h"
#include "report-svc/ask/row.h"
#include "report-svc/google/field.h"

enum { MAX_PAGES = 50, MAX_ITEMS = 10000 };
enum { ROWS_ARENA = 96 * 1024 * 1024, MESSAGE_ARENA = 16 * 1024 * 1024 };
enum { SHARED_ARENA = 16 * SHARED_ANSWER_MAX };

#define ASK_MAGIC 0x61736b21u

/* The rows of an answer while they come in. */
struct incoming {
  struct rows_decoder *decoder;
  struct report_shape shapes[ROWS_MAX_REPORTS];
  size_t packed; /* bytes the rows will take in the reply */
  struct err error;
};

struct ask {
  unsigned magic;
  atomic_int refs;
  struct ask_options options;
  int64_t deadline_ms;
  char wanted[REQUEST_PROPERTY_SIZE]; /* "" when the dealer's own */
  char digits[REQUEST_PROPERTY_SIZE]; /* of the property asked */
  char property[REQUEST_PROPERTY_SIZE + 16];
  bool opaque; /* the dealer is outside the caller's view */
  struct token *token;
  struct buf cache_key;
  char key_zone[ZONE_SIZE];  /* that it was made with */
  int64_t asked_unix_ms;     /* when the key was made */
  struct incoming *incoming; /* made when Google is asked; NULL: an answer without rows */
  size_t counted;            /* of the answer, in options.room */
  struct answer *answer;
  bool cached;           /* it came from the cache, or from an equal question under way */
  bool behind;           /* an equal question is under way: waits for its answer */
  bool looking, looked;  /* another replica may have the answer: to be looked up; was */
  struct flight *flight; /* led by this ask; NULL: none */
  struct flight_waiter waiter;
  char *page_token; /* of the next page; NULL on the first and after the last */
  unsigned pages;
  int64_t first_day; /* of the property, where it was looked up */

  pthread_mutex_t lock;
  struct google_call *google; /* guarded by the lock */
  bool cancelled;             /* guarded by the lock */
  bool waiting;               /* behind another ask; guarded by the lock */
};

static void start_page(struct ask *a);

/* ------------------------------------------------------------------ life */

struct ask *ask_new(const struct ask_options *options)
{
  struct ask *a = xcalloc(1, sizeof(*a));
  a->magic = ASK_MAGIC;
  atomic_init(&a->refs, 1);
  a->options = *options;
  if (a->options.purpose == ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_UNSPECIFIED)
    a->options.purpose = ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT;
  a->deadline_ms = google_work_deadline_ms(options->service->google, options->parent);
  buf_init(&a->cache_key, REQUEST_MAX_BODY + 1024);
  pthread_mutex_init(&a->lock, NULL);
  return a;
}

static void incoming_free(struct incoming *in)
{
  if (in == NULL)
    return;
  rows_decoder_free(in->decoder);
  free(in);
}

struct ask *ask_ref(struct ask *a)
{
  atomic_fetch_add(&a->refs, 1);
  return a;
}

void ask_unref(struct ask *a)
{
  if (a == NULL || atomic_fetch_sub(&a->refs, 1) != 1)
    return;
  token_unref(a->token);
  buf_free(&a->cache_key);
  incoming_free(a->incoming);
  answer_unref(a->answer);
  free(a->page_token);
  pthread_mutex_destroy(&a->lock);
  a->magic = 0;
  free(a);
}

const ProtobufCMessage *ask_message(const struct ask *a)
{
  return a->answer == NULL ? NULL : a->answer->message;
}

void ask_drop_message(struct ask *a)
{
  answer_unref(TAKE_PTR(a->answer));
}

const ProtobufCMessage *ask_body(const struct ask *a)
{
  return a->options.body;
}

const struct token *ask_used_token(const struct ask *a)
{
  return a->token;
}

const char *ask_property(const struct ask *a)
{
  return a->property;
}

bool ask_names_property(const struct ask *a)
{
  return a->wanted[0] != '\0';
}

int64_t ask_first_day(const struct ask *a)
{
  return a->first_day;
}

void ask_set_first_day(struct ask *a, int64_t day)
{
  a->first_day = day;
}

void ask_name_dealer(const struct ask *a, struct err *e)
{
  const struct token *t = a->token;
  if (t != NULL && t->dealer_name[0] != '\0' && e->code != ERR_INVALID_ARGUMENT &&
      e->code != ERR_CANCELLED && strncmp(e->message, "dealer \"", 8) != 0)
    err_prefix(e, "dealer \"%s\" %s: ", t->dealer_ref, t->dealer_name);
  else if (t == NULL && e->code == ERR_DEADLINE_EXCEEDED && a->options.dealer_id[0] != '\0')
    err_prefix(e, "dealer \"%.128s\": ", a->options.dealer_id); /* it never came to a token */
}

static void finish(struct ask *a, const struct err *e)
{
  struct flight *flight = TAKE_PTR(a->flight);
  if (flight != NULL)
    flights_end(a->options.service->flights, flight, e->code == ERR_OK ? a->answer : NULL, e);
  a->options.on_done(a->options.user, a, e);
  ask_unref(a); /* the chain's */
}

static enum err_code too_many(const struct ask *a, struct err *e)
{
  const char *text = a->options.too_many;
  return err_set(e, ERR_RESOURCE_EXHAUSTED, "answer_too_large", "%s",
                 text != NULL ? text : "Google's list is longer than this service reads");
}

/* ------------------------------------------------------------------ rows */

/* Rows that do not fit are left for the next page. Those of several date ranges or comparisons
 * belong together, so such a report is refused instead. */
static bool may_be_cut(const struct ask *a)
{
  if (a->options.method->rows != GOOGLE_ROWS)
    return false;
  const Analytics__Ga4__V1beta__RunReportRequest *report = (const void *)a->options.body;
  return report->n_date_ranges <= 1 && report->n_comparisons == 0;
}

/* Counts what the answer has grown by. */
static enum err_code count_answer(struct ask *a, struct err *e)
{
  struct room_share *room = a->options.room;
  size_t now = answer_size(a->answer);
  if (room == NULL || now <= a->counted)
    return ERR_OK;
  if (!room_take(room, now - a->counted))
    return room_refused(room, a->options.too_many, e);
  a->counted = now;
  return ERR_OK;
}

static enum rows_step on_row(void *user, const struct rows_row *row, struct err *e)
{
  struct ask *a = user;
  struct incoming *in = a->incoming;
  struct answer_list *rows = &a->answer->lists[row->report];
  Analytics__Ga4__V1beta__Row *message = NULL;
  report_shape_add(&in->shapes[row->report], row);
  in->packed += row_packed_bytes(row);
  if (in->packed <= report_service_max_answer(a->options.service))
    message = row_message(a->answer->arena, row);
  if (message == NULL && rows->n > 0 && may_be_cut(a)) {
    in->packed = SIZE_MAX / 2; /* no further row: they would leave a gap */
    return ROWS_MORE;
  }
  if (message == NULL && a->options.too_many != NULL) {
    too_many(a, e);
    return ROWS_FAIL;
  }
  if (message == NULL) {
    err_set(
        e, ERR_RESOURCE_EXHAUSTED, "answer_too_large",
        "the answer is too large after %zu rows; use limit=%zu and page with offset, or ask for "
        "fewer dimensions or filter the report",
        rows->n, rows->n > 1 ? rows->n * 9 / 10 : 1);
    return ROWS_FAIL;
  }
  answer_list_add(rows, &message->base);
  return count_answer(a, e) == ERR_OK ? ROWS_MORE : ROWS_FAIL;
}

static enum http_flow on_body(void *user, const char *data, size_t len)
{
  struct incoming *in = ((struct ask *)user)->incoming;
  size_t used;
  if (rows_decoder_feed(in->decoder, data, len, &used, &in->error) == ROWS_FED_ERROR)
    return HTTP_ABORT;
  return HTTP_CONTINUE;
}

static struct ga4_list listed(const struct answer_list *list)
{
  return (struct ga4_list){list->items, list->n};
}

static void see_quota(const struct ask *a, const ProtobufCMessage *report)
{
  google_saw_quota(a->options.service->google, a->digits,
                   ((const Analytics__Ga4__V1beta__RunReportResponse *)report)->property_quota,
                   a->opaque);
}

static enum err_code read_rows(struct ask *a, struct err *e)
{
  struct answer *answer = a->answer;
  ProtobufCMessage *message;
  metric_add(a->options.service->rows, (double)rows_decoder_count(a->incoming->decoder), NULL);
  struct ga4_list asked = {(ProtobufCMessage **)&a->options.body, 1};
  if (a->options.method->rows == GOOGLE_ROWS_OF_REPORTS)
    asked = ga4_list(a->options.body, "requests");
  if (report_read(&message, a->options.method, a->incoming->decoder, (void *)asked.items, asked.n,
                  a->incoming->shapes, answer->arena, e) != ERR_OK)
    return e->code;
  if (a->options.method->rows == GOOGLE_ROWS_OF_REPORTS) {
    struct ga4_list reports = ga4_list(message, "reports");
    for (size_t i = 0; i < reports.n; i++) {
      ga4_set_list(reports.items[i], "rows", listed(&answer->lists[i]));
      see_quota(a, reports.items[i]);
    }
  } else {
    ga4_set_list(message, "rows", listed(&answer->lists[0]));
    see_quota(a, message);
  }
  answer->message = message;
  return count_answer(a, e);
}

/* ------------------------------------------------------------------ lists in pages */

static enum err_code take_items(struct ask *a, ProtobufCMessage *page, struct err *e)
{
  struct answer_list *all = &a->answer->lists[0];
  struct ga4_list items = ga4_list(page, a->options.method->items);
  for (size_t i = 0; i < items.n; i++) {
    if (a->options.keep != NULL && !a->options.keep(a->options.user, items.items[i]))
      continue;
    if (all->n == MAX_ITEMS)
      return too_many(a, e);
    answer_list_add(all, items.items[i]);
  }
  const char *next = ga4_text(page, "next_page_token");
  free(a->page_token);
  a->page_token = next[0] == '\0' ? NULL : xstrdup(next);
  if (++a->pages == MAX_PAGES && a->page_token != NULL)
    return too_many(a, e);
  ga4_set_list(page, a->options.method->items, listed(all));
  return ERR_OK;
}

static enum err_code read_message(struct ask *a, const struct http_response *response,
                                  struct err *e)
{
  ProtobufCMessage *message;
  if (google_method_read(&message, a->options.method, response->body, response->body_len,
                         a->answer->arena, e) != ERR_OK)
    return e->code;
  if (a->options.method->headed && report_check_message(a->options.body, message, e) != ERR_OK)
    return e->code;
  if (a->options.method->items != NULL && take_items(a, message, e) != ERR_OK)
    return e->code;
  a->answer->message = message;
  return ERR_OK;
}

/* ------------------------------------------------------------------ what is known already */

static enum err_code put_key(const struct ask *a, const struct token *t, const char *zone,
                             int64_t now_unix_ms, struct buf *key, struct err *e)
{
  const struct service_key k = {a->options.method->name, a->digits, zone, now_unix_ms};
  return service_put_key(&k, t, a->options.body, key, e);
}

static bool same_key(const struct buf *a, const struct buf *b)
{
  return a->len == b->len && memcmp(buf_str(a), buf_str(b), a->len) == 0;
}

/* The answer to a question that this one leads. An equal one that led before has left its answer
 * under the key of the days, which is another than this one's when the zone was learned meanwhile.
 */
static enum err_code find_answer(struct ask *a, const struct token *t, struct err *e)
{
  const struct service *s = a->options.service;
  char zone[ZONE_SIZE];
  AUTO_BUF struct buf now = BUF_INIT(a->cache_key.max);
  const struct buf *key = &a->cache_key;
  zones_find(s->zones, a->digits, zone);
  if (strcmp(zone, a->key_zone) != 0) {
    if (put_key(a, t, zone, a->asked_unix_ms, &now, e) != ERR_OK)
      return e->code;
    key = &now;
  }
  a->answer = cache_get(s->cache, key, clock_mono_ms());
  a->cached = a->answer != NULL;
  return ERR_OK;
}

/* Leads first and looks then: who looked first might miss the answer of a leader that ended before
 * it led itself, and ask Google for the same again. */
static enum err_code look_up(struct ask *a, const struct token *t, struct err *e)
{
  const struct ask_options *o = &a->options;
  if (!o->method->cacheable || a->looked)
    return ERR_OK;
  buf_clear(&a->cache_key);
  a->asked_unix_ms = clock_unix_ms();
  zones_find(o->service->zones, a->digits, a->key_zone);
  if (put_key(a, t, a->key_zone, a->asked_unix_ms, &a->cache_key, e) != ERR_OK)
    return e->code;
  if (!o->fresh && a->flight == NULL) {
    a->flight = flights_lead(o->service->flights, &a->cache_key);
    a->behind = a->flight == NULL;
  }
  if (!o->fresh && !a->behind && find_answer(a, t, e) != ERR_OK)
    return e->code;
  a->looking = a->flight != NULL && !a->cached && shared_is_up(o->service->shared);
  return ERR_OK;
}

/* ------------------------------------------------------------------ behind an equal question */

static void finish_cancelled(struct ask *a)
{
  struct err e;
  err_set(&e, ERR_CANCELLED, "cancelled", "the request was cancelled");
  finish(a, &e);
}

/* The leader's own end, such as its caller going away, says nothing about this question. */
static bool of_the_leader(const struct err *e)
{
  return e->code == ERR_CANCELLED || e->code == ERR_DEADLINE_EXCEEDED;
}

static void on_flight_end(void *user, struct answer *answer, const struct err *e)
{
  struct ask *a = user;
  MAGIC_CHECK(a, ASK_MAGIC);
  pthread_mutex_lock(&a->lock);
  a->waiting = false;
  bool cancelled = a->cancelled;
  pthread_mutex_unlock(&a->lock);
  if (answer != NULL) {
    a->answer = answer_ref(answer);
    a->cached = true;
  }
  if (cancelled)
    finish_cancelled(a);
  else if (of_the_leader(e))
    start_page(a);
  else
    finish(a, e);
}

/* Waits for the leader, or starts itself when that one has ended meanwhile. */
static void wait_behind(struct ask *a)
{
  a->behind = false;
  a->waiter = (struct flight_waiter){.on_end = on_flight_end, .user = a};
  pthread_mutex_lock(&a->lock);
  bool cancelled = a->cancelled;
  a->waiting = !cancelled && flights_wait(a->options.service->flights, &a->cache_key, &a->waiter);
  bool waiting = a->waiting;
  pthread_mutex_unlock(&a->lock);
  if (cancelled)
    finish_cancelled(a);
  else if (!waiting)
    start_page(a);
}

/* ------------------------------------------------------------------ what other replicas know */

static void take_shared(struct ask *a, struct answer *answer, int64_t ttl_ms)
{
  struct cache *cache = a->options.service->cache;
  a->answer = answer;
  a->cached = true;
  cache_count_shared(cache);
  cache_put(cache, &a->cache_key, answer, ttl_ms, clock_mono_ms());
}

static void on_shared_answer(void *user, const void *data, size_t len, int64_t ttl_ms)
{
  static const struct err ok = {0};
  struct ask *a = user;
  MAGIC_CHECK(a, ASK_MAGIC);
  struct answer *answer =
      data == NULL ? NULL : answer_unpack(a->options.method->response, data, len, SHARED_ARENA);
  pthread_mutex_lock(&a->lock);
  bool cancelled = a->cancelled;
  pthread_mutex_unlock(&a->lock);
  if (answer != NULL)
    take_shared(a, answer, ttl_ms);
  if (cancelled)
    finish_cancelled(a);
  else if (answer != NULL)
    finish(a, &ok);
  else
    start_page(a);
}

static void look_with_others(struct ask *a)
{
  a->looking = false;
  a->looked = true;
  shared_get_answer(a->options.service->shared, &a->cache_key, on_shared_answer, a);
}

/* Under the key of the days, and under the one that a replica asks with which does not know the
 * property's zone: `asked`. */
static void leave_for_others(struct ask *a, const struct buf *asked, int64_t ttl_ms)
{
  struct shared *shared = a->options.service->shared;
  AUTO_BUF struct buf packed = BUF_INIT(SHARED_ANSWER_MAX);
  if (!shared_is_up(shared) || !answer_pack(&packed, a->answer))
    return;
  shared_put_answer(shared, &a->cache_key, packed.data, packed.len, ttl_ms);
  if (!same_key(asked, &a->cache_key))
    shared_put_answer(shared, asked, packed.data, packed.len, ttl_ms);
}

/* ------------------------------------------------------------------ the call to Google */

static enum err_code on_token(void *user, const struct token *t, struct google_target *out,
                              struct err *e)
{
  struct ask *a = user;
  const struct google_method *m = a->options.method;
  bool of_property = m->place == GOOGLE_OF_PROPERTY;
  if (a->pages == 0) {
    if (of_property && token_property(a->digits, t, a->wanted, e) != ERR_OK)
      return e->code;
    static const char properties[] = "properties/";
    memcpy(a->property, properties, sizeof(properties));
    text_copy(a->property + sizeof(properties) - 1, sizeof(a->property) - sizeof(properties) + 1,
              a->digits);
    a->opaque = t->opaque;
    if (a->options.one_property && a->wanted[0] == '\0' && token_check_one_property(t, e) != ERR_OK)
      return e->code;
    if (a->options.on_token != NULL &&
        a->options.on_token(a->options.user, t, a->digits, &a->options.body, e) != ERR_OK)
      return e->code;
    if (look_up(a, t, e) != ERR_OK || a->cached || a->behind || a->looking)
      return e->code;
  }
  return google_target_of(out, a->options.service->google, m,
                          of_property ? a->digits : a->options.dealer_id, a->page_token, e);
}

static bool has_rows(const struct ask *a)
{
  return a->options.method->rows != GOOGLE_NO_ROWS;
}

static void expect_rows(struct ask *a)
{
  struct rows_options options = {
      .on_row = on_row, .user = a, .batch = a->options.method->rows == GOOGLE_ROWS_OF_REPORTS};
  incoming_free(a->incoming);
  a->incoming = xcalloc(1, sizeof(*a->incoming));
  a->incoming->decoder = rows_decoder_new(&options);
}

/* What came of an attempt before is forgotten; whole pages stay. */
static enum err_code prepare(void *user, struct buf *body, struct err *e)
{
  struct ask *a = user;
  if (a->pages == 0) {
    answer_unref(a->answer);
    if (a->options.room != NULL)
      room_reuse(a->options.room, a->counted);
    a->counted = 0;
    a->answer = answer_new(has_rows(a) ? ROWS_ARENA : MESSAGE_ARENA);
  }
  if (has_rows(a))
    expect_rows(a);
  return a->options.body == NULL ? ERR_OK : request_write(body, a->options.body, e);
}

static enum err_code check(void *user, const struct http_response *response, struct err *e)
{
  struct ask *a = user;
  if (response == NULL) {
    if (a->incoming != NULL)
      *e = a->incoming->error;
    return e->code != ERR_OK ? e->code : err_set(e, ERR_CANCELLED, "cancelled", "cancelled");
  }
  return has_rows(a) ? read_rows(a, e) : read_message(a, response, e);
}

/* The zone that the answer names; "" when it names none that can be kept. */
static const char *zone_of(const ProtobufCMessage *message)
{
  const ProtobufCFieldDescriptor *field =
      protobuf_c_message_descriptor_get_field_by_name(message->descriptor, "metadata");
  if (field == NULL || field->descriptor != &analytics__ga4__v1beta__response_meta_data__descriptor)
    return "";
  const ProtobufCMessage *metadata = ga4_message(message, "metadata");
  const char *zone = metadata == NULL ? "" : ga4_text(metadata, "time_zone");
  return strlen(zone) < ZONE_SIZE ? zone : "";
}

/* Takes the key of the days that the answer is about, now that it names the zone. False when a day
 * has ended since the question was asked: it is open which one Google meant. */
static bool settle_key(struct ask *a, const char *zone)
{
  struct err e = {0};
  AUTO_BUF struct buf then = BUF_INIT(a->cache_key.max), now = BUF_INIT(a->cache_key.max);
  if (zone[0] == '\0')
    zone = a->key_zone;
  if (put_key(a, a->token, zone, a->asked_unix_ms, &then, &e) != ERR_OK ||
      put_key(a, a->token, zone, clock_unix_ms(), &now, &e) != ERR_OK || !same_key(&then, &now))
    return false;
  buf_clear(&a->cache_key);
  return buf_append(&a->cache_key, buf_str(&now), now.len);
}

static void put_answer(struct ask *a)
{
  const struct ask_options *o = &a->options;
  int64_t ttl_ms = cache_ttl_ms(o->service->cache);
  AUTO_BUF struct buf asked = BUF_INIT(a->cache_key.max);
  buf_append(&asked, buf_str(&a->cache_key), a->cache_key.len);
  if (!settle_key(a, zone_of(a->answer->message)))
    return;
  if (o->keep_ms != NULL)
    ttl_ms = o->keep_ms(o->body, a->answer->message, ttl_ms, clock_unix_ms());
  cache_put(o->service->cache, &a->cache_key, a->answer, ttl_ms, clock_mono_ms());
  leave_for_others(a, &asked, ttl_ms > 0 ? ttl_ms : cache_ttl_ms(o->service->cache));
}

/* The zone becomes known once the answer is there: an equal question that comes meanwhile asks
 * either without the zone, and is behind this one, or with it, and finds the answer. */
static void keep(struct ask *a)
{
  const struct ask_options *o = &a->options;
  if (!o->method->cacheable || o->fresh || a->cached || cache_ttl_ms(o->service->cache) == 0)
    return;
  put_answer(a);
  zones_learn(o->service->zones, a->digits, zone_of(a->answer->message));
}

static void on_done(void *user, const struct err *e)
{
  struct ask *a = user;
  MAGIC_CHECK(a, ASK_MAGIC);
  pthread_mutex_lock(&a->lock);
  struct google_call *google = TAKE_PTR(a->google);
  pthread_mutex_unlock(&a->lock);
  token_unref(a->token);
  a->token = google_call_token(google);
  google_call_unref(google);
  if (e->code == ERR_OK && a->page_token != NULL) {
    start_page(a);
    return;
  }
  if (e->code == ERR_OK && a->behind) {
    wait_behind(a);
    return;
  }
  if (e->code == ERR_OK && a->looking) {
    look_with_others(a);
    return;
  }
  if (e->code == ERR_OK)
    keep(a);
  finish(a, e);
}

static const struct google_call_ops ops = {
    .on_token = on_token, .prepare = prepare, .check = check, .on_done = on_done};
static const struct google_call_ops ops_of_rows = {.on_token = on_token,
                                                   .prepare = prepare,
                                                   .on_body = on_body,
                                                   .check = check,
                                                   .on_done = on_done};

static void start_page(struct ask *a)
{
  const struct ask_options *o = &a->options;
  bool by_dealer = o->dealer_id[0] != '\0';
  struct google_call_options options = {.parent = o->parent,
                                        .method = o->method,
                                        .subject = by_dealer ? GOOGLE_DEALER : GOOGLE_PROPERTY,
                                        .subject_id = by_dealer ? o->dealer_id : a->wanted,
                                        .purpose = a->options.purpose,
                                        .token = a->token,
                                        .leased = a->options.purpose ==
                                                  ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT,
                                        .deadline_ms = a->deadline_ms,
                                        .ops = has_rows(a) ? &ops_of_rows : &ops,
                                        .user = a};
  struct google_call *google = google_call_new(o->service->google, &options);
  pthread_mutex_lock(&a->lock);
  a->google = google_call_ref(google);
  bool cancelled = a->cancelled;
  pthread_mutex_unlock(&a->lock);
  if (cancelled)
    google_call_cancel(google); /* before the start: ends it at once */
  google_call_start(google);    /* a may be gone after this */
  google_call_unref(google);
}

void ask_start(struct ask *a)
{
  struct err e = {0};
  ask_ref(a); /* the chain's */
  if (a->options.property_id[0] != '\0' &&
      request_parse_property(a->wanted, a->options.property_id, &e) != ERR_OK)
    finish(a, &e);
  else
    start_page(a);
}

void ask_cancel(struct ask *a)
{
  MAGIC_CHECK(a, ASK_MAGIC);
  pthread_mutex_lock(&a->lock);
  a->cancelled = true;
  struct google_call *google = a->google == NULL ? NULL : google_call_ref(a->google);
  bool waiting = a->waiting;
  pthread_mutex_unlock(&a->lock);
  if (waiting && flights_leave(a->options.service->flights, &a->waiter)) {
    finish_cancelled(a);
    return;
  }
  google_call_cancel(google); /* a may be gone after this */
  google_call_unref(google);
}
