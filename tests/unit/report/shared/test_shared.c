/* The state of all replicas while Redis is unreachable, slow, silent or not itself. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "report-svc/shared/shared.h"
#include "tests/unit/harness.h"
#include "tests/unit/report/shared/fake_redis.h"

static const struct shared_limits limits = {10, 2, 6, 300000};

static struct shared *open_with(unsigned port, const char *userinfo, uint32_t patience_ms,
                                uint32_t silence_ms)
{
  AUTO_FREE char *text = xasprintf("redis://%s127.0.0.1:%u", userinfo, port);
  struct shared_options options = {.patience_ms = patience_ms, .silence_ms = silence_ms};
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(redis_url_parse(&options.url, "REDIS_URL", text, &e), ERR_OK);
  return shared_new(&options);
}

static struct shared *open_at(unsigned port, const char *userinfo, uint32_t patience_ms)
{
  return open_with(port, userinfo, patience_ms, 10000);
}

static void close_all(struct shared *s, struct fake_redis *f)
{
  shared_stop(s);
  shared_free(s);
  fake_redis_stop(f);
}

static bool is_soon(struct shared *s, bool up)
{
  for (int64_t end = clock_mono_ms() + 10000; clock_mono_ms() < end; usleep(1000))
    if (shared_is_up(s) == up)
      return true;
  return false;
}

/* One question for a place, and how it ended. */
struct asked {
  struct shared_place place;
  atomic_int ends;
  struct shared_decision decision;
};

static void on_decided(void *user, const struct shared_decision *d)
{
  struct asked *a = user;
  a->decision = *d;
  atomic_fetch_add(&a->ends, 1);
}

static void ask(struct shared *s, struct asked *a)
{
  shared_take_place(s, &a->place, "properties/1", false, &limits, on_decided, a);
}

static bool ended(struct asked *a)
{
  for (int64_t end = clock_mono_ms() + 5000; clock_mono_ms() < end; usleep(1000))
    if (atomic_load(&a->ends) > 0)
      return true;
  return false;
}

static void count_miss(void *user, const void *data, size_t len, int64_t ttl_ms)
{
  (void)ttl_ms;
  if (data == NULL && len == 0)
    atomic_fetch_add((atomic_int *)user, 1);
}

static void while_redis_is_away_every_question_ends_at_once_and_the_local_state_decides(void)
{
  struct fake_redis *f = fake_redis_start(FAKE_GRANTS);
  unsigned port = fake_redis_port(f);
  fake_redis_stop(f); /* nobody listens there now */
  struct shared *s = open_at(port, "", 0);
  AUTO_BUF struct buf key = BUF_INIT(10);
  struct asked a = {0};
  atomic_int misses = 0;
  ask(s, &a);
  CU_ASSERT_EQUAL(atomic_load(&a.ends), 1);
  CU_ASSERT_EQUAL(a.decision.verdict, SHARED_AWAY);
  CU_ASSERT_PTR_NULL(a.place.shared);
  buf_puts(&key, "k");
  shared_get_answer(s, &key, count_miss, &misses);
  CU_ASSERT_EQUAL(atomic_load(&misses), 1);
  shared_put_answer(s, &key, "x", 1, 1000);
  shared_note_server_error(s, "properties/1");
  shared_note_gone(s, "properties/1", 1, true, 1);
  shared_give_place(&a.place);
  CU_ASSERT_FALSE(shared_is_up(s));
  CU_ASSERT_FALSE(shared_is_up(NULL));
  shared_stop(s);
  shared_free(s);
}

static void a_place_is_held_until_it_is_given_back(void)
{
  struct fake_redis *f = fake_redis_start(FAKE_GRANTS);
  struct shared *s = open_at(fake_redis_port(f), "app:s3cret@", 5000);
  struct asked a = {0};
  CU_ASSERT_TRUE_FATAL(is_soon(s, true));
  CU_ASSERT_EQUAL(fake_redis_saw(f, "AUTH app s3cret"), 1);
  CU_ASSERT_EQUAL(fake_redis_saw(f, "SCRIPT LOAD"), 5);
  ask(s, &a);
  CU_ASSERT_TRUE_FATAL(ended(&a));
  CU_ASSERT_EQUAL(a.decision.verdict, SHARED_GRANTED);
  CU_ASSERT_PTR_EQUAL(a.place.shared, s);
  CU_ASSERT_EQUAL(fake_redis_saw(f, "ZREM"), 0);
  shared_give_place(&a.place);
  shared_give_place(&a.place); /* the second time is nothing */
  CU_ASSERT_TRUE(fake_redis_sees(f, "ZREM amcp:{properties/1}:places", 1));
  CU_ASSERT_PTR_NULL(a.place.shared);
  shared_stop(s);
  CU_ASSERT_EQUAL(fake_redis_saw(f, "ZREM"), 1);
  close_all(s, f);
}

