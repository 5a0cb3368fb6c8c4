/* Judges a serialized GetCallerIdentity request: form, headers, signature, time. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/identity/aws_private.h"
#include "ga4-sim/identity/sigv4.h"

enum { SKEW_S = 15 * 60, SERIALIZED_MAX = 32 * 1024, HOST_MAX = 128 };

#define TARGET "x-goog-cloud-target-resource"

/* Google passes on what AWS answered. */
static bool aws_says(struct err *why, const char *type, const char *text)
{
  err_set(why, ERR_UNAUTHENTICATED, NULL,
          "Received invalid AWS response of type %s with error message: %s", type, text);
  return false;
}

static bool malformed(struct err *why, const char *text)
{
  err_set(why, ERR_INVALID_ARGUMENT, NULL, "%s", text);
  return false;
}

static bool read_headers(const cJSON *json, struct sigv4_request *q)
{
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "headers"), *item;
  if (!cJSON_IsArray(list))
    return false;
  cJSON_ArrayForEach(item, list)
  {
    const char *name = json_get_string(item, "key"), *value = json_get_string(item, "value");
    if (name == NULL || value == NULL || q->header_count == SIGV4_HEADERS_MAX)
      return false;
    q->headers[q->header_count++] = (struct sigv4_header){name, value};
  }
  return true;
}

/* https://HOST[/path]?query into its parts. Path and query stay in `url`. */
static bool split_url(char *url, char host[HOST_MAX], struct sigv4_request *q)
{
  static const char scheme[] = "https://";
  if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
    return false;
  char *at = url + sizeof(scheme) - 1, *query = strchr(at, '?');
  size_t n = strcspn(at, "/?");
  if (n == 0 || n >= HOST_MAX || query == NULL)
    return false;
  memcpy(host, at, n);
  host[n] = '\0';
  *query = '\0';
  q->path = at + n; /* "" or "/..." */
  q->query = query + 1;
  return true;
}

