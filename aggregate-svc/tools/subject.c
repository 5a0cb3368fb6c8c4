/* Plans what these tools share, and hands it to their answers. */
#include "aggregate-svc/tools/subject.h"

#include "aggregate-svc/call/note.h"
#include "aggregate-svc/cohort/aliases.h"
#include "common/base/mem.h"

bool subject_begin(struct tool_call *c, struct subject_state *s, const struct table_shape *shapes,
                   size_t n, struct plan *p)
{
  period_look_back(&s->look_back, c->now_unix_ms);
  report_tables_init(&s->tables, shapes, n, c->cohort.n, c->max_rows, c->budget);
  p->max_rows_per_report = c->max_rows;
  return lead_events_collect(&s->leads, &c->cohort, c->arena);
}

bool subject_add(struct tool_call *c, const struct subject_state *s, struct query_set *set,
                 struct query_spec spec, bool leads)
{
  if (leads)
    spec.dimension_filter = query_in_list("eventName", s->leads.names, s->leads.n, c->arena);
  return (!leads || spec.dimension_filter != NULL) &&
         query_set_add(set, query_new(&spec, c->arena));
}

bool subject_add_look_back(struct tool_call *c, struct subject_state *s, struct query_set *set,
                           uint32_t id)
{
  static char *by_event[] = {(char *)"eventName"};
  static char *metrics[] = {(char *)"eventCount", (char *)"sessions"};
  size_t n_names;
  char **names = lead_look_back_events(&s->leads, &n_names, c->arena);
  struct query_spec spec = {.id = id,
                            .dimensions = by_event,
                            .n_dimensions = ARRAY_LEN(by_event),
                            .metrics = metrics,
                            .n_metrics = ARRAY_LEN(metrics),
                            .periods = {&s->look_back},
                            .n_periods = 1};
  if (names == NULL)
    return false;
  spec.dimension_filter = query_in_list("eventName", names, n_names, c->arena);
  return spec.dimension_filter != NULL && query_set_add(set, query_new(&spec, c->arena));
}

struct subject_question subject_question_of(struct tool_call *c, const struct subject_state *s,
                                            struct arena *arena)
{
  struct subject_question q = {.cohort = &c->cohort,
                               .door = &c->door,
                               .tables = &s->tables,
                               .leads = &s->leads,
                               .notes = report_tables_notes(&s->tables, arena),
                               .period = &c->period,
                               .now_unix_ms = c->now_unix_ms};
  aliases_of_member(&q.names, &c->cohort.members[c->cohort.subject], arena);
  return q;
}

struct subject_question subject_question_with_days(struct tool_call *c,
                                                   const struct subject_state *s, uint32_t days,
                                                   uint32_t look_back, struct arena *arena)
{
  struct subject_question q = subject_question_of(c, s, arena);
  q.dealers = window_find(c, &s->window, &s->tables, &s->leads, days, look_back, q.notes, arena);
  note_findings(c, q.dealers);
  return q;
}
