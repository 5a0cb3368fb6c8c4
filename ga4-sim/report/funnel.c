/* Runs a funnel: the events of each user in the order of time, the steps they complete, and how
 * many users complete each step by value of the breakdown, next action and day. */
#include "ga4-sim/report/funnel.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/map.h"
#include "common/base/mem.h"
#include "ga4-sim/base/value.h"
#include "ga4-sim/report/print.h"
#include "ga4-sim/report/table.h"
#include "ga4-sim/world/calendar.h"

#define TOTAL "RESERVED_TOTAL"

/* Each segment is a funnel of its own; without any there is one of all events. */
enum { FUNNEL_TALLIES = REQUEST_MAX_RANGES * SEGMENT_MAX };

struct event {
  double time_s;      /* hours are all the world knows, as seconds */
  const char *value;  /* of the breakdown or the next action; NULL: none */
  const char *date;   /* YYYYMMDD */
  uint32_t matches;   /* a bit for each step */
  uint32_t completes; /* a bit for each step that ends here */
  uint32_t continues; /* likewise, entered from the step before */
};

/* Users of a value, a day or all. */
struct group {
  struct map_node in_map;
  const char *value;
  int64_t users[FUNNEL_MAX_STEPS], continued[FUNNEL_MAX_STEPS]; /* to the next step */
};

struct tally {
  struct map map; /* by value */
  struct group *total;
};

struct funnel_runner {
  struct world *world;
  const struct funnel_request *f;
  sqlite3 *db;
  struct buf *out;
  int64_t last_day;
  const char *integer, *real;          /* types of metrics, as the client reads them */
  struct tally values[FUNNEL_TALLIES]; /* breakdown; by tally_at() */
  struct tally days[FUNNEL_TALLIES];
  struct tally next[FUNNEL_TALLIES][FUNNEL_MAX_STEPS];
  struct event *all;                  /* of one user */
  struct segment_event *for_segments; /* the same */
  struct segment_days range_days;     /* of the range that is read */
  bool *in;                           /* the segment that is booked */
  size_t all_count;
  struct event *events; /* those in it */
  size_t event_count;
  struct err *e;
};

static size_t segment_count(const struct funnel_request *f)
{
  return f->segments.n > 0 ? f->segments.n : 1;
}

/* The funnel of a segment in a date range. */
static size_t tally_at(size_t range, size_t segment)
{
  return range * SEGMENT_MAX + segment;
}

static struct group *group_of(struct funnel_runner *run, struct tally *t, const char *value)
{
  struct arena *arena = run->f->base.arena;
  struct map_node *node = map_find_text(&t->map, value);
  if (node != NULL)
    return CONTAINER_OF(node, struct group, in_map);
  struct group *g = t->map.n < FUNNEL_MAX_GROUPS ? ARENA_NEW(arena, struct group) : NULL;
  if (g == NULL || (g->value = arena_strdup(arena, value)) == NULL)
    return t->total;
  map_add_text(&t->map, &g->in_map, g->value);
  return g;
}

/* Whether the event at i may follow an earlier one that completed the step before. */
static bool follows(const struct funnel_runner *run, size_t step, size_t i)
{
  const struct funnel_step *s = &run->f->steps[step];
  uint32_t before = 1U << (step - 1);
  size_t first = s->directly && i > 0 ? i - 1 : 0;
  /* The latest is the nearest in time. */
  for (size_t j = i; j-- > first;)
    if (run->events[j].completes & before)
      return s->within_s == 0 || run->events[i].time_s - run->events[j].time_s <= s->within_s;
  return false;
}

/* A closed funnel is entered at its first step, an open one at any. */
static void complete_steps(struct funnel_runner *run)
{
  for (size_t step = 0; step < run->f->step_count; step++)
    for (size_t i = 0; i < run->event_count; i++) {
      struct event *ev = &run->events[i];
      if (!(ev->matches & 1U << step))
        continue;
      bool continued = step > 0 && follows(run, step, i);
      if (continued)
        ev->continues |= 1U << step;
      if (continued || step == 0 || run->f->open)
        ev->completes |= 1U << step;
    }
}

static const char *value_of(const struct event *ev)
{
  return ev->value == NULL ? "(not set)" : ev->value;
}

