/* Shares: what one caller may use, whose turn it is, and what is kept of those who are gone. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "gateway/share/share.h"
#include "tests/unit/harness.h"

enum { MAX_CALLS = 400 };

static int64_t now;

static int64_t fake_clock(void)
{
  return now;
}

struct call {
  struct share_turn turn; /* first: run() casts */
  int id;
};

static struct call calls[MAX_CALLS];
static int ran[MAX_CALLS], n_ran;

static void run(struct share_turn *turn)
{
  ran[n_ran++] = ((struct call *)turn)->id;
}

static struct shares *start(struct share_limits limits)
{
  now = 1000000;
  n_ran = 0;
  limits.now_ms = fake_clock;
  for (int i = 0; i < MAX_CALLS; i++)
    calls[i] = (struct call){.id = i};
  return shares_new(&limits);
}

static enum share_cause begin_of(struct share *share, int id, enum share_kind kind)
{
  int64_t retry_ms = -1;
  enum share_cause cause = share_call_begin(share, &calls[id].turn, kind, run, &retry_ms);
  CU_ASSERT_TRUE(cause == SHARE_GRANTED || retry_ms > 0);
  return cause;
}

static enum share_cause begin(struct share *share, int id)
{
  return begin_of(share, id, SHARE_SHORT);
}

static void calls_beyond_the_share_are_refused_until_one_ends(void)
{
  struct shares *s = start((struct share_limits){.calls = 2});
  struct share *a = share_of(s, "a", "hash"), *b = share_of(s, "b", "hash");
  CU_ASSERT_EQUAL(begin(a, 0), SHARE_GRANTED);
  CU_ASSERT_EQUAL(begin(a, 1), SHARE_GRANTED);
  CU_ASSERT_EQUAL(begin(a, 2), SHARE_CALLS);
  CU_ASSERT_EQUAL(begin(b, 3), SHARE_GRANTED); /* another's share is his own */
  CU_ASSERT_FALSE(share_call_end(&calls[0].turn));
  CU_ASSERT_FALSE(share_call_end(&calls[0].turn)); /* the second time does nothing */
  CU_ASSERT_EQUAL(begin(a, 4), SHARE_GRANTED);
  CU_ASSERT_EQUAL(begin(a, 5), SHARE_CALLS);
  share_call_end(&calls[1].turn);
  share_call_end(&calls[3].turn);
  share_call_end(&calls[4].turn);
  CU_ASSERT_EQUAL(n_ran, 4);
  share_unref(a);
  share_unref(b);
  shares_free(s);
}

static void rate_allows_a_minute_at_once_and_then_its_pace(void)
{
  struct shares *s = start((struct share_limits){.calls_per_minute = 60, .requests_per_minute = 6});
  struct share *a = share_of(s, "a", "hash");
  int64_t retry_ms = 0;
  for (int i = 0; i < 60; i++) {
    CU_ASSERT_EQUAL(begin(a, i), SHARE_GRANTED);
    share_call_end(&calls[i].turn);
  }
  CU_ASSERT_EQUAL(begin(a, 60), SHARE_CALL_RATE);
  now += 999;
  CU_ASSERT_EQUAL(begin(a, 60), SHARE_CALL_RATE);
  now += 2;
  CU_ASSERT_EQUAL(begin(a, 60), SHARE_GRANTED);
  share_call_end(&calls[60].turn);
  for (int i = 0; i < 6; i++)
    CU_ASSERT_EQUAL(share_request(a, &retry_ms), SHARE_GRANTED);
  CU_ASSERT_EQUAL(share_request(a, &retry_ms), SHARE_REQUEST_RATE);
  CU_ASSERT_TRUE(retry_ms > 9000 && retry_ms <= 10001);
  now += retry_ms;
  CU_ASSERT_EQUAL(share_request(a, &retry_ms), SHARE_GRANTED);
  share_unref(a);
  shares_free(s);
}

