/* Reads the world from one database, or from one per property. See readers.h. */
#include "ga4-sim/world/readers.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "ga4-sim/base/regex.h"
#include "ga4-sim/world/files.h"

enum made { NOT_MADE, BEING_MADE, MADE };

struct world_readers {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  sqlite3 *idle[READERS];
  size_t idle_count;
  /* Of a lazy world. */
  struct world_params params;
  char *folder; /* NULL: eager */
  bool temporary;
  size_t in_use;                    /* who makes or reads a property; guarded by the lock */
  sqlite3 *of_property[READERS];    /* their connections; guarded by the lock */
  enum made made[PLAN_MAX_DEALERS]; /* guarded by the lock */
};

static enum err_code open_reader(sqlite3 **out, const char *path, struct err *e)
{
  int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI;
  if (sqlite3_open_v2(path, out, flags, NULL) != SQLITE_OK) {
    err_set(e, ERR_UNAVAILABLE, "db", "cannot open %s: %s", path, sqlite3_errmsg(*out));
    sqlite3_close(*out);
    return e->code;
  }
  sqlite3_exec(*out, "PRAGMA temp_store=MEMORY; PRAGMA mmap_size=1073741824;", NULL, NULL, NULL);
  regex_register(*out);
  /* The first read opens the file: a temporary one is unlinked after this. */
  sqlite3_exec(*out, "SELECT value FROM meta", NULL, NULL, NULL);
  return ERR_OK;
}

enum err_code readers_open(struct world_readers **out, const char *path, struct err *e)
{
  struct world_readers *r = *out = xcalloc(1, sizeof(*r));
  pthread_mutex_init(&r->lock, NULL);
  pthread_cond_init(&r->changed, NULL);
  for (; r->idle_count < READERS; r->idle_count++)
    if (open_reader(&r->idle[r->idle_count], path, e) != ERR_OK)
      return e->code;
  return ERR_OK;
}

enum err_code readers_make_lazy(struct world_readers *r, const struct world_params *params,
                                const char *folder, bool temporary, struct err *e)
{
  r->params = *params;
  r->params.part = PLAN_ONE;
  r->temporary = temporary;
  if (mkdir(folder, 0700) != 0 && errno != EEXIST)
    return err_set(e, ERR_UNAVAILABLE, "db", "cannot make the folder %s: %s", folder,
                   strerror(errno));
  r->folder = xstrdup(folder);
  return ERR_OK;
}

static void remove_folder(const char *folder)
{
  DIR *dir = opendir(folder);
  for (struct dirent *d; dir != NULL && (d = readdir(dir)) != NULL;)
    unlinkat(dirfd(dir), d->d_name, 0);
  if (dir != NULL)
    closedir(dir);
  rmdir(folder);
}

void readers_close(struct world_readers *r)
{
  if (r == NULL)
    return;
  for (size_t i = 0; i < r->idle_count; i++)
    sqlite3_close(r->idle[i]);
  if (r->folder != NULL && r->temporary)
    remove_folder(r->folder);
  free(r->folder);
  pthread_mutex_destroy(&r->lock);
  pthread_cond_destroy(&r->changed);
  free(r);
}

/* ------------------------------------------------------------------ one database */

static sqlite3 *take_idle(struct world_readers *r)
{
  pthread_mutex_lock(&r->lock);
  while (r->idle_count == 0)
    pthread_cond_wait(&r->changed, &r->lock);
  sqlite3 *db = r->idle[--r->idle_count];
  pthread_mutex_unlock(&r->lock);
  return db;
}

/* ------------------------------------------------------------------ one per property */

/* Whether it is this thread that makes the property's database; waits for another that does. */
static bool begin_making(struct world_readers *r, size_t index)
{
  pthread_mutex_lock(&r->lock);
  while (r->made[index] == BEING_MADE)
    pthread_cond_wait(&r->changed, &r->lock);
  bool mine = r->made[index] == NOT_MADE;
  if (mine)
    r->made[index] = BEING_MADE;
  pthread_mutex_unlock(&r->lock);
  return mine;
}

static void end_making(struct world_readers *r, size_t index, bool made)
{
  pthread_mutex_lock(&r->lock);
  r->made[index] = made ? MADE : NOT_MADE;
  pthread_cond_broadcast(&r->changed);
  pthread_mutex_unlock(&r->lock);
}

static void enter(struct world_readers *r)
{
  pthread_mutex_lock(&r->lock);
  while (r->in_use == READERS)
    pthread_cond_wait(&r->changed, &r->lock);
  r->in_use++;
  pthread_mutex_unlock(&r->lock);
}

/* db: the connection that was opened in its place, about to be closed; NULL: none was. False: it is
 * no property's. */
static bool leave(struct world_readers *r, const sqlite3 *db)
{
  size_t i = 0;
  pthread_mutex_lock(&r->lock);
  while (db != NULL && i < READERS && r->of_property[i] != db)
    i++;
  bool known = i < READERS;
  if (known && db != NULL)
    r->of_property[i] = NULL;
  r->in_use -= known;
  pthread_cond_broadcast(&r->changed);
  pthread_mutex_unlock(&r->lock);
  return known;
}

static void remember(struct world_readers *r, sqlite3 *db)
{
  size_t i = 0;
  pthread_mutex_lock(&r->lock);
  while (r->of_property[i] != NULL)
    i++;
  r->of_property[i] = db;
  pthread_mutex_unlock(&r->lock);
}

/* Makes the property's database unless it is made. */
static enum err_code make_property(struct world_readers *r, size_t index, const char *path,
                                   struct err *e)
{
  struct world_params params = r->params;
  params.one = (uint32_t)index;
  if (!begin_making(r, index))
    return ERR_OK;
  enum err_code code = world_file_prepare(path, &params, e);
  end_making(r, index, code == ERR_OK);
  return code;
}

static sqlite3 *open_property(struct world_readers *r, size_t index, struct err *e)
{
  AUTO_FREE char *path = xasprintf("%s/d%02zu.db", r->folder, index + 1);
  sqlite3 *db = NULL;
  enter(r);
  if (make_property(r, index, path, e) != ERR_OK || open_reader(&db, path, e) != ERR_OK) {
    leave(r, NULL);
    return NULL;
  }
  remember(r, db);
  return db;
}

sqlite3 *readers_acquire(struct world_readers *r, int64_t index, struct err *e)
{
  return r->folder == NULL || index < 0 ? take_idle(r) : open_property(r, (size_t)index, e);
}

void readers_release(struct world_readers *r, sqlite3 *db)
{
  if (leave(r, db)) {
    sqlite3_close(db);
    return;
  }
  pthread_mutex_lock(&r->lock);
  r->idle[r->idle_count++] = db;
  pthread_cond_broadcast(&r->changed);
  pthread_mutex_unlock(&r->lock);
}
