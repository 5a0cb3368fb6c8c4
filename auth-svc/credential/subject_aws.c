/* Subject tokens of a workload on AWS: a signed GetCallerIdentity request that Google's STS
 * sends on, and so learns from AWS who signed it.
 *
 * Region and key come from the environment, or else from the instance's metadata (IMDSv2 when
 * the credential names its token URL). */
#include <stdio.h>
#include <string.h>

#include "auth-svc/credential/answer.h"
#include "auth-svc/credential/sigv4.h"
#include "auth-svc/credential/subject_token.h"
#include "auth-svc/secret/json.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/config.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum {
  FLOW_MAGIC = 0x5a350001,
  METADATA_TIMEOUT_MS = 3000,
  METADATA_ANSWER_MAX = 16 * 1024,
  REGION_MAX = 32,
  KEY_MAX = 256,
  URL_SIZE = 1200,
  SIGNED_MAX = 12 * 1024,
};

struct aws_source {
  struct subject_source base;
  char *region_url, *url, *imds_token_url, *verification_url, *audience;
};

/* One question after the other, until region and key are known. */
enum step { STEP_IMDS_TOKEN, STEP_REGION, STEP_ROLE, STEP_KEY };

struct aws_flow {
  uint32_t magic;
  const struct aws_source *source;
  const struct token_env *env;
  token_done *done;
  void *user;
  enum step step; /* of the question under way */
  char host[256]; /* it goes to */
  char region[REGION_MAX + 1];
  char role[KEY_MAX + 1];
  struct secret *imds_token;
  struct secret *key_id, *key, *session_token; /* session_token may stay NULL */
};

static void advance(struct aws_flow *f);

static void flow_free(struct aws_flow *f)
{
  secret_unref(f->imds_token);
  secret_unref(f->key_id);
  secret_unref(f->key);
  secret_unref(f->session_token);
  free(f);
}

static void finish(struct aws_flow *f, struct token_reply *reply)
{
  f->done(f->user, reply);
  token_reply_clear(reply);
  flow_free(f);
}

static void fail(struct aws_flow *f, const char *reason, const char *text)
{
  struct token_reply reply = {0};
  answer_operator_fault(&reply, reason, "%s", text);
  finish(f, &reply);
}

/* ----------------------------------------------------------------- the signed request */

static void put_header(struct buf *out, const char *key, const char *value)
{
  buf_puts(out, "{\"key\":\"");
  buf_puts(out, key);
  buf_puts(out, "\",\"value\":");
  buf_put_json_string(out, value, strlen(value));
  buf_putc(out, '}');
}

/* The form Google documents: {url, method, headers: [{key, value}]}, percent-encoded. */
static bool put_subject_token(struct buf *out, const struct sigv4_request *r,
                              const char *authorization)
{
  char host[256];
  AUTO_BUF struct buf json = BUF_SECRET(SIGNED_MAX);
  if (!sigv4_host(r->url, host, sizeof(host)))
    return false;
  buf_puts(&json, "{\"url\":");
  buf_put_json_string(&json, r->url, strlen(r->url));
  buf_puts(&json, ",\"method\":\"POST\",\"headers\":[");
  put_header(&json, "Authorization", authorization);
  buf_putc(&json, ',');
  put_header(&json, "host", host);
  for (size_t i = 0; i < r->n_headers; i++) {
    buf_putc(&json, ',');
    put_header(&json, r->headers[i].name, r->headers[i].value);
  }
  buf_puts(&json, "]}");
  return !json.failed && percent_encode(out, json.data, json.len);
}

/* https://sts.{region}.amazonaws.com?... with the region put in. */
static bool put_region(char *out, size_t size, const char *url, const char *region)
{
  const char *at = strstr(url, "{region}");
  int n = at == NULL ? snprintf(out, size, "%s", url)
                     : snprintf(out, size, "%.*s%s%s", (int)(at - url), url, region, at + 8);
  return n > 0 && (size_t)n < size;
}

static bool sign(const struct aws_flow *f, struct buf *token)
{
  char date[SIGV4_DATE_SIZE], url[URL_SIZE];
  AUTO_BUF struct buf authorization = BUF_SECRET(2048);
  sigv4_date(clock_unix_ms() / 1000, date);
  if (!put_region(url, sizeof(url), f->source->verification_url, f->region))
    return false;
  const struct http_header headers[] = {
      {"x-amz-date", date},
      {"x-goog-cloud-target-resource", f->source->audience},
      {"x-amz-security-token", secret_text(f->session_token)},
  };
  const struct sigv4_request r = {
      .method = "POST",
      .url = url,
      .headers = headers,
      .n_headers = f->session_token != NULL ? 3 : 2,
      .region = f->region,
      .service = "sts",
      .access_key_id = secret_text(f->key_id),
      .secret_access_key = secret_text(f->key),
      .date = date,
  };
  return sigv4_authorization(&authorization, &r) &&
         put_subject_token(token, &r, buf_str(&authorization));
}

