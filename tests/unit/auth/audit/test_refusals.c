/* Refused calls: however many a stranger makes, a line a minute for each kind, and every one of
 * them is counted. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/auth/audit/stage.h"
#include "tests/unit/harness.h"

/* One refused bearer from a port of its own; whether it was counted only. */
static bool refuse_from(struct audit *a, const char *client, const char *detail)
{
  static int port = 1024;
  char peer[64];
  bool counted = false;
  snprintf(peer, sizeof(peer), "ipv4:10.0.0.1:%d", port++);
  const struct audit_event event = {.event = "authenticate",
                                    .result = "denied",
                                    .reason = "invalid_credentials",
                                    .peer = peer,
                                    .client = client,
                                    .detail = detail};
  CU_ASSERT_EQUAL(audit_write_refusal(a, &event, &counted, NULL), ERR_OK);
  return counted;
}

/* The counts of all lines together. */
static unsigned long long counted_in_all(void)
{
  static const char mark[] = "\"count\":";
  unsigned long long sum = 0;
  for (const char *at = slurp(path); (at = strstr(at, mark)) != NULL; at++)
    sum += strtoull(at + sizeof(mark) - 1, NULL, 10);
  return sum;
}

static size_t lines(void)
{
  return lines_with("{\"audit\":");
}

static void a_flood_of_one_kind_is_a_line_and_its_number_a_minute_later(void)
{
  stage();
  sync_every_ms = 5;
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_FALSE(refuse_from(a, "192.0.2.7", "none: Missing credentials"));
  CU_ASSERT_EQUAL(lines(), 1);
  for (int i = 1; i < 1500; i++)
    CU_ASSERT_TRUE(refuse_from(a, "192.0.2.7", "none: Missing credentials"));
  CU_ASSERT_EQUAL(lines(), 1);
  let_pass_ms(AUDIT_REFUSAL_MS);
  CU_ASSERT_TRUE(wait_for_lines(2));
  CU_ASSERT_EQUAL(counted_in_all(), 1500);
  expect_in(path, "\"peer\":\"ipv4:10.0.0.1\",\"client\":\"192.0.2.7\"");
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK); /* who is let in has a line of its own */
  audit_close(a);
  CU_ASSERT_EQUAL(lines(), 3);
  expect_faults(0, 0, "");
  strike();
}

static void a_flood_of_ten_minutes_is_a_line_a_minute(void)
{
  stage();
  sync_every_ms = 5;
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  for (size_t minute = 1; minute <= 10; minute++) {
    for (int i = 0; i < 50; i++)
      refuse_from(a, "192.0.2.7", "jwt: has expired (exp)");
    let_pass_ms(AUDIT_REFUSAL_MS);
    CU_ASSERT_TRUE(wait_for_lines(1 + minute));
  }
  CU_ASSERT_EQUAL(lines(), 11);
  CU_ASSERT_EQUAL(counted_in_all(), 500);
  audit_close(a);
  strike();
}

static void kinds_have_lines_of_their_own(void)
{
  stage();
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_FALSE(refuse_from(a, "192.0.2.7", "jwt: has expired (exp)"));
  CU_ASSERT_FALSE(refuse_from(a, "192.0.2.8", "jwt: has expired (exp)"));
  CU_ASSERT_FALSE(refuse_from(a, "192.0.2.7", "jwt: wrong issuer (iss)"));
  CU_ASSERT_FALSE(refuse_from(a, NULL, "jwt: wrong issuer (iss)"));
  CU_ASSERT_TRUE(refuse_from(a, NULL, "jwt: wrong issuer (iss)")); /* from another port */
  CU_ASSERT_TRUE(refuse_from(a, "192.0.2.8", "jwt: has expired (exp)"));
  CU_ASSERT_EQUAL(lines(), 4);
  audit_close(a); /* the numbers at the latest now */
  CU_ASSERT_EQUAL(lines(), 6);
  CU_ASSERT_EQUAL(counted_in_all(), 6);
  expect_faults(0, 0, "");
  strike();
}

