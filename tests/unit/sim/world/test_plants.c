/* What is planted: each sign in its strength and nowhere else; the demo world; further days. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "ga4-sim/world/generate.h"
#include "ga4-sim/world/plants.h"
#include "tests/unit/sim/support/fixture.h"

static struct world_params params(uint32_t dealers, uint32_t days)
{
  return (struct world_params){
      .seed = 5, .dealers = dealers, .regions = 1, .days = days, .today = FIXTURE_TODAY};
}

static sqlite3 *make(const struct world_params *p)
{
  struct err e = {0};
  sqlite3 *db;
  sqlite3_open(":memory:", &db);
  CU_ASSERT_EQUAL_FATAL(generate_world(db, p, &e), ERR_OK);
  return db;
}

static double number(sqlite3 *db, const char *sql)
{
  sqlite3_stmt *s = NULL;
  double n = -1;
  CU_ASSERT_EQUAL_FATAL(sqlite3_prepare_v2(db, sql, -1, &s, NULL), SQLITE_OK);
  if (sqlite3_step(s) == SQLITE_ROW)
    n = sqlite3_column_double(s, 0);
  sqlite3_finalize(s);
  return n;
}

/* Dealer d01 with a sign, and d02 beside it without. */
static sqlite3 *planted(const char *sign, bool demo)
{
  struct err e = {0};
  struct world_params p = params(2, 56);
  p.demo = demo;
  AUTO_FREE char *text = xasprintf("%s:d01", sign);
  CU_ASSERT_EQUAL_FATAL(plants_parse(&p, text, &e), ERR_OK);
  return make(&p);
}

#define D01 "property_id=(SELECT property_id FROM dealers WHERE dealer_id='d01')"
#define D02 "property_id=(SELECT property_id FROM dealers WHERE dealer_id='d02')"
/* The last 28 days. */
#define LATE " AND date>'20260210'"
#define LEADS "name IN ('asc_form_submission','generate_lead')"

static void a_sign_changes_no_other_dealer(void)
{
  struct world_params p = params(2, 56);
  sqlite3 *plain = make(&p), *db = planted("bot_wave", false);
  static const char sql[] =
      "SELECT SUM(user_id*7+hour+duration_s*3+event_count) FROM sessions WHERE " D02;
  CU_ASSERT_EQUAL(number(plain, sql), number(db, sql));
  /* Nor the visits of the dealer's people. */
  CU_ASSERT_EQUAL(number(plain, "SELECT SUM(duration_s+event_count) FROM sessions WHERE " D01),
                  number(db, "SELECT SUM(duration_s+event_count) FROM sessions WHERE " D01
                             " AND country NOT IN ('China','Singapore')"));
  sqlite3_close(plain);
  sqlite3_close(db);
}

static void a_bot_wave_is_a_fifth_of_the_sessions_in_three_days(void)
{
  sqlite3 *db = planted("bot_wave", false);
#define BOTS "country IN ('China','Singapore')"
  double share = number(db, "SELECT AVG(" BOTS ") FROM sessions WHERE " D01 LATE);
  CU_ASSERT_TRUE(share > 0.16 && share < 0.25);
  CU_ASSERT_EQUAL(
      number(db, "SELECT COUNT(DISTINCT date) FROM sessions WHERE " D01 LATE " AND " BOTS), 3);
  CU_ASSERT_EQUAL(number(db, "SELECT SUM(duration_s+engaged) FROM sessions WHERE " BOTS), 0);
  CU_ASSERT_EQUAL(number(db, "SELECT COUNT(*) FROM sessions WHERE " D02 " AND " BOTS), 0);
  sqlite3_close(db);
}

