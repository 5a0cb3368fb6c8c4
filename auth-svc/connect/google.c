/* Questions to Google. */
#include "auth-svc/connect/google.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth-svc/credential/answer.h"
#include "auth-svc/credential/credential.h"
#include "auth-svc/credential/exchange.h"
#include "auth-svc/secret/json.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/http/url.h"

enum { FORM_MAX = 32 * 1024, BODY_MAX = 4 << 20, PAGES_MAX = 20, QUESTION_MAGIC = 0x60061e00 };

/* One question, of whichever kind. */
struct question {
  uint32_t magic;
  const struct google_endpoints *google;
  void *user;
  struct secret *token; /* bearer, of those that need one */
  char nonce[64];
  google_tokens_done *on_tokens;
  google_properties_done *on_properties;
  google_figures_done *on_figures;
  google_revoked *on_revoked;
  cJSON *properties;
  int pages;
};

static struct question *question_new(const struct google_endpoints *g, struct secret *token,
                                     void *user)
{
  struct question *q = xcalloc(1, sizeof(*q));
  *q = (struct question){
      .magic = QUESTION_MAGIC, .google = g, .user = user, .token = secret_ref(token)};
  return q;
}

static void question_free(struct question *q)
{
  secret_unref(q->token);
  cJSON_Delete(q->properties);
  q->magic = 0;
  free(q);
}

static struct question *question_of(void *user)
{
  struct question *q = user;
  MAGIC_CHECK(q, QUESTION_MAGIC);
  return q;
}

typedef void answered(void *user, const struct http_response *response);

/* What could not be sent is answered all the same. */
static void send(struct question *q, const struct http_request *request, answered *done)
{
  struct http_request r = *request;
  struct http_response lost = {.body = "", .content_type = "", .retry_after = ""};
  r.timeout_ms = q->google->timeout_ms;
  r.max_response_bytes = BODY_MAX;
  r.on_done = done;
  r.user = q;
  if (http_client_send(NULL, q->google->http, &r, &lost.error) != ERR_OK)
    done(q, &lost);
}

