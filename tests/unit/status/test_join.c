/* The state of the set, put together of what each service says: every state of a dealer, services
 * that are away, certificates by their age. */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/status/join.h"
#include "tests/unit/harness.h"

#define TEXT(s) ((char *)(uintptr_t)(s))

enum { DEALERS = 9, DAY = 86400 };
/* 2026-11-29 12:00 UTC */
static const int64_t noon = INT64_C(1795953600);

typedef Analytics__Auth__V1__DealerConsent consent;
typedef Analytics__Report__V1__AccountReports reports;

/* A set whose nine dealers are each in another state, but the first two. */
static struct {
  struct arena *arena;
  Analytics__Auth__V1__AuthStatus auth;
  Analytics__Report__V1__ReportStatus report;
  Analytics__Aggregate__V1__AggregateStatus aggregate;
  Analytics__Status__V1__Service services[3];
  Analytics__Auth__V1__AuditState audit;
  consent consents[DEALERS], *consent_list[DEALERS];
  reports accounts[DEALERS], *account_list[DEALERS];
  char ids[DEALERS][8], properties[DEALERS][8], *property_lists[DEALERS][1];
  Analytics__Aggregate__V1__SuspectDealer suspect, *suspects[1];
  Analytics__Aggregate__V1__CohortRelease cohort, *cohorts[1];
  char *signs[2];
  struct status_parts parts;
} t;

static void make_dealer(int i)
{
  snprintf(t.ids[i], sizeof(t.ids[i]), "d%02d", i);
  snprintf(t.properties[i], sizeof(t.properties[i]), "%d", 100 + i);
  t.property_lists[i][0] = t.properties[i];
  analytics__auth__v1__dealer_consent__init(&t.consents[i]);
  t.consents[i].dealer_id = t.ids[i];
  t.consents[i].state = TEXT("ok");
  t.consents[i].property_ids = t.property_lists[i];
  t.consents[i].n_property_ids = 1;
  t.consent_list[i] = &t.consents[i];
  analytics__report__v1__account_reports__init(&t.accounts[i]);
  t.accounts[i].property_id = t.properties[i];
  t.accounts[i].last_at = noon - 60;
  t.accounts[i].last_outcome = TEXT("ok");
  t.account_list[i] = &t.accounts[i];
}

static void make_faults(void)
{
  t.consents[2].state = TEXT("needs_reconsent");
  t.consents[2].connected = true;
  t.consents[2].remedy = TEXT("auth-svc invite --renew d02");
  t.consents[3].state = TEXT("misconfigured");
  t.consents[3].remedy = TEXT("auth-svc check d03");
  t.accounts[4].last_outcome = TEXT("permission_denied");
  t.accounts[4].remedy = TEXT("give the role");
  t.accounts[5].held_until = noon + 600;
  t.accounts[6].quota_gone_until = noon + 1200;
  t.accounts[8].last_at = 0;
  t.accounts[8].property_id = TEXT("999"); /* nobody's */
  t.suspect =
      (Analytics__Aggregate__V1__SuspectDealer)ANALYTICS__AGGREGATE__V1__SUSPECT_DEALER__INIT;
  t.signs[0] = TEXT("gap");
  t.signs[1] = TEXT("level_shift");
  t.suspect.dealer_id = t.ids[7];
  t.suspect.signs = t.signs;
  t.suspect.n_signs = 2;
  t.suspects[0] = &t.suspect;
}

static void make_services(void)
{
  static const char *const names[] = {"auth-svc", "report-svc", "aggregate-svc"};
  for (int i = 0; i < 3; i++) {
    analytics__status__v1__service__init(&t.services[i]);
    t.services[i].name = TEXT(names[i]);
    t.services[i].started_at = noon - DAY;
  }
  t.auth.service = &t.services[0];
  t.report.service = &t.services[1];
  t.aggregate.service = &t.services[2];
}

static void begin(void)
{
  memset(&t, 0, sizeof(t));
  t.arena = arena_new(1 << 20);
  analytics__auth__v1__auth_status__init(&t.auth);
  analytics__report__v1__report_status__init(&t.report);
  analytics__aggregate__v1__aggregate_status__init(&t.aggregate);
  analytics__auth__v1__audit_state__init(&t.audit);
  analytics__aggregate__v1__cohort_release__init(&t.cohort);
  for (int i = 0; i < DEALERS; i++)
    make_dealer(i);
  make_faults();
  make_services();
  t.audit.writable = true;
  t.audit.line = 42;
  t.auth.audit = &t.audit;
  t.auth.state_writable = true;
  t.auth.dealers = t.consent_list;
  t.auth.n_dealers = DEALERS;
  t.report.accounts = t.account_list;
  t.report.n_accounts = DEALERS;
  t.aggregate.suspects = t.suspects;
  t.aggregate.n_suspects = 1;
  t.cohort.id = TEXT("west");
  t.cohort.why_not = TEXT("min_owners");
  t.cohorts[0] = &t.cohort;
  t.aggregate.cohorts = t.cohorts;
  t.aggregate.n_cohorts = 1;
  t.parts = (struct status_parts){
      .auth = &t.auth, .report = &t.report, .aggregate = &t.aggregate, .now_unix_ms = noon * 1000};
}

