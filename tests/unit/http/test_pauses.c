/* The time of a transfer that its reader pauses. Time is the subject, so the clock is the test's.
 */
#include <stdatomic.h>
#include <string.h>

#include "common/base/clock.h"
#include "tests/unit/harness.h"
#include "tests/unit/http/fetch.h"

int64_t __real_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void);

static atomic_llong ahead_ms;

int64_t __wrap_clock_mono_ms(void)
{
  return __real_clock_mono_ms() + atomic_load(&ahead_ms);
}

enum { FLOW_MS = 10000, LONGEST_MS = 1000000 };

struct stage {
  struct server *server;
  struct http_client *client;
  struct fetch f;
};

/* The clock goes on, and the client's thread looks at all deadlines: another transfer, which began
 * after that, has ended. */
static void pass(struct stage *s, int64_t ms)
{
  struct fetch other;
  atomic_fetch_add(&ahead_ms, ms);
  for (int i = 0; i < 2; i++) {
    fetch_init(&other, s->server, "/echo");
    CU_ASSERT_TRUE(fetch_run(&other, s->client));
    CU_ASSERT_EQUAL(other.error.code, ERR_OK);
    fetch_free(&other);
  }
}

static bool has_ended(struct fetch *f)
{
  pthread_mutex_lock(&f->lock);
  bool ended = f->n_done > 0;
  pthread_mutex_unlock(&f->lock);
  return ended;
}

/* A transfer that was paused by the third piece of its body. */
static void pause_one(struct stage *s, const char *path, uint32_t longest_ms)
{
  s->server = server_start(NULL);
  s->client = new_client();
  fetch_init(&s->f, s->server, path);
  fetch_stream(&s->f);
  s->f.pause_every = 3;
  s->f.request.timeout_ms = FLOW_MS;
  s->f.request.longest_ms = longest_ms;
  CU_ASSERT_EQUAL_FATAL(fetch_start(&s->f, s->client), ERR_OK);
  CU_ASSERT_TRUE(fetch_wait_pause(&s->f));
  pass(s, 0); /* the client's thread is out of on_body */
}

static void strike(struct stage *s)
{
  http_transfer_release(TAKE_PTR(s->f.transfer));
  fetch_free(&s->f);
  http_client_free(s->client);
  server_stop(s->server);
}

static void pauses_do_not_count_as_time_of_the_server(void)
{
  struct stage s;
  pause_one(&s, "/bytes?n=100000", LONGEST_MS);
  for (int i = 0; i < 5; i++) {
    pass(&s, 2 * FLOW_MS);
    CU_ASSERT_FALSE(has_ended(&s.f));
  }
  CU_ASSERT_TRUE(fetch_resume_to_end(&s.f));
  CU_ASSERT_EQUAL(s.f.error.code, ERR_OK);
  CU_ASSERT_EQUAL(s.f.streamed, 100000);
  CU_ASSERT_TRUE(s.f.in_order);
  strike(&s);
}

static void what_was_left_before_a_pause_is_left_after_it(void)
{
  struct stage s;
  pause_one(&s, "/bytes?n=1000000&piece=1000&pause_ms=5", LONGEST_MS);
  pass(&s, 3 * FLOW_MS);
  pthread_mutex_lock(&s.f.lock);
  s.f.pause_every = 0;
  size_t more = s.f.streamed + 1;
  s.f.paused = false;
  pthread_mutex_unlock(&s.f.lock);
  http_transfer_resume(s.f.transfer);
  CU_ASSERT_TRUE(fetch_wait_bytes(&s.f, more));
  pass(&s, FLOW_MS / 4); /* less than is left */
  CU_ASSERT_FALSE(has_ended(&s.f));
  atomic_fetch_add(&ahead_ms, FLOW_MS);
  CU_ASSERT_TRUE(fetch_wait(&s.f));
  CU_ASSERT_EQUAL(s.f.error.code, ERR_DEADLINE_EXCEEDED);
  CU_ASSERT_STRING_EQUAL(s.f.error.reason, "deadline_exceeded");
  CU_ASSERT_PTR_NOT_NULL(strstr(s.f.error.message, "no complete response within 10 s"));
  strike(&s);
}

static void all_pauses_end_with_the_longest_time(void)
{
  struct stage s;
  pause_one(&s, "/bytes?n=1000000", 3 * FLOW_MS);
  pass(&s, 2 * FLOW_MS);
  CU_ASSERT_FALSE(has_ended(&s.f));
  atomic_fetch_add(&ahead_ms, FLOW_MS);
  CU_ASSERT_TRUE(fetch_wait(&s.f));
  CU_ASSERT_EQUAL(s.f.error.code, ERR_DEADLINE_EXCEEDED);
  CU_ASSERT_STRING_EQUAL(s.f.error.reason, HTTP_NOT_TAKEN);
  CU_ASSERT_PTR_NOT_NULL(strstr(s.f.error.message, "its reader did not take"));
  CU_ASSERT_EQUAL(s.f.n_done, 1);
  strike(&s);
}

static void without_a_longest_time_pauses_count(void)
{
  struct stage s;
  pause_one(&s, "/bytes?n=1000000", 0);
  atomic_fetch_add(&ahead_ms, FLOW_MS);
  CU_ASSERT_TRUE(fetch_wait(&s.f));
  CU_ASSERT_STRING_EQUAL(s.f.error.reason, HTTP_NOT_TAKEN);
  strike(&s);
}

TEST_MAIN("http pauses", TEST(pauses_do_not_count_as_time_of_the_server),
          TEST(what_was_left_before_a_pause_is_left_after_it),
          TEST(all_pauses_end_with_the_longest_time), TEST(without_a_longest_time_pauses_count))
