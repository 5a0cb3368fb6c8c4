/* A search for a dealer's properties:
 *
 *     cache -> accountSummaries, page by page -> OwnProperties (auth-svc) -> cache
 *
 * The pages are calls to Google like all others (call.c). As there, one thread at a time drives the
 * chain; the lock guards what find_cancel() reads: the call or rpc under way, and `cancelled`. The
 * chain holds a reference of its own from the start to finish(). */
#include "report-svc/google/find.h"

#include <openssl/evp.h>
#include <string.h>

#include "analytics/ga4/v1beta/admin.pb-c.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"
#include "report-svc/google/google_impl.h"

typedef Analytics__Ga4__V1beta__ListAccountSummariesResponse summaries_page;
typedef Analytics__Ga4__V1beta__AccountSummary account_summary;
typedef Analytics__Auth__V1__ReadableProperty readable_property;

enum { SEEN_MAX = 2000, PAGES_MAX = 50, ARENA_MAX = 16 << 20, NONE_TTL_MS = 60000 };
enum { OWN_TIMEOUT_MS = 10000, OWN_ATTEMPT_MS = 2000 };

#define FIND_MAGIC 0x66696e64u

struct find {
  unsigned magic;
  atomic_int refs;
  struct find_options options;
  char *subject_id;
  struct token *token;
  uint8_t key[FOUND_KEY_BYTES];
  struct arena *arena;      /* the pages */
  readable_property **seen; /* SEEN_MAX of them */
  size_t n_seen;
  bool more; /* than that */
  unsigned pages;
  const char *page_token; /* of the next page; NULL: there is none */
  struct found *found;    /* auth-svc's answer */
  bool moved;             /* by another configuration than the token's, so it is not kept */

  pthread_mutex_t lock;
  bool cancelled;
  struct google_call *page;
  struct rpc_client_call *rpc;
};

/* ------------------------------------------------------------------ life */

static void key_of(uint8_t out[FOUND_KEY_BYTES], const struct token *t)
{
  EVP_MD_CTX *digest = EVP_MD_CTX_new();
  if (digest == NULL || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1 ||
      EVP_DigestUpdate(digest, &t->assignment, sizeof(t->assignment)) != 1 ||
      EVP_DigestUpdate(digest, t->access_token, strlen(t->access_token)) != 1 ||
      EVP_DigestFinal_ex(digest, out, NULL) != 1)
    abort(); /* fails only when OpenSSL is unusable */
  EVP_MD_CTX_free(digest);
}

struct find *find_new(const struct find_options *options)
{
  struct find *f = xcalloc(1, sizeof(*f));
  f->magic = FIND_MAGIC;
  atomic_init(&f->refs, 1);
  f->options = *options;
  f->subject_id = xstrdup(options->subject_id);
  f->token = token_ref(options->token);
  key_of(f->key, options->token);
  pthread_mutex_init(&f->lock, NULL);
  return f;
}

struct find *find_ref(struct find *f)
{
  atomic_fetch_add(&f->refs, 1);
  return f;
}

void find_unref(struct find *f)
{
  if (f == NULL || atomic_fetch_sub(&f->refs, 1) != 1)
    return;
  token_unref(f->token);
  found_unref(f->found);
  arena_free(f->arena);
  free(f->seen);
  free(f->subject_id);
  pthread_mutex_destroy(&f->lock);
  f->magic = 0;
  free(f);
}

/* The end: what was found, or an error. Drops the chain's reference. */
static void finish(struct find *f, const struct err *e)
{
  struct err cancelled;
  pthread_mutex_lock(&f->lock);
  bool gone = f->cancelled;
  pthread_mutex_unlock(&f->lock);
  if (gone) {
    err_set(&cancelled, ERR_CANCELLED, "cancelled", "the request was cancelled");
    e = &cancelled;
  }
  f->options.on_done(f->options.user, f->found, e);
  find_unref(f);
}

/* Keeps what was found, that nothing was found for a moment only, and ends with it. */
static void keep(struct find *f, struct found *found)
{
  struct google *g = f->options.google;
  bool ok = found->error.code == ERR_OK;
  int64_t ttl_ms = g->options.properties_ttl_ms;
  if (!ok && ttl_ms > NONE_TTL_MS)
    ttl_ms = NONE_TTL_MS;
  if (ttl_ms > 0)
    found_cache_put(g->found, f->key, found, clock_mono_ms() + ttl_ms);
  log_info("properties of a dealer looked for", LOG_S("dealer", f->token->dealer_ref),
           LOG_I("found", (int64_t)found->n), LOG_S("reason", found->error.reason));
}

