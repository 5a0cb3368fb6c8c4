/* Puts the result of a comparison together. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/answer/comparison.h"
#include "aggregate-svc/answer/dealer_caveats.h"
#include "aggregate-svc/answer/index_text.h"
#include "aggregate-svc/answer/paging.h"
#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__CompareDealerSessionsResult Result;
typedef Analytics__Aggregate__V1__DealerSessions DealerSessions;
typedef Analytics__Aggregate__V1__DealerIndex DealerIndex;
typedef Analytics__Aggregate__V1__MetricIndex MetricIndex;
typedef Analytics__Aggregate__V1__MetricAverage MetricAverage;
typedef Analytics__Aggregate__V1__RegionalAverage RegionalAverage;

#define DEALER(field) ANALYTICS__AGGREGATE__V1__DEALER_SESSIONS__##field

enum {
  VERDICTS_BYTES = 400,
  /* Bytes of the text: of an answer about one dealer, of others, and of the names of columns. */
  TEXT_ONE = 4090,
  TEXT_MANY = 5500,
  TEXT_COLUMNS = 420,
};

static const char legend[] = "mark, of leads_per_100_sessions: + better, - worse, = no clear "
                             "difference, ? no verdict";

/* --------------------------------------------------------------------- dealers */

/* "engagement_rate better, shopper_rate worse"; "suspect data", "none clear", "benchmark withheld" or
 * "too little data" when there is no such word. */
static char *verdicts_text(const struct judgement *j, size_t member, struct arena *arena)
{
  AUTO_BUF struct buf b = BUF_INIT(VERDICTS_BYTES);
  size_t unclear = 0, suspect = 0, withheld = 0;
  for (size_t m = 0; m < METRIC_COMPARED; m++) {
    enum verdict word = judgement_cell(j, member, (enum metric_id)m)->word;
    unclear += word == VERDICT_NO_CLEAR_DIFFERENCE;
    suspect += word == VERDICT_SUSPECT;
    withheld += word == VERDICT_WITHHELD;
    if (word == VERDICT_BETTER || word == VERDICT_WORSE)
      buf_printf(&b, "%s%s %s", b.len > 0 ? ", " : "", dealer_metrics[m].name, verdict_name(word));
  }
  if (b.len > 0)
    return arena_strdup(arena, buf_str(&b));
  return borrow_text(suspect > 0    ? "suspect data"
                     : unclear > 0  ? "none clear"
                     : withheld > 0 ? "benchmark withheld"
                                    : "too little data");
}

static void set_leads(DealerSessions *d, const struct comparison *c, size_t member)
{
  const struct dealer_figures *f = &c->of.figures.dealers[member];
  const struct cohort_messages *told = &c->of.figures.cohort->members[member].messages;
  d->opt_calls_case = DEALER(OPT_CALLS_CALLS);
  d->calls = f->kinds[LEAD_KIND_CALL];
  d->opt_chats_case = DEALER(OPT_CHATS_CHATS);
  d->chats = f->kinds[LEAD_KIND_CHAT];
  if (told->state == MESSAGES_TOLD) {
    d->opt_live_chats_case = DEALER(OPT_LIVE_CHATS_LIVE_CHATS);
    d->live_chats = told->of[LEAD_MESSAGE_CHAT];
    d->opt_texts_case = DEALER(OPT_TEXTS_TEXTS);
    d->texts = told->of[LEAD_MESSAGE_TEXT];
  }
  d->opt_appointments_case = DEALER(OPT_APPOINTMENTS_APPOINTMENTS);
  d->appointments = f->kinds[LEAD_KIND_APPOINTMENT];
  if (f->lead_event == LEAD_UNKNOWN)
    return;
  d->lead_event = c->of.figures.leads->names[f->lead_event];
  d->lead_kind = borrow_text(lead_event_kind(d->lead_event));
  d->opt_lead_events_case = DEALER(OPT_LEAD_EVENTS_LEAD_EVENTS);
  d->lead_events = f->now.leads;
  d->opt_lead_sessions_case = DEALER(OPT_LEAD_SESSIONS_LEAD_SESSIONS);
  d->lead_sessions = f->now.lead_sessions;
}

