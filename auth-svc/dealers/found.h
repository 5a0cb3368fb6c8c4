/* Which properties are a dealer's, where the dealers file names none, out of those that its
 * credential can read. */
#ifndef AMCP_AUTH_FOUND_H
#define AMCP_AUTH_FOUND_H

#include "auth-svc/dealers/directory.h"
#include "common/base/error.h"

enum { FOUND_MAX_SEEN = 2000 };

/* A property as accountSummaries lists it. Texts are borrowed. */
struct found_property {
  const char *property_id; /* digits */
  const char *name;
  const char *account_id; /* digits of the Google Analytics account */
  bool ordinary;          /* neither a roll-up nor a subproperty */
};

/* Puts the dealer's own first, the default before all, and sets *n to their number. They are those
 * of the account whose id is the dealer's account_id when one is seen, else all; without those of
 * other dealers of the directory. The default is the ordinary one with the lowest id, as it is the
 * oldest. ERR_FAILED_PRECONDITION: `no_property` when none is left, `too_many_properties` when more
 * than DIRECTORY_MAX_PROPERTIES are. The messages name no dealer. Pure. */
enum err_code found_own(struct found_property *seen, size_t *n, const struct directory *d,
                        const struct dealer *dealer, struct err *e);

#endif
