/* A consent: the browser goes to Google and comes back with a code. */
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "auth-svc/connect/internal.h"
#include "auth-svc/credential/credential.h"
#include "common/base/codec.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/http/url.h"

#define SCOPES "openid email " ANALYTICS_SCOPE
#define GOOGLE_ISSUER "https://accounts.google.com"

enum { RECEIVING_MAGIC = 0x7ece1fe0, URL_MAX_BYTES = 8192 };

/* ---------------------------------------------------------------------------- start */

/* The link; *again is the session that is begun again, if one is. */
static cJSON *find_invite(const struct connect_lists *l,
                          const Analytics__Auth__V1__StartConsentRequest *r, cJSON **again,
                          struct err *e)
{
  *again = NULL;
  if (r->session[0] == '\0') {
    cJSON *invite = connect_find(l->invites, r->token);
    const char *holder = value_text(invite, "session");
    if (invite != NULL &&
        (holder[0] == '\0' || connect_find_text(l->sessions, "hash", holder) == NULL))
      return invite;
    connect_invite_over(e);
    return NULL;
  }
  cJSON *session = connect_find(l->sessions, r->session);
  cJSON *invite = session != NULL ? connect_invite_of(l, session) : NULL;
  if (session == NULL)
    connect_session_over(e);
  else if (invite == NULL)
    connect_invite_over(e);
  *again = session;
  return invite;
}

static enum err_code check_tries(const struct connect_lists *l, const cJSON *invite, struct err *e)
{
  if (value_number(invite, "starts") < CONNECT_STARTS_MAX &&
      cJSON_GetArraySize(l->sessions) < CONNECT_SESSIONS_MAX)
    return ERR_OK;
  return err_set(e, ERR_RESOURCE_EXHAUSTED, "too_many_tries",
                 "this link was tried %d times, or too many people are connecting at the moment",
                 CONNECT_STARTS_MAX);
}

/* What one session knows of its own, before it is stored. */
struct fresh {
  char session[CONNECT_TOKEN_TEXT + 1], state[CONNECT_TOKEN_TEXT + 1],
      nonce[CONNECT_TOKEN_TEXT + 1], verifier[CONNECT_TOKEN_TEXT + 1];
};

/* Not in the list yet. */
static cJSON *make_session(const struct connect_lists *l, const cJSON *invite,
                           const struct fresh *f, const char *language)
{
  char hash[SHA256_HEX_SIZE];
  cJSON *s = cJSON_CreateObject();
  sha256_hex(f->session, CONNECT_TOKEN_TEXT, hash);
  cJSON_AddStringToObject(s, "hash", hash);
  cJSON_AddStringToObject(s, "invite", value_text(invite, "hash"));
  sha256_hex(f->state, CONNECT_TOKEN_TEXT, hash);
  cJSON_AddStringToObject(s, "state", hash);
  cJSON_AddStringToObject(s, "nonce", f->nonce);
  cJSON_AddStringToObject(s, "stage", STAGE_STARTED);
  cJSON_AddStringToObject(s, "language", strcmp(language, "fr") == 0 ? "fr" : "en");
  connect_prolong(l, s);
  return s;
}

/* The session takes the place of the one before it, and its link lives as long as it does. */
static void put_session(const struct connect_lists *l, cJSON *invite, cJSON *session, cJSON *again)
{
  if (again != NULL)
    cJSON_Delete(cJSON_DetachItemViaPointer(l->sessions, again));
  value_set_text(invite, "session", NULL);
  value_set_number(invite, "starts", value_number(invite, "starts") + 1);
  if (value_number(invite, "expires_s") < l->now_s + CONNECT_SESSION_S)
    value_set_number(invite, "expires_s", l->now_s + CONNECT_SESSION_S);
  cJSON_AddItemToArray(l->sessions, session);
}

/* RFC 7636: S256. */
static void put_challenge(struct buf *url, const char *verifier)
{
  uint8_t digest[SHA256_SIZE];
  AUTO_BUF struct buf text = BUF_INIT(64);
  sha256_of(verifier, strlen(verifier), digest);
  base64url_encode(&text, digest, sizeof(digest));
  url_put_query(url, "code_challenge", buf_str(&text));
  url_put_query(url, "code_challenge_method", "S256");
}

static void put_url(const struct connect *c, const struct fresh *f, const char *language,
                    struct buf *url)
{
  buf_puts(url, c->options.authorization);
  url_put_query(url, "client_id", c->options.google.client_id);
  url_put_query(url, "redirect_uri", c->options.google.redirect_uri);
  url_put_query(url, "response_type", "code");
  url_put_query(url, "scope", SCOPES);
  url_put_query(url, "access_type", "offline");
  url_put_query(url, "prompt", "select_account consent");
  url_put_query(url, "state", f->state);
  url_put_query(url, "nonce", f->nonce);
  url_put_query(url, "hl", strcmp(language, "fr") == 0 ? "fr" : "en");
  put_challenge(url, f->verifier);
}

