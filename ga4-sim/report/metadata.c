/* The metadata of a report's answer: currency, zone, sampling, thresholding, rows lost. */
#include <string.h>

#include "ga4-sim/report/print.h"
#include "ga4-sim/world/calendar.h"

/* Events of a property between two days: the space a sample is drawn from. */
static int64_t events_between(const struct report_request *r, sqlite3 *db,
                              const struct request_range *range, int64_t last_day,
                              const char *condition)
{
  struct calendar_day from, to;
  sqlite3_stmt *stmt = NULL;
  int64_t n = 0;
  AUTO_BUF struct buf sql = BUF_INIT(1024);
  calendar_fill(&from, range->start);
  calendar_fill(&to, range->end < last_day ? range->end : last_day);
  buf_printf(&sql,
             "SELECT SUM(event_count) FROM sessions WHERE property_id=? AND date BETWEEN ? AND ?%s",
             condition);
  if (sqlite3_prepare_v2(db, buf_str(&sql), -1, &stmt, NULL) == SQLITE_OK) {
    sqlite3_bind_int64(stmt, 1, r->property->property_id);
    sqlite3_bind_text(stmt, 2, from.date, -1, SQLITE_STATIC);
    sqlite3_bind_text(stmt, 3, to.date, -1, SQLITE_STATIC);
    if (sqlite3_step(stmt) == SQLITE_ROW)
      n = sqlite3_column_int64(stmt, 0);
  }
  sqlite3_finalize(stmt);
  return n;
}

/* A property that is always sampled reports it beside figures of all data, since tests need the
 * truth; a sample that is switched on is drawn. */
void print_sampling(const struct report_request *r, sqlite3 *db, int64_t last_day, struct buf *out)
{
  if (!r->property->sampled && r->conditions.sample_percent == 0)
    return;
  AUTO_BUF struct buf drawn = BUF_INIT(128);
  buf_printf(&drawn, " AND session_id*7919%%100<%u", r->conditions.sample_percent);
  buf_puts(out, ",\"samplingMetadatas\":[");
  for (size_t i = 0; i < r->range_count; i++) {
    int64_t space = events_between(r, db, &r->ranges[i], last_day, "");
    int64_t read = r->conditions.sample_percent > 0
                       ? events_between(r, db, &r->ranges[i], last_day, buf_str(&drawn))
                       : space * 2 / 5;
    buf_printf(out, "%s{\"samplesReadCount\":\"%lld\",\"samplingSpaceSize\":\"%lld\"}",
               i == 0 ? "" : ",", (long long)read, (long long)space);
  }
  buf_putc(out, ']');
}

void print_metadata(const struct report_request *r, sqlite3 *db, int64_t last_day, const char *more,
                    struct buf *out)
{
  const struct world_property *p = r->property;
  const struct report_conditions *c = &r->conditions;
  buf_puts(out, "\"metadata\":{");
  if ((p->high_cardinality || c->other_after > 0) && r->has_high_cardinality)
    buf_puts(out, "\"dataLossFromOtherRow\":true,");
  buf_puts(out, "\"currencyCode\":");
  print_string(out, r->currency_code[0] != '\0' ? r->currency_code : p->currency_code);
  buf_puts(out, ",\"timeZone\":");
  print_string(out, p->time_zone);
  if ((p->thresholded || c->threshold_users > 0) && r->has_demographics)
    buf_puts(out, ",\"subjectToThresholding\":true");
  print_sampling(r, db, last_day, out);
  if (c->unknown_enum)
    buf_puts(out, ",\"dataTruncationReasons\":[{\"dataTruncationType\":"
                  "\"DATA_TRUNCATION_TYPE_NOT_KNOWN_YET\",\"dataTruncationMessage\":"
                  "\"A reason that came after this client.\"}]");
  if (more != NULL)
    buf_puts(out, more);
  buf_puts(out, "},");
}
