/* Chunks of one row, and a stage for pure answers. */
#include "tests/unit/aggregate/support/rows.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "tests/unit/harness.h"

typedef Analytics__Report__V1__ColumnChunk Chunk;
typedef Analytics__Report__V1__DimensionColumn Dimension;
typedef Analytics__Report__V1__MetricColumn Metric;

enum { DAY_MS = 86400000 };

static atomic_llong used;

void rows_begin(struct rows_stage *s, size_t n, size_t seen, const struct table_shape *shapes,
                size_t n_shapes)
{
  struct err e = {0};
  memset(s, 0, sizeof(*s));
  CU_ASSERT_EQUAL_FATAL(release_store_new(&s->store, &(struct release_store_options){0}, &e),
                        ERR_OK);
  s->arena = arena_new(SIZE_MAX / 4);
  for (size_t i = 0; i < n; i++) {
    snprintf(s->names[i], sizeof(s->names[i]), "d%zu", i);
    snprintf(s->owners[i], sizeof(s->owners[i]), "o%zu", i);
    bool visible = i < seen;
    s->members[i] = (struct cohort_member){.visible = visible,
                                           .ref = s->names[i],
                                           .dealer_id = visible ? s->names[i] : "",
                                           .name = visible ? s->names[i] : "",
                                           .region = "",
                                           .owner = s->owners[i],
                                           .lead_event = "asc_form_submission",
                                           .qualified_session = "",
                                           .time_zone = "",
                                           .state = DEALER_OK};
  }
  s->cohort = (struct cohort){.id = "west@v1",
                              .label = "West",
                              .members = s->members,
                              .n = n,
                              .outside = n - seen,
                              .scope = {"west", "v1", "view", "viewer"}};
  CU_ASSERT_TRUE(lead_events_collect(&s->leads, &s->cohort, s->arena));
  report_tables_init(&s->tables, shapes, n_shapes, n, 1000000,
                     (struct budget){&used, 1LL << 30, 0});
  period_of_days(&s->period, ROWS_MONDAY, ROWS_MONDAY + ROWS_DAYS - 1);
}

void rows_settle(struct rows_stage *s)
{
  struct door_options o = {s->store, DISCLOSURE_POLICY_DEFAULT, 500};
  int64_t now = (int64_t)(ROWS_MONDAY + ROWS_DAYS + 10) * DAY_MS;
  struct lattice_span period = {ROWS_MONDAY, ROWS_MONDAY + ROWS_DAYS - 1};
  door_init(&s->door, &o, &s->cohort, now);
  door_admit(&s->door, period, false);
  door_settle(&s->door);
}

void rows_ask_again(struct rows_stage *s)
{
  door_close(&s->door);
  rows_settle(s);
}

void rows_end(struct rows_stage *s)
{
  door_close(&s->door);
  report_tables_fold.free(&s->tables);
  release_store_free(s->store);
  arena_free(s->arena);
  CU_ASSERT_EQUAL(atomic_load(&used), 0);
}

void rows_add(struct rows_stage *s, size_t query, size_t member, const char *const *texts,
              const double *values)
{
  const struct across_tables *t = &s->tables.of[query - 1];
  struct err e = {0};
  Dimension dimensions[ACROSS_MAX_DIMENSIONS], *columns[ACROSS_MAX_DIMENSIONS];
  Metric metrics[ACROSS_MAX_METRICS], *values_of[ACROSS_MAX_METRICS];
  uint32_t at[ACROSS_MAX_DIMENSIONS];
  char *names[ACROSS_MAX_DIMENSIONS];
  double numbers[ACROSS_MAX_METRICS];
  Chunk c = ANALYTICS__REPORT__V1__COLUMN_CHUNK__INIT;
  for (size_t k = 0; k < t->n_dimensions; k++) {
    analytics__report__v1__dimension_column__init(&dimensions[k]);
    at[k] = (uint32_t)t->tables[member].dictionaries[k].n;
    names[k] = (char *)(uintptr_t)texts[k];
    dimensions[k].n_dictionary = dimensions[k].n_indices = 1;
    dimensions[k].dictionary = &names[k];
    dimensions[k].indices = &at[k];
    columns[k] = &dimensions[k];
  }
  for (size_t k = 0; k < t->n_metrics; k++) {
    analytics__report__v1__metric_column__init(&metrics[k]);
    numbers[k] = values[k];
    metrics[k].n_values = 1;
    metrics[k].values = &numbers[k];
    values_of[k] = &metrics[k];
  }
  c.query_id = (uint32_t)query;
  c.row_count = 1;
  c.n_dimensions = t->n_dimensions;
  c.dimensions = columns;
  c.n_metrics = t->n_metrics;
  c.metrics = values_of;
  CU_ASSERT_EQUAL(report_tables_fold.chunk(&s->tables, member, &c, &e), ERR_OK);
}

struct subject_question rows_question(struct rows_stage *s, size_t days, size_t look_back)
{
  struct subject_question q = {.cohort = &s->cohort,
                               .door = &s->door,
                               .tables = &s->tables,
                               .leads = &s->leads,
                               .notes = report_tables_notes(&s->tables, s->arena),
                               .period = &s->period,
                               .now_unix_ms = s->door.now_unix_ms};
  if (days == 0)
    return q;
  struct signs_question signs = {.cohort = &s->cohort,
                                 .leads = &s->leads,
                                 .days = &s->tables.of[days - 1],
                                 .look_back = &s->tables.of[look_back - 1],
                                 .notes = q.notes,
                                 .period = &s->period,
                                 .baseline = true,
                                 .now_unix_ms = s->door.now_unix_ms};
  q.dealers = signs_find(&signs, s->arena);
  return q;
}

void rows_give_bases(struct rows_stage *s, size_t days, size_t look_back)
{
  enum { WEEKS = ROWS_DAYS / 7 };
  static struct dealer_figures figures[WEEKS * ROWS_DEALERS];
  static struct lattice_span spans[WEEKS];
  if (s->door.withheld != DISCLOSURE_RESTRICTED || s->door.kept_only)
    return;
  struct period whole = s->period;
  for (int k = 0; k < WEEKS; k++) {
    spans[k] = (struct lattice_span){ROWS_MONDAY + 7 * k, ROWS_MONDAY + 7 * k + 6};
    period_of_days(&s->period, spans[k].first, spans[k].last);
    memcpy(figures + (size_t)k * s->cohort.n, rows_question(s, days, look_back).dealers,
           s->cohort.n * sizeof(*figures));
  }
  s->period = whole;
  s->door.bases[DOOR_NOW] = (struct door_bases){figures, spans, WEEKS};
}

void rows_add_days(struct rows_stage *s, size_t query, size_t member, int first, int last)
{
  static const double values[] = {100, 50};
  for (int k = first; k <= last; k++) {
    const char *day = rows_day(k);
    rows_add(s, query, member, &day, values);
  }
}

const char *rows_day(int k)
{
  static char texts[8][16];
  static size_t next;
  int year;
  unsigned month, day;
  char *out = texts[next++ % 8];
  clock_civil_from_days(ROWS_MONDAY + k, &year, &month, &day);
  snprintf(out, 16, "%04d%02u%02u", year, month, day);
  return out;
}
