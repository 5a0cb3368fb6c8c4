/* The governor: places per property and in all, order, deadlines, cancel. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "common/base/mem.h"
#include "report-svc/google/governor.h"
#include "tests/unit/harness.h"

struct waiter {
  struct governor_ticket ticket;
  struct governor *governor;
  int id;
  int admitted; /* order of admission, from 1; 0 not yet */
  enum err_code code;
  int *counter;
  bool release_at_once;
};

static void on_admitted(void *user, const struct err *e)
{
  struct waiter *w = user;
  w->admitted = ++*w->counter;
  w->code = e->code;
  if (w->release_at_once && e->code == ERR_OK)
    governor_release(w->governor, &w->ticket);
}

static void ask(struct waiter *w, struct governor *g, const char *key, int *counter)
{
  w->governor = g;
  w->counter = counter;
  w->ticket.on_admitted = on_admitted;
  w->ticket.user = w;
  if (w->ticket.deadline_ms == 0)
    w->ticket.deadline_ms = INT64_MAX;
  governor_acquire(g, &w->ticket, key);
}

static struct governor *make(size_t per_key, size_t total, size_t waiting)
{
  return governor_new(&(struct governor_options){per_key, total, waiting, 0});
}

static void at_most_ten_per_property_in_order(void)
{
  struct governor *g = make(10, 100, 100);
  struct waiter w[15] = {0};
  int counter = 0;
  for (int i = 0; i < 15; i++)
    ask(&w[i], g, "properties/1", &counter);
  CU_ASSERT_EQUAL(counter, 10);
  CU_ASSERT_EQUAL(governor_active(g), 10);
  CU_ASSERT_EQUAL(governor_waiting(g), 5);
  for (int i = 0; i < 15; i++) {
    CU_ASSERT_EQUAL(w[i].admitted, i + 1);
    governor_release(g, &w[i].ticket);
  }
  CU_ASSERT_EQUAL(governor_active(g), 0);
  governor_free(g);
}

static void a_busy_property_does_not_hold_up_another(void)
{
  struct governor *g = make(1, 10, 100);
  struct waiter a[3] = {0}, b = {0};
  int counter = 0;
  for (int i = 0; i < 3; i++)
    ask(&a[i], g, "properties/1", &counter);
  ask(&b, g, "properties/2", &counter);
  CU_ASSERT_EQUAL(b.admitted, 2);
  governor_release(g, &b.ticket);
  for (int i = 0; i < 3; i++)
    governor_release(g, &a[i].ticket);
  CU_ASSERT_EQUAL(counter, 4);
  governor_free(g);
}

static void properties_take_turns_at_the_total(void)
{
  struct governor *g = make(10, 1, 100);
  struct waiter a[3] = {0}, b[2] = {0};
  int counter = 0;
  for (int i = 0; i < 3; i++)
    ask(&a[i], g, "properties/1", &counter);
  for (int i = 0; i < 2; i++)
    ask(&b[i], g, "properties/2", &counter);
  CU_ASSERT_EQUAL(counter, 1);
  governor_release(g, &a[0].ticket);
  CU_ASSERT_EQUAL(a[1].admitted, 2);
  governor_release(g, &a[1].ticket);
  CU_ASSERT_EQUAL(b[0].admitted, 3);
  governor_release(g, &b[0].ticket);
  CU_ASSERT_EQUAL(a[2].admitted, 4);
  governor_release(g, &a[2].ticket);
  governor_release(g, &b[1].ticket);
  CU_ASSERT_EQUAL(governor_active(g), 0);
  governor_free(g);
}

static void a_full_queue_refuses_at_once(void)
{
  struct governor *g = make(1, 10, 1);
  struct waiter w[3] = {0};
  int counter = 0;
  for (int i = 0; i < 3; i++)
    ask(&w[i], g, "properties/1", &counter);
  CU_ASSERT_EQUAL(w[2].code, ERR_RESOURCE_EXHAUSTED);
  governor_release(g, &w[0].ticket);
  governor_release(g, &w[1].ticket);
  governor_free(g);
}

static void waiters_end_at_their_deadline(void)
{
  struct governor *g = make(1, 10, 10);
  struct waiter w[3] = {0};
  int counter = 0;
  w[1].ticket.deadline_ms = 500;
  for (int i = 0; i < 3; i++)
    ask(&w[i], g, "properties/1", &counter);
  governor_expire(g, 499);
  CU_ASSERT_EQUAL(w[1].admitted, 0);
  governor_expire(g, 500);
  CU_ASSERT_EQUAL(w[1].code, ERR_DEADLINE_EXCEEDED);
  CU_ASSERT_EQUAL(w[2].admitted, 0);
  governor_release(g, &w[0].ticket);
  CU_ASSERT_EQUAL(w[2].code, ERR_OK);
  CU_ASSERT_EQUAL(w[2].admitted, 3);
  governor_release(g, &w[2].ticket);
  governor_free(g);
}

static void a_cancelled_waiter_leaves_the_queue(void)
{
  struct governor *g = make(1, 10, 10);
  struct waiter w[3] = {0};
  int counter = 0;
  for (int i = 0; i < 3; i++)
    ask(&w[i], g, "properties/1", &counter);
  CU_ASSERT(governor_cancel(g, &w[1].ticket));
  CU_ASSERT_FALSE(governor_cancel(g, &w[1].ticket));
  CU_ASSERT_FALSE(governor_cancel(g, &w[0].ticket));
  governor_release(g, &w[0].ticket);
  CU_ASSERT_EQUAL(w[1].admitted, 0);
  CU_ASSERT_EQUAL(w[2].admitted, 2);
  governor_release(g, &w[2].ticket);
  governor_free(g);
}

