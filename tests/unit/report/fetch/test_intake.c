/* FetchReports while the memory for arriving reports is full. */
#include <unistd.h>

#include "tests/unit/harness.h"
#include "tests/unit/report/support/fetch_run.h"

enum { FETCHES = 3, DEALERS = 8, ROWS = 2500, PATIENCE_MS = 40000 };

static void start_all(struct fetch_run *r, struct fakes *f, size_t queries)
{
  for (size_t i = 0; i < FETCHES; i++) {
    fetch_init(&r[i]);
    r[i].batch = i == 1;
    fetch_start(&r[i], f, DEALERS, queries, 0, PATIENCE_MS);
  }
}

/* Each report keeps more than a step, all of them many times what there is. */
static void every_dealer_is_read_however_little_there_is(void)
{
  static struct fetch_run r[FETCHES];
  struct fakes f;
  fakes_start(&f, &(struct fakes_options){
                      .timeout_ms = PATIENCE_MS, .intake_bytes = INTAKE_STEP, .chunk_rows = 500});
  LOCKED(&f, f.google.rows = ROWS);
  start_all(r, &f, 3);
  for (size_t i = 0; i < FETCHES; i++) {
    fetch_wait(&r[i]);
    CU_ASSERT_EQUAL(r[i].status.code, ERR_OK);
    for (size_t k = 0; k < DEALERS; k++)
      CU_ASSERT(fetch_whole(&r[i], k, 3, ROWS));
  }
  CU_ASSERT(fetch_idle_soon(&f));
  CU_ASSERT_EQUAL(intake_held(&f.service.intake), 0);
  fakes_stop(&f);
}

/* Two requests at once, and pages: a dealer that has the turn must ask for a place again while all
 * of them are held by transfers that wait in line behind it. */
static void a_dealer_that_asks_for_a_place_again_holds_up_nobody(void)
{
  static struct fetch_run r;
  struct fakes f;
  fakes_start(&f, &(struct fakes_options){.timeout_ms = PATIENCE_MS,
                                          .intake_bytes = INTAKE_STEP,
                                          .chunk_rows = 500,
                                          .page_rows = 500,
                                          .max_transfers = 2});
  LOCKED(&f, f.google.rows = ROWS);
  fetch_init(&r);
  fetch_start(&r, &f, DEALERS, 1, 0, PATIENCE_MS);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(r.status.code, ERR_OK);
  for (size_t k = 0; k < DEALERS; k++)
    CU_ASSERT(fetch_whole(&r, k, 1, ROWS));
  CU_ASSERT(fetch_idle_soon(&f));
  CU_ASSERT_EQUAL(intake_held(&f.service.intake), 0);
  fakes_stop(&f);
}

/* The same after an answer that was cut off, which is asked for again after a while. */
static void a_dealer_that_tries_again_holds_up_nobody(void)
{
  static struct fetch_run r;
  struct fakes f;
  fakes_start(&f, &(struct fakes_options){.timeout_ms = PATIENCE_MS,
                                          .intake_bytes = INTAKE_STEP,
                                          .chunk_rows = 500,
                                          .max_transfers = 2});
  LOCKED(&f, f.google = (struct google_plan){.rows = ROWS, .cut_times = 2});
  fetch_init(&r);
  fetch_start(&r, &f, DEALERS, 1, 0, PATIENCE_MS);
  fetch_wait(&r);
  for (size_t k = 0; k < DEALERS; k++)
    CU_ASSERT(fetch_whole(&r, k, 1, ROWS));
  CU_ASSERT(fetch_idle_soon(&f));
  fakes_stop(&f);
}

static bool somebody_waits(struct intake *in)
{
  pthread_mutex_lock(&in->lock);
  bool waits = in->first != NULL;
  pthread_mutex_unlock(&in->lock);
  return waits;
}

/* Nobody takes messages, so everybody waits: for the stream or in line. */
static void a_cancelled_fan_out_leaves_the_line(void)
{
  static struct fetch_run r[FETCHES];
  struct fakes f;
  fakes_start(&f, &(struct fakes_options){
                      .timeout_ms = PATIENCE_MS, .intake_bytes = INTAKE_STEP, .chunk_rows = 500});
  LOCKED(&f, f.google.rows = 60 * ROWS);
  fetch_init(&r[0]);
  r[0].hold = true;
  fetch_start(&r[0], &f, DEALERS, 1, 0, PATIENCE_MS);
  for (int i = 0; i < PATIENCE_MS / 2 && !somebody_waits(&f.service.intake); i++)
    usleep(2000);
  CU_ASSERT(somebody_waits(&f.service.intake));
  LOCKED(&f, f.google.rows = ROWS);
  fetch_init(&r[1]); /* another fan-out is answered meanwhile */
  fetch_start(&r[1], &f, DEALERS, 1, 0, PATIENCE_MS);
  fetch_wait(&r[1]);
  for (size_t k = 0; k < DEALERS; k++)
    CU_ASSERT(fetch_whole(&r[1], k, 1, ROWS));
  rpc_client_cancel(r[0].call);
  fetch_wait(&r[0]);
  CU_ASSERT(fetch_idle_soon(&f));
  CU_ASSERT_FALSE(somebody_waits(&f.service.intake));
  fakes_stop(&f);
}

TEST_MAIN("report-svc fan-outs in little memory",
          TEST(every_dealer_is_read_however_little_there_is),
          TEST(a_dealer_that_asks_for_a_place_again_holds_up_nobody),
          TEST(a_dealer_that_tries_again_holds_up_nobody),
          TEST(a_cancelled_fan_out_leaves_the_line))
