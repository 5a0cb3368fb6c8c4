/* Reads paths of claims and follows them. */
#include "auth-svc/identity/claim_path.h"

#include <stdbool.h>
#include <string.h>

/* What stands in neither kind of step: it would end the step or the template around the path. */
static bool may_stand(char c, bool quoted)
{
  if (c < 0x20 || c > 0x7e || c == '\'' || c == '{' || c == '}')
    return false;
  return quoted || (c != '.' && c != '/' && c != ' ');
}

/* One step from *at on, which then is behind it. */
static const char *read_step(struct claim_path *out, const char **at, const char *end,
                             struct arena *arena)
{
  const char *s = *at;
  bool quoted = s < end && *s == '\'';
  s += quoted;
  const char *from = s;
  while (s < end && may_stand(*s, quoted))
    s++;
  if (quoted && (s == end || *s != '\''))
    return "a quoted step must end in ' and hold printable ASCII without ', { and }";
  if (s == from)
    return "every step must be a name; quote one with dots, slashes or blanks: "
           "'https://example.com/dealers'";
  if (out->n == CLAIM_STEPS_MAX)
    return "must have at most 6 steps";
  char *step = arena_xalloc(arena, (size_t)(s - from) + 1);
  memcpy(step, from, (size_t)(s - from));
  out->steps[out->n++] = step;
  *at = s + quoted;
  return NULL;
}

const char *claim_path_read(struct claim_path *out, const char *text, size_t len,
                            struct arena *arena)
{
  const char *end = text + len;
  if (len == 0 || len > CLAIM_PATH_MAX)
    return "must be a claim of 1 to 256 bytes, such as realm_access.roles";
  char *copy = arena_xalloc(arena, len + 1);
  memcpy(copy, text, len);
  *out = (struct claim_path){.text = copy};
  for (;;) {
    const char *why = read_step(out, &text, end, arena);
    if (why != NULL)
      return why;
    if (text == end)
      return NULL;
    if (*text != '.')
      return "steps must be separated by dots; quote one with dots, slashes or blanks: "
             "'https://example.com/dealers'";
    text++;
  }
}

const cJSON *claim_path_find(const struct claim_path *p, const cJSON *claims)
{
  const cJSON *at = claims;
  for (size_t i = 0; i < p->n && at != NULL; i++)
    at = cJSON_IsObject(at) ? cJSON_GetObjectItemCaseSensitive(at, p->steps[i]) : NULL;
  return at;
}