static void set_rates(DealerSessions *d, const struct comparison *c, size_t member)
{
  const struct cohort_figures *f = &c->of.figures;
  double x;
  if (group_value(f, group_of(f, METRIC_ENGAGEMENT_RATE, member), member, &x)) {
    d->opt_engagement_rate_case = DEALER(OPT_ENGAGEMENT_RATE_ENGAGEMENT_RATE);
    d->engagement_rate = x;
  }
  if (group_value(f, group_of(f, METRIC_BOUNCE_RATE, member), member, &x)) {
    d->opt_bounce_rate_case = DEALER(OPT_BOUNCE_RATE_BOUNCE_RATE);
    d->bounce_rate = x;
  }
  if (group_value(f, group_of(f, METRIC_LEADS_PER_100_SESSIONS, member), member, &x)) {
    d->opt_leads_per_100_sessions_case = DEALER(OPT_LEADS_PER_100_SESSIONS_LEADS_PER_100_SESSIONS);
    d->leads_per_100_sessions = x;
  }
  if (group_value(f, group_of(f, METRIC_SHOPPER_RATE, member), member, &x)) {
    d->opt_shopper_rate_case = DEALER(OPT_SHOPPER_RATE_SHOPPER_RATE);
    d->shopper_rate = x;
  }
  if (group_value(f, group_of(f, METRIC_LEADS_PER_100_SHOPPER_SESSIONS, member), member, &x)) {
    d->opt_leads_per_100_shopper_sessions_case =
        DEALER(OPT_LEADS_PER_100_SHOPPER_SESSIONS_LEADS_PER_100_SHOPPER_SESSIONS);
    d->leads_per_100_shopper_sessions = x;
  }
}

static DealerSessions *dealer_message(const struct comparison *c, const struct judgement *j,
                                      size_t member, struct arena *arena)
{
  const struct cohort_member *m = &c->of.figures.cohort->members[member];
  const struct dealer_figures *f = &c->of.figures.dealers[member];
  DealerSessions *d = ARENA_NEW(arena, DealerSessions);
  analytics__aggregate__v1__dealer_sessions__init(d);
  d->dealer_id = borrow_text(m->dealer_id);
  d->name = borrow_text(m->name);
  d->region = borrow_text(m->region);
  d->sessions = f->now.sessions;
  d->engaged_sessions = f->now.engaged_sessions;
  d->subject = c->of.figures.cohort->subject == (long)member;
  if (f->shopper != SHOPPER_UNKNOWN) {
    d->opt_shopper_sessions_case = DEALER(OPT_SHOPPER_SESSIONS_SHOPPER_SESSIONS);
    d->shopper_sessions = f->now.shopper_sessions;
  }
  set_leads(d, c, member);
  set_rates(d, c, member);
  if (c->of.figures.cohort->subject < 0 || d->subject)
    d->verdicts = verdicts_text(j, member, arena);
  return d;
}

static DealerIndex *indices_message(const struct comparison *c, const struct judgement *j,
                                    size_t member, struct arena *arena)
{
  DealerIndex *d = ARENA_NEW(arena, DealerIndex);
  analytics__aggregate__v1__dealer_index__init(d);
  d->dealer_id = borrow_text(c->of.figures.cohort->members[member].dealer_id);
  d->n_metrics = METRIC_COMPARED;
  d->metrics = ARENA_ARRAY(arena, MetricIndex *, METRIC_COMPARED);
  for (size_t m = 0; m < METRIC_COMPARED; m++)
    d->metrics[m] = index_message(&c->of, j, (enum metric_id)m, member, arena);
  return d;
}

/* A shown dealer while the order is made. */
struct shown {
  size_t member;
  double shrunk; /* leads per 100 sessions, see stats/shrink.h; -1 without */
  int64_t sessions;
  const char *dealer_id;
  bool subject;
};

static int highest_first(const void *a, const void *b)
{
  const struct shown *x = a, *y = b;
  if (x->subject != y->subject)
    return x->subject ? -1 : 1;
  if (x->shrunk < y->shrunk || x->shrunk > y->shrunk)
    return x->shrunk > y->shrunk ? -1 : 1;
  if (x->sessions != y->sessions)
    return x->sessions > y->sessions ? -1 : 1;
  return strcmp(x->dealer_id, y->dealer_id);
}

/* Leads of small dealers are drawn towards the pool of those that are shown and count the region's
 * lead event: a rank by the own rate would be one by chance. */
static void shrink(const struct comparison *c, struct shown *list, size_t n)
{
  const struct cohort_figures *f = &c->of.figures;
  const struct dealer_metric *m = &dealer_metrics[METRIC_LEADS_PER_100_SESSIONS];
  struct metric_group g = group_of_region(f, METRIC_LEADS_PER_100_SESSIONS);
  AUTO_FREE struct stats_ratio *parts = xcalloc(n + 1, sizeof(*parts));
  AUTO_FREE double *rates = xcalloc(n + 1, sizeof(*rates));
  AUTO_FREE size_t *places = xcalloc(n + 1, sizeof(*places));
  struct stats_shrinkage s;
  size_t k = 0;
  for (size_t i = 0; i < n; i++) {
    if (!group_has(f, g, list[i].member))
      continue;
    places[k] = i;
    parts[k++] = metric_parts(m, &f->dealers[list[i].member]);
  }
  if (!stats_shrink(parts, k, rates, &s))
    return;
  for (size_t i = 0; i < k; i++)
    list[places[i]].shrunk = m->scale * rates[i];
}

