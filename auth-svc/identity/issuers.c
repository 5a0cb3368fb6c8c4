/* Looks issuers up. */
#include "auth-svc/identity/issuers.h"

#include <stdio.h>
#include <string.h>

#include "auth-svc/identity/names.h"
#include "common/base/mem.h"

struct issuers *issuers_none(void)
{
  struct issuers *i = xcalloc(1, sizeof(*i));
  atomic_init(&i->refs, 1);
  return i;
}

struct issuers *issuers_ref(struct issuers *i)
{
  atomic_fetch_add_explicit(&i->refs, 1, memory_order_relaxed);
  return i;
}

void issuers_unref(struct issuers *i)
{
  if (i == NULL || atomic_fetch_sub_explicit(&i->refs, 1, memory_order_acq_rel) != 1)
    return;
  arena_free(i->arena);
  free(i);
}

const struct issuer *issuers_find(const struct issuers *i, const char *iss)
{
  for (size_t k = 0; k < i->n; k++)
    if (strcmp(i->items[k].issuer, iss) == 0)
      return &i->items[k];
  return NULL;
}

bool issuers_own_subject(const struct issuers *i, const char *subject)
{
  for (size_t k = 0; k < i->n; k++) {
    size_t n = strlen(i->items[k].name);
    if (strncmp(subject, i->items[k].name, n) == 0 && subject[n] == ':')
      return true;
  }
  return false;
}

/* The names themselves among what a rule gives; templates are known only with a token. */
static struct claim_list literals(const struct mapping_sources *from, const char **room)
{
  struct claim_list out = {.items = room};
  for (size_t i = 0; i < from->n; i++)
    if (from->items[i].kind == SOURCE_TEXT)
      out.items[out.n++] = from->items[i].text;
  return out;
}

static void look_up_rule(struct unknown_names *u, const char *where, const struct mapping_rule *r)
{
  AUTO_FREE const char **room =
      xcalloc(r->dealers.n + r->regions.n + r->groups.n + 1, sizeof(*room));
  const struct claims c = {.dealers = literals(&r->dealers, room),
                           .regions = literals(&r->regions, room + r->dealers.n),
                           .groups = literals(&r->groups, room + r->dealers.n + r->regions.n)};
  names_look_up(u, where, &c);
}

size_t issuers_unknown_names(const struct issuers *is, const struct directory *directory,
                             struct buf *out)
{
  struct unknown_names u = {.directory = directory, .out = out};
  for (size_t i = 0; i < is->n; i++)
    for (size_t k = 0; k < is->items[i].mapping.n; k++) {
      char where[64];
      snprintf(where, sizeof(where), "issuers[%zu].rules[%zu]", i, k);
      look_up_rule(&u, where, &is->items[i].mapping.rules[k]);
    }
  return names_unknown(&u);
}