static void finish_none(struct find *f, const struct err *e)
{
  f->found = found_new_error(e);
  keep(f, f->found);
  finish(f, e);
}

/* ------------------------------------------------------------------ auth-svc */

static bool on_own(void *user, const ProtobufCMessage *message)
{
  struct find *f = user;
  const Analytics__Auth__V1__OwnPropertiesResponse *own = (const void *)message;
  MAGIC_CHECK(f, FIND_MAGIC);
  if (f->found == NULL && own->n_property_ids > 0 && own->n_names == own->n_property_ids)
    f->found = found_new(own->property_ids, own->names, own->n_property_ids);
  f->moved = own->assignment != f->token->assignment;
  return true;
}

static void on_own_done(void *user, const struct err *status)
{
  struct find *f = user;
  struct err e = *status;
  MAGIC_CHECK(f, FIND_MAGIC);
  pthread_mutex_lock(&f->lock);
  struct rpc_client_call *rpc = TAKE_PTR(f->rpc);
  pthread_mutex_unlock(&f->lock);
  rpc_client_release(rpc);
  if (e.code == ERR_OK && f->found == NULL)
    err_set(&e, ERR_INTERNAL, "internal", "auth-svc named no property");
  if (e.code == ERR_FAILED_PRECONDITION) {
    finish_none(f, &e);
    return;
  }
  if (e.code == ERR_OK && !f->moved)
    keep(f, f->found);
  finish(f, &e);
}

static enum err_code send_own(struct find *f, struct err *e)
{
  static const struct rpc_client_callbacks callbacks = {on_own, on_own_done};
  const struct google_call_options *call = f->options.call;
  Analytics__Auth__V1__OwnPropertiesRequest request =
      ANALYTICS__AUTH__V1__OWN_PROPERTIES_REQUEST__INIT;
  request.purpose = call->purpose;
  request.target_case = call->subject == GOOGLE_PROPERTY
                            ? ANALYTICS__AUTH__V1__OWN_PROPERTIES_REQUEST__TARGET_PROPERTY_ID
                            : ANALYTICS__AUTH__V1__OWN_PROPERTIES_REQUEST__TARGET_DEALER_REF;
  request.dealer_ref = f->subject_id; /* each is a text, so all stand in one place */
  request.n_properties = f->n_seen;
  request.properties = f->seen;
  int64_t left = call->deadline_ms - clock_mono_ms();
  struct rpc_client_options options = {.timeout_ms =
                                           (uint32_t)(left < 1                ? 1
                                                      : left < OWN_TIMEOUT_MS ? left
                                                                              : OWN_TIMEOUT_MS),
                                       .attempt_ms = OWN_ATTEMPT_MS,
                                       .parent = call->parent};
  return rpc_client_start(&f->rpc, f->options.google->options.auth,
                          &analytics__auth__v1__auth_service__descriptor, "OwnProperties",
                          RPC_UNARY, &request.base, &options, &callbacks, f, e);
}

static void ask_auth(struct find *f)
{
  struct err e = {0};
  pthread_mutex_lock(&f->lock);
  enum err_code code = f->cancelled ? ERR_CANCELLED : send_own(f, &e);
  pthread_mutex_unlock(&f->lock);
  if (code != ERR_OK)
    finish(f, &e);
}

/* ------------------------------------------------------------------ accountSummaries */

static enum err_code on_token(void *user, const struct token *t, struct google_target *out,
                              struct err *e)
{
  struct find *f = user;
  return google_target_of(out, f->options.google, google_method(GOOGLE_ACCOUNT_SUMMARIES),
                          t->dealer_ref, f->page_token, e);
}

static enum err_code prepare(void *user, struct buf *body, struct err *e)
{
  (void)user, (void)body, (void)e;
  return ERR_OK;
}

/* The digits behind "accounts/" or "properties/"; NULL: something else. */
static const char *digits_behind(const char *name, const char *prefix)
{
  size_t len = strlen(prefix);
  if (strncmp(name, prefix, len) != 0)
    return NULL;
  size_t digits = strspn(name + len, "0123456789");
  return digits > 0 && digits <= 20 && name[len + digits] == '\0' ? name + len : NULL;
}