/* One caller's 100 calls, then one call of each of two others: they run as soon as three ended. */
static void lines_take_turns_whoever_came_first(void)
{
  struct shares *s = start((struct share_limits){.running = 4, .all_running = 4});
  struct share *a = share_of(s, "a", ""), *b = share_of(s, "b", ""), *c = share_of(s, "c", "");
  for (int i = 0; i < 100; i++)
    begin(a, i);
  begin(b, 100);
  begin(c, 101);
  CU_ASSERT_EQUAL(n_ran, 4);
  for (int i = 0; i < 3; i++)
    share_call_end(&calls[i].turn);
  CU_ASSERT_EQUAL(n_ran, 7);
  int others = 0;
  for (int i = 4; i < 7; i++)
    others += ran[i] >= 100;
  CU_ASSERT_EQUAL(others, 2);
  for (int i = 3; i < 102; i++)
    share_call_end(&calls[i].turn);
  share_unref(a);
  share_unref(b);
  share_unref(c);
  shares_free(s);
}

static void one_caller_cannot_run_all_that_may_run(void)
{
  struct shares *s = start((struct share_limits){.running = 2, .all_running = 4});
  struct share *a = share_of(s, "a", ""), *b = share_of(s, "b", "");
  for (int i = 0; i < 10; i++)
    begin(a, i);
  CU_ASSERT_EQUAL(n_ran, 2);
  begin(b, 10);
  CU_ASSERT_EQUAL(n_ran, 3);
  CU_ASSERT_EQUAL(ran[2], 10);
  share_call_end(&calls[10].turn); /* a has its two, and gets no third */
  CU_ASSERT_EQUAL(n_ran, 3);
  share_call_end(&calls[0].turn);
  CU_ASSERT_EQUAL(n_ran, 4);
  CU_ASSERT_EQUAL(ran[3], 2); /* in order */
  for (int i = 1; i < 10; i++)
    share_call_end(&calls[i].turn);
  share_unref(a);
  share_unref(b);
  shares_free(s);
}

static void long_calls_wait_for_each_other_and_short_ones_pass_them(void)
{
  struct shares *s = start((struct share_limits){.running = 2, .running_long = 1});
  struct share *a = share_of(s, "a", "hash"), *b = share_of(s, "b", "hash");
  for (int i = 0; i < 3; i++)
    begin_of(a, i, SHARE_LONG);
  begin(a, 3);
  begin_of(b, 4, SHARE_LONG);
  CU_ASSERT_EQUAL(n_ran, 3);
  CU_ASSERT_TRUE(ran[0] == 0 && ran[1] == 3 && ran[2] == 4);
  share_call_end(&calls[3].turn); /* a short one makes no room for a long one */
  CU_ASSERT_EQUAL(n_ran, 3);
  CU_ASSERT_TRUE(share_call_end(&calls[1].turn)); /* called off */
  share_call_end(&calls[0].turn);
  CU_ASSERT_TRUE(n_ran == 4 && ran[3] == 2);
  share_call_end(&calls[2].turn);
  share_call_end(&calls[4].turn);
  share_unref(a);
  share_unref(b);
  shares_free(s);
}

static void turn_that_is_called_off_never_runs(void)
{
  struct shares *s = start((struct share_limits){.running = 1});
  struct share *a = share_of(s, "a", "");
  for (int i = 0; i < 4; i++)
    begin(a, i);
  CU_ASSERT_TRUE(share_call_end(&calls[1].turn));
  CU_ASSERT_TRUE(share_call_end(&calls[3].turn));
  CU_ASSERT_FALSE(share_call_end(&calls[0].turn));
  CU_ASSERT_EQUAL(n_ran, 2);
  CU_ASSERT_EQUAL(ran[1], 2);
  CU_ASSERT_FALSE(share_call_end(&calls[2].turn));
  CU_ASSERT_EQUAL(begin(a, 4), SHARE_GRANTED);
  CU_ASSERT_EQUAL(ran[2], 4);
  share_call_end(&calls[4].turn);
  share_unref(a);
  shares_free(s);
}

