/* No id, account or property may occur twice in the dealers file. */
#include <stdio.h>
#include <string.h>

#include "auth-svc/dealers_reader.h"
#include "common/base/mem.h"

/* One place where an id is used. */
struct use {
  const char *id;
  size_t dealer;
  size_t item; /* property's place; 0 for ids */
  bool account;
};

static int by_id_then_place(const void *a, const void *b)
{
  const struct use *x = a, *y = b;
  int c = strcmp(x->id, y->id);
  if (c != 0)
    return c;
  return x->dealer != y->dealer ? (x->dealer < y->dealer ? -1 : 1)
                                : (x->item > y->item) - (x->item < y->item);
}

/* Reports the duplicate that stands first in the file, at its second place. */
static const struct use *first_duplicate(struct use *uses, size_t n, bool within_dealer,
                                         const struct use **earlier)
{
  const struct use *found = NULL;
  if (n > 0)
    qsort(uses, n, sizeof(*uses), by_id_then_place);
  for (size_t i = 1; i < n; i++)
    if (strcmp(uses[i - 1].id, uses[i].id) == 0 &&
        (within_dealer || uses[i - 1].dealer != uses[i].dealer) &&
        (found == NULL || uses[i].dealer < found->dealer)) {
      found = &uses[i];
      *earlier = &uses[i - 1];
    }
  return found;
}

enum err_code dealers_check_ids(struct dealers_reader *r, const struct dealer *dealers, size_t n)
{
  AUTO_FREE struct use *uses = xcalloc(2 * n + 1, sizeof(*uses));
  for (size_t i = 0; i < n; i++) {
    uses[2 * i] = (struct use){dealers[i].dealer_id, i, 0, false};
    uses[2 * i + 1] = (struct use){dealers[i].account_id, i, 0, true};
  }
  const struct use *earlier = NULL;
  const struct use *twice = first_duplicate(uses, 2 * n, false, &earlier);
  if (twice == NULL)
    return ERR_OK;
  r->index = twice->dealer;
  r->who = dealers[twice->dealer].dealer_id;
  return dealers_refuse(
      r, twice->account && strcmp(r->who, twice->id) != 0 ? "account_id" : "dealer_id",
      "\"%s\" is used by dealers[%zu] already", twice->id, earlier->dealer);
}

enum err_code dealers_check_properties(struct dealers_reader *r, const struct dealer *dealers,
                                       size_t n)
{
  size_t total = 0, at = 0;
  for (size_t i = 0; i < n; i++)
    total += dealers[i].n_property_ids;
  AUTO_FREE struct use *uses = xcalloc(total + 1, sizeof(*uses));
  for (size_t i = 0; i < n; i++)
    for (size_t j = 0; j < dealers[i].n_property_ids; j++)
      uses[at++] = (struct use){dealers[i].property_ids[j], i, j, false};
  const struct use *earlier = NULL;
  const struct use *twice = first_duplicate(uses, total, true, &earlier);
  if (twice == NULL)
    return ERR_OK;
  char field[FIELD_PATH_MAX];
  snprintf(field, sizeof(field), "properties[%zu]", twice->item);
  r->index = twice->dealer;
  r->who = dealers[twice->dealer].dealer_id;
  return dealers_refuse(r, field, "property %s belongs to dealers[%zu] (dealer \"%s\") already",
                        twice->id, earlier->dealer, dealers[earlier->dealer].dealer_id);
}
