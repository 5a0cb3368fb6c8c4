/* A report while replicas share their places: through the whole service, between fakes. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/report/shared/fake_redis.h"
#include "tests/unit/report/support/fakes.h"

/* The first words of a question for a place, after which the script's name follows. */
#define QUESTION "EVALSHA "

struct setup {
  struct fakes fakes;
  struct fake_redis *redis;
  struct shared *shared;
};

static void start(struct setup *s, enum fake_mode mode, struct fakes_options options)
{
  s->redis = fake_redis_start(FAKE_GRANTS);
  AUTO_FREE char *url = xasprintf("redis://127.0.0.1:%u", fake_redis_port(s->redis));
  /* Patience that only a test of silence is to use up. */
  struct shared_options shared = {.patience_ms = mode == FAKE_SILENT ? 50 : 10000,
                                  .silence_ms = 10000};
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(redis_url_parse(&shared.url, "REDIS_URL", url, &e), ERR_OK);
  s->shared = shared_new(&shared);
  for (int64_t end = clock_mono_ms() + 5000; !shared_is_up(s->shared) && clock_mono_ms() < end;)
    usleep(1000);
  CU_ASSERT_TRUE_FATAL(shared_is_up(s->shared));
  fake_redis_set(s->redis, mode);
  options.shared = s->shared;
  fakes_start(&s->fakes, &options);
  LOCKED(&s->fakes, s->fakes.google = (struct google_plan){.rows = 3});
}

static void end(struct setup *s)
{
  shared_stop(s->shared);
  fakes_stop(&s->fakes);
  shared_free(s->shared);
  fake_redis_stop(s->redis);
}

/* A report under way. */
struct asked {
  struct rpc_client_call *call;
  atomic_int done;
  size_t rows;
  struct err e;
};

static bool on_message(void *user, const ProtobufCMessage *message)
{
  struct asked *a = user;
  a->rows = ((const Analytics__Report__V1__RunReportResponse *)message)->n_rows;
  return true;
}

static void on_done(void *user, const struct err *e)
{
  struct asked *a = user;
  a->e = *e;
  atomic_store(&a->done, 1);
}

static void ask(struct setup *s, struct asked *a)
{
  static const struct rpc_client_callbacks callbacks = {on_message, on_done};
  static const struct rpc_metadata grant = {RPC_META_GRANT, "sealed", 6};
  static char sessions[] = "sessions", city[] = "city", *metrics[] = {sessions},
              *dimensions[] = {city}, dealer[] = "d00";
  struct rpc_client_options options = {.timeout_ms = 10000, .metadata = &grant, .n_metadata = 1};
  Analytics__Report__V1__RunReportRequest r = ANALYTICS__REPORT__V1__RUN_REPORT_REQUEST__INIT;
  r.dealer_id = dealer;
  r.n_metrics = r.n_dimensions = 1;
  r.metrics = metrics;
  r.dimensions = dimensions;
  *a = (struct asked){0};
  CU_ASSERT_EQUAL_FATAL(rpc_client_start(&a->call, s->fakes.report,
                                         &analytics__report__v1__report_service__descriptor,
                                         "RunReport", RPC_UNARY, &r.base, &options, &callbacks, a,
                                         &a->e),
                        ERR_OK);
}

static void finish(struct asked *a)
{
  for (int64_t until = clock_mono_ms() + 15000; !atomic_load(&a->done) && clock_mono_ms() < until;)
    usleep(1000);
  CU_ASSERT_TRUE_FATAL(atomic_load(&a->done) == 1);
  rpc_client_release(a->call);
}

static bool is_idle_soon(struct setup *s)
{
  struct governor *g = google_governor(s->fakes.service.google);
  for (int64_t until = clock_mono_ms() + 5000; clock_mono_ms() < until; usleep(1000))
    if (governor_active(g) + governor_waiting(g) == 0)
      return true;
  return false;
}

