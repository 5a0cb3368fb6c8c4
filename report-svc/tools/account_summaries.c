/* GetAccountSummaries: what the credentials of one dealer, or of all dealers in the grant,
 * can read. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "common/pbjson/pbjson.h"
#include "report-svc/ask/service.h"

typedef Analytics__Ga4__V1beta__AccountSummary account_summary;
typedef Analytics__Report__V1__GetAccountSummariesResponse__DealerAccounts dealer_accounts;

enum { MAX_DEALERS = 100, MAX_PAGES = 50, MAX_ACCOUNTS = 10000 };
enum { DEALER_ARENA = 16 * 1024 * 1024, MAX_ANSWER = 4 * 1024 * 1024, LIST_TIMEOUT_MS = 30000 };

#define SUMMARIES_MAGIC 0x73756d6du

struct summaries;

struct dealer {
  struct summaries *all;
  char *id, *name;
  struct google_call *google; /* guarded by the lock */
  struct token *token;
  struct arena *arena;
  account_summary **accounts;
  size_t n_accounts, cap_accounts;
  char *page_token; /* of the next page; NULL on the first and after the last */
  unsigned pages;
  struct err error;
};

struct summaries {
  unsigned magic;
  struct service *service;
  struct rpc_call *call;
  const Analytics__Report__V1__GetAccountSummariesRequest *request;
  int64_t deadline_ms;
  pthread_mutex_t lock;
  struct dealer *dealers;
  size_t n_dealers, open;
  bool cancelled;
};

static void start_page(struct dealer *d);

static void summaries_free(struct summaries *s)
{
  for (size_t i = 0; i < s->n_dealers; i++) {
    struct dealer *d = &s->dealers[i];
    token_unref(d->token);
    arena_free(d->arena);
    free(d->accounts);
    free(d->page_token);
    free(d->id);
    free(d->name);
  }
  free(s->dealers);
  pthread_mutex_destroy(&s->lock);
  s->magic = 0;
  free(s);
}

/* ------------------------------------------------------------------ the answer */

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
  dealer_accounts *out = ARENA_NEW(arena, dealer_accounts);
  if (out == NULL || (d->n_accounts == 0 && d->all->request->query[0] != '\0'))
    return;
  analytics__report__v1__get_account_summaries_response__dealer_accounts__init(out);
  out->dealer_id = d->id;
  out->n_account_summaries = d->n_accounts;
  out->account_summaries = d->accounts;
  response->dealers[response->n_dealers++] = out;
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

static bool has(const char *text, const char *query)
{
  return ascii_case_find(text, query) != NULL;
}

/* An account that matches keeps all its properties, another those that match. */
static bool keep(account_summary *account, const char *query)
{
  if (query[0] == '\0' || has(account->account, query) || has(account->display_name, query))
    return true;
  size_t kept = 0;
  for (size_t i = 0; i < account->n_property_summaries; i++) {
    Analytics__Ga4__V1beta__PropertySummary *property = account->property_summaries[i];
    if (has(property->property, query) || has(property->display_name, query))
      account->property_summaries[kept++] = property;
  }
  account->n_property_summaries = kept;
  return kept > 0;
}

/* ------------------------------------------------------------------ pages of one dealer */

static enum err_code on_token(void *user, const struct token *t, struct google_target *out,
                              struct err *e)
{
  struct dealer *d = user;
  const struct google_options *o = google_options(d->all->service->google);
  AUTO_BUF struct buf url = BUF_INIT(8192);
  if (d->name[0] == '\0') {
    free(d->name);
    d->name = xstrdup(t->dealer_name);
  }
  buf_printf(&url, "%s/v1beta/accountSummaries?pageSize=200", o->admin_endpoint);
  if (d->page_token != NULL) {
    buf_puts(&url, "&pageToken=");
    percent_encode(&url, d->page_token, strlen(d->page_token));
  }
  if (url.failed)
    return err_set(e, ERR_INTERNAL, "malformed_response", "Google's page token is too long");
  out->url = buf_take(&url, NULL);
  snprintf(out->key, sizeof(out->key), "accounts/%.128s", d->id);
  return ERR_OK;
}

static enum err_code prepare(void *user, struct buf *body, struct err *e)
{
  (void)user;
  (void)body;
  (void)e;
  return ERR_OK;
}

static enum err_code too_many(struct err *e)
{
  return err_set(e, ERR_RESOURCE_EXHAUSTED, "answer_too_large",
                 "the credential sees more than %d accounts; give query", MAX_ACCOUNTS);
}