static enum err_code begin(const struct connect *c, const struct connect_lists *l,
                           const Analytics__Auth__V1__StartConsentRequest *r, const struct fresh *f,
                           struct buf *url, struct err *e)
{
  cJSON *again, *invite = find_invite(l, r, &again, e);
  if (invite == NULL || check_tries(l, invite, e) != ERR_OK)
    return e->code;
  cJSON *session = make_session(l, invite, f, r->language);
  put_url(c, f, r->language, url);
  enum err_code code = connect_seal(l, session, "verifier", f->verifier, e);
  if (code == ERR_OK)
    put_session(l, invite, session, again);
  else
    cJSON_Delete(session);
  return code;
}

enum err_code connect_start(struct connect *c, Analytics__Auth__V1__StartConsentResponse *out,
                            const Analytics__Auth__V1__StartConsentRequest *request,
                            struct arena *arena, struct err *e)
{
  struct fresh f;
  struct connect_lists l;
  AUTO_BUF struct buf url = BUF_INIT(URL_MAX_BYTES);
  connect_token_make(f.session);
  connect_token_make(f.state);
  connect_token_make(f.nonce);
  connect_token_make(f.verifier);
  if (connect_store_begin(c->options.store, &l, e) != ERR_OK)
    return e->code;
  enum err_code code = begin(c, &l, request, &f, &url, e);
  if (code == ERR_OK)
    code = connect_store_end(c->options.store, true, e);
  else
    connect_store_end(c->options.store, false, NULL);
  if (code == ERR_OK) {
    out->session = arena_strdup(arena, f.session);
    out->authorization_url = arena_strdup(arena, buf_str(&url));
  }
  mem_wipe(&f, sizeof(f));
  return code;
}

/* -------------------------------------------------------------------------- receive */

/* From Google's redirect to the stored consent. */
struct receiving {
  uint32_t magic;
  struct connect *connect;
  connect_received *done;
  void *user;
  char session[SHA256_HEX_SIZE]; /* digest */
  struct google_tokens tokens;   /* own references */
  cJSON *properties;
};

static void receiving_end(struct receiving *r, const struct err *error)
{
  r->done(r->user, error);
  secret_unref(r->tokens.access_token);
  secret_unref(r->tokens.refresh_token);
  cJSON_Delete(r->properties);
  r->magic = 0;
  free(r);
}

static enum err_code check_redirect(const struct connect *c,
                                    const Analytics__Auth__V1__ReceiveConsentRequest *r,
                                    const cJSON *session, struct err *e)
{
  char hash[SHA256_HEX_SIZE];
  const char *state = value_text(session, "state");
  if (strcmp(value_text(session, "stage"), STAGE_STARTED) != 0)
    return err_set(e, ERR_ABORTED, "interrupted",
                   "Google's answer has already been used, or was lost on the way: begin again");
  sha256_hex(r->state, strlen(r->state), hash);
  if (strlen(state) != SHA256_HEX_SIZE - 1 || CRYPTO_memcmp(hash, state, SHA256_HEX_SIZE - 1) != 0)
    return err_set(e, ERR_PERMISSION_DENIED, "wrong_browser",
                   "this answer of Google belongs to another browser or an earlier attempt");
  if (r->issuer[0] == '\0' ? c->options.require_iss : strcmp(r->issuer, GOOGLE_ISSUER) != 0)
    return err_set(e, ERR_PERMISSION_DENIED, "wrong_issuer",
                   "the redirect does not come from Google (iss, RFC 9207)");
  return ERR_OK;
}

static enum err_code refusal(const char *error, const char *code, struct err *e)
{
  if (strcmp(error, "access_denied") == 0)
    return err_set(e, ERR_PERMISSION_DENIED, "declined", "the person declined at Google");
  if (strcmp(error, "admin_policy_enforced") == 0)
    return google_admin_policy(e);
  if (error[0] != '\0' || code[0] == '\0')
    return err_set(e, ERR_FAILED_PRECONDITION, "google_refused",
                   "Google came back without a consent");
  return ERR_OK;
}

/* What the exchange needs of the session, which loses it with this. */
static enum err_code take_session(const struct connect *c, const struct connect_lists *l,
                                  const Analytics__Auth__V1__ReceiveConsentRequest *r,
                                  cJSON *session, struct secret **verifier, struct err *refused,
                                  struct err *e)
{
  if (check_redirect(c, r, session, e) != ERR_OK)
    return e->code;
  if (refusal(r->error, r->code, refused) == ERR_OK &&
      connect_open(verifier, l, session, "verifier", e) != ERR_OK)
    return e->code;
  value_set_text(session, "state", NULL);
  value_set_text(session, "verifier", NULL);
  value_set_text(session, "stage", STAGE_ASKING);
  connect_prolong(l, session);
  return ERR_OK;
}

/* On disk, so that a confirmation can follow after a restart; the link belongs to this session now.
 */
