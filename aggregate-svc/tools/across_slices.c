/* Comparisons and cohorts of run_report_across_dealers: what Google adds to the rows, checked so
 * that the rows of all dealers have the same keys. */
#include <stdio.h>
#include <string.h>

#include "aggregate-svc/tools/across.h"
#include "common/ga4/rate.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__RunReportAcrossDealersRequest Request;
typedef Analytics__Ga4__V1beta__Comparison Comparison;
typedef Analytics__Ga4__V1beta__CohortSpec CohortSpec;
typedef Analytics__Ga4__V1beta__CohortsRange CohortsRange;

enum { COMPARISONS_MAX = 4, COHORTS_MAX = 12, FIELD_BYTES = 64 };

static enum err_code invalid(struct err *e, const char *text)
{
  return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument", "%s", text);
}

/* -------------------------------------------------------------------- comparisons */

/* Google names a saved comparison as its property does, which may differ between properties. */
static char *name_of(const Comparison *given, size_t i, struct arena *arena)
{
  if (given->name[0] != '\0')
    return given->name;
  if (given->one_comparison_case != ANALYTICS__GA4__V1BETA__COMPARISON__ONE_COMPARISON_COMPARISON)
    return arena_printf(arena, "comparison_%zu", i);
  const char *slash = strrchr(given->comparison, '/');
  return slash == NULL ? given->comparison : borrow_text(slash + 1);
}

static enum err_code add_comparison(struct tool_call *c, const Comparison *given, struct err *e)
{
  struct across_state *s = c->state;
  size_t i = s->n_comparisons;
  Comparison *out = ARENA_NEW(c->arena, Comparison);
  char *name = name_of(given, i, c->arena);
  if (out == NULL || name == NULL)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "request_too_large", "the request is too large");
  if (given->one_comparison_case == ANALYTICS__GA4__V1BETA__COMPARISON__ONE_COMPARISON__NOT_SET)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "comparisons[%zu]: give dimension_filter, or comparison with the name of a "
                   "saved one such as comparisons/allUsers",
                   i);
  for (size_t k = 0; k < i; k++)
    if (strcmp(s->comparisons[k]->name, name) == 0)
      return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                     "comparisons[%zu].name: duplicate; give each its own", i);
  *out = *given;
  out->name = name;
  s->comparisons[s->n_comparisons++] = out;
  return ERR_OK;
}

static enum err_code check_comparisons(struct tool_call *c, struct err *e)
{
  const Request *r = (const Request *)c->request;
  if (r->n_comparisons > COMPARISONS_MAX)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "comparisons: %zu items; at most %d", r->n_comparisons, COMPARISONS_MAX);
  if (r->n_comparisons > 0 && across_is_compared(c))
    return invalid(e, "comparisons: rows of comparisons overlap, so compare_to and subject take "
                      "none; ask once for each with its dimension_filter");
  for (size_t i = 0; i < r->n_comparisons; i++)
    if (add_comparison(c, r->comparisons[i], e) != ERR_OK)
      return e->code;
  return ERR_OK;
}

/* ------------------------------------------------------------------------ cohorts */

static const char *nth_dimension(const CohortSpec *spec)
{
  static const char *const names[] = {NULL, "cohortNthDay", "cohortNthWeek", "cohortNthMonth"};
  int granularity = spec->cohorts_range == NULL ? 0 : (int)spec->cohorts_range->granularity;
  return granularity < 1 || granularity > 3 ? NULL : names[granularity];
}

static bool asks_for(const Request *r, const char *dimension)
{
  for (size_t i = 0; i < r->n_dimensions; i++)
    if (strcmp(r->dimensions[i], dimension) == 0)
      return true;
  return false;
}

static enum err_code check_cohort(const struct tool_call *c, size_t i, struct err *e)
{
  const Analytics__Ga4__V1beta__Cohort *cohort =
      ((const Request *)c->request)->cohort_spec->cohorts[i];
  struct period days;
  char field[FIELD_BYTES];
  snprintf(field, sizeof(field), "cohort_spec.cohorts[%zu].date_range", i);
  if (cohort->date_range == NULL)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "%s: give the days of the first visit: start_date and end_date", field);
  enum err_code code = request_period(&days, cohort->date_range, c->now_unix_ms, e);
  return code == ERR_OK ? code : across_rename_range(e, field);
}

/* What a cohort has in place of days, and what its rows are named by. */
static enum err_code check_spec(const struct tool_call *c, struct err *e)
{
  const Request *r = (const Request *)c->request;
  const char *nth = nth_dimension(r->cohort_spec);
  if (r->date_range != NULL || r->n_date_ranges > 0)
    return invalid(e, "cohort_spec: each cohort has its own date_range; leave out date_range and "
                      "date_ranges");
  if (across_is_compared(c))
    return invalid(e, "cohort_spec: compare_to and subject compare days, and a cohort has steps; "
                      "leave one of them out");
  if (r->cohort_spec->n_cohorts == 0 || r->cohort_spec->n_cohorts > COHORTS_MAX)
    return invalid(e, "cohort_spec.cohorts: give 1 to 12, each with start_date and end_date of the "
                      "first visit");
  if (nth == NULL)
    return invalid(e, "cohort_spec.cohorts_range.granularity: give DAILY, WEEKLY or MONTHLY, and "
                      "end_offset: how many steps after the first visit");
  if (!asks_for(r, "cohort") || !asks_for(r, nth))
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "dimensions: give cohort and %s with this cohort_spec", nth);
  return ERR_OK;
}

static enum err_code check_cohorts(const struct tool_call *c, struct err *e)
{
  const CohortSpec *spec = ((const Request *)c->request)->cohort_spec;
  if (spec == NULL)
    return ERR_OK;
  enum err_code code = check_spec(c, e);
  for (size_t i = 0; code == ERR_OK && i < spec->n_cohorts; i++)
    code = check_cohort(c, i, e);
  return code;
}

enum err_code across_check_slices(struct tool_call *c, struct err *e)
{
  enum err_code code = check_comparisons(c, e);
  return code == ERR_OK ? check_cohorts(c, e) : code;
}

/* ---------------------------------------------------------------- sizes of cohorts */

bool across_asks_sizes(const struct tool_call *c)
{
  const Request *r = (const Request *)c->request;
  for (size_t k = 0; r->cohort_spec != NULL && k < r->n_metrics; k++)
    if (strcmp(r->metrics[k], GA4_COHORT_TOTAL) == 0)
      return true;
  return false;
}

Analytics__Report__V1__ReportQuery *across_sizes_query(const struct tool_call *c)
{
  static char *metrics[] = {(char *)GA4_COHORT_TOTAL};
  const Request *r = (const Request *)c->request;
  char **dimensions = ARENA_ARRAY(c->arena, char *, 2);
  CohortSpec *spec = ARENA_NEW(c->arena, CohortSpec);
  CohortsRange *first = ARENA_NEW(c->arena, CohortsRange);
  if (dimensions == NULL || spec == NULL || first == NULL)
    return NULL;
  *spec = *r->cohort_spec;
  *first = *spec->cohorts_range;
  first->start_offset = first->end_offset = 0;
  spec->cohorts_range = first;
  spec->cohort_report_settings = NULL;
  dimensions[0] = borrow_text("cohort");
  dimensions[1] = borrow_text(nth_dimension(spec));
  const struct query_spec sizes = {.id = ACROSS_SIZES,
                                   .dimensions = dimensions,
                                   .n_dimensions = 2,
                                   .metrics = metrics,
                                   .n_metrics = 1,
                                   .cohorts = spec};
  return query_new(&sizes, c->arena);
}