static char mark_of(enum verdict word)
{
  switch (word) {
  case VERDICT_BETTER:
    return '+';
  case VERDICT_WORSE:
    return '-';
  case VERDICT_NO_CLEAR_DIFFERENCE:
    return '=';
  case VERDICT_CONTEXT:
  case VERDICT_NOT_JUDGED:
  case VERDICT_TOO_LITTLE_DATA:
  default:
    return '?';
  }
}

static void set_rank(DealerSessions *d, const struct judgement *j, const struct shown *x,
                     struct arena *arena)
{
  const char mark[] = {mark_of(judgement_cell(j, x->member, METRIC_LEADS_PER_100_SESSIONS)->word),
                       '\0'};
  d->mark = arena_strdup(arena, mark);
  if (x->shrunk < 0)
    return;
  d->opt_leads_per_100_shrunk_case = DEALER(OPT_LEADS_PER_100_SHRUNK_LEADS_PER_100_SHRUNK);
  d->leads_per_100_shrunk = x->shrunk;
}

/* The dealers that the caller may see, in the order of the answer. Returns how many. */
static size_t order_dealers(const struct comparison *c, struct shown *order)
{
  const struct cohort *cohort = c->of.figures.cohort;
  size_t n = 0;
  for (size_t i = 0; i < cohort->n; i++)
    if (c->of.figures.dealers[i].ok && cohort->members[i].visible)
      order[n++] = (struct shown){i, -1, c->of.figures.dealers[i].now.sessions,
                                  cohort->members[i].dealer_id, cohort->subject == (long)i};
  if (cohort->subject < 0)
    shrink(c, order, n);
  qsort(order, n, sizeof(*order), highest_first);
  return n;
}

/* The rows of a dealer's index, each of which names the dealer. */
static size_t index_bytes(const DealerIndex *d)
{
  return paging_text_bytes(&d->base) + d->n_metrics * (strlen(d->dealer_id) + 1);
}

/* Of a dealer's row in the text: without columns that are empty in every row, and without those of
 * the structured form alone; kinds of chats stand in the cell of the chats. */
static size_t row_bytes(const struct comparison *c, const DealerSessions *d)
{
  enum { EMPTY = 2, FLAG = 3 }; /* of a value, with what parts it from the next */
  enum { NOT_SHOWN = 4 * EMPTY + FLAG }; /* lead_event, lead_kind, live_chats, texts; subject */
  enum { NO_RANK = 2 * EMPTY };          /* leads_per_100_shrunk, mark */
  DealerSessions shown = *d;
  shown.lead_event = shown.lead_kind = borrow_text("");
  shown.opt_live_chats_case = 0;
  shown.opt_texts_case = 0;
  size_t kinds = 0;
  if (d->opt_live_chats_case != 0)
    kinds = (size_t)snprintf(NULL, 0, " (live_chats %" PRId64 ", texts %" PRId64 ")", d->live_chats,
                             d->texts);
  return paging_text_bytes(&shown.base) - NOT_SHOWN + kinds -
         (c->of.figures.cohort->subject >= 0 ? NO_RANK : 0);
}

/* Adds a dealer when the page has room for it. */
static bool add_dealer(const struct comparison *c, const struct judgement *j, Result *r,
                       const struct shown *x, struct paging *page, struct arena *arena)
{
  bool ranked = c->of.figures.cohort->subject < 0;
  DealerSessions *d = dealer_message(c, j, x->member, arena);
  DealerIndex *own = c->everyone && !x->subject ? indices_message(c, j, x->member, arena) : NULL;
  if (ranked)
    set_rank(d, j, x, arena);
  if (!paging_take(page, row_bytes(c, d) + (own != NULL ? index_bytes(own) : 0)))
    return false;
  r->dealers[r->n_dealers++] = d;
  if (own != NULL)
    r->performance_index[r->n_performance_index++] = own;
  return true;
}

