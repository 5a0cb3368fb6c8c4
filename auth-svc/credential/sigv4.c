/* AWS Signature Version 4. */
#include "auth-svc/credential/sigv4.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth-svc/credential/exchange.h"
#include "auth-svc/secret/secret.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/mem.h"

enum { CANONICAL_MAX = 128 * 1024, QUERY_MAX_ITEMS = 64 };

void sigv4_date(int64_t unix_s, char out[SIGV4_DATE_SIZE])
{
  char text[32];
  clock_format_rfc3339(unix_s * 1000, text, sizeof(text)); /* 2026-11-22T15:04:05.678Z */
  snprintf(out, SIGV4_DATE_SIZE, "%.4s%.2s%.2sT%.2s%.2s%.2sZ", text, text + 5, text + 8, text + 11,
           text + 14, text + 17);
}

bool sigv4_host(const char *url, char *out, size_t size)
{
  if (!url_host(url, out, size))
    return false;
  size_t n = strlen(out);
  for (size_t i = 0; i < n; i++)
    out[i] = (char)tolower((unsigned char)out[i]);
  const char *port = tolower((unsigned char)url[4]) == 's' ? ":443" : ":80";
  size_t p = strlen(port);
  if (n > p && strcmp(out + n - p, port) == 0)
    out[n - p] = '\0';
  return true;
}

/* ----------------------------------------------------------------------- query */

struct view {
  const char *p;
  size_t len;
};

static int compare_views(struct view a, struct view b)
{
  size_t n = a.len < b.len ? a.len : b.len;
  int c = memcmp(a.p, b.p, n);
  return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

static struct view name_of(struct view item)
{
  const char *eq = memchr(item.p, '=', item.len);
  return eq != NULL ? (struct view){item.p, (size_t)(eq - item.p)} : item;
}

static struct view value_of(struct view item)
{
  size_t name = name_of(item).len;
  return name < item.len ? (struct view){item.p + name + 1, item.len - name - 1}
                         : (struct view){item.p, 0};
}

static int by_name_then_value(const void *a, const void *b)
{
  struct view x = *(const struct view *)a, y = *(const struct view *)b;
  int c = compare_views(name_of(x), name_of(y));
  return c != 0 ? c : compare_views(value_of(x), value_of(y));
}

/* The query comes encoded as RFC 3986 wants it, so only the order changes. */
static bool put_query(struct buf *out, struct view query)
{
  struct view items[QUERY_MAX_ITEMS];
  size_t n = 0;
  const char *end = query.p + query.len;
  for (const char *p = query.p; p < end;) {
    const char *amp = memchr(p, '&', (size_t)(end - p));
    size_t len = (size_t)((amp != NULL ? amp : end) - p);
    if (n == QUERY_MAX_ITEMS)
      return false;
    if (len > 0)
      items[n++] = (struct view){p, len};
    p += len + 1;
  }
  if (n > 0)
    qsort(items, n, sizeof(items[0]), by_name_then_value);
  for (size_t i = 0; i < n; i++) {
    struct view name = name_of(items[i]), value = value_of(items[i]);
    buf_puts(out, i > 0 ? "&" : "");
    buf_append(out, name.p, name.len);
    buf_putc(out, '=');
    buf_append(out, value.p, value.len);
  }
  return true;
}

/* --------------------------------------------------------------------- headers */

static void put_lower(struct buf *out, const char *s)
{
  for (; *s != '\0'; s++)
    buf_putc(out, (char)tolower((unsigned char)*s));
}

static int by_header_name(const void *a, const void *b)
{
  return strcasecmp(((const struct http_header *)a)->name, ((const struct http_header *)b)->name);
}

static void put_headers(struct buf *out, const struct http_header *h, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    put_lower(out, h[i].name);
    buf_printf(out, ":%s\n", h[i].value);
  }
}

static void put_names(struct buf *out, const struct http_header *h, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    buf_puts(out, i > 0 ? ";" : "");
    put_lower(out, h[i].name);
  }
}

