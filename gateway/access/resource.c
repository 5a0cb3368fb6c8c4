/* The gateway as an OAuth resource server: challenges and metadata. */
#include "gateway/access/resource.h"

#include <string.h>
#include <strings.h>

#include "common/base/mem.h"

#define WELL_KNOWN "/.well-known/oauth-protected-resource"

struct resource {
  char *metadata;     /* JSON */
  char *metadata_url; /* where clients find it */
  const char *path;   /* of that URL; NULL without OAuth */
  char *scopes;       /* "a b"; NULL for none */
  char *needs[2];     /* by whether it compares with others; NULL for nothing */
};

/* The place after scheme://host, or NULL when the text is not a clean http(s) URL. */
static const char *path_of(const char *url)
{
  const char *rest = strncasecmp(url, "https://", 8) == 0  ? url + 8
                     : strncasecmp(url, "http://", 7) == 0 ? url + 7
                                                           : NULL;
  if (rest == NULL || rest[0] == '\0' || rest[0] == '/' || strpbrk(rest, "?#\"\\ \t,") != NULL)
    return NULL;
  size_t len = strlen(rest);
  if (rest[len - 1] == '/')
    return NULL;
  return rest + strcspn(rest, "/");
}

static enum err_code put_servers(struct buf *json, const char *list, struct err *e)
{
  size_t n = 0;
  while (list != NULL && *list != '\0') {
    list += strspn(list, ", \t");
    size_t len = strcspn(list, ", \t");
    if (len == 0)
      break;
    AUTO_FREE char *issuer = xstrndup(list, len);
    list += len;
    size_t bare = len;
    while (bare > 0 && issuer[bare - 1] == '/')
      bare--;
    AUTO_FREE char *checked = xstrndup(issuer, bare);
    if (path_of(checked) == NULL)
      return err_set(e, ERR_INVALID_ARGUMENT, "malformed",
                     "ANALYTICS_MCP_AUTH_SERVERS: \"%s\" is not a URL of the form "
                     "https://issuer.example.com",
                     issuer);
    buf_puts(json, n++ > 0 ? "," : "[");
    buf_put_json_string(json, issuer, len);
  }
  return buf_putc(json, ']') ? ERR_OK : ERR_RESOURCE_EXHAUSTED;
}

/* A scope-token (RFC 6749, 3.3) that a client may ask for: offline_access is between it and the
 * authorization server. */
static bool is_scope(const char *s, size_t len)
{
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)s[i];
    if (c <= 0x20 || c >= 0x7f || c == '"' || c == '\\')
      return false;
  }
  return !(len == 14 && memcmp(s, "offline_access", len) == 0);
}

/* Into the metadata, and blank-separated for challenges. */
static enum err_code put_scopes(struct resource *r, struct buf *json, const char *list,
                                struct err *e)
{
  struct buf all AUTO_BUF = BUF_INIT(4096);
  for (list = list != NULL ? list : ""; list[strspn(list, ", \t")] != '\0';) {
    list += strspn(list, ", \t");
    size_t len = strcspn(list, ", \t");
    if (!is_scope(list, len))
      return err_set(e, ERR_INVALID_ARGUMENT, "malformed",
                     "ANALYTICS_MCP_SCOPES: \"%.*s\" is not a scope to ask for", (int)len, list);
    buf_puts(json, all.len == 0 ? ",\"scopes_supported\":[" : ",");
    buf_put_json_string(json, list, len);
    buf_puts(&all, all.len == 0 ? "" : " ");
    buf_append(&all, list, len);
    list += len;
  }
  if (all.len > 0)
    buf_putc(json, ']');
  r->scopes = all.len > 0 ? xstrdup(buf_str(&all)) : NULL;
  return all.failed ? err_set(e, ERR_INVALID_ARGUMENT, "malformed",
                              "ANALYTICS_MCP_SCOPES: must be at most 4 KiB")
                    : ERR_OK;
}

/* What follows the last "/" or ":" of the scope that ends before `end`. */
static const char *last_part(const char *scope, const char *end)
{
  const char *last = scope;
  for (const char *s = scope; s < end; s++) {
    if (*s == '/' || *s == ':')
      last = s + 1;
  }
  return last;
}

/* The scopes of a blank-separated list whose last part is one of the two names. */
static char *pick(const char *list, const char *one, const char *other)
{
  struct buf out AUTO_BUF = BUF_INIT(4096);
  for (const char *s = list != NULL ? list : ""; *s != '\0'; s += strspn(s, " ")) {
    const char *end = s + strcspn(s, " "), *last = last_part(s, end);
    size_t len = (size_t)(end - last);
    if ((strlen(one) == len && memcmp(last, one, len) == 0) ||
        (strlen(other) == len && memcmp(last, other, len) == 0)) {
      buf_puts(&out, out.len > 0 ? " " : "");
      buf_append(&out, s, (size_t)(end - s));
    }
    s = end;
  }
  return out.len > 0 ? xstrdup(buf_str(&out)) : NULL;
}

