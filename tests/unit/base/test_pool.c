/* Thread pools. */
#include "common/base/pool.h"

#include <pthread.h>
#include <stdatomic.h>

#include "tests/unit/harness.h"

static atomic_int done;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void count(void *arg)
{
  (void)arg;
  atomic_fetch_add(&done, 1);
}

static void wait_at_gate(void *arg)
{
  (void)arg;
  pthread_mutex_lock(&gate);
  pthread_mutex_unlock(&gate);
  atomic_fetch_add(&done, 1);
}

static void every_queued_job_runs_before_the_pool_ends(void)
{
  atomic_store(&done, 0);
  struct pool *p = pool_new("test", 3, 1000);
  for (int i = 0; i < 1000; i++)
    CU_ASSERT_TRUE(pool_submit(p, count, NULL));
  pool_free(p);
  CU_ASSERT_EQUAL(atomic_load(&done), 1000);
}

static void a_full_queue_refuses_at_once(void)
{
  atomic_store(&done, 0);
  struct pool *p = pool_new("test", 1, 2);
  pthread_mutex_lock(&gate);
  int taken = 0;
  for (int i = 0; i < 10; i++)
    taken += pool_submit(p, wait_at_gate, NULL) ? 1 : 0;
  CU_ASSERT_TRUE(taken >= 2 && taken <= 3); /* two wait, one may run */
  pthread_mutex_unlock(&gate);
  pool_free(p);
  CU_ASSERT_EQUAL(atomic_load(&done), taken);
}

TEST_MAIN("base/pool", TEST(every_queued_job_runs_before_the_pool_ends),
          TEST(a_full_queue_refuses_at_once))
