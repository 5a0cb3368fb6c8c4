/* A client of several threads: lanes, and the bounds and the end that are of all threads together.
 */
#include <stdatomic.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/http/fetch.h"

enum { THREADS = 3, PER_LANE = 4, LANES = 2 * THREADS };

/* A request that notes on which thread it ended. */
struct probe {
  struct fetch f; /* first: see note() */
  pthread_t thread;
};

static void note(struct fetch *f)
{
  ((struct probe *)f)->thread = pthread_self();
}

static void probe_init(struct probe *p, const struct server *s, const char *path, uint32_t lane)
{
  fetch_init(&p->f, s, path);
  p->f.request.lane = lane;
  p->f.then = note;
}

static struct http_client *client_of(struct http_client_options o)
{
  struct http_client *c;
  o.threads = THREADS;
  CU_ASSERT_EQUAL_FATAL(http_client_new(&c, &o, NULL), ERR_OK);
  return c;
}

static void transfers_of_a_lane_are_on_one_thread_and_lanes_on_all(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = client_of((struct http_client_options){0});
  static struct probe p[LANES][PER_LANE];
  for (uint32_t lane = 0; lane < LANES; lane++)
    for (int i = 0; i < PER_LANE; i++) {
      probe_init(&p[lane][i], s, "/bytes?n=50000", lane + 1);
      fetch_stream(&p[lane][i].f);
      CU_ASSERT_EQUAL(fetch_start(&p[lane][i].f, c), ERR_OK);
    }
  for (uint32_t lane = 0; lane < LANES; lane++)
    for (int i = 0; i < PER_LANE; i++) {
      CU_ASSERT_TRUE(fetch_wait(&p[lane][i].f));
      CU_ASSERT_EQUAL(p[lane][i].f.streamed, 50000);
      CU_ASSERT_TRUE(p[lane][i].f.in_order);
      CU_ASSERT_TRUE(pthread_equal(p[lane][i].thread, p[lane][0].thread));
    }
  for (int a = 0; a < THREADS; a++)
    for (int b = a + 1; b < THREADS; b++)
      CU_ASSERT_FALSE(pthread_equal(p[a][0].thread, p[b][0].thread));
  http_client_free(c);
  for (uint32_t lane = 0; lane < LANES; lane++)
    for (int i = 0; i < PER_LANE; i++)
      fetch_free(&p[lane][i].f);
  server_stop(s);
}

static void wait_for_next(struct fetch *f)
{
  if (!fetch_wait(f->next))
    CU_FAIL("the other thread waited, too");
}

static void thread_that_works_holds_up_no_other(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = client_of((struct http_client_options){0});
  struct fetch slow, quick;
  fetch_init(&slow, s, "/echo");
  fetch_init(&quick, s, "/echo");
  slow.request.lane = 1;
  quick.request.lane = 2;
  slow.then = wait_for_next;
  slow.next = &quick;
  CU_ASSERT_EQUAL(fetch_start(&slow, c), ERR_OK);
  CU_ASSERT_EQUAL(fetch_start(&quick, c), ERR_OK);
  CU_ASSERT_TRUE(fetch_wait(&slow));
  http_client_free(c);
  fetch_free(&slow);
  fetch_free(&quick);
  server_stop(s);
}

static void without_a_lane_the_least_busy_thread_is_taken(void)
{
  struct server *s = server_start(NULL);
  struct http_client *c = client_of((struct http_client_options){0});
  struct probe hangs, other, after[3];
  probe_init(&hangs, s, "/hang", 0);
  probe_init(&other, s, "/echo", 0);
  CU_ASSERT_EQUAL(fetch_start(&hangs.f, c), ERR_OK);
  CU_ASSERT_TRUE(fetch_run(&other.f, c));
  http_transfer_cancel(hangs.f.transfer);
  CU_ASSERT_TRUE(fetch_wait(&hangs.f));
  CU_ASSERT_FALSE(pthread_equal(hangs.thread, other.thread));
  unsigned before = server_connections(s);
  for (int i = 0; i < 3; i++) {
    probe_init(&after[i], s, "/echo", 0);
    CU_ASSERT_TRUE(fetch_run(&after[i].f, c));
    CU_ASSERT_TRUE(pthread_equal(after[i].thread, hangs.thread));
    fetch_free(&after[i].f);
  }
  /* One after the other they share a connection. */
  CU_ASSERT_EQUAL(server_connections(s), before + 1);
  http_client_free(c);
  fetch_free(&hangs.f);
  fetch_free(&other.f);
  server_stop(s);
}