static void days_are_lost_by_a_gap_and_a_late_start(void)
{
  sqlite3 *gap = planted("gap", false), *late = planted("late_start", false);
  CU_ASSERT_EQUAL(number(gap, "SELECT COUNT(DISTINCT date) FROM sessions WHERE " D01 LATE), 25);
  CU_ASSERT_EQUAL(number(gap, "SELECT COUNT(DISTINCT date) FROM sessions WHERE " D02 LATE), 28);
  CU_ASSERT_EQUAL(number(late, "SELECT MIN(date) FROM sessions WHERE " D01), 20260216);
  sqlite3_close(gap);
  sqlite3_close(late);
}

static void duplicate_leads_come_to_sixteen_in_ten(void)
{
  struct world_params p = params(2, 56);
  sqlite3 *plain = make(&p), *db = planted("duplicates", true);
  static const char ratio[] = "SELECT SUM(count)*1.0/COUNT(DISTINCT session_id) FROM events WHERE "
                              "name='asc_form_submission' AND " D01;
  CU_ASSERT_TRUE(number(plain, ratio) < 1.1);
  CU_ASSERT_DOUBLE_EQUAL(number(db, ratio), 1.6, 0.2);
  /* The columns of sessions stay the sums over their events. */
  CU_ASSERT_EQUAL(number(db, "SELECT COUNT(*) FROM sessions s JOIN (SELECT session_id,SUM(count) n,"
                             "SUM(count*is_key_event) k FROM event_details GROUP BY 1) e "
                             "USING(session_id) WHERE event_count<>n OR key_events<>k"),
                  0);
  sqlite3_close(plain);
  sqlite3_close(db);
}

static void an_extra_key_event_is_registered(void)
{
  sqlite3 *db = planted("key_events", false);
  CU_ASSERT_EQUAL(number(db, "SELECT COUNT(*) FROM key_events WHERE name='form_start' AND " D01),
                  1);
  CU_ASSERT_EQUAL(number(db, "SELECT COUNT(*) FROM key_events WHERE name='form_start' AND " D02),
                  0);
  sqlite3_close(db);
}

static void a_consent_shift_loses_sessions_and_raises_rates(void)
{
  struct world_params p = params(2, 56);
  p.demo = true;
  sqlite3 *plain = make(&p), *db = planted("consent_shift", true);
#define SHIFTED " AND date>='20260217'"
  static const char n[] = "SELECT COUNT(*) FROM sessions WHERE " D01 SHIFTED;
  static const char rate[] = "SELECT COUNT(DISTINCT session_id)*1.0/(SELECT COUNT(*) FROM sessions "
                             "WHERE " D01 SHIFTED ") FROM events WHERE " LEADS " AND " D01 SHIFTED;
  CU_ASSERT_DOUBLE_EQUAL(number(db, n) / number(plain, n), 0.7, 0.04);
  CU_ASSERT_DOUBLE_EQUAL(number(db, rate) / number(plain, rate), 1.3, 0.12);
  CU_ASSERT_EQUAL(number(db, "SELECT COUNT(*) FROM sessions WHERE date<'20260217' AND " D01),
                  number(plain, "SELECT COUNT(*) FROM sessions WHERE date<'20260217' AND " D01));
  sqlite3_close(plain);
  sqlite3_close(db);
}

static void self_referrals_are_eight_in_a_hundred(void)
{
  sqlite3 *db = planted("self_referral", true);
  double share = number(db, "SELECT AVG(source=(SELECT host FROM properties WHERE " D01
                            ")) FROM sessions WHERE " D01);
  CU_ASSERT_DOUBLE_EQUAL(share, 0.08, 0.015);
  sqlite3_close(db);
}

static void unknown_signs_are_refused(void)
{
  static const char *const wrong[] = {"bots:d01", "gap", "gap:01", "gap:d0", "gap:dx", ":d01"};
  struct world_params p = params(1, 1);
  for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
    struct err e = {0};
    CU_ASSERT_NOT_EQUAL(plants_parse(&p, wrong[i], &e), ERR_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "bot_wave, gap"));
  }
  CU_ASSERT_EQUAL(p.plant_count, 0);
}