/* How a report ends while Redis is like that. */
static void ends(enum fake_mode mode, struct fakes_options options, enum err_code code,
                 const char *reason, const char *words, int requests)
{
  struct setup s;
  struct asked a;
  start(&s, mode, options);
  ask(&s, &a);
  finish(&a);
  if (a.e.code != code || strcmp(a.e.reason, reason) != 0)
    printf("\n    got %s, %s: %s\n", err_code_name(a.e.code), a.e.reason, a.e.message);
  CU_ASSERT_EQUAL(a.e.code, code);
  CU_ASSERT_STRING_EQUAL(a.e.reason, reason);
  CU_ASSERT_PTR_NOT_NULL(strstr(a.e.message, words));
  CU_ASSERT_EQUAL(atomic_load(&s.fakes.requests), requests);
  CU_ASSERT_EQUAL(a.rows, code == ERR_OK ? 3 : 0);
  CU_ASSERT_TRUE(is_idle_soon(&s));
  end(&s);
}

static const struct fakes_options usual = {.server_errors = 6, .quota_probe_ms = 300000};

static void a_report_waits_until_a_place_is_free_and_gives_it_back(void)
{
  struct setup s;
  struct asked a;
  start(&s, FAKE_FULL, usual);
  ask(&s, &a);
  CU_ASSERT_TRUE(fake_redis_sees(s.redis, QUESTION, 5)); /* it asks again */
  CU_ASSERT_EQUAL(atomic_load(&s.fakes.requests), 0);
  CU_ASSERT_EQUAL(atomic_load(&a.done), 0);
  fake_redis_set(s.redis, FAKE_GRANTS);
  finish(&a);
  CU_ASSERT_EQUAL(a.e.code, ERR_OK);
  CU_ASSERT_EQUAL(a.rows, 3);
  CU_ASSERT_TRUE(fake_redis_sees(s.redis, "ZREM amcp:{properties/100}:places", 1));
  CU_ASSERT_TRUE(is_idle_soon(&s));
  end(&s);
}

static void one_that_never_finds_a_place_ends_at_its_deadline(void)
{
  struct fakes_options o = usual;
  o.deadline_ms = 400;
  ends(FAKE_FULL, o, ERR_DEADLINE_EXCEEDED, "timeout", "too long for a place", 0);
}

static void one_that_is_cancelled_while_it_waits_leaves_no_place_taken(void)
{
  struct setup s;
  struct asked a;
  start(&s, FAKE_FULL, usual);
  ask(&s, &a);
  CU_ASSERT_TRUE(fake_redis_sees(s.redis, QUESTION, 4));
  rpc_client_cancel(a.call);
  finish(&a);
  CU_ASSERT_EQUAL(a.e.code, ERR_CANCELLED);
  CU_ASSERT_TRUE(is_idle_soon(&s));
  CU_ASSERT_EQUAL(atomic_load(&s.fakes.requests), 0);
  end(&s);
}

static void what_other_replicas_met_is_said_in_the_same_words(void)
{
  ends(FAKE_SERVER_ERRORS, usual, ERR_UNAVAILABLE, "server_errors", "nothing is sent until 06:00Z",
       0);
  ends(FAKE_NO_TOKENS, usual, ERR_RESOURCE_EXHAUSTED, "quota_exhausted",
       "quota exhausted until 06:00Z at the latest", 0);
}

static void without_an_answer_of_redis_the_report_goes_on(void)
{
  ends(FAKE_SILENT, usual, ERR_OK, "", "", 1);
  ends(FAKE_GARBAGE, usual, ERR_OK, "", "", 1);
}

static void bytes_that_are_not_an_answer_count_for_nothing(void)
{
  struct fakes_options o = usual;
  o.cache_bytes = 1 << 20;
  ends(FAKE_ODD_ANSWERS, o, ERR_OK, "", "", 1);
}

TEST_MAIN("google/place", TEST(a_report_waits_until_a_place_is_free_and_gives_it_back),
          TEST(one_that_never_finds_a_place_ends_at_its_deadline),
          TEST(one_that_is_cancelled_while_it_waits_leaves_no_place_taken),
          TEST(what_other_replicas_met_is_said_in_the_same_words),
          TEST(without_an_answer_of_redis_the_report_goes_on),
          TEST(bytes_that_are_not_an_answer_count_for_nothing))
