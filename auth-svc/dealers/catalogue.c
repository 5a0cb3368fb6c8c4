/* Rules and look-up of the catalogue. */
#include "auth-svc/dealers/catalogue.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/mem.h"

static int by_text(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

size_t catalogue_owners(const struct directory *d, const uint16_t *members, size_t n)
{
  AUTO_FREE const char **owners = xcalloc(n + 1, sizeof(*owners));
  size_t named = 0, unnamed = 0, distinct = 0;
  for (size_t i = 0; i < n; i++) {
    const char *owner = d->dealers[members[i]].owner;
    if (owner[0] != '\0')
      owners[named++] = owner;
    else
      unnamed++;
  }
  if (named > 1)
    qsort(owners, named, sizeof(*owners), by_text);
  for (size_t i = 0; i < named; i++)
    distinct += i == 0 || strcmp(owners[i - 1], owners[i]) != 0;
  return distinct + unnamed;
}

bool catalogue_is_crowd(const struct directory *d, const uint16_t *members, size_t n)
{
  return n >= CATALOGUE_MIN_CONTRIBUTORS && catalogue_owners(d, members, n) >= CATALOGUE_MIN_OWNERS;
}

bool catalogue_is_benchmark(const struct directory *d, const struct catalogued *c)
{
  return c->n_members > CATALOGUE_MIN_CONTRIBUTORS &&
         catalogue_is_crowd(d, c->members, c->n_members);
}

/* Members of a that are not of b; both ascend. */
static size_t subtract(const struct catalogued *a, const struct catalogued *b, uint16_t *out)
{
  size_t n = 0, k = 0;
  for (size_t i = 0; i < a->n_members; i++) {
    while (k < b->n_members && b->members[k] < a->members[i])
      k++;
    if (k == b->n_members || b->members[k] != a->members[i])
      out[n++] = a->members[i];
  }
  return n;
}

static bool isolates(const struct directory *d, const struct catalogued *a,
                     const struct catalogued *b)
{
  AUTO_FREE uint16_t *rest = xcalloc(a->n_members + 1, sizeof(*rest));
  size_t n = subtract(a, b, rest);
  return n > 0 && n < a->n_members && !catalogue_is_crowd(d, rest, n);
}

bool catalogue_conflict(const struct directory *d, const struct catalogued *a,
                        const struct catalogued *b)
{
  return a->benchmark && b->benchmark && (isolates(d, a, b) || isolates(d, b, a));
}

const struct catalogued *catalogue_find(const struct directory *d, const char *id, size_t len)
{
  for (size_t i = 0; i < d->n_cohorts; i++)
    if (strlen(d->cohorts[i].id) == len && strncasecmp(d->cohorts[i].id, id, len) == 0)
      return &d->cohorts[i];
  return NULL;
}

const struct catalogued *catalogue_region(const struct directory *d, size_t region)
{
  for (size_t i = 0; i < d->n_cohorts; i++)
    if (d->cohorts[i].region == region)
      return &d->cohorts[i];
  return NULL;
}

char *catalogue_slug(struct arena *arena, const char *name)
{
  char *s = arena_strdup(arena, name);
  for (char *p = s; p != NULL && *p != '\0'; p++)
    *p = isspace((unsigned char)*p) || *p == '@' ? '-' : (char)tolower((unsigned char)*p);
  return s;
}

bool catalogue_has(const struct catalogued *c, const struct dealer *dealer)
{
  for (size_t i = 0; i < c->n_members; i++)
    if (c->members[i] == dealer->index)
      return true;
  return false;
}