/* A page of the dealers, in what the rest of the answer leaves. */
static void add_dealers(const struct comparison *c, const struct judgement *j, Result *r,
                        const struct shown *order, size_t n, struct arena *arena)
{
  size_t most = c->everyone || c->of.figures.cohort->subject < 0 ? TEXT_MANY : TEXT_ONE;
  struct paging page = {.offset = c->offset, .limit = c->limit};
  size_t used = paging_head_bytes(&r->base) + TEXT_COLUMNS;
  if (r->n_performance_index > 0)
    used +=
        index_bytes(r->performance_index[0]) - paging_text_bytes(&r->performance_index[0]->base);
  page.left = paging_left(most, used);
  r->dealers = ARENA_ARRAY(arena, DealerSessions *, n);
  for (size_t i = page.offset; i < n && add_dealer(c, j, r, &order[i], &page, arena); i++)
    ;
  r->next_offset = paging_next(&page, n);
}

/* The subject's index stands on every page: the headline rests on it. */
static void add_subject(const struct comparison *c, const struct judgement *j, Result *r,
                        const struct shown *order, size_t n, struct arena *arena)
{
  r->performance_index = ARENA_ARRAY(arena, DealerIndex *, n + 1);
  if (n > 0 && order[0].subject)
    r->performance_index[r->n_performance_index++] = indices_message(c, j, order[0].member, arena);
}

const DealerIndex *comparison_index_of_subject(const struct comparison *c, const Result *r)
{
  long subject = c->of.figures.cohort->subject;
  for (size_t i = 0; subject >= 0 && i < r->n_performance_index; i++)
    if (strcmp(r->performance_index[i]->dealer_id,
               c->of.figures.cohort->members[subject].dealer_id) == 0)
      return r->performance_index[i];
  return NULL;
}

/* ---------------------------------------------------------------------- region */

/* Sum of a count over its group; false when there is none or it may not be shown. */
static bool region_count(const struct comparison *c, enum metric_id m, int64_t *out)
{
  return c->of.figures.cohort->outside == 0 &&
         group_count(&c->of.figures, group_of_region(&c->of.figures, m), out);
}

static RegionalAverage *region_message(const struct comparison *c, struct arena *arena)
{
  RegionalAverage *a = ARENA_NEW(arena, RegionalAverage);
  analytics__aggregate__v1__regional_average__init(a);
  if (region_count(c, METRIC_SESSIONS, &a->sessions))
    a->opt_sessions_case = ANALYTICS__AGGREGATE__V1__REGIONAL_AVERAGE__OPT_SESSIONS_SESSIONS;
  if (region_count(c, METRIC_ENGAGED_SESSIONS, &a->engaged_sessions))
    a->opt_engaged_sessions_case =
        ANALYTICS__AGGREGATE__V1__REGIONAL_AVERAGE__OPT_ENGAGED_SESSIONS_ENGAGED_SESSIONS;
  if (region_count(c, METRIC_LEAD_EVENTS, &a->lead_events))
    a->opt_lead_events_case =
        ANALYTICS__AGGREGATE__V1__REGIONAL_AVERAGE__OPT_LEAD_EVENTS_LEAD_EVENTS;
  a->n_metrics = METRIC_COMPARED;
  a->metrics = ARENA_ARRAY(arena, MetricAverage *, METRIC_COMPARED);
  for (size_t m = 0; m < METRIC_COMPARED; m++)
    a->metrics[m] =
        average_message(&c->of, group_of_region(&c->of.figures, (enum metric_id)m), arena);
  return a;
}

Result *compare_dealers(const struct comparison *c, struct arena *arena)
{
  Result *r = ARENA_NEW(arena, Result);
  struct resolved_period period;
  analytics__aggregate__v1__compare_dealer_sessions_result__init(r);
  r->cohort = answer_cohort(c->of.figures.cohort, arena);
  r->period =
      period_message(c->period, c->of.figures.cohort, c->notes, c->now_unix_ms, arena, &period);
  CLEANUP(judgement_free) struct judgement j;
  benchmarked_judge(&j, &c->of, c->of.figures.cohort->subject,
                    JUDGE_METRICS_BEFORE(METRIC_COMPARED));
  AUTO_FREE struct shown *order = xcalloc(c->of.figures.cohort->n + 1, sizeof(*order));
  size_t n = order_dealers(c, order);
  add_subject(c, &j, r, order, n, arena);
  if (c->of.figures.cohort->subject < 0)
    r->legend = borrow_text(legend);
  r->opt_cells_tested_case =
      ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_RESULT__OPT_CELLS_TESTED_CELLS_TESTED;
  r->cells_tested = (int32_t)j.tested;
  r->regional_average = region_message(c, arena);
  r->coverage = cohort_coverage(c->of.figures.cohort, arena);
  dealer_left_out(r->coverage, c->of.figures.cohort, c->of.figures.dealers, arena);
  comparison_caveats(c, r, &period, arena);
  r->headline = comparison_headline(c, r, &period, arena);
  add_dealers(c, &j, r, order, n, arena);
  return r;
}