static void addresses_without_end_take_no_memory_and_no_disk_without_end(void)
{
  char client[32];
  stage();
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  for (int i = 0; i < 5000; i++) {
    snprintf(client, sizeof(client), "10.%d.%d.1", i / 256, i % 256);
    CU_ASSERT_EQUAL(refuse_from(a, client, "none: Missing credentials"),
                    i >= AUDIT_REFUSAL_KINDS_MAX);
  }
  CU_ASSERT_EQUAL(lines(), AUDIT_REFUSAL_KINDS_MAX);
  audit_flush_refusals(a);
  CU_ASSERT_EQUAL(lines(), AUDIT_REFUSAL_KINDS_MAX + 1);
  CU_ASSERT_EQUAL(lines_with("\"reason\":\"many_kinds\""), 1);
  CU_ASSERT_EQUAL(counted_in_all(), 5000);
  /* Those of a minute that is over make room. */
  CU_ASSERT_FALSE(refuse_from(a, "192.0.2.9", "none: Missing credentials"));
  audit_close(a);
  CU_ASSERT_EQUAL(counted_in_all(), 5001);
  strike();
}

static void a_kind_that_was_silent_for_a_minute_is_new(void)
{
  stage();
  sync_every_ms = 5;
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_FALSE(refuse_from(a, "192.0.2.7", "x"));
  CU_ASSERT_FALSE(refuse_from(a, "192.0.2.8", "y"));
  let_pass_ms(AUDIT_REFUSAL_MS - 1000);
  CU_ASSERT_TRUE(refuse_from(a, "192.0.2.8", "y"));
  let_pass_ms(1000);
  CU_ASSERT_TRUE(wait_for_lines(3)); /* of y, so x was looked at, or is within this look */
  audit_flush_refusals(a);           /* waits for that look to end */
  CU_ASSERT_EQUAL(lines(), 3);
  CU_ASSERT_FALSE(refuse_from(a, "192.0.2.7", "x"));
  CU_ASSERT_EQUAL(lines(), 4);
  audit_close(a);
  strike();
}

/* Nothing is answered that cannot be audited, not even what would only be counted. */
static void while_the_disk_is_full_refusals_are_not_answered_either(void)
{
  stage();
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  const struct audit_event event = {
      .event = "authenticate", .result = "denied", .client = "10.1.1.1"};
  struct err e = {0};
  bool counted;
  CU_ASSERT_EQUAL(audit_write_refusal(a, &event, &counted, &e), ERR_OK);
  atomic_store(&write_errno, ENOSPC);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_UNAVAILABLE);
  CU_ASSERT_EQUAL(audit_write_refusal(a, &event, &counted, &e), ERR_UNAVAILABLE);
  CU_ASSERT_STRING_EQUAL(e.reason, "audit_unavailable");
  CU_ASSERT_FALSE(counted);
  atomic_store(&write_errno, 0);
  CU_ASSERT_EQUAL(audit_write_refusal(a, &event, &counted, &e), ERR_OK);
  CU_ASSERT_TRUE(counted);
  atomic_store(&write_errno, ENOSPC);
  audit_flush_refusals(a); /* in vain: what was counted stays so */
  atomic_store(&write_errno, 0);
  audit_close(a);
  CU_ASSERT_EQUAL(counted_in_all(), 2);
  expect_in(path, "audit_resumed");
  expect_faults(0, 0, "");
  strike();
}

TEST_MAIN("auth audit refusals", TEST(a_flood_of_one_kind_is_a_line_and_its_number_a_minute_later),
          TEST(a_flood_of_ten_minutes_is_a_line_a_minute), TEST(kinds_have_lines_of_their_own),
          TEST(addresses_without_end_take_no_memory_and_no_disk_without_end),
          TEST(a_kind_that_was_silent_for_a_minute_is_new),
          TEST(while_the_disk_is_full_refusals_are_not_answered_either))