static void send_form(struct question *q, const char *url, const struct form_field *form, size_t n,
                      answered *done)
{
  AUTO_BUF struct buf body = BUF_SECRET(FORM_MAX);
  static const struct http_header headers[] = {
      {"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
  form_write(&body, form, n);
  const struct http_request request = {.method = "POST",
                                       .url = url,
                                       .headers = headers,
                                       .n_headers = ARRAY_LEN(headers),
                                       .body = buf_str(&body),
                                       .body_len = body.len};
  send(q, &request, done);
}

static void send_api(struct question *q, const char *url, const char *body, answered *done)
{
  AUTO_FREE char *bearer = xasprintf("Bearer %s", secret_text(q->token));
  const struct http_header headers[] = {{"Authorization", bearer},
                                        {"Content-Type", "application/json"}};
  const struct http_request request = {.method = body != NULL ? "POST" : "GET",
                                       .url = url,
                                       .headers = headers,
                                       .n_headers = ARRAY_LEN(headers),
                                       .body = body,
                                       .body_len = body != NULL ? strlen(body) : 0};
  send(q, &request, done);
  mem_wipe(bearer, strlen(bearer));
}

/* Whether to try again later is all that matters of an answer that did not come. */
static bool is_passing(const struct http_response *r, struct err *e)
{
  if (r->error.code == ERR_OK && r->status != 429 && r->status < 500)
    return false;
  err_set(e, ERR_UNAVAILABLE, "google_slow",
          "Google did not answer in time, or not with a usable answer%s%s",
          r->error.code != ERR_OK ? ": " : "", r->error.code != ERR_OK ? r->error.message : "");
  return true;
}

/* ----------------------------------------------------------------------------- code */

enum err_code google_admin_policy(struct err *e)
{
  return err_set(e, ERR_PERMISSION_DENIED, "admin_policy",
                 "the administrator of the person's organisation does not allow this application");
}

/* Whatever is not an error code is not repeated. */
static void read_refusal(const struct http_response *r, struct err *e)
{
  AUTO_JSON cJSON *body = NULL;
  if (json_parse(&body, r->body, r->body_len, NULL, NULL) != ERR_OK)
    body = NULL;
  const char *word = json_get_string(body, "error");
  bool plain = answer_is_error_code(word);
  if (plain && strcmp(word, "admin_policy_enforced") == 0)
    google_admin_policy(e);
  else
    err_set(e, ERR_FAILED_PRECONDITION, "google_refused",
            "Google refused to exchange the code (%s): compare CONNECT_CLIENT_ID, "
            "CONNECT_CLIENT_SECRET_FILE and the client's redirect URI with the console",
            plain ? word : "no reason given");
}

static void read_tokens(struct google_tokens *out, const struct question *q,
                        const struct http_response *r)
{
  AUTO_WIPED_JSON cJSON *body = NULL;
  if (json_parse(&body, r->body, r->body_len, NULL, NULL) != ERR_OK || !cJSON_IsObject(body)) {
    err_set(&out->error, ERR_UNAVAILABLE, "google_slow", "Google's answer is not a JSON object");
    return;
  }
  const char *access = json_get_string(body, "access_token"),
             *refresh = json_get_string(body, "refresh_token"),
             *scope = json_get_string(body, "scope"), *id = json_get_string(body, "id_token");
  if (scope != NULL && !answer_has_scope(scope, ANALYTICS_SCOPE))
    err_set(&out->error, ERR_PERMISSION_DENIED, "scope_missing",
            "the box for Google Analytics was not ticked");
  else if (access == NULL || strlen(access) > TOKEN_MAX_BYTES)
    err_set(&out->error, ERR_UNAVAILABLE, "google_slow", "Google's answer holds no access token");
  else if (refresh == NULL || refresh[0] == '\0' || strlen(refresh) > TOKEN_MAX_BYTES)
    err_set(&out->error, ERR_FAILED_PRECONDITION, "no_refresh_token",
            "Google gave no lasting access (refresh_token)");
  else
    google_id_token(out, id != NULL ? id : "", q->google->client_id, q->nonce,
                    clock_unix_ms() / 1000, &out->error);
  if (out->error.code != ERR_OK)
    return;
  out->access_token = secret_from(access);
  out->refresh_token = secret_from(refresh);
}

static void on_tokens(void *user, const struct http_response *r)
{
  struct question *q = question_of(user);
  struct google_tokens tokens = {0};
  if (!is_passing(r, &tokens.error)) {
    if (r->status == 200)
      read_tokens(&tokens, q, r);
    else
      read_refusal(r, &tokens.error);
  }
  q->on_tokens(q->user, &tokens);
  secret_unref(tokens.access_token);
  secret_unref(tokens.refresh_token);
  question_free(q);
}

void google_exchange(const struct google_endpoints *g, const char *code, const char *verifier,
                     const char *nonce, google_tokens_done *done, void *user)
{
  struct question *q = question_new(g, NULL, user);
  q->on_tokens = done;
  snprintf(q->nonce, sizeof(q->nonce), "%s", nonce);
  const struct form_field form[] = {{"grant_type", "authorization_code", true},
                                    {"code", code, false},
                                    {"client_id", g->client_id, true},
                                    {"client_secret", secret_text(g->client_secret), false},
                                    {"redirect_uri", g->redirect_uri, true},
                                    {"code_verifier", verifier, false}};
  send_form(q, g->token, form, ARRAY_LEN(form), on_tokens);
}

/* ----------------------------------------------------------------------- properties */

static void end_properties(struct question *q, const struct err *error)
{
  struct err none;
  bool ok = error->code == ERR_OK && cJSON_GetArraySize(q->properties) > 0;
  if (error->code == ERR_OK && !ok)
    err_set(&none, ERR_PERMISSION_DENIED, "no_analytics",
            "the Google account may not read any Google Analytics property");
  q->on_properties(q->user, ok ? TAKE_PTR(q->properties) : NULL,
                   ok || error->code != ERR_OK ? error : &none);
  question_free(q);
}

/* A name as Google has it, cut at a border of characters. */
static void add_name(cJSON *out, const char *key, const char *name)
{
  struct err cut;
  err_set(&cut, ERR_OK, NULL, "%.*s", GOOGLE_NAME_MAX, name != NULL ? name : "");
  cJSON_AddStringToObject(out, key,
                          utf8_valid(cut.message, strlen(cut.message)) ? cut.message : "");
}

static void add_account(cJSON *out, const cJSON *account)
{
  const cJSON *p;
  cJSON_ArrayForEach(p, cJSON_GetObjectItemCaseSensitive(account, "propertySummaries"))
  {
    const char *name = json_get_string(p, "property");
    if (name == NULL || strncmp(name, "properties/", 11) != 0 || name[11] == '\0' ||
        name[11 + strspn(name + 11, "0123456789")] != '\0' || strlen(name) > 31 ||
        cJSON_GetArraySize(out) >= GOOGLE_PROPERTIES_MAX)
      continue;
    cJSON *seen = cJSON_CreateObject();
    cJSON_AddStringToObject(seen, "property_id", name + 11);
    add_name(seen, "name", json_get_string(p, "displayName"));
    add_name(seen, "account_name", json_get_string(account, "displayName"));
    cJSON_AddItemToArray(out, seen);
  }
}

static void ask_page(struct question *q, const char *page_token);

static void on_page(void *user, const struct http_response *r)
{
  struct question *q = question_of(user);
  struct err e = {0};
  AUTO_JSON cJSON *body = NULL;
  const cJSON *account;
  if (!is_passing(r, &e) && r->status != 200)
    err_set(&e, ERR_PERMISSION_DENIED, "no_analytics",
            "Google does not show the account's properties (HTTP %d): is the Google Analytics "
            "Admin API enabled in the project of CONNECT_CLIENT_ID?",
            r->status);
  if (e.code == ERR_OK && json_parse(&body, r->body, r->body_len, NULL, NULL) != ERR_OK)
    err_set(&e, ERR_UNAVAILABLE, "google_slow", "Google's list of properties is not JSON");
  if (e.code != ERR_OK) {
    end_properties(q, &e);
    return;
  }
  cJSON_ArrayForEach(account, cJSON_GetObjectItemCaseSensitive(body, "accountSummaries"))
      add_account(q->properties, account);
  const char *next = json_get_string(body, "nextPageToken");
  if (next != NULL && next[0] != '\0' && ++q->pages < PAGES_MAX)
    ask_page(q, next);
  else
    end_properties(q, &e);
}

static void ask_page(struct question *q, const char *page_token)
{
  AUTO_BUF struct buf url = BUF_INIT(8192);
  url_join(&url, q->google->admin, "/v1beta/accountSummaries");
  url_put_query(&url, "pageSize", "200");
  if (page_token != NULL)
    url_put_query(&url, "pageToken", page_token);
  send_api(q, buf_str(&url), NULL, on_page);
}

void google_properties(const struct google_endpoints *g, struct secret *access_token,
                       google_properties_done *done, void *user)
{
  struct question *q = question_new(g, access_token, user);
  q->on_properties = done;
  q->properties = cJSON_CreateArray();
  ask_page(q, NULL);
}

/* -------------------------------------------------------------------------- figures */

static int64_t metric_of(const cJSON *row, int i)
{
  const cJSON *value = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(row, "metricValues"), i);
  const char *text = json_get_string(value, "value");
  return text != NULL ? strtoll(text, NULL, 10) : 0;
}

static void on_report(void *user, const struct http_response *r)
{
  struct question *q = question_of(user);
  struct google_figures figures = {0};
  AUTO_JSON cJSON *body = NULL;
  if (r->error.code == ERR_OK && r->status == 200 &&
      json_parse(&body, r->body, r->body_len, NULL, NULL) == ERR_OK) {
    const cJSON *row = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(body, "rows"), 0);
    figures = (struct google_figures){true, metric_of(row, 0), metric_of(row, 1)};
  } else {
    log_warn("a dealer was connected, but its first report failed", LOG_I("status", r->status),
             LOG_S("error", r->error.message));
  }
  q->on_figures(q->user, &figures);
  question_free(q);
}

