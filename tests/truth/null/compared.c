/* Rows in two periods, or of a dealer beside the others, where nothing differs: at most 8 % of the
 * answers may hold a false word; and a planted change or difference is found.
 *
 * Groups of dealers are drawn day by day and answered by the product's own answer/rows.
 * AMCP_TRUTH_REGIONS takes another number of groups. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/answer/rows.h"
#include "common/base/mem.h"
#include "tests/truth/null/draw.h"
#include "tests/unit/aggregate/support/rows.h"
#include "tests/unit/harness.h"

typedef Analytics__Aggregate__V1__RunReportAcrossDealersResult Result;
typedef Analytics__Aggregate__V1__ComparedRow Row;

enum { DEALERS = 6, GROUPS = 40, CHANNELS = 6, SEED = 20261202 };

#define DAY_MS INT64_C(86400000)

static char *dimensions[] = {(char *)"sessionDefaultChannelGroup", (char *)"dateRange"};
static char *metrics[] = {(char *)"sessions", (char *)"engagementRate"};
static const double per_day[CHANNELS] = {40, 30, 20, 12, 6, 3};
static const double weekday[] = {1.1, 1.1, 1, 1.05, 1.15, 0.8, 0.6};

/* What is planted: a factor on the first channel, now, of every dealer or of the first alone. */
struct world {
  bool before, subject;
  double phi, sessions, engaged;
};

static long groups(void)
{
  const char *s = getenv("AMCP_TRUTH_REGIONS");
  long n = s != NULL ? strtol(s, NULL, 10) : 0;
  return n > 0 ? n : GROUPS;
}

static void add_row(struct rows_stage *s, const struct world *w, size_t query, size_t member,
                    const char *key, int period, const double sums[2])
{
  const char *texts[] = {key, period == 0 ? "date_range_0" : "date_range_1"};
  double values[] = {sums[0], sums[0] > 0 ? sums[1] / sums[0] : 0};
  if (sums[0] > 0 && (period == 0 || w->before))
    rows_add(s, query, member, texts, values);
}

/* One dealer in one period. */
static void draw_dealer(struct rows_stage *s, const struct world *w, struct draw *d, size_t member,
                        int period)
{
  double channel[CHANNELS][2] = {{0}};
  for (int day = 0; day < ROWS_DAYS; day++) {
    double all[2] = {0, 0};
    char date[16];
    for (size_t c = 0; c < CHANNELS; c++) {
      bool planted = c == 0 && period == 0 && (!w->subject || member == 0);
      double mean = per_day[c] * weekday[day % 7] * (planted ? w->sessions : 1);
      double rate = (0.35 + 0.05 * (double)c) * (planted ? w->engaged : 1);
      double sessions = (double)draw_events(d, mean, w->phi);
      double engaged = (double)draw_share(d, (int64_t)sessions, rate, w->phi);
      channel[c][0] += sessions;
      channel[c][1] += engaged;
      all[0] += sessions;
      all[1] += engaged;
    }
    snprintf(date, sizeof(date), "%s", rows_day(period == 0 ? day : day - ROWS_DAYS));
    add_row(s, w, ACROSS_DAYS, member, date, period, all);
  }
  for (size_t c = 0; c < CHANNELS; c++) {
    const char name[] = {'c', (char)('0' + c), '\0'};
    add_row(s, w, ACROSS_ROWS, member, name, period, channel[c]);
  }
}

struct count {
  long answers, with_word, tested, words, found;
};

static bool is_word(const Row *r)
{
  return strcmp(r->verdict, "rising") == 0 || strcmp(r->verdict, "falling") == 0 ||
         strcmp(r->against_others, "rising") == 0 || strcmp(r->against_others, "falling") == 0 ||
         r->standing == ANALYTICS__AGGREGATE__V1__STANDING__BETTER ||
         r->standing == ANALYTICS__AGGREGATE__V1__STANDING__WORSE;
}

/* The planted row: the first channel in the metric that was changed. */
static bool is_found(const struct world *w, const Row *r)
{
  const char *metric = w->sessions > 1 ? "sessions" : "engagementRate";
  return strcmp(r->dimension_values[0], "c0") == 0 && strcmp(r->metric, metric) == 0 && is_word(r);
}

