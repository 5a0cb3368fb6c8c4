/* One branch of a report's SQL: the rows of one date range and comparison. */
#ifndef GA4_SIM_QUERY_BRANCH_H
#define GA4_SIM_QUERY_BRANCH_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "ga4-sim/report/request.h"
#include "ga4-sim/world/world.h"

/* What a branch has of each row beside slice, d1..dn and session_id, as far as it is asked for. */
enum query_column {
  COLUMN_USER = 1,       /* user_id */
  COLUMN_NEW = 2,        /* is_new */
  COLUMN_ENGAGED = 4,    /* engaged */
  COLUMN_DURATION = 8,   /* duration_s */
  COLUMN_COUNT = 16,     /* cnt: events */
  COLUMN_ATTENTION = 32, /* eng: seconds of engagement */
  COLUMN_VIEWS = 64,     /* views */
  COLUMN_KEYS = 128      /* keys: key events */
};

/* ",d1,d2": the dimensions that are not made from the slice. */
void query_dimension_names(const struct report_request *r, struct buf *sql);
/* ",MAX(user_id) AS user_id,...": these columns, of a session, from its rows; those of
 * r->key_events, k0.., too. */
void query_session_columns(const struct report_request *r, unsigned columns, struct buf *sql);
/* SELECT of a row per event, or per session when the report is not event-scoped: slice, session_id,
 * d1..dn, the columns, k0... Tables are joined only where something of them is asked for. */
void query_branch(const struct report_request *r, const struct world *w, int64_t last_day,
                  size_t slice, unsigned columns, struct buf *sql);

#endif
