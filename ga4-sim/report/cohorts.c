/* cohortSpec: users by the day of their first session, and what they do in the days, weeks or
 * months after it. Each cohort takes the place of a date range. */
#include <string.h>

#include "common/base/buf.h"
#include "ga4-sim/report/checks.h"
#include "ga4-sim/world/calendar.h"

enum { OFFSET_MAX = 400, GRANULARITIES = 4 };

/* Units between a session's day (dn) and the first of its user (df). Weeks start on Sunday, months
 * on their first day. */
static const struct {
  const char *dimension, *distance;
  int64_t days; /* at most in a unit */
} granularities[GRANULARITIES] = {
    {NULL, NULL, 0},
    {"cohortNthDay", "(dn.day_number-df.day_number)", 1},
    {"cohortNthWeek", "((dn.day_number-dn.day_of_week-df.day_number+df.day_of_week)/7)", 7},
    {"cohortNthMonth", "(dn.year*12+dn.month-df.year*12-df.month)", 31},
};

struct span {
  int granularity;
  int64_t start, end; /* offsets */
  bool accumulate;
};

static enum err_code read_span(struct reader *x, const cJSON *spec, struct span *out)
{
  const cJSON *range = member(spec, "cohortsRange"), *granularity = member(range, "granularity");
  const cJSON *start = member(range, "startOffset"), *end = member(range, "endOffset");
  out->granularity = granularity == NULL ? 0 : granularity->valueint;
  out->start = start == NULL ? 0 : (int64_t)start->valuedouble;
  out->end = end == NULL ? 0 : (int64_t)end->valuedouble;
  out->accumulate = cJSON_IsTrue(member(member(spec, "cohortReportSettings"), "accumulate"));
  if (range == NULL)
    return request_invalid(x->e, "A cohortSpec requires a cohortsRange.");
  if (out->granularity < 1 || out->granularity >= GRANULARITIES)
    return request_invalid(x->e, "The cohortsRange requires a granularity.");
  if (out->start < 0 || out->end < out->start || out->end > OFFSET_MAX)
    return request_invalid(x->e,
                           "The offsets of the cohortsRange must be from 0 to %d and in order. The "
                           "API received startOffset = %lld and endOffset = %lld",
                           OFFSET_MAX, (long long)out->start, (long long)out->end);
  return ERR_OK;
}

static bool asks_for(const struct report_request *r, const char *name)
{
  for (size_t i = 0; i < r->dimension_count; i++)
    if (strcmp(r->dimensions[i].name, name) == 0)
      return true;
  return false;
}

static enum err_code check_dimensions(struct reader *x, const struct span *span)
{
  const char *nth = granularities[span->granularity].dimension;
  if (!asks_for(x->r, "cohort"))
    return request_invalid(x->e, "Cohort requests require the dimension cohort.");
  if (!asks_for(x->r, nth))
    return request_invalid(x->e, "Cohort requests with this granularity require the dimension %s.",
                           nth);
  for (int g = 1; g < GRANULARITIES; g++)
    if (g != span->granularity && asks_for(x->r, granularities[g].dimension))
      return request_invalid(
          x->e, "The dimension %s does not go with the granularity of the cohortsRange.",
          granularities[g].dimension);
  return ERR_OK;
}

/* Users whose first session is within the cohort. */
static void put_members(const struct reader *x, const struct request_range *cohort, struct buf *sql)
{
  struct calendar_day from, to;
  calendar_fill(&from, cohort->start);
  calendar_fill(&to, cohort->end);
  buf_printf(sql,
             "(SELECT user_id,MIN(date) AS first FROM sessions WHERE property_id=%lld AND is_new=1 "
             "GROUP BY user_id HAVING MIN(date) BETWEEN '%s' AND '%s')",
             (long long)x->r->property->property_id, from.date, to.date);
}

