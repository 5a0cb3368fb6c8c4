/* The statements of the release store, and its schema: one text for SQLite and PostgreSQL. */
#include "aggregate-svc/disclosure/store_sql.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

enum { MAX_VALUES = 500, VALUE_BYTES = 26, NUMBER = 24, BUDGET_DAYS_KEPT = 7, DAY_MS = 86400000 };

/* ----------------------------------------------------------------------- schema */

/* A step per version of the schema, never changed afterwards: a further one is added. */
static const char *const migrations[] = {
    "CREATE TABLE release_budget (viewer TEXT NOT NULL, day BIGINT NOT NULL, used BIGINT NOT NULL, "
    "PRIMARY KEY (viewer, day))",
    "CREATE TABLE release_figure (cohort TEXT NOT NULL, viewed TEXT NOT NULL, metric TEXT NOT "
    "NULL, "
    "slice TEXT NOT NULL, first_day BIGINT NOT NULL, last_day BIGINT NOT NULL, version TEXT NOT "
    "NULL, numerator BIGINT NOT NULL, denominator BIGINT NOT NULL, dispersion TEXT NOT NULL, asked "
    "BIGINT NOT NULL, dealers BIGINT NOT NULL, dealer_values TEXT NOT NULL, released_ms BIGINT NOT "
    "NULL, PRIMARY KEY "
    "(cohort, viewed, metric, slice, first_day, last_day))",
    "CREATE TABLE release_text (cohort TEXT NOT NULL, viewed TEXT NOT NULL, metric TEXT NOT NULL, "
    "slice TEXT NOT NULL, first_day BIGINT NOT NULL, last_day BIGINT NOT NULL, version TEXT NOT "
    "NULL, body TEXT NOT NULL, until_ms BIGINT NOT NULL, PRIMARY KEY (cohort, viewed, metric, "
    "slice, first_day, last_day, version))",
};

static enum err_code run(struct database *d, const char *sql, const char *const *parameters,
                         size_t n, struct database_row *row, struct err *e)
{
  return d->run(d, sql, parameters, n, row, e);
}

enum err_code store_sql_migrate(struct database *d, struct err *e)
{
  static const struct database_schema schema = {"release_schema", "the releases", "aggregate-svc",
                                                migrations, ARRAY_LEN(migrations)};
  return database_migrate(d, &schema, e);
}

/* Budgets of days gone by, and texts that no longer hold. */
enum err_code store_sql_drop_old(struct database *d, struct err *e)
{
  char day[NUMBER], now[NUMBER];
  snprintf(day, NUMBER, "%" PRId64, clock_unix_ms() / DAY_MS - BUDGET_DAYS_KEPT);
  snprintf(now, NUMBER, "%" PRId64, clock_unix_ms());
  if (run(d, "DELETE FROM release_budget WHERE day < CAST($1 AS BIGINT)",
          (const char *const[]){day}, 1, NULL, e) != ERR_OK)
    return e->code;
  return run(d, "DELETE FROM release_text WHERE until_ms <= CAST($1 AS BIGINT)",
             (const char *const[]){now}, 1, NULL, e);
}

/* ---------------------------------------------------------------------- statements */

/* A key and numbers as parameters. */
struct key_parameters {
  char first[NUMBER], last[NUMBER];
  const char *p[6];
};

static void key_parameters(struct key_parameters *out, const struct release_key *k)
{
  snprintf(out->first, NUMBER, "%" PRId64, k->first);
  snprintf(out->last, NUMBER, "%" PRId64, k->last);
  const char *p[] = {k->cohort, k->view, k->metric, k->slice, out->first, out->last};
  memcpy(out->p, p, sizeof(p));
}

/* Values as text, each exactly. */
static char *write_values(const struct release_record *r)
{
  AUTO_BUF struct buf b = BUF_INIT(MAX_VALUES * VALUE_BYTES + 1);
  for (size_t i = 0; i < r->n_values && i < MAX_VALUES; i++)
    buf_printf(&b, "%s%.17g", i > 0 ? " " : "", r->values[i]);
  return xstrdup(buf_str(&b));
}

static void read_values(struct release_record *out, const char *text)
{
  out->values = xcalloc(MAX_VALUES, sizeof(*out->values));
  while (out->n_values < MAX_VALUES) {
    char *end;
    double x = strtod(text, &end);
    if (end == text)
      return;
    out->values[out->n_values++] = x;
    text = end;
  }
}

enum err_code store_sql_find(struct database *d, const struct release_key *key, bool *found,
                             struct release_record *out, struct err *e)
{
  CLEANUP(database_row_free) struct database_row row = {0};
  struct key_parameters p;
  key_parameters(&p, key);
  enum err_code code =
      run(d,
          "SELECT numerator, denominator, asked, dealers, dealer_values, dispersion FROM "
          "release_figure WHERE "
          "cohort = $1 AND viewed = $2 AND metric = $3 AND slice = $4 AND first_day = CAST($5 AS "
          "BIGINT) AND last_day = CAST($6 AS BIGINT)",
          p.p, 6, &row, e);
  *found = code == ERR_OK && row.found;
  if (!*found)
    return code;
  *out = (struct release_record){.numerator = strtoll(row.columns[0], NULL, 10),
                                 .denominator = strtoll(row.columns[1], NULL, 10),
                                 .asked = (int32_t)strtol(row.columns[2], NULL, 10),
                                 .dealers = (int32_t)strtol(row.columns[3], NULL, 10)};
  out->dispersion = strtod(row.columns[5], NULL);
  read_values(out, row.columns[4]);
  return ERR_OK;
}

/* Keeps the candidate unless there is a release already, or one of another version of the cohort
 * whose days overlap. */
