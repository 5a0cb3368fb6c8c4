/* Which dealers' data was found suspect lately: what operators are shown. Of dealers that the
 * caller of the check sees; names of signs and when, no figure. At most LATELY_MAX dealers, the
 * least recently checked out first; forgotten after a day. Times are seconds since 1970 and handed
 * in. Thread-safe. */
#ifndef AMCP_AGGREGATE_LATELY_H
#define AMCP_AGGREGATE_LATELY_H

#include "aggregate-svc/suspect/suspect.h"

enum { LATELY_MAX = 10000, LATELY_KEEP_S = 86400, LATELY_ID = 72 };

struct suspect_lately;

struct suspect_lately *lately_new(void);
/* NULL is fine. */
void lately_free(struct suspect_lately *l);
/* A dealer was checked for all signs: what was found before no longer holds. NULL list: nothing. */
void lately_note(struct suspect_lately *l, const char *dealer_id,
                 const struct suspect_findings *findings, int64_t now_s);
/* Some of the signs were looked for, or in other days: those that were found join the ones from
 * before, which still hold. */
void lately_add(struct suspect_lately *l, const char *dealer_id,
                const struct suspect_findings *findings, int64_t now_s);

/* One dealer with signs. */
struct lately_dealer {
  char dealer_id[LATELY_ID];
  unsigned signs;  /* a bit for each suspect_code */
  int64_t seen_at; /* the last of them */
};
/* Copies them, at most `max`; returns how many. */
size_t lately_list(struct suspect_lately *l, struct lately_dealer *out, size_t max, int64_t now_s);
/* How many are kept, with those that are a day old. */
size_t lately_count(struct suspect_lately *l);

#endif