static Analytics__Status__V1__ServiceStatus *join(void)
{
  Analytics__Status__V1__ServiceStatus *s = status_join(&t.parts, t.arena);
  CU_ASSERT_PTR_NOT_NULL_FATAL(s);
  return s;
}

static void dealers_stand_by_urgency_with_their_remedy(void)
{
  static const struct {
    const char *id, *state, *remedy;
  } expected[DEALERS] = {{"d02", "needs_reconsent", "auth-svc invite --renew d02"},
                         {"d03", "misconfigured", "auth-svc check d03"},
                         {"d04", "failing", "give the role"},
                         {"d05", "held", "wait until 2026-11-29T12:10:00Z"},
                         {"d06", "no_quota", "wait until 2026-11-29T12:20:00Z at the latest"},
                         {"d07", "suspect", "ask check_data_health about d07"},
                         {"d08", "no_report", ""},
                         {"d00", "ok", ""},
                         {"d01", "ok", ""}};
  begin();
  const Analytics__Status__V1__ServiceStatus *s = join();
  CU_ASSERT_EQUAL_FATAL(s->n_dealers, DEALERS);
  for (int i = 0; i < DEALERS; i++) {
    CU_ASSERT_STRING_EQUAL(s->dealers[i]->dealer_id, expected[i].id);
    CU_ASSERT_STRING_EQUAL(s->dealers[i]->state, expected[i].state);
    CU_ASSERT_STRING_EQUAL(s->dealers[i]->remedy, expected[i].remedy);
  }
  CU_ASSERT_STRING_EQUAL(s->dealers[0]->origin, "connected");
  CU_ASSERT_STRING_EQUAL(s->dealers[1]->origin, "file");
  CU_ASSERT_STRING_EQUAL(s->dealers[5]->suspect, "gap, level_shift");
  CU_ASSERT_STRING_EQUAL(s->dealers[7]->last_report, "2026-11-29T11:59:00Z");
  CU_ASSERT_STRING_EQUAL(s->headline,
                         "6 of 9 dealers need action: 1 needs_reconsent, 1 misconfigured, 1 "
                         "failing, 1 held, 1 no_quota, 1 suspect.");
  CU_ASSERT_EQUAL(s->coverage->asked, DEALERS);
  CU_ASSERT_EQUAL(s->coverage->ok, DEALERS);
  arena_free(t.arena);
}

static const Analytics__Status__V1__DealerRow *row_of(const char *dealer_id)
{
  const Analytics__Status__V1__ServiceStatus *s = join();
  for (size_t i = 0; i < s->n_dealers; i++)
    if (strcmp(s->dealers[i]->dealer_id, dealer_id) == 0)
      return s->dealers[i];
  CU_FAIL_FATAL("no such row");
  return NULL;
}

/* Only where the days after it were looked at, and only where nothing worse is to do. */
static void data_that_ended_is_said_in_the_remedy(void)
{
  static const char ended[] = "no data since 2026-11-20 as of 2026-11-24: ask check_data_health "
                              "about ";
  static const struct {
    const char *dealer, *newest, *looked, *state, *remedy;
  } cases[] = {{"d00", "2026-11-20", "2026-11-24", "ok", ended},
               {"d08", "2026-11-20", "2026-11-24", "no_report", ended},
               {"d00", "2026-11-20", "2026-11-23", "ok", NULL}, /* three days may be late */
               {"d00", "2026-05-31", "2026-05-31", "ok", NULL}, /* it asked about May */
               {"d00", "2026-11-28", "2026-11-29", "ok", NULL},
               {"d07", "2026-11-20", "2026-11-24", "suspect", "ask check_data_health about "},
               {"d04", "2026-11-20", "2026-11-24", "failing", "give the role"}};
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    Analytics__Aggregate__V1__DealerFreshness f = ANALYTICS__AGGREGATE__V1__DEALER_FRESHNESS__INIT,
                                              *list[] = {&f};
    begin();
    f.dealer_id = TEXT(cases[i].dealer);
    f.newest_day = TEXT(cases[i].newest);
    f.looked_through = TEXT(cases[i].looked);
    t.aggregate.freshness = list;
    t.aggregate.n_freshness = 1;
    const Analytics__Status__V1__DealerRow *row = row_of(cases[i].dealer);
    char remedy[128] = "";
    if (cases[i].remedy != NULL)
      snprintf(remedy, sizeof(remedy), "%s%s", cases[i].remedy,
               strcmp(cases[i].state, "failing") == 0 ? "" : cases[i].dealer);
    CU_ASSERT_STRING_EQUAL(row->data_through, cases[i].newest);
    CU_ASSERT_STRING_EQUAL(row->state, cases[i].state);
    CU_ASSERT_STRING_EQUAL(row->remedy, remedy);
    CU_ASSERT_STRING_EQUAL(row_of("d01")->data_through, "");
    arena_free(t.arena);
  }
}

