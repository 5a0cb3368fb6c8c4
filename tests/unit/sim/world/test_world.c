/* The world: the same everywhere, consistent in itself, shaped as documented. */
#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "ga4-sim/world/generate.h"
#include "tests/unit/sim/support/fixture.h"

/* Hash of the 20-day, 4-dealer world of seed 42. */
#define GOLDEN_WORLD UINT64_C(9047837781476185590)

/* FNV-1a over every value of a query. */
static uint64_t hash_query(sqlite3 *db, const char *sql)
{
  uint64_t h = UINT64_C(14695981039346656037);
  sqlite3_stmt *s = NULL;
  CU_ASSERT_EQUAL_FATAL(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
  while (sqlite3_step(s) == SQLITE_ROW)
    for (int i = 0; i < sqlite3_column_count(s); i++) {
      const char *text = (const char *)sqlite3_column_text(s, i);
      for (text = text == NULL ? "\x01" : text; *text != '\0'; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(1099511628211);
      h = (h ^ 0xff) * UINT64_C(1099511628211);
    }
  sqlite3_finalize(s);
  return h;
}

static uint64_t hash_world(uint64_t seed, uint32_t dealers, const char *where)
{
  static const char *const tables[] = {"dealers",  "properties", "pages",
                                       "vehicles", "sessions",   "events"};
  struct world_params p = fixture_params();
  struct err e = {0};
  sqlite3 *db;
  uint64_t h = 0;
  char sql[256];
  p.seed = seed;
  p.dealers = dealers;
  p.days = 20;
  sqlite3_open(":memory:", &db);
  CU_ASSERT_EQUAL(generate_world(db, &p, &e), ERR_OK);
  for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
    snprintf(sql, sizeof(sql), "SELECT * FROM %s %s ORDER BY %s", tables[i], where,
             strcmp(tables[i], "events") == 0 ? "event_id" : "rowid");
    h = h * 31 + hash_query(db, sql);
  }
  sqlite3_close(db);
  return h;
}

static void the_same_seed_gives_the_same_tables_on_every_machine(void)
{
  uint64_t h = hash_world(42, 4, "");
  CU_ASSERT_EQUAL(h, hash_world(42, 4, ""));
  /* The value itself: a change of the generator must raise SCHEMA_VERSION. */
  CU_ASSERT_EQUAL(h, GOLDEN_WORLD);
  if (h != GOLDEN_WORLD)
    printf("the world's hash is %llu\n", (unsigned long long)h);
}

static void another_seed_gives_another_world(void)
{
  CU_ASSERT_NOT_EQUAL(hash_world(42, 2, ""), hash_world(43, 2, ""));
}

static void a_dealer_does_not_change_when_others_join(void)
{
  const char *first = "WHERE property_id=(SELECT property_id FROM dealers WHERE dealer_id='d01')";
  struct world_params p = fixture_params();
  uint64_t h[2];
  for (uint32_t i = 0; i < 2; i++) {
    struct err e = {0};
    sqlite3 *db;
    char sql[256];
    p.dealers = 1 + i * 4;
    p.days = 20;
    sqlite3_open(":memory:", &db);
    CU_ASSERT_EQUAL(generate_world(db, &p, &e), ERR_OK);
    snprintf(sql, sizeof(sql), "SELECT * FROM events %s ORDER BY event_id", first);
    h[i] = hash_query(db, sql);
    sqlite3_close(db);
  }
  CU_ASSERT_EQUAL(h[0], h[1]);
}

static void sessions_agree_with_their_events(void)
{
  CU_ASSERT_EQUAL(fixture_sql(0, "SELECT COUNT(*) FROM sessions s WHERE event_count<>(SELECT "
                                 "SUM(count) FROM events e WHERE e.session_id=s.session_id AND "
                                 "e.property_id=s.property_id AND e.date=s.date) AND "
                                 "s.property_id=@"),
                  0);
  static const char *const checks[] = {
      "SELECT (SELECT SUM(event_count) FROM sessions)-(SELECT SUM(count) FROM events)",
      "SELECT (SELECT SUM(engagement_s) FROM sessions)-(SELECT SUM(engagement_s) FROM events)",
      "SELECT (SELECT SUM(page_views) FROM sessions)-(SELECT SUM(count) FROM events WHERE "
      "name='page_view')",
      "SELECT (SELECT SUM(key_events) FROM sessions)-(SELECT SUM(e.count) FROM events e JOIN "
      "key_events k ON k.property_id=e.property_id AND k.name=e.name)",
      "SELECT (SELECT COUNT(*) FROM sessions)-(SELECT SUM(count) FROM events WHERE "
      "name='session_start')",
      "SELECT (SELECT SUM(is_new) FROM sessions)-(SELECT SUM(count) FROM events WHERE "
      "name='first_visit')",
      "SELECT COUNT(*) FROM sessions WHERE engaged<>(duration_s>=10 OR page_views>=2 OR "
      "key_events>0)",
  };
  for (size_t i = 0; i < ARRAY_LEN(checks); i++)
    CU_ASSERT_EQUAL(fixture_sql(0, checks[i]), 0);
}

/* d01 and d17 have registered comm_type, d05 and d13 have not; d02 has no chats. */
static void chats_and_texts_are_one_event_with_a_parameter(void)
{
  const char *kinds = "SELECT COUNT(DISTINCT comm_type) FROM events WHERE property_id=@ AND "
                      "name='asc_comm_submission'";
  const char *registered = "SELECT COUNT(*) FROM custom_dimensions WHERE property_id=@ AND "
                           "parameter='comm_type'";
  CU_ASSERT_EQUAL(fixture_sql(0, kinds), 2);
  CU_ASSERT_EQUAL(fixture_sql(4, kinds), 2);
  CU_ASSERT_EQUAL(fixture_sql(1, kinds), 0);
  CU_ASSERT_EQUAL(fixture_sql(0, registered), 1);
  CU_ASSERT_EQUAL(fixture_sql(12, registered), 0);
  CU_ASSERT_EQUAL(fixture_sql(16, registered), 1);
  CU_ASSERT_TRUE(fixture_sql(0, "SELECT COUNT(*) FROM events WHERE name='asc_comm_submission' AND "
                                "comm_type IS NULL") > 0);
  CU_ASSERT_EQUAL(fixture_sql(0, "SELECT COUNT(*) FROM events WHERE comm_type IS NOT NULL AND name "
                                 "NOT LIKE 'asc_comm_%'"),
                  0);
}

static void every_region_can_be_benchmarked_under_the_privacy_policy(void)
{
  struct world *w = fixture_world();
  CU_ASSERT_EQUAL(w->property_count, 24);
  CU_ASSERT_EQUAL(fixture_sql(0, "SELECT COUNT(*) FROM (SELECT region FROM dealers GROUP BY region "
                                 "HAVING COUNT(*)>=5 AND COUNT(DISTINCT owner)>=3)"),
                  3);
  CU_ASSERT_EQUAL(fixture_sql(0, "SELECT MAX(n) FROM (SELECT COUNT(*) n FROM dealers GROUP BY "
                                 "owner)"),
                  5);
  CU_ASSERT_EQUAL(fixture_sql(0, "SELECT COUNT(DISTINCT name) FROM dealers"), 24);
}

static void leads_grow_with_vehicle_views(void)
{
  double with = fixture_sql(0, "SELECT AVG(lead) FROM (SELECT MAX(name='asc_form_submission') lead,"
                               "SUM(name='asc_item_pageview') v FROM events GROUP BY session_id) "
                               "WHERE v>=3");
  double without =
      fixture_sql(0, "SELECT AVG(lead) FROM (SELECT MAX(name='asc_form_submission') lead,"
                     "SUM(name='asc_item_pageview') v FROM events GROUP BY session_id) WHERE v=0");
  CU_ASSERT_TRUE(with > 2 * without);
}

static void odd_dealers_are_as_documented(void)
{
  struct world *w = fixture_world();
  CU_ASSERT_EQUAL(w->properties[4].custom_dimension_count, 0);
  CU_ASSERT_TRUE(fixture_sql(4, "SELECT COUNT(*) FROM events WHERE property_id=@ AND "
                                "name='asc_item_pageview'") > 0);
  CU_ASSERT_EQUAL(fixture_sql(8, "SELECT COUNT(*) FROM events WHERE property_id=@ AND name LIKE "
                                 "'asc%'"),
                  0);
  CU_ASSERT_STRING_EQUAL(w->properties[8].lead_event, "generate_lead");
  CU_ASSERT_TRUE(fixture_sql(9, "SELECT SUM(name='form_submit')*1.0/SUM(name='asc_form_submission')"
                                " FROM events WHERE property_id=@") < 0.5);
  CU_ASSERT_EQUAL(fixture_sql(13, "SELECT COUNT(DISTINCT date) FROM sessions WHERE property_id=@"),
                  FIXTURE_DAYS - 9);
  CU_ASSERT_TRUE(fixture_sql(18, "SELECT COUNT(*) FROM sessions WHERE property_id=@ AND "
                                 "landing_page='(other)'") > 0);
  CU_ASSERT_STRING_EQUAL(w->properties[20].currency_code, "CAD");
  CU_ASSERT_TRUE(w->properties[21].sampled && w->properties[22].thresholded);
}

static void a_file_is_reused_for_the_same_parameters_only(void)
{
  char dir[] = "/tmp/ga4-sim-test-XXXXXX";
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
  AUTO_FREE char *path = xasprintf("%s/world.db", dir);
  struct world_params p = fixture_params();
  struct err e = {0};
  struct stat first, again;
  struct world *w;
  p.dealers = 2;
  p.days = 3;
  ino_t inode = 0;
  for (int i = 0; i < 2; i++) {
    CU_ASSERT_EQUAL_FATAL(world_open(&w, &p, true, path, &e), ERR_OK);
    world_close(w);
    CU_ASSERT_EQUAL(stat(path, &first), 0);
    CU_ASSERT_TRUE(i == 0 || first.st_ino == inode);
    inode = first.st_ino;
  }
  p.seed++;
  CU_ASSERT_EQUAL_FATAL(world_open(&w, &p, true, path, &e), ERR_OK);
  world_close(w);
  stat(path, &again);
  CU_ASSERT_NOT_EQUAL(again.st_ino, inode);
  unlink(path);
  rmdir(dir);
}

static void a_file_of_someone_else_is_refused(void)
{
  char path[] = "/tmp/ga4-sim-test-XXXXXX";
  int fd = mkstemp(path);
  CU_ASSERT_EQUAL(write(fd, "notes", 5), 5);
  close(fd);
  struct world_params p = fixture_params();
  struct err e = {0};
  struct world *w;
  CU_ASSERT_EQUAL(world_open(&w, &p, true, path, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, path));
  struct stat st;
  CU_ASSERT_TRUE(stat(path, &st) == 0 && st.st_size == 5);
  unlink(path);
}

/* Sessions of dealer 0, counted by all readers at once. */
static int64_t count_sessions(struct world *w)
{
  sqlite3 *readers[READERS];
  struct err e = {0};
  int64_t n = 0;
  for (int i = 0; i < READERS; i++)
    readers[i] = world_reader_acquire(w, NULL, &e);
  for (int i = 0; i < READERS; i++) {
    sqlite3_stmt *s = NULL;
    CU_ASSERT_EQUAL_FATAL(
        sqlite3_prepare_v2(readers[i], "SELECT COUNT(*) FROM sessions", -1, &s, NULL), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_step(s), SQLITE_ROW);
    CU_ASSERT_TRUE(i == 0 || sqlite3_column_int64(s, 0) == n);
    n = sqlite3_column_int64(s, 0);
    sqlite3_finalize(s);
    world_reader_release(w, readers[i]);
  }
  return n;
}

static void without_a_folder_for_files_the_world_is_kept_in_memory(void)
{
  struct world_params p = fixture_params();
  struct world *file = NULL, *memory = NULL, *other = NULL;
  struct err e = {0};
  p.days = 10;
  p.dealers = 3;
  AUTO_FREE char *before = getenv("TMPDIR") == NULL ? NULL : xstrdup(getenv("TMPDIR"));
  CU_ASSERT_EQUAL_FATAL(world_open(&file, &p, true, NULL, &e), ERR_OK);
  setenv("TMPDIR", "/nowhere", 1);
  CU_ASSERT_EQUAL_FATAL(world_open(&memory, &p, true, NULL, &e), ERR_OK);
  p.days = 5;
  CU_ASSERT_EQUAL_FATAL(world_open(&other, &p, true, NULL, &e), ERR_OK);
  if (before != NULL)
    setenv("TMPDIR", before, 1);
  else
    unsetenv("TMPDIR");
  CU_ASSERT_TRUE(count_sessions(file) > 0);
  CU_ASSERT_EQUAL(count_sessions(memory), count_sessions(file));
  CU_ASSERT_TRUE(count_sessions(other) < count_sessions(memory));
  world_close(file);
  world_close(memory);
  world_close(other);
}

static uint64_t hash_of(struct world *w, const struct world_property *p, const char *sql)
{
  struct err e = {0};
  sqlite3 *db = world_reader_acquire(w, p, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(db);
  uint64_t h = hash_query(db, sql);
  world_reader_release(w, db);
  return h;
}

static int files_in(const char *folder)
{
  int n = 0;
  DIR *dir = opendir(folder);
  for (struct dirent *d; dir != NULL && (d = readdir(dir)) != NULL;)
    n += d->d_name[0] != '.';
  if (dir != NULL)
    closedir(dir);
  return n;
}

/* What tells of a session, whatever its number. */
static const char session_rows[] =
    "SELECT s.*, e.* FROM (SELECT property_id, date, hour, user_id, is_new, engaged, duration_s, "
    "engagement_s, page_views, event_count, key_events, source, landing_page, city, ROW_NUMBER() "
    "OVER (ORDER BY session_id) n FROM sessions WHERE property_id=%s) s JOIN (SELECT name, count, "
    "page_id, vehicle_id, DENSE_RANK() OVER (ORDER BY session_id) n FROM events WHERE "
    "property_id=%s) e USING (n) ORDER BY n, e.name, count, page_id, vehicle_id";

static void a_large_world_is_made_dealer_by_dealer_when_asked_for(void)
{
  struct world_params p = fixture_params();
  struct world *large = NULL, *small = NULL;
  struct err e = {0};
  char sql[1024];
  AUTO_FREE char *path = xasprintf("/tmp/ga4-sim-lazy-%d.db", (int)getpid());
  AUTO_FREE char *folder = xasprintf("%s.properties", path);
  p.days = 12;
  p.dealers = 12;
  CU_ASSERT_EQUAL_FATAL(world_open(&small, &p, true, NULL, &e), ERR_OK);
  p.dealers = 1000;
  CU_ASSERT_EQUAL_FATAL(world_open(&large, &p, true, path, &e), ERR_OK);
  CU_ASSERT_EQUAL(large->property_count, 1000);
  CU_ASSERT_STRING_EQUAL(large->properties[999].dealer_id, "d1000");
  CU_ASSERT_EQUAL(files_in(folder), 0);
  for (size_t i = 3; i < 12; i += 8) { /* the same rows as in the small world */
    const struct world_property *one = &large->properties[i];
    snprintf(sql, sizeof(sql), session_rows, one->id_text, one->id_text);
    CU_ASSERT_EQUAL(hash_of(large, one, sql), hash_of(small, NULL, sql));
    CU_ASSERT(hash_of(large, one, sql) != hash_of(large, &large->properties[0], sql));
  }
  CU_ASSERT_EQUAL(files_in(folder), 3);
  CU_ASSERT(hash_of(large, &large->properties[999], "SELECT COUNT(*) FROM sessions") !=
            hash_of(large, NULL, "SELECT 0"));
  world_close(large);
  world_close(small);
  CU_ASSERT_EQUAL_FATAL(world_open(&large, &p, true, path, &e), ERR_OK); /* used again */
  CU_ASSERT_EQUAL(files_in(folder), 4);
  world_close(large);
  AUTO_FREE char *clean = xasprintf("rm -rf %s %s", path, folder);
  CU_ASSERT_EQUAL(system(clean), 0);
}

enum { ASKERS = 8 };
struct asker {
  pthread_t thread;
  struct world *world;
  size_t index;
  uint64_t seen;
};

static void *ask(void *arg)
{
  struct asker *a = arg;
  a->seen = hash_of(a->world, &a->world->properties[a->index], "SELECT COUNT(*) FROM events");
  return NULL;
}

static void who_asks_at_once_waits_for_the_one_that_makes_it(void)
{
  struct world_params p = fixture_params();
  struct world *w = NULL;
  struct err e = {0};
  struct asker askers[ASKERS] = {0};
  p.days = 5;
  p.dealers = 201;
  CU_ASSERT_EQUAL_FATAL(world_open(&w, &p, true, NULL, &e), ERR_OK);
  for (size_t i = 0; i < ASKERS; i++) {
    askers[i] = (struct asker){.world = w, .index = i / 4};
    pthread_create(&askers[i].thread, NULL, ask, &askers[i]);
  }
  for (size_t i = 0; i < ASKERS; i++)
    pthread_join(askers[i].thread, NULL);
  for (size_t i = 0; i < ASKERS; i++)
    CU_ASSERT_EQUAL(askers[i].seen, askers[i / 4 * 4].seen);
  CU_ASSERT(askers[0].seen != askers[4].seen);
  world_close(w);
}

static void a_large_world_needs_a_folder(void)
{
  struct world_params p = fixture_params();
  struct world *w = NULL;
  struct err e = {0};
  AUTO_FREE char *before = getenv("TMPDIR") == NULL ? NULL : xstrdup(getenv("TMPDIR"));
  p.dealers = 201;
  setenv("TMPDIR", "/nowhere", 1);
  CU_ASSERT_EQUAL(world_open(&w, &p, true, NULL, &e), ERR_UNAVAILABLE);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "set TMPDIR or --db"));
  if (before != NULL)
    setenv("TMPDIR", before, 1);
  else
    unsetenv("TMPDIR");
}

static void free_the_world(void)
{
  fixture_free();
}

TEST_MAIN("sim_world", TEST(the_same_seed_gives_the_same_tables_on_every_machine),
          TEST(another_seed_gives_another_world), TEST(a_dealer_does_not_change_when_others_join),
          TEST(sessions_agree_with_their_events),
          TEST(chats_and_texts_are_one_event_with_a_parameter),
          TEST(every_region_can_be_benchmarked_under_the_privacy_policy),
          TEST(leads_grow_with_vehicle_views), TEST(odd_dealers_are_as_documented),
          TEST(a_large_world_is_made_dealer_by_dealer_when_asked_for),
          TEST(who_asks_at_once_waits_for_the_one_that_makes_it),
          TEST(a_large_world_needs_a_folder), TEST(a_file_is_reused_for_the_same_parameters_only),
          TEST(a_file_of_someone_else_is_refused),
          TEST(without_a_folder_for_files_the_world_is_kept_in_memory), TEST(free_the_world))
