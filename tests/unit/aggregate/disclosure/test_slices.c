/* Which values of a sliced benchmark are released. */
#include <string.h>

#include "aggregate-svc/disclosure/slices.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

enum { MEMBERS = 7, VALUES_MAX = 6 };

static const char *const owners[MEMBERS] = {"me", "a", "b", "c", "d", "e", "f"};

/* Sessions of each value at each of six outside dealers; the caller's own dealer has 100 of each.
 */
static enum disclosure_code decide(const int64_t values[][6], size_t n, enum slice_fate *fates)
{
  struct disclosure_member m[MEMBERS];
  struct slice_part parts[VALUES_MAX * MEMBERS];
  enum disclosure_code other;
  for (size_t i = 0; i < MEMBERS; i++)
    m[i] = (struct disclosure_member){i == 0, true, owners[i], 0, 0};
  for (size_t v = 0; v < n; v++)
    for (size_t i = 0; i < MEMBERS; i++)
      parts[v * MEMBERS + i] = (struct slice_part){i == 0 ? 100 : values[v][i - 1], 0};
  struct disclosure_policy policy = DISCLOSURE_POLICY_DEFAULT;
  struct slices_question q = {m, MEMBERS, parts, n, false, NULL, 0};
  slices_decide(&policy, &q, fates, &other);
  return other;
}

static void values_that_pass_are_all_released(void)
{
  static const int64_t v[][6] = {{90, 80, 70, 60, 50, 50}, {50, 60, 70, 60, 50, 50}};
  enum slice_fate f[2];
  CU_ASSERT_EQUAL(decide(v, 2, f), DISCLOSURE_RESTRICTED);
  CU_ASSERT_EQUAL(f[0], SLICE_RELEASED);
  CU_ASSERT_EQUAL(f[1], SLICE_RELEASED);
}

static void P15_a_model_that_one_dealer_dominates_goes_to_other(void)
{
  /* 5 dealers of 5 owners have it, one has 60 %; another value is suppressed besides */
  static const int64_t v[][6] = {
      {90, 80, 70, 60, 50, 50}, {60, 10, 10, 10, 10, 0}, {0, 20, 20, 20, 20, 40}};
  enum slice_fate f[3];
  enum disclosure_code other = decide(v, 3, f);
  CU_ASSERT_EQUAL(f[1], SLICE_OTHER);
  CU_ASSERT_EQUAL(f[0], SLICE_RELEASED);
  CU_ASSERT_EQUAL(f[2], SLICE_OTHER); /* follows: alone, the first would be the rest */
  CU_ASSERT_EQUAL(other, DISCLOSURE_RESTRICTED);
}

/* Over two weeks the value has six dealers, in one of them four: the other week would be the
 * difference. What is shown over both is what may be shown in each. */
static void a_value_must_pass_in_each_week_of_the_period(void)
{
  enum { VALUES = 4 };
  static const int64_t first[VALUES][6] = {{900, 800, 700, 600, 500, 500},
                                           {90, 80, 70, 60, 50, 50},
                                           {190, 180, 170, 160, 150, 150},
                                           {80, 80, 80, 70, 70, 70}};
  for (int lacking = 0; lacking < 2; lacking++) {
    struct disclosure_member m[MEMBERS];
    struct slice_part weeks[2][VALUES * MEMBERS] = {{{0, 0}}};
    const struct slice_part *bases[] = {weeks[0], weeks[1]};
    enum slice_fate f[VALUES];
    enum disclosure_code other;
    struct disclosure_policy policy = DISCLOSURE_POLICY_DEFAULT;
    for (size_t i = 0; i < MEMBERS; i++)
      m[i] = (struct disclosure_member){i == 0, true, owners[i], 0, 0};
    for (size_t v = 0; v < VALUES; v++)
      for (size_t i = 1; i < MEMBERS; i++)
        for (size_t k = 0; k < 2; k++)
          weeks[k][v * MEMBERS + i].denominator =
              lacking && v == 3 && k == 1 && i < 3 ? 0 : first[v][i - 1];
    struct slices_question q = {m, MEMBERS, NULL, VALUES, false, bases, 2};
    slices_decide(&policy, &q, f, &other);
    CU_ASSERT_EQUAL(other, DISCLOSURE_RESTRICTED);
    CU_ASSERT_EQUAL(f[0], SLICE_RELEASED);
    CU_ASSERT_EQUAL(f[2], SLICE_RELEASED);
    CU_ASSERT_EQUAL(f[3], lacking ? SLICE_OTHER : SLICE_RELEASED);
    CU_ASSERT_EQUAL(f[1], lacking ? SLICE_OTHER : SLICE_RELEASED); /* the smallest goes along */
  }
}

