/* The release store: the database it is in, and the race between replicas. */
#include "aggregate-svc/disclosure/store.h"

#include <pthread.h>
#include <string.h>

#include "aggregate-svc/disclosure/sqlite.h"
#include "aggregate-svc/disclosure/store_cache.h"
#include "aggregate-svc/disclosure/store_sql.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"

enum { CACHE_BYTES = 8 << 20, RETRY_MS = 1000, COUNT_MS = 60000, DAY_MS = 86400000 };

struct release_store {
  pthread_mutex_t lock;
  char *url, *path;
  struct database *database; /* NULL: not open */
  bool was_open;
  bool known_shut;           /* as release_store_ready() saw it last */
  struct err why;            /* why it is not */
  int64_t dropped_ms;        /* when old rows were dropped, on clock_mono_ms()'s scale */
  int64_t retry_ms;          /* not tried again before, on clock_mono_ms()'s scale */
  int64_t cells, counted_ms; /* figures, and when that was: 0 when never */
  struct store_cache cached;
  struct metric *outcomes;
};

/* ------------------------------------------------------------------------ opening */

static void close_database(struct release_store *s)
{
  if (s->database != NULL)
    s->database->close(s->database);
  s->database = NULL;
}

static enum err_code drop_old(struct release_store *s, struct err *e)
{
  s->dropped_ms = clock_mono_ms();
  return store_sql_drop_old(s->database, e);
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
    code = store_sql_migrate(s->database, e);
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
  store_cache_init(&s->cached, o->cache_bytes != 0 ? o->cache_bytes : CACHE_BYTES);
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

void release_store_free(struct release_store *s)
{
  if (s == NULL)
    return;
  close_database(s);
  store_cache_free(&s->cached);
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

/* Counting reads the whole table, so it is not done at every look. */
static void count_cells(struct release_store *s)
{
  struct err e = {0};
  int64_t now = clock_mono_ms();
  if (s->counted_ms != 0 && now - s->counted_ms < COUNT_MS)
    return;
  s->counted_ms = now;
  if (store_sql_count(s->database, &s->cells, &e) != ERR_OK)
    s->cells = -1;
}

void release_store_look(struct release_store *s, struct release_store_state *out)
{
  struct err e = {0};
  pthread_mutex_lock(&s->lock);
  out->kind = s->url != NULL ? "postgresql" : s->path != NULL ? "sqlite" : "memory";
  out->healthy = open_database(s, &e) == ERR_OK;
  if (out->healthy)
    count_cells(s);
  out->cells = out->healthy ? s->cells : -1;
  pthread_mutex_unlock(&s->lock);
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

static enum err_code run_plain(struct release_store *s, const char *sql, struct err *e)
{
  return s->database->run(s->database, sql, NULL, 0, NULL, e);
}

/* In a transaction of its own: a budget is not charged for what was not kept. */
static enum err_code keep(struct release_store *s, struct taking *t, struct err *e)
{
  bool spent = false, kept = false;
  enum err_code code = run_plain(s, s->database->begin, e);
  if (code == ERR_OK)
    code = store_sql_charge(s->database, t->viewer, &spent, e);
  if (code == ERR_OK && !spent)
    code = store_sql_insert(s->database, t->key, t->version, t->candidate, &kept, e);
  if (code == ERR_OK)
    code = run_plain(s, kept ? "COMMIT" : "ROLLBACK", e);
  else
    run_plain(s, "ROLLBACK", NULL);
  t->outcome = spent ? RELEASE_SPENT : kept ? RELEASE_NEW : RELEASE_CHANGED;
  if (code == ERR_OK && kept)
    release_record_copy(t->out, t->candidate);
  return code;
}

static enum err_code take_once(struct release_store *s, struct taking *t, struct err *e)
{
  bool found = false;
  enum err_code code = open_database(s, e);
  if (code == ERR_OK)
    code = store_sql_find(s->database, t->key, &found, t->out, e);
  t->outcome = found ? RELEASE_FROZEN : RELEASE_NONE;
  if (code != ERR_OK || found || t->candidate == NULL)
    return code;
  code = keep(s, t, e);
  if (code != ERR_OK || t->outcome != RELEASE_CHANGED)
    return code;
  code = store_sql_find(s->database, t->key, &found, t->out, e); /* another replica was first */
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
  AUTO_FREE char *text = store_cache_key(key);
  enum err_code code = ERR_OK;
  *out = (struct release_record){0};
  pthread_mutex_lock(&s->lock);
  if (store_cache_find(&s->cached, text, out)) {
    t.outcome = RELEASE_FROZEN;
  } else {
    int attempt = 0;
    do
      code = take_once(s, &t, e);
    while (code != ERR_OK && try_again(s, attempt++));
    if (code == ERR_OK && (t.outcome == RELEASE_FROZEN || t.outcome == RELEASE_NEW))
      store_cache_keep(&s->cached, text, out);
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
      code = store_sql_charge(s->database, viewer, spent, e);
  } while (code != ERR_OK && try_again(s, attempt++));
  pthread_mutex_unlock(&s->lock);
  return code;
}

/* -------------------------------------------------------------------------- texts */

static enum err_code text_once(struct release_store *s, const struct release_key *key,
                               const char *version, const char *candidate, int64_t keep_ms,
                               char **out, struct err *e)
{
  int64_t now = clock_unix_ms(), until = keep_ms > 0 ? now + keep_ms : INT64_MAX;
  enum err_code code = open_database(s, e);
  if (code == ERR_OK)
    code = store_sql_find_text(s->database, key, version, now, out, e);
  if (code != ERR_OK || *out != NULL || candidate == NULL)
    return code;
  if (clock_mono_ms() - s->dropped_ms > DAY_MS)
    code = drop_old(s, e);
  if (code == ERR_OK)
    code = store_sql_keep_text(s->database, key, version, now, until, candidate, e);
  return code == ERR_OK ? store_sql_find_text(s->database, key, version, now, out, e) : code;
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
