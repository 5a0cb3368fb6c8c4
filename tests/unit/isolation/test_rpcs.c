/* Isolation as a property: random worlds, random callers, random calls over every rpc and
 * every tool. Nothing of a dealer outside the grant comes back, ever. */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/isolation/try.h"

/* AMCP_ISOLATION_CASES takes another number (tests/run.sh --all: 20,000), AMCP_ISOLATION_SEED
 * another start. */
enum { CASES = 2000, CALLERS_PER_WORLD = 8 };

static size_t setting(const char *name, size_t fallback)
{
  const char *text = getenv(name);
  return text != NULL ? (size_t)strtoull(text, NULL, 10) : fallback;
}

/* The cheap calls often, those that ask Google less so. */
static size_t try_everything(struct attempt *a)
{
  static try_fn *const cheap[] = {try_list_dealers,  try_access_token, try_access_token,
                                  try_access_tokens, try_forged_grant, try_forged_bearer,
                                  try_cohort,        try_list_cohorts};
  static try_fn *const tools[] = {
      try_run_report, try_property, try_other_reports, try_account_summaries,
      try_across,     try_compare,  try_dealer,        try_dealer,
      try_dealer,     try_vehicles, try_list_metrics,  try_fetch_reports};
  size_t bad = 0;
  for (size_t k = 0; k < 2; k++)
    for (size_t i = 0; i < ARRAY_LEN(cheap); i++)
      bad += cheap[i](a);
  for (size_t i = 0; i < ARRAY_LEN(tools); i++)
    bad += tools[i](a);
  return bad + try_compare(a) + try_compare(a); /* what releases figures of others */
}

static size_t one_world(struct stage *s, struct tally *t)
{
  size_t bad = 0;
  for (int i = 0; i < CALLERS_PER_WORLD; i++) {
    struct attempt a;
    bad += attempt_begin(&a, s, t);
    bad += a.grant.len > 0 ? try_everything(&a) : 0;
    if (bad == 0 && pick(6) == 0) {
      bad += attempt_revoke(&a);
      bad += try_everything(&a);
      bad += a.answered_though_revoked;
    }
    attempt_end(&a);
  }
  return bad;
}

static void nothing_outside_the_grant_comes_back_from_any_rpc_or_tool(void)
{
  size_t cases = setting("AMCP_ISOLATION_CASES", CASES), bad = 0, worlds = 0;
  static struct stage s;
  struct tally t = {0};
  int64_t start = clock_mono_ms();
  pick_seed(setting("AMCP_ISOLATION_SEED", 20261122));
  plan_draw(&s.plan, 12);
  stage_start(&s);
  for (; t.calls < cases && bad == 0; worlds++) {
    bad += one_world(&s, &t);
    /* mostly large enough for benchmarks */
    plan_draw(&s.plan, pick(3) == 0 ? 1 + pick(PLAN_SHOPS) : PLAN_SHOPS - pick(8));
    stage_change(&s);
  }
  bad += world_google_crossed(s.google);
  stage_stop(&s);
  printf(
      "\n    %zu calls in %zu worlds, %zu answered, %zu refused; %zu members read; indices: %zu "
      "released, %zu withheld; %zu comparisons open; %zu callers by certificate, %zu revoked; %lld "
      "ms\n",
      t.calls, worlds, t.answered, t.refused, t.members_read, t.disclosure.released,
      t.disclosure.withheld, t.disclosure.open, t.by_certificate, t.revoked,
      (long long)(clock_mono_ms() - start));
  CU_ASSERT_EQUAL(bad, 0);
  /* Both sides were met often enough to prove something. */
  CU_ASSERT_TRUE(t.calls >= cases);
  CU_ASSERT_TRUE(t.disclosure.released * 200 >= cases);
  CU_ASSERT_TRUE(t.disclosure.withheld * 100 >= cases);
  CU_ASSERT_TRUE(t.members_read * 100 >= cases);
  CU_ASSERT_TRUE(t.tokens * 200 >= cases);
  CU_ASSERT_TRUE(t.vehicles * 200 >= cases);
  CU_ASSERT_TRUE(t.leads * 500 >= cases);
  CU_ASSERT_TRUE(t.leads_across * 500 >= cases);
  for (size_t i = 0; i < ARRAY_LEN(t.dealer); i++)
    CU_ASSERT_TRUE(t.dealer[i] * 1000 >= cases);
  CU_ASSERT_TRUE(t.by_certificate * 200 >= cases);
  CU_ASSERT_TRUE(t.revoked * 500 >= cases);
}

TEST_MAIN("isolation", TEST(nothing_outside_the_grant_comes_back_from_any_rpc_or_tool))
