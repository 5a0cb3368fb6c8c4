/* The defaults of the shares leave alone what a busy office does: five minutes of a chat of
 * 200 people, on a clock of the test's own. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "gateway/settings.h"
#include "gateway/share/share.h"
#include "tests/unit/harness.h"

enum {
  PEOPLE = 200,
  CALLS_PER_MINUTE = 3,
  MINUTES = 5,
  CALLS = PEOPLE * CALLS_PER_MINUTE * MINUTES,
  STEP_MS = 40,
  ANSWER_BYTES = 150 * 1024, /* text and structured form */
  READ_MS = 1000,            /* until an answer has left */
};

/* When the calls of a minute come. */
enum habit {
  AT_ANY_TIME,  /* each by itself */
  ALL_TOGETHER, /* everybody's at the same moment, every 20 seconds */
  SIDE_BY_SIDE, /* an assistant makes its three at once */
  HABITS,
};

/* A call, from its arrival to the last byte that was read of its answer. */
struct call {
  struct share_turn turn; /* first: run() casts */
  struct share *share;
  int64_t at_ms, run_ms, takes_ms, read_ms;
  enum share_kind kind;
  enum { TO_COME, UNDER_WAY, ANSWERED, OVER } state;
};

static int64_t now;
static struct call calls[CALLS];
static int refused[SHARE_CAUSES];
static size_t n_runs;

static int64_t fake_clock(void)
{
  return now;
}

static unsigned random_below(unsigned n)
{
  static unsigned x = 12345;
  x = x * 1103515245 + 12345;
  return (x >> 16) % n;
}

static void run(struct share_turn *turn)
{
  ((struct call *)turn)->run_ms = now;
  n_runs++;
}

static int64_t arrival(enum habit habit, int minute, int nth, int64_t chosen)
{
  static const int64_t minute_ms = 60000;
  int64_t begin = now + minute * minute_ms;
  if (habit == ALL_TOGETHER)
    return begin + nth * minute_ms / CALLS_PER_MINUTE;
  return begin + (habit == SIDE_BY_SIDE ? chosen : (int64_t)random_below(60000));
}

/* One call in ten is a comparison, which takes longer. */
static void plan(enum habit habit, struct share *const *shares)
{
  struct call *c = calls;
  for (int person = 0; person < PEOPLE; person++) {
    for (int minute = 0; minute < MINUTES; minute++) {
      int64_t chosen = random_below(60000);
      for (int nth = 0; nth < CALLS_PER_MINUTE; nth++, c++) {
        bool compares = random_below(10) == 0;
        *c = (struct call){.share = shares[person],
                           .at_ms = arrival(habit, minute, nth, chosen),
                           .run_ms = -1,
                           .takes_ms =
                               compares ? 1000 + random_below(2000) : 50 + random_below(1000),
                           .kind = compares ? SHARE_LONG : SHARE_SHORT};
      }
    }
  }
}

static void note(enum share_cause cause)
{
  refused[cause]++;
}

/* The call itself, and what a client sends beside it: a ping, or a message of a new session. */
static void begin(struct call *c)
{
  int64_t retry_ms;
  for (int i = 0; i < 4; i++)
    note(share_request(c->share, &retry_ms));
  enum share_cause cause = share_call_begin(c->share, &c->turn, c->kind, run, &retry_ms);
  note(cause);
  c->state = cause == SHARE_GRANTED ? UNDER_WAY : OVER;
}

static void answer(struct call *c)
{
  enum share_cause cause = share_answer(c->share, ANSWER_BYTES);
  note(cause);
  c->state = cause == SHARE_GRANTED ? ANSWERED : OVER;
  c->read_ms = now + READ_MS;
  share_call_end(&c->turn);
}

static bool step(struct call *c)
{
  if (c->state == TO_COME && c->at_ms <= now)
    begin(c);
  else if (c->state == UNDER_WAY && c->run_ms >= 0 && c->run_ms + c->takes_ms <= now)
    answer(c);
  else if (c->state == ANSWERED && c->read_ms <= now) {
    share_answer_end(c->share, ANSWER_BYTES);
    c->state = OVER;
  }
  return c->state != OVER;
}

/* Until all calls are over. Gives the longest that one has waited for its turn. */
static int64_t live(void)
{
  int64_t longest = 0;
  bool going = true;
  while (going) {
    going = false;
    for (int i = 0; i < CALLS; i++)
      going |= step(&calls[i]);
    now += STEP_MS;
  }
  for (int i = 0; i < CALLS; i++)
    if (calls[i].run_ms - calls[i].at_ms > longest)
      longest = calls[i].run_ms - calls[i].at_ms;
  return longest;
}

/* What the gateway takes when nothing is set. */
static struct share_limits defaults(void)
{
  static const char *const names[] = {"CALLS",       "CALLS_PER_MINUTE",    "REQUESTS_PER_MINUTE",
                                      "BODY_BYTES",  "ANSWER_BYTES",        "RUNNING",
                                      "COMPARISONS", "STRANGERS_PER_MINUTE"};
  for (size_t i = 0; i < ARRAY_LEN(names); i++) {
    AUTO_FREE char *name = xasprintf("ANALYTICS_MCP_SHARE_%s", names[i]);
    unsetenv(name);
  }
  char program[] = "gateway";
  char *argv[] = {program, NULL};
  struct settings s = {0};
  int exit_code = 0;
  CU_ASSERT_TRUE_FATAL(gateway_settings_load(&s, 1, argv, &exit_code));
  return (struct share_limits){.calls = (size_t)s.share_calls,
                               .calls_per_minute = (size_t)s.share_calls_per_minute,
                               .requests_per_minute = (size_t)s.share_requests_per_minute,
                               .body_bytes = (size_t)s.share_body_bytes,
                               .answer_bytes = (size_t)s.share_answer_bytes,
                               .running = (size_t)s.share_running,
                               .running_long = (size_t)s.share_comparisons,
                               .all_running = (size_t)s.max_running,
                               .all_answer_bytes = (size_t)s.max_answer_bytes};
}

