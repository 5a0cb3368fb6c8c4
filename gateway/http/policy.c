/* Decisions on request headers: what the client accepts, where it may come from. */
#include "gateway/http/policy.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/codec.h"
#include "common/base/config.h"
#include "common/base/mem.h"

/* A part of a header value. */
struct span {
  const char *at;
  size_t len;
};

static struct span trim(struct span s)
{
  ascii_trim(&s.at, &s.len);
  return s;
}

/* Cuts the part before the separator off *rest. False when nothing is left. */
static bool next_part(const char **rest, char separator, struct span *out)
{
  if (*rest == NULL)
    return false;
  const char *end = strchr(*rest, separator);
  *out = trim((struct span){*rest, end != NULL ? (size_t)(end - *rest) : strlen(*rest)});
  *rest = end != NULL ? end + 1 : NULL;
  return true;
}

static bool span_is(struct span s, const char *text)
{
  return s.len == strlen(text) && strncasecmp(s.at, text, s.len) == 0;
}

/* ----------------------------------------------------------------- accept */

/* Whether a media range's quality is 0: "q=0", "q=0.0", ... */
static bool refused(struct span params)
{
  for (size_t i = 0; i + 2 < params.len; i++) {
    bool start = i == 0 || params.at[i - 1] == ';' || params.at[i - 1] == ' ';
    if (!start || tolower((unsigned char)params.at[i]) != 'q' || params.at[i + 1] != '=')
      continue;
    size_t j = i + 2;
    while (j < params.len && (params.at[j] == '0' || params.at[j] == '.'))
      j++;
    return j == params.len || params.at[j] == ';' || params.at[j] == ' ';
  }
  return false;
}

/* How closely a range names the type: 3 exactly, 2 "type/ *", 1 any, 0 not at all. */
static int closeness(struct span range, const char *type, const char *family)
{
  return span_is(range, type) ? 3 : span_is(range, family) ? 2 : span_is(range, "*/*") ? 1 : 0;
}

/* The closest range decides. */
static bool accepts(const char *value, const char *type, const char *family)
{
  int best = 0;
  bool yes = false;
  struct span part;
  while (next_part(&value, ',', &part)) {
    const char *semicolon = memchr(part.at, ';', part.len);
    size_t n = semicolon != NULL ? (size_t)(semicolon - part.at) : part.len;
    int close = closeness(trim((struct span){part.at, n}), type, family);
    if (close > best) {
      best = close;
      yes = !refused((struct span){part.at + n, part.len - n});
    }
  }
  return yes;
}

struct accept accept_read(const char *value)
{
  if (value == NULL || value[strspn(value, " \t")] == '\0')
    return (struct accept){.json = true};
  return (struct accept){.json = accepts(value, "application/json", "application/*"),
                         .sse = accepts(value, "text/event-stream", "text/*")};
}

bool content_type_is_json(const char *value)
{
  struct span essence;
  return next_part(&value, ';', &essence) && span_is(essence, "application/json");
}

const char *bearer_token(const char *value)
{
  if (value == NULL || strncasecmp(value, "Bearer", 6) != 0 ||
      (value[6] != ' ' && value[6] != '\t'))
    return NULL;
  value += 6 + strspn(value + 6, " \t");
  return value[0] != '\0' ? value : NULL;
}

bool bearer_well_formed(const char *token)
{
  static const char alphabet[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                 "-._~+/";
  size_t n = strspn(token, alphabet);
  return n > 0 && token[n + strspn(token + n, "=")] == '\0';
}

/* ---------------------------------------------------------------- origins */

enum { MAX_ENTRIES = 64 };

/* port 0 in a host entry means any port. */
struct entry {
  const char *scheme; /* "" for hosts */
  char host[256];
  uint16_t port;
};

struct origins {
  struct entry origins[MAX_ENTRIES];
  struct entry hosts[MAX_ENTRIES];
  size_t n_origins, n_hosts;
  bool any_host, default_origins;
};

static void lower(char *s)
{
  for (; *s != '\0'; s++)
    *s = (char)tolower((unsigned char)*s);
}

/* host[:port]; the port is optional. */
static bool read_host(const char *text, struct entry *out)
{
  char host[256];
  out->port = 0;
  bool bracket = text[0] == '[';
  const char *colon = strrchr(text, ':');
  if (colon != NULL && !(bracket && colon < strchr(text, ']'))) {
    if (!config_split_hostport(text, host, sizeof(host), &out->port) || out->port == 0)
      return false;
  } else {
    size_t len = strlen(text);
    if (bracket && (len < 3 || text[len - 1] != ']'))
      return false;
    len -= bracket ? 2 : 0;
    if (len >= sizeof(host))
      return false;
    text_copy(host, len + 1, text + (bracket ? 1 : 0));
  }
  if (host[0] == '\0' || strpbrk(host, "/ \t,@?#") != NULL)
    return false;
  text_copy(out->host, sizeof(out->host), host);
  lower(out->host);
  return true;
}

/* scheme://host[:port] and nothing after; the scheme's own port is the default. */
static bool read_origin(const char *text, struct entry *out)
{
  static const struct {
    const char *scheme;
    uint16_t port;
  } schemes[] = {{"http", 80}, {"https", 443}};
  for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
    size_t n = strlen(schemes[i].scheme);
    if (strncasecmp(text, schemes[i].scheme, n) != 0 || strncmp(text + n, "://", 3) != 0)
      continue;
    if (!read_host(text + n + 3, out))
      return false;
    out->scheme = schemes[i].scheme;
    if (out->port == 0)
      out->port = schemes[i].port;
    return true;
  }
  return false;
}

