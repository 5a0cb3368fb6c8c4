/* GetAccountSummaries: what the credentials of one dealer, or of all dealers in the grant,
 * can read. */
#include <pthread.h>
#include <string.h>

#include "analytics/report/v1/report.pb-c.h"
#include "common/base/codec.h"
#include "common/base/mem.h"
#include "common/base/nearest.h"
#include "common/base/words.h"
#include "report-svc/answer/headline.h"
#include "report-svc/ask/ask.h"
#include "report-svc/tools/tools.h"

typedef Analytics__Ga4__V1beta__AccountSummary account_summary;
typedef Analytics__Ga4__V1beta__ListAccountSummariesResponse account_list;
typedef Analytics__Report__V1__GetAccountSummariesResponse__DealerAccounts dealer_accounts;

enum { NAME_BYTES = 128 };
enum { MAX_DEALERS = 100, MAX_ANSWER = 4 * 1024 * 1024, LIST_TIMEOUT_MS = 30000 };

#define SUMMARIES_MAGIC 0x73756d6du

struct summaries;

/* Names closest to the query, best first, each once. */
struct closest {
  char name[NEAREST_MAX][NAME_BYTES];
  unsigned distance[NEAREST_MAX];
  size_t n;
};

struct dealer {
  struct summaries *all;
  struct closest closest; /* of what the query leaves out; its ask's alone until that ends */
  char *id, *name;
  struct ask *ask;
  struct err error;
};

struct summaries {
  unsigned magic;
  struct service *service;
  struct rpc_call *call;
  const Analytics__Report__V1__GetAccountSummariesRequest *request;
  struct words words; /* of its query */
  pthread_mutex_t lock;
  struct dealer *dealers; /* guarded by the lock until all have started, with their asks */
  size_t n_dealers, open;
  bool cancelled;
  int32_t next_offset; /* of the dealers that may be asked */
};

static void summaries_free(struct summaries *s)
{
  for (size_t i = 0; i < s->n_dealers; i++) {
    struct dealer *d = &s->dealers[i];
    ask_unref(d->ask);
    free(d->id);
    free(d->name);
  }
  free(s->dealers);
  pthread_mutex_destroy(&s->lock);
  s->magic = 0;
  free(s);
}

/* ------------------------------------------------------------------ closest names */

static void offer_name(struct closest *c, const char *name, unsigned distance)
{
  size_t at = 0;
  if (distance >= NEAREST_FAR || name[0] == '\0' || strlen(name) >= NAME_BYTES)
    return;
  for (size_t i = 0; i < c->n; i++)
    if (strcmp(c->name[i], name) == 0)
      return;
  while (at < c->n && c->distance[at] <= distance)
    at++;
  if (at == NEAREST_MAX)
    return;
  c->n += c->n < NEAREST_MAX;
  for (size_t i = c->n - 1; i > at; i--) {
    memcpy(c->name[i], c->name[i - 1], NAME_BYTES);
    c->distance[i] = c->distance[i - 1];
  }
  memcpy(c->name[at], name, strlen(name) + 1);
  c->distance[at] = distance;
}

/* ------------------------------------------------------------------ the answer */

static void put_closest(struct buf *text, const struct summaries *s)
{
  struct closest best = {.n = 0};
  for (size_t i = 0; i < s->n_dealers; i++)
    for (size_t k = 0; k < s->dealers[i].closest.n; k++)
      offer_name(&best, s->dealers[i].closest.name[k], s->dealers[i].closest.distance[k]);
  for (size_t i = 0; i < best.n; i++)
    buf_printf(text, "%s\"%s\"", i == 0 ? "; closest: " : ", ", best.name[i]);
}