static void several_properties_of_a_dealer_count_together(void)
{
  char *both[2];
  Analytics__Status__V1__Failures first = ANALYTICS__STATUS__V1__FAILURES__INIT, second = first,
                                  *firsts[1] = {&first}, *seconds[1] = {&second};
  begin();
  both[0] = t.properties[0];
  both[1] = TEXT("999");
  t.consents[0].property_ids = both;
  t.consents[0].n_property_ids = 2;
  first.reason = second.reason = TEXT("timeout");
  first.count = 2;
  second.count = 3;
  t.accounts[0].failures = firsts;
  t.accounts[8].failures = seconds;
  t.accounts[0].n_failures = t.accounts[8].n_failures = 1;
  t.accounts[0].has_quota = t.accounts[8].has_quota = true;
  t.accounts[0].tokens_left_hour = 700;
  t.accounts[8].tokens_left_hour = 300;
  const Analytics__Status__V1__DealerRow *d00 = row_of("d00");
  CU_ASSERT_STRING_EQUAL(d00->failures, "timeout 5");
  CU_ASSERT_STRING_EQUAL(d00->quota_left, "300");
  CU_ASSERT_STRING_EQUAL(d00->last_report, "2026-11-29T11:59:00Z");
  arena_free(t.arena);
}

static void a_service_that_is_away_is_named_and_the_rest_stays(void)
{
  begin();
  t.parts.report = NULL;
  err_set(&t.parts.away[1], ERR_UNAVAILABLE, "unreachable", "report-svc cannot be reached");
  const Analytics__Status__V1__ServiceStatus *s = join();
  CU_ASSERT_EQUAL_FATAL(s->n_services, 3);
  CU_ASSERT_STRING_EQUAL(s->services[0]->state, "ok");
  CU_ASSERT_STRING_EQUAL(s->services[1]->state, "away");
  CU_ASSERT_STRING_EQUAL(s->services[1]->service, "report-svc");
  CU_ASSERT_STRING_EQUAL(s->services[1]->detail, "report-svc cannot be reached");
  CU_ASSERT_PTR_NOT_NULL(strstr(s->headline, "report-svc did not answer"));
  CU_ASSERT_STRING_EQUAL(s->caveats[0],
                         "report-svc did not answer: reports and quota are not known");
  CU_ASSERT_EQUAL(s->coverage->ok, 0);
  CU_ASSERT_EQUAL(s->n_dealers, DEALERS);
  CU_ASSERT_STRING_EQUAL(s->dealers[0]->state, "needs_reconsent");
  t.parts.auth = NULL;
  t.parts.aggregate = NULL;
  s = join();
  CU_ASSERT_EQUAL(s->n_dealers, 0);
  CU_ASSERT_EQUAL(s->n_cohorts, 0);
  CU_ASSERT_EQUAL(s->n_caveats, 3);
  CU_ASSERT_PTR_NOT_NULL(strstr(s->headline, "No dealer is known"));
  arena_free(t.arena);
}

static const char *fact_state(const Analytics__Status__V1__ServiceStatus *s, const char *kind)
{
  for (size_t i = 0; i < s->n_facts; i++)
    if (strcmp(s->facts[i]->kind, kind) == 0)
      return s->facts[i]->state;
  return "none";
}

static void certificates_and_audit_log_warn_in_time(void)
{
  static const struct {
    int64_t expires_at;
    const char *state;
  } cases[] = {{0, "failed"},
               {1795953600 - 1, "failed"},
               {1795953600 + 20 * DAY, "warn"},
               {1795953600 + 22 * DAY, "ok"}};
  Analytics__Status__V1__Certificate c = ANALYTICS__STATUS__V1__CERTIFICATE__INIT, *list[] = {&c};
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    begin();
    c.expires_at = cases[i].expires_at;
    t.services[0].certificates = list;
    t.services[0].n_certificates = 1;
    CU_ASSERT_STRING_EQUAL(fact_state(join(), "certificate"), cases[i].state);
    arena_free(t.arena);
  }
  begin();
  CU_ASSERT_STRING_EQUAL(fact_state(join(), "audit"), "ok");
  t.audit.space_low = true;
  CU_ASSERT_STRING_EQUAL(fact_state(join(), "audit"), "warn");
  t.audit.writable = false;
  CU_ASSERT_STRING_EQUAL(fact_state(join(), "audit"), "failed");
  arena_free(t.arena);
}

static void a_full_arena_gives_nothing(void)
{
  begin();
  struct arena *small = arena_new(2000);
  CU_ASSERT_PTR_NULL(status_join(&t.parts, small));
  arena_free(small);
  arena_free(t.arena);
}

TEST_MAIN("status_join", TEST(dealers_stand_by_urgency_with_their_remedy),
          TEST(data_that_ended_is_said_in_the_remedy),
          TEST(several_properties_of_a_dealer_count_together),
          TEST(a_service_that_is_away_is_named_and_the_rest_stays),
          TEST(certificates_and_audit_log_warn_in_time), TEST(a_full_arena_gives_nothing))