static void sign_and_finish(struct aws_flow *f)
{
  AUTO_BUF struct buf token = BUF_SECRET(SUBJECT_TOKEN_MAX);
  struct token_reply reply = {.outcome = TOKEN_OBTAINED};
  if (!sign(f, &token)) {
    fail(f, "cannot_sign",
         "the GetCallerIdentity request cannot be signed: the AWS key, its session token or "
         "regional_cred_verification_url is too long");
    return;
  }
  reply.access_token = secret_new(token.data, token.len);
  finish(f, &reply);
}

/* -------------------------------------------------------------------- the answers */

static bool is_region(const char *s, size_t len)
{
  for (size_t i = 0; i < len; i++)
    if (!((s[i] >= 'a' && s[i] <= 'z') || (s[i] >= '0' && s[i] <= '9') || s[i] == '-'))
      return false;
  return len >= 4 && len <= REGION_MAX;
}

/* "us-east-1b" is a zone of us-east-1. */
static const char *take_zone(struct aws_flow *f, const char *text, size_t len)
{
  while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
    len--;
  if (len < 2 || !is_region(text, len - 1))
    return "gave no availability zone under credential_source.region_url";
  snprintf(f->region, sizeof(f->region), "%.*s", (int)(len - 1), text);
  return NULL;
}

static const char *take_role(struct aws_flow *f, const char *text, size_t len)
{
  size_t n = strcspn(text, "\r\n");
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789+=,.@_-"; /* IAM's rule for role names */
  if (n == 0 || n > len || n > KEY_MAX || strspn(text, alphabet) != n)
    return "names no role under credential_source.url; attach a role to the instance";
  snprintf(f->role, sizeof(f->role), "%.*s", (int)n, text);
  return NULL;
}

static bool usable_key(const char *s, size_t max)
{
  return answer_is_token(s) && strlen(s) <= max;
}

static bool set_key(struct aws_flow *f, const char *id, const char *key, const char *session)
{
  if (!usable_key(id, KEY_MAX) || !usable_key(key, KEY_MAX) ||
      (session != NULL && !usable_key(session, TOKEN_MAX_BYTES)))
    return false;
  f->key_id = secret_from(id);
  f->key = secret_from(key);
  f->session_token = session != NULL ? secret_from(session) : NULL;
  return true;
}

static const char *take_key(struct aws_flow *f, const char *text, size_t len)
{
  AUTO_WIPED_JSON cJSON *body = NULL;
  if (json_parse(&body, text, len, NULL, NULL) != ERR_OK || !cJSON_IsObject(body))
    return "gave a key that is not a JSON object";
  return set_key(f, json_get_string(body, "AccessKeyId"), json_get_string(body, "SecretAccessKey"),
                 json_get_string(body, "Token"))
             ? NULL
             : "gave a key without AccessKeyId and SecretAccessKey";
}

static const char *take_answer(struct aws_flow *f, const struct http_response *r)
{
  const char *why = NULL;
  switch (f->step) {
  case STEP_IMDS_TOKEN:
    return subject_extract(&f->imds_token, r->body, r->body_len, NULL, &why)
               ? NULL
               : "gave something that is not an IMDSv2 session token";
  case STEP_REGION:
    return take_zone(f, r->body, r->body_len);
  case STEP_ROLE:
    return take_role(f, r->body, r->body_len);
  case STEP_KEY:
    return take_key(f, r->body, r->body_len);
  }
  return "was not understood";
}

/* What was asked for, for messages. */
static const char *const step_names[] = {"its session token (IMDSv2)", "the availability zone",
                                         "the instance's role", "the role's key"};

static const char remedy[] =
    "in a container allow a hop limit of 2, or set AWS_REGION, AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY; on EKS prefer a projected token (credential_source.file)";

static bool read_failure(struct aws_flow *f, const struct http_response *r,
                         struct token_reply *reply)
{
  static const char reason[] = "aws_metadata_unavailable";
  AUTO_FREE char *who = xasprintf("AWS metadata %s, asked for %s,", f->host, step_names[f->step]);
  if (answer_lost(reply, r, reason, who, "16 KiB")) {
    struct err e = reply->error;
    err_set(&reply->error, e.code, e.reason, "%s; %s", e.message, remedy);
    return true;
  }
  if (r->status == 200)
    return false;
  if (!answer_busy(reply, r, reason, who))
    answer_operator_fault(
        reply, "aws_metadata_refused", "%s answered HTTP %d; %s", who, r->status,
        r->status == 404 && f->step != STEP_REGION ? "attach a role to the instance" : remedy);
  return true;
}

static void on_answer(void *user, const struct http_response *response)
{
  struct aws_flow *f = user;
  MAGIC_CHECK(f, FLOW_MAGIC);
  struct token_reply reply = {0};
  if (read_failure(f, response, &reply)) {
    finish(f, &reply);
    return;
  }
  const char *why = take_answer(f, response);
  if (why == NULL) {
    advance(f);
    return;
  }
  answer_operator_fault(&reply, "aws_metadata_unusable", "AWS metadata %s %s", f->host, why);
  finish(f, &reply);
}