/* sts.amazonaws.com or sts.REGION.amazonaws.com: only AWS's own endpoint is believed. */
static bool region_of(const char *host, char *region, size_t size)
{
  if (strcmp(host, "sts.amazonaws.com") == 0) {
    snprintf(region, size, "us-east-1");
    return true;
  }
  size_t n = strlen(host);
  static const char before[] = "sts.", after[] = ".amazonaws.com";
  size_t b = sizeof(before) - 1, e = sizeof(after) - 1;
  if (n <= b + e || strncmp(host, before, b) != 0 || strcmp(host + n - e, after) != 0)
    return false;
  snprintf(region, size, "%.*s", (int)(n - b - e), host + b);
  return strspn(region, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(region);
}

static bool read_date(const char *text, int64_t *unix_s)
{
  char rfc[24];
  int64_t ms;
  if (text == NULL || strlen(text) != 16 || text[8] != 'T' || text[15] != 'Z')
    return false;
  snprintf(rfc, sizeof(rfc), "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", text, text + 4, text + 6, text + 9,
           text + 11, text + 13);
  if (!clock_parse_rfc3339(rfc, &ms))
    return false;
  *unix_s = ms / 1000;
  return true;
}

static void amz_time(int64_t unix_s, char out[20])
{
  char rfc[32];
  clock_format_rfc3339(unix_s * 1000, rfc, sizeof(rfc));
  snprintf(out, 20, "%.4s%.2s%.2sT%.2s%.2s%.2sZ", rfc, rfc + 5, rfc + 8, rfc + 11, rfc + 14,
           rfc + 17);
}

/* AWS's order: the key pair, its session token, the time, the signature. */
static bool check_date(const char *amz_date, const struct sigv4_authorization *a, int64_t now,
                       struct err *why)
{
  int64_t at;
  char then[20], limit[20], here[20];
  if (!read_date(amz_date, &at) || strncmp(amz_date, a->date, 8) != 0)
    return aws_says(why, "SignatureDoesNotMatch",
                    "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of "
                    "date from HTTP");
  if (at >= now - SKEW_S && at <= now + SKEW_S)
    return true;
  bool late = at < now;
  amz_time(at, then);
  amz_time(late ? now - SKEW_S : now + SKEW_S, limit);
  amz_time(now, here);
  AUTO_FREE char *text = xasprintf("Signature %s: %s is now %s than %s (%s %c 15 min.)",
                                   late ? "expired" : "not yet current", then,
                                   late ? "earlier" : "later", limit, here, late ? '-' : '+');
  return aws_says(why, "SignatureDoesNotMatch", text);
}

static bool check_signature(struct aws *a, const struct sigv4_request *q, const char *region,
                            int64_t now, char *arn, size_t arn_size, struct err *why)
{
  struct sigv4_authorization auth;
  struct aws_credentials key;
  char expected[SIGV4_SIGNATURE_SIZE];
  const char *date = sigv4_header(q, "x-amz-date");
  const char *token = sigv4_header(q, "x-amz-security-token");
  if (!sigv4_read_authorization(sigv4_header(q, "Authorization"), &auth))
    return aws_says(why, "IncompleteSignature",
                    "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' "
                    "parameters.");
  if (!aws_find(a, auth.access_key_id, &key) ||
      strcmp(token == NULL ? "" : token, key.session_token) != 0)
    return aws_says(why, "InvalidClientTokenId",
                    "The security token included in the request is invalid.");
  if (key.session_token[0] != '\0' && key.expires_unix_s <= now)
    return aws_says(why, "ExpiredToken", "The security token included in the request is expired");
  if (!check_date(date, &auth, now, why))
    return false;
  if (strcmp(auth.region, region) != 0 || strcmp(auth.service, "sts") != 0) {
    AUTO_FREE char *text = xasprintf("Credential should be scoped to a valid region.");
    return aws_says(why, "SignatureDoesNotMatch", text);
  }
  if (!sigv4_is_signed(&auth, "host") || !sigv4_is_signed(&auth, "x-amz-date") ||
      !sigv4_signature(q, &auth, key.secret_access_key, date, expected) ||
      CRYPTO_memcmp(expected, auth.signature, sizeof(expected)) != 0)
    return aws_says(why, "SignatureDoesNotMatch",
                    "The request signature we calculated does not match the signature you "
                    "provided. Check your AWS Secret Access Key and signing method. Consult the "
                    "service documentation for details.");
  /* That the target is signed too is recommended, not required: Google's Node client does
   * not sign it. */
  snprintf(arn, arn_size, "%s", key.arn);
  return true;
}

bool aws_check_caller_identity(struct aws *a, const char *serialized, const char *audience,
                               int64_t now_unix_s, char *arn, size_t arn_size, struct err *why)
{
  AUTO_JSON cJSON *json = NULL;
  struct sigv4_request q = {0};
  char host[HOST_MAX], region[HOST_MAX];
  struct err broken;
  if (strlen(serialized) > SERIALIZED_MAX ||
      json_parse(&json, serialized, strlen(serialized), NULL, &broken) != ERR_OK ||
      json_get_string(json, "url") == NULL || json_get_string(json, "method") == NULL ||
      !read_headers(json, &q))
    return malformed(why, "Unable to parse the AWS request in the subject token: expected the "
                          "URL-encoded JSON object of a signed GetCallerIdentity request.");
  q.method = json_get_string(json, "method");
  AUTO_FREE char *url = xstrdup(json_get_string(json, "url"));
  if (strcmp(q.method, "POST") != 0 && strcmp(q.method, "GET") != 0)
    return malformed(why, "The AWS request in the subject token must be a POST.");
  if (!split_url(url, host, &q) || !region_of(host, region, sizeof(region)) ||
      (q.path[0] != '\0' && strcmp(q.path, "/") != 0) ||
      strcmp(q.query, "Action=GetCallerIdentity&Version=2011-06-15") != 0)
    return malformed(why, "The URL in the subject token is not that of a GetCallerIdentity "
                          "request to AWS STS.");
  const char *target = sigv4_header(&q, TARGET), *named = sigv4_header(&q, "host");
  if (named == NULL || strcasecmp(named, host) != 0)
    return malformed(why, "The host header in the subject token does not match its URL.");
  if (target == NULL || strcmp(target, audience) != 0)
    return malformed(why, "The value of the header " TARGET
                          " does not match the audience of the request.");
  return check_signature(a, &q, region, now_unix_s, arn, arn_size, why);
}
