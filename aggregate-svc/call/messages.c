/* The counts of chats by comm_type. */
#include "aggregate-svc/call/messages.h"

#include <errno.h>
#include <stdlib.h>

#include "aggregate-svc/call/query.h"
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Report__V1__RunReportRequest Request;
typedef Analytics__Report__V1__RunReportResponse Response;

enum { VALUES_MAX = 100 };

bool messages_question_init(struct messages_question *q, const struct period *period,
                            struct arena *arena)
{
  q->events[0] = borrow_text(lead_message_event());
  q->filter = query_in_list("eventName", q->events, ARRAY_LEN(q->events), arena);
  analytics__ga4__v1beta__date_range__init(&q->range);
  q->range.start_date = borrow_text(period->start.text);
  q->range.end_date = borrow_text(period->end.text);
  q->ranges[0] = &q->range;
  return q->filter != NULL;
}

/* ---------------------------------------------------------------------- who is asked */

/* Before it is known who had chats. */
static bool wanted_early(const void *question, size_t member)
{
  const struct messages_question *q = question;
  struct cohort_member *m = &q->cohort->members[member];
  unsigned registered = 0;
  m->messages.asked = m->state == DEALER_PENDING && m->properties <= 1 &&
                      definitions_kept(q->cache, m->dealer_id, &registered) &&
                      (registered & PARAMETER_COMM_TYPE) != 0;
  return m->messages.asked;
}

bool messages_need_definitions(const void *question, size_t member)
{
  const struct messages_question *q = question;
  const struct cohort_member *m = &q->cohort->members[member];
  return m->state == DEALER_OK && m->properties <= 1 && !m->messages.asked &&
         q->some(q->state, member);
}

static bool wanted(const void *question, size_t member)
{
  const struct messages_question *q = question;
  struct cohort_member *m = &q->cohort->members[member];
  if (!messages_need_definitions(q, member) || !(m->vehicles.registered & PARAMETERS_KNOWN))
    return false;
  if (!(m->vehicles.registered & PARAMETER_COMM_TYPE))
    m->messages.state = MESSAGES_NOT_REGISTERED;
  return (m->vehicles.registered & PARAMETER_COMM_TYPE) != 0;
}

void messages_settle(const struct messages_question *q)
{
  for (size_t i = 0; i < q->cohort->n; i++) {
    struct cohort_member *m = &q->cohort->members[i];
    if (m->messages.asked && (m->state != DEALER_OK || !q->some(q->state, i)))
      m->messages = (struct cohort_messages){.asked = true};
  }
}

/* ------------------------------------------------------------------------ the counts */

static void fill(const void *question, ProtobufCMessage *request)
{
  static char *dimensions[] = {(char *)LEAD_MESSAGE_DIMENSION};
  static char *metrics[] = {(char *)"eventCount"};
  const struct messages_question *q = question;
  Request *r = (Request *)request;
  r->dimensions = dimensions;
  r->n_dimensions = ARRAY_LEN(dimensions);
  r->metrics = metrics;
  r->n_metrics = ARRAY_LEN(metrics);
  r->date_ranges = (Analytics__Ga4__V1beta__DateRange **)q->ranges;
  r->n_date_ranges = ARRAY_LEN(q->ranges);
  r->dimension_filter = q->filter;
  r->limit = VALUES_MAX;
}

/* One row: a value of comm_type, and how often. False: that is not a count. */
static bool add_row(struct cohort_messages *m, const Analytics__Ga4__V1beta__Row *row)
{
  char *end;
  if (row->n_dimension_values != 1 || row->n_metric_values != 1)
    return false;
  const char *text = row->metric_values[0]->value;
  errno = 0;
  long long n = strtoll(text, &end, 10);
  int64_t *to = &m->of[lead_message_of(row->dimension_values[0]->value)];
  return errno == 0 && end != text && *end == '\0' && n >= 0 &&
         !__builtin_add_overflow(*to, (int64_t)n, to);
}

static void answered(const void *question, size_t member, const ProtobufCMessage *response)
{
  const struct messages_question *q = question;
  struct cohort_messages *to = &q->cohort->members[member].messages, m = {.state = MESSAGES_TOLD};
  const Response *r = (const Response *)response;
  bool whole = r->next_offset == 0;
  m.asked = to->asked;
  for (size_t i = 0; whole && i < r->n_rows; i++)
    whole = add_row(&m, r->rows[i]);
  if (whole)
    *to = m;
}

const struct lookup_kind messages_early_lookup = {
    .method = "RunReport", .wanted = wanted_early, .fill = fill, .answered = answered};
const struct lookup_kind messages_lookup = {
    .method = "RunReport", .wanted = wanted, .fill = fill, .answered = answered};
