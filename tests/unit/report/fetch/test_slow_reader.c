/* FetchReports for a caller that takes its messages slowly. Time is the subject, so the clock is the
 * test's. */
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
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

/* Two dealers whose rows fill the stream, which nobody reads. */
static void fill(struct fakes *f, struct fetch_run *r)
{
  atomic_store(&ahead_ms, 0); /* the fakes wait by the system's clock */
  fakes_start(f, &(struct fakes_options){.timeout_ms = TIMEOUT_MS, .deadline_ms = DEADLINE_MS});
  LOCKED(f, f->google = (struct google_plan){.rows = ROWS, .value_bytes = 60});
  fetch_init(r);
  r->hold = true;
  fetch_start(r, f, 2, 1, 0, PATIENCE_MS);
  pthread_mutex_lock(&r->lock);
  while (r->chunks == 0)
    pthread_cond_wait(&r->changed, &r->lock);
  pthread_mutex_unlock(&r->lock);
  usleep(500000); /* until the stream is full: too early only proves less */
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
  fill(&f, &r);
  atomic_fetch_add(&ahead_ms, 2 * TIMEOUT_MS);
  usleep(100000); /* transfers that are late end */
  CU_ASSERT_EQUAL(governor_active(google_governor(f.service.google)), 2);
  go_on(&r);
  CU_ASSERT(fetch_whole(&r, 0, 1, ROWS));
  CU_ASSERT(fetch_whole(&r, 1, 1, ROWS));
  CU_ASSERT_EQUAL(f.requests, 2);
  fakes_stop(&f);
}

/* What was not passed on in the time of the call is named, with what kept it. */
static void the_deadline_of_the_call_holds_for_a_slow_reader(void)
{
  struct fakes f;
  static struct fetch_run r;
  fill(&f, &r);
  atomic_fetch_add(&ahead_ms, DEADLINE_MS);
  CU_ASSERT(fetch_idle_soon(&f));
  go_on(&r);
  CU_ASSERT_EQUAL(r.status.code, ERR_OK);
  for (size_t i = 0; i < 2; i++) {
    CU_ASSERT_STRING_EQUAL(r.reasons[i], "timeout");
    CU_ASSERT_PTR_NOT_NULL(strstr(r.messages[i], "because they were taken slowly"));
  }
  fakes_stop(&f);
}

TEST_MAIN("report-svc fan-outs for a slow reader", TEST(a_slow_reader_fails_no_dealer),
          TEST(the_deadline_of_the_call_holds_for_a_slow_reader))
