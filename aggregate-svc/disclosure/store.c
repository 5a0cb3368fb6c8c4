/* The release store: the SQL, the race between replicas, and the cache of what was read. */
#include "aggregate-svc/disclosure/store.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "aggregate-svc/disclosure/sqlite.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/lru.h"
#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"

enum {
  MAX_VALUES = 500,
  VALUE_BYTES = 26,
  NUMBER = 24,
  CACHE_BYTES = 8 << 20,
  BUDGET_DAYS_KEPT = 7,
  RETRY_MS = 1000,
  DAY_MS = 86400000
};

/* A release as it was read; it never changes. */
struct cached {
  struct map_node in_map;
  struct lru_node in_use;
  char *key;
  struct release_record record;
};

struct release_store {
  pthread_mutex_t lock;
  char *url, *path;
  struct database *database; /* NULL: not open */
  bool was_open;
  bool known_shut;    /* as release_store_ready() saw it last */
  struct err why;     /* why it is not */
  int64_t dropped_ms; /* when old rows were dropped, on clock_mono_ms()'s scale */
  int64_t retry_ms;   /* not tried again before, on clock_mono_ms()'s scale */
  struct map cached;
  struct lru in_use;
  struct metric *outcomes;
};

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

static enum err_code run(struct release_store *s, const char *sql, const char *const *parameters,
                         size_t n, struct database_row *row, struct err *e)
{
  return s->database->run(s->database, sql, parameters, n, row, e);
}

static enum err_code run_plain(struct release_store *s, const char *sql, struct err *e)
{
  return run(s, sql, NULL, 0, NULL, e);
}

static const struct database_schema schema = {"release_schema", "the releases", "aggregate-svc",
                                              migrations, ARRAY_LEN(migrations)};

/* ------------------------------------------------------------------------ opening */

static void close_database(struct release_store *s)
{
  if (s->database != NULL)
    s->database->close(s->database);
  s->database = NULL;
}

/* Budgets of days gone by, and texts that no longer hold. */
static enum err_code drop_old(struct release_store *s, struct err *e)
{
  char day[NUMBER], now[NUMBER];
  snprintf(day, NUMBER, "%" PRId64, clock_unix_ms() / DAY_MS - BUDGET_DAYS_KEPT);
  snprintf(now, NUMBER, "%" PRId64, clock_unix_ms());
  s->dropped_ms = clock_mono_ms();
  if (run(s, "DELETE FROM release_budget WHERE day < CAST($1 AS BIGINT)",
          (const char *const[]){day}, 1, NULL, e) != ERR_OK)
    return e->code;
  return run(s, "DELETE FROM release_text WHERE until_ms <= CAST($1 AS BIGINT)",
             (const char *const[]){now}, 1, NULL, e);
}

static enum err_code open_database(struct release_store *s, struct err *e)
{
  if (s->database != NULL)
    return ERR_OK;
  if (s->why.code != ERR_OK && clock_mono_ms() < s->retry_ms) {
    *e = s->why;
    return e->code;
  }
  enum err_code code = s->url != NULL
                           ? database_open_postgres(&s->database, s->url, "aggregate-svc", e)
                           : database_open_sqlite(&s->database, s->path, e);
  if (code == ERR_OK)
    code = database_migrate(s->database, &schema, e);
  if (code == ERR_OK)
    code = drop_old(s, e);
  if (code == ERR_OK) {
    s->was_open = true;
    s->why = (struct err){0};
    return ERR_OK;
  }
  close_database(s);
  if (s->why.code == ERR_OK)
    log_warn("the release store cannot be opened; no figure of dealers outside a caller's view is "
             "released until it can",
             LOG_S("error", e->message));
  s->why = *e;
  s->retry_ms = clock_mono_ms() + RETRY_MS;
  return code;
}

