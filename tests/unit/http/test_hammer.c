/* Many threads start, cancel, pause, resume and release at random. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/backoff.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/http/fetch.h"

enum { THREADS = 6, ROUNDS = 60, BURST = 8 };

struct shared {
  struct server *server;
  struct http_client *client;
  atomic_uint sent;
  atomic_uint done;
  atomic_uint wrong; /* ended with something that cannot be */
  atomic_uint ticks;
};

struct one {
  struct shared *all;
  atomic_uint ends;
  size_t streamed;
  bool good;
  bool pausing;
  unsigned calls;
};

static enum http_flow on_body(void *user, const char *data, size_t len)
{
  struct one *o = user;
  if (o->pausing && ++o->calls % 3 == 0)
    return HTTP_PAUSE;
  o->good = o->good && server_bytes_are(o->streamed, data, len);
  o->streamed += len;
  return HTTP_CONTINUE;
}

static void on_done(void *user, const struct http_response *r)
{
  struct one *o = user;
  bool expected = r->error.code == ERR_OK || r->error.code == ERR_CANCELLED ||
                  r->error.code == ERR_DEADLINE_EXCEEDED || r->error.code == ERR_UNAVAILABLE;
  if (!expected || !o->good)
    atomic_fetch_add(&o->all->wrong, 1);
  atomic_fetch_add(&o->all->done, 1);
  atomic_fetch_add(&o->ends, 1);
}

static void tick(void *arg)
{
  atomic_fetch_add(&((struct shared *)arg)->ticks, 1);
}

static struct http_transfer *start(struct one *o)
{
  static const char *const paths[] = {
      "/echo", "/bytes?n=60000&gzip=1", "/bytes?n=200000&chunked=1",
      "/hang", "/cut?n=3000",           "/bytes?n=40000&piece=2000&pause_ms=1"};
  char url[256];
  size_t pick = (size_t)random_below(ARRAY_LEN(paths));
  snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", server_port(o->all->server), paths[pick]);
  struct http_request r = {.method = "GET",
                           .url = url,
                           .timeout_ms = 20 + (uint32_t)random_below(400),
                           .lane = (uint32_t)random_below(5),
                           .on_body = pick == 0 ? NULL : on_body,
                           .on_done = on_done,
                           .user = o};
  struct http_transfer *t;
  o->pausing = random_below(2) == 0;
  if (http_client_send(&t, o->all->client, &r, NULL) == ERR_OK)
    atomic_fetch_add(&o->all->sent, 1);
  return t;
}

static void poke(struct http_transfer *t)
{
  switch (random_below(5)) {
  case 0:
    http_transfer_cancel(t);
    break;
  case 1:
  case 2:
    http_transfer_resume(t);
    break;
  case 3:
    test_sleep_ms((long)random_below(4));
    break;
  default:
    break;
  }
}

static void *work(void *arg)
{
  struct shared *all = arg;
  for (int round = 0; round < ROUNDS; round++) {
    struct one o[BURST];
    struct http_transfer *t[BURST];
    for (int i = 0; i < BURST; i++) {
      o[i] = (struct one){.all = all, .good = true};
      t[i] = start(&o[i]);
    }
    http_client_after(all->client, (uint32_t)random_below(5), tick, all);
    for (int i = 0; i < 4 * BURST; i++)
      if (t[i % BURST] != NULL)
        poke(t[i % BURST]);
    for (int i = 0; i < BURST; i++) {
      while (t[i] != NULL && atomic_load(&o[i].ends) == 0) {
        http_transfer_resume(t[i]);
        test_sleep_ms(1);
      }
      if (t[i] != NULL && atomic_load(&o[i].ends) != 1)
        atomic_fetch_add(&all->wrong, 1);
      http_transfer_release(t[i]);
    }
  }
  return NULL;
}

static void random_use_from_many_threads_ends_every_transfer_once(void)
{
  struct shared all = {.server = server_start(NULL)};
  struct http_client_options o = {
      .threads = 3, .max_transfers = THREADS * BURST - 4, .max_host_connections = 18};
  pthread_t threads[THREADS];
  CU_ASSERT_EQUAL_FATAL(http_client_new(&all.client, &o, NULL), ERR_OK);
  for (int i = 0; i < THREADS; i++)
    CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, work, &all), 0);
  for (int i = 0; i < THREADS; i++)
    pthread_join(threads[i], NULL);
  http_client_free(all.client);
  CU_ASSERT_TRUE(atomic_load(&all.sent) > THREADS * ROUNDS);
  CU_ASSERT_EQUAL(atomic_load(&all.done), atomic_load(&all.sent));
  CU_ASSERT_EQUAL(atomic_load(&all.wrong), 0);
  CU_ASSERT_EQUAL(atomic_load(&all.ticks), THREADS * ROUNDS);
  server_stop(all.server);
}

static void clients_may_come_and_go_side_by_side(void)
{
  struct server *s = server_start(NULL);
  for (int i = 0; i < 20; i++) {
    struct http_client *c[3];
    struct fetch f[3];
    for (int j = 0; j < 3; j++) {
      c[j] = new_client();
      fetch_init(&f[j], s, j == 0 ? "/hang" : "/bytes?n=100000");
      CU_ASSERT_EQUAL(fetch_start(&f[j], c[j]), ERR_OK);
    }
    for (int j = 0; j < 3; j++) {
      http_client_free(c[j]);
      CU_ASSERT_EQUAL(f[j].n_done, 1);
      fetch_free(&f[j]);
    }
  }
  server_stop(s);
}

TEST_MAIN("http.hammer", TEST(random_use_from_many_threads_ends_every_transfer_once),
          TEST(clients_may_come_and_go_side_by_side))
