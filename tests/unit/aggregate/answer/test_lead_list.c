/* Which event counts as a lead for whom, as rows: what is shared, named, cut and missing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/answer/lead_list.h"
#include "aggregate-svc/answer/metric_list.h"
#include "aggregate-svc/figures/metrics.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

enum { DEALERS = 60, NAME = 24 };

struct scene {
  struct arena *arena;
  struct cohort cohort;
  struct cohort_member members[DEALERS];
  struct lead_site sites[DEALERS];
  struct lead_events leads;
  char names[DEALERS][NAME], events[DEALERS][NAME];
  char *event_names[LEAD_FIXED + DEALERS];
};

/* Dealers that answered; the events of their own have places behind the fixed ones. */
static void scene_start(struct scene *s, size_t dealers)
{
  memset(s, 0, sizeof(*s));
  s->arena = arena_new(SIZE_MAX / 4);
  s->cohort = (struct cohort){.members = s->members, .n = dealers, .subject = -1};
  s->leads = (struct lead_events){s->event_names, LEAD_FIXED + DEALERS};
  for (int i = 0; i < LEAD_FIXED; i++)
    s->event_names[i] = (char *)lead_fixed_event(i);
  for (size_t i = 0; i < DEALERS; i++) {
    snprintf(s->names[i], NAME, "Dealer %02zu", i);
    snprintf(s->events[i], NAME, "own_event_%02zu", i);
    s->event_names[LEAD_FIXED + i] = s->events[i];
    s->members[i] = (struct cohort_member){
        .visible = true, .name = s->names[i], .dealer_id = s->names[i], .state = DEALER_OK};
  }
}

static Analytics__Aggregate__V1__ListMetricsResponse list(struct scene *s, size_t name_bytes,
                                                          const struct err *without)
{
  Analytics__Aggregate__V1__ListMetricsResponse out =
      ANALYTICS__AGGREGATE__V1__LIST_METRICS_RESPONSE__INIT;
  const struct err none = {0};
  lead_list(&out, &s->cohort, &s->leads, s->sites, name_bytes, without != NULL ? without : &none,
            s->arena);
  return out;
}

static bool says(const Analytics__Aggregate__V1__ListMetricsResponse *r, const char *text)
{
  for (size_t i = 0; i < r->n_caveats; i++)
    if (strstr(r->caveats[i], text) != NULL)
      return true;
  return false;
}

static void dealers_that_count_alike_are_one_row_and_the_rare_are_named(void)
{
  static struct scene s;
  scene_start(&s, 24);
  s.sites[7].event = 1; /* generate_lead */
  s.sites[9] = (struct lead_site){3, true, 1U << LEAD_KIND_CALL | 1U << LEAD_KIND_CHAT, false};
  s.sites[11] = (struct lead_site){LEAD_UNKNOWN, false, 1U << LEAD_KIND_CHAT, true};
  Analytics__Aggregate__V1__ListMetricsResponse r = list(&s, 40, NULL);
  CU_ASSERT_EQUAL_FATAL(r.n_leads, 4);
  CU_ASSERT_TRUE(r.leads[0]->dealers == 21 && r.leads[0]->n_names == 0);
  CU_ASSERT_STRING_EQUAL(r.leads[0]->lead_event, "asc_form_submission");
  CU_ASSERT_STRING_EQUAL(r.leads[1]->lead_event, "generate_lead");
  CU_ASSERT_STRING_EQUAL(r.leads[1]->source, "observed");
  CU_ASSERT_EQUAL_FATAL(r.leads[1]->n_names, 1);
  CU_ASSERT_STRING_EQUAL(r.leads[1]->names[0], "Dealer 07");
  CU_ASSERT_STRING_EQUAL(r.leads[2]->kind, "call"); /* which is not beside itself */
  CU_ASSERT_STRING_EQUAL(r.leads[2]->source, "configured");
  CU_ASSERT_EQUAL_FATAL(r.leads[2]->n_beside, 1);
  CU_ASSERT_STRING_EQUAL(r.leads[2]->beside[0], "chats or texts");
  CU_ASSERT_STRING_EQUAL(r.leads[3]->lead_event, "");
  CU_ASSERT_EQUAL_FATAL(r.leads[3]->n_beside, 2);
  CU_ASSERT_STRING_EQUAL(r.leads[3]->beside[1], "texts");
  CU_ASSERT_TRUE(says(&r, "No lead event is known for 1 dealer, whose leads are unknown, not 0"));
  CU_ASSERT_TRUE(r.coverage->asked == 24 && r.coverage->ok == 24);
  CU_ASSERT_EQUAL(list(&s, 21 * 9 + 27, NULL).leads[0]->n_names, 21); /* there is room */
  arena_free(s.arena);
}