static void P16_one_suppressed_channel_takes_the_smallest_with_it(void)
{
  static const int64_t v[][6] = {{900, 800, 700, 600, 500, 500},
                                 {90, 80, 70, 60, 50, 50},
                                 {9, 8, 0, 0, 0, 0},
                                 {190, 180, 170, 160, 150, 150}};
  enum slice_fate f[4];
  CU_ASSERT_EQUAL(decide(v, 4, f), DISCLOSURE_RESTRICTED);
  CU_ASSERT_EQUAL(f[0], SLICE_RELEASED);
  CU_ASSERT_EQUAL(f[1], SLICE_OTHER);
  CU_ASSERT_EQUAL(f[2], SLICE_OTHER);
  CU_ASSERT_EQUAL(f[3], SLICE_RELEASED);
}

static void a_value_that_no_outside_dealer_has_hides_nothing(void)
{
  static const int64_t v[][6] = {{900, 800, 700, 600, 500, 500},
                                 {90, 80, 70, 60, 50, 50},
                                 {9, 8, 0, 0, 0, 0},
                                 {0, 0, 0, 0, 0, 0}};
  enum slice_fate f[4];
  decide(v, 4, f);
  CU_ASSERT_EQUAL(f[3], SLICE_ABSENT);
  CU_ASSERT_EQUAL(f[1], SLICE_OTHER); /* the empty one is not the second of two */
}

static void a_rest_that_does_not_pass_takes_until_it_does_or_all_is_withheld(void)
{
  static const int64_t v[][6] = {{9, 8, 0, 0, 0, 0}, {0, 0, 9, 8, 0, 0}, {0, 0, 0, 0, 1, 900}};
  enum slice_fate f[3];
  CU_ASSERT_EQUAL(decide(v, 3, f), DISCLOSURE_DOMINANCE);
  for (size_t i = 0; i < 3; i++)
    CU_ASSERT_EQUAL(f[i], SLICE_OTHER);
  CU_ASSERT_EQUAL(decide(&v[0], 1, f), DISCLOSURE_MIN_CONTRIBUTORS);
}

static void only_lists_that_are_fixed_may_be_sliced_by(void)
{
  CU_ASSERT_TRUE(slices_dimension_is_listed("deviceCategory"));
  CU_ASSERT_TRUE(slices_dimension_is_listed("sessionDefaultChannelGroup"));
  CU_ASSERT_TRUE(slices_dimension_is_listed("model"));
  static const char *const no[] = {
      "city",       "hostName", "pagePath", "sessionSourceMedium", "sessionCampaignName",
      "searchTerm", ""};
  for (size_t i = 0; i < ARRAY_LEN(no); i++)
    CU_ASSERT_FALSE(slices_dimension_is_listed(no[i]));
}

/* Whatever the values are: a release is never alone with one suppressed value, and what is shown
 * passes the policy. */
static void random_slices_never_leave_one_value_as_the_rest(void)
{
  unsigned seed = 7;
  for (int round = 0; round < 3000; round++) {
    int64_t v[VALUES_MAX][6];
    enum slice_fate f[VALUES_MAX];
    size_t suppressed = 0, released = 0;
    for (size_t i = 0; i < VALUES_MAX; i++)
      for (size_t k = 0; k < 6; k++) {
        seed = seed * 1103515245u + 12345u;
        unsigned x = (seed >> 16) % 200;
        v[i][k] = x < 60 ? 0 : (int64_t)(x * (i + 1) / 4);
      }
    enum disclosure_code other = decide((const int64_t(*)[6])v, VALUES_MAX, f);
    for (size_t i = 0; i < VALUES_MAX; i++) {
      suppressed += f[i] == SLICE_OTHER;
      released += f[i] == SLICE_RELEASED;
    }
    CU_ASSERT_NOT_EQUAL_FATAL(suppressed, 1);
    CU_ASSERT_TRUE_FATAL(suppressed == 0 || released == 0 || other == DISCLOSURE_RESTRICTED);
  }
}

TEST_MAIN("aggregate slices", TEST(values_that_pass_are_all_released),
          TEST(P15_a_model_that_one_dealer_dominates_goes_to_other),
          TEST(a_value_must_pass_in_each_week_of_the_period),
          TEST(P16_one_suppressed_channel_takes_the_smallest_with_it),
          TEST(a_value_that_no_outside_dealer_has_hides_nothing),
          TEST(a_rest_that_does_not_pass_takes_until_it_does_or_all_is_withheld),
          TEST(only_lists_that_are_fixed_may_be_sliced_by),
          TEST(random_slices_never_leave_one_value_as_the_rest))
