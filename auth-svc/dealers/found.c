/* Picks a dealer's properties out of what its credential can read. */
#include "auth-svc/dealers/found.h"

#include <stdlib.h>
#include <string.h>

/* By number, without a bound on the digits. */
static int compare_ids(const char *a, const char *b)
{
  size_t x = strlen(a), y = strlen(b);
  return x != y ? (x < y ? -1 : 1) : strcmp(a, b);
}

/* Ordinary ones first. */
static int compare(const void *a, const void *b)
{
  const struct found_property *x = a, *y = b;
  return x->ordinary != y->ordinary ? y->ordinary - x->ordinary
                                    : compare_ids(x->property_id, y->property_id);
}

static bool has_account(const struct found_property *seen, size_t n, const char *account_id)
{
  for (size_t i = 0; i < n; i++)
    if (strcmp(seen[i].account_id, account_id) == 0)
      return true;
  return false;
}

static enum err_code none(size_t n_seen, struct err *e)
{
  return n_seen == 0
             ? err_set(
                   e, ERR_FAILED_PRECONDITION, "no_property",
                   "no GA4 property is configured, and the dealer's Google login can read none: "
                   "give the login Viewer access in Google Analytics (Admin > Property access "
                   "management)")
             : err_set(
                   e, ERR_FAILED_PRECONDITION, "no_property",
                   "no GA4 property is configured, and those that the dealer's Google login can "
                   "read belong to other dealers: give the login Viewer access to its own "
                   "property, or name it in the dealers file");
}

enum err_code found_own(struct found_property *seen, size_t *n, const struct directory *d,
                        const struct dealer *dealer, struct err *e)
{
  size_t n_seen = *n, kept = 0;
  bool by_account = has_account(seen, n_seen, dealer->account_id);
  for (size_t i = 0; i < n_seen; i++) {
    const struct dealer *other = directory_by_property(d, seen[i].property_id);
    if ((!by_account || strcmp(seen[i].account_id, dealer->account_id) == 0) && other == NULL)
      seen[kept++] = seen[i];
  }
  *n = kept;
  if (kept == 0)
    return none(n_seen, e);
  if (kept > DIRECTORY_MAX_PROPERTIES)
    return err_set(
        e, ERR_FAILED_PRECONDITION, "too_many_properties",
        "no GA4 property is configured, and the dealer's Google login can read %zu: more "
        "than %d cannot be one dealer's; name its own in the dealers file",
        kept, DIRECTORY_MAX_PROPERTIES);
  qsort(seen, kept, sizeof(*seen), compare);
  return ERR_OK;
}
