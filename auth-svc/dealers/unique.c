/* No id, account or property may occur twice in the dealers file, nor the credential of a dealer
 * whose properties it is to find. */
#include <stdio.h>
#include <string.h>

#include "auth-svc/dealers/reader.h"
#include "common/base/mem.h"
#include "common/base/table.h"

/* Where ids are used first: the places of dealers, by id. */
static struct table uses_new(void)
{
  struct table uses;
  table_init(&uses, sizeof(size_t), SIZE_MAX, NULL, NULL);
  return uses;
}

/* The first use of an id, *dealer's own when it is new. True when it was used before. */
static bool is_used(struct table *uses, const void *id, size_t len, size_t *dealer)
{
  const size_t *before = table_peek(uses, id, len, 0);
  if (before != NULL)
    *dealer = *before;
  else
    *(size_t *)table_make(uses, id, len) = *dealer;
  return before != NULL;
}

/* Says of a dealer that was connected and is in the file, too, which one of the two may go. */
static enum err_code refuse_connected(struct dealers_reader *r, const char *field, const char *what)
{
  return field_refuse(
      &r->own, field,
      "%s of dealer \"%s\", which was connected by consent, is in the file as well: "
      "take it out of the file, or run auth-svc disconnect %s",
      what, r->who, r->who);
}

static void stand_at(struct dealers_reader *r, const struct dealer *dealers, size_t i)
{
  r->index = i;
  r->who = dealers[i].dealer_id;
}

/* Dealers whose ids were refused have none. One text may be both ids of one dealer. */
enum err_code dealers_check_ids(struct dealers_reader *r, const struct dealer *dealers, size_t n)
{
  CLEANUP(table_free) struct table uses = uses_new();
  enum err_code code = ERR_OK;
  for (size_t i = 0; i < 2 * n; i++) {
    const struct dealer *d = &dealers[i / 2];
    const char *id = i % 2 == 0 ? d->dealer_id : d->account_id;
    size_t first = i / 2;
    if (d->dealer_id == NULL || (i % 2 == 1 && strcmp(d->dealer_id, d->account_id) == 0) ||
        !is_used(&uses, id, strlen(id), &first))
      continue;
    stand_at(r, dealers, i / 2);
    code = d->connected && !dealers[first].connected
               ? refuse_connected(r, "dealer_id", "the id")
               : field_refuse(
                     &r->own, i % 2 == 0 ? "dealer_id" : "account_id",
                     "\"%s\" is used by dealers[%zu] (dealer \"%s\") already; dealer ids and "
                     "account ids share one space, because a token may name a dealer by either",
                     id, first, dealers[first].dealer_id);
  }
  return code;
}

static enum err_code refuse_property(struct dealers_reader *r, const struct dealer *dealers,
                                     size_t first, size_t item, const char *id)
{
  char field[FIELD_PATH_MAX];
  const char *other = dealers[first].dealer_id;
  if (dealers[r->index].connected && !dealers[first].connected)
    return refuse_connected(r, "properties[0]", "the property");
  snprintf(field, sizeof(field), "properties[%zu]", item);
  if (first == r->index)
    return field_refuse(&r->own, field, "property %s is listed twice", id);
  return field_refuse(&r->own, field, "property %s belongs to dealers[%zu] (dealer \"%s\") already",
                      id, first, other != NULL ? other : "?");
}

enum err_code dealers_check_properties(struct dealers_reader *r, const struct dealer *dealers,
                                       size_t n)
{
  CLEANUP(table_free) struct table uses = uses_new();
  enum err_code code = ERR_OK;
  for (size_t i = 0; i < n; i++) {
    stand_at(r, dealers, i);
    for (size_t j = 0; j < dealers[i].n_property_ids; j++) {
      const char *id = dealers[i].property_ids[j];
      size_t first = i;
      if (id != NULL && is_used(&uses, id, strlen(id), &first))
        code = refuse_property(r, dealers, first, j, id);
    }
  }
  return code;
}

enum err_code dealers_check_credentials(struct dealers_reader *r, const struct dealer *dealers,
                                        struct credential *const *credentials, size_t n)
{
  CLEANUP(table_free) struct table uses = uses_new();
  enum err_code code = ERR_OK;
  for (size_t i = 0; i < n; i++) {
    size_t first = i;
    if (dealers[i].dealer_id == NULL || credentials[i] == NULL ||
        !is_used(&uses, credentials[i]->fingerprint, SHA256_SIZE, &first))
      continue;
    bool finds = dealers[i].n_property_ids == 0;
    if (!finds && dealers[first].n_property_ids > 0)
      continue;
    stand_at(r, dealers, finds ? i : first);
    size_t other = finds ? first : i;
    code = field_refuse(&r->own, "properties",
                        "missing, and dealers[%zu] (dealer \"%s\") has the same credential: which "
                        "properties are whose cannot be found in Google Analytics; name them",
                        other, dealers[other].dealer_id);
  }
  return code;
}
