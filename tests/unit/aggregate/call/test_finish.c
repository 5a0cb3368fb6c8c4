/* The queue of questions that are tried again: when, how often, and its bounds. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "aggregate-svc/call/finish.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/wait.h"
#include "tests/unit/harness.h"

enum { THINGS = 8, PATIENCE_MS = 5000, MS = 1000000 };

/* What an entry stands for. */
struct thing {
  struct finish_entry entry;
  int started, cancelled, dropped;
  int64_t started_ms[8];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static struct finish_queue *queue;
static struct thing things[THINGS];
static bool at_once; /* an attempt ends within start() */

static struct thing *thing_of(struct finish_entry *x)
{
  return CONTAINER_OF(x, struct thing, entry);
}

static void on_start(struct finish_entry *x)
{
  pthread_mutex_lock(&lock);
  struct thing *t = thing_of(x);
  t->started_ms[t->started++ & 7] = clock_mono_ms();
  bool again = at_once;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&lock);
  if (again && !finish_again(queue, x)) {
    pthread_mutex_lock(&lock);
    t->dropped++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
  }
}

/* The attempt ends in another thread, as it would. */
static void *leave(void *arg)
{
  finish_leave(queue, arg);
  return NULL;
}

static void on_cancel(struct finish_entry *x)
{
  pthread_t thread;
  pthread_mutex_lock(&lock);
  thing_of(x)->cancelled++;
  pthread_mutex_unlock(&lock);
  CU_ASSERT_EQUAL(pthread_create(&thread, NULL, leave, x), 0);
  pthread_detach(thread);
}

static void on_drop(struct finish_entry *x)
{
  pthread_mutex_lock(&lock);
  thing_of(x)->dropped++;
  pthread_mutex_unlock(&lock);
}

static void begin(int64_t entries, int64_t of_viewer, int64_t delay_ms, int64_t attempts,
                  int64_t longest_ms)
{
  memset(things, 0, sizeof(things));
  at_once = false;
  wait_init(&changed);
  queue = finish_new(&(struct finish_options){entries, of_viewer, delay_ms, attempts, longest_ms,
                                              on_start, on_cancel, on_drop});
}

static void finish(void)
{
  finish_stop(queue);
  CU_ASSERT_EQUAL(finish_count(queue), 0);
  finish_free(TAKE_PTR(queue));
  pthread_cond_destroy(&changed);
}

static enum finish_admission admit(int i, const char *key, const char *viewer)
{
  int64_t due = 0;
  enum finish_admission a = finish_admit(queue, &things[i].entry, key, viewer, &due);
  CU_ASSERT_TRUE(due <= clock_unix_ms() + 300000);
  return a;
}

/* Waits until a count of a thing has come that far. */
static bool comes(const int *count, int to)
{
  int64_t until = clock_mono_ms() + PATIENCE_MS;
  pthread_mutex_lock(&lock);
  while (*count < to && wait_until(&changed, &lock, until))
    continue;
  bool there = *count >= to;
  pthread_mutex_unlock(&lock);
  return there;
}

static void attempts_wait_twice_as_long_each_time_and_end(void)
{
  begin(4, 4, 20, 3, 60000);
  at_once = true;
  int64_t then = clock_mono_ms();
  CU_ASSERT_EQUAL(admit(0, "a", "v"), FINISH_TAKEN);
  CU_ASSERT_TRUE(finish_again(queue, &things[0].entry));
  CU_ASSERT_TRUE(comes(&things[0].dropped, 1));
  CU_ASSERT_EQUAL(things[0].started, 3);
  for (int i = 0; i < 3; i++) {
    int64_t waited = things[0].started_ms[i] - (i == 0 ? then : things[0].started_ms[i - 1]);
    CU_ASSERT_TRUE(waited >= 20 << i);
  }
  CU_ASSERT_EQUAL(finish_count(queue), 0);
  finish();
}

static void no_attempt_begins_beyond_the_longest_time(void)
{
  begin(4, 4, 20, 100, 50); /* at 20 and no more: the next would be at 60 */
  at_once = true;
  CU_ASSERT_EQUAL(admit(0, "a", "v"), FINISH_TAKEN);
  CU_ASSERT_TRUE(finish_again(queue, &things[0].entry));
  CU_ASSERT_TRUE(comes(&things[0].dropped, 1));
  CU_ASSERT_EQUAL(things[0].started, 1);
  finish();
}

