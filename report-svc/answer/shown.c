/* From Google's report to what a reader gets of it. */
#include "report-svc/answer/shown.h"

#include "common/base/clock.h"
#include "report-svc/answer/aggregates.h"
#include "report-svc/answer/caveats.h"
#include "report-svc/answer/headline.h"
#include "report-svc/answer/landing.h"
#include "report-svc/answer/own.h"
#include "report-svc/answer/ranges.h"
#include "report-svc/ask/first_day.h"

typedef Analytics__Ga4__V1beta__RunReportRequest ga4_request;
typedef Analytics__Ga4__V1beta__RunReportResponse ga4_response;

/* Google counts the rows of several date ranges or comparisons as one. */
static bool has_several(const ga4_request *asked)
{
  return asked->n_date_ranges > 1 || asked->n_comparisons > 0;
}

static int64_t next_offset(const ga4_request *asked, const ga4_response *report)
{
  int64_t taken = has_several(asked) ? asked->limit : (int64_t)report->n_rows;
  int64_t next = asked->offset + taken;
  return report->n_rows > 0 && next < report->row_count ? next : 0;
}

/* The rows, as they are unless date ranges need a name. */
static bool put_rows(struct shown_report *out, const struct shown_question *q, struct arena *arena)
{
  struct ranges_question ranges = {q->asked, out->days, q->report, q->request->n_order_bys == 0};
  out->rows = q->report->rows;
  out->n_rows = q->report->n_rows;
  out->row_count = q->report->row_count;
  out->next_offset = next_offset(q->asked, q->report);
  if (q->asked->n_date_ranges > 1 && out->n_rows > 0)
    out->rows = ranges_rows(&ranges, arena);
  out->aggregates = aggregates_of(&out->n_aggregates, &ranges, arena);
  return out->aggregates != NULL && (out->n_rows == 0 || out->rows != NULL);
}

static bool put_caveats(struct shown_report *out, const struct shown_question *q,
                        const struct ask *a, struct answer_texts *caveats, struct arena *arena)
{
  size_t before = out->n_rows;
  if (!landing_join(&out->rows, &out->n_rows, q->report, caveats, arena))
    return false;
  out->row_count -= (int32_t)(before - out->n_rows);
  const Analytics__Ga4__V1beta__ResponseMetaData *metadata = q->report->metadata;
  caveats_of_metadata(caveats, metadata);
  if (out->n_days > 0)
    caveats_of_days(caveats, &out->days[0]);
  if (q->own != NULL && own_facts(q->own)->properties > 1)
    caveats_of_first_days(caveats, q->own, out->days, out->n_days);
  else if (first_day_matters(q->asked, q->report, clock_unix_ms()))
    caveats_of_no_rows(caveats, out->days, out->n_days, ask_first_day(a), ask_property(a));
  if (q->asked->cohort_spec != NULL)
    answer_say(caveats, "Steps of a cohort that have not ended yet hold only what came so far; "
                        "Google takes 24-48 hours to finish a day.");
  caveats_of_currency(caveats, metadata == NULL ? "" : metadata->currency_code,
                      q->report->metric_headers, q->report->n_metric_headers);
  return !caveats->failed;
}

static bool put_headline(struct shown_report *out, const struct shown_question *q,
                         const struct ask *a, struct arena *arena)
{
  AUTO_BUF struct buf text = BUF_INIT(HEADLINE_MAX);
  bool several = has_several(q->asked); /* rows are more than combinations */
  struct headline h = {.rows = (int64_t)out->n_rows,
                       .first = several ? 0 : q->request->offset,
                       .row_count = several ? (int64_t)out->n_rows : out->row_count,
                       .metrics = q->request->metrics,
                       .n_metrics = q->request->n_metrics,
                       .definitions = GA4_DEFINITIONS(q->request),
                       .dimensions = q->request->dimensions,
                       .n_dimensions = q->request->n_dimensions,
                       .ranges = out->days,
                       .n_ranges = out->n_days};
  headline_put_report(&text, &h, ask_used_token(a), ask_property(a));
  out->headline = arena_strdup(arena, buf_str(&text));
  return out->headline != NULL;
}

bool shown_report(struct shown_report *out, const struct shown_question *q, const struct ask *a,
                  struct answer_texts *caveats, struct arena *arena)
{
  *out = (struct shown_report){.zone = ""};
  if (q->report->metadata != NULL)
    out->zone = q->report->metadata->time_zone;
  for (; out->n_days < q->asked->n_date_ranges; out->n_days++)
    out->days[out->n_days] =
        answer_days_of(q->asked->date_ranges[out->n_days], out->zone, clock_unix_ms());
  return put_rows(out, q, arena) && put_caveats(out, q, a, caveats, arena) &&
         put_headline(out, q, a, arena);
}