static void bytes_are_bounded_for_each_and_for_all(void)
{
  struct shares *s =
      start((struct share_limits){.body_bytes = 100, .answer_bytes = 10, .all_answer_bytes = 15});
  struct share *a = share_of(s, "a", ""), *b = share_of(s, "b", "");
  CU_ASSERT_EQUAL(share_body(a, 100), SHARE_GRANTED);
  CU_ASSERT_EQUAL(share_body(a, 1), SHARE_BODIES);
  CU_ASSERT_EQUAL(share_body(b, 100), SHARE_GRANTED);
  share_body_end(a, 100);
  CU_ASSERT_EQUAL(share_body(a, 100), SHARE_GRANTED);
  share_body_end(a, 100);
  share_body_end(b, 100);
  CU_ASSERT_EQUAL(share_answer(a, 11), SHARE_ANSWERS);
  CU_ASSERT_EQUAL(share_answer(a, 10), SHARE_GRANTED);
  CU_ASSERT_EQUAL(share_answer(b, 6), SHARE_ANSWERS);
  CU_ASSERT_EQUAL(share_answer(b, 5), SHARE_GRANTED);
  share_answer_end(a, 10);
  CU_ASSERT_EQUAL(share_answer(b, 5), SHARE_GRANTED);
  share_answer_end(b, 10);
  share_unref(a);
  share_unref(b);
  shares_free(s);
}

static void without_a_share_everything_is_granted_at_once(void)
{
  struct shares *s = start((struct share_limits){0});
  int64_t retry_ms = 0;
  CU_ASSERT_EQUAL(begin(NULL, 7), SHARE_GRANTED);
  CU_ASSERT_EQUAL(n_ran, 1);
  CU_ASSERT_FALSE(share_call_end(&calls[7].turn));
  CU_ASSERT_EQUAL(share_request(NULL, &retry_ms), SHARE_GRANTED);
  CU_ASSERT_EQUAL(share_body(NULL, SIZE_MAX), SHARE_GRANTED);
  share_body_end(NULL, SIZE_MAX);
  shares_free(s);
}

static void shares_of_those_who_are_gone_are_forgotten_and_bounded(void)
{
  struct shares *s = start((struct share_limits){.principals = 100, .calls_per_minute = 1});
  char name[32];
  for (int i = 0; i < 1000; i++) {
    snprintf(name, sizeof(name), "p%d", i);
    share_unref(share_of(s, name, ""));
  }
  CU_ASSERT_EQUAL(shares_count(s), 100);
  struct share *last = share_of(s, name, "");
  CU_ASSERT_EQUAL(begin(last, 0), SHARE_GRANTED);
  share_call_end(&calls[0].turn);
  share_unref(last);
  last = share_of(s, name, "");
  CU_ASSERT_EQUAL(begin(last, 1), SHARE_CALL_RATE); /* remembered */
  now += 60002;
  share_unref(last);
  CU_ASSERT_EQUAL(shares_count(s), 1);
  last = share_of(s, name, "");
  CU_ASSERT_EQUAL(begin(last, 1), SHARE_GRANTED);
  share_call_end(&calls[1].turn);
  share_unref(last);
  shares_free(s);
}

/* A flood from ever other addresses: 10,000 are kept, with what is left of their minute, and a
 * minute later none. Each has its minute while it is kept. */
static void addresses_of_strangers_are_bounded(void)
{
  enum { FLOOD = 50000, KEPT = 10000 };
  struct shares *s = start((struct share_limits){.requests_per_minute = 1, .addresses = true});
  int64_t retry_ms;
  char name[32];
  int granted = 0, bounded = 0;
  for (int i = 0; i < FLOOD; i++) {
    snprintf(name, sizeof(name), "198.%d.%d.%d", i >> 16 & 255, i >> 8 & 255, i & 255);
    struct share *stranger = share_of(s, name, name);
    granted += share_request(stranger, &retry_ms) == SHARE_GRANTED;
    share_unref(stranger);
    bounded += shares_count(s) == (size_t)(i < KEPT ? i + 1 : KEPT);
  }
  CU_ASSERT_EQUAL(granted, FLOOD);
  CU_ASSERT_EQUAL(bounded, FLOOD);
  struct share *last = share_of(s, name, name);
  CU_ASSERT_EQUAL(share_request(last, &retry_ms), SHARE_STRANGERS);
  CU_ASSERT_EQUAL(shares_count(s), KEPT);
  now += 60001;
  share_unref(last);
  CU_ASSERT_EQUAL(shares_count(s), 1);
  shares_free(s);
}

