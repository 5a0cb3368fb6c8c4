/* Asks report-svc what the chats of dealers were: what is registered, then the counts. */
#include "aggregate-svc/call/messages.h"

#include <errno.h>
#include <stdlib.h>

#include "aggregate-svc/call/each.h"
#include "aggregate-svc/call/query.h"
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Report__V1__RunReportRequest Request;
typedef Analytics__Report__V1__RunReportResponse Response;

enum { MESSAGES_MAGIC = 0x4d657373, VALUES_MAX = 100, ARENA_BYTES = 16 * 1024 };

struct messages {
  uint32_t magic;
  struct messages_options options;
  void (*finished)(void *user, const struct err *status);
  void *user;
  struct definitions *definitions;
  struct each *each;
  struct arena *arena;
  char *events[1];
  Analytics__Ga4__V1beta__FilterExpression *filter; /* the event */
  Analytics__Ga4__V1beta__DateRange range, *ranges[1];
};

static bool is_open(const void *user, size_t member)
{
  const struct messages_options *o = user;
  const struct cohort_member *m = &o->cohort->members[member];
  return m->visible && m->state == DEALER_OK && m->properties <= 1 && o->some(o->state, member);
}

bool messages_needed(const struct messages_options *options)
{
  for (size_t i = 0; options->some != NULL && i < options->cohort->n; i++)
    if (is_open(options, i))
      return true;
  return false;
}

/* ------------------------------------------------------------------- the counts */

static bool wanted(void *user, size_t member)
{
  struct messages *x = user;
  struct cohort_member *m = &x->options.cohort->members[member];
  if (!is_open(&x->options, member) || !(m->vehicles.registered & PARAMETERS_KNOWN))
    return false;
  if (!(m->vehicles.registered & PARAMETER_COMM_TYPE))
    m->messages.state = MESSAGES_NOT_REGISTERED;
  return (m->vehicles.registered & PARAMETER_COMM_TYPE) != 0;
}

static void fill(void *user, size_t member, ProtobufCMessage *request)
{
  static char *dimensions[] = {(char *)LEAD_MESSAGE_DIMENSION};
  static char *metrics[] = {(char *)"eventCount"};
  struct messages *x = user;
  Request *r = (Request *)request;
  (void)member;
  r->dimensions = dimensions;
  r->n_dimensions = ARRAY_LEN(dimensions);
  r->metrics = metrics;
  r->n_metrics = ARRAY_LEN(metrics);
  r->date_ranges = x->ranges;
  r->n_date_ranges = ARRAY_LEN(x->ranges);
  r->dimension_filter = x->filter;
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

static void answered(void *user, size_t member, const ProtobufCMessage *message)
{
  struct messages *x = user;
  const Response *r = (const Response *)message;
  struct cohort_messages m = {.state = MESSAGES_TOLD};
  bool whole = r->next_offset == 0;
  for (size_t i = 0; whole && i < r->n_rows; i++)
    whole = add_row(&m, r->rows[i]);
  if (whole)
    x->options.cohort->members[member].messages = m;
}

static void failed(void *user, size_t member, const struct err *e)
{
  (void)user;
  (void)member;
  (void)e;
}

static void finished(void *user, const struct err *status)
{
  struct messages *x = user;
  MAGIC_CHECK(x, MESSAGES_MAGIC);
  x->finished(x->user, status); /* x may be gone after this */
}

static void on_defined(void *user, const struct err *status)
{
  struct messages *x = user;
  MAGIC_CHECK(x, MESSAGES_MAGIC);
  if (status->code != ERR_OK || x->filter == NULL) {
    finished(x, status);
    return;
  }
  each_start(&x->each, &(struct each_options){.report = x->options.report,
                                              .parent = x->options.parent,
                                              .deadline_ms = x->options.deadline_ms,
                                              .cohort = x->options.cohort,
                                              .method = "RunReport",
                                              .at_once = MESSAGES_AT_ONCE,
                                              .fill = fill,
                                              .wanted = wanted,
                                              .answered = answered,
                                              .failed = failed,
                                              .finished = finished,
                                              .user = x});
}

/* ---------------------------------------------------------------- beginning and end */

void messages_find(struct messages **out, const struct messages_options *options,
                   void (*on_finished)(void *user, const struct err *status), void *user)
{
  struct messages *x = xcalloc(1, sizeof(*x));
  x->magic = MESSAGES_MAGIC;
  x->options = *options;
  x->finished = on_finished;
  x->user = user;
  x->arena = arena_new(ARENA_BYTES);
  x->events[0] = borrow_text(lead_message_event());
  x->filter = query_in_list("eventName", x->events, ARRAY_LEN(x->events), x->arena);
  analytics__ga4__v1beta__date_range__init(&x->range);
  x->range.start_date = borrow_text(options->period->start.text);
  x->range.end_date = borrow_text(options->period->end.text);
  x->ranges[0] = &x->range;
  *out = x;
  definitions_find(&x->definitions,
                   &(struct definitions_options){.cache = options->cache,
                                                 .report = options->report,
                                                 .parent = options->parent,
                                                 .cohort = options->cohort,
                                                 .deadline_ms = options->deadline_ms,
                                                 .wanted = is_open,
                                                 .wanted_user = &x->options},
                   on_defined, x);
}

void messages_free(struct messages *x)
{
  if (x == NULL)
    return;
  MAGIC_CHECK(x, MESSAGES_MAGIC);
  definitions_free(x->definitions);
  each_free(x->each);
  arena_free(x->arena);
  x->magic = 0;
  free(x);
}
