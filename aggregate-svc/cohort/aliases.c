/* Names of vehicles from the configuration of dealers. */
#include "aggregate-svc/cohort/aliases.h"

bool aliases_of_member(struct vehicle_aliases *out, const struct cohort_member *m,
                       struct arena *arena)
{
  const struct vehicle_settings *s = &m->vehicles;
  struct vehicle_alias *list = ARENA_ARRAY(arena, struct vehicle_alias, s->n_names + 1);
  *out = (struct vehicle_aliases){list, 0};
  for (size_t k = 0; list != NULL && k < s->n_names; k++)
    out->n +=
        vehicle_alias_make(&list[out->n], s->names[k].value, s->names[k].make, s->names[k].model);
  return list != NULL;
}

const struct vehicle_aliases *aliases_of_cohort(const struct cohort *c, struct arena *arena)
{
  struct vehicle_aliases *all = ARENA_ARRAY(arena, struct vehicle_aliases, c->n + 1);
  for (size_t i = 0; all != NULL && i < c->n; i++)
    if (!aliases_of_member(&all[i], &c->members[i], arena))
      return NULL;
  return all;
}
