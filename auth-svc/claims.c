/* Turns claims into a grant. */
#include "auth-svc/claims.h"

#include <string.h>

#include "auth-svc/borrow.h"
#include "common/base/codec.h"

bool claims_role(const char *name, Analytics__Auth__V1__Role *out)
{
  *out = strcmp(name, "admin") == 0    ? ANALYTICS__AUTH__V1__ROLE__ROLE_ADMIN
         : strcmp(name, "group") == 0  ? ANALYTICS__AUTH__V1__ROLE__ROLE_GROUP
         : strcmp(name, "dealer") == 0 ? ANALYTICS__AUTH__V1__ROLE__ROLE_DEALER
                                       : ANALYTICS__AUTH__V1__ROLE__ROLE_UNSPECIFIED;
  return *out != ANALYTICS__AUTH__V1__ROLE__ROLE_UNSPECIFIED;
}

static bool listed(const struct claim_list *list, const char *name)
{
  for (size_t i = 0; i < list->n; i++)
    if (ascii_case_equal(list->items[i], name))
      return true;
  return false;
}

static bool names_dealer(const struct claim_list *list, const struct dealer *d)
{
  for (size_t i = 0; i < list->n; i++)
    if (strcmp(list->items[i], d->dealer_id) == 0 || strcmp(list->items[i], d->account_id) == 0)
      return true;
  return false;
}

static bool in_listed_group(const struct claim_list *groups, const struct dealer *d)
{
  for (size_t i = 0; i < groups->n; i++)
    if (dealer_in_group(d, groups->items[i]))
      return true;
  return false;
}

static bool is_direct(const struct claims *c, const struct dealer *d)
{
  if (names_dealer(&c->dealers, d))
    return true;
  return c->role == ANALYTICS__AUTH__V1__ROLE__ROLE_GROUP &&
         (listed(&c->regions, d->region) || in_listed_group(&c->groups, d));
}

/* Named cohorts that one of its dealers is in; the claim `regions` narrows them too. */
static bool list_named_cohorts(Analytics__Auth__V1__Grant *g, const struct claims *c,
                               const struct directory *directory, struct arena *arena)
{
  g->benchmark_cohorts = ARENA_ARRAY(arena, char *, directory->n_cohorts);
  if (g->benchmark_cohorts == NULL)
    return false;
  for (size_t i = 0; i < directory->n_cohorts; i++) {
    const struct catalogued *cohort = &directory->cohorts[i];
    bool member = false;
    for (size_t k = 0; !cohort->is_region && k < cohort->n_members && !member; k++)
      member = is_direct(c, &directory->dealers[cohort->members[k]]);
    if (member && (c->regions.n == 0 || listed(&c->regions, cohort->id)))
      g->benchmark_cohorts[g->n_benchmark_cohorts++] = borrow_text(cohort->id);
  }
  return true;
}

/* Marks by index, then lists in the directory's order. */
static bool list_direct(Analytics__Auth__V1__Grant *g, const struct claims *c,
                        const struct directory *directory, struct arena *arena)
{
  bool *region = ARENA_ARRAY(arena, bool, directory->n_regions);
  g->dealer_ids = ARENA_ARRAY(arena, char *, directory->n_dealers);
  g->benchmark_regions = ARENA_ARRAY(arena, char *, directory->n_regions);
  if (region == NULL || g->dealer_ids == NULL || g->benchmark_regions == NULL)
    return false;
  for (size_t i = 0; i < directory->n_dealers; i++) {
    const struct dealer *d = &directory->dealers[i];
    if (!is_direct(c, d))
      continue;
    g->dealer_ids[g->n_dealer_ids++] = borrow_text(d->dealer_id);
    region[d->region_index] = true;
  }
  if (c->role == ANALYTICS__AUTH__V1__ROLE__ROLE_DEALER &&
      !list_named_cohorts(g, c, directory, arena))
    return false;
  for (size_t i = 0; c->role == ANALYTICS__AUTH__V1__ROLE__ROLE_DEALER && i < directory->n_regions;
       i++)
    if (region[i] && (c->regions.n == 0 || listed(&c->regions, directory->regions[i])))
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
