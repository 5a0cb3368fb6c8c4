/* What is remembered of lead events. */
#include <stdio.h>

#include "common/ga4/leads.h"
#include "common/ga4/lookback.h"
#include "tests/unit/harness.h"

static void an_entry_holds_for_its_look_back_only(void)
{
  struct lookback l;
  struct lead_finding x = {.lead_event = 7, .inventory_pages = false};
  lookback_init(&l, 10);
  CU_ASSERT_FALSE(lookback_find(&l, "d01", 100, &x));
  lookback_keep(&l, "d01", 100,
                (struct lead_finding){.lead_event = 1, .inventory_pages = true, .key_events = 77});
  lookback_keep(
      &l, "d02", 100,
      (struct lead_finding){.lead_event = LEAD_UNKNOWN, .inventory_pages = true, .key_events = 0});
  CU_ASSERT_TRUE(lookback_find(&l, "d01", 100, &x));
  CU_ASSERT_EQUAL(x.lead_event, 1);
  CU_ASSERT_EQUAL(x.key_events, 77);
  CU_ASSERT_TRUE(lookback_find(&l, "d02", 100, &x));
  CU_ASSERT_EQUAL(x.lead_event, LEAD_UNKNOWN);
  CU_ASSERT_FALSE(lookback_find(&l, "d01", 107, &x));
  lookback_keep(&l, "d01", 107,
                (struct lead_finding){.lead_event = 2, .inventory_pages = true, .key_events = 0});
  CU_ASSERT_TRUE(lookback_find(&l, "d01", 107, &x));
  CU_ASSERT_EQUAL(x.lead_event, 2);
  CU_ASSERT_FALSE(lookback_find(&l, "d01", 100, &x));
  lookback_free(&l);
}

static void the_dealer_longest_unused_makes_room(void)
{
  struct lookback l;
  struct lead_finding x;
  char ref[16];
  lookback_init(&l, 3);
  for (int i = 0; i < 3; i++) {
    snprintf(ref, sizeof(ref), "d%d", i);
    lookback_keep(&l, ref, 1, (struct lead_finding){.lead_event = i, .inventory_pages = true});
  }
  CU_ASSERT_TRUE(lookback_find(&l, "d0", 1, &x));
  lookback_keep(&l, "d3", 1,
                (struct lead_finding){.lead_event = 0, .inventory_pages = true, .key_events = 0});
  CU_ASSERT_TRUE(lookback_find(&l, "d0", 1, &x));
  CU_ASSERT_FALSE(lookback_find(&l, "d1", 1, &x));
  CU_ASSERT_EQUAL(l.entries.order.n, 3);
  lookback_free(&l);
}

static void no_memory_keeps_nothing(void)
{
  struct lookback l;
  struct lead_finding x;
  lookback_init(&l, 0);
  lookback_keep(&l, "d01", 1,
                (struct lead_finding){.lead_event = 1, .inventory_pages = true, .key_events = 77});
  CU_ASSERT_FALSE(lookback_find(&l, "d01", 1, &x));
  lookback_free(&l);
}

TEST_MAIN("ga4 look-back", TEST(an_entry_holds_for_its_look_back_only),
          TEST(the_dealer_longest_unused_makes_room), TEST(no_memory_keeps_nothing))
