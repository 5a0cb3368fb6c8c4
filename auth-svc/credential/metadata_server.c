/* The service account of the machine, from Google's metadata server. */
#include <string.h>

#include "auth-svc/credential/answer.h"
#include "auth-svc/credential/credential.h"
#include "common/base/codec.h"
#include "common/base/config.h"
#include "common/base/mem.h"
#include "common/base/wait.h"

enum {
  TOKEN_TIMEOUT_MS = 5000, /* a cold metadata server on GKE may take seconds */
  PROBE_TIMEOUT_MS = 1000,
  PROBE_ATTEMPTS = 3,
};

static const char flavor[] = "Metadata-Flavor";

struct metadata_credential {
  struct credential base;
  char *host;
  char *url;
};

const char *credential_metadata_host(void)
{
  const char *host = config_text("GCE_METADATA_HOST");
  return host != NULL ? host : "metadata.google.internal";
}

static struct http_request metadata_request(const char *url, uint32_t timeout_ms)
{
  static const struct http_header header = {flavor, "Google"};
  return (struct http_request){.method = "GET",
                               .url = url,
                               .headers = &header,
                               .n_headers = 1,
                               .timeout_ms = timeout_ms,
                               .want_header = flavor,
                               .no_proxy = true,
                               .max_response_bytes = TOKEN_RESPONSE_MAX};
}

/* ---------------------------------------------------------------------- a token */

static void read_answer(const void *source, const struct secret *proof,
                        const struct http_response *r, struct token_reply *reply)
{
  (void)proof;
  const struct metadata_credential *m = source;
  static const char reason[] = "metadata_unavailable";
  AUTO_FREE char *who = xasprintf("metadata server %s", m->host);
  if (answer_lost(reply, r, reason, who, "64 KiB"))
    return;
  if (!ascii_case_equal(r->wanted, "Google")) {
    /* Whoever stands at this address is not Google's: what it says is not a token. */
    answer_operator_fault(reply, "no_metadata_server",
                          "%s answered without \"Metadata-Flavor: Google\": it is not a metadata "
                          "server; check GCE_METADATA_HOST, or set GOOGLE_APPLICATION_CREDENTIALS",
                          who);
  } else if (r->status == 200) {
    token_reply_read(reply, r, m->host, GRANT_METADATA, NULL, 0);
  } else if (!answer_busy(reply, r, reason, who)) {
    answer_operator_fault(reply, "metadata_refused",
                          "%s answered HTTP %d; attach a service account to this machine and allow "
                          "it the scope analytics.readonly",
                          who, r->status);
  }
}

static enum err_code obtain(const struct credential *c, const struct token_env *env,
                            struct secret *refresh_token, token_done *done, void *user,
                            struct err *e)
{
  (void)refresh_token;
  const struct metadata_credential *m = (const void *)c;
  return token_ask(env, metadata_request(m->url, TOKEN_TIMEOUT_MS), read_answer, m, NULL, done,
                   user, e);
}

static void destroy(struct credential *c)
{
  struct metadata_credential *m = (void *)c;
  free(m->host);
  free(m->url);
  free(m);
}

static const struct credential_kind kind = {"metadata", obtain, NULL, destroy};

static bool is_host(const char *host)
{
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789.-:[]";
  size_t n = strlen(host);
  return n > 0 && n < 256 && strspn(host, alphabet) == n;
}

struct credential *credential_new_metadata(const char *host, const char *scope)
{
  AUTO_BUF struct buf url = BUF_INIT(2048);
  if (!is_host(host))
    return NULL;
  buf_printf(&url,
             "http://%s/computeMetadata/v1/instance/service-accounts/default/token?scopes=", host);
  percent_encode(&url, scope, strlen(scope));
  struct metadata_credential *m = xcalloc(1, sizeof(*m));
  m->base.kind = &kind;
  atomic_init(&m->base.refs, 1);
  m->host = xstrdup(host);
  m->url = xstrdup(buf_str(&url));
  credential_digest(m->base.fingerprint, (const char *const[]){"metadata", m->url}, 2);
  return &m->base;
}

/* ---------------------------------------------------------------------- is it there? */

struct probe {
  struct wait_once end;
  bool google, slow;
};

static void on_probe(void *user, const struct http_response *r)
{
  struct probe *p = user;
  p->google = r->error.code == ERR_OK && ascii_case_equal(r->wanted, "Google");
  p->slow = r->error.code == ERR_DEADLINE_EXCEEDED;
  wait_once_over(&p->end);
}

static void probe_once(struct probe *p, struct http_client *http, const char *url)
{
  struct http_request request = metadata_request(url, PROBE_TIMEOUT_MS);
  request.on_done = on_probe;
  request.user = p;
  p->google = p->slow = false;
  if (http_client_send(NULL, http, &request, NULL) == ERR_OK)
    wait_once(&p->end);
}

bool credential_metadata_detect(const char *host)
{
  const struct http_client_options options = {.max_transfers = 1};
  struct probe p = {.end = WAIT_ONCE_INIT, .slow = true};
  struct http_client *http = NULL;
  AUTO_FREE char *url = xasprintf("http://%s/", host);
  if (!is_host(host) || http_client_new(&http, &options, NULL) != ERR_OK)
    return false;
  for (int i = 0; i < PROBE_ATTEMPTS && p.slow && !p.google; i++)
    probe_once(&p, http, url);
  http_client_free(http);
  return p.google;
}
