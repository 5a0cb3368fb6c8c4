/* What a signed token may be used for. */
#include "auth-svc/identity/scopes.h"

#include <string.h>

#include "common/base/mem.h"

struct list {
  struct arena *arena;
  char **items;
  size_t n;
};

static bool add(struct list *list, const char *scope, size_t len)
{
  char *copy = len > 0 && len <= SCOPE_MAX_BYTES && list->n < SCOPES_MAX
                   ? arena_alloc(list->arena, len + 1)
                   : NULL;
  if (copy == NULL)
    return false;
  memcpy(copy, scope, len);
  copy[len] = '\0';
  list->items[list->n++] = copy;
  return true;
}

/* Scopes with blanks between them. */
static bool add_words(struct list *list, const char *text)
{
  bool good = true;
  for (text += strspn(text, " "); good && *text != '\0'; text += strspn(text, " ")) {
    size_t len = strcspn(text, " ");
    good = add(list, text, len);
    text += len;
  }
  return good;
}

static bool add_claim(struct list *list, const cJSON *claim)
{
  const cJSON *one;
  if (cJSON_IsString(claim))
    return add_words(list, claim->valuestring);
  bool good = cJSON_IsArray(claim);
  cJSON_ArrayForEach(one, claim)
  {
    good = good && cJSON_IsString(one) && add(list, one->valuestring, strlen(one->valuestring));
  }
  return good;
}

bool scopes_read(Analytics__Auth__V1__Grant *grant, const cJSON *claims, struct arena *arena)
{
  static const char *const names[] = {"scope", "scp"};
  struct list list = {.arena = arena};
  list.items = arena_alloc(arena, SCOPES_MAX * sizeof(char *));
  bool good = list.items != NULL;
  for (size_t i = 0; i < ARRAY_LEN(names); i++) {
    const cJSON *claim = cJSON_GetObjectItemCaseSensitive(claims, names[i]);
    if (claim == NULL)
      continue;
    grant->scoped = true;
    good = good && add_claim(&list, claim);
  }
  grant->scopes = list.items;
  grant->n_scopes = list.n;
  return good;
}
