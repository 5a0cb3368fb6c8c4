/* What a grant lets its holder see of the directory: every policy question in one place.
 *
 * Pure: no secrets, no clock, no I/O. Lives in the request's arena. */
#ifndef AMCP_AUTH_SCOPE_H
#define AMCP_AUTH_SCOPE_H

#include "analytics/auth/v1/auth.pb-c.h"
#include "auth-svc/dealers/directory.h"
#include "common/base/error.h"

struct scope {
  const Analytics__Auth__V1__Grant *grant;
  const struct directory *directory;
  bool *direct; /* by dealer index: rows may be seen */
  size_t n_direct;
  bool *benchmark;        /* by region index: aggregates over all its dealers may be seen */
  bool *known;            /* by region index: may be named: a direct dealer or the benchmark */
  bool *cohort_benchmark; /* by cohort index: aggregates over all its dealers may be seen */
  bool *cohort_known;     /* by cohort index: may be named */
};

/* Works the grant out against the directory. Dealers and regions that are not configured
 * (any more) count for nothing. NULL when the arena is full. */
struct scope *scope_new(struct arena *arena, const struct directory *directory,
                        const Analytics__Auth__V1__Grant *grant);

bool scope_sees(const struct scope *s, const struct dealer *dealer);
/* The same of one dealer, without working out the rest. */
bool scope_grant_sees(const Analytics__Auth__V1__Grant *grant, const struct dealer *dealer);
/* The only dealer that may be seen; NULL when there are none or several. */
const struct dealer *scope_only_dealer(const struct scope *s);
/* Whether the holder may know of a region: it sees a dealer there or its benchmark. */
bool scope_knows_region(const struct scope *s, size_t region_index);

/* The dealer of this id, or that the text names (search_one()), if it may be seen.
 * INVALID_ARGUMENT (reason several_dealers) when several that may be seen fit, naming them, in the
 * details also for programs (Ambiguity). Otherwise NOT_FOUND, the same whether it does not exist or
 * may not be seen, naming the closest dealers that may: dealer_id: no dealer "d99"; closest: "d09"
 * Northgate Ford, "d19" Lakeside Kia */
enum err_code scope_find_dealer(const struct scope *s, const char *field, const char *dealer_id,
                                const struct dealer **out, struct err *e);
struct peers;
/* INVALID_ARGUMENT (reason several_regions) when a text that names none fits several that may be
 * known, whole or in part, naming them.
 * The region of this name, or the region or group of this id or label in any letter case, if the
 * holder may know of it; a region's name comes first. Also of an id with its version, "west@v7":
 * FAILED_PRECONDITION when it is another now; NULL for `peers` takes any. Otherwise as above, with
 * all regions and groups that may be named. */
enum err_code scope_find_region(const struct scope *s, const struct peers *peers, const char *field,
                                const char *region, const struct catalogued **out, struct err *e);

/* The cohort of this id, "west" or "west@v7", or of this id or label in any letter case, if the
 * holder may know of it; otherwise as above. FAILED_PRECONDITION when its version has changed, to
 * `version`. */
enum err_code scope_find_cohort(const struct scope *s, const struct peers *peers, const char *id,
                                const struct catalogued **out, struct err *e);

/* Copies text of a caller for a message: at most 64 bytes, cut at a character, control
 * characters replaced. */
enum { SHOWN_SIZE = 72 };
const char *shown(char out[SHOWN_SIZE], const char *text);

#endif