static void what_is_granted_too_late_is_given_back(void)
{
  struct fake_redis *f = fake_redis_start(FAKE_SLOW);
  struct shared *s = open_at(fake_redis_port(f), "", 30);
  struct asked a = {0};
  CU_ASSERT_TRUE_FATAL(is_soon(s, true));
  int64_t began = clock_mono_ms();
  ask(s, &a);
  CU_ASSERT_TRUE_FATAL(ended(&a));
  CU_ASSERT_TRUE(clock_mono_ms() - began >= 30);
  CU_ASSERT_EQUAL(a.decision.verdict, SHARED_AWAY);
  CU_ASSERT_TRUE(fake_redis_sees(f, "ZREM amcp:{properties/1}:places", 1));
  CU_ASSERT_TRUE(shared_is_up(s));
  CU_ASSERT_EQUAL(atomic_load(&a.ends), 1);
  close_all(s, f);
}

/* Redis becomes of no use while a question is under way; then it is itself again. */
static void fails_and_returns(enum fake_mode mode)
{
  struct fake_redis *f = fake_redis_start(FAKE_GRANTS);
  struct shared *s = open_with(fake_redis_port(f), "", 5000, 400);
  struct asked a = {0}, b = {0};
  CU_ASSERT_TRUE_FATAL(is_soon(s, true));
  fake_redis_set(f, mode);
  ask(s, &a);
  CU_ASSERT_TRUE_FATAL(ended(&a));
  CU_ASSERT_EQUAL(a.decision.verdict, SHARED_AWAY);
  fake_redis_set(f, FAKE_GRANTS);
  CU_ASSERT_TRUE(fake_redis_sees(f, "SCRIPT LOAD", 10)); /* a second connection has them again */
  CU_ASSERT_TRUE_FATAL(is_soon(s, true));
  ask(s, &b);
  CU_ASSERT_TRUE_FATAL(ended(&b));
  CU_ASSERT_EQUAL(b.decision.verdict, SHARED_GRANTED);
  CU_ASSERT_EQUAL(atomic_load(&a.ends), 1);
  shared_give_place(&b.place);
  close_all(s, f);
}

static void a_redis_that_falls_silent_is_left_and_comes_back(void)
{
  fails_and_returns(FAKE_SILENT);
}

static void a_redis_that_talks_nonsense_is_left_and_comes_back(void)
{
  fails_and_returns(FAKE_GARBAGE);
}

static void a_redis_that_lost_the_scripts_gets_them_again(void)
{
  fails_and_returns(FAKE_FORGETFUL);
}

static void a_held_place_is_renewed(void)
{
  struct fake_redis *f = fake_redis_start(FAKE_GRANTS);
  AUTO_FREE char *text = xasprintf("redis://127.0.0.1:%u", fake_redis_port(f));
  struct shared_options options = {.patience_ms = 5000, .lease_ms = 60};
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(redis_url_parse(&options.url, "REDIS_URL", text, &e), ERR_OK);
  struct shared *s = shared_new(&options);
  struct asked a = {0};
  CU_ASSERT_TRUE_FATAL(is_soon(s, true));
  ask(s, &a);
  CU_ASSERT_TRUE_FATAL(ended(&a));
  int before = fake_redis_saw(f, "EVALSHA");
  CU_ASSERT_TRUE(fake_redis_sees(f, "EVALSHA", before + 3));
  shared_give_place(&a.place);
  CU_ASSERT_TRUE(fake_redis_sees(f, "ZREM", 1));
  close_all(s, f);
}

static void more_than_the_queue_takes_ends_at_once_and_each_ends_once(void)
{
  enum { MANY = 6000 };
  struct fake_redis *f = fake_redis_start(FAKE_GRANTS);
  struct shared *s = open_at(fake_redis_port(f), "", 60000);
  struct asked *all = xcalloc(MANY, sizeof(*all));
  CU_ASSERT_TRUE_FATAL(is_soon(s, true));
  fake_redis_set(f, FAKE_SILENT);
  int at_once = 0;
  for (int i = 0; i < MANY; i++) {
    ask(s, &all[i]);
    at_once += atomic_load(&all[i].ends);
  }
  CU_ASSERT_TRUE(at_once >= 1000);
  shared_stop(s); /* ends the others */
  int once = 0;
  for (int i = 0; i < MANY; i++)
    once += atomic_load(&all[i].ends) == 1 && all[i].decision.verdict == SHARED_AWAY;
  CU_ASSERT_EQUAL(once, MANY);
  close_all(s, f);
  free(all);
}

TEST_MAIN("shared",
          TEST(while_redis_is_away_every_question_ends_at_once_and_the_local_state_decides),
          TEST(a_place_is_held_until_it_is_given_back),
          TEST(what_is_granted_too_late_is_given_back),
          TEST(a_redis_that_falls_silent_is_left_and_comes_back),
          TEST(a_redis_that_talks_nonsense_is_left_and_comes_back),
          TEST(a_redis_that_lost_the_scripts_gets_them_again), TEST(a_held_place_is_renewed),
          TEST(more_than_the_queue_takes_ends_at_once_and_each_ends_once))