static enum err_code read_list(const char *list, const char *what, const char *form,
                               bool (*read)(const char *text, struct entry *out), struct entry *out,
                               size_t *n, struct err *e)
{
  struct span part;
  while (next_part(&list, ',', &part)) {
    if (part.len == 0)
      continue;
    AUTO_FREE char *text = xstrndup(part.at, part.len);
    if (*n == MAX_ENTRIES)
      return err_set(e, ERR_INVALID_ARGUMENT, "too_many", "%s: at most %d entries", what,
                     MAX_ENTRIES);
    if (!read(text, &out[*n]))
      return err_set(e, ERR_INVALID_ARGUMENT, "malformed", "%s: \"%s\" is not of the form %s", what,
                     text, form);
    (*n)++;
  }
  return ERR_OK;
}

static const char *const loopback[] = {"localhost", "127.0.0.1", "::1"};

static void default_origins(struct origins *o, uint16_t port)
{
  o->default_origins = true;
  for (size_t i = 0; i < ARRAY_LEN(loopback); i++) {
    struct entry *entry = &o->origins[o->n_origins++];
    entry->scheme = "http";
    entry->port = port;
    snprintf(entry->host, sizeof(entry->host), "%s", loopback[i]);
  }
}

static void default_hosts(struct origins *o, const char *bound_host)
{
  o->any_host = !config_host_is_loopback(bound_host);
  for (size_t i = 0; i < ARRAY_LEN(loopback); i++)
    snprintf(o->hosts[o->n_hosts++].host, sizeof(o->hosts[0].host), "%s", loopback[i]);
}

enum err_code origins_new(struct origins **out, const char *allowed_origins,
                          const char *allowed_hosts, const char *bound_host, uint16_t port,
                          struct err *e)
{
  struct origins *o = xcalloc(1, sizeof(*o));
  enum err_code code = read_list(allowed_origins, "ANALYTICS_MCP_ALLOWED_ORIGINS",
                                 "https://host[:port] (\"*\" is not supported)", read_origin,
                                 o->origins, &o->n_origins, e);
  if (code == ERR_OK)
    code = read_list(allowed_hosts, "ANALYTICS_MCP_ALLOWED_HOSTS", "host[:port]", read_host,
                     o->hosts, &o->n_hosts, e);
  if (code != ERR_OK) {
    free(o);
    return code;
  }
  if (o->n_origins == 0)
    default_origins(o, port);
  if (o->n_hosts == 0)
    default_hosts(o, bound_host);
  *out = o;
  return ERR_OK;
}

void origins_set_port(struct origins *o, uint16_t port)
{
  for (size_t i = 0; o->default_origins && i < o->n_origins; i++)
    o->origins[i].port = port;
}

void origins_free(struct origins *o)
{
  free(o);
}

bool origin_allowed(const struct origins *o, const char *origin)
{
  if (origin == NULL)
    return true;
  struct entry given;
  if (!read_origin(origin, &given))
    return false;
  for (size_t i = 0; i < o->n_origins; i++) {
    const struct entry *allowed = &o->origins[i];
    if (strcmp(allowed->scheme, given.scheme) == 0 && allowed->port == given.port &&
        strcmp(allowed->host, given.host) == 0)
      return true;
  }
  return false;
}

bool host_allowed(const struct origins *o, const char *host)
{
  if (o->any_host)
    return true;
  struct entry given;
  if (host == NULL || !read_host(host, &given))
    return false;
  for (size_t i = 0; i < o->n_hosts; i++) {
    const struct entry *allowed = &o->hosts[i];
    if (strcmp(allowed->host, given.host) == 0 &&
        (allowed->port == 0 || allowed->port == given.port))
      return true;
  }
  return false;
}
