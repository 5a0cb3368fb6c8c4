/* FetchReports for a caller that takes its messages slowly. Time is the subject, so the clock is
 * the test's. */
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "report-svc/fetch/fetch.h"
#include "tests/unit/harness.h"
#include "tests/unit/report/support/fetch_run.h"

int64_t __real_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void);

static atomic_llong ahead_ms;

int64_t __wrap_clock_mono_ms(void)
{
  return __real_clock_mono_ms() + atomic_load(&ahead_ms);
}

enum { ROWS = 100000, TIMEOUT_MS = 10000, DEADLINE_MS = 40000, PATIENCE_MS = 60000 };

/* How often the transfer of the dealer was paused, and how often it was resumed. */
static atomic_int parks, resumes;

void __real_fetch_park(struct fetch *f, struct fetch_waiter *w);
void __wrap_fetch_park(struct fetch *f, struct fetch_waiter *w);
void __real_google_call_resume(struct google_call *c);
void __wrap_google_call_resume(struct google_call *c);

void __wrap_fetch_park(struct fetch *f, struct fetch_waiter *w)
{
  atomic_fetch_add(&parks, 1);
  __real_fetch_park(f, w);
}

void __wrap_google_call_resume(struct google_call *c)
{
  atomic_fetch_add(&resumes, 1);
  __real_google_call_resume(c);
}

struct jump {
  struct http_client *http;
  int64_t ms;
  atomic_int made;
};

/* On the one thread that pauses and resumes: the clock goes on while the transfer stands. */
static void jump_while_paused(void *arg)
{
  struct jump *j = arg;
  if (atomic_load(&parks) > atomic_load(&resumes)) {
    atomic_fetch_add(&ahead_ms, j->ms);
    atomic_store(&j->made, 1);
  } else {
    http_client_after(j->http, 1, jump_while_paused, j);
  }
}

/* A dealer whose rows fill the stream, which nobody reads for so long. */
static void fill(struct fakes *f, struct fetch_run *r, int64_t ms)
{
  atomic_store(&ahead_ms, 0); /* the fakes wait by the system's clock */
  atomic_store(&parks, 0);
  atomic_store(&resumes, 0);
  fakes_start(f, &(struct fakes_options){
                     .timeout_ms = TIMEOUT_MS, .deadline_ms = DEADLINE_MS, .transfer_threads = 1});
  LOCKED(f, f->google = (struct google_plan){.rows = ROWS, .value_bytes = 60});
  fetch_init(r);
  r->hold = true;
  fetch_start(r, f, 1, 1, 0, PATIENCE_MS);
  static struct jump jump;
  jump.http = f->http;
  jump.ms = ms;
  atomic_store(&jump.made, 0);
  CU_ASSERT_EQUAL(http_client_after(f->http, 1, jump_while_paused, &jump), ERR_OK);
  CU_ASSERT_TRUE(fakes_reach(&jump.made, 1));
}

static void go_on(struct fetch_run *r)
{
  pthread_mutex_lock(&r->lock);
  r->hold = false;
  pthread_mutex_unlock(&r->lock);
  rpc_client_resume(r->call);
  fetch_wait(r);
}

/* More than a request to Google may take, less than the call. */
static void a_slow_reader_fails_no_dealer(void)
{
  struct fakes f;
  static struct fetch_run r;
  fill(&f, &r, 2 * TIMEOUT_MS);
  usleep(100000); /* a transfer that is late ends */
  CU_ASSERT_EQUAL(governor_active(google_governor(f.service.google)), 1);
  go_on(&r);
  CU_ASSERT(fetch_whole(&r, 0, 1, ROWS));
  CU_ASSERT_EQUAL(f.requests, 1);
  fakes_stop(&f);
}

/* What was not passed on in the time of the call is named, with what kept it. */
static void the_deadline_of_the_call_holds_for_a_slow_reader(void)
{
  struct fakes f;
  static struct fetch_run r;
  fill(&f, &r, DEADLINE_MS);
  CU_ASSERT(fetch_idle_soon(&f));
  go_on(&r);
  CU_ASSERT_EQUAL(r.status.code, ERR_OK);
  CU_ASSERT_STRING_EQUAL(r.reasons[0], "timeout");
  CU_ASSERT_PTR_NOT_NULL(strstr(r.messages[0], "because the caller read them slowly"));
  fakes_stop(&f);
}

TEST_MAIN("report-svc fan-outs for a slow reader", TEST(a_slow_reader_fails_no_dealer),
          TEST(the_deadline_of_the_call_holds_for_a_slow_reader))