/* The first event after a step, if the user had not come to the next step before it. */
static void note_next(struct funnel_runner *run, size_t at, size_t step, size_t i)
{
  struct tally *t = &run->next[at][step];
  if (i + 1 < run->event_count && !(run->events[i + 1].completes & 1U << (step + 1)))
    group_of(run, t, value_of(&run->events[i + 1]))->users[step]++;
}

/* Books the events of a user: once for each step, where it was first completed. */
static void book_funnel(struct funnel_runner *run, size_t at)
{
  const struct funnel_request *f = run->f;
  struct group *value = NULL;
  complete_steps(run);
  for (size_t i = 0; value == NULL && i < run->event_count; i++)
    if (run->events[i].completes)
      value =
          group_of(run, &run->values[at], f->breakdown == NULL ? "" : value_of(&run->events[i]));
  for (size_t step = 0; value != NULL && step < f->step_count; step++) {
    size_t i = 0;
    bool continued = false;
    while (i < run->event_count && !(run->events[i].completes & 1U << step))
      i++;
    for (size_t j = 0; step + 1 < f->step_count && j < run->event_count; j++)
      continued |= (run->events[j].continues & 1U << (step + 1)) != 0;
    if (i == run->event_count)
      continue;
    struct group *const groups[] = {value, run->values[at].total,
                                    group_of(run, &run->days[at], run->events[i].date)};
    for (size_t k = 0; k < ARRAY_LEN(groups); k++) {
      groups[k]->users[step]++;
      groups[k]->continued[step] += continued;
    }
    if (f->next_sql != NULL)
      note_next(run, at, step, i);
  }
}

/* Books a user in the funnel of each segment, with the events that are in it. */
static void book_user(struct funnel_runner *run, size_t range)
{
  const struct segments *segments = &run->f->segments;
  for (size_t k = 0; k < segment_count(run->f); k++) {
    memset(run->in, 1, run->all_count);
    if (segments->n > 0)
      segment_mark(segments, &segments->of[k], &run->range_days, run->for_segments, run->all_count,
                   run->in);
    run->event_count = 0;
    for (size_t i = 0; i < run->all_count; i++)
      if (run->in[i])
        run->events[run->event_count++] = run->all[i];
    book_funnel(run, tally_at(range, k));
  }
  run->all_count = 0;
}

static void put_statement(const struct funnel_runner *run, size_t range, struct buf *sql)
{
  const struct funnel_request *f = run->f;
  const struct request_range *rg = &f->base.ranges[range];
  const char *value = f->breakdown_sql != NULL ? f->breakdown_sql : f->next_sql;
  struct calendar_day from, to;
  calendar_fill(&from, rg->start);
  calendar_fill(&to, rg->end < run->last_day ? rg->end : run->last_day);
  buf_printf(sql, "SELECT s.user_id,d.day_number*86400+e.hour*3600,e.date,%s",
             value == NULL ? "NULL" : value);
  buf_puts(sql, ",e.session_id,e.count");
  for (size_t i = 0; i < f->step_count; i++)
    buf_printf(sql, ",%s", f->steps[i].sql);
  for (size_t i = 0; i < f->segments.n_filters; i++)
    buf_printf(sql, ",%s", f->segments.filters[i]);
  buf_printf(sql,
             " FROM events e CROSS JOIN sessions s ON s.session_id=e.session_id"
             " JOIN days d ON d.date=e.date LEFT JOIN pages p ON p.page_id=e.page_id"
             " LEFT JOIN vehicles v ON v.vehicle_id=e.vehicle_id"
             " LEFT JOIN key_events k ON k.property_id=e.property_id AND k.name=e.name"
             " WHERE e.property_id=%lld AND e.date BETWEEN '%s' AND '%s'",
             (long long)f->base.property->property_id, from.date, to.date);
  if (f->base.dimension_filter != NULL)
    buf_printf(sql, " AND %s", f->base.dimension_filter);
  buf_puts(sql, " ORDER BY s.user_id,e.date,e.hour,e.session_id,e.event_id");
}

static const char *copy_column(struct funnel_runner *run, sqlite3_stmt *stmt, int column)
{
  const char *text = (const char *)sqlite3_column_text(stmt, column);
  return text == NULL ? NULL : arena_strdup(run->f->base.arena, text);
}

