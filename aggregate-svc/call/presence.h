/* Which dealers have data in the period of a call: whether a row of it has come in a report that
 * reads it. Reports of other days (look-back, baseline) do not count, nor rows of zeros. */
#ifndef AMCP_AGGREGATE_PRESENCE_H
#define AMCP_AGGREGATE_PRESENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/call/query.h"
#include "common/base/arena.h"

/* Of one dealer. */
struct presence_dealer {
  bool asked; /* a report of it reads the period */
  bool seen;
  /* By report: dictionary entries of dateRange so far, and the period's; -1 not yet. */
  uint32_t entries[QUERY_SET_MAX];
  int64_t at[QUERY_SET_MAX];
};
struct presence {
  const struct period *period; /* lent, as the reports were made of it */
  struct presence_dealer *of;  /* per member */
};

/* For so many members, none of which was asked; in the arena, `of` is NULL at its cap. */
void presence_init(struct presence *p, const struct period *period, size_t members,
                   struct arena *arena);
/* A member is asked for these reports; forgets what it sent. */
void presence_ask(struct presence *p, size_t member, const struct query_set *set);
/* Rows of one of them have come. */
void presence_see(struct presence *p, size_t member, const struct query_set *set,
                  const Analytics__Report__V1__ColumnChunk *chunk);
/* Whether the period was asked for and nothing came. */
bool presence_lacks(const struct presence *p, size_t member);

#endif