/* ------------------------------------------------------------------- the questions */

static void ask(struct aws_flow *f, enum step step, const char *method, const char *url)
{
  struct token_reply reply = {0};
  struct err e = {0};
  bool first = step == STEP_IMDS_TOKEN;
  const struct http_header header = {first ? "x-aws-ec2-metadata-token-ttl-seconds"
                                           : "x-aws-ec2-metadata-token",
                                     first ? "300" : secret_text(f->imds_token)};
  uint32_t timeout = f->env->timeout_ms;
  const struct http_request request = {
      .method = method,
      .url = url,
      .headers = &header,
      .n_headers = first || f->imds_token != NULL ? 1 : 0,
      .timeout_ms = timeout != 0 && timeout < METADATA_TIMEOUT_MS ? timeout : METADATA_TIMEOUT_MS,
      .no_proxy = true,
      .max_response_bytes = METADATA_ANSWER_MAX,
      .on_done = on_answer,
      .user = f,
  };
  f->step = step;
  url_host(url, f->host, sizeof(f->host));
  if (http_client_send(NULL, f->env->http, &request, &e) == ERR_OK)
    return;
  AUTO_FREE char *who = xasprintf("AWS metadata %s", f->host);
  answer_passing(&reply, NULL, "aws_metadata_unavailable", who, "%s", e.message);
  finish(f, &reply);
}

static void ask_for_key(struct aws_flow *f)
{
  const char *base = f->source->url;
  char url[URL_SIZE];
  size_t n = strlen(base);
  snprintf(url, sizeof(url), "%s%s%s", base, n > 0 && base[n - 1] == '/' ? "" : "/", f->role);
  ask(f, STEP_KEY, "GET", url);
}

static void advance(struct aws_flow *f)
{
  const struct aws_source *s = f->source;
  bool need_region = f->region[0] == '\0', need_key = f->key == NULL;
  if (need_region && s->region_url == NULL)
    fail(f, "aws_region_unknown",
         "the AWS region is not known: set AWS_REGION, or give credential_source.region_url");
  else if (need_key && s->url == NULL)
    fail(f, "aws_key_unknown",
         "no AWS key: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give "
         "credential_source.url");
  else if ((need_region || need_key) && s->imds_token_url != NULL && f->imds_token == NULL)
    ask(f, STEP_IMDS_TOKEN, "PUT", s->imds_token_url);
  else if (need_region)
    ask(f, STEP_REGION, "GET", s->region_url);
  else if (need_key && f->role[0] == '\0')
    ask(f, STEP_ROLE, "GET", s->url);
  else if (need_key)
    ask_for_key(f);
  else
    sign_and_finish(f);
}

/* ------------------------------------------------------------------ the environment */

/* False with a message when a variable is there and wrong. */
static const char *read_environment(struct aws_flow *f)
{
  const char *region = config_text("AWS_REGION");
  if (region == NULL)
    region = config_text("AWS_DEFAULT_REGION");
  if (region != NULL && !is_region(region, strlen(region)))
    return "AWS_REGION (or AWS_DEFAULT_REGION) must be a region such as us-east-1";
  if (region != NULL)
    snprintf(f->region, sizeof(f->region), "%s", region);
  const char *id = config_text("AWS_ACCESS_KEY_ID"), *key = config_text("AWS_SECRET_ACCESS_KEY");
  if (id == NULL || key == NULL || set_key(f, id, key, config_text("AWS_SESSION_TOKEN")))
    return NULL;
  return "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_SESSION_TOKEN is not an AWS key";
}

static enum err_code obtain(const struct subject_source *base, const struct token_env *env,
                            token_done *done, void *user, struct err *e)
{
  (void)e;
  struct aws_flow *f = xcalloc(1, sizeof(*f));
  f->magic = FLOW_MAGIC;
  f->source = (const void *)base;
  f->env = env;
  f->done = done;
  f->user = user;
  const char *why = read_environment(f);
  if (why != NULL)
    fail(f, "aws_environment", why);
  else
    advance(f);
  return ERR_OK;
}

static void destroy(struct subject_source *base)
{
  struct aws_source *s = (void *)base;
  free(s->region_url);
  free(s->url);
  free(s->imds_token_url);
  free(s->verification_url);
  free(s->audience);
  free(s);
}

static const struct subject_kind kind = {GRANT_STS_AWS, obtain, destroy};

struct subject_source *subject_from_aws(const struct subject_aws_options *o)
{
  struct aws_source *s = xcalloc(1, sizeof(*s));
  const char *const parts[] = {
      "aws", o->region_url, o->url, o->imds_token_url, o->verification_url, o->audience};
  s->base.kind = &kind;
  s->region_url = xstrdup(o->region_url);
  s->url = xstrdup(o->url);
  s->imds_token_url = xstrdup(o->imds_token_url);
  s->verification_url = xstrdup(o->verification_url);
  s->audience = xstrdup(o->audience);
  credential_digest(s->base.fingerprint, parts, ARRAY_LEN(parts));
  return &s->base;
}
