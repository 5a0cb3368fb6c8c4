/* redis:// and rediss:// addresses. */
#include "report-svc/shared/url.h"

#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"

enum { MAX_DATABASE = 9999, MAX_PORT = 65535 };

static enum err_code refuse(struct err *e, const char *what, const char *why)
{
  return err_set(e, ERR_INVALID_ARGUMENT, "invalid_config",
                 "%s: %s; expected redis://user:password@host:port/database, or rediss:// for TLS",
                 what, why);
}

/* The text without its percent-encoding; NULL when that is malformed or hides a NUL. */
static char *decoded(const char *s, size_t len)
{
  AUTO_BUF struct buf out = BUF_SECRET(REDIS_URL_MAX);
  for (size_t i = 0; i < len; i++) {
    if (s[i] != '%') {
      buf_putc(&out, s[i]);
      continue;
    }
    if (len - i < 3 || memcmp(s + i, "%00", 3) == 0 || !hex_decode(&out, s + i + 1, 2))
      return NULL;
    i += 2;
  }
  return buf_take(&out, NULL);
}

/* Digits alone, at most `max`. */
static bool read_number(uint32_t *out, const char *s, size_t len, uint32_t max)
{
  uint32_t n = 0;
  for (size_t i = 0; i < len; i++) {
    if (s[i] < '0' || s[i] > '9' || n > max)
      return false;
    n = n * 10 + (uint32_t)(s[i] - '0');
  }
  *out = n;
  return len > 0 && n <= max;
}

static enum err_code read_userinfo(struct redis_url *u, const char *what, const char *s, size_t len,
                                   struct err *e)
{
  const char *colon = memchr(s, ':', len);
  size_t user_len = colon == NULL ? len : (size_t)(colon - s);
  if (user_len > 0 && (u->user = decoded(s, user_len)) == NULL)
    return refuse(e, what, "the user is not well percent-encoded");
  if (colon != NULL && (u->password = decoded(colon + 1, len - user_len - 1)) == NULL)
    return refuse(e, what, "the password is not well percent-encoded");
  if (u->user != NULL && u->password == NULL)
    return refuse(e, what, "a user needs a password");
  return ERR_OK;
}

/* host, host:port, [v6] or [v6]:port */
static enum err_code read_place(struct redis_url *u, const char *what, const char *s, size_t len,
                                struct err *e)
{
  uint32_t port = 6379;
  const char *end = s[0] == '[' ? memchr(s, ']', len) : memchr(s, ':', len);
  if (s[0] == '[' && end == NULL)
    return refuse(e, what, "\"[\" without \"]\"");
  size_t skip = s[0] == '[', host_len = end == NULL ? len : (size_t)(end - s) - skip;
  const char *rest = s + skip + host_len + skip;
  size_t rest_len = len - (size_t)(rest - s);
  if (host_len == 0)
    return refuse(e, what, "no host");
  if (rest_len > 0 &&
      (rest[0] != ':' || !read_number(&port, rest + 1, rest_len - 1, MAX_PORT) || port == 0))
    return refuse(e, what, "the port must be 1 to 65535");
  u->host = xstrndup(s + skip, host_len);
  u->port = xasprintf("%u", port);
  return ERR_OK;
}

static enum err_code parse(struct redis_url *u, const char *what, const char *text, struct err *e)
{
  u->tls = strncmp(text, "rediss://", 9) == 0;
  if (!u->tls && strncmp(text, "redis://", 8) != 0)
    return refuse(e, what, "unknown scheme");
  const char *s = text + (u->tls ? 9 : 8);
  if (strlen(text) > REDIS_URL_MAX || strpbrk(s, "?# \t\r\n") != NULL)
    return refuse(e, what, "too long, or with a query, a fragment or a space");
  size_t len = strcspn(s, "/");
  const char *path = s + len, *at = memrchr(s, '@', len);
  if (at != NULL && read_userinfo(u, what, s, (size_t)(at - s), e) != ERR_OK)
    return e->code;
  if (at != NULL) {
    len -= (size_t)(at + 1 - s);
    s = at + 1;
  }
  if (path[0] == '/' && path[1] != '\0' &&
      !read_number(&u->database, path + 1, strlen(path + 1), MAX_DATABASE))
    return refuse(e, what, "the database must be a number");
  return read_place(u, what, s, len, e);
}

enum err_code redis_url_parse(struct redis_url *out, const char *what, const char *text,
                              struct err *e)
{
  *out = (struct redis_url){0};
  enum err_code code = parse(out, what, text, e);
  if (code != ERR_OK)
    redis_url_free(out);
  return code;
}

void redis_url_free(struct redis_url *u)
{
  if (u->password != NULL)
    mem_wipe(u->password, strlen(u->password));
  free(u->password);
  free(u->user);
  free(u->host);
  free(u->port);
  *u = (struct redis_url){0};
}
