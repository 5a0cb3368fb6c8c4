/* Names that a request defines: which are refused, and what they are made of. */
#include "common/ga4/definition.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/harness.h"

typedef Analytics__Ga4__V1beta__Metric Metric;
typedef Analytics__Ga4__V1beta__Dimension Dimension;
typedef Analytics__Ga4__V1beta__DimensionExpression Expression;
typedef Analytics__Ga4__V1beta__DimensionExpression__CaseExpression Case;
typedef Analytics__Ga4__V1beta__DimensionExpression__ConcatenateExpression Concatenate;

#define TEXT(s) ((char *)(uintptr_t)(s))

static char *metrics[] = {TEXT("sessions"), TEXT("per_user"), TEXT("leads")};
static char *dimensions[] = {TEXT("city"), TEXT("place")};
static const struct ga4_names names = {metrics, 3, dimensions, 2};

static Metric metric(const char *name, const char *expression, bool invisible)
{
  Metric m = ANALYTICS__GA4__V1BETA__METRIC__INIT;
  m.name = TEXT(name);
  m.expression = TEXT(expression);
  m.invisible = invisible;
  return m;
}

static void expect(const struct ga4_definitions *d, const char *message)
{
  struct err e = {0};
  enum err_code code = ga4_definitions_check(d, &names, &e);
  CU_ASSERT_EQUAL(code, message == NULL ? ERR_OK : ERR_INVALID_ARGUMENT);
  bool right = message == NULL || strncmp(e.message, message, strlen(message)) == 0;
  CU_ASSERT_TRUE(right);
  if (!right)
    printf("\n  got %s\n  not %s\n", e.message, message);
}

static void metrics_are_refused_with_the_remedy(void)
{
  static const struct {
    const char *name, *expression;
    bool invisible;
    const char *message;
  } rows[] = {
      {"per_user", "eventCount/activeUsers", false, NULL},
      {"per_user", "eventCount/activeUsers", true, NULL},
      {"sessions", "", true, NULL},
      {"", "sessions", false, "metric_expressions[0].name: missing"},
      {"other", "sessions", false, "metric_expressions[0].name: other is not in metrics"},
      {"per_user", "", false, "metric_expressions[0].expression: missing"},
      {"leads", "keyEvents", false, "metric_expressions[0].name: leads has a meaning here"},
      {"per_user", "1 + (leads/sessions)", false,
       "metric_expressions[0].expression: Google, which evaluates it, does not know leads"},
  };
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    Metric m = metric(rows[i].name, rows[i].expression, rows[i].invisible), *list[] = {&m, &m};
    struct ga4_definitions d = {list, 1, NULL, 0};
    expect(&d, rows[i].message);
    d.n_metrics = 2;
    Metric copy = m;
    list[1] = &copy;
    if (rows[i].message == NULL)
      expect(&d, "metric_expressions[1].name: duplicate");
  }
}

static void dimensions_are_refused_with_the_remedy(void)
{
  Dimension d = ANALYTICS__GA4__V1BETA__DIMENSION__INIT, *list[] = {&d, &d};
  Expression x = ANALYTICS__GA4__V1BETA__DIMENSION_EXPRESSION__INIT;
  Case lower = ANALYTICS__GA4__V1BETA__DIMENSION_EXPRESSION__CASE_EXPRESSION__INIT;
  struct ga4_definitions all = {NULL, 0, list, 1};
  expect(&all, "dimension_expressions[0].name: missing");
  d.name = TEXT("town");
  expect(&all, "dimension_expressions[0].name: town is not in dimensions");
  d.name = TEXT("place");
  expect(&all, "dimension_expressions[0].dimension_expression: give lower_case");
  d.dimension_expression = &x;
  expect(&all, "dimension_expressions[0].dimension_expression: give lower_case");
  x.one_expression_case = ANALYTICS__GA4__V1BETA__DIMENSION_EXPRESSION__ONE_EXPRESSION_LOWER_CASE;
  x.lower_case = &lower;
  expect(&all, "dimension_expressions[0].dimension_expression: give lower_case");
  lower.dimension_name = TEXT("city");
  expect(&all, NULL);
  Dimension copy = d;
  list[1] = &copy;
  all.n_dimensions = 2;
  expect(&all, "dimension_expressions[1].name: duplicate");
}

