/* Waiting for a condition until a time of the monotonic clock. */
#include "common/base/wait.h"

#include "common/base/clock.h"
#include "tests/unit/harness.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond;
static bool done;

static void the_time_is_reached_before_false_is_returned(void)
{
  wait_init(&cond);
  pthread_mutex_lock(&lock);
  for (int64_t ms = 0; ms < 40; ms += 13) {
    int64_t until = clock_mono_ms() + ms;
    while (wait_until(&cond, &lock, until))
      ; /* spurious */
    CU_ASSERT_TRUE(clock_mono_ms() >= until);
  }
  pthread_mutex_unlock(&lock);
  pthread_cond_destroy(&cond);
}

static void a_time_that_has_passed_does_not_wait(void)
{
  wait_init(&cond);
  pthread_mutex_lock(&lock);
  CU_ASSERT_FALSE(wait_until(&cond, &lock, clock_mono_ms() - 5000));
  CU_ASSERT_FALSE(wait_until(&cond, &lock, 0));
  pthread_mutex_unlock(&lock);
  pthread_cond_destroy(&cond);
}

static void *finish(void *arg)
{
  (void)arg;
  pthread_mutex_lock(&lock);
  done = true;
  pthread_cond_signal(&cond);
  pthread_mutex_unlock(&lock);
  return NULL;
}

static void a_signal_ends_the_wait_long_before_its_time(void)
{
  pthread_t thread;
  bool in_time = true;
  wait_init(&cond);
  done = false;
  int64_t until = clock_mono_ms() + 600000;
  pthread_mutex_lock(&lock);
  CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, finish, NULL), 0);
  while (!done && in_time)
    in_time = wait_until(&cond, &lock, until);
  pthread_mutex_unlock(&lock);
  CU_ASSERT_TRUE(in_time);
  pthread_join(thread, NULL);
  pthread_cond_destroy(&cond);
}

struct errand {
  struct wait_once end;
  int value;
};

static void *run_errand(void *arg)
{
  struct errand *a = arg;
  a->value++;
  wait_once_over(&a->end);
  return NULL;
}

static void a_thread_waits_for_each_end_once(void)
{
  struct errand a = {.end = WAIT_ONCE_INIT};
  for (int i = 1; i <= 3; i++) {
    pthread_t thread;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, run_errand, &a), 0);
    wait_once(&a.end);
    CU_ASSERT_EQUAL(a.value, i);
    CU_ASSERT_FALSE(a.end.over);
    pthread_join(thread, NULL);
  }
  run_errand(&a); /* over before anybody waits */
  wait_once(&a.end);
  CU_ASSERT_EQUAL(a.value, 4);
}

TEST_MAIN("base/wait", TEST(the_time_is_reached_before_false_is_returned),
          TEST(a_time_that_has_passed_does_not_wait),
          TEST(a_signal_ends_the_wait_long_before_its_time), TEST(a_thread_waits_for_each_end_once))
