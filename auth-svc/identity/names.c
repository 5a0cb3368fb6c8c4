/* Reads lists of names and roles, and looks names up among the dealers. */
#include "auth-svc/identity/names.h"

#include <stdio.h>
#include <string.h>

#include "auth-svc/dealers/catalogue.h"

enum { SHOWN_MAX = 5 };

enum err_code names_read(const struct field_at *p, const cJSON *object, const char *key, int max,
                         struct arena *arena, struct claim_list *out)
{
  const cJSON *list, *v;
  size_t n, i = 0;
  enum err_code code = field_list(p, object, key, max, &list, &n);
  if (code != ERR_OK)
    return code;
  out->items = arena_xalloc(arena, (n + 1) * sizeof(out->items[0]));
  cJSON_ArrayForEach(v, list)
  {
    char item[40];
    snprintf(item, sizeof(item), "%s[%zu]", key, i++);
    if (cJSON_IsString(v) && *v->valuestring != '\0' && strlen(v->valuestring) <= NAME_BYTES_MAX) {
      out->items[out->n++] = arena_xstrdup(arena, v->valuestring);
      continue;
    }
    code = field_refuse(p, item, "must be a string of 1 to %d bytes", NAME_BYTES_MAX);
    if (!p->reader->go_on)
      return code;
  }
  return code;
}

static enum err_code check_role(const struct field_at *p, Analytics__Auth__V1__Role role,
                                size_t n_dealers, size_t n_regions, size_t n_groups)
{
  size_t n = n_dealers + n_regions + n_groups;
  switch (role) {
  case ANALYTICS__AUTH__V1__ROLE__ROLE_ADMIN:
    return n == 0 ? ERR_OK
                  : field_refuse(p, "role",
                                 "admin reads everything: take dealers, regions and groups out, or "
                                 "make the role group");
  case ANALYTICS__AUTH__V1__ROLE__ROLE_GROUP:
    return n > 0 ? ERR_OK
                 : field_refuse(p, "role",
                                "group reads what is listed: give dealers, regions or groups");
  default:
    if (n_groups > 0)
      return field_refuse(p, "groups",
                          "has no effect with the role dealer; list dealers, or "
                          "make the role group");
    return n_dealers > 0 ? ERR_OK
                         : field_refuse(p, "role", "dealer reads its own dealers: give dealers");
  }
}

enum err_code names_role(const struct field_at *p, const cJSON *object, size_t n_dealers,
                         size_t n_regions, size_t n_groups, Analytics__Auth__V1__Role *out)
{
  const char *role = NULL;
  enum err_code code = field_text(p, object, "role", REQUIRED, 16, &role);
  if (code != ERR_OK)
    return code;
  if (!claims_role(role, out))
    return field_refuse(p, "role", "must be \"admin\", \"group\" or \"dealer\"");
  return check_role(p, *out, n_dealers, n_regions, n_groups);
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

static void look_up(struct unknown_names *u, const char *where, const char *field,
                    const struct claim_list *list,
                    bool knows(const struct directory *d, const char *name))
{
  for (size_t i = 0; i < list->n; i++) {
    if (knows(u->directory, list->items[i]))
      continue;
    if (u->n++ < SHOWN_MAX)
      buf_printf(u->out, "%s%s.%s \"%.80s\"", u->n > 1 ? ", " : "", where, field, list->items[i]);
  }
}

void names_look_up(struct unknown_names *u, const char *where, const struct claims *c)
{
  look_up(u, where, "dealers", &c->dealers, knows_dealer);
  look_up(u, where, "regions", &c->regions, knows_region);
  look_up(u, where, "groups", &c->groups, knows_group);
}

size_t names_unknown(struct unknown_names *u)
{
  if (u->n > SHOWN_MAX)
    buf_printf(u->out, " and %zu more", u->n - SHOWN_MAX);
  return u->n;
}
