/* Where data of dealers without any in the period begins. */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/aggregate/support/questions.h"

typedef Analytics__Aggregate__V1__CompareDealerSessionsRequest Request;

/* d00 to d02 have no data in the period: it lies before that of d01, d02 has none at all, and
 * nothing is wrong with the days of d00. */
static void dealers_whose_data_begins_later_are_named_with_the_day(void)
{
  struct fixture f;
  struct outcome o;
  Request r = ask_west();
  fixture_init(&f, 6, 3);
  for (size_t i = 0; i < 3; i++) {
    struct fake_dealer *d = &f.world.dealers[i];
    d->sessions = d->engaged = 0;
    memset(d->events, 0, sizeof(d->events));
  }
  snprintf(f.world.dealers[0].first_date, sizeof(f.world.dealers[0].first_date), "2020-01-01");
  snprintf(f.world.dealers[1].first_date, sizeof(f.world.dealers[1].first_date), "2999-11-03");
  fixture_serve(&f);
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL(o.status.code, ERR_OK);
  AUTO_FREE char *begins = xasprintf("The period lies before the first data of: %s from 2999-11-03 "
                                     "on.",
                                     f.world.dealers[1].name);
  AUTO_FREE char *none = xasprintf("No session was ever recorded at: %s.", f.world.dealers[2].name);
  CU_ASSERT(has_caveat(&o, begins));
  CU_ASSERT(has_caveat(&o, none));
  CU_ASSERT_EQUAL(f.world.first_date_calls, 3);
  outcome_free(&o);
  fixture_stop(&f);
}

static void where_nobody_has_data_the_headline_says_where_it_begins(void)
{
  struct fixture f;
  struct outcome o;
  Request r = ask_west();
  fixture_init(&f, 2, 3);
  for (size_t i = 0; i < 2; i++) {
    struct fake_dealer *d = &f.world.dealers[i];
    d->sessions = d->engaged = 0;
    memset(d->events, 0, sizeof(d->events));
    snprintf(d->first_date, sizeof(d->first_date), "2999-11-0%zu", 4 - i);
  }
  fixture_serve(&f);
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_PTR_NOT_NULL_FATAL(o.compare);
  CU_ASSERT_PTR_NOT_NULL(strstr(o.compare->headline, "lies before the first data, of 2999-11-03."));
  outcome_free(&o);
  fixture_stop(&f);
}

static void first_days_are_looked_up_only_where_data_is_missing(void)
{
  struct fixture f;
  struct outcome o;
  Request r = ask_west();
  fixture_start(&f, 6, 3);
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_PTR_NOT_NULL_FATAL(o.compare);
  CU_ASSERT_EQUAL(f.world.first_date_calls, 0);
  CU_ASSERT_FALSE(has_caveat(&o, "first data"));
  outcome_free(&o);
  fixture_stop(&f);
}

FIXTURE_MAIN("aggregate first days", TEST(dealers_whose_data_begins_later_are_named_with_the_day),
             TEST(where_nobody_has_data_the_headline_says_where_it_begins),
             TEST(first_days_are_looked_up_only_where_data_is_missing))
