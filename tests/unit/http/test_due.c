/* The heap behind timers and deadlines. */
#include <stdlib.h>

#include "common/base/backoff.h"
#include "common/base/mem.h"
#include "common/http/due.h"
#include "tests/unit/harness.h"

enum { N = 500 };

static void items_come_out_by_time_then_by_order_of_adding(void)
{
  struct due_heap h = {0};
  struct due items[N] = {0};
  for (size_t i = 0; i < N; i++)
    due_heap_add(&h, &items[i], (int64_t)random_below(50));
  const struct due *last = NULL;
  for (size_t i = 0; i < N; i++) {
    struct due *d = due_heap_first(&h);
    due_heap_remove(&h, d);
    if (last != NULL)
      CU_ASSERT_TRUE(last->at_ms < d->at_ms || (last->at_ms == d->at_ms && last < d));
    last = d;
  }
  CU_ASSERT_PTR_NULL(due_heap_first(&h));
  due_heap_free(&h);
}

static void removing_from_the_middle_keeps_the_order_of_the_rest(void)
{
  struct due_heap h = {0};
  struct due items[N] = {0};
  for (size_t i = 0; i < N; i++)
    due_heap_add(&h, &items[i], (int64_t)random_below(1000));
  for (size_t i = 0; i < N; i += 2)
    due_heap_remove(&h, &items[i]);
  CU_ASSERT_EQUAL(h.len, N / 2);
  int64_t last = -1;
  for (struct due *d; (d = due_heap_first(&h)) != NULL; due_heap_remove(&h, d)) {
    CU_ASSERT_TRUE(d->at_ms >= last);
    CU_ASSERT_EQUAL((d - items) % 2, 1);
    last = d->at_ms;
  }
  due_heap_free(&h);
}

static void removing_what_does_not_wait_does_nothing(void)
{
  struct due_heap h = {0};
  struct due a = {0}, b = {0};
  due_heap_add(&h, &a, 5);
  due_heap_remove(&h, &b);
  CU_ASSERT_PTR_EQUAL(due_heap_first(&h), &a);
  due_heap_remove(&h, &a);
  due_heap_remove(&h, &a);
  CU_ASSERT_PTR_NULL(due_heap_first(&h));
  due_heap_free(&h);
}

TEST_MAIN("http.due", TEST(items_come_out_by_time_then_by_order_of_adding),
          TEST(removing_from_the_middle_keeps_the_order_of_the_rest),
          TEST(removing_what_does_not_wait_does_nothing))