static void entries_are_bounded_in_all_and_of_one_viewer_and_by_key(void)
{
  begin(3, 2, 60000, 5, 600000);
  CU_ASSERT_EQUAL(admit(0, "a", "v"), FINISH_TAKEN);
  CU_ASSERT_EQUAL(admit(1, "a", "w"), FINISH_THERE);
  CU_ASSERT_EQUAL(admit(1, "b", "v"), FINISH_TAKEN);
  CU_ASSERT_EQUAL(admit(2, "c", "v"), FINISH_REFUSED); /* of one viewer */
  CU_ASSERT_EQUAL(admit(2, "c", "w"), FINISH_TAKEN);
  CU_ASSERT_EQUAL(admit(3, "d", "x"), FINISH_REFUSED); /* in all */
  CU_ASSERT_EQUAL(finish_count(queue), 3);
  finish_leave(queue, &things[0].entry);
  finish_leave(queue, &things[0].entry); /* it is out: nothing happens */
  CU_ASSERT_EQUAL(admit(3, "a", "x"), FINISH_TAKEN);
  for (int i = 1; i < 4; i++)
    finish_leave(queue, &things[i].entry);
  finish();
}

static void the_one_that_is_due_first_is_started_first(void)
{
  begin(4, 4, 30, 5, 60000);
  CU_ASSERT_EQUAL(admit(0, "a", "v"), FINISH_TAKEN);
  CU_ASSERT_EQUAL(admit(1, "b", "v"), FINISH_TAKEN);
  CU_ASSERT_TRUE(finish_again(queue, &things[1].entry));
  nanosleep(&(struct timespec){.tv_nsec = 5 * MS}, NULL); /* another due time */
  CU_ASSERT_TRUE(finish_again(queue, &things[0].entry));
  CU_ASSERT_TRUE(comes(&things[0].started, 1) && comes(&things[1].started, 1));
  CU_ASSERT_TRUE(things[1].started_ms[0] <= things[0].started_ms[0]);
  finish();
  CU_ASSERT_EQUAL(things[0].cancelled + things[1].cancelled, 2); /* both were under way */
}

static void an_end_drops_what_waits_and_cancels_what_runs(void)
{
  begin(4, 4, 10, 5, 60000);
  CU_ASSERT_EQUAL(admit(0, "runs", "v"), FINISH_TAKEN);
  CU_ASSERT_TRUE(finish_again(queue, &things[0].entry));
  CU_ASSERT_TRUE(comes(&things[0].started, 1));
  CU_ASSERT_EQUAL(admit(1, "has a place", "v"), FINISH_TAKEN);
  CU_ASSERT_EQUAL(admit(2, "has one, too", "v"), FINISH_TAKEN);
  finish_stop(queue);
  CU_ASSERT_EQUAL(things[0].cancelled, 1);
  CU_ASSERT_EQUAL(things[0].dropped, 0);
  CU_ASSERT_FALSE(finish_again(queue, &things[1].entry));
  CU_ASSERT_FALSE(finish_again(queue, &things[2].entry));
  CU_ASSERT_EQUAL(finish_count(queue), 0);
  CU_ASSERT_EQUAL(admit(3, "late", "v"), FINISH_REFUSED);
  finish_free(TAKE_PTR(queue));
  pthread_cond_destroy(&changed);
  begin(4, 4, 60000, 5, 600000);
  CU_ASSERT_EQUAL(admit(0, "waits", "v"), FINISH_TAKEN);
  CU_ASSERT_TRUE(finish_again(queue, &things[0].entry));
  finish();
  CU_ASSERT_EQUAL(things[0].dropped, 1);
  CU_ASSERT_EQUAL(things[0].started, 0);
}

TEST_MAIN("aggregate finish", TEST(attempts_wait_twice_as_long_each_time_and_end),
          TEST(no_attempt_begins_beyond_the_longest_time),
          TEST(entries_are_bounded_in_all_and_of_one_viewer_and_by_key),
          TEST(the_one_that_is_due_first_is_started_first),
          TEST(an_end_drops_what_waits_and_cancels_what_runs))
