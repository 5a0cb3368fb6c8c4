/* Opens, checks and caches the world's database, and loads who is in it. */
#include "ga4-sim/world/world.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "ga4-sim/base/regex.h"
#include "ga4-sim/world/calendar.h"
#include "ga4-sim/world/generate.h"
#include "ga4-sim/world/plants.h"
#include "ga4-sim/world/schema.h"

enum { READERS = 4, EXTEND_MAX_DAYS = 60 };

struct world_readers {
  pthread_mutex_t lock;
  pthread_cond_t free;
  sqlite3 *idle[READERS];
  size_t idle_count, total;
};

static bool meta_is(sqlite3 *db, const char *key, int64_t expected)
{
  sqlite3_stmt *s = NULL;
  bool same = false;
  if (sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE key=?", -1, &s, NULL) == SQLITE_OK) {
    sqlite3_bind_text(s, 1, key, -1, SQLITE_STATIC);
    same = sqlite3_step(s) == SQLITE_ROW && sqlite3_column_int64(s, 0) == expected;
  }
  sqlite3_finalize(s);
  return same;
}

static bool has_table(sqlite3 *db, const char *condition)
{
  char sql[128];
  sqlite3_stmt *s = NULL;
  snprintf(sql, sizeof(sql), "SELECT 1 FROM sqlite_schema WHERE %s", condition);
  bool found =
      sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW;
  sqlite3_finalize(s);
  return found;
}

enum file_state { FILE_FITS, FILE_EARLIER, FILE_STALE, FILE_EMPTY, FILE_FOREIGN };

/* Whether the world ends some days before today. */
static bool is_a_little_earlier(sqlite3 *db, const struct world_params *p)
{
  for (int64_t days = 1; days <= EXTEND_MAX_DAYS && days < (int64_t)p->days; days++)
    if (meta_is(db, "today", p->today - days))
      return true;
  return false;
}

static enum file_state inspect(const char *path, const struct world_params *p)
{
  struct stat st;
  if (stat(path, &st) != 0 || st.st_size == 0)
    return FILE_EMPTY;
  sqlite3 *db = NULL;
  enum file_state state = FILE_FOREIGN;
  if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK) {
    /* Only a file with our own table of contents may be replaced. */
    if (has_table(db, "name='meta'") && has_table(db, "name='custom_dimensions'"))
      state = FILE_STALE;
    /* The view is made last: without it the load did not finish. */
    if (state == FILE_STALE && has_table(db, "name='event_details'") &&
        meta_is(db, "schema_version", SCHEMA_VERSION) && meta_is(db, "seed", (int64_t)p->seed) &&
        meta_is(db, "dealers", p->dealers) && meta_is(db, "regions", p->regions) &&
        meta_is(db, "days", p->days) && meta_is(db, "planted", plants_number(p)))
      state = meta_is(db, "today", p->today)          ? FILE_FITS
              : p->demo && is_a_little_earlier(db, p) ? FILE_EARLIER
                                                      : FILE_STALE;
  }
  sqlite3_close(db);
  return state;
}

/* Writes beside the target and renames, so a reader never sees half a world. */
static enum err_code create(const char *path, const struct world_params *p, struct err *e)
{
  AUTO_FREE char *part = xasprintf("%s.part", path);
  unlink(part);
  sqlite3 *db = NULL;
  int64_t start = clock_mono_ms();
  enum err_code code = ERR_OK;
  if (sqlite3_open_v2(part, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) != SQLITE_OK)
    code = err_set(e, ERR_UNAVAILABLE, "db", "cannot create %s: %s (is the folder writable?)", part,
                   sqlite3_errmsg(db));
  if (code == ERR_OK)
    code = generate_world(db, p, e);
  sqlite3_close(db);
  if (code == ERR_OK && rename(part, path) != 0)
    code = err_set(e, ERR_UNAVAILABLE, "db", "cannot rename %s to %s: %s", part, path,
                   strerror(errno));
  if (code != ERR_OK)
    unlink(part);
  else
    log_info("world generated", LOG_I("ms", clock_mono_ms() - start), LOG_I("dealers", p->dealers));
  return code;
}