/* Columns before the steps: user, time, date, value, session, count. */
enum { FIRST_STEP = 6 };

static void take_event(struct funnel_runner *run, sqlite3_stmt *stmt)
{
  if (run->all_count == FUNNEL_MAX_EVENTS)
    return;
  struct segment_event *seen = &run->for_segments[run->all_count];
  struct event *ev = &run->all[run->all_count++];
  *ev = (struct event){.time_s = sqlite3_column_double(stmt, 1),
                       .date = copy_column(run, stmt, 2),
                       .value = copy_column(run, stmt, 3)};
  *seen = (struct segment_event){.session = sqlite3_column_int64(stmt, 4),
                                 .time_s = ev->time_s,
                                 .count = sqlite3_column_double(stmt, 5)};
  int column = FIRST_STEP;
  for (size_t i = 0; i < run->f->step_count; i++)
    if (sqlite3_column_int(stmt, column++))
      ev->matches |= 1U << i;
  for (size_t i = 0; i < run->f->segments.n_filters; i++)
    if (sqlite3_column_int(stmt, column++))
      seen->filters |= (uint64_t)1 << i;
}

/* Days are counted as the world's table of days does. */
static struct segment_days days_of(const struct funnel_runner *run, const struct request_range *r)
{
  int64_t first = run->world->params.today - (int64_t)run->world->params.days + 1;
  return (struct segment_days){r->start - first,
                               (r->end < run->last_day ? r->end : run->last_day) - first};
}

static enum err_code run_range(struct funnel_runner *run, size_t range)
{
  AUTO_BUF struct buf sql = BUF_INIT(TABLE_SQL_MAX);
  sqlite3_stmt *stmt = NULL;
  int64_t user = -1;
  int rc = SQLITE_DONE;
  run->range_days = days_of(run, &run->f->base.ranges[range]);
  put_statement(run, range, &sql);
  enum err_code code = table_prepare(run->db, &run->f->base, &sql, &stmt, run->e);
  while (code == ERR_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
    if (sqlite3_column_int64(stmt, 0) != user && run->all_count > 0)
      book_user(run, range);
    user = sqlite3_column_int64(stmt, 0);
    take_event(run, stmt);
  }
  if (run->all_count > 0)
    book_user(run, range);
  if (code == ERR_OK && rc != SQLITE_DONE)
    code = err_set(run->e, ERR_INTERNAL, "sqlite", "simulator: the funnel failed: %s",
                   sqlite3_errmsg(run->db));
  sqlite3_finalize(stmt);
  return code;
}

/* A group as it is sorted: most users first, then by value. */
struct ranked_group {
  const struct group *group;
  int64_t users;
};

static int by_users(const void *a, const void *b)
{
  const struct ranked_group *x = a, *y = b;
  if (x->users != y->users)
    return x->users > y->users ? -1 : 1;
  return strcmp(x->group->value, y->group->value);
}

static int by_group_value(const void *a, const void *b)
{
  const struct ranked_group *x = a, *y = b;
  return strcmp(x->group->value, y->group->value);
}

/* Groups of a tally by users of a step, or by value (step -1); free with free(). */
static struct ranked_group *sorted(const struct tally *t, int step)
{
  struct ranked_group *list = xcalloc(t->map.n + 1, sizeof(*list));
  size_t n = 0;
  for (struct map_node *node = map_first(&t->map); node != NULL; node = map_next(&t->map, node)) {
    const struct group *g = CONTAINER_OF(node, struct group, in_map);
    list[n++] = (struct ranked_group){g, step < 0 ? 0 : g->users[step]};
  }
  qsort(list, n, sizeof(*list), step < 0 ? by_group_value : by_users);
  return list;
}

/* What a sub-report has besides the step's name, and the rows it has so far. */
struct sheet {
  struct funnel_runner *run;
  const char *extra; /* a further dimension; NULL: none */
  bool table;        /* with completion and abandonment */
  size_t rows;
};

/* Where a row stands. */
struct row_at {
  size_t step, segment, range;
};