static enum err_code see(struct find *f, const account_summary *account, struct err *e)
{
  const char *account_id = digits_behind(account->account, "accounts/");
  for (size_t i = 0; i < account->n_property_summaries; i++) {
    const Analytics__Ga4__V1beta__PropertySummary *p = account->property_summaries[i];
    const char *id = digits_behind(p->property, "properties/");
    if (id == NULL)
      continue;
    f->more |= f->n_seen == SEEN_MAX;
    if (f->more)
      break;
    readable_property *seen = ARENA_NEW(f->arena, readable_property);
    if (seen == NULL)
      return err_set(e, ERR_RESOURCE_EXHAUSTED, "answer_too_large",
                     "the list of the dealer's accounts is too long");
    analytics__auth__v1__readable_property__init(seen);
    seen->property_id = borrow_text(id);
    seen->name = p->display_name;
    seen->account_id = borrow_text(account_id != NULL ? account_id : "");
    seen->ordinary =
        p->property_type == ANALYTICS__GA4__V1BETA__PROPERTY_TYPE__PROPERTY_TYPE_ORDINARY;
    f->seen[f->n_seen++] = seen;
  }
  return ERR_OK;
}

static enum err_code check(void *user, const struct http_response *response, struct err *e)
{
  struct find *f = user;
  ProtobufCMessage *message = NULL;
  if (response == NULL)
    return ERR_INTERNAL; /* bodies are collected: nothing aborts them */
  enum err_code code = google_method_read(&message, google_method(GOOGLE_ACCOUNT_SUMMARIES),
                                          response->body, response->body_len, f->arena, e);
  const summaries_page *page = (const summaries_page *)message;
  for (size_t i = 0; code == ERR_OK && i < page->n_account_summaries; i++)
    code = see(f, page->account_summaries[i], e);
  if (code == ERR_OK)
    f->page_token = page->next_page_token[0] != '\0' ? page->next_page_token : NULL;
  return code;
}

static void read_page(struct find *f);

static void on_page_done(void *user, const struct err *e)
{
  struct find *f = user;
  struct err many;
  MAGIC_CHECK(f, FIND_MAGIC);
  pthread_mutex_lock(&f->lock);
  struct google_call *page = TAKE_PTR(f->page);
  pthread_mutex_unlock(&f->lock);
  google_call_unref(page);
  f->more |= ++f->pages == PAGES_MAX && f->page_token != NULL;
  if (e->code != ERR_OK) {
    finish(f, e);
  } else if (f->more) {
    err_set(&many, ERR_FAILED_PRECONDITION, "too_many_properties",
            "no GA4 property is configured, and the dealer's Google login can read more than %d: "
            "name its own in the dealers file",
            SEEN_MAX);
    finish_none(f, &many);
  } else if (f->page_token != NULL) {
    read_page(f);
  } else {
    ask_auth(f);
  }
}

static void read_page(struct find *f)
{
  static const struct google_call_ops ops = {
      .on_token = on_token, .prepare = prepare, .check = check, .on_done = on_page_done};
  struct google_call_options options = *f->options.call;
  options.method = google_method(GOOGLE_ACCOUNT_SUMMARIES);
  options.subject_id = f->subject_id;
  options.token = f->token;
  options.leased = false;
  options.ops = &ops;
  options.user = f;
  struct google_call *page = google_call_new(f->options.google, &options);
  pthread_mutex_lock(&f->lock);
  bool cancelled = f->cancelled;
  if (!cancelled)
    f->page = google_call_ref(page);
  pthread_mutex_unlock(&f->lock);
  if (cancelled)
    finish(f, NULL);
  else
    google_call_start(page);
  google_call_unref(page);
}

/* ------------------------------------------------------------------ public */

void find_start(struct find *f)
{
  struct google *g = f->options.google;
  find_ref(f); /* the chain's */
  f->found = found_cache_get(g->found, f->key, clock_mono_ms());
  if (f->found != NULL) {
    struct err e = f->found->error;
    finish(f, &e);
    return;
  }
  f->arena = arena_new(ARENA_MAX);
  f->seen = xcalloc(SEEN_MAX, sizeof(readable_property *));
  read_page(f);
}

void find_cancel(struct find *f)
{
  pthread_mutex_lock(&f->lock);
  f->cancelled = true;
  struct google_call *page = f->page != NULL ? google_call_ref(f->page) : NULL;
  if (f->rpc != NULL)
    rpc_client_cancel(f->rpc);
  pthread_mutex_unlock(&f->lock);
  google_call_cancel(page);
  google_call_unref(page);
}