/* A world that cannot be extended is made again. */
static enum err_code extend(const char *path, const struct world_params *p)
{
  sqlite3 *db = NULL;
  struct err e = {0};
  int64_t start = clock_mono_ms();
  enum err_code code = ERR_UNAVAILABLE;
  if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK)
    code = generate_more_days(db, p, &e);
  sqlite3_close(db);
  if (code == ERR_OK)
    log_info("world extended", LOG_I("ms", clock_mono_ms() - start));
  else
    log_warn("the world cannot be extended and is made again", LOG_S("reason", e.message));
  return code;
}

static enum err_code prepare_file(const char *path, const struct world_params *p, struct err *e)
{
  switch (inspect(path, p)) {
  case FILE_FITS:
    return ERR_OK;
  case FILE_FOREIGN:
    return err_set(e, ERR_INVALID_ARGUMENT, "db",
                   "--db %s exists and is not a world of ga4-sim: name another file", path);
  case FILE_EARLIER:
    if (extend(path, p) == ERR_OK)
      return ERR_OK;
    break;
  case FILE_STALE:
  case FILE_EMPTY:
    break;
  }
  return create(path, p, e);
}

static enum err_code open_readers(struct world *w, const char *path, struct err *e)
{
  w->readers = xcalloc(1, sizeof(*w->readers));
  pthread_mutex_init(&w->readers->lock, NULL);
  pthread_cond_init(&w->readers->free, NULL);
  for (size_t i = 0; i < READERS; i++) {
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(path, &db,
                             SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
    if (rc != SQLITE_OK) {
      enum err_code code =
          err_set(e, ERR_UNAVAILABLE, "db", "cannot open %s: %s", path, sqlite3_errmsg(db));
      sqlite3_close(db);
      return code;
    }
    sqlite3_exec(db, "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=1073741824;", NULL, NULL, NULL);
    regex_register(db);
    /* The first read opens the file: a temporary one is unlinked after this. */
    meta_is(db, "seed", 0);
    w->readers->idle[w->readers->idle_count++] = db;
    w->readers->total++;
  }
  return ERR_OK;
}

sqlite3 *world_reader_acquire(struct world *w)
{
  struct world_readers *r = w->readers;
  pthread_mutex_lock(&r->lock);
  while (r->idle_count == 0)
    pthread_cond_wait(&r->free, &r->lock);
  sqlite3 *db = r->idle[--r->idle_count];
  pthread_mutex_unlock(&r->lock);
  return db;
}

void world_reader_release(struct world *w, sqlite3 *db)
{
  struct world_readers *r = w->readers;
  pthread_mutex_lock(&r->lock);
  r->idle[r->idle_count++] = db;
  pthread_cond_signal(&r->free);
  pthread_mutex_unlock(&r->lock);
}

static char *column(sqlite3_stmt *s, int i)
{
  return xstrdup((const char *)sqlite3_column_text(s, i));
}

static void load_definitions(sqlite3 *db, const char *sql, int64_t property,
                             struct world_definition **out, size_t *count)
{
  sqlite3_stmt *s = NULL;
  if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
    return;
  sqlite3_bind_int64(s, 1, property);
  while (sqlite3_step(s) == SQLITE_ROW) {
    *out = xrealloc(*out, sizeof(**out) * (*count + 1));
    (*out)[(*count)++] = (struct world_definition){column(s, 0), column(s, 1)};
  }
  sqlite3_finalize(s);
}

static void load_annotations(sqlite3 *db, struct world_property *p)
{
  sqlite3_stmt *s = NULL;
  if (sqlite3_prepare_v2(db,
                         "SELECT title, description, first_day, last_day FROM annotations"
                         " WHERE property_id=? ORDER BY first_day",
                         -1, &s, NULL) != SQLITE_OK)
    return;
  sqlite3_bind_int64(s, 1, p->property_id);
  while (sqlite3_step(s) == SQLITE_ROW) {
    p->annotations = xrealloc(p->annotations, sizeof(*p->annotations) * (p->annotation_count + 1));
    p->annotations[p->annotation_count++] =
        (struct world_annotation){column(s, 0), column(s, 1), column(s, 2), column(s, 3)};
  }
  sqlite3_finalize(s);
}

static void load_property(sqlite3 *db, sqlite3_stmt *s, struct world_property *p)
{
  char **const texts[] = {&p->id_text,     &p->account_id,    &p->dealer_id,     &p->dealer_name,
                          &p->region,      &p->city,          &p->state,         &p->owner,
                          &p->owner_group, &p->make_group,    &p->lead_event,    &p->display_name,
                          &p->host,        &p->time_zone,     &p->currency_code, &p->create_time,
                          &p->client_id,   &p->client_secret, &p->refresh_token};
  int n = (int)ARRAY_LEN(texts);
  for (int i = 0; i < n; i++)
    *texts[i] = column(s, i);
  p->property_id = sqlite3_column_int64(s, 0);
  p->sampled = sqlite3_column_int(s, n) != 0;
  p->thresholded = sqlite3_column_int(s, n + 1) != 0;
  p->high_cardinality = sqlite3_column_int(s, n + 2) != 0;
  load_definitions(db, "SELECT name, name FROM key_events WHERE property_id=?", p->property_id,
                   &p->key_events, &p->key_event_count);
  load_definitions(db, "SELECT parameter, display_name FROM custom_dimensions WHERE property_id=?",
                   p->property_id, &p->custom_dimensions, &p->custom_dimension_count);
  load_definitions(db, "SELECT parameter, display_name FROM custom_metrics WHERE property_id=?",
                   p->property_id, &p->custom_metrics, &p->custom_metric_count);
  load_definitions(db, "SELECT customer_id, customer_id FROM google_ads_links WHERE property_id=?",
                   p->property_id, &p->ads_links, &p->ads_link_count);
  load_annotations(db, p);
}

static enum err_code load_properties(struct world *w, struct err *e)
{
  static const char sql[] =
      "SELECT p.property_id, d.account_id, d.dealer_id, d.name, d.region, d.city, d.state, d.owner,"
      " d.owner_group, d.make_group, d.lead_event, p.display_name, p.host, p.time_zone,"
      " p.currency_code, p.create_time, d.client_id, d.client_secret, d.refresh_token, p.sampled,"
      " p.thresholded, p.high_cardinality"
      " FROM properties p JOIN dealers d USING(dealer_id) ORDER BY d.rowid";
  sqlite3 *db = world_reader_acquire(w);
  sqlite3_stmt *s = NULL;
  enum err_code code = ERR_OK;
  w->properties = xcalloc(w->params.dealers, sizeof(*w->properties));
  if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK)
    code = err_set(e, ERR_INTERNAL, "db", "cannot read the properties: %s", sqlite3_errmsg(db));
  while (code == ERR_OK && w->property_count < w->params.dealers && sqlite3_step(s) == SQLITE_ROW) {
    w->properties[w->property_count].index = (uint32_t)w->property_count;
    load_property(db, s, &w->properties[w->property_count++]);
  }
  sqlite3_finalize(s);
  world_reader_release(w, db);
  return code;
}

