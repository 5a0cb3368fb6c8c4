/* What is written of a share that is used up: a line per minute and principal, and a metric. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "gateway/share/share.h"
#include "tests/unit/gateway/kept_log.h"
#include "tests/unit/harness.h"

enum { MINUTE_MS = 60000 };

static int64_t now;

static int64_t fake_clock(void)
{
  return now;
}

static struct shares *start(struct share_limits limits)
{
  now = 1000000;
  limits.now_ms = fake_clock;
  log_init("test", LOG_LEVEL_INFO);
  kept_log_begin();
  return shares_new(&limits);
}

/* Refusals of a cause since the program began. */
static long counted(const char *cause)
{
  AUTO_BUF struct buf text = BUF_INIT(1 << 20);
  AUTO_FREE char *series = xasprintf("\ngateway_share_refusals_total{cause=\"%s\"} ", cause);
  metrics_render(&text);
  const char *at = strstr(buf_str(&text), series);
  return at != NULL ? strtol(at + strlen(series), NULL, 10) : 0;
}

/* Large bodies that are one too many, at this moment. */
static void refuse(struct share *share, int times)
{
  for (int i = 0; i < times; i++)
    CU_ASSERT_EQUAL(share_body(share, 2), SHARE_BODIES);
}

/* 100,000 refusals in the course of three minutes, of two causes: three lines. */
static void one_line_per_minute_and_principal_says_how_many_were_refused(void)
{
  AUTO_BUF struct buf text = BUF_INIT(1 << 20);
  long bodies = counted("bodies"), answers = counted("answers");
  struct shares *s = start((struct share_limits){.body_bytes = 1, .answer_bytes = 1});
  struct share *a = share_of(s, "a", "hash-of-a");
  for (int i = 0; i < 50000; i++, now = 1000000 + (int64_t)i * 3 * MINUTE_MS / 50000) {
    refuse(a, 1);
    CU_ASSERT_EQUAL(share_answer(a, 2), SHARE_ANSWERS);
  }
  kept_log_end(&text);
  CU_ASSERT_EQUAL(KEPT_LOG_COUNT(&text, ""), 3);
  CU_ASSERT_EQUAL(KEPT_LOG_COUNT(&text, "share used up", "\"principal\":\"hash-of-a\""), 3);
  CU_ASSERT_EQUAL(KEPT_LOG_COUNT(&text, "\"cause\":\"bodies\"", "\"refused\":1}"), 1);
  CU_ASSERT_EQUAL(counted("bodies") - bodies, 50000);
  CU_ASSERT_EQUAL(counted("answers") - answers, 50000);
  share_unref(a);
  shares_free(s);
}

static void refusals_between_the_lines_are_in_the_next_one(void)
{
  AUTO_BUF struct buf text = BUF_INIT(1 << 20);
  struct shares *s = start((struct share_limits){.body_bytes = 1});
  struct share *a = share_of(s, "a", "hash-of-a");
  refuse(a, 500);
  now += MINUTE_MS - 1;
  refuse(a, 1);
  now += 1;
  refuse(a, 1);
  kept_log_end(&text);
  CU_ASSERT_EQUAL(KEPT_LOG_COUNT(&text, "share used up"), 2);
  CU_ASSERT_EQUAL(KEPT_LOG_COUNT(&text, "\"refused\":501}"), 1);
  share_unref(a);
  shares_free(s);
}

static void the_line_of_one_is_not_used_up_by_another(void)
{
  AUTO_BUF struct buf text = BUF_INIT(1 << 20);
  struct shares *s = start((struct share_limits){.body_bytes = 1});
  struct share *a = share_of(s, "a", "hash-of-a"), *b = share_of(s, "b", "hash-of-b");
  refuse(a, 100);
  refuse(b, 3);
  kept_log_end(&text);
  CU_ASSERT_EQUAL(KEPT_LOG_COUNT(&text, "\"principal\":\"hash-of-a\""), 1);
  CU_ASSERT_EQUAL(KEPT_LOG_COUNT(&text, "\"principal\":\"hash-of-b\""), 1);
  share_unref(a);
  share_unref(b);
  shares_free(s);
}

/* Whoever leaves and comes back has no line of his own again for it. */
static void the_minute_outlives_the_requests_of_its_caller(void)
{
  AUTO_BUF struct buf text = BUF_INIT(1 << 20);
  struct shares *s = start((struct share_limits){.body_bytes = 1});
  for (int i = 0; i < 59; i++, now += 1000) {
    struct share *a = share_of(s, "a", "hash-of-a");
    refuse(a, 1);
    share_unref(a);
  }
  kept_log_end(&text);
  CU_ASSERT_EQUAL(KEPT_LOG_COUNT(&text, "share used up"), 1);
  shares_free(s);
}

TEST_MAIN("gateway_share_log", TEST(one_line_per_minute_and_principal_says_how_many_were_refused),
          TEST(refusals_between_the_lines_are_in_the_next_one),
          TEST(the_line_of_one_is_not_used_up_by_another),
          TEST(the_minute_outlives_the_requests_of_its_caller))