static void put_failure(Analytics__Report__V1__Coverage *coverage, struct dealer *d,
                        struct arena *arena)
{
  Analytics__Report__V1__DealerFailure *failure =
      ARENA_NEW(arena, Analytics__Report__V1__DealerFailure);
  if (failure == NULL)
    return;
  analytics__report__v1__dealer_failure__init(failure);
  failure->dealer_id = d->id;
  failure->name = d->name;
  failure->reason = d->error.reason;
  failure->message = d->error.message;
  coverage->failed[coverage->n_failed++] = failure;
}

/* With a query, dealers without a match are left out. */
static void put_dealer(Analytics__Report__V1__GetAccountSummariesResponse *response,
                       struct dealer *d, struct arena *arena)
{
  const account_list *list = (const account_list *)ask_message(d->ask);
  dealer_accounts *out = ARENA_NEW(arena, dealer_accounts);
  if (out == NULL || (list->n_account_summaries == 0 && d->all->request->query[0] != '\0'))
    return;
  analytics__report__v1__get_account_summaries_response__dealer_accounts__init(out);
  out->dealer_id = d->id;
  out->n_account_summaries = list->n_account_summaries;
  out->account_summaries = list->account_summaries;
  response->dealers[response->n_dealers++] = out;
}

static void put_headline(Analytics__Report__V1__GetAccountSummariesResponse *response,
                         const struct summaries *s, struct arena *arena)
{
  AUTO_BUF struct buf text = BUF_INIT(HEADLINE_MAX);
  int64_t accounts = 0, properties = 0;
  for (size_t i = 0; i < response->n_dealers; i++) {
    const dealer_accounts *d = response->dealers[i];
    accounts += (int64_t)d->n_account_summaries;
    for (size_t k = 0; k < d->n_account_summaries; k++)
      properties += (int64_t)d->account_summaries[k]->n_property_summaries;
  }
  buf_printf(&text, "The credential%s of %d dealer%s can read %lld account%s with %lld propert%s",
             headline_s(response->coverage->ok), response->coverage->ok,
             headline_s(response->coverage->ok), (long long)accounts, headline_s(accounts),
             (long long)properties, properties == 1 ? "y" : "ies");
  if (s->request->query[0] != '\0')
    buf_printf(&text, " that match \"%.128s\"", s->request->query);
  if (s->request->query[0] != '\0' && accounts == 0)
    put_closest(&text, s);
  char *headline = arena_strdup(arena, buf_str(&text));
  if (headline != NULL)
    response->headline = headline;
}

static void reply(struct summaries *s)
{
  Analytics__Report__V1__GetAccountSummariesResponse response =
      ANALYTICS__REPORT__V1__GET_ACCOUNT_SUMMARIES_RESPONSE__INIT;
  Analytics__Report__V1__Coverage coverage = ANALYTICS__REPORT__V1__COVERAGE__INIT;
  struct arena *arena = arena_new(1024 * 1024);
  response.coverage = &coverage;
  response.dealers = ARENA_ARRAY(arena, dealer_accounts *, s->n_dealers);
  coverage.failed = ARENA_ARRAY(arena, Analytics__Report__V1__DealerFailure *, s->n_dealers);
  coverage.asked = (int32_t)s->n_dealers;
  for (size_t i = 0; i < s->n_dealers; i++) {
    if (s->dealers[i].error.code != ERR_OK) {
      put_failure(&coverage, &s->dealers[i], arena);
    } else {
      coverage.ok++;
      put_dealer(&response, &s->dealers[i], arena);
    }
  }
  response.next_offset = s->next_offset;
  put_headline(&response, s, arena);
  if (protobuf_c_message_get_packed_size(&response.base) > MAX_ANSWER) {
    struct err e;
    err_set(&e, ERR_RESOURCE_EXHAUSTED, "answer_too_large",
            "the list of accounts is too long for one answer; give dealer_id or query");
    rpc_call_finish(s->call, &e);
  } else {
    rpc_call_reply(s->call, &response.base);
  }
  arena_free(arena);
}