/* NULL: there is no place for files, as on a read-only root. */
static char *temporary_file(void)
{
  const char *dir = getenv("TMPDIR");
  char *path = xasprintf("%s/ga4-sim-XXXXXX", dir != NULL && *dir != '\0' ? dir : "/tmp");
  int fd = mkstemp(path);
  if (fd < 0) {
    free(path);
    return NULL;
  }
  close(fd);
  return path;
}

/* Generates the world in this process's memory, which all connections share by the path. It lives
 * as long as a connection: *keep. */
static enum err_code create_in_memory(const char *path, const struct world_params *p,
                                      sqlite3 **keep, struct err *e)
{
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI;
  log_info("no folder for temporary files: the world is kept in memory");
  if (sqlite3_open_v2(path, keep, flags, NULL) != SQLITE_OK)
    return err_set(e, ERR_UNAVAILABLE, "db",
                   "cannot keep the world in memory: %s (set TMPDIR or --db)",
                   sqlite3_errmsg(*keep));
  return generate_world(*keep, p, e);
}

enum err_code world_open(struct world **out, const struct world_params *params, bool fixed_today,
                         const char *db_path, struct err *e)
{
  AUTO_FREE char *path = db_path != NULL ? xstrdup(db_path) : temporary_file();
  struct world *w = xcalloc(1, sizeof(*w));
  sqlite3 *keep = NULL;
  enum err_code code;
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS,
                 0); /* else each allocation takes a lock; ignored later on */
  w->params = *params;
  w->fixed_today = fixed_today;
  if (path == NULL) {
    path = xasprintf("file:/ga4-sim-%p?vfs=memdb", (void *)w);
    code = create_in_memory(path, params, &keep, e);
  } else {
    code = prepare_file(path, params, e);
  }
  if (code == ERR_OK)
    code = open_readers(w, path, e);
  sqlite3_close(keep);
  if (db_path == NULL && keep == NULL)
    unlink(path); /* the open connections keep it until the end */
  if (code == ERR_OK)
    code = load_properties(w, e);
  if (code != ERR_OK) {
    world_close(w);
    return code;
  }
  *out = w;
  return ERR_OK;
}