static void more_ways_than_fit_are_counted(void)
{
  static struct scene s;
  scene_start(&s, DEALERS);
  for (size_t i = 0; i < 2 * (LEAD_LIST_ROWS + 3); i++)
    s.sites[i] = (struct lead_site){.event = LEAD_FIXED + (int)i / 2, .configured = true};
  Analytics__Aggregate__V1__ListMetricsResponse r = list(&s, 0, NULL);
  int32_t dealers = 0;
  CU_ASSERT_EQUAL_FATAL(r.n_leads, LEAD_LIST_ROWS);
  for (size_t i = 0; i < r.n_leads; i++)
    dealers += r.leads[i]->dealers;
  CU_ASSERT_EQUAL(r.leads[0]->dealers, DEALERS - 2 * (LEAD_LIST_ROWS + 3));
  CU_ASSERT_EQUAL(dealers, DEALERS - 2 * 4);
  CU_ASSERT_TRUE(says(&r, "8 more dealers count leads in 4 other ways"));
  arena_free(s.arena);
}

static void who_failed_is_named_and_why_nobody_was_asked_is_said(void)
{
  static struct scene s;
  struct err many = {0}, away = {0};
  scene_start(&s, 3);
  s.members[1].state = DEALER_FAILED;
  Analytics__Aggregate__V1__ListMetricsResponse r = list(&s, 900, NULL);
  CU_ASSERT_EQUAL_FATAL(r.n_leads, 1);
  CU_ASSERT_EQUAL(r.leads[0]->dealers, 2);
  CU_ASSERT_EQUAL_FATAL(r.coverage->n_failed, 1);
  CU_ASSERT_STRING_EQUAL(r.coverage->failed[0]->name, "Dealer 01");
  CU_ASSERT_TRUE(says(&r, "1 of 3 dealers could not be read and is in no figure: Dealer 01."));
  err_set(&many, ERR_INVALID_ARGUMENT, "too_many_dealers", "dealer_ids: 501 dealers");
  err_set(&away, ERR_UNAVAILABLE, "unreachable", "auth-svc cannot be reached");
  r = list(&s, 900, &many);
  CU_ASSERT_TRUE(r.n_leads == 0 && r.coverage == NULL && says(&r, "of more than 500 dealers"));
  r = list(&s, 900, &away);
  CU_ASSERT_TRUE(r.n_leads == 0 && says(&r, "is not listed: auth-svc cannot be reached."));
  arena_free(s.arena);
}

/* A model asks with the words of a person, and an empty answer would be a dead end. */
static void a_metric_is_found_by_what_people_call_it(void)
{
  static const char *const said[][2] = {{"bounce rate", "bounce_rate"},
                                        {"engagementRate", "engagement_rate"},
                                        {"qualified_sessions", "shopper_sessions"},
                                        {"Qualified rate", "shopper_rate"},
                                        {"conversion rate", "leads_per_100_sessions"},
                                        {"Leads per 100 sessions", "leads_per_100_sessions"}};
  for (size_t i = 0; i < ARRAY_LEN(said); i++) {
    struct arena *arena = arena_new(SIZE_MAX / 4);
    const Analytics__Aggregate__V1__ListMetricsResponse *r = metric_list(said[i][0], arena);
    size_t found = 0;
    for (size_t k = 0; k < r->n_metrics; k++)
      found += strcmp(r->metrics[k]->metric, said[i][1]) == 0;
    CU_ASSERT_EQUAL(found, 1);
    CU_ASSERT_EQUAL(r->n_caveats, 0);
    arena_free(arena);
  }
  struct arena *arena = arena_new(SIZE_MAX / 4);
  const Analytics__Aggregate__V1__ListMetricsResponse *r = metric_list("flux \"capacitor\"", arena);
  CU_ASSERT_EQUAL(r->n_metrics, 0);
  CU_ASSERT_EQUAL_FATAL(r->n_caveats, 1);
  CU_ASSERT_PTR_NOT_NULL(strstr(r->caveats[0], "contains that text. Leave it out"));
  CU_ASSERT_TRUE(metric_is_called(&dealer_metrics[METRIC_SHOPPER_RATE], "qualified_rate"));
  CU_ASSERT_TRUE(metric_is_called(&dealer_metrics[METRIC_LEAD_EVENTS], "leads"));
  CU_ASSERT_FALSE(metric_is_called(&dealer_metrics[METRIC_SESSIONS], "qualified_sessions"));
  arena_free(arena);
}

TEST_MAIN("aggregate_lead_list", TEST(dealers_that_count_alike_are_one_row_and_the_rare_are_named),
          TEST(more_ways_than_fit_are_counted), TEST(a_metric_is_found_by_what_people_call_it),
          TEST(who_failed_is_named_and_why_nobody_was_asked_is_said))
