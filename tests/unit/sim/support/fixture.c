/* The shared small world of the simulator's unit tests. */
#include "tests/unit/sim/support/fixture.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "ga4-sim/report/transcode.h"

static struct world *world;

struct world_params fixture_params(void)
{
  return (struct world_params){
      .seed = 7, .dealers = 24, .regions = 3, .days = FIXTURE_DAYS, .today = FIXTURE_TODAY};
}

/* The name of the world's file says which generator made it: it is made again when the libraries of
 * the simulator have been. */
static char *file_name(void)
{
  static const char *const libraries[] = {SIM_LIBRARIES};
  char *name = xstrdup("world");
  for (size_t i = 0; i < ARRAY_LEN(libraries); i++) {
    struct stat st = {0};
    stat(libraries[i], &st);
    char *longer =
        xasprintf("%s-%lld.%09ld", name, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
    free(name);
    name = longer;
  }
  return name;
}

static void remove_others(const char *name)
{
  DIR *folder = opendir(WORLD_FOLDER);
  const struct dirent *d;
  while (folder != NULL && (d = readdir(folder)) != NULL)
    if (strncmp(d->d_name, "world-", 6) == 0 && strncmp(d->d_name, name, strlen(name)) != 0)
      unlinkat(dirfd(folder), d->d_name, 0); /* who has it open keeps it */
  if (folder != NULL)
    closedir(folder);
}

/* All programs of a build read one file, which the first of them makes while the others wait. */
static enum err_code open_shared(const struct world_params *params, struct err *e)
{
  mkdir(WORLD_FOLDER, 0755);
  int lock = open(WORLD_FOLDER "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0 || flock(lock, LOCK_EX) != 0)
    return err_set(e, ERR_UNAVAILABLE, "world", "%s cannot be locked", WORLD_FOLDER);
  AUTO_FREE char *name = file_name(), *path = xasprintf("%s/%s", WORLD_FOLDER, name);
  remove_others(name);
  enum err_code code = world_open(&world, params, true, path, e);
  close(lock);
  return code;
}

struct world *fixture_world(void)
{
  struct err e = {0};
  struct world_params params = fixture_params();
  log_init("test", LOG_LEVEL_OFF);
  if (world == NULL && open_shared(&params, &e) != ERR_OK) {
    fprintf(stderr, "the world could not be made: %s\n", e.message);
    abort();
  }
  return world;
}

void fixture_free(void)
{
  world_close(world);
  world = NULL;
}

const char *fixture_json(const char *text)
{
  static char out[65536];
  snprintf(out, sizeof(out), "%s", text);
  for (char *c = out; *c != '\0'; c++)
    *c = *c == '\'' ? '"' : *c == '@' ? '\'' : *c;
  return out;
}

static cJSON *run(struct world *w, const cJSON *tree, size_t dealer, struct err *e)
{
  struct arena *arena = arena_new(1 << 24);
  AUTO_FREE struct report_request *r = xcalloc(1, sizeof(*r));
  AUTO_BUF struct buf out = BUF_INIT(1 << 26);
  const struct report_style style = {0};
  cJSON *report = NULL;
  if (request_read(r, tree, &w->properties[dealer], FIXTURE_TODAY, arena, e) == ERR_OK &&
      report_run(w, r, NULL, 0, &style, &out, e) == ERR_OK) {
    struct err broken;
    if (json_parse(&report, buf_str(&out), out.len, NULL, &broken) != ERR_OK)
      CU_FAIL("the report is not JSON");
  }
  arena_free(arena);
  return report;
}

cJSON *fixture_report(size_t dealer, const char *request, struct err *e)
{
  struct transcode_errors errors = {0};
  const char *text = fixture_json(request);
  *e = (struct err){0};
  AUTO_JSON cJSON *tree =
      transcode_request(text, strlen(text), &message_run_report_request, &errors);
  cJSON *report = NULL;
  if (tree == NULL)
    err_set(e, ERR_INVALID_ARGUMENT, "json", "%s", buf_str(&errors.message));
  else
    report = run(fixture_world(), tree, dealer, e);
  transcode_errors_free(&errors);
  return report;
}

const char *fixture_refusal(const char *request)
{
  static struct err e;
  AUTO_JSON cJSON *report = fixture_report(0, request, &e);
  return report == NULL ? e.message : "";
}

double fixture_sql(size_t dealer, const char *sql)
{
  struct world *w = fixture_world();
  char text[4096], id[24];
  size_t n = 0;
  snprintf(id, sizeof(id), "%s", w->properties[dealer].id_text);
  for (; *sql != '\0' && n + sizeof(id) < sizeof(text); sql++) {
    if (*sql == '@') { /* @: the property */
      memcpy(text + n, id, strlen(id));
      n += strlen(id);
    } else {
      text[n++] = *sql;
    }
  }
  text[n] = '\0';
  struct err e = {0};
  sqlite3 *db = world_reader_acquire(w, NULL, &e);
  sqlite3_stmt *s = NULL;
  double value = -1;
  if (sqlite3_prepare_v2(db, text, -1, &s, NULL) != SQLITE_OK)
    fprintf(stderr, "%s: %s\n", text, sqlite3_errmsg(db));
  else if (sqlite3_step(s) == SQLITE_ROW)
    value = sqlite3_column_double(s, 0);
  sqlite3_finalize(s);
  world_reader_release(w, db);
  return value;
}

const char *fixture_cell(const cJSON *report, const char *list, int row, const char *kind, int i)
{
  const cJSON *r = cJSON_GetArrayItem(cJSON_GetObjectItem(report, list), row);
  const cJSON *v = cJSON_GetArrayItem(cJSON_GetObjectItem(r, kind), i);
  return json_get_string(v, "value");
}
