/* No id, account or property may occur twice in the dealers file. */
#include <stdio.h>
#include <string.h>

#include "auth-svc/dealers/reader.h"
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

static bool is_repeat(const struct use *earlier, const struct use *later, bool within_dealer)
{
  return strcmp(earlier->id, later->id) == 0 && (within_dealer || earlier->dealer != later->dealer);
}

/* The duplicate that stands first in the file, at its second place. */
static const struct use *first_duplicate(const struct use *uses, size_t n, bool within_dealer)
{
  const struct use *found = NULL;
  for (size_t i = 1; i < n; i++)
    if (is_repeat(&uses[i - 1], &uses[i], within_dealer) &&
        (found == NULL || uses[i].dealer < found->dealer))
      found = &uses[i];
  return found;
}

typedef enum err_code repeat_fn(struct dealers_reader *r, const struct dealer *dealers,
                                const struct use *earlier, const struct use *later);

/* Reports the first one, or each when the reader goes on. */
static enum err_code refuse_duplicates(struct dealers_reader *r, const struct dealer *dealers,
                                       struct use *uses, size_t n, bool within_dealer,
                                       repeat_fn *refuse)
{
  enum err_code code = ERR_OK;
  if (n > 0)
    qsort(uses, n, sizeof(*uses), by_id_then_place);
  const struct use *first = first_duplicate(uses, n, within_dealer);
  for (size_t i = 1; i < n; i++) {
    if (!is_repeat(&uses[i - 1], &uses[i], within_dealer) ||
        (!dealers_go_on(r, ERR_INVALID_ARGUMENT) && &uses[i] != first))
      continue;
    r->index = uses[i].dealer;
    r->who = dealers[uses[i].dealer].dealer_id;
    code = refuse(r, dealers, &uses[i - 1], &uses[i]);
  }
  return code;
}

static enum err_code refuse_id(struct dealers_reader *r, const struct dealer *dealers,
                               const struct use *earlier, const struct use *later)
{
  bool account = later->account && strcmp(dealers[later->dealer].dealer_id, later->id) != 0;
  return dealers_refuse(r, account ? "account_id" : "dealer_id",
                        "\"%s\" is used by dealers[%zu] (dealer \"%s\") already; dealer ids and "
                        "account ids share one space, because a token may name a dealer by either",
                        later->id, earlier->dealer, dealers[earlier->dealer].dealer_id);
}

/* Dealers whose ids were refused have none. */
enum err_code dealers_check_ids(struct dealers_reader *r, const struct dealer *dealers, size_t n)
{
  AUTO_FREE struct use *uses = xcalloc(2 * n + 1, sizeof(*uses));
  size_t at = 0;
  for (size_t i = 0; i < n; i++) {
    if (dealers[i].dealer_id == NULL)
      continue;
    uses[at++] = (struct use){dealers[i].dealer_id, i, 0, false};
    uses[at++] = (struct use){dealers[i].account_id, i, 0, true};
  }
  return refuse_duplicates(r, dealers, uses, at, false, refuse_id);
}

static enum err_code refuse_property(struct dealers_reader *r, const struct dealer *dealers,
                                     const struct use *earlier, const struct use *later)
{
  char field[FIELD_PATH_MAX];
  snprintf(field, sizeof(field), "properties[%zu]", later->item);
  if (earlier->dealer == later->dealer)
    return dealers_refuse(r, field, "property %s is listed twice", later->id);
  const char *id = dealers[earlier->dealer].dealer_id;
  return dealers_refuse(r, field, "property %s belongs to dealers[%zu] (dealer \"%s\") already",
                        later->id, earlier->dealer, id != NULL ? id : "?");
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
      if (dealers[i].property_ids[j] != NULL)
        uses[at++] = (struct use){dealers[i].property_ids[j], i, j, false};
  return refuse_duplicates(r, dealers, uses, at, true, refuse_property);
}
