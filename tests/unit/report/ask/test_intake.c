/* Memory of reports that arrive: bounded over fan-outs, and one dealer of each always proceeds. */
#include "report-svc/ask/intake.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "tests/unit/harness.h"

static void make(struct intake *in, size_t steps)
{
  intake_init(in, steps * INTAKE_STEP, metrics_gauge("test_intake_bytes", "Of the tests.", NULL));
}

static char order[16];

static void note(void *user)
{
  size_t n = strlen(order);
  snprintf(order + n, sizeof(order) - n, "%s", (const char *)user);
}

static char names[][2] = {"a", "b", "c", "d"};

static struct intake_waiter waiter(struct intake_share *s, size_t steps, int name)
{
  return (struct intake_waiter){
      .share = s, .bytes = steps * INTAKE_STEP, .go = note, .user = names[name]};
}

static void shares_grow_in_steps_and_come_back_as_a_whole(void)
{
  struct intake in;
  make(&in, 4);
  struct intake_group g = {.intake = &in};
  struct intake_share s = {.group = &g};
  CU_ASSERT_TRUE(intake_take(&s, 1));
  CU_ASSERT_EQUAL(intake_held(&in), INTAKE_STEP);
  CU_ASSERT_TRUE(intake_take(&s, INTAKE_STEP));
  CU_ASSERT_EQUAL(intake_held(&in), INTAKE_STEP);
  CU_ASSERT_TRUE(intake_take(&s, INTAKE_STEP + 1));
  CU_ASSERT_EQUAL(intake_held(&in), 2 * INTAKE_STEP);
  CU_ASSERT_TRUE(intake_take(&s, 1)); /* what it held once, it keeps */
  CU_ASSERT_EQUAL(intake_held(&in), 2 * INTAKE_STEP);
  intake_leave(&s);
  intake_leave(&s);
  CU_ASSERT_EQUAL(intake_held(&in), 0);
  intake_end(&in);
}

static void one_dealer_of_every_fan_out_reads_on(void)
{
  struct intake in;
  make(&in, 3);
  struct intake_group one = {.intake = &in}, two = {.intake = &in};
  struct intake_share a = {.group = &one}, b = {.group = &one}, c = {.group = &two};
  CU_ASSERT_TRUE(intake_take(&a, INTAKE_STEP));
  CU_ASSERT_TRUE(intake_take(&b, INTAKE_STEP));
  CU_ASSERT_TRUE(intake_take(&c, INTAKE_STEP));
  CU_ASSERT_TRUE(intake_take(&a, 5 * INTAKE_STEP)); /* full: the turn is a's */
  CU_ASSERT_FALSE(intake_take(&b, 2 * INTAKE_STEP));
  CU_ASSERT_TRUE(intake_take(&c, 9 * INTAKE_STEP)); /* not of the same fan-out */
  CU_ASSERT_TRUE(intake_take(&a, 6 * INTAKE_STEP));
  CU_ASSERT_EQUAL(intake_held(&in), 16 * INTAKE_STEP);
  intake_leave(&a);
  CU_ASSERT_TRUE(intake_take(&b, 2 * INTAKE_STEP)); /* still full: the turn is b's now */
  intake_leave(&b);
  intake_leave(&c);
  CU_ASSERT_EQUAL(intake_held(&in), 0);
  intake_end(&in);
}

static void who_waits_goes_on_in_order(void)
{
  struct intake in;
  make(&in, 4);
  struct intake_group one = {.intake = &in}, two = {.intake = &in};
  struct intake_share a = {.group = &one}, b = {.group = &one}, c = {.group = &one},
                      d = {.group = &two};
  struct intake_waiter wb = waiter(&b, 3, 1), wc = waiter(&c, 1, 2), wd = waiter(&d, 1, 3);
  order[0] = '\0';
  CU_ASSERT_TRUE(intake_take(&a, 4 * INTAKE_STEP));
  CU_ASSERT_TRUE(intake_take(&a, 5 * INTAKE_STEP)); /* has the turn */
  CU_ASSERT_FALSE(intake_take_or_wait(&wb));
  CU_ASSERT_FALSE(intake_take_or_wait(&wc));
  CU_ASSERT_TRUE(intake_take_or_wait(&wd)); /* the first of its fan-out */
  CU_ASSERT_STRING_EQUAL(order, "");
  intake_leave(&a); /* b and c fit beside d's: 1 + 3, then by nobody's leave */
  CU_ASSERT_STRING_EQUAL(order, "bc");
  CU_ASSERT_EQUAL(intake_held(&in), 5 * INTAKE_STEP); /* c by the turn that a gave on */
  CU_ASSERT_PTR_EQUAL(one.turn, &c);
  intake_leave(&b);
  intake_leave(&c);
  intake_leave(&d);
  CU_ASSERT_EQUAL(intake_held(&in), 0);
  intake_end(&in);
}