enum err_code release_store_new(struct release_store **out, const struct release_store_options *o,
                                struct err *e)
{
  struct err why = {0};
  if (o->database_url != NULL && database_check_url(o->database_url, e) != ERR_OK)
    return e->code;
  struct release_store *s = xcalloc(1, sizeof(*s));
  pthread_mutex_init(&s->lock, NULL);
  s->in_use = LRU_INIT(o->cache_bytes != 0 ? o->cache_bytes : CACHE_BYTES);
  s->url = xstrdup(o->database_url);
  s->path = o->state_dir != NULL ? xasprintf("%s/releases.db", o->state_dir) : NULL;
  s->outcomes = metrics_counter("aggregate_releases_total",
                                "Figures of dealers outside the caller's view, by outcome: new, "
                                "frozen, withheld, cohort_changed, budget, unavailable.",
                                "outcome", NULL);
  if (open_database(s, &why) != ERR_OK && s->url == NULL) {
    release_store_free(s);
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "AGGREGATE_STATE_DIR: %.200s: must be a folder that aggregate-svc may write "
                   "(%.200s)",
                   o->state_dir != NULL ? o->state_dir : "", why.message);
  }
  *out = s;
  return ERR_OK;
}

static void forget(struct release_store *s, struct cached *c)
{
  lru_remove(&s->in_use, &c->in_use);
  map_remove(&s->cached, &c->in_map);
  release_record_free(&c->record);
  free(c->key);
  free(c);
}

void release_store_free(struct release_store *s)
{
  if (s == NULL)
    return;
  close_database(s);
  while (s->in_use.oldest != NULL)
    forget(s, CONTAINER_OF(s->in_use.oldest, struct cached, in_use));
  map_free(&s->cached);
  pthread_mutex_destroy(&s->lock);
  if (s->url != NULL)
    mem_wipe(s->url, strlen(s->url));
  free(s->url);
  free(s->path);
  free(s);
}

bool release_store_ready(struct release_store *s, struct buf *detail)
{
  struct err e = {0};
  pthread_mutex_lock(&s->lock);
  bool open = open_database(s, &e) == ERR_OK, ready = s->was_open, news = s->known_shut == open;
  s->known_shut = !open;
  pthread_mutex_unlock(&s->lock);
  if (news && open)
    log_info("the store of releases is open again");
  else if (news)
    log_warn("the store of releases cannot be opened", LOG_S("error", e.message));
  buf_printf(detail, "%s releases: the store %s\n",
             open    ? "ok"
             : ready ? "wait"
                     : "fail",
             open ? "is open" : "cannot be opened; the log says why");
  return ready;
}

/* -------------------------------------------------------------------------- cache */

void release_record_free(struct release_record *r)
{
  free(r->values);
  *r = (struct release_record){0};
}

static void copy_record(struct release_record *out, const struct release_record *r)
{
  *out = *r;
  out->values = xcalloc(r->n_values + 1, sizeof(*out->values));
  if (r->n_values > 0)
    memcpy(out->values, r->values, r->n_values * sizeof(*out->values));
}

static char *key_text(const struct release_key *k)
{
  return xasprintf("%s\n%s\n%s\n%s\n%" PRId64 "\n%" PRId64, k->cohort, k->view, k->metric, k->slice,
                   k->first, k->last);
}

static bool find_cached(struct release_store *s, const char *key, struct release_record *out)
{
  struct map_node *n = map_find_text(&s->cached, key);
  if (n == NULL)
    return false;
  struct cached *c = CONTAINER_OF(n, struct cached, in_map);
  lru_touch(&s->in_use, &c->in_use);
  copy_record(out, &c->record);
  return true;
}

