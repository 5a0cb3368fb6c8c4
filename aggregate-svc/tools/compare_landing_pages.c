/* compare_landing_pages: which landing pages bring more or fewer leads than their kind. */
#include <string.h>

#include "aggregate-svc/answer/pages.h"
#include "aggregate-svc/call/window.h"
#include "aggregate-svc/tools/tools.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__CompareLandingPagesRequest Request;

struct state {
  struct report_tables tables; /* first: the fold's figures */
  struct lead_events leads;
  struct period look_back;
  struct suspect_window window;
  struct query_set sets[2]; /* of the subject, of the others */
  char *by_week[3];
  bool from_region;
  char *alone[1]; /* the dealers of a question that rests on the subject alone */
};

static enum err_code check(struct tool_call *c, struct err *e)
{
  const char *from = ((const Request *)c->request)->expected_from;
  struct state *s = c->state;
  s->from_region = strcmp(from, "region") == 0;
  if (c->fields.subject[0] == '\0')
    return request_no_subject(e);
  if (from[0] != '\0' && strcmp(from, "own") != 0 && !s->from_region)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "expected_from: must be own or region");
  if (s->from_region)
    return ERR_OK;
  s->alone[0] = borrow_text(c->fields.subject);
  c->fields.dealer_ids = s->alone;
  c->fields.n_dealer_ids = 1;
  c->fields.region = c->fields.cohort = "";
  return ERR_OK;
}

static char *by_page[] = {(char *)"landingPage", (char *)"sessionDefaultChannelGroup",
                          (char *)"eventName"};
static char *by_event[] = {(char *)"eventName"};
static char *sessions[] = {(char *)"sessions"};
static char *events[] = {(char *)"eventCount", (char *)"sessions"};

/* Sessions and leads by page, and by channel or by week. */
static bool add_pages(struct tool_call *c, struct query_set *set, char *const *names)
{
  struct state *s = c->state;
  struct query_spec pages = {.id = PAGES_SESSIONS,
                             .dimensions = names,
                             .n_dimensions = 2,
                             .metrics = sessions,
                             .n_metrics = 1,
                             .periods = {&c->period},
                             .n_periods = 1};
  struct query_spec leads = pages;
  leads.id = PAGES_LEADS;
  leads.n_dimensions = 3;
  leads.dimension_filter = query_in_list("eventName", s->leads.names, s->leads.n, c->arena);
  return leads.dimension_filter != NULL && query_set_add(set, query_new(&pages, c->arena)) &&
         query_set_add(set, query_new(&leads, c->arena));
}

static bool add_look_back(struct tool_call *c, struct query_set *set)
{
  struct state *s = c->state;
  size_t n_names;
  char **names = lead_look_back_events(&s->leads, &n_names, c->arena);
  struct query_spec look_back = {.id = PAGES_LOOKBACK,
                                 .dimensions = by_event,
                                 .n_dimensions = 1,
                                 .metrics = events,
                                 .n_metrics = ARRAY_LEN(events),
                                 .periods = {&s->look_back},
                                 .n_periods = 1};
  if (names == NULL)
    return false;
  look_back.dimension_filter = query_in_list("eventName", names, n_names, c->arena);
  return look_back.dimension_filter != NULL &&
         query_set_add(set, query_new(&look_back, c->arena)) &&
         query_set_add(set, window_query(c, &s->window, PAGES_DAYS));
}

/* The others' pages are read by week where some of them are outside the caller's view: a rate of
 * theirs must be one in each week, and is by page type alone. */
static bool add_reports(struct tool_call *c)
{
  struct state *s = c->state;
  bool by_week = pages_by_week(&c->door, s->from_region);
  memcpy(s->by_week, by_page, sizeof(s->by_week));
  if (by_week)
    s->by_week[1] = borrow_text(lattice_dimension(c->door.period));
  return add_pages(c, &s->sets[0], by_page) && add_look_back(c, &s->sets[0]) &&
         add_pages(c, &s->sets[1], s->by_week) && add_look_back(c, &s->sets[1]);
}

static enum err_code plan(struct tool_call *c, struct plan *p, struct err *e)
{
  static const struct table_shape shapes[PAGES_QUERIES] = {{2, 1}, {3, 1}, {1, 2}, {1, 2}};
  struct state *s = c->state;
  uint16_t *set_of = ARENA_ARRAY(c->arena, uint16_t, c->cohort.n + 1);
  period_look_back(&s->look_back, c->now_unix_ms);
  if (set_of == NULL || !lead_events_collect(&s->leads, &c->cohort, c->arena) || !add_reports(c))
    return tool_cohort_too_large(e, "comparison");
  for (size_t i = 0; i < c->cohort.n; i++)
    set_of[i] = (long)i != c->cohort.subject;
  p->sets = s->sets;
  p->set_of = set_of;
  report_tables_init(&s->tables, shapes, PAGES_QUERIES, c->cohort.n, c->max_rows, c->budget);
  p->max_rows_per_report = c->max_rows;
  return ERR_OK;
}

static ProtobufCMessage *result(struct tool_call *c, struct arena *arena, struct err *e)
{
  const struct state *s = c->state;
  const struct dealer_notes *notes = report_tables_notes(&s->tables, arena);
  window_give_bases(c, &s->window, &s->tables, &s->leads, PAGES_DAYS, PAGES_LOOKBACK, notes, arena);
  struct pages_question q = {.cohort = &c->cohort,
                             .door = &c->door,
                             .tables = &s->tables,
                             .leads = &s->leads,
                             .dealers = window_find(c, &s->window, &s->tables, &s->leads,
                                                    PAGES_DAYS, PAGES_LOOKBACK, notes, arena),
                             .notes = notes,
                             .from_region = s->from_region,
                             .period = &c->period,
                             .now_unix_ms = c->now_unix_ms};
  (void)e;
  return &compare_pages(&q, arena)->base;
}

const struct tool compare_landing_pages_tool = {.rpc = "CompareLandingPages",
                                                .dealers = TOOL_PEERS,
                                                .period = TOOL_LAST_4_WEEKS,
                                                .batch = true,
                                                .kept = true,
                                                .state_size = sizeof(struct state),
                                                .fold = &report_tables_fold,
                                                .check = check,
                                                .plan = plan,
                                                .result = result};