static void nobody_overtakes_by_being_small(void)
{
  struct intake in;
  make(&in, 4);
  struct intake_group g = {.intake = &in};
  struct intake_share a = {.group = &g}, b = {.group = &g}, c = {.group = &g};
  struct intake_waiter wb = waiter(&b, 4, 1), wc = waiter(&c, 1, 2);
  order[0] = '\0';
  g.turn = &a;
  CU_ASSERT_TRUE(intake_take(&a, INTAKE_STEP));
  CU_ASSERT_FALSE(intake_take_or_wait(&wb));
  CU_ASSERT_FALSE(intake_take(&c, INTAKE_STEP)); /* there is room, but b was first */
  CU_ASSERT_FALSE(intake_take_or_wait(&wc));
  CU_ASSERT_TRUE(intake_forget(&wb)); /* cancelled: c goes on */
  CU_ASSERT_STRING_EQUAL(order, "c");
  CU_ASSERT_FALSE(intake_forget(&wb));
  CU_ASSERT_FALSE(intake_forget(&wc));
  CU_ASSERT_EQUAL(intake_held(&in), 2 * INTAKE_STEP);
  intake_leave(&a);
  intake_leave(&c);
  intake_end(&in);
}

static void all_pages_of_the_dealer_whose_turn_it_is_go_on(void)
{
  struct intake in;
  make(&in, 1);
  struct intake_group g = {.intake = &in};
  struct intake_share a = {.group = &g}, b = {.group = &g}, c = {.group = &g};
  struct intake_waiter b1 = waiter(&b, 2, 1), c1 = waiter(&c, 2, 2), b2 = waiter(&b, 3, 3);
  order[0] = '\0';
  CU_ASSERT_TRUE(intake_take(&a, 2 * INTAKE_STEP));
  CU_ASSERT_FALSE(intake_take_or_wait(&b1));
  CU_ASSERT_FALSE(intake_take_or_wait(&c1));
  CU_ASSERT_FALSE(intake_take_or_wait(&b2));
  intake_leave(&a);
  CU_ASSERT_STRING_EQUAL(order, "bd");
  intake_leave(&b);
  CU_ASSERT_STRING_EQUAL(order, "bdc");
  intake_leave(&c);
  CU_ASSERT_EQUAL(intake_held(&in), 0);
  intake_end(&in);
}

/* ------------------------------------------------------------------ threads */

enum {
  FAN_OUTS = 4,
  DEALERS = 3,
  THREADS = FAN_OUTS * DEALERS,
  MAX_STEPS = 8,
  GROWTH = 4,
  TIMES = 400
};

static struct intake shared;
static struct intake_group fan_outs[FAN_OUTS];
static size_t worst; /* guarded by the intake's lock */

struct dealer {
  struct intake_share share;
  pthread_mutex_t lock;
  pthread_cond_t cond;
  bool may;
};

static void let_on(void *user)
{
  struct dealer *d = user;
  pthread_mutex_lock(&d->lock);
  d->may = true;
  pthread_cond_signal(&d->cond);
  pthread_mutex_unlock(&d->lock);
}

static void grow(struct dealer *d, size_t steps)
{
  struct intake_waiter w = {
      .share = &d->share, .bytes = steps * INTAKE_STEP, .go = let_on, .user = d};
  d->may = false;
  if (intake_take_or_wait(&w))
    return;
  pthread_mutex_lock(&d->lock);
  while (!d->may)
    pthread_cond_wait(&d->cond, &d->lock);
  pthread_mutex_unlock(&d->lock);
}

/* A dealer after the other, each of which ends only when it has all it needs. */
static void *read_dealers(void *arg)
{
  struct dealer d = {.share = {.group = arg}};
  pthread_mutex_init(&d.lock, NULL);
  pthread_cond_init(&d.cond, NULL);
  for (int i = 0; i < TIMES; i++) {
    for (size_t steps = 1; steps <= GROWTH; steps++)
      grow(&d, steps);
    size_t now = intake_held(&shared);
    pthread_mutex_lock(&shared.lock);
    worst = now > worst ? now : worst;
    pthread_mutex_unlock(&shared.lock);
    intake_leave(&d.share);
  }
  pthread_cond_destroy(&d.cond);
  pthread_mutex_destroy(&d.lock);
  return NULL;
}

static void threads_all_end_and_stay_within_the_bound(void)
{
  pthread_t threads[THREADS];
  make(&shared, MAX_STEPS);
  for (size_t i = 0; i < FAN_OUTS; i++)
    fan_outs[i] = (struct intake_group){.intake = &shared};
  for (size_t i = 0; i < THREADS; i++)
    pthread_create(&threads[i], NULL, read_dealers, &fan_outs[i % FAN_OUTS]);
  for (size_t i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  CU_ASSERT_TRUE(worst <= (size_t)(MAX_STEPS + FAN_OUTS * GROWTH) * INTAKE_STEP);
  CU_ASSERT_TRUE(worst > 0);
  CU_ASSERT_EQUAL(intake_held(&shared), 0);
  CU_ASSERT_PTR_NULL(shared.first);
  intake_end(&shared);
}

TEST_MAIN("report-svc intake", TEST(shares_grow_in_steps_and_come_back_as_a_whole),
          TEST(one_dealer_of_every_fan_out_reads_on), TEST(who_waits_goes_on_in_order),
          TEST(nobody_overtakes_by_being_small),
          TEST(all_pages_of_the_dealer_whose_turn_it_is_go_on),
          TEST(threads_all_end_and_stay_within_the_bound))
