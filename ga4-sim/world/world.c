/* Opens the world's database, and loads who is in it. */
#include "ga4-sim/world/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "ga4-sim/world/answers.h"
#include "ga4-sim/world/calendar.h"
#include "ga4-sim/world/files.h"
#include "ga4-sim/world/generate.h"

/* Room for what reports were answered with. */
enum { ANSWERS_MAX_BYTES = 64 << 20 };

sqlite3 *world_reader_acquire(struct world *w, const struct world_property *p, struct err *e)
{
  return readers_acquire(w->readers, p == NULL ? -1 : (int64_t)p->index, e);
}

void world_reader_release(struct world *w, sqlite3 *db)
{
  readers_release(w->readers, db);
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
  sqlite3 *db = world_reader_acquire(w, NULL, e);
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

/* Makes the world's database, or looks at it, and opens it. */
static enum err_code open_database(struct world *w, const char *path, bool temporary, struct err *e)
{
  sqlite3 *keep = NULL;
  enum err_code code;
  AUTO_FREE char *memory = path != NULL ? NULL : xasprintf("file:/ga4-sim-%p?vfs=memdb", (void *)w);
  if (path == NULL && w->params.part == PLAN_DIRECTORY)
    return err_set(e, ERR_UNAVAILABLE, "db",
                   "a world of more than %d dealers needs a folder for its files: set TMPDIR or "
                   "--db",
                   PLAN_EAGER_DEALERS);
  code = path != NULL ? world_file_prepare(path, &w->params, e)
                      : create_in_memory(memory, &w->params, &keep, e);
  if (code == ERR_OK)
    code = readers_open(&w->readers, path != NULL ? path : memory, e);
  sqlite3_close(keep);
  if (code == ERR_OK && w->params.part == PLAN_DIRECTORY) {
    AUTO_FREE char *folder = xasprintf("%s.properties", path);
    code = readers_make_lazy(w->readers, &w->params, folder, temporary, e);
  }
  if (temporary && path != NULL)
    unlink(path); /* the open connections keep it until the end */
  return code;
}

enum err_code world_open(struct world **out, const struct world_params *params, bool fixed_today,
                         const char *db_path, struct err *e)
{
  AUTO_FREE char *path = db_path != NULL ? xstrdup(db_path) : temporary_file();
  struct world *w = xcalloc(1, sizeof(*w));
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS,
                 0); /* else each allocation takes a lock; ignored later on */
  w->params = *params;
  w->params.part = params->dealers > PLAN_EAGER_DEALERS ? PLAN_DIRECTORY : PLAN_WHOLE;
  w->fixed_today = fixed_today;
  w->answers = answers_new(ANSWERS_MAX_BYTES);
  enum err_code code = open_database(w, path, db_path == NULL, e);
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
  answers_free(w->answers);
  readers_close(w->readers);
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
