/* The fields of a credential: text, URL, object; and how each is refused. */
#include "auth-svc/credential/reader.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/nearest.h"
#include "auth-svc/credential/open_host.h"
#include "auth-svc/credential/exchange.h"

bool config_knows_key(const char *key, const char *const *known, size_t n, char *advice,
                      size_t size)
{
  struct nearest best = {0};
  size_t len = 0;
  for (size_t i = 0; i < n; i++) {
    if (strcmp(key, known[i]) == 0)
      return true;
    nearest_offer(&best, i, nearest_distance(key, known[i]));
  }
  if (best.n > 0) {
    snprintf(advice, size, "unknown key; did you mean \"%s\"?", known[best.item[0]]);
    return false;
  }
  len = (size_t)snprintf(advice, size, "unknown key; known %s", n == 1 ? "is" : "are");
  for (size_t i = 0; i < n && len < size; i++)
    len += (size_t)snprintf(advice + len, size - len, "%s %s", i > 0 ? "," : "", known[i]);
  return false;
}

enum err_code place_refuse(const struct place *p, const char *key, const char *fmt, ...)
{
  char field[CONFIG_PATH_MAX + 70], text[400];
  snprintf(field, sizeof(field), "%s%s%.64s", p->path, *p->path != '\0' && *key != '\0' ? "." : "",
           key);
  va_list ap;
  va_start(ap, fmt);
  vsnprintf(text, sizeof(text), fmt, ap);
  va_end(ap);
  return p->config->refuse(p->config->user, field, text);
}

enum err_code place_object(const struct place *p, const cJSON *object, const char *key,
                           enum presence presence, struct place *child, const cJSON **out)
{
  *out = cJSON_GetObjectItemCaseSensitive(object, key);
  if (*out == NULL && presence == OPTIONAL)
    return ERR_OK;
  if (!cJSON_IsObject(*out))
    return place_refuse(p, key, "%smust be an object", *out == NULL ? "missing; " : "");
  *child = (struct place){.config = p->config, .strict = p->strict, .scope = p->scope};
  snprintf(child->path, sizeof(child->path), "%.120s%s%.32s", p->path, *p->path != '\0' ? "." : "",
           key);
  return ERR_OK;
}

enum err_code place_keys(const struct place *p, const cJSON *object, const char *const *known,
                         size_t n)
{
  if (p->strict && p->config->on_keys != NULL)
    p->config->on_keys(p->config->user, p->path, known, n);
  for (const cJSON *c = p->strict ? object->child : NULL; c != NULL; c = c->next) {
    char advice[CONFIG_ADVICE_MAX];
    if (!config_knows_key(c->string, known, n, advice, sizeof(advice)))
      return place_refuse(p, c->string, "%s", advice);
  }
  return ERR_OK;
}

bool config_has_control(const char *s)
{
  for (; *s != '\0'; s++)
    if ((unsigned char)*s < 0x20 || *s == 0x7f)
      return true;
  return false;
}

/* May be empty: gcloud writes "account": "". */
enum err_code place_unread(const struct place *p, const cJSON *object, const char *const *keys,
                           size_t n)
{
  for (size_t i = 0; i < n && p->strict; i++) {
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, keys[i]);
    if (v != NULL && !cJSON_IsString(v))
      return place_refuse(p, keys[i], "must be a string, as Google writes it, or left out");
  }
  return ERR_OK;
}

/* Whether "host", "host:443" or "[::1]:443" stands before the path: a typing error there shows
 * at the first token otherwise. */
static bool has_host_and_port(const char *url)
{
  const char *host = strstr(url, "://");
  if (host == NULL)
    return false;
  host += 3;
  const char *end = host + strcspn(host, "/?#");
  const char *p = host + (*host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":[]/?#"));
  if (p > end || (*host == '[' && p == host + 2))
    return false;
  size_t digits = *p == ':' ? strspn(p + 1, "0123456789") : 0;
  return p == end || (digits >= 1 && digits <= 5 && p + 1 + digits == end);
}

/* A PEM has lines; nothing else has. */
static bool may_have_lines(size_t max)
{
  return max == CONFIG_PEM_MAX;
}

enum err_code place_text(const struct place *p, const cJSON *object, const char *key,
                         enum presence presence, size_t max, const char **out)
{
  const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, key);
  *out = NULL;
  if (v == NULL && presence == OPTIONAL)
    return ERR_OK;
  if (!cJSON_IsString(v) || v->valuestring[0] == '\0')
    return place_refuse(p, key, "%smust be a non-empty string", v == NULL ? "missing; " : "");
  if (strlen(v->valuestring) > max)
    return place_refuse(p, key, "longer than %zu bytes", max);
  if (!may_have_lines(max) && config_has_control(v->valuestring))
    return place_refuse(p, key, "holds a control character, such as a tab or a line end");
  *out = v->valuestring;
  return ERR_OK;
}

/* Link-local, where clouds have their metadata servers; AWS has one in fd00:ec2::/32 too. */
static bool is_metadata_address(const char *name)
{
  struct in_addr v4;
  if (inet_pton(AF_INET, name, &v4) == 1)
    return ntohl(v4.s_addr) >> 16 == 0xa9fe;
  return strcasecmp(name, "fd00:ec2::254") == 0;
}

enum err_code place_url(const struct place *p, const cJSON *object, const char *key,
                        enum presence presence, enum url_rule rule, const char **out)
{
  char host[256], name[256];
  enum err_code code = place_text(p, object, key, presence, CONFIG_URL_MAX, out);
  if (code != ERR_OK || *out == NULL)
    return code;
  if (!has_host_and_port(*out))
    return place_refuse(p, key, "must be an https URL, such as https://host.example:443/path");
  if (strchr(*out, ' ') != NULL || !url_host(*out, host, sizeof(host)) ||
      !open_host_name(host, name, sizeof(name)))
    return place_refuse(p, key, "must be an https URL");
  if (!open_host_url_is_safe(*out) && !(rule == URL_METADATA && is_metadata_address(name)))
    return place_refuse(p, key,
                        "must be an https URL: secrets would travel in the clear to %.100s (plain "
                        "http is for loopback%s, and for a simulator that "
                        "AUTH_ALLOW_HTTP_TOKEN_HOST names)",
                        name, rule == URL_METADATA ? " and metadata addresses" : "");
  return ERR_OK;
}

enum err_code place_quota(const struct place *p, const cJSON *object, const char **out)
{
  enum err_code code = place_text(p, object, "quota_project_id", OPTIONAL, CONFIG_NAME_MAX, out);
  if (code == ERR_OK && p->quota_project != NULL)
    *out = p->quota_project;
  return code;
}