static void finish(struct summaries *s, const struct err *e)
{
  rpc_call_on_cancel(s->call, NULL, NULL);
  rpc_call_ref(s->call); /* the request lives as long as the call */
  struct rpc_call *call = s->call;
  if (e != NULL)
    rpc_call_finish(call, e);
  else
    reply(s);
  summaries_free(s);
  rpc_call_unref(call);
}

/* One part of the work has ended. */
static void part_ended(struct summaries *s)
{
  pthread_mutex_lock(&s->lock);
  bool last = --s->open == 0;
  bool cancelled = s->cancelled;
  pthread_mutex_unlock(&s->lock);
  if (!last)
    return;
  struct err e;
  err_set(&e, ERR_CANCELLED, "cancelled", "the caller went away");
  bool single = s->request->dealer_id[0] != '\0' && s->dealers[0].error.code != ERR_OK;
  finish(s, cancelled ? &e : single ? &s->dealers[0].error : NULL);
}

/* ------------------------------------------------------------------ the filter */

/* What names an account, and with it a property: words may stand in either. */
struct names {
  const char *texts[4];
  size_t n;
};

/* Whether the query stands in one of the names as it is, or each of its words in any of them. */
static bool fits(const struct summaries *s, const struct names *names)
{
  bool whole = false, all = s->words.n > 0;
  for (size_t i = 0; i < names->n; i++)
    whole |= ascii_case_find(names->texts[i], s->request->query) != NULL;
  for (size_t w = 0; w < s->words.n && !whole && all; w++) {
    unsigned best = WORDS_FAR;
    for (size_t i = 0; i < names->n; i++) {
      unsigned distance = words_distance(s->words.word[w], names->texts[i]);
      best = distance < best ? distance : best;
    }
    all = best < WORDS_FAR;
  }
  return whole || all;
}

static void offer_account(struct dealer *d, const account_summary *account)
{
  const char *query = d->all->request->query;
  offer_name(&d->closest, account->display_name, nearest_distance(query, account->display_name));
  for (size_t i = 0; i < account->n_property_summaries; i++) {
    const char *name = account->property_summaries[i]->display_name;
    offer_name(&d->closest, name, nearest_distance(query, name));
  }
}

/* An account that matches keeps all its properties, another those that match. */
static bool keep(void *user, ProtobufCMessage *item)
{
  struct dealer *d = user;
  account_summary *account = (account_summary *)item;
  const struct names own = {{account->account, account->display_name}, 2};
  if (d->all->request->query[0] == '\0' || fits(d->all, &own))
    return true;
  offer_account(d, account);
  size_t kept = 0;
  for (size_t i = 0; i < account->n_property_summaries; i++) {
    Analytics__Ga4__V1beta__PropertySummary *property = account->property_summaries[i];
    const struct names both = {
        {account->account, account->display_name, property->property, property->display_name}, 4};
    if (fits(d->all, &both))
      account->property_summaries[kept++] = property;
  }
  account->n_property_summaries = kept;
  return kept > 0;
}

/* ------------------------------------------------------------------ one dealer */

static void on_done(void *user, struct ask *a, const struct err *e)
{
  struct dealer *d = user;
  MAGIC_CHECK(d->all, SUMMARIES_MAGIC);
  d->error = *e;
  if (d->name[0] == '\0' && ask_used_token(a) != NULL) {
    free(d->name);
    d->name = xstrdup(ask_used_token(a)->dealer_name);
  }
  part_ended(d->all);
}

static void start_dealer(struct dealer *d)
{
  struct summaries *s = d->all;
  struct ask_options options = {.service = s->service,
                                .parent = s->call,
                                .method = google_method(GOOGLE_ACCOUNT_SUMMARIES),
                                .dealer_id = d->id,
                                .property_id = "",
                                .keep = keep,
                                .too_many = "the credential sees more than 10000 accounts; give "
                                            "query",
                                .on_done = on_done,
                                .user = d};
  struct ask *a = ask_new(&options);
  pthread_mutex_lock(&s->lock);
  d->ask = ask_ref(a);
  bool cancelled = s->cancelled;
  pthread_mutex_unlock(&s->lock);
  if (cancelled)
    ask_cancel(a); /* before the start: ends it at once */
  ask_start(a);
  ask_unref(a);
}

