/* Looks policies and revocations up. */
#include "auth-svc/identity/policies.h"

#include <stdlib.h>
#include <string.h>

#include "auth-svc/dealers/catalogue.h"
#include "common/base/mem.h"

enum { NAMED_UNKNOWN_MAX = 5 };

struct policies *policies_none(void)
{
  struct policies *p = xcalloc(1, sizeof(*p));
  atomic_init(&p->refs, 1);
  return p;
}

struct policies *policies_ref(struct policies *p)
{
  atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
  return p;
}

void policies_unref(struct policies *p)
{
  if (p == NULL || atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
    return;
  arena_free(p->arena);
  free(p);
}

const struct policy *policies_find(const struct policies *p, const char *identity)
{
  for (size_t i = 0; *identity != '\0' && i < p->n; i++)
    if (strcmp(p->items[i].identity, identity) == 0)
      return &p->items[i];
  return NULL;
}

/* ------------------------------------------------------------------- revocations */

static int compare(const void *wanted, const void *item)
{
  return strcmp(wanted, *(const char *const *)item);
}

static bool holds(const struct claim_list *list, const char *text)
{
  return list->n > 0 && *text != '\0' &&
         bsearch(text, list->items, list->n, sizeof(list->items[0]), compare) != NULL;
}

enum err_code policies_check_revoked(const struct policies *p, const char *subject,
                                     const char *token_id, const char *token_sha256, struct err *e)
{
  const char *what = holds(&p->subjects, subject)            ? "subject"
                     : holds(&p->token_ids, token_id)        ? "token id"
                     : holds(&p->token_hashes, token_sha256) ? "bearer token"
                                                             : NULL;
  return what == NULL
             ? ERR_OK
             : err_set(e, ERR_UNAUTHENTICATED, "revoked",
                       "this %s has been revoked; ask the operator for another token", what);
}

/* ------------------------------------------------------------------ unknown names */

static bool knows_dealer(const struct directory *d, const char *name)
{
  return directory_by_name(d, name) != NULL;
}

/* For a dealer the claim `regions` may name cohorts too. */
static bool knows_region(const struct directory *d, const char *name)
{
  return directory_region(d, name) < d->n_regions || catalogue_find(d, name, strlen(name)) != NULL;
}

static bool knows_group(const struct directory *d, const char *name)
{
  for (size_t i = 0; i < d->n_dealers; i++)
    if (dealer_in_group(&d->dealers[i], name))
      return true;
  return false;
}

struct unknown {
  const struct directory *directory;
  struct buf *out;
  size_t n;
};

static void look_up(struct unknown *u, size_t policy, const char *field,
                    const struct claim_list *list,
                    bool knows(const struct directory *d, const char *name))
{
  for (size_t i = 0; i < list->n; i++) {
    if (knows(u->directory, list->items[i]))
      continue;
    if (u->n++ < NAMED_UNKNOWN_MAX)
      buf_printf(u->out, "%spolicies[%zu].%s \"%.80s\"", u->n > 1 ? ", " : "", policy, field,
                 list->items[i]);
  }
}

size_t policies_unknown_names(const struct policies *p, const struct directory *directory,
                              struct buf *out)
{
  struct unknown u = {.directory = directory, .out = out};
  for (size_t i = 0; i < p->n; i++) {
    const struct claims *c = &p->items[i].claims;
    look_up(&u, i, "dealers", &c->dealers, knows_dealer);
    look_up(&u, i, "regions", &c->regions, knows_region);
    look_up(&u, i, "groups", &c->groups, knows_group);
  }
  if (u.n > NAMED_UNKNOWN_MAX)
    buf_printf(out, " and %zu more", u.n - NAMED_UNKNOWN_MAX);
  return u.n;
}
