/* Samplers by OpenTelemetry's names. */
#include <math.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/trace/sampler.h"
#include "tests/unit/harness.h"

static bool takes(const char *name, const char *arg, const struct trace_context *parent)
{
  struct trace_sampler s;
  struct err e = {0};
  struct trace_context own;
  trace_context_new(&own);
  CU_ASSERT_EQUAL_FATAL(trace_sampler_read(&s, name, arg, &e), ERR_OK);
  return trace_sampler_takes(&s, parent != NULL ? parent->trace_id : own.trace_id, parent);
}

static void names_decide_alone_or_by_the_parent(void)
{
  struct trace_context sampled, not_sampled;
  trace_context_new(&not_sampled);
  trace_context_new(&sampled);
  sampled.flags = TRACE_SAMPLED;
  static const struct {
    const char *name, *arg;
    bool root, of_sampled, of_not_sampled;
  } rows[] = {
      {"always_on", NULL, true, true, true},
      {"always_off", NULL, false, false, false},
      {"traceidratio", "0", false, false, false},
      {"traceidratio", "1", true, true, true},
      {"traceidratio", NULL, true, true, true},
      {"parentbased_always_on", NULL, true, true, false},
      {"parentbased_always_off", "", false, true, false},
      {"parentbased_traceidratio", "0.0", false, true, false},
      {"parentbased_traceidratio", "1e0", true, true, false},
      {NULL, NULL, true, true, false},
      {"", NULL, true, true, false},
  };
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    CU_ASSERT_EQUAL(takes(rows[i].name, rows[i].arg, NULL), rows[i].root);
    CU_ASSERT_EQUAL(takes(rows[i].name, rows[i].arg, &sampled), rows[i].of_sampled);
    CU_ASSERT_EQUAL(takes(rows[i].name, rows[i].arg, &not_sampled), rows[i].of_not_sampled);
  }
}

static void a_ratio_takes_its_share_and_every_program_the_same_traces(void)
{
  enum { N = 20000 };
  struct trace_sampler s, again, larger;
  struct err e = {0};
  int taken = 0;
  CU_ASSERT_EQUAL(trace_sampler_read(&s, "traceidratio", "0.1", &e), ERR_OK);
  CU_ASSERT_EQUAL(trace_sampler_read(&again, "parentbased_traceidratio", "0.1", &e), ERR_OK);
  CU_ASSERT_EQUAL(trace_sampler_read(&larger, "traceidratio", "0.3", &e), ERR_OK);
  for (int i = 0; i < N; i++) {
    struct trace_context c;
    trace_context_new(&c);
    bool take = trace_sampler_takes(&s, c.trace_id, NULL);
    taken += take;
    CU_ASSERT_EQUAL(trace_sampler_takes(&again, c.trace_id, NULL), take);
    CU_ASSERT_TRUE(!take || trace_sampler_takes(&larger, c.trace_id, NULL));
  }
  /* Five standard deviations of a binomial share. */
  CU_ASSERT_TRUE(fabs(taken - 0.1 * N) < 5 * sqrt(N * 0.1 * 0.9));
}

/* Halfway along the last 63 bits: 0x7f... is below, 0x80... is not. */
static void the_last_bytes_of_the_id_decide(void)
{
  struct trace_sampler s;
  struct err e = {0};
  uint8_t id[TRACE_ID_BYTES] = {[0] = 0xff, [8] = 0x7f};
  CU_ASSERT_EQUAL(trace_sampler_read(&s, "traceidratio", "0.5", &e), ERR_OK);
  CU_ASSERT_TRUE(trace_sampler_takes(&s, id, NULL));
  id[8] = 0x80;
  CU_ASSERT_FALSE(trace_sampler_takes(&s, id, NULL));
}

static void other_names_and_shares_are_refused(void)
{
  struct trace_sampler s;
  struct err e = {0};
  static const char *const names[] = {"always", "ALWAYS_ON", "parentbased_", "jaeger_remote",
                                      "parentbased_parentbased_always_on"};
  static const char *const shares[] = {"-0.1", "1.1", "nan", "inf", "0x1", "1 ", "half", "5%"};
  for (size_t i = 0; i < ARRAY_LEN(names); i++) {
    CU_ASSERT_EQUAL(trace_sampler_read(&s, names[i], NULL, &e), ERR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "OTEL_TRACES_SAMPLER="));
  }
  for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
    CU_ASSERT_EQUAL(trace_sampler_read(&s, "traceidratio", shares[i], &e), ERR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "OTEL_TRACES_SAMPLER_ARG="));
  }
}

TEST_MAIN("trace_sampler", TEST(names_decide_alone_or_by_the_parent),
          TEST(a_ratio_takes_its_share_and_every_program_the_same_traces),
          TEST(the_last_bytes_of_the_id_decide), TEST(other_names_and_shares_are_refused))