/* ------------------------------------------------------------------- signature */

static void put_sha256(struct buf *out, const void *data, size_t len)
{
  char hex[SHA256_HEX_SIZE];
  sha256_hex(data, len, hex);
  buf_puts(out, hex);
}

static bool put_canonical_request(struct buf *out, const struct sigv4_request *r,
                                  const struct http_header *headers, size_t n)
{
  const char *rest = strstr(r->url, "://");
  rest += 3 + strcspn(rest + 3, "/?#");
  struct view path = {rest, strcspn(rest, "?#")}, query = {"", 0};
  if (rest[path.len] == '?')
    query = (struct view){rest + path.len + 1, strcspn(rest + path.len + 1, "#")};
  buf_printf(out, "%s\n", r->method);
  buf_puts(out, path.len > 0 ? "" : "/");
  buf_append(out, path.p, path.len);
  buf_putc(out, '\n');
  if (!put_query(out, query))
    return false;
  buf_putc(out, '\n');
  put_headers(out, headers, n);
  buf_putc(out, '\n');
  put_names(out, headers, n);
  buf_putc(out, '\n');
  put_sha256(out, "", 0);
  return !out->failed;
}

static void hmac(uint8_t out[SHA256_SIZE], const void *key, size_t key_len, const char *text)
{
  hmac_sha256(key, key_len, text, strlen(text), out);
}

/* kSigning = HMAC(HMAC(HMAC(HMAC("AWS4" + key, date), region), service), "aws4_request") */
static void signing_key(uint8_t out[SHA256_SIZE], const struct sigv4_request *r, const char *day)
{
  AUTO_BUF struct buf first = BUF_SECRET(1024);
  buf_puts(&first, "AWS4");
  buf_puts(&first, r->secret_access_key);
  hmac(out, buf_str(&first), first.len, day);
  hmac(out, out, SHA256_SIZE, r->region);
  hmac(out, out, SHA256_SIZE, r->service);
  hmac(out, out, SHA256_SIZE, "aws4_request");
}

static void put_signature(struct buf *out, const struct sigv4_request *r, const char *day,
                          const struct buf *canonical)
{
  AUTO_BUF struct buf to_sign = BUF_INIT(4096);
  uint8_t key[SHA256_SIZE], mac[SHA256_SIZE];
  buf_printf(&to_sign, "AWS4-HMAC-SHA256\n%s\n%s/%s/%s/aws4_request\n", r->date, day, r->region,
             r->service);
  put_sha256(&to_sign, canonical->data, canonical->len);
  signing_key(key, r, day);
  hmac(mac, key, sizeof(key), buf_str(&to_sign));
  mem_wipe(key, sizeof(key));
  hex_encode(out, mac, sizeof(mac));
}

bool sigv4_authorization(struct buf *out, const struct sigv4_request *r)
{
  struct http_header headers[SIGV4_MAX_HEADERS + 1];
  char host[256], day[9];
  if (r->n_headers > SIGV4_MAX_HEADERS || !sigv4_host(r->url, host, sizeof(host)) ||
      strlen(r->secret_access_key) > 512)
    return false;
  headers[0] = (struct http_header){"host", host};
  for (size_t i = 0; i < r->n_headers; i++)
    headers[i + 1] = r->headers[i];
  size_t n = r->n_headers + 1;
  qsort(headers, n, sizeof(headers[0]), by_header_name);
  snprintf(day, sizeof(day), "%.8s", r->date);
  AUTO_BUF struct buf canonical = BUF_SECRET(CANONICAL_MAX);
  if (!put_canonical_request(&canonical, r, headers, n))
    return false;
  buf_printf(out, "AWS4-HMAC-SHA256 Credential=%s/%s/%s/%s/aws4_request, SignedHeaders=",
             r->access_key_id, day, r->region, r->service);
  put_names(out, headers, n);
  buf_puts(out, ", Signature=");
  put_signature(out, r, day, &canonical);
  return !out->failed;
}