/* Five minutes of it. named: each person is named by X-User-ID and has a share, else one for all.
 * Gives the calls and requests that were refused. */
static int five_minutes(struct share_limits limits, enum habit habit, bool named)
{
  struct share *shares[PEOPLE];
  char principal[64];
  now = 1000000;
  log_init("test", LOG_LEVEL_ERROR);
  limits.now_ms = fake_clock;
  struct shares *s = shares_new(&limits);
  memset(refused, 0, sizeof(refused));
  for (int i = 0; i < PEOPLE; i++) {
    snprintf(principal, sizeof(principal), named ? "1:chat\nperson-%d" : "1:chat", i);
    shares[i] = share_of(s, principal, "hash");
  }
  CU_ASSERT_EQUAL(shares_count(s), named ? PEOPLE : 1);
  plan(habit, shares);
  int64_t longest = live();
  int bad = 0;
  for (int cause = SHARE_GRANTED + 1; cause < SHARE_CAUSES; cause++)
    bad += refused[cause];
  CU_ASSERT_TRUE(bad > 0 || refused[SHARE_GRANTED] == CALLS * 6);
  CU_ASSERT_TRUE(longest < 20000);
  for (int i = 0; i < PEOPLE; i++)
    share_unref(shares[i]);
  shares_free(s);
  return bad;
}

static void two_hundred_people_behind_one_token_meet_no_limit(void)
{
  for (enum habit habit = AT_ANY_TIME; habit < HABITS; habit++)
    CU_ASSERT_EQUAL(five_minutes(defaults(), habit, false), 0);
}

static void two_hundred_people_who_are_named_meet_no_limit(void)
{
  for (enum habit habit = AT_ANY_TIME; habit < HABITS; habit++)
    CU_ASSERT_EQUAL(five_minutes(defaults(), habit, true), 0);
}

/* The same five minutes do meet limits that are too low for one token, and each person's alone. */
static void lower_limits_are_met_by_all_of_them_and_not_by_one(void)
{
  struct share_limits low = defaults();
  low.calls_per_minute = PEOPLE * CALLS_PER_MINUTE / 2;
  CU_ASSERT_TRUE(five_minutes(low, AT_ANY_TIME, false) > 0);
  CU_ASSERT_TRUE(refused[SHARE_CALL_RATE] > 0);
  CU_ASSERT_EQUAL(five_minutes(low, AT_ANY_TIME, true), 0);
  low = defaults();
  low.calls = PEOPLE / 2;
  CU_ASSERT_TRUE(five_minutes(low, ALL_TOGETHER, false) > 0);
  CU_ASSERT_TRUE(refused[SHARE_CALLS] > 0);
  CU_ASSERT_EQUAL(five_minutes(low, ALL_TOGETHER, true), 0);
}

/* What is not set is the same in both places where a default is written. */
static void shares_have_the_defaults_of_the_settings(void)
{
  struct share_limits set = defaults(), none = {0};
  CU_ASSERT_EQUAL(set.calls, 256);
  CU_ASSERT_EQUAL(set.calls_per_minute, 3000);
  for (int i = 0; i < 2; i++) {
    struct share_limits limits = i == 0 ? set : none;
    now = 1000000;
    limits.now_ms = fake_clock;
    struct shares *s = shares_new(&limits);
    struct share *a = share_of(s, "a", "hash");
    int64_t retry_ms;
    size_t n = 0;
    while (share_request(a, &retry_ms) == SHARE_GRANTED)
      n++;
    CU_ASSERT_EQUAL(n, set.requests_per_minute);
    n_runs = 0;
    for (n = 0; n < CALLS; n++)
      if (share_call_begin(a, &calls[n].turn, SHARE_SHORT, run, &retry_ms) != SHARE_GRANTED)
        break;
    CU_ASSERT_EQUAL(n, set.calls);
    CU_ASSERT_EQUAL(n_runs, set.running);
    while (n > 0)
      share_call_end(&calls[--n].turn);
    CU_ASSERT_EQUAL(share_body(a, set.body_bytes + 1), SHARE_BODIES);
    CU_ASSERT_EQUAL(share_body(a, set.body_bytes), SHARE_GRANTED);
    share_body_end(a, set.body_bytes);
    CU_ASSERT_EQUAL(share_answer(a, set.answer_bytes + 1), SHARE_ANSWERS);
    CU_ASSERT_EQUAL(share_answer(a, set.answer_bytes), SHARE_GRANTED);
    share_answer_end(a, set.answer_bytes);
    share_unref(a);
    shares_free(s);
  }
}

TEST_MAIN("gateway_share_busy", TEST(two_hundred_people_behind_one_token_meet_no_limit),
          TEST(two_hundred_people_who_are_named_meet_no_limit),
          TEST(lower_limits_are_met_by_all_of_them_and_not_by_one),
          TEST(shares_have_the_defaults_of_the_settings))
