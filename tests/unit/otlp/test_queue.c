/* The queue of spans: many writers, one reader, a cap. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "common/base/mem.h"
#include "common/otlp/queue.h"
#include "common/trace/tracer.h"
#include "tests/unit/harness.h"

enum { WRITERS = 4, EACH = 20000 };

static void spans_come_out_as_they_went_in_and_no_more_than_fit(void)
{
  /* The queue looks at no span: addresses will do. */
  static char spans[8];
  struct otlp_queue *q = otlp_queue_new(3); /* rounded up to 4 */
  CU_ASSERT_PTR_NULL(otlp_queue_take(q));
  for (int round = 0; round < 5; round++) {
    for (int i = 0; i < 4; i++)
      CU_ASSERT_TRUE(otlp_queue_put(q, (struct span *)&spans[i]));
    CU_ASSERT_EQUAL(otlp_queue_len(q), 4);
    CU_ASSERT_FALSE(otlp_queue_put(q, (struct span *)&spans[4]));
    for (int i = 0; i < 3; i++)
      CU_ASSERT_PTR_EQUAL(otlp_queue_take(q), &spans[i]);
    CU_ASSERT_TRUE(otlp_queue_put(q, (struct span *)&spans[5]));
    CU_ASSERT_PTR_EQUAL(otlp_queue_take(q), &spans[3]);
    CU_ASSERT_PTR_EQUAL(otlp_queue_take(q), &spans[5]);
    CU_ASSERT_PTR_NULL(otlp_queue_take(q));
    CU_ASSERT_EQUAL(otlp_queue_len(q), 0);
  }
  otlp_queue_free(q);
}

struct writer {
  struct otlp_queue *queue;
  char *marks; /* of EACH, whose addresses stand for spans */
  size_t refused;
};

static void *write_all(void *arg)
{
  struct writer *w = arg;
  for (size_t i = 0; i < EACH; i++)
    w->refused += !otlp_queue_put(w->queue, (struct span *)&w->marks[i]);
  return NULL;
}

static void every_span_that_was_taken_comes_out_once_and_in_its_writers_order(void)
{
  struct otlp_queue *q = otlp_queue_new(64);
  char *marks = xcalloc(WRITERS, EACH);
  struct writer writers[WRITERS];
  pthread_t threads[WRITERS];
  ptrdiff_t last[WRITERS];
  size_t taken = 0, refused = 0;
  for (size_t i = 0; i < WRITERS; i++) {
    writers[i] = (struct writer){q, marks + i * EACH, 0};
    last[i] = -1;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, write_all, &writers[i]), 0);
  }
  bool ended = false;
  for (;;) {
    struct span *s = otlp_queue_take(q);
    if (s == NULL && ended)
      break;
    if (s == NULL && taken > 0) { /* the writers may be done: wait for them, and take the rest */
      for (size_t i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
      ended = true;
      continue;
    }
    if (s == NULL) {
      sched_yield();
      continue;
    }
    ptrdiff_t at = (char *)s - marks;
    size_t of = (size_t)at / EACH;
    CU_ASSERT_TRUE(marks[at] == 0 && at > last[of]);
    marks[at] = 1;
    last[of] = at;
    taken++;
  }
  for (size_t i = 0; i < WRITERS; i++)
    refused += writers[i].refused;
  CU_ASSERT_EQUAL(taken + refused, (size_t)WRITERS * EACH);
  CU_ASSERT_TRUE(taken >= 64);
  otlp_queue_free(q);
  free(marks);
}

static void take_nothing(void *user, struct span *s)
{
  *(struct span **)user = s;
}

static void what_is_left_is_freed_with_the_queue(void)
{
  struct trace_context c;
  struct span *made = NULL;
  struct trace_recorder r = {.take = take_nothing, .user = &made};
  struct err e = {0};
  struct otlp_queue *q = otlp_queue_new(8);
  trace_sampler_read(&r.sampler, "always_on", NULL, &e);
  trace_install(&r);
  for (int i = 0; i < 3; i++) {
    span_end(span_begin(&c, SPAN_INTERNAL, "x", NULL));
    CU_ASSERT_TRUE(otlp_queue_put(q, made));
  }
  trace_remove();
  otlp_queue_free(q); /* the leak checker looks */
}

TEST_MAIN("otlp_queue", TEST(spans_come_out_as_they_went_in_and_no_more_than_fit),
          TEST(every_span_that_was_taken_comes_out_once_and_in_its_writers_order),
          TEST(what_is_left_is_freed_with_the_queue))
