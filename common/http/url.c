/* URLs: checking a configured endpoint and putting a request's URL together. */
#include "common/http/url.h"

#include <curl/curl.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/config.h"
#include "common/base/mem.h"

static void cleanup_url(CURLU **u)
{
  curl_url_cleanup(*u);
}
#define AUTO_URL CLEANUP(cleanup_url)

static void cleanup_curl_string(char **s)
{
  curl_free(*s);
}
#define AUTO_CURL_STRING CLEANUP(cleanup_curl_string)

static bool has_part(CURLU *u, CURLUPart part)
{
  AUTO_CURL_STRING char *s = NULL;
  return curl_url_get(u, part, &s, 0) == CURLUE_OK;
}

/* What is wrong with an endpoint; NULL when nothing is. The text itself is not repeated: it
 * may hold a password. */
static const char *endpoint_problem(const char *endpoint)
{
  AUTO_URL CURLU *u = curl_url();
  AUTO_CURL_STRING char *scheme = NULL;
  CURLUcode rc = curl_url_set(u, CURLUPART_URL, endpoint, CURLU_NON_SUPPORT_SCHEME);
  if (rc != CURLUE_OK)
    return curl_url_strerror(rc);
  if (curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
      (!ascii_case_equal(scheme, "http") && !ascii_case_equal(scheme, "https")))
    return "the scheme is neither http nor https";
  if (has_part(u, CURLUPART_USER) || has_part(u, CURLUPART_PASSWORD))
    return "it contains a user name or password";
  if (has_part(u, CURLUPART_QUERY) || has_part(u, CURLUPART_FRAGMENT))
    return "it contains a query or fragment";
  return NULL;
}

enum err_code url_valid_endpoint(const char *name, const char *endpoint, struct err *e)
{
  const char *problem =
      endpoint == NULL || endpoint[0] == '\0' ? "it is empty" : endpoint_problem(endpoint);
  if (problem == NULL)
    return ERR_OK;
  return err_set(e, ERR_INVALID_ARGUMENT, "bad_endpoint",
                 "%s: %s; expected an endpoint such as https://example.com or "
                 "http://127.0.0.1:8080",
                 name, problem);
}

bool url_is_exposed(const char *endpoint)
{
  AUTO_URL CURLU *u = curl_url();
  AUTO_CURL_STRING char *scheme = NULL;
  AUTO_CURL_STRING char *host = NULL;
  if (curl_url_set(u, CURLUPART_URL, endpoint, 0) != CURLUE_OK ||
      curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
      curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK)
    return false;
  size_t len = strlen(host);
  if (len > 1 && host[0] == '[' && host[len - 1] == ']') {
    memmove(host, host + 1, len - 2);
    host[len - 2] = '\0';
  }
  return ascii_case_equal(scheme, "http") && !config_host_is_loopback(host);
}

bool url_join(struct buf *out, const char *endpoint, const char *path)
{
  size_t len = strlen(endpoint);
  while (len > 0 && endpoint[len - 1] == '/')
    len--;
  while (*path == '/')
    path++;
  return buf_append(out, endpoint, len) && buf_putc(out, '/') && buf_puts(out, path);
}

bool url_put_segment(struct buf *out, const char *segment)
{
  return percent_encode(out, segment, strlen(segment));
}

bool url_put_query(struct buf *out, const char *name, const char *value)
{
  char separator = strchr(buf_str(out), '?') != NULL ? '&' : '?';
  return buf_putc(out, separator) && url_put_segment(out, name) && buf_putc(out, '=') &&
         url_put_segment(out, value);
}
