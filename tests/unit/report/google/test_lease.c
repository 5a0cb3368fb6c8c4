/* The table of leases: whose they are, how long they last, what ends them. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "report-svc/google/lease.h"
#include "tests/unit/harness.h"

struct ends {
  pthread_mutex_t lock;
  size_t n;
  uint64_t uses;
  char last[64]; /* "grant/d01" */
};

static void on_end(void *user, const struct lease_name *name, uint64_t uses)
{
  struct ends *e = user;
  pthread_mutex_lock(&e->lock);
  e->n++;
  e->uses += uses;
  snprintf(e->last, sizeof(e->last), "%.*s/%s", (int)name->grant_len, (const char *)name->grant,
           name->subject_id);
  pthread_mutex_unlock(&e->lock);
}

static struct leases *begin(struct ends *ends, size_t max_bytes)
{
  *ends = (struct ends){.lock = PTHREAD_MUTEX_INITIALIZER};
  return leases_new(&(struct leases_options){max_bytes, on_end, ends});
}

static struct lease_name named(const char *grant, const char *dealer)
{
  return (struct lease_name){grant, strlen(grant), GOOGLE_DEALER, dealer};
}

static struct token *token_of(const char *text)
{
  Analytics__Auth__V1__GetAccessTokenResponse m =
      ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_RESPONSE__INIT;
  m.access_token = (char *)(uintptr_t)text;
  return token_new(&m);
}

static void lease(struct leases *l, struct lease_name name, const char *token, int64_t until_ms,
                  int64_t now_ms)
{
  struct token *t = token_of(token);
  leases_begin(l, &name, t, until_ms, now_ms);
  token_unref(t);
}

/* Whether the lease has this token; NULL: whether there is none. */
static bool has(struct leases *l, struct lease_name name, const char *token, int64_t now_ms)
{
  struct token *t = leases_use(l, &name, now_ms);
  bool ok = token == NULL ? t == NULL : t != NULL && strcmp(t->access_token, token) == 0;
  token_unref(t);
  return ok;
}

static void a_lease_is_for_one_grant_and_one_target(void)
{
  struct ends ends;
  struct leases *l = begin(&ends, 1 << 20);
  lease(l, named("grant", "d01"), "t1", 2000, 0);
  CU_ASSERT(has(l, named("grant", "d01"), "t1", 1));
  CU_ASSERT(has(l, named("grant", "d02"), NULL, 1));
  CU_ASSERT(has(l, named("other", "d01"), NULL, 1));
  CU_ASSERT(has(l, named("grantd", "01"), NULL, 1)); /* the parts do not run into each other */
  CU_ASSERT(has(l, named("gran", "td01"), NULL, 1));
  struct lease_name property = named("grant", "d01");
  property.subject = GOOGLE_PROPERTY;
  CU_ASSERT(has(l, property, NULL, 1));
  leases_free(l);
}

static void a_lease_ends_in_time_and_its_uses_are_reported_once(void)
{
  struct ends ends;
  struct leases *l = begin(&ends, 1 << 20);
  lease(l, named("g", "d01"), "t", 2000, 0);
  lease(l, named("g", "d02"), "t", 500, 0); /* began later, ends earlier */
  CU_ASSERT(has(l, named("g", "d01"), "t", 1999));
  CU_ASSERT(has(l, named("g", "d01"), NULL, 2000));
  CU_ASSERT(has(l, named("g", "d02"), "t", 499));
  CU_ASSERT(has(l, named("g", "d02"), "t", 499));
  CU_ASSERT_EQUAL(leases_expire(l, 500), 1);
  CU_ASSERT_EQUAL(ends.n, 1);
  CU_ASSERT_EQUAL(ends.uses, 2);
  CU_ASSERT_STRING_EQUAL(ends.last, "g/d02");
  CU_ASSERT_EQUAL(leases_expire(l, 2000), 0);
  CU_ASSERT_EQUAL(leases_expire(l, 9000), 0);
  CU_ASSERT_EQUAL(ends.n, 2);
  CU_ASSERT_EQUAL(ends.uses, 3);
  lease(l, named("g", "d03"), "t", 3000, 2000); /* never used: nothing to report */
  CU_ASSERT_EQUAL(leases_expire(l, INT64_MAX), 0);
  CU_ASSERT_EQUAL(ends.n, 2);
  leases_free(l);
}

