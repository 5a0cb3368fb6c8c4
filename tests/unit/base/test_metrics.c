/* Metrics. */
#include "common/base/metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/harness.h"

static void counters_gauges_and_histograms_are_rendered(void)
{
  struct metric *c = metrics_counter("t_total", "Things.", "kind", NULL);
  metric_add(c, 2, METRIC_LABELS("a\"b"));
  metric_add(c, 1, METRIC_LABELS("a\"b"));
  struct metric *g = metrics_gauge("t_now", "Now.", NULL);
  metric_set(g, 1.5, NULL);
  struct metric *h = metrics_histogram("t_seconds", "Time.", NULL);
  metric_observe(h, 0.003, NULL);
  metric_observe(h, 100, NULL);
  struct buf out AUTO_BUF = BUF_INIT(1 << 20);
  CU_ASSERT_TRUE(metrics_render(&out));
  static const char *const lines[] = {"# TYPE t_total counter\nt_total{kind=\"a\\\"b\"} 3\n",
                                      "t_now 1.5\n",
                                      "t_seconds_bucket{le=\"0.0025\"} 0\n",
                                      "t_seconds_bucket{le=\"0.005\"} 1\n",
                                      "t_seconds_bucket{le=\"60\"} 1\n",
                                      "t_seconds_bucket{le=\"+Inf\"} 2\n",
                                      "t_seconds_sum 100.003\nt_seconds_count 2\n"};
  for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), lines[i]));
}

static void registering_twice_gives_the_same_metric(void)
{
  CU_ASSERT_PTR_EQUAL(metrics_counter("t_same", "x", NULL), metrics_counter("t_same", "x", NULL));
}

static void series_beyond_the_cap_are_counted_as_other(void)
{
  struct metric *c = metrics_counter("t_many", "Many.", "id", NULL);
  for (int i = 0; i < 1500; i++) {
    char id[16];
    snprintf(id, sizeof(id), "%d", i);
    metric_add(c, 1, METRIC_LABELS(id));
  }
  struct buf out AUTO_BUF = BUF_INIT(1 << 20);
  metrics_render(&out);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "t_many{id=\"other\"} 500\n"));
}

static void *add_many(void *metric)
{
  for (int i = 0; i < 10000; i++)
    metric_add(metric, 1, METRIC_LABELS(i % 2 == 0 ? "even" : "odd"));
  return NULL;
}

static void concurrent_adds_are_all_counted(void)
{
  struct metric *c = metrics_counter("t_threads", "Threads.", "p", NULL);
  pthread_t threads[4];
  for (size_t i = 0; i < 4; i++)
    pthread_create(&threads[i], NULL, add_many, c);
  for (size_t i = 0; i < 4; i++)
    pthread_join(threads[i], NULL);
  struct buf out AUTO_BUF = BUF_INIT(1 << 20);
  metrics_render(&out);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "t_threads{p=\"even\"} 20000\n"));
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&out), "t_threads{p=\"odd\"} 20000\n"));
}

TEST_MAIN("base/metrics", TEST(counters_gauges_and_histograms_are_rendered),
          TEST(registering_twice_gives_the_same_metric),
          TEST(series_beyond_the_cap_are_counted_as_other), TEST(concurrent_adds_are_all_counted))