static void operands_are_whole_names(void)
{
  Metric m = metric("x", "(eventCount+2*keyEvents:a_b)/activeUsers", false);
  static const char *const used[] = {"eventCount", "keyEvents:a_b", "activeUsers"};
  static const char *const unused[] = {"event", "Count", "keyEvents", "a_b", "x", "active"};
  for (size_t i = 0; i < ARRAY_LEN(used); i++)
    CU_ASSERT_TRUE(ga4_metric_uses(&m, used[i]));
  for (size_t i = 0; i < ARRAY_LEN(unused); i++)
    CU_ASSERT_FALSE(ga4_metric_uses(&m, unused[i]));
  Metric plain = metric("sessions", "", false);
  CU_ASSERT_TRUE(ga4_metric_uses(&plain, "sessions"));
  CU_ASSERT_FALSE(ga4_metric_uses(&plain, "session"));
}

static void what_is_hidden_and_what_is_the_same(void)
{
  Metric shown = metric("per_user", "a/b", false), hidden = metric("sessions", "", true);
  Metric other = metric("per_user", "b/a", false), *list[] = {&shown, &hidden};
  const struct ga4_definitions d = {list, 2, NULL, 0};
  CU_ASSERT_FALSE(ga4_is_hidden(&d, "per_user"));
  CU_ASSERT_TRUE(ga4_is_hidden(&d, "sessions"));
  CU_ASSERT_FALSE(ga4_is_hidden(&d, "users"));
  CU_ASSERT_TRUE(ga4_same_metric(&shown, &shown));
  CU_ASSERT_FALSE(ga4_same_metric(&shown, &other));
  CU_ASSERT_FALSE(ga4_same_metric(&shown, NULL));
  CU_ASSERT_TRUE(ga4_same_metric(&hidden, NULL)); /* Google's own, shown or not */
}

static void joined_dimensions_are_compared_by_their_parts(void)
{
  char *parts[] = {TEXT("city"), TEXT("region"), TEXT("country")};
  Concatenate one = ANALYTICS__GA4__V1BETA__DIMENSION_EXPRESSION__CONCATENATE_EXPRESSION__INIT;
  one.dimension_names = parts;
  one.n_dimension_names = 2;
  Concatenate two = one;
  Expression x = ANALYTICS__GA4__V1BETA__DIMENSION_EXPRESSION__INIT;
  x.one_expression_case = ANALYTICS__GA4__V1BETA__DIMENSION_EXPRESSION__ONE_EXPRESSION_CONCATENATE;
  x.concatenate = &one;
  Expression y = x;
  y.concatenate = &two;
  Dimension a = ANALYTICS__GA4__V1BETA__DIMENSION__INIT, b = a;
  a.dimension_expression = &x;
  b.dimension_expression = &y;
  CU_ASSERT_STRING_EQUAL(ga4_dimension_part(&x, 1), "region");
  CU_ASSERT_PTR_NULL(ga4_dimension_part(&x, 2));
  CU_ASSERT_PTR_NULL(ga4_dimension_part(NULL, 0));
  CU_ASSERT_TRUE(ga4_same_dimension(&a, &b));
  two.delimiter = TEXT("/");
  CU_ASSERT_FALSE(ga4_same_dimension(&a, &b));
  two.delimiter = one.delimiter;
  two.n_dimension_names = 3;
  CU_ASSERT_FALSE(ga4_same_dimension(&a, &b));
  CU_ASSERT_FALSE(ga4_same_dimension(&a, NULL));
  CU_ASSERT_TRUE(ga4_same_dimension(NULL, NULL));
}

TEST_MAIN("names that a request defines", TEST(metrics_are_refused_with_the_remedy),
          TEST(dimensions_are_refused_with_the_remedy), TEST(operands_are_whole_names),
          TEST(what_is_hidden_and_what_is_the_same),
          TEST(joined_dimensions_are_compared_by_their_parts))