static enum err_code save(const struct receiving *r, const struct connect_lists *l, struct err *e)
{
  cJSON *session = connect_find_text(l->sessions, "hash", r->session);
  cJSON *invite = session != NULL ? connect_invite_of(l, session) : NULL;
  if (session == NULL)
    return connect_session_over(e);
  if (invite == NULL)
    return connect_invite_over(e);
  if (connect_seal(l, session, "refresh_token", secret_text(r->tokens.refresh_token), e) != ERR_OK)
    return e->code;
  value_set_text(session, "google_account", r->tokens.google_account);
  value_set_text(session, "google_sub", r->tokens.google_sub);
  value_set_text(session, "stage", STAGE_CONSENTED);
  cJSON_DeleteItemFromObjectCaseSensitive(session, "properties");
  cJSON_AddItemToObject(session, "properties", cJSON_Duplicate(r->properties, true));
  connect_prolong(l, session);
  value_set_text(invite, "session", r->session);
  return ERR_OK;
}

static void on_pool(void *arg)
{
  struct receiving *r = arg;
  MAGIC_CHECK(r, RECEIVING_MAGIC);
  struct connect_lists l;
  struct err e = {0};
  if (connect_store_begin(r->connect->options.store, &l, &e) == ERR_OK) {
    bool saved = save(r, &l, &e) == ERR_OK;
    connect_store_end(r->connect->options.store, saved, saved ? &e : NULL);
  }
  receiving_end(r, &e);
}

static void on_properties(void *user, cJSON *properties, const struct err *error)
{
  struct receiving *r = user;
  MAGIC_CHECK(r, RECEIVING_MAGIC);
  struct err busy;
  r->properties = properties;
  if (error->code != ERR_OK) {
    receiving_end(r, error);
  } else if (!pool_submit(r->connect->pool, on_pool, r)) {
    err_set(&busy, ERR_UNAVAILABLE, "google_slow", "too many people are connecting at the moment");
    receiving_end(r, &busy);
  }
}

static void on_tokens(void *user, const struct google_tokens *tokens)
{
  struct receiving *r = user;
  MAGIC_CHECK(r, RECEIVING_MAGIC);
  if (tokens->error.code != ERR_OK) {
    receiving_end(r, &tokens->error);
    return;
  }
  r->tokens = *tokens;
  secret_ref(r->tokens.access_token);
  secret_ref(r->tokens.refresh_token);
  google_properties(&r->connect->options.google, r->tokens.access_token, on_properties, r);
}

/* What the exchange of a code goes on with. */
struct expected {
  struct secret *verifier; /* an own reference */
  char nonce[CONNECT_TOKEN_TEXT + 1];
  char session[SHA256_HEX_SIZE]; /* digest */
};

/* Whether a redirect that is loaded again finds what it brought the first time. */
static bool is_past(const cJSON *session)
{
  const char *stage = value_text(session, "stage");
  return strcmp(stage, STAGE_CONSENTED) == 0 || strcmp(stage, STAGE_CONNECTED) == 0;
}

/* What the store says to a redirect. False: *e or *refused is the answer, or the redirect was
 * loaded again and there is nothing left to do. Otherwise the code may be exchanged. */
static bool take_redirect(struct connect *c,
                          const Analytics__Auth__V1__ReceiveConsentRequest *request,
                          struct expected *x, struct err *refused, struct err *e)
{
  struct connect_lists l;
  if (connect_store_begin(c->options.store, &l, e) != ERR_OK)
    return false;
  cJSON *session = connect_find(l.sessions, request->session);
  bool past = session != NULL && is_past(session);
  if (session == NULL)
    connect_session_over(e);
  else if (!past && take_session(c, &l, request, session, &x->verifier, refused, e) == ERR_OK) {
    strncpy(x->nonce, value_text(session, "nonce"), CONNECT_TOKEN_TEXT);
    strncpy(x->session, value_text(session, "hash"), SHA256_HEX_SIZE - 1);
  }
  bool changed = e->code == ERR_OK && !past;
  connect_store_end(c->options.store, changed, changed ? e : NULL);
  return changed && e->code == ERR_OK && refused->code == ERR_OK;
}

void connect_receive(struct connect *c, const Analytics__Auth__V1__ReceiveConsentRequest *request,
                     connect_received *done, void *user)
{
  struct err e = {0}, refused = {0};
  struct expected x = {0};
  if (!take_redirect(c, request, &x, &refused, &e)) {
    secret_unref(x.verifier);
    done(user, e.code != ERR_OK ? &e : &refused);
    return;
  }
  struct receiving *r = xcalloc(1, sizeof(*r));
  r->magic = RECEIVING_MAGIC;
  r->connect = c;
  r->done = done;
  r->user = user;
  memcpy(r->session, x.session, sizeof(r->session));
  google_exchange(&c->options.google, request->code, secret_text(x.verifier), x.nonce, on_tokens,
                  r);
  secret_unref(x.verifier);
}
