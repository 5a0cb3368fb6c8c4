/* Tables of Google's with a sentence, a period and caveats. */
#include "report-svc/answer/report.h"

#include <string.h>

#include "common/base/clock.h"
#include "report-svc/answer/caveats.h"
#include "report-svc/answer/headline.h"
#include "report-svc/answer/target.h"
#include "report-svc/google/field.h"

static bool put_period(ProtobufCMessage *m, const struct answer_days *days, const char *zone,
                       struct arena *arena)
{
  Analytics__Report__V1__Period *period = answer_period(days, zone, arena);
  const ProtobufCFieldDescriptor *field =
      protobuf_c_message_descriptor_get_field_by_name(m->descriptor, "period");
  if (period == NULL || field == NULL)
    return false;
  memcpy((char *)m + field->offset, &period, sizeof(period));
  return true;
}

static bool put_texts(ProtobufCMessage *m, const struct ask *a, const struct answer_report *r,
                      const struct answer_days *days, struct arena *arena)
{
  struct answer_texts caveats = {.arena = arena}, notes = {.arena = arena};
  struct ga4_list headers = ga4_list(r->table, "metric_headers");
  if (r->caveat != NULL)
    answer_say(&caveats, "%s", r->caveat);
  caveats_of_metadata(&caveats, r->metadata);
  if (r->n_ranges > 0)
    caveats_of_days(&caveats, days);
  if (r->n_ranges > 0 && ga4_list(r->table, "rows").n == 0)
    caveats_before_data(&caveats, days, r->n_ranges, ask_first_day(a), ask_property(a));
  caveats_of_currency(&caveats, r->metadata == NULL ? "" : r->metadata->currency_code,
                      (void *)headers.items, headers.n);
  notes_of_quota(&notes, r->quota);
  return answer_put_texts(m, "caveats", &caveats) && answer_put_texts(m, "notes", &notes);
}

ProtobufCMessage *answer_report(const struct ask *a, const struct answer_report *r,
                                struct arena *arena)
{
  AUTO_BUF struct buf text = BUF_INIT(HEADLINE_MAX);
  struct answer_days days[REQUEST_MAX_DATE_RANGES] = {0};
  const char *zone = r->metadata == NULL ? "" : r->metadata->time_zone;
  int64_t rows = (int64_t)ga4_list(r->table, "rows").n;
  struct headline h = {.rows = rows,
                       .first = r->first,
                       .row_count = r->row_count < 0 ? rows : r->row_count,
                       .metrics = r->metrics,
                       .n_metrics = r->n_metrics,
                       .definitions = r->definitions,
                       .dimensions = r->dimensions,
                       .n_dimensions = r->n_dimensions,
                       .ranges = days,
                       .n_ranges = r->n_ranges};
  for (size_t i = 0; i < r->n_ranges && i < REQUEST_MAX_DATE_RANGES; i++)
    days[i] = answer_days_of(r->ranges[i], zone, clock_unix_ms());
  ProtobufCMessage *m = answer_new_message(r->type, a, arena);
  if (m == NULL)
    return NULL;
  ga4_copy_list(m, r->table, "dimension_headers");
  ga4_copy_list(m, r->table, "metric_headers");
  ga4_copy_list(m, r->table, "rows");
  headline_put_report(&text, &h, ask_used_token(a), ask_property(a));
  bool whole = answer_put_headline(m, &text, arena) && put_texts(m, a, r, &days[0], arena) &&
               (r->n_ranges == 0 || put_period(m, &days[0], zone, arena));
  return whole ? m : NULL;
}