static void free_definitions(struct world_definition *d, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    free(d[i].name);
    free(d[i].display_name);
  }
  free(d);
}

static void free_property(struct world_property *p)
{
  char *const texts[] = {p->id_text,     p->account_id,    p->dealer_id,     p->dealer_name,
                         p->region,      p->city,          p->state,         p->owner,
                         p->owner_group, p->make_group,    p->lead_event,    p->display_name,
                         p->host,        p->time_zone,     p->currency_code, p->create_time,
                         p->client_id,   p->client_secret, p->refresh_token};
  for (size_t i = 0; i < ARRAY_LEN(texts); i++)
    free(texts[i]);
  free_definitions(p->key_events, p->key_event_count);
  free_definitions(p->custom_dimensions, p->custom_dimension_count);
  free_definitions(p->custom_metrics, p->custom_metric_count);
  free_definitions(p->ads_links, p->ads_link_count);
  for (size_t i = 0; i < p->annotation_count; i++) {
    free(p->annotations[i].title);
    free(p->annotations[i].description);
    free(p->annotations[i].first_day);
    free(p->annotations[i].last_day);
  }
  free(p->annotations);
}

void world_close(struct world *w)
{
  if (w == NULL)
    return;
  for (size_t i = 0; i < w->property_count; i++)
    free_property(&w->properties[i]);
  free(w->properties);
  if (w->readers != NULL) {
    for (size_t i = 0; i < w->readers->idle_count; i++)
      sqlite3_close(w->readers->idle[i]);
    pthread_mutex_destroy(&w->readers->lock);
    pthread_cond_destroy(&w->readers->free);
    free(w->readers);
  }
  free(w);
}

const struct world_property *world_property_find(const struct world *w, int64_t property_id)
{
  for (size_t i = 0; i < w->property_count; i++)
    if (w->properties[i].property_id == property_id)
      return &w->properties[i];
  return NULL;
}

const struct world_property *world_property_of_account(const struct world *w,
                                                       const char *account_id)
{
  for (size_t i = 0; i < w->property_count; i++)
    if (strcmp(w->properties[i].account_id, account_id) == 0)
      return &w->properties[i];
  return NULL;
}

bool world_is_key_event(const struct world_property *p, const char *name)
{
  for (size_t i = 0; i < p->key_event_count; i++)
    if (strcmp(p->key_events[i].name, name) == 0)
      return true;
  return false;
}

bool world_has_metric(const struct world_property *p, const char *parameter)
{
  for (size_t i = 0; i < p->custom_metric_count; i++)
    if (strcmp(p->custom_metrics[i].name, parameter) == 0)
      return true;
  return false;
}

bool world_has_dimension(const struct world_property *p, const char *parameter)
{
  for (size_t i = 0; i < p->custom_dimension_count; i++)
    if (strcmp(p->custom_dimensions[i].name, parameter) == 0)
      return true;
  return false;
}

int64_t world_today(const struct world *w, const struct world_property *p)
{
  return w->fixed_today ? w->params.today : calendar_local_day(clock_unix_ms(), p->time_zone);
}