enum err_code store_sql_insert(struct database *d, const struct release_key *key,
                               const char *version, const struct release_record *r, bool *kept,
                               struct err *e)
{
  CLEANUP(database_row_free) struct database_row row = {0};
  struct key_parameters p;
  char numbers[5][NUMBER], dispersion[VALUE_BYTES];
  AUTO_FREE char *values = write_values(r);
  key_parameters(&p, key);
  const int64_t n[] = {r->numerator, r->denominator, r->asked, r->dealers, clock_unix_ms()};
  for (size_t i = 0; i < ARRAY_LEN(n); i++)
    snprintf(numbers[i], NUMBER, "%" PRId64, n[i]);
  snprintf(dispersion, sizeof(dispersion), "%.17g", r->dispersion);
  const char *all[] = {p.p[0],     p.p[1],  p.p[2],     p.p[3],     p.p[4],
                       p.p[5],     version, numbers[0], numbers[1], numbers[2],
                       numbers[3], values,  numbers[4], dispersion};
  enum err_code code = run(
      d,
      "INSERT INTO release_figure (cohort, viewed, metric, slice, first_day, last_day, version, "
      "numerator, denominator, asked, dealers, dealer_values, released_ms, dispersion) SELECT "
      "CAST($1 AS "
      "TEXT), CAST($2 AS TEXT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS BIGINT), CAST($6 "
      "AS BIGINT), CAST($7 AS TEXT), CAST($8 AS BIGINT), CAST($9 AS BIGINT), CAST($10 AS BIGINT), "
      "CAST($11 AS BIGINT), CAST($12 AS TEXT), CAST($13 AS BIGINT), CAST($14 AS TEXT) WHERE NOT "
      "EXISTS (SELECT 1 FROM "
      "release_figure f WHERE f.cohort = $1 AND f.viewed = $2 AND f.metric = $3 AND f.slice = $4 "
      "AND f.first_day <= CAST($6 AS BIGINT) AND f.last_day >= CAST($5 AS BIGINT) AND f.version <> "
      "$7) ON CONFLICT DO NOTHING",
      all, ARRAY_LEN(all), &row, e);
  *kept = code == ERR_OK && row.changed > 0;
  return code;
}

enum err_code store_sql_count(struct database *d, int64_t *out, struct err *e)
{
  CLEANUP(database_row_free) struct database_row row = {0};
  enum err_code code = run(d, "SELECT COUNT(*) FROM release_figure", NULL, 0, &row, e);
  *out = code == ERR_OK && row.found ? strtoll(row.columns[0], NULL, 10) : 0;
  return code;
}

enum err_code store_sql_charge(struct database *d, const struct release_viewer *v, bool *spent,
                               struct err *e)
{
  CLEANUP(database_row_free) struct database_row row = {0};
  char day[NUMBER], most[NUMBER];
  snprintf(day, NUMBER, "%" PRId64, v->day);
  snprintf(most, NUMBER, "%" PRId64, v->per_day);
  enum err_code code =
      run(d,
          "INSERT INTO release_budget (viewer, day, used) SELECT CAST($1 AS TEXT), CAST($2 AS "
          "BIGINT), 1 WHERE CAST($3 AS BIGINT) > 0 ON CONFLICT (viewer, day) DO UPDATE SET used = "
          "release_budget.used + 1 WHERE release_budget.used < CAST($3 AS BIGINT)",
          (const char *const[]){v->id, day, most}, 3, &row, e);
  *spent = code == ERR_OK && row.changed == 0;
  return code;
}

/* -------------------------------------------------------------------------- texts */

enum err_code store_sql_find_text(struct database *d, const struct release_key *key,
                                  const char *version, int64_t now_ms, char **out, struct err *e)
{
  CLEANUP(database_row_free) struct database_row row = {0};
  struct key_parameters p;
  char now[NUMBER];
  key_parameters(&p, key);
  snprintf(now, NUMBER, "%" PRId64, now_ms);
  const char *all[] = {p.p[0], p.p[1], p.p[2], p.p[3], p.p[4], p.p[5], version, now};
  enum err_code code =
      run(d,
          "SELECT body FROM release_text WHERE cohort = $1 AND viewed = $2 AND metric = $3 AND "
          "slice = $4 AND first_day = CAST($5 AS BIGINT) AND last_day = CAST($6 AS BIGINT) AND "
          "version = $7 AND until_ms > CAST($8 AS BIGINT)",
          all, ARRAY_LEN(all), &row, e);
  *out = code == ERR_OK && row.found ? xstrdup(row.columns[0]) : NULL;
  return code;
}

enum err_code store_sql_keep_text(struct database *d, const struct release_key *key,
                                  const char *version, int64_t now_ms, int64_t until_ms,
                                  const char *text, struct err *e)
{
  struct key_parameters p;
  char now[NUMBER], until[NUMBER];
  key_parameters(&p, key);
  snprintf(now, NUMBER, "%" PRId64, now_ms);
  snprintf(until, NUMBER, "%" PRId64, until_ms);
  const char *all[] = {p.p[0], p.p[1], p.p[2], p.p[3], p.p[4], p.p[5], version, text, until, now};
  return run(d,
             "INSERT INTO release_text (cohort, viewed, metric, slice, first_day, last_day, "
             "version, body, until_ms) VALUES ($1, $2, $3, $4, CAST($5 AS BIGINT), CAST($6 AS "
             "BIGINT), $7, $8, CAST($9 AS BIGINT)) ON CONFLICT (cohort, viewed, metric, slice, "
             "first_day, last_day, version) DO UPDATE SET body = excluded.body, until_ms = "
             "excluded.until_ms WHERE release_text.until_ms <= CAST($10 AS BIGINT)",
             all, ARRAY_LEN(all), NULL, e);
}