static void a_lease_that_runs_is_not_prolonged_and_one_that_is_over_is_replaced(void)
{
  struct ends ends;
  struct leases *l = begin(&ends, 1 << 20);
  lease(l, named("g", "d01"), "first", 2000, 0);
  lease(l, named("g", "d01"), "second", 3000, 1000);
  CU_ASSERT(has(l, named("g", "d01"), "first", 1999));
  CU_ASSERT(has(l, named("g", "d01"), NULL, 2000));
  lease(l, named("g", "d01"), "third", 4000, 2000);
  CU_ASSERT_EQUAL(ends.uses, 1); /* of the first */
  CU_ASSERT(has(l, named("g", "d01"), "third", 2001));
  struct lease_name name = named("g", "d01");
  leases_drop(l, &name);
  CU_ASSERT_EQUAL(ends.uses, 2);
  CU_ASSERT(has(l, named("g", "d01"), NULL, 2002));
  leases_free(l);
}

static void the_oldest_makes_room_and_says_so(void)
{
  enum { MANY = 1000, ROOM = 64 * 1024 };
  struct ends ends;
  char id[16];
  struct leases *l = begin(&ends, ROOM);
  for (int i = 0; i < MANY; i++) {
    snprintf(id, sizeof(id), "d%03d", i);
    lease(l, named("g", id), "t", 2000, 0);
    CU_ASSERT(has(l, named("g", id), "t", 1));
  }
  CU_ASSERT(has(l, named("g", "d000"), NULL, 1));
  size_t left = leases_expire(l, 1);
  CU_ASSERT(left > 10 && left < MANY / 2);
  CU_ASSERT_EQUAL(ends.n + left, MANY);
  leases_expire(l, INT64_MAX);
  CU_ASSERT_EQUAL(ends.uses, MANY);
  AUTO_FREE char *large = xcalloc(1, ROOM / 4 + 1); /* takes more than a quarter: not kept */
  memset(large, 'x', ROOM / 4);
  lease(l, named(large, "d01"), "t", 2000, 0);
  CU_ASSERT(has(l, named(large, "d01"), NULL, 1));
  leases_free(l);
}

struct race {
  struct leases *l;
  atomic_int used;
};

static void *use_and_drop(void *arg)
{
  struct race *r = arg;
  char id[16];
  for (int i = 0; i < 4000; i++) {
    snprintf(id, sizeof(id), "d%d", i % 7);
    struct lease_name name = named("g", id);
    struct token *t = leases_use(r->l, &name, i);
    r->used += t != NULL;
    token_unref(t);
    if (t == NULL)
      lease(r->l, name, "t", i + 50, i);
    else if (i % 31 == 0)
      leases_drop(r->l, &name);
    else if (i % 13 == 0)
      leases_expire(r->l, i);
  }
  return NULL;
}

static void every_use_is_reported_under_eight_threads(void)
{
  struct ends ends;
  struct race race = {.l = begin(&ends, 4096)};
  pthread_t threads[8];
  for (size_t i = 0; i < ARRAY_LEN(threads); i++)
    CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, use_and_drop, &race), 0);
  for (size_t i = 0; i < ARRAY_LEN(threads); i++)
    pthread_join(threads[i], NULL);
  leases_expire(race.l, INT64_MAX);
  CU_ASSERT(race.used > 0);
  CU_ASSERT_EQUAL(ends.uses, (uint64_t)race.used);
  leases_free(race.l);
}

TEST_MAIN("report-svc leases", TEST(a_lease_is_for_one_grant_and_one_target),
          TEST(a_lease_ends_in_time_and_its_uses_are_reported_once),
          TEST(a_lease_that_runs_is_not_prolonged_and_one_that_is_over_is_replaced),
          TEST(the_oldest_makes_room_and_says_so), TEST(every_use_is_reported_under_eight_threads))