static void keep_cached(struct release_store *s, const char *key, const struct release_record *r)
{
  size_t size = sizeof(struct cached) + strlen(key) + r->n_values * sizeof(*r->values);
  struct lru_node *old;
  if (size > s->in_use.max || map_find_text(&s->cached, key) != NULL)
    return;
  while ((old = lru_excess(&s->in_use, size)) != NULL)
    forget(s, CONTAINER_OF(old, struct cached, in_use));
  struct cached *c = xcalloc(1, sizeof(*c));
  c->key = xstrdup(key);
  copy_record(&c->record, r);
  map_add_text(&s->cached, &c->in_map, c->key);
  lru_add(&s->in_use, &c->in_use, size);
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

static enum err_code find(struct release_store *s, const struct release_key *key, bool *found,
                          struct release_record *out, struct err *e)
{
  CLEANUP(database_row_free) struct database_row row = {0};
  struct key_parameters p;
  key_parameters(&p, key);
  enum err_code code =
      run(s,
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
static enum err_code insert(struct release_store *s, const struct release_key *key,
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
      s,
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

static enum err_code charge(struct release_store *s, const struct release_viewer *v, bool *spent,
                            struct err *e)
{
  CLEANUP(database_row_free) struct database_row row = {0};
  char day[NUMBER], most[NUMBER];
  snprintf(day, NUMBER, "%" PRId64, v->day);
  snprintf(most, NUMBER, "%" PRId64, v->per_day);
  enum err_code code =
      run(s,
          "INSERT INTO release_budget (viewer, day, used) SELECT CAST($1 AS TEXT), CAST($2 AS "
          "BIGINT), 1 WHERE CAST($3 AS BIGINT) > 0 ON CONFLICT (viewer, day) DO UPDATE SET used = "
          "release_budget.used + 1 WHERE release_budget.used < CAST($3 AS BIGINT)",
          (const char *const[]){v->id, day, most}, 3, &row, e);
  *spent = code == ERR_OK && row.changed == 0;
  return code;
}

/* ------------------------------------------------------------------------- taking */

/* What is asked of the store, and what came of it. */
struct taking {
  const struct release_key *key;
  const char *version;
  const struct release_viewer *viewer;
  const struct release_record *candidate;
  enum release_outcome outcome;
  struct release_record *out;
};

/* In a transaction of its own: a budget is not charged for what was not kept. */
static enum err_code keep(struct release_store *s, struct taking *t, struct err *e)
{
  bool spent = false, kept = false;
  enum err_code code = run_plain(s, s->database->begin, e);
  if (code == ERR_OK)
    code = charge(s, t->viewer, &spent, e);
  if (code == ERR_OK && !spent)
    code = insert(s, t->key, t->version, t->candidate, &kept, e);
  if (code == ERR_OK)
    code = run_plain(s, kept ? "COMMIT" : "ROLLBACK", e);
  else
    run_plain(s, "ROLLBACK", NULL);
  t->outcome = spent ? RELEASE_SPENT : kept ? RELEASE_NEW : RELEASE_CHANGED;
  if (code == ERR_OK && kept)
    copy_record(t->out, t->candidate);
  return code;
}

static enum err_code take_once(struct release_store *s, struct taking *t, struct err *e)
{
  bool found = false;
  enum err_code code = open_database(s, e);
  if (code == ERR_OK)
    code = find(s, t->key, &found, t->out, e);
  t->outcome = found ? RELEASE_FROZEN : RELEASE_NONE;
  if (code != ERR_OK || found || t->candidate == NULL)
    return code;
  code = keep(s, t, e);
  if (code != ERR_OK || t->outcome != RELEASE_CHANGED)
    return code;
  code = find(s, t->key, &found, t->out, e); /* another replica was first */
  t->outcome = found ? RELEASE_FROZEN : RELEASE_CHANGED;
  return code;
}

/* A database that was lost is opened once more: the statement may have been done or not, and
 * asking again finds out. */
static bool try_again(struct release_store *s, int attempt)
{
  if (s->database == NULL || !s->database->is_lost(s->database))
    return false;
  close_database(s);
  return attempt == 0;
}

static void count(struct release_store *s, enum err_code code, enum release_outcome outcome)
{
  static const char *const names[] = {[RELEASE_FROZEN] = "frozen",
                                      [RELEASE_NEW] = "new",
                                      [RELEASE_NONE] = "withheld",
                                      [RELEASE_CHANGED] = "cohort_changed",
                                      [RELEASE_SPENT] = "budget"};
  metric_add(s->outcomes, 1, METRIC_LABELS(code == ERR_OK ? names[outcome] : "unavailable"));
}

enum err_code release_store_take(struct release_store *s, const struct release_key *key,
                                 const char *version, const struct release_viewer *viewer,
                                 const struct release_record *candidate,
                                 enum release_outcome *outcome, struct release_record *out,
                                 struct err *e)
{
  struct taking t = {key, version, viewer, candidate, RELEASE_NONE, out};
  AUTO_FREE char *text = key_text(key);
  enum err_code code = ERR_OK;
  *out = (struct release_record){0};
  pthread_mutex_lock(&s->lock);
  if (find_cached(s, text, out)) {
    t.outcome = RELEASE_FROZEN;
  } else {
    int attempt = 0;
    do
      code = take_once(s, &t, e);
    while (code != ERR_OK && try_again(s, attempt++));
    if (code == ERR_OK && (t.outcome == RELEASE_FROZEN || t.outcome == RELEASE_NEW))
      keep_cached(s, text, out);
  }
  pthread_mutex_unlock(&s->lock);
  *outcome = t.outcome;
  if (code != ERR_OK || t.outcome != RELEASE_NONE) /* a look at what is not there says nothing */
    count(s, code, t.outcome);
  return code;
}

void release_store_count_withheld(struct release_store *s)
{
  count(s, ERR_OK, RELEASE_NONE);
}

enum err_code release_store_charge(struct release_store *s, const struct release_viewer *viewer,
                                   bool *spent, struct err *e)
{
  enum err_code code;
  int attempt = 0;
  pthread_mutex_lock(&s->lock);
  do {
    code = open_database(s, e);
    if (code == ERR_OK)
      code = charge(s, viewer, spent, e);
  } while (code != ERR_OK && try_again(s, attempt++));
  pthread_mutex_unlock(&s->lock);
  return code;
}

/* -------------------------------------------------------------------------- texts */

/* The text of a key that holds now. */
static enum err_code find_text(struct release_store *s, const struct key_parameters *p,
                               const char *version, const char *now, char **out, struct err *e)
{
  CLEANUP(database_row_free) struct database_row row = {0};
  const char *all[] = {p->p[0], p->p[1], p->p[2], p->p[3], p->p[4], p->p[5], version, now};
  enum err_code code =
      run(s,
          "SELECT body FROM release_text WHERE cohort = $1 AND viewed = $2 AND metric = $3 AND "
          "slice = $4 AND first_day = CAST($5 AS BIGINT) AND last_day = CAST($6 AS BIGINT) AND "
          "version = $7 AND until_ms > CAST($8 AS BIGINT)",
          all, ARRAY_LEN(all), &row, e);
  *out = code == ERR_OK && row.found ? xstrdup(row.columns[0]) : NULL;
  return code;
}

/* Keeps a text unless there is one that holds: of replicas that race one is kept. */
static enum err_code keep_text(struct release_store *s, const struct key_parameters *p,
                               const char *version, const char *now, const char *until,
                               const char *text, struct err *e)
{
  const char *all[] = {p->p[0], p->p[1], p->p[2], p->p[3], p->p[4],
                       p->p[5], version, text,    until,   now};
  return run(s,
             "INSERT INTO release_text (cohort, viewed, metric, slice, first_day, last_day, "
             "version, body, until_ms) VALUES ($1, $2, $3, $4, CAST($5 AS BIGINT), CAST($6 AS "
             "BIGINT), $7, $8, CAST($9 AS BIGINT)) ON CONFLICT (cohort, viewed, metric, slice, "
             "first_day, last_day, version) DO UPDATE SET body = excluded.body, until_ms = "
             "excluded.until_ms WHERE release_text.until_ms <= CAST($10 AS BIGINT)",
             all, ARRAY_LEN(all), NULL, e);
}

static enum err_code text_once(struct release_store *s, const struct release_key *key,
                               const char *version, const char *candidate, int64_t keep_ms,
                               char **out, struct err *e)
{
  struct key_parameters p;
  char now[NUMBER], until[NUMBER];
  int64_t ms = clock_unix_ms();
  key_parameters(&p, key);
  snprintf(now, NUMBER, "%" PRId64, ms);
  snprintf(until, NUMBER, "%" PRId64, keep_ms > 0 ? ms + keep_ms : INT64_MAX);
  enum err_code code = open_database(s, e);
  if (code == ERR_OK)
    code = find_text(s, &p, version, now, out, e);
  if (code != ERR_OK || *out != NULL || candidate == NULL)
    return code;
  if (clock_mono_ms() - s->dropped_ms > DAY_MS)
    code = drop_old(s, e);
  if (code == ERR_OK)
    code = keep_text(s, &p, version, now, until, candidate, e);
  return code == ERR_OK ? find_text(s, &p, version, now, out, e) : code;
}

enum err_code release_store_text(struct release_store *s, const struct release_key *key,
                                 const char *version, const char *candidate, int64_t keep_ms,
                                 char **out, struct err *e)
{
  enum err_code code;
  int attempt = 0;
  *out = NULL;
  pthread_mutex_lock(&s->lock);
  do
    code = text_once(s, key, version, candidate, keep_ms, out, e);
  while (code != ERR_OK && try_again(s, attempt++));
  pthread_mutex_unlock(&s->lock);
  return code;
}