/* Leads by session of a dealer against all ordinary ones. */
static double lead_rate(sqlite3 *db, const char *dealers)
{
  AUTO_FREE char *sql = xasprintf(
      "WITH p AS (SELECT property_id FROM dealers WHERE dealer_id IN (%s)) SELECT "
      "(SELECT COUNT(DISTINCT session_id) FROM events WHERE " LEADS " AND property_id IN p)*1.0/"
      "(SELECT COUNT(*) FROM sessions WHERE property_id IN p)",
      dealers);
  return number(db, sql);
}

static double engagement(sqlite3 *db, const char *dealers)
{
  AUTO_FREE char *sql =
      xasprintf("SELECT AVG(engaged) FROM sessions WHERE property_id IN (SELECT property_id FROM "
                "dealers WHERE dealer_id IN (%s))",
                dealers);
  return number(db, sql);
}

static void the_demo_world_holds_what_its_page_lists(void)
{
  struct world_params p = params(14, 84);
  p.demo = true;
  sqlite3 *db = make(&p);
#define ORDINARY "'d01','d05','d06','d09','d10'"
  double leads = lead_rate(db, ORDINARY), stay = engagement(db, ORDINARY);
  CU_ASSERT_DOUBLE_EQUAL(lead_rate(db, "'d02'") / leads, 1.5, 0.25);
  CU_ASSERT_DOUBLE_EQUAL(lead_rate(db, "'d03'") / leads, 2.0, 0.3);
  CU_ASSERT_DOUBLE_EQUAL(lead_rate(db, "'d04'") / leads, 0.6, 0.15);
  CU_ASSERT_DOUBLE_EQUAL(engagement(db, "'d07'") / stay, 1.1, 0.04);
  CU_ASSERT_DOUBLE_EQUAL(engagement(db, "'d08'") / stay, 0.9, 0.04);
  CU_ASSERT_TRUE(number(db, "SELECT MIN(n) FROM (SELECT COUNT(*) n FROM sessions WHERE "
                            "date>'20260210' AND property_id NOT IN (SELECT property_id FROM "
                            "dealers WHERE dealer_id='d14') GROUP BY property_id)") >= 1000);
  CU_ASSERT_TRUE(number(db, "SELECT MAX(n) FROM (SELECT COUNT(*) n FROM sessions WHERE "
                            "date>'20260210' GROUP BY property_id)") <= 5600);
  sqlite3_close(db);
}

static void further_days_follow_as_if_made_at_once(void)
{
  static const char all[] =
      "SELECT SUM(user_id*3+hour+duration_s+event_count*7+substr(date,7)) FROM sessions";
  struct world_params p = params(3, 30);
  struct err e = {0};
  p.demo = true;
  sqlite3 *db = make(&p);
  double kept =
      number(db, "SELECT SUM(user_id*3+event_count) FROM sessions WHERE date>='20260212'");
  p.today += 2;
  CU_ASSERT_EQUAL(generate_more_days(db, &p, &e), ERR_OK);
  CU_ASSERT_EQUAL(number(db, "SELECT COUNT(*) FROM days"), 30);
  CU_ASSERT_EQUAL(number(db, "SELECT MAX(day_number) FROM days"), 29);
  CU_ASSERT_EQUAL(number(db, "SELECT MIN(date) FROM sessions"), 20260211);
  CU_ASSERT_EQUAL(number(db, "SELECT MAX(date) FROM sessions"), 20260312);
  CU_ASSERT_EQUAL(number(db, "SELECT SUM(user_id*3+event_count) FROM sessions WHERE date "
                             "BETWEEN '20260212' AND '20260310'"),
                  kept);
  /* One by one or both at once: the same. */
  struct world_params q = params(3, 30);
  q.demo = true;
  sqlite3 *steps = make(&q);
  q.today++;
  CU_ASSERT_EQUAL(generate_more_days(steps, &q, &e), ERR_OK);
  q.today++;
  CU_ASSERT_EQUAL(generate_more_days(steps, &q, &e), ERR_OK);
  CU_ASSERT_EQUAL(number(db, all), number(steps, all));
  sqlite3_close(db);
  sqlite3_close(steps);
}