const char *resource_needs(const struct resource *r, bool benchmarks)
{
  return r->needs[benchmarks];
}

static bool has_scope(char *const *scopes, size_t n, const char *scope, const char *end)
{
  const char *last = last_part(scope, end);
  for (size_t i = 0; i < n; i++) {
    size_t len = strlen(scopes[i]);
    if ((len == (size_t)(end - scope) && memcmp(scopes[i], scope, len) == 0) ||
        (len == (size_t)(end - last) && memcmp(scopes[i], last, len) == 0))
      return true;
  }
  return false;
}

bool resource_scopes_suffice(char *const *scopes, size_t n, const char *needed)
{
  for (const char *s = needed; *s != '\0'; s += strspn(s, " ")) {
    const char *end = s + strcspn(s, " ");
    if (!has_scope(scopes, n, s, end))
      return false;
    s = end;
  }
  return true;
}

static enum err_code build(struct resource *r, const struct resource_options *o, const char *path,
                           struct err *e)
{
  struct buf json AUTO_BUF = BUF_INIT(16384);
  const char *url = o->url;
  buf_puts(&json, "{\"resource\":");
  buf_put_json_string(&json, url, strlen(url));
  buf_puts(&json, ",\"authorization_servers\":");
  enum err_code code = put_servers(&json, o->auth_servers, e);
  if (code == ERR_OK)
    code = put_scopes(r, &json, o->scopes, e);
  if (code != ERR_OK)
    return code;
  buf_puts(&json,
           ",\"bearer_methods_supported\":[\"header\"],\"resource_name\":\"Analytics MCP\"}");
  r->metadata = buf_take(&json, NULL);
  r->needs[false] = pick(r->scopes, "analytics.read", "analytics.read");
  r->needs[true] = pick(r->scopes, "analytics.read", "benchmarks.read");
  r->metadata_url = xasprintf("%.*s" WELL_KNOWN "%s", (int)(path - url), url, path);
  r->path = r->metadata_url + (path - url);
  return ERR_OK;
}

enum err_code resource_new(struct resource **out, const struct resource_options *o, struct err *e)
{
  const char *resource_url = o->url, *auth_servers = o->auth_servers;
  bool url = resource_url != NULL && resource_url[0] != '\0';
  bool servers = auth_servers != NULL && auth_servers[strspn(auth_servers, ", \t")] != '\0';
  if (url != servers)
    return err_set(
        e, ERR_INVALID_ARGUMENT, "incomplete",
        "set both ANALYTICS_MCP_RESOURCE_URL and ANALYTICS_MCP_AUTH_SERVERS, or neither");
  const char *path = url ? path_of(resource_url) : NULL;
  if (url && path == NULL)
    return err_set(e, ERR_INVALID_ARGUMENT, "malformed",
                   "ANALYTICS_MCP_RESOURCE_URL: \"%s\" is not of the form "
                   "https://mcp.example.com/mcp (no query, no fragment, no slash at the end)",
                   resource_url);
  struct resource *r = xcalloc(1, sizeof(*r));
  enum err_code code = url ? build(r, o, path, e) : ERR_OK;
  if (code != ERR_OK) {
    resource_free(r);
    return code;
  }
  *out = r;
  return ERR_OK;
}

void resource_free(struct resource *r)
{
  if (r == NULL)
    return;
  free(r->metadata);
  free(r->metadata_url);
  free(r->scopes);
  for (size_t i = 0; i < ARRAY_LEN(r->needs); i++)
    free(r->needs[i]);
  free(r);
}

const char *resource_metadata(const struct resource *r)
{
  return r->metadata;
}

bool resource_is_metadata(const struct resource *r, const char *path)
{
  return strcmp(path, WELL_KNOWN) == 0 || strcmp(path, WELL_KNOWN "/mcp") == 0 ||
         (r->path != NULL && strcmp(path, r->path) == 0);
}

static void put_challenge(const struct resource *r, struct buf *out, const char *scopes,
                          const char *error, const char *description)
{
  buf_puts(out, "Bearer realm=\"analytics-mcp\"");
  if (r->metadata_url != NULL)
    buf_printf(out, ", resource_metadata=\"%s\"", r->metadata_url);
  if (scopes != NULL)
    buf_printf(out, ", scope=\"%s\"", scopes);
  if (error != NULL)
    buf_printf(out, ", error=\"%s\"", error);
  if (description != NULL)
    buf_printf(out, ", error_description=\"%s\"", description);
}

void resource_challenge(const struct resource *r, struct buf *out, const char *error,
                        const char *description)
{
  put_challenge(r, out, r->scopes, error, description);
}

void resource_step_up(const struct resource *r, struct buf *out, const char *needed)
{
  put_challenge(r, out, needed, "insufficient_scope", "The token lacks a scope that this needs");
}