/* ------------------------------------------------------------------ which dealers */

static void add_dealer(struct summaries *s, const char *id, const char *name)
{
  struct dealer *d = &s->dealers[s->n_dealers++];
  d->all = s;
  d->id = xstrdup(id);
  d->name = xstrdup(name);
}

static void start_dealers(struct summaries *s)
{
  size_t n = s->n_dealers;
  s->open = n + 1; /* one for this function */
  for (size_t i = 0; i < n; i++)
    start_dealer(&s->dealers[i]);
  part_ended(s);
}

static bool on_list(void *user, const ProtobufCMessage *message)
{
  struct summaries *s = user;
  const Analytics__Auth__V1__ListDealersResponse *list = (const void *)message;
  size_t n = list->n_dealers < MAX_DEALERS ? list->n_dealers : MAX_DEALERS;
  pthread_mutex_lock(&s->lock);
  s->next_offset = list->next_offset;
  s->dealers = xcalloc(n + 1, sizeof(*s->dealers));
  for (size_t i = 0; i < n; i++)
    add_dealer(s, list->dealers[i]->dealer_id, list->dealers[i]->name);
  pthread_mutex_unlock(&s->lock);
  return true;
}

static void on_list_done(void *user, const struct err *status)
{
  struct summaries *s = user;
  MAGIC_CHECK(s, SUMMARIES_MAGIC);
  if (status->code != ERR_OK)
    finish(s, status);
  else
    start_dealers(s);
}

static void list_dealers(struct summaries *s)
{
  static const struct rpc_client_callbacks callbacks = {on_list, on_list_done};
  Analytics__Auth__V1__ListDealersRequest request = ANALYTICS__AUTH__V1__LIST_DEALERS_REQUEST__INIT;
  request.limit = MAX_DEALERS;
  request.offset = s->request->offset;
  struct rpc_client_options options = {
      .timeout_ms = LIST_TIMEOUT_MS, .attempt_ms = RPC_QUICK_ATTEMPT_MS, .parent = s->call};
  struct err e = {0};
  if (rpc_client_start(NULL, google_options(s->service->google)->auth,
                       &analytics__auth__v1__auth_service__descriptor, "ListDealers", RPC_UNARY,
                       &request.base, &options, &callbacks, s, &e) != ERR_OK)
    finish(s, &e);
}

/* ------------------------------------------------------------------ start */

static void on_cancel(void *arg)
{
  struct summaries *s = arg;
  struct ask *asks[MAX_DEALERS];
  size_t n = 0;
  MAGIC_CHECK(s, SUMMARIES_MAGIC);
  pthread_mutex_lock(&s->lock);
  s->cancelled = true;
  for (size_t i = 0; i < s->n_dealers; i++) {
    if (s->dealers[i].ask != NULL)
      asks[n++] = ask_ref(s->dealers[i].ask);
  }
  pthread_mutex_unlock(&s->lock);
  for (size_t i = 0; i < n; i++) { /* s may be gone after the first */
    ask_cancel(asks[i]);
    ask_unref(asks[i]);
  }
}

void account_summaries_handle(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  const Analytics__Report__V1__GetAccountSummariesRequest *request = (const void *)message;
  struct summaries *s = xcalloc(1, sizeof(*s));
  s->magic = SUMMARIES_MAGIC;
  s->service = service;
  s->call = call;
  s->request = request;
  words_read(&s->words, request->query, NULL);
  pthread_mutex_init(&s->lock, NULL);
  rpc_call_on_cancel(call, on_cancel, s);
  if (request->dealer_id[0] == '\0') {
    list_dealers(s);
    return;
  }
  s->dealers = xcalloc(1, sizeof(*s->dealers));
  add_dealer(s, request->dealer_id, "");
  start_dealers(s);
}