/* A callback that gives its place back at once must not nest. */
static void a_long_queue_of_quick_ones_does_not_recurse(void)
{
  enum { N = 200000 };
  struct governor *g = make(1, 1, N);
  struct waiter *w = xcalloc(N, sizeof(*w));
  int counter = 0;
  for (int i = 0; i < N; i++) {
    w[i].release_at_once = i > 0;
    ask(&w[i], g, "properties/1", &counter);
  }
  governor_release(g, &w[0].ticket);
  CU_ASSERT_EQUAL(counter, N);
  CU_ASSERT_EQUAL(governor_active(g), 0);
  free(w);
  governor_free(g);
}

/* ------------------------------------------------------------------ many threads */

enum { THREADS = 8, ROUNDS = 2000 };

static struct governor *shared;
static atomic_int active[3], worst, left;

static void busy_admitted(void *user, const struct err *e)
{
  (void)e;
  struct waiter *w = user;
  int now = atomic_fetch_add(&active[w->id], 1) + 1;
  int seen = atomic_load(&worst);
  while (now > seen && !atomic_compare_exchange_weak(&worst, &seen, now))
    ;
  atomic_fetch_sub(&active[w->id], 1);
  governor_release(shared, &w->ticket);
  free(w);
  atomic_fetch_sub(&left, 1);
}

static void *hammer(void *arg)
{
  (void)arg;
  for (int i = 0; i < ROUNDS; i++) {
    static const char *const keys[] = {"properties/1", "properties/2", "properties/3"};
    struct waiter *w = xcalloc(1, sizeof(*w));
    w->id = i % 3;
    w->ticket.on_admitted = busy_admitted;
    w->ticket.user = w;
    w->ticket.deadline_ms = INT64_MAX;
    governor_acquire(shared, &w->ticket, keys[w->id]);
  }
  return NULL;
}

static void many_threads_never_pass_the_limit(void)
{
  pthread_t threads[THREADS];
  shared = make(2, 4, 1000000);
  atomic_store(&left, THREADS * ROUNDS);
  for (int i = 0; i < THREADS; i++)
    pthread_create(&threads[i], NULL, hammer, NULL);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  CU_ASSERT_EQUAL(atomic_load(&left), 0);
  CU_ASSERT(atomic_load(&worst) <= 2);
  CU_ASSERT_EQUAL(governor_active(shared), 0);
  governor_free(shared);
}

/* Guests take at most two of ten places, and hold up nobody while they wait for them. */
static void guests_have_two_places_and_owners_the_others(void)
{
  struct governor *g = governor_new(&(struct governor_options){10, 100, 100, 2});
  struct waiter guests[4] = {0}, owners[9] = {0};
  int counter = 0;
  for (int i = 0; i < 4; i++) {
    guests[i].ticket.guest = true;
    ask(&guests[i], g, "properties/1", &counter);
  }
  CU_ASSERT_EQUAL(counter, 2);
  for (int i = 0; i < 9; i++)
    ask(&owners[i], g, "properties/1", &counter);
  CU_ASSERT_EQUAL(counter, 10);
  CU_ASSERT_EQUAL(owners[7].admitted, 10);
  CU_ASSERT_EQUAL(owners[8].admitted, 0);
  governor_release(g, &owners[0].ticket); /* room, but not for a third guest */
  CU_ASSERT_EQUAL(owners[8].admitted, 11);
  CU_ASSERT_EQUAL(guests[2].admitted, 0);
  governor_release(g, &guests[0].ticket);
  CU_ASSERT_EQUAL(guests[2].admitted, 12);
  CU_ASSERT_EQUAL(guests[3].admitted, 0);
  CU_ASSERT(governor_cancel(g, &guests[3].ticket));
  for (int i = 1; i < 9; i++)
    governor_release(g, &owners[i].ticket);
  governor_release(g, &guests[1].ticket);
  governor_release(g, &guests[2].ticket);
  CU_ASSERT_EQUAL(governor_active(g), 0);
  CU_ASSERT_EQUAL(governor_waiting(g), 0);
  governor_free(g);
}

static void guest_and_owner_of_a_full_property_go_on_in_the_order_they_came(void)
{
  struct governor *g = governor_new(&(struct governor_options){1, 100, 100, 1});
  struct waiter w[5] = {0};
  int counter = 0;
  for (int i = 0; i < 5; i++) {
    w[i].ticket.guest = i % 2 == 1;
    w[i].ticket.deadline_ms = i == 3 ? 500 : INT64_MAX;
    ask(&w[i], g, "properties/1", &counter);
  }
  governor_expire(g, 500);
  CU_ASSERT_EQUAL(w[3].code, ERR_DEADLINE_EXCEEDED);
  governor_release(g, &w[0].ticket);
  CU_ASSERT_EQUAL(w[1].admitted, 3);
  governor_release(g, &w[1].ticket);
  CU_ASSERT_EQUAL(w[2].admitted, 4);
  governor_release(g, &w[2].ticket);
  CU_ASSERT_EQUAL(w[4].admitted, 5);
  governor_release(g, &w[4].ticket);
  CU_ASSERT_EQUAL(governor_active(g), 0);
  governor_free(g);
}

TEST_MAIN("report governor", TEST(at_most_ten_per_property_in_order),
          TEST(a_busy_property_does_not_hold_up_another), TEST(properties_take_turns_at_the_total),
          TEST(a_full_queue_refuses_at_once), TEST(waiters_end_at_their_deadline),
          TEST(a_cancelled_waiter_leaves_the_queue),
          TEST(a_long_queue_of_quick_ones_does_not_recurse),
          TEST(guests_have_two_places_and_owners_the_others),
          TEST(guest_and_owner_of_a_full_property_go_on_in_the_order_they_came),
          TEST(many_threads_never_pass_the_limit))