void google_figures_ask(const struct google_endpoints *g, struct secret *access_token,
                        const char *property_id, google_figures_done *done, void *user)
{
  static const char body[] =
      "{\"dateRanges\":[{\"startDate\":\"yesterday\",\"endDate\":\"yesterday\"}],"
      "\"metrics\":[{\"name\":\"sessions\"},{\"name\":\"activeUsers\"}]}";
  struct question *q = question_new(g, access_token, user);
  AUTO_FREE char *url = xasprintf("%s/v1beta/properties/%s:runReport", g->data, property_id);
  q->on_figures = done;
  send_api(q, url, body, on_report);
}

/* --------------------------------------------------------------------------- revoke */

static void on_revoked(void *user, const struct http_response *r)
{
  struct question *q = question_of(user);
  struct err e = {0};
  AUTO_JSON cJSON *body = NULL;
  bool gone = r->status == 400 && json_parse(&body, r->body, r->body_len, NULL, NULL) == ERR_OK &&
              json_get_string(body, "error") != NULL &&
              strcmp(json_get_string(body, "error"), "invalid_token") == 0;
  if (!is_passing(r, &e) && r->status != 200 && !gone)
    err_set(&e, ERR_UNAVAILABLE, "not_revoked", "Google answered HTTP %d", r->status);
  q->on_revoked(q->user, &e);
  question_free(q);
}

void google_revoke(const struct google_endpoints *g, struct secret *refresh_token,
                   google_revoked *done, void *user)
{
  struct question *q = question_new(g, NULL, user);
  q->on_revoked = done;
  const struct form_field form[] = {{"token", secret_text(refresh_token), false}};
  send_form(q, g->revoke, form, ARRAY_LEN(form), on_revoked);
}