/* Threads whose calls begin, end and are called off at all moments: every call ran once or was
 * called off, and in the end nothing is under way. */
struct worker {
  pthread_t thread;
  struct share *share;
  struct busy {
    struct share_turn turn;
    atomic_int runs;
  } busy[200];
};

static void count_run(struct share_turn *turn)
{
  atomic_fetch_add(&((struct busy *)turn)->runs, 1);
}

static void *work(void *arg)
{
  struct worker *w = arg;
  int64_t retry_ms;
  for (int round = 0; round < 50; round++) {
    int granted = 0, off = 0, runs = 0;
    for (size_t i = 0; i < ARRAY_LEN(w->busy); i++) {
      atomic_store(&w->busy[i].runs, 0);
      granted += share_call_begin(w->share, &w->busy[i].turn, i % 2 ? SHARE_LONG : SHARE_SHORT,
                                  count_run, &retry_ms) == SHARE_GRANTED;
      if (i % 3 == 0)
        off += share_call_end(&w->busy[i].turn);
    }
    for (size_t i = 0; i < ARRAY_LEN(w->busy); i++)
      off += share_call_end(&w->busy[i].turn);
    /* A turn that was given just now runs on the thread that ended another. */
    while (runs < granted - off) {
      runs = 0;
      for (size_t i = 0; i < ARRAY_LEN(w->busy); i++)
        runs += atomic_load(&w->busy[i].runs);
    }
    if (runs != granted - off || granted != (int)ARRAY_LEN(w->busy))
      return w;
  }
  return NULL;
}

static void calls_of_many_threads_run_once_or_never(void)
{
  static struct worker workers[6];
  struct shares *s = shares_new(&(struct share_limits){
      .calls = 2000, .calls_per_minute = 1000000000, .running = 3, .all_running = 7});
  for (size_t i = 0; i < ARRAY_LEN(workers); i++) {
    workers[i].share = share_of(s, i % 2 == 0 ? "even" : "odd", "");
    pthread_create(&workers[i].thread, NULL, work, &workers[i]);
  }
  for (size_t i = 0; i < ARRAY_LEN(workers); i++) {
    void *failed = NULL;
    pthread_join(workers[i].thread, &failed);
    CU_ASSERT_PTR_NULL(failed);
    share_unref(workers[i].share);
  }
  struct share *a = share_of(s, "even", "");
  int64_t retry_ms;
  n_ran = 0;
  for (int i = 0; i < 3; i++) /* as many as ever run at once: nothing is left over */
    CU_ASSERT_EQUAL(share_call_begin(a, &calls[i].turn, SHARE_SHORT, run, &retry_ms),
                    SHARE_GRANTED);
  CU_ASSERT_EQUAL(n_ran, 3);
  for (int i = 0; i < 3; i++)
    share_call_end(&calls[i].turn);
  share_unref(a);
  shares_free(s);
}

TEST_MAIN("gateway_share", TEST(calls_beyond_the_share_are_refused_until_one_ends),
          TEST(rate_allows_a_minute_at_once_and_then_its_pace),
          TEST(lines_take_turns_whoever_came_first), TEST(one_caller_cannot_run_all_that_may_run),
          TEST(long_calls_wait_for_each_other_and_short_ones_pass_them),
          TEST(turn_that_is_called_off_never_runs), TEST(bytes_are_bounded_for_each_and_for_all),
          TEST(without_a_share_everything_is_granted_at_once),
          TEST(shares_of_those_who_are_gone_are_forgotten_and_bounded),
          TEST(addresses_of_strangers_are_bounded), TEST(calls_of_many_threads_run_once_or_never))
