/* AWS's instance metadata service, version 2 only: a session token comes first. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/login/login.h"

enum { TTL_MAX_S = 21600 };

#define DATA "/latest/meta-data/"
#define ROLES DATA "iam/security-credentials"

static void text(struct reply *r, int status, const char *type, const char *content)
{
  r->status = status;
  r->content_type = type;
  r->pretty = false;
  buf_clear(&r->body);
  buf_puts(&r->body, content);
}

static void refuse(struct reply *r, int status, const char *title)
{
  AUTO_FREE char *page = xasprintf(
      "<?xml version=\"1.0\" encoding=\"iso-8859-1\"?>\n<html xmlns=\"http://www.w3.org/1999/xhtml"
      "\" xml:lang=\"en\" lang=\"en\">\n <head>\n  <title>%d - %s</title>\n </head>\n <body>\n  "
      "<h1>%d - %s</h1>\n </body>\n</html>\n",
      status, title, status, title);
  text(r, status, "text/html", page);
}

static void session_token(struct sim *s, const struct request *q, struct reply *r)
{
  const char *ttl = request_header(q, "X-aws-ec2-metadata-token-ttl-seconds");
  char *end = NULL, token[128];
  long n = ttl == NULL ? 0 : strtol(ttl, &end, 10);
  if (ttl == NULL || end == ttl || *end != '\0' || n < 1 || n > TTL_MAX_S) {
    refuse(r, 400, "Bad Request");
    return;
  }
  aws_imds_token(s->aws, (uint32_t)n, clock_unix_ms() / 1000, token, sizeof(token));
  text(r, 200, "text/plain", token);
  reply_header(r, "X-Aws-Ec2-Metadata-Token-Ttl-Seconds", ttl);
}

static void add_time(cJSON *json, const char *name, int64_t unix_s)
{
  char rfc[32], out[32];
  clock_format_rfc3339(unix_s * 1000, rfc, sizeof(rfc));
  snprintf(out, sizeof(out), "%.19sZ", rfc);
  cJSON_AddStringToObject(json, name, out);
}

static void credentials(struct sim *s, struct reply *r)
{
  struct aws_credentials c;
  aws_role_credentials(s->aws, clock_unix_ms() / 1000, &c);
  AUTO_JSON cJSON *json = cJSON_CreateObject();
  cJSON_AddStringToObject(json, "Code", "Success");
  add_time(json, "LastUpdated", c.issued_unix_s);
  cJSON_AddStringToObject(json, "Type", "AWS-HMAC");
  cJSON_AddStringToObject(json, "AccessKeyId", c.access_key_id);
  cJSON_AddStringToObject(json, "SecretAccessKey", c.secret_access_key);
  cJSON_AddStringToObject(json, "Token", c.session_token);
  add_time(json, "Expiration", c.expires_unix_s);
  AUTO_FREE char *body = cJSON_Print(json);
  text(r, 200, "text/plain", body);
  stats_count(s->stats, IDENTITY_NONE, STATS_IMDS_CREDENTIALS);
}

static void data(struct sim *s, const struct request *q, struct reply *r)
{
  size_t n = strlen(q->path);
  if (!aws_imds_token_is_good(s->aws, request_header(q, "X-aws-ec2-metadata-token"),
                              clock_unix_ms() / 1000))
    refuse(r, 401, "Unauthorized");
  else if (strcmp(q->path, DATA "placement/availability-zone") == 0)
    text(r, 200, "text/plain", AWS_REGION_NAME "b");
  else if (strcmp(q->path, DATA "placement/region") == 0)
    text(r, 200, "text/plain", AWS_REGION_NAME);
  else if (strcmp(q->path, ROLES "/" AWS_ROLE) == 0)
    credentials(s, r);
  else if (strncmp(q->path, ROLES, strlen(ROLES)) == 0 &&
           (n == strlen(ROLES) || strcmp(q->path + strlen(ROLES), "/") == 0))
    text(r, 200, "text/plain", AWS_ROLE);
  else
    refuse(r, 404, "Not Found");
}

void imds(struct sim *s, const struct request *q, struct reply *r)
{
  stats_count(s->stats, IDENTITY_NONE, STATS_IMDS_REQUEST);
  if (identity_fault(s, IDENTITY_NONE, ENDPOINT_IMDS, r))
    return;
  if (request_header(q, "X-Forwarded-For") != NULL)
    refuse(r, 403, "Forbidden");
  else if (strcmp(q->path, "/latest/api/token") == 0 && strcmp(q->method, "PUT") == 0)
    session_token(s, q, r);
  else if (strcmp(q->path, "/latest/api/token") == 0 || strcmp(q->method, "GET") != 0)
    refuse(r, 405, "Method Not Allowed");
  else
    data(s, q, r);
}
