/* Memory that several questions may take together. */
#include "report-svc/ask/room.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "tests/unit/harness.h"

static void make(struct room *r, size_t max)
{
  room_init(r, max, metrics_gauge("test_room_bytes", "Of the tests.", NULL));
}

static void what_is_taken_is_held_in_steps_and_comes_back_as_a_whole(void)
{
  struct room r;
  make(&r, 8 * ROOM_STEP);
  struct room_share s = {.room = &r};
  CU_ASSERT_TRUE(room_take(&s, 1));
  CU_ASSERT_EQUAL(room_held(&r), ROOM_STEP);
  CU_ASSERT_TRUE(room_take(&s, ROOM_STEP - 1));
  CU_ASSERT_EQUAL(room_held(&r), ROOM_STEP);
  CU_ASSERT_TRUE(room_take(&s, 1));
  CU_ASSERT_EQUAL(room_held(&r), 2 * ROOM_STEP);
  room_reuse(&s, ROOM_STEP); /* an answer that came again */
  CU_ASSERT_TRUE(room_take(&s, ROOM_STEP));
  CU_ASSERT_EQUAL(room_held(&r), 2 * ROOM_STEP);
  room_leave(&s);
  room_leave(&s);
  CU_ASSERT_EQUAL(room_held(&r), 0);
  room_end(&r);
}

static void a_refusal_says_whether_waiting_helps(void)
{
  struct room r;
  struct err e = {0};
  make(&r, 8 * ROOM_STEP);
  struct room_share large = {.room = &r}, small = {.room = &r};
  CU_ASSERT_TRUE(room_take(&large, 3 * ROOM_STEP));
  CU_ASSERT_TRUE(room_take(&small, ROOM_STEP));
  CU_ASSERT_FALSE(room_take(&small, 1)); /* the half for all is full */
  CU_ASSERT_EQUAL(room_held(&r), 4 * ROOM_STEP);
  CU_ASSERT_EQUAL(room_refused(&small, "fewer days", &e), ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_STRING_EQUAL(e.reason, "busy");
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "ask for fewer dealers"));
  CU_ASSERT_FALSE(room_take(&large, ROOM_STEP + 1)); /* never fits */
  CU_ASSERT_FALSE(room_take(&small, SIZE_MAX - 5));
  CU_ASSERT_EQUAL(room_refused(&small, "fewer days", &e), ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_STRING_EQUAL(e.reason, "answer_too_large");
  CU_ASSERT_STRING_EQUAL(e.message, "fewer days");
  room_leave(&large);
  CU_ASSERT_TRUE(room_take(&small, 3 * ROOM_STEP));
  room_leave(&small);
  room_end(&r);
}

static char order[8];

static void note(void *user)
{
  size_t n = strlen(order);
  snprintf(order + n, sizeof(order) - n, "%s", (const char *)user);
}

static char a_name[] = "a", b_name[] = "b", c_name[] = "c";

static void turns_come_in_order_and_have_a_half_of_their_own(void)
{
  struct room r;
  make(&r, 8 * ROOM_STEP);
  struct room_share full = {.room = &r}, a = {.room = &r}, b = {.room = &r}, c = {.room = &r};
  order[0] = '\0';
  CU_ASSERT_TRUE(room_take(&full, 4 * ROOM_STEP));
  CU_ASSERT_TRUE(room_wait(&a, note, a_name));
  CU_ASSERT_STRING_EQUAL(order, "a"); /* at once: nobody had it */
  CU_ASSERT_TRUE(room_wait(&b, note, b_name));
  CU_ASSERT_TRUE(room_wait(&c, note, c_name));
  CU_ASSERT_TRUE(room_take(&a, 4 * ROOM_STEP));
  CU_ASSERT_EQUAL(room_held(&r), 8 * ROOM_STEP);
  CU_ASSERT_FALSE(room_wait(&a, note, a_name)); /* it has what can be had */
  CU_ASSERT_FALSE(room_cancel(&a));
  room_leave(&full); /* not a turn: nobody is let on */
  CU_ASSERT_STRING_EQUAL(order, "a");
  room_leave(&a);
  CU_ASSERT_STRING_EQUAL(order, "ab");
  CU_ASSERT_TRUE(room_cancel(&c));
  CU_ASSERT_FALSE(room_cancel(&c));
  room_leave(&b);
  CU_ASSERT_STRING_EQUAL(order, "ab");
  CU_ASSERT_TRUE(room_wait(&c, note, c_name));
  CU_ASSERT_STRING_EQUAL(order, "abc");
  room_leave(&c);
  CU_ASSERT_EQUAL(room_held(&r), 0);
  room_end(&r);
}

static void no_more_than_so_many_wait(void)
{
  static struct room_share shares[ROOM_MAX_WAITING + 2];
  struct room r;
  make(&r, 8 * ROOM_STEP);
  order[0] = '\0';
  for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
    shares[i].room = &r;
    CU_ASSERT_EQUAL(room_wait(&shares[i], note, a_name), i <= ROOM_MAX_WAITING);
  }
  CU_ASSERT_STRING_EQUAL(order, "a");
  for (size_t i = ROOM_MAX_WAITING; i > 0; i--) /* from the end of the line */
    CU_ASSERT_TRUE(room_cancel(&shares[i]));
  room_leave(&shares[0]);
  CU_ASSERT_TRUE(room_wait(&shares[1], note, b_name));
  CU_ASSERT_STRING_EQUAL(order, "ab");
  room_leave(&shares[1]);
  room_end(&r);
}

enum { THREADS = 4, TIMES = 20000, STEPS = 5 };
static struct room shared_room;
static atomic_size_t taken, worst, refused;

/* Keeps a count of its own, after taking and before giving back. */
static void *come_and_go(void *arg)
{
  struct room_share s = {.room = &shared_room};
  (void)arg;
  for (int i = 0; i < TIMES; i++) {
    if (room_take(&s, ROOM_STEP)) {
      size_t now = atomic_fetch_add(&taken, 1) + 1, before = atomic_load(&worst);
      while (now > before && !atomic_compare_exchange_weak(&worst, &before, now))
        ;
    } else {
      atomic_fetch_add(&refused, 1);
      atomic_fetch_sub(&taken, s.held / ROOM_STEP);
      room_leave(&s);
    }
  }
  atomic_fetch_sub(&taken, s.held / ROOM_STEP);
  room_leave(&s);
  return NULL;
}

static void threads_never_hold_more_than_there_is(void)
{
  pthread_t threads[THREADS];
  AUTO_BUF struct buf text = BUF_INIT(1 << 20);
  make(&shared_room, 2 * STEPS * ROOM_STEP);
  for (size_t i = 0; i < THREADS; i++)
    CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, come_and_go, NULL), 0);
  for (size_t i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  CU_ASSERT_TRUE(refused > 0);
  CU_ASSERT_TRUE(worst > 1 && worst <= STEPS);
  CU_ASSERT_EQUAL(taken, 0);
  CU_ASSERT_EQUAL(room_held(&shared_room), 0);
  CU_ASSERT_TRUE(metrics_render(&text));
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&text), "\ntest_room_bytes 0\n"));
  room_end(&shared_room);
}

TEST_MAIN("report-svc room", TEST(what_is_taken_is_held_in_steps_and_comes_back_as_a_whole),
          TEST(a_refusal_says_whether_waiting_helps),
          TEST(turns_come_in_order_and_have_a_half_of_their_own), TEST(no_more_than_so_many_wait),
          TEST(threads_never_hold_more_than_there_is))
