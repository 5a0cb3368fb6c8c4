/* Turns claims into a grant. */
#include "auth-svc/identity/claims.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

static const char *const roles[] = {"", "admin", "group", "dealer"};

bool claims_role(const char *name, Analytics__Auth__V1__Role *out)
{
  size_t i = text_find(roles, ARRAY_LEN(roles), name) % ARRAY_LEN(roles);
  *out = (Analytics__Auth__V1__Role)i;
  return i > 0;
}

const char *claims_role_name(Analytics__Auth__V1__Role role)
{
  return (size_t)role < ARRAY_LEN(roles) ? roles[role] : "";
}

static bool listed(const struct claim_list *list, const char *name)
{
  for (size_t i = 0; i < list->n; i++)
    if (ascii_case_equal(list->items[i], name))
      return true;
  return false;
}

static int by_name(const void *a, const void *b)
{
  return strcasecmp(*(const char *const *)a, *(const char *const *)b);
}

/* Look-ups, not comparisons of all with all: a token may list 1,000 dealers out of 5,000, and
 * this runs on the poller. */
static void mark_named(bool *direct, const struct claim_list *names,
                       const struct directory *directory)
{
  for (size_t i = 0; i < names->n; i++) {
    const struct dealer *d = directory_by_name(directory, names->items[i]);
    if (d != NULL)
      direct[d->index] = true;
  }
}

static bool in_sorted(const char **names, size_t n, const struct dealer *d)
{
  for (size_t i = 0; n > 0 && i < d->n_groups; i++)
    if (bsearch(&d->groups[i], names, n, sizeof(*names), by_name) != NULL)
      return true;
  return false;
}

/* By region and by group; letter case does not matter in either. */
static bool mark_gathered(bool *direct, const struct claims *c, const struct directory *directory,
                          struct arena *arena)
{
  size_t n = c->groups.n;
  /* The last one stands for every region that is none. */
  bool *region = ARENA_ARRAY(arena, bool, directory->n_regions + 1);
  const char **groups = ARENA_ARRAY(arena, const char *, n);
  if (region == NULL || groups == NULL)
    return false;
  for (size_t i = 0; i < c->regions.n; i++)
    region[directory_region(directory, c->regions.items[i])] = true;
  if (n > 0) {
    memcpy(groups, c->groups.items, n * sizeof(*groups));
    qsort(groups, n, sizeof(*groups), by_name);
  }
  for (size_t i = 0; i < directory->n_dealers; i++) {
    const struct dealer *d = &directory->dealers[i];
    if (region[d->region_index] || in_sorted(groups, n, d))
      direct[i] = true;
  }
  return true;
}

/* Whether the claim `regions` leaves a benchmark in: for a dealer it narrows them, for a group it
 * names dealers and narrows nothing. */
static bool leaves_in(const struct claims *c, const char *name)
{
  return c->role != ANALYTICS__AUTH__V1__ROLE__ROLE_DEALER || c->regions.n == 0 ||
         listed(&c->regions, name);
}

/* Named cohorts that one of its dealers is in. */
static bool list_named_cohorts(Analytics__Auth__V1__Grant *g, const struct claims *c,
                               const struct directory *directory, const bool *direct,
                               struct arena *arena)
{
  g->benchmark_cohorts = ARENA_ARRAY(arena, char *, directory->n_cohorts);
  if (g->benchmark_cohorts == NULL)
    return false;
  for (size_t i = 0; i < directory->n_cohorts; i++) {
    const struct catalogued *cohort = &directory->cohorts[i];
    bool member = false;
    for (size_t k = 0; !cohort->is_region && k < cohort->n_members && !member; k++)
      member = direct[cohort->members[k]];
    if (member && leaves_in(c, cohort->id))
      g->benchmark_cohorts[g->n_benchmark_cohorts++] = borrow_text(cohort->id);
  }
  return true;
}

/* Marks by index, then lists in the directory's order. */
static bool list_direct(Analytics__Auth__V1__Grant *g, const struct claims *c,
                        const struct directory *directory, struct arena *arena)
{
  bool *direct = ARENA_ARRAY(arena, bool, directory->n_dealers);
  bool *region = ARENA_ARRAY(arena, bool, directory->n_regions);
  g->dealer_ids = ARENA_ARRAY(arena, char *, directory->n_dealers);
  g->benchmark_regions = ARENA_ARRAY(arena, char *, directory->n_regions);
  if (direct == NULL || region == NULL || g->dealer_ids == NULL || g->benchmark_regions == NULL)
    return false;
  mark_named(direct, &c->dealers, directory);
  if (c->role == ANALYTICS__AUTH__V1__ROLE__ROLE_GROUP &&
      !mark_gathered(direct, c, directory, arena))
    return false;
  for (size_t i = 0; i < directory->n_dealers; i++) {
    const struct dealer *d = &directory->dealers[i];
    if (!direct[i])
      continue;
    g->dealer_ids[g->n_dealer_ids++] = borrow_text(d->dealer_id);
    region[d->region_index] = true;
  }
  if (!list_named_cohorts(g, c, directory, direct, arena))
    return false;
  for (size_t i = 0; i < directory->n_regions; i++)
    if (region[i] && leaves_in(c, directory->regions[i]))
      g->benchmark_regions[g->n_benchmark_regions++] = borrow_text(directory->regions[i]);
  return true;
}

Analytics__Auth__V1__Grant *claims_grant(const struct claims *c, const struct directory *directory,
                                         int64_t now_s, struct arena *arena)
{
  Analytics__Auth__V1__Grant *g = ARENA_NEW(arena, Analytics__Auth__V1__Grant);
  if (g == NULL)
    return NULL;
  analytics__auth__v1__grant__init(g);
  g->subject = arena_strdup(arena, c->subject);
  g->principal_id = arena_strdup(arena, c->principal_id);
  g->token_id = arena_strdup(arena, c->token_id != NULL ? c->token_id : "");
  g->role = c->role;
  g->expires_at = c->expires_at < now_s + GRANT_LIFE_S ? c->expires_at : now_s + GRANT_LIFE_S;
  g->all_dealers = c->role == ANALYTICS__AUTH__V1__ROLE__ROLE_ADMIN;
  if (g->subject == NULL || g->principal_id == NULL || g->token_id == NULL)
    return NULL;
  return g->all_dealers || list_direct(g, c, directory, arena) ? g : NULL;
}