static void print_header(struct sheet *sheet, const char *name)
{
  struct funnel_runner *run = sheet->run;
  const char *const metrics[] = {"activeUsers", "funnelStepCompletionRate",
                                 "funnelStepAbandonments", "funnelStepAbandonmentRate"};
  buf_printf(run->out, "\"%s\":{\"dimensionHeaders\":[{\"name\":\"funnelStepName\"}", name);
  if (run->f->segments.n > 0)
    buf_puts(run->out, ",{\"name\":\"segment\"}");
  if (sheet->extra != NULL) {
    buf_puts(run->out, ",{\"name\":");
    print_string(run->out, sheet->extra);
    buf_putc(run->out, '}');
  }
  if (run->f->base.range_count > 1)
    buf_puts(run->out, ",{\"name\":\"dateRange\"}");
  buf_puts(run->out, "],\"metricHeaders\":[");
  for (size_t i = 0; i < (sheet->table ? ARRAY_LEN(metrics) : 1); i++)
    buf_printf(run->out, "%s{\"name\":\"%s\",\"type\":%s}", i == 0 ? "" : ",", metrics[i],
               i % 2 == 0 ? run->integer : run->real);
  buf_putc(run->out, ']');
}

static void print_number(struct buf *out, double value)
{
  char text[32];
  value_format_double(value, text, sizeof(text));
  buf_printf(out, ",{\"value\":\"%s\"}", text);
}

/* Those who came no further than a step abandoned it; the last step is abandoned by nobody. */
static void print_flow(struct buf *out, const struct group *g, size_t step, bool last)
{
  int64_t users = g->users[step], lost = last ? 0 : users - g->continued[step];
  print_number(out, users == 0 ? 0 : (double)g->continued[step] / (double)users);
  print_number(out, (double)lost);
  print_number(out, users == 0 ? 0 : (double)lost / (double)users);
}

static void print_group(struct sheet *sheet, const struct row_at *at, const struct group *g,
                        const char *value)
{
  const struct funnel_request *f = sheet->run->f;
  struct buf *out = sheet->run->out;
  if ((int64_t)sheet->rows >= f->limit)
    return;
  buf_puts(out,
           sheet->rows++ == 0 ? ",\"rows\":[{\"dimensionValues\":[" : ",{\"dimensionValues\":[");
  print_cell(out, f->steps[at->step].name);
  if (f->segments.n > 0) {
    buf_putc(out, ',');
    print_cell(out, f->segments.of[at->segment].name);
  }
  if (sheet->extra != NULL) {
    buf_putc(out, ',');
    print_cell(out, value);
  }
  if (f->base.range_count > 1) {
    buf_putc(out, ',');
    print_cell(out, f->base.ranges[at->range].name);
  }
  buf_printf(out, "],\"metricValues\":[{\"value\":\"%lld\"}", (long long)g->users[at->step]);
  if (sheet->table)
    print_flow(out, g, at->step, at->step + 1 == f->step_count);
  buf_puts(out, "]}");
}

static void print_groups(struct sheet *sheet, const struct row_at *at, const struct tally *t,
                         int order_step, int64_t limit)
{
  AUTO_FREE struct ranked_group *list = sorted(t, order_step);
  for (size_t i = 0; i < t->map.n && (int64_t)i < limit; i++)
    if (list[i].group->users[at->step] > 0)
      print_group(sheet, at, list[i].group, list[i].group->value);
}

/* Values of a breakdown are those with the most users in the first step. */
static void print_step(struct sheet *sheet, const struct row_at *at, bool by_day)
{
  struct funnel_runner *run = sheet->run;
  const struct funnel_request *f = run->f;
  size_t tally = tally_at(at->range, at->segment);
  if (by_day) {
    print_groups(sheet, at, &run->days[tally], -1, INT64_MAX);
    return;
  }
  print_group(sheet, at, run->values[tally].total, TOTAL);
  if (f->breakdown != NULL)
    print_groups(sheet, at, &run->values[tally], 0, f->breakdown_limit);
  else if (f->next_sql != NULL && sheet->extra != NULL)
    print_groups(sheet, at, &run->next[tally][at->step], (int)at->step, f->next_limit);
}

