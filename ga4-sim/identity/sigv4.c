/* Canonical request, string to sign, derived key. */
#include "ga4-sim/identity/sigv4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/codec.h"
#include "common/base/mem.h"

enum { CANONICAL_MAX = 64 * 1024, QUERY_MAX = 64, DIGEST = 32 };

/* Copies what follows `name=` up to one of `ends`. */
static bool field(const char *text, const char *name, const char *ends, char *out, size_t size)
{
  const char *at = strstr(text, name);
  if (at == NULL)
    return false;
  at += strlen(name);
  size_t n = strcspn(at, ends);
  if (n == 0 || n >= size)
    return false;
  memcpy(out, at, n);
  out[n] = '\0';
  return true;
}

static bool part(const char **at, char *out, size_t size)
{
  size_t n = strcspn(*at, "/");
  if (n == 0 || n >= size)
    return false;
  memcpy(out, *at, n);
  out[n] = '\0';
  *at += n + ((*at)[n] == '/');
  return true;
}

bool sigv4_read_authorization(const char *header, struct sigv4_authorization *out)
{
  static const char algorithm[] = "AWS4-HMAC-SHA256 ";
  char scope[512];
  *out = (struct sigv4_authorization){0};
  if (header == NULL || strncmp(header, algorithm, sizeof(algorithm) - 1) != 0)
    return false;
  const char *text = header + sizeof(algorithm) - 2, *at = scope;
  return field(text, " Credential=", ", ", scope, sizeof(scope)) &&
         field(text, "SignedHeaders=", ", ", out->signed_headers, sizeof(out->signed_headers)) &&
         field(text, " Signature=", ", ", out->signature, sizeof(out->signature)) &&
         part(&at, out->access_key_id, sizeof(out->access_key_id)) &&
         part(&at, out->date, sizeof(out->date)) && part(&at, out->region, sizeof(out->region)) &&
         part(&at, out->service, sizeof(out->service)) && strcmp(at, "aws4_request") == 0;
}

const char *sigv4_header(const struct sigv4_request *q, const char *name)
{
  for (size_t i = 0; i < q->header_count; i++)
    if (strcasecmp(q->headers[i].name, name) == 0)
      return q->headers[i].value;
  return NULL;
}

bool sigv4_is_signed(const struct sigv4_authorization *a, const char *name)
{
  size_t n = strlen(name);
  const char *at = a->signed_headers;
  while (*at != '\0') {
    size_t len = strcspn(at, ";");
    if (len == n && memcmp(at, name, n) == 0)
      return true;
    at += len + (at[len] == ';');
  }
  return false;
}

/* Trims, and folds runs of spaces into one. */
static void put_trimmed(struct buf *out, const char *value)
{
  bool space = false;
  value += strspn(value, " \t");
  for (; *value != '\0'; value++) {
    if (*value == ' ' || *value == '\t') {
      space = true;
      continue;
    }
    if (space)
      buf_putc(out, ' ');
    space = false;
    buf_putc(out, *value);
  }
}

static int compare(const void *a, const void *b)
{
  return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Parameters sorted; one without '=' gets one. They come encoded already. */
static void put_query(struct buf *out, const char *query)
{
  char *list[QUERY_MAX];
  size_t count = 0;
  AUTO_FREE char *copy = xstrdup(query);
  char *rest = copy, *pair;
  while (count < QUERY_MAX && (pair = strsep(&rest, "&")) != NULL)
    if (*pair != '\0')
      list[count++] = pair;
  qsort(list, count, sizeof(list[0]), compare);
  for (size_t i = 0; i < count; i++)
    buf_printf(out, "%s%s%s", i == 0 ? "" : "&", list[i], strchr(list[i], '=') == NULL ? "=" : "");
}

static void hex_digest(const void *data, size_t len, struct buf *out)
{
  unsigned char digest[EVP_MAX_MD_SIZE];
  EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL);
  hex_encode(out, digest, DIGEST);
}

static bool put_headers(struct buf *out, const struct sigv4_request *q, const char *signed_headers)
{
  AUTO_FREE char *copy = xstrdup(signed_headers);
  char *rest = copy, *name;
  while ((name = strsep(&rest, ";")) != NULL) {
    const char *value = sigv4_header(q, name);
    if (value == NULL)
      return false;
    buf_printf(out, "%s:", name);
    put_trimmed(out, value);
    buf_putc(out, '\n');
  }
  return true;
}

static void hmac(const unsigned char *key, int key_len, const char *text, unsigned char *out)
{
  HMAC(EVP_sha256(), key, key_len, (const unsigned char *)text, strlen(text), out, NULL);
}

bool sigv4_signature(const struct sigv4_request *q, const struct sigv4_authorization *a,
                     const char *secret, const char *amz_date, char out[SIGV4_SIGNATURE_SIZE])
{
  AUTO_BUF struct buf canonical = BUF_INIT(CANONICAL_MAX), digest = BUF_INIT(128);
  AUTO_BUF struct buf hex = BUF_INIT(128);
  buf_printf(&canonical, "%s\n%s\n", q->method, q->path[0] == '\0' ? "/" : q->path);
  put_query(&canonical, q->query);
  buf_putc(&canonical, '\n');
  if (!put_headers(&canonical, q, a->signed_headers))
    return false;
  buf_printf(&canonical, "\n%s\n", a->signed_headers);
  hex_digest(q->body == NULL ? "" : q->body, q->body_len, &canonical);
  if (canonical.failed)
    return false;
  hex_digest(canonical.data, canonical.len, &digest);
  AUTO_FREE char *to_sign = xasprintf("AWS4-HMAC-SHA256\n%s\n%s/%s/%s/aws4_request\n%s", amz_date,
                                      a->date, a->region, a->service, buf_str(&digest));
  AUTO_FREE char *first = xasprintf("AWS4%s", secret);
  unsigned char one[EVP_MAX_MD_SIZE], two[EVP_MAX_MD_SIZE];
  hmac((const unsigned char *)first, (int)strlen(first), a->date, one);
  hmac(one, DIGEST, a->region, two);
  hmac(two, DIGEST, a->service, one);
  hmac(one, DIGEST, "aws4_request", two);
  hmac(two, DIGEST, to_sign, one);
  hex_encode(&hex, one, DIGEST);
  snprintf(out, SIGV4_SIGNATURE_SIZE, "%s", buf_str(&hex));
  return true;
}