static const char *join_of(struct reader *x, const struct span *span,
                           const struct request_range *cohort)
{
  AUTO_BUF struct buf sql = BUF_INIT(16 * 1024);
  buf_puts(&sql, " JOIN ");
  put_members(x, cohort, &sql);
  buf_puts(&sql, " fs ON fs.user_id=s.user_id JOIN days dn ON dn.date=s.date"
                 " JOIN days df ON df.date=fs.first JOIN (SELECT column1 AS n FROM (VALUES");
  for (int64_t i = span->start; i <= span->end; i++)
    buf_printf(&sql, "%s(%lld)", i == span->start ? "" : ",", (long long)i);
  buf_printf(&sql, ")) nth ON %s%s nth.n", granularities[span->granularity].distance,
             span->accumulate ? "<=" : "=");
  return sql.failed ? NULL : arena_strdup(x->r->arena, buf_str(&sql));
}

static enum err_code read_cohort(struct reader *x, const cJSON *c, size_t i,
                                 const struct span *span)
{
  struct request_range *out = &x->r->ranges[i];
  const char *dimension = text_of(c, "dimension"), *name = text_of(c, "name");
  if (strcmp(dimension, "firstSessionDate") != 0)
    return request_invalid(x->e, "The dimension of a cohort must be firstSessionDate.");
  enum err_code code = check_range(x, member(c, "dateRange"), out);
  if (code != ERR_OK)
    return code;
  if (strncmp(name, "cohort_", 7) == 0 || strncmp(name, "RESERVED_", 9) == 0)
    return request_invalid(
        x->e, "Invalid cohort name : %s. The name cannot begin with cohort_ or RESERVED_.", name);
  out->name = name[0] != '\0' ? name : arena_printf(x->r->arena, "cohort_%zu", i);
  out->join = join_of(x, span, out);
  x->r->range_count = i + 1;
  return out->join == NULL ? request_invalid(x->e, "The request is too large.") : ERR_OK;
}

/* n_cohort: how many users each cohort has, in each of its rows. Then the ranges become those of
 * the report: all days on which members may have come. */
static enum err_code finish(struct reader *x, const struct span *span)
{
  struct report_request *r = x->r;
  AUTO_BUF struct buf sql = BUF_INIT(64 * 1024);
  buf_printf(&sql, "CASE slice%%%zu", r->range_count);
  for (size_t i = 0; i < r->range_count; i++) {
    buf_printf(&sql, " WHEN %zu THEN (SELECT COUNT(*) FROM ", i);
    put_members(x, &r->ranges[i], &sql);
    buf_putc(&sql, ')');
    r->ranges[i].end += (span->end + 1) * granularities[span->granularity].days;
  }
  buf_puts(&sql, " END");
  r->cohort_users = sql.failed ? NULL : arena_strdup(r->arena, buf_str(&sql));
  return r->cohort_users == NULL ? request_invalid(x->e, "The request is too large.") : ERR_OK;
}

enum err_code check_cohorts(struct reader *x)
{
  const cJSON *spec = member(x->tree, "cohortSpec"), *cohorts = member(spec, "cohorts"), *c;
  struct span span = {0};
  int count = cJSON_GetArraySize(cohorts);
  if (cJSON_GetArraySize(member(x->tree, "dateRanges")) > 0)
    return request_invalid(x->e, "Requests with a cohortSpec must not specify a dateRange.");
  if (count == 0)
    return request_invalid(x->e, "A cohortSpec requires at least one cohort.");
  if (count > REQUEST_MAX_COHORTS)
    return request_invalid(
        x->e, "Requests are limited to %d cohorts.\n  This request contains %d cohorts.",
        REQUEST_MAX_COHORTS, count);
  enum err_code code = read_span(x, spec, &span);
  if (code == ERR_OK)
    code = check_dimensions(x, &span);
  size_t i = 0;
  cJSON_ArrayForEach(c, cohorts)
  {
    if (code == ERR_OK)
      code = read_cohort(x, c, i++, &span);
  }
  return code == ERR_OK ? finish(x, &span) : code;
}