static void print_sheet(struct sheet *sheet, const char *name, bool by_day)
{
  struct funnel_runner *run = sheet->run;
  print_header(sheet, name);
  struct row_at at = {0};
  for (at.step = 0; at.step < run->f->step_count; at.step++)
    for (at.segment = 0; at.segment < segment_count(run->f); at.segment++)
      for (at.range = 0; at.range < run->f->base.range_count; at.range++)
        print_step(sheet, &at, by_day);
  if (sheet->rows > 0)
    buf_putc(run->out, ']');
  AUTO_BUF struct buf metadata = BUF_INIT(64 * 1024);
  print_sampling(&run->f->base, run->db, run->last_day, &metadata);
  buf_printf(run->out, ",\"metadata\":{%s}},", metadata.len > 0 ? buf_str(&metadata) + 1 : "");
}

static void print_sheets(struct funnel_runner *run)
{
  const struct funnel_request *f = run->f;
  struct sheet table = {.run = run,
                        .table = true,
                        .extra = f->next_sql != NULL ? "funnelStepNextAction" : f->breakdown};
  struct sheet picture = {.run = run, .extra = f->trended ? "date" : f->breakdown};
  print_sheet(&table, "funnelTable", false);
  print_sheet(&picture, "funnelVisualization", f->trended);
}

static enum err_code make_totals(struct funnel_runner *run, size_t at)
{
  struct tally *const tallies[] = {&run->values[at], &run->days[at]};
  for (size_t i = 0; i < ARRAY_LEN(tallies); i++) {
    tallies[i]->total = ARENA_NEW(run->f->base.arena, struct group);
    if (tallies[i]->total == NULL)
      return err_set(run->e, ERR_INTERNAL, "size", "simulator: the funnel is too large");
  }
  for (size_t i = 0; i < run->f->step_count; i++)
    run->next[at][i].total = run->days[at].total;
  return ERR_OK;
}

static enum err_code run_ranges(struct funnel_runner *run)
{
  enum err_code code = ERR_OK;
  for (size_t range = 0; code == ERR_OK && range < run->f->base.range_count; range++) {
    for (size_t k = 0; code == ERR_OK && k < segment_count(run->f); k++)
      code = make_totals(run, tally_at(range, k));
    if (code == ERR_OK)
      code = run_range(run, range);
  }
  return code;
}

static void free_tallies(struct funnel_runner *run)
{
  for (size_t at = 0; at < FUNNEL_TALLIES; at++) {
    map_free(&run->values[at].map);
    map_free(&run->days[at].map);
    for (size_t i = 0; i < FUNNEL_MAX_STEPS; i++)
      map_free(&run->next[at][i].map);
  }
  free(run->events);
  free(run->all);
  free(run->for_segments);
  free(run->in);
}

enum err_code funnel_run(struct world *w, const struct funnel_request *f, struct quota *quota,
                         unsigned project, const struct report_style *style, struct buf *out,
                         struct err *e)
{
  struct quota_account account = {f->base.property->index, QUOTA_FUNNEL, project};
  if (report_admit(&f->base, quota, account, e) != ERR_OK)
    return ERR_RESOURCE_EXHAUSTED;
  AUTO_FREE struct funnel_runner *run = xcalloc(1, sizeof(*run));
  *run = (struct funnel_runner){
      .world = w, .f = f, .out = out, .e = e, .last_day = report_last_day(w, &f->base)};
  run->integer = style->enums_as_numbers ? "1" : "\"TYPE_INTEGER\"";
  run->real = style->enums_as_numbers ? "2" : "\"TYPE_FLOAT\"";
  run->db = world_reader_acquire(w, f->base.property, e);
  if (run->db == NULL)
    return e->code;
  run->events = xcalloc(FUNNEL_MAX_EVENTS, sizeof(*run->events));
  run->all = xcalloc(FUNNEL_MAX_EVENTS, sizeof(*run->all));
  run->for_segments = xcalloc(FUNNEL_MAX_EVENTS, sizeof(*run->for_segments));
  run->in = xcalloc(FUNNEL_MAX_EVENTS, sizeof(*run->in));
  enum err_code code = run_ranges(run);
  if (code == ERR_OK) {
    buf_putc(out, '{');
    print_sheets(run);
  }
  world_reader_release(w, run->db);
  free_tallies(run);
  if (code != ERR_OK)
    return code;
  report_charge(&f->base, quota, account, out);
  if (!buf_puts(out, "\"kind\":\"analyticsData#runFunnelReport\"}"))
    return err_set(e, ERR_INTERNAL, "size", "simulator: the answer is larger than %d bytes",
                   REPORT_MAX_BYTES);
  return ERR_OK;
}
