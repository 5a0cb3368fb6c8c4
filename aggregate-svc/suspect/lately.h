/* Which dealers' data was found suspect lately, and how far it reached: what operators are shown.
 * Of dealers that the caller of the check sees; names of signs and days, no figure. At most
 * LATELY_MAX dealers, the least recently checked out first; forgotten after a day. Times are
 * seconds since 1970 and handed in. Thread-safe. */
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

/* How far the days of an answer reach; one without a session says nothing. Within a day of memory
 * both ends only grow, so days between them had no session in the answer that looked furthest. */
void lately_reach(struct suspect_lately *l, const char *dealer_id, struct suspect_reach reach,
                  int64_t now_s);

/* One dealer. */
struct lately_dealer {
  char dealer_id[LATELY_ID];
  unsigned signs;  /* a bit for each suspect_code */
  int64_t seen_at; /* the last of them; of no meaning without signs */
  struct suspect_reach reach;
  int64_t reached_at; /* when an answer last told it; of no meaning without a newest day */
};
/* Copies those with signs, at most `max`; returns how many. */
size_t lately_list(struct suspect_lately *l, struct lately_dealer *out, size_t max, int64_t now_s);
/* The same for those whose newest day is known. */
size_t lately_list_reach(struct suspect_lately *l, struct lately_dealer *out, size_t max,
                         int64_t now_s);
/* How many are kept, with and without signs, with those that are a day old. */
size_t lately_count(struct suspect_lately *l);

#endif
