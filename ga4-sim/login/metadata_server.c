/* Google's metadata server, as on a machine whose default service account is the agency's. */
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/login/login.h"

#define ROOT "/computeMetadata/v1"
#define ACCOUNTS ROOT "/instance/service-accounts/"

/* Without ?scopes= a machine's token has the machine's scopes. */
enum { MACHINE_SCOPES = SCOPE_CLOUD_PLATFORM };

static void reply_text(struct reply *r, int status, const char *type, const char *text)
{
  r->status = status;
  r->content_type = type;
  r->pretty = false;
  buf_clear(&r->body);
  buf_puts(&r->body, text);
}

static void refuse(struct reply *r, int status, const char *title, const char *text)
{
  AUTO_FREE char *page = xasprintf("<!DOCTYPE html>\n<html lang=en>\n  <title>Error %d (%s)!!1"
                                   "</title>\n  <p><b>%d.</b> %s\n",
                                   status, title, status, text);
  reply_text(r, status, "text/html; charset=UTF-8", page);
}

static void token(struct sim *s, const struct request *q, const struct service_account *a,
                  struct reply *r)
{
  char text[TOKEN_MAX_BYTES];
  const char *wanted = request_query(q, "scopes");
  unsigned unknown = 0;
  uint32_t scopes = wanted == NULL || wanted[0] == '\0' ? (uint32_t)MACHINE_SCOPES
                                                        : scopes_read(wanted, &unknown);
  if (unknown > 0) {
    refuse(r, 400, "Bad Request", "Invalid scopes.");
    return;
  }
  uint32_t life = s->options->token_lifetime_s;
  const struct token t = {.identity = a->identity,
                          .kind = TOKEN_SERVICE_ACCOUNT,
                          .scopes = scopes,
                          .expires_unix_s = clock_unix_ms() / 1000 + life};
  tokens_issue(&s->tokens, &t, text, sizeof(text));
  r->pretty = false;
  buf_clear(&r->body);
  buf_printf(&r->body, "{\"access_token\":\"%s\",\"expires_in\":%u,\"token_type\":\"Bearer\"}",
             text, life);
  stats_count(s->stats, IDENTITY_NONE, STATS_METADATA_ISSUED);
}

static void describe(const struct service_account *a, struct reply *r)
{
  AUTO_JSON cJSON *json = cJSON_CreateObject();
  AUTO_BUF struct buf scopes = BUF_INIT(1024);
  scopes_write(&scopes, MACHINE_SCOPES);
  cJSON_AddItemToArray(cJSON_AddArrayToObject(json, "aliases"), cJSON_CreateString("default"));
  cJSON_AddStringToObject(json, "email", a->email);
  cJSON_AddItemToArray(cJSON_AddArrayToObject(json, "scopes"),
                       cJSON_CreateString(buf_str(&scopes)));
  reply_json(r, 200, json);
  r->pretty = false;
}

/* default/..., or the account by its address. */
static void account(struct sim *s, const struct request *q, const char *rest, struct reply *r)
{
  const struct service_account *a =
      service_accounts_of(s->service_accounts, IDENTITY_SERVICE_ACCOUNT);
  size_t n = strcspn(rest, "/");
  bool known = (n == strlen("default") && strncmp(rest, "default", n) == 0) ||
               (n == strlen(a->email) && strncmp(rest, a->email, n) == 0);
  const char *what = rest + n;
  AUTO_BUF struct buf scopes = BUF_INIT(1024);
  if (!known || service_account_state(s->service_accounts, a) == SERVICE_ACCOUNT_DELETED) {
    refuse(r, 404, "Not Found", "The requested service account was not found.");
  } else if (strcmp(what, "/token") == 0) {
    token(s, q, a, r);
  } else if (strcmp(what, "/email") == 0) {
    reply_text(r, 200, "application/text", a->email);
  } else if (strcmp(what, "/scopes") == 0) {
    scopes_write(&scopes, MACHINE_SCOPES);
    buf_putc(&scopes, '\n');
    reply_text(r, 200, "application/text", buf_str(&scopes));
  } else if (what[0] == '\0' || strcmp(what, "/") == 0) {
    describe(a, r);
  } else {
    refuse(r, 404, "Not Found", "The requested URL was not found on this server.");
  }
}

static const struct {
  const char *path, *text;
} entries[] = {
    {"", "instance/\noslogin/\nproject/\nuniverse/\n"},
    {"/instance", "service-accounts/\nzone\n"},
    {"/instance/service-accounts", "default/\n"},
    {"/instance/zone", "projects/" FEDERATION_PROJECT "/zones/us-central1-a"},
    {"/project", "numeric-project-id\nproject-id\n"},
    {"/project/project-id", "ga4-sim"},
    {"/project/numeric-project-id", FEDERATION_PROJECT},
    {"/universe/universe-domain", "googleapis.com"},
    {"/universe/universe_domain", "googleapis.com"},
};

static void entry(const char *rest, struct reply *r)
{
  size_t n = strlen(rest);
  while (n > 0 && rest[n - 1] == '/')
    n--;
  for (size_t i = 0; i < ARRAY_LEN(entries); i++)
    if (strlen(entries[i].path) == n && strncmp(entries[i].path, rest, n) == 0) {
      reply_text(r, 200, "application/text", entries[i].text);
      return;
    }
  refuse(r, 404, "Not Found", "The requested URL was not found on this server.");
}

void metadata_server(struct sim *s, const struct request *q, struct reply *r)
{
  const char *flavor = request_header(q, "Metadata-Flavor");
  stats_count(s->stats, IDENTITY_NONE, STATS_METADATA_REQUEST);
  reply_header(r, "Metadata-Flavor", "Google");
  if (identity_fault(s, IDENTITY_NONE, ENDPOINT_METADATA, r))
    return;
  if (request_header(q, "X-Forwarded-For") != NULL)
    refuse(r, 403, "Forbidden", "Request with X-Forwarded-For header is denied.");
  else if (flavor == NULL || strcmp(flavor, "Google") != 0)
    refuse(r, 403, "Forbidden",
           "Your client does not have permission to get URL. Missing Metadata-Flavor:Google "
           "header.");
  else if (strcmp(q->method, "GET") != 0)
    refuse(r, 405, "Method Not Allowed", "Only GET is allowed.");
  else if (strcmp(q->path, "/") == 0)
    reply_text(r, 200, "application/text", "0.1/\ncomputeMetadata/\n");
  else if (strncmp(q->path, ACCOUNTS, strlen(ACCOUNTS)) == 0 && q->path[strlen(ACCOUNTS)] != '\0')
    account(s, q, q->path + strlen(ACCOUNTS), r);
  else if (strncmp(q->path, ROOT, strlen(ROOT)) == 0)
    entry(q->path + strlen(ROOT), r);
  else
    refuse(r, 404, "Not Found", "The requested URL was not found on this server.");
}