static void count_answer(struct rows_stage *s, const struct world *w, struct count *c)
{
  struct period before;
  struct err e = {0};
  period_of_days(&before, ROWS_MONDAY - ROWS_DAYS, ROWS_MONDAY - 1);
  s->cohort.subject = w->subject ? 0 : -1;
  static const struct across_order as_usual = {0};
  struct across_question q = {.cohort = &s->cohort,
                              .order = &as_usual,
                              .tables = &s->tables.of[ACROSS_ROWS - 1],
                              .days = &s->tables.of[ACROSS_DAYS - 1],
                              .before = w->before ? &before : NULL,
                              .dimensions = dimensions,
                              .n_dimensions = 1,
                              .metrics = metrics,
                              .n_asked = 2,
                              .limit_per_dealer = 25,
                              .pooled_limit = 100,
                              .period = &s->period,
                              .now_unix_ms = (ROWS_MONDAY + ROWS_DAYS + 10) * DAY_MS};
  const Result *r = across_result(&q, s->arena, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  long words = 0;
  for (size_t i = 0; i < r->n_compared; i++) {
    words += is_word(r->compared[i]);
    c->found += is_found(w, r->compared[i]);
  }
  c->answers++;
  c->with_word += words > 0;
  c->words += words;
  c->tested += r->cells_tested;
}

static struct count run(const struct world *w)
{
  const size_t more = w->before;
  const struct table_shape shapes[] = {{1 + more, 2}, {1 + more, 2}};
  struct count c = {0};
  struct draw d = {.state = SEED + (uint64_t)(w->phi * 10) + (uint64_t)(w->sessions * 100) +
                   (uint64_t)(w->engaged * 1000) + w->before + 2 * w->subject};
  struct rows_stage *s = xcalloc(1, sizeof(*s));
  for (long k = 0; k < groups(); k++) {
    rows_begin(s, DEALERS, DEALERS, shapes, ARRAY_LEN(shapes));
    s->tables.any_values = true;
    for (size_t i = 0; i < DEALERS; i++)
      for (int period = 0; period <= w->before; period++)
        draw_dealer(s, w, &d, i, period);
    count_answer(s, w, &c);
    rows_end(s);
  }
  free(s);
  return c;
}

static void rows_without_a_difference_get_false_words_in_at_most_8_percent_of_answers(void)
{
  static const struct world worlds[] = {{true, false, 1, 1, 1}, {true, false, 1.6, 1, 1},
                                        {true, true, 1, 1, 1},  {true, true, 1.6, 1, 1},
                                        {false, true, 1, 1, 1}, {false, true, 1.6, 1, 1}};
  struct count all = {0};
  for (size_t i = 0; i < ARRAY_LEN(worlds); i++) {
    struct count c = run(&worlds[i]);
    printf("  phi %.1f, %s%s: %ld of %ld answers, %ld of %ld tested\n", worlds[i].phi,
           worlds[i].before ? "two periods" : "", worlds[i].subject ? " subject" : "", c.with_word,
           c.answers, c.words, c.tested);
    all.answers += c.answers;
    all.with_word += c.with_word;
    all.words += c.words;
    all.tested += c.tested;
  }
  CU_ASSERT_TRUE(all.tested > 4 * all.answers);
  CU_ASSERT_TRUE(100 * all.with_word <= 8 * all.answers);
  CU_ASSERT_TRUE(100 * all.words <= 2 * all.tested);
}

static void planted_changes_and_differences_are_found(void)
{
  static const struct world worlds[] = {{true, false, 1.6, 1.15, 1},
                                        {true, false, 1.6, 1, 1.2},
                                        {true, true, 1.6, 1.4, 1},
                                        {true, true, 1.6, 1, 1.4},
                                        {false, true, 1.6, 1, 1.3}};
  for (size_t i = 0; i < ARRAY_LEN(worlds); i++) {
    struct count c = run(&worlds[i]);
    printf("  sessions x %.2f, engagement x %.2f%s: %ld of %ld found\n", worlds[i].sessions,
           worlds[i].engaged, worlds[i].subject ? " of a subject" : "", c.found, c.answers);
    CU_ASSERT_TRUE(100 * c.found >= 85 * c.answers);
  }
}

TEST_MAIN("truth compared",
          TEST(rows_without_a_difference_get_false_words_in_at_most_8_percent_of_answers),
          TEST(planted_changes_and_differences_are_found))