static enum err_code add_account(struct dealer *d, account_summary *account, struct err *e)
{
  if (!keep(account, d->all->request->query))
    return ERR_OK;
  if (d->n_accounts == MAX_ACCOUNTS)
    return too_many(e);
  if (d->n_accounts == d->cap_accounts) {
    d->cap_accounts = d->cap_accounts == 0 ? 16 : d->cap_accounts * 2;
    d->accounts = xrealloc(d->accounts, d->cap_accounts * sizeof(*d->accounts));
  }
  d->accounts[d->n_accounts++] = account;
  return ERR_OK;
}

static enum err_code check(void *user, const struct http_response *response, struct err *e)
{
  static const struct pbjson_read_options lenient = {.ignore_unknown = true};
  struct dealer *d = user;
  ProtobufCMessage *message;
  struct err detail = {0};
  if (response == NULL)
    return err_set(e, ERR_CANCELLED, "cancelled", "the request was cancelled");
  if (pbjson_read_text(&message,
                       &analytics__ga4__v1beta__list_account_summaries_response__descriptor,
                       response->body, response->body_len, d->arena, &lenient, &detail) != ERR_OK)
    return err_set(e, ERR_INTERNAL, "malformed_response",
                   "Google's list of accounts is not well-formed: %s", detail.message);
  Analytics__Ga4__V1beta__ListAccountSummariesResponse *page = (void *)message;
  for (size_t i = 0; i < page->n_account_summaries; i++) {
    if (add_account(d, page->account_summaries[i], e) != ERR_OK)
      return e->code;
  }
  free(d->page_token);
  d->page_token = page->next_page_token[0] == '\0' ? NULL : xstrdup(page->next_page_token);
  if (++d->pages == MAX_PAGES && d->page_token != NULL)
    return too_many(e);
  return ERR_OK;
}

static void on_done(void *user, const struct err *e)
{
  struct dealer *d = user;
  struct summaries *s = d->all;
  MAGIC_CHECK(s, SUMMARIES_MAGIC);
  pthread_mutex_lock(&s->lock);
  struct google_call *google = TAKE_PTR(d->google);
  pthread_mutex_unlock(&s->lock);
  token_unref(d->token);
  d->token = google_call_token(google);
  google_call_unref(google);
  d->error = *e;
  if (e->code == ERR_OK && d->page_token != NULL)
    start_page(d);
  else
    part_ended(s);
}

static const struct google_call_ops ops = {.api = "accountSummaries",
                                           .method = "GET",
                                           .on_token = on_token,
                                           .prepare = prepare,
                                           .check = check,
                                           .on_done = on_done};

static void start_page(struct dealer *d)
{
  struct summaries *s = d->all;
  struct google_call_options options = {.parent = s->call,
                                        .subject = GOOGLE_DEALER,
                                        .subject_id = d->id,
                                        .purpose = ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT,
                                        .token = d->token,
                                        .deadline_ms = s->deadline_ms,
                                        .ops = &ops,
                                        .user = d};
  struct google_call *google = google_call_new(s->service->google, &options);
  pthread_mutex_lock(&s->lock);
  d->google = google_call_ref(google);
  bool cancelled = s->cancelled;
  pthread_mutex_unlock(&s->lock);
  if (cancelled)
    google_call_cancel(google);
  google_call_start(google); /* d may be gone after this */
  google_call_unref(google);
}

/* ------------------------------------------------------------------ which dealers */

static void add_dealer(struct summaries *s, const char *id, const char *name)
{
  struct dealer *d = &s->dealers[s->n_dealers++];
  d->all = s;
  d->id = xstrdup(id);
  d->name = xstrdup(name);
  d->arena = arena_new(DEALER_ARENA);
}

static void start_dealers(struct summaries *s)
{
  size_t n = s->n_dealers;
  s->open = n + 1; /* one for this function */
  for (size_t i = 0; i < n; i++)
    start_page(&s->dealers[i]);
  part_ended(s);
}

static bool on_list(void *user, const ProtobufCMessage *message)
{
  struct summaries *s = user;
  const Analytics__Auth__V1__ListDealersResponse *list = (const void *)message;
  size_t n = list->n_dealers < MAX_DEALERS ? list->n_dealers : MAX_DEALERS;
  pthread_mutex_lock(&s->lock);
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
  struct rpc_client_options options = {.timeout_ms = LIST_TIMEOUT_MS, .parent = s->call};
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
  struct google_call *calls[MAX_DEALERS];
  size_t n = 0;
  MAGIC_CHECK(s, SUMMARIES_MAGIC);
  pthread_mutex_lock(&s->lock);
  s->cancelled = true;
  for (size_t i = 0; i < s->n_dealers; i++) {
    if (s->dealers[i].google != NULL)
      calls[n++] = google_call_ref(s->dealers[i].google);
  }
  pthread_mutex_unlock(&s->lock);
  for (size_t i = 0; i < n; i++) { /* s may be gone after the first */
    google_call_cancel(calls[i]);
    google_call_unref(calls[i]);
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
  s->deadline_ms = google_work_deadline_ms(call);
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