static int64_t file_number(const char *path, const char *sql)
{
  sqlite3 *db;
  sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL);
  int64_t n = (int64_t)number(db, sql);
  sqlite3_close(db);
  return n;
}

static void a_file_of_yesterday_is_extended_and_not_made_again(void)
{
  static const char made[] = "SELECT value FROM meta WHERE key='made_for'";
  AUTO_FREE char *path = xasprintf("/tmp/ga4-sim-extend-%d.db", (int)getpid());
  struct world_params p = params(2, 20);
  struct world *w = NULL;
  struct err e = {0};
  log_init("test", LOG_LEVEL_OFF);
  p.demo = true;
  CU_ASSERT_EQUAL_FATAL(world_open(&w, &p, true, path, &e), ERR_OK);
  world_close(w);
  p.today++;
  CU_ASSERT_EQUAL_FATAL(world_open(&w, &p, true, path, &e), ERR_OK);
  world_close(w);
  CU_ASSERT_EQUAL(file_number(path, made), FIXTURE_TODAY);
  CU_ASSERT_EQUAL(file_number(path, "SELECT MAX(date) FROM sessions"), 20260311);
  /* The plain world is the same for the same day, so it is made again. */
  p.demo = false;
  CU_ASSERT_EQUAL_FATAL(world_open(&w, &p, true, path, &e), ERR_OK);
  world_close(w);
  CU_ASSERT_EQUAL(file_number(path, made), FIXTURE_TODAY + 1);
  unlink(path);
}

/* Of a lazy demo world, each dealer that was asked for. */
static void a_dealer_of_a_large_world_is_extended_too(void)
{
  AUTO_FREE char *path = xasprintf("/tmp/ga4-sim-lazy-extend-%d.db", (int)getpid());
  AUTO_FREE char *one = xasprintf("%s.properties/d05.db", path);
  struct world_params p = params(201, 20);
  struct world *w = NULL;
  struct err e = {0};
  log_init("test", LOG_LEVEL_OFF);
  p.demo = true;
  for (int day = 0; day < 2; day++) {
    CU_ASSERT_EQUAL_FATAL(world_open(&w, &p, true, path, &e), ERR_OK);
    sqlite3 *db = world_reader_acquire(w, &w->properties[4], &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(db);
    CU_ASSERT_EQUAL(number(db, "SELECT MAX(date) FROM sessions"), 20260310 + day);
    world_reader_release(w, db);
    world_close(w);
    p.today++;
  }
  CU_ASSERT_EQUAL(file_number(one, "SELECT value FROM meta WHERE key='made_for'"), FIXTURE_TODAY);
  CU_ASSERT_EQUAL(file_number(path, "SELECT value FROM meta WHERE key='today'"), FIXTURE_TODAY + 1);
  AUTO_FREE char *clean = xasprintf("rm -rf %s %s.properties", path, path);
  CU_ASSERT_EQUAL(system(clean), 0);
}

TEST_MAIN("sim_plants", TEST(a_dealer_of_a_large_world_is_extended_too),
          TEST(a_sign_changes_no_other_dealer),
          TEST(a_bot_wave_is_a_fifth_of_the_sessions_in_three_days),
          TEST(days_are_lost_by_a_gap_and_a_late_start),
          TEST(duplicate_leads_come_to_sixteen_in_ten), TEST(an_extra_key_event_is_registered),
          TEST(a_consent_shift_loses_sessions_and_raises_rates),
          TEST(self_referrals_are_eight_in_a_hundred), TEST(unknown_signs_are_refused),
          TEST(the_demo_world_holds_what_its_page_lists),
          TEST(further_days_follow_as_if_made_at_once),
          TEST(a_file_of_yesterday_is_extended_and_not_made_again))
