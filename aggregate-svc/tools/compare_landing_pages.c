/* compare_landing_pages: which landing pages bring more or fewer leads than their kind. */
#include <string.h>

#include "aggregate-svc/answer/pages.h"
#include "aggregate-svc/tools/subject.h"
#include "aggregate-svc/tools/tools.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__CompareLandingPagesRequest Request;

struct state {
  struct subject_state of;  /* first: the fold's figures */
  struct query_set sets[2]; /* of the subject, of the others */
  char *by_week[3];
  bool from_region;
  char *alone[1]; /* the dealers of a question that rests on the subject alone */
};

static enum err_code check(struct tool_call *c, struct err *e)
{
  const char *from = ((const Request *)c->request)->expected_from;
  struct state *s = c->state;
  /* Whoever names others means to be set against them. */
  bool others = c->fields.region[0] != '\0' || c->fields.cohort[0] != '\0';
  s->from_region = strcmp(from, "region") == 0 || (from[0] == '\0' && others);
  if (c->fields.subject[0] == '\0')
    return request_no_subject(e);
  if (from[0] != '\0' && strcmp(from, "own") != 0 && !s->from_region)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "expected_from: must be own or region");
  if (others && !s->from_region)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "expected_from: own rates need no region or cohort: leave those out, or give "
                   "region");
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

/* Sessions and leads by page, and by channel or by week. */
static bool add_reports(struct tool_call *c, struct query_set *set, char *const *names)
{
  static char *sessions[] = {(char *)"sessions"};
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
  return subject_add(c, &s->of, set, pages, false) && subject_add(c, &s->of, set, leads, true) &&
         subject_add_look_back(c, &s->of, set, PAGES_LOOKBACK) &&
         query_set_add(set, window_query(c, &s->of.window, PAGES_DAYS));
}

/* The others' pages are read by week where some of them are outside the caller's view: a rate of
 * theirs must be one in each week, and is by page type alone. */
static bool add_all(struct tool_call *c)
{
  struct state *s = c->state;
  memcpy(s->by_week, by_page, sizeof(s->by_week));
  if (pages_by_week(&c->door, s->from_region))
    s->by_week[1] = borrow_text(lattice_dimension(c->door.period));
  return add_reports(c, &s->sets[0], by_page) && add_reports(c, &s->sets[1], s->by_week);
}

static enum err_code plan(struct tool_call *c, struct plan *p, struct err *e)
{
  static const struct table_shape shapes[PAGES_QUERIES] = {{2, 1}, {3, 1}, {1, 2}, {1, 2}};
  struct state *s = c->state;
  uint16_t *set_of = ARENA_ARRAY(c->arena, uint16_t, c->cohort.n + 1);
  if (set_of == NULL || !subject_begin(c, &s->of, shapes, PAGES_QUERIES, p) || !add_all(c))
    return tool_cohort_too_large(e, "comparison");
  for (size_t i = 0; i < c->cohort.n; i++)
    set_of[i] = (long)i != c->cohort.subject;
  p->sets = s->sets;
  p->set_of = set_of;
  return ERR_OK;
}

static ProtobufCMessage *result(struct tool_call *c, struct arena *arena, struct err *e)
{
  const struct state *s = c->state;
  struct pages_question q = {
      subject_question_with_days(c, &s->of, PAGES_DAYS, PAGES_LOOKBACK, arena), s->from_region};
  window_give_bases(c, &s->of.window, &s->of.tables, &s->of.leads, PAGES_DAYS, PAGES_LOOKBACK,
                    q.of.notes, arena);
  (void)e;
  return &compare_pages(&q, arena)->base;
}

const struct tool compare_landing_pages_tool = {.rpc = "CompareLandingPages",
                                                .dealers = TOOL_PEERS,
                                                .period = TOOL_LAST_4_WEEKS,
                                                .kept = true,
                                                .state_size = sizeof(struct state),
                                                .fold = &report_tables_fold,
                                                .check = check,
                                                .plan = plan,
                                                .result = result};