static void transfers_are_limited_over_all_threads(void)
{
  enum { N = 5 };
  struct server *s = server_start(NULL);
  struct http_client *c = client_of((struct http_client_options){.max_transfers = N - 1});
  struct fetch f[N];
  for (uint32_t i = 0; i < N; i++) {
    fetch_init(&f[i], s, "/hang");
    f[i].request.lane = i + 1;
    CU_ASSERT_EQUAL(fetch_start(&f[i], c), i < N - 1 ? ERR_OK : ERR_RESOURCE_EXHAUSTED);
  }
  CU_ASSERT_STRING_EQUAL(f[N - 1].error.reason, "too_many_transfers");
  http_transfer_cancel(f[0].transfer);
  CU_ASSERT_TRUE(fetch_wait(&f[0]));
  CU_ASSERT_EQUAL(fetch_start(&f[N - 1], c), ERR_OK); /* one has ended, on whatever thread */
  http_client_free(c);
  for (int i = 0; i < N; i++) {
    CU_ASSERT_EQUAL(f[i].n_done, 1);
    fetch_free(&f[i]);
  }
  server_stop(s);
}

static void connections_are_limited_over_all_threads(void)
{
  enum { N = 24 };
  struct server *s = server_start(NULL);
  struct http_client *c = client_of((struct http_client_options){.max_host_connections = THREADS});
  static struct fetch f[N];
  for (uint32_t i = 0; i < N; i++) {
    fetch_init(&f[i], s, "/bytes?n=20000&piece=10000&pause_ms=1");
    f[i].request.lane = i + 1;
    CU_ASSERT_EQUAL(fetch_start(&f[i], c), ERR_OK);
  }
  for (int i = 0; i < N; i++) {
    CU_ASSERT_TRUE(fetch_wait(&f[i]));
    CU_ASSERT_EQUAL(f[i].error.code, ERR_OK);
  }
  CU_ASSERT_EQUAL(server_connections(s), THREADS);
  http_client_free(c);
  for (int i = 0; i < N; i++)
    fetch_free(&f[i]);
  server_stop(s);
}

static atomic_int refused;

static void start_another(struct fetch *f)
{
  if (fetch_start(f->next, f->client) == ERR_CANCELLED)
    atomic_fetch_add(&refused, 1);
}

/* What ends on one thread begins something on another, which may have ended already. */
static void end_of_the_client_ends_all_threads_transfers_once(void)
{
  enum { N = 9 };
  struct server *s = server_start(NULL);
  struct http_client *c = client_of((struct http_client_options){0});
  static struct fetch f[N], more[N];
  atomic_store(&refused, 0);
  for (uint32_t i = 0; i < N; i++) {
    fetch_init(&f[i], s, "/hang");
    fetch_init(&more[i], s, "/hang");
    f[i].request.lane = i + 1;
    more[i].request.lane = i + 2;
    f[i].then = start_another;
    f[i].next = &more[i];
    CU_ASSERT_EQUAL(fetch_start(&f[i], c), ERR_OK);
  }
  http_client_free(c);
  CU_ASSERT_EQUAL(atomic_load(&refused), N);
  for (int i = 0; i < N; i++) {
    CU_ASSERT_EQUAL(f[i].n_done, 1);
    CU_ASSERT_EQUAL(f[i].error.code, ERR_CANCELLED);
    CU_ASSERT_EQUAL(more[i].n_done, 0);
    fetch_free(&f[i]);
    fetch_free(&more[i]);
  }
  server_stop(s);
}

TEST_MAIN("http.threads", TEST(transfers_of_a_lane_are_on_one_thread_and_lanes_on_all),
          TEST(thread_that_works_holds_up_no_other),
          TEST(without_a_lane_the_least_busy_thread_is_taken),
          TEST(transfers_are_limited_over_all_threads),
          TEST(connections_are_limited_over_all_threads),
          TEST(end_of_the_client_ends_all_threads_transfers_once))
