/* Calls and streams that end in several ways at the same time end exactly once. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/gateway/mcp/fixture.h"
#include "tests/unit/harness.h"

enum { ROUNDS = 300 };

struct round {
  struct fixture *f;
  struct answer *answer, *second;
  struct mcp_principal *principal;
  pthread_barrier_t start;
};

static void *finish(void *arg)
{
  struct round *r = arg;
  pthread_barrier_wait(&r->start);
  mcp_call_progress(r->f->held[0], 1, 2, "half");
  finish_held(r->f, 0);
  return NULL;
}

static void *cancel(void *arg)
{
  struct round *r = arg;
  pthread_barrier_wait(&r->start);
  answer_free(post(r->f, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                         "\"params\":{\"requestId\":1}}"));
  return NULL;
}

static void *leave(void *arg)
{
  struct round *r = arg;
  pthread_barrier_wait(&r->start);
  mcp_exchange_gone(r->answer->exchange);
  return NULL;
}

static void *end_session(void *arg)
{
  struct round *r = arg;
  struct mcp_principal alice = {.id = "alice"};
  pthread_barrier_wait(&r->start);
  mcp_server_delete(r->f->server, &(struct mcp_headers){.session_id = r->f->session}, &alice);
  return NULL;
}

static void *tick(void *arg)
{
  struct round *r = arg;
  pthread_barrier_wait(&r->start);
  mcp_server_tick(r->f->server);
  return NULL;
}

static void one_round(struct fixture *f, bool progress)
{
  static void *(*const ends[])(void *arg) = {finish, cancel, leave, end_session, tick};
  struct round r = {.f = f};
  fixture_initialize(f, "2025-11-25");
  f->n_held = 0;
  r.answer =
      post(f, progress ? "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{"
                         "\"name\":\"slow\",\"_meta\":{\"progressToken\":1}}}"
                       : "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{"
                         "\"name\":\"slow\"}}");
  fixture_now += 20000; /* the tick finds it slow */
  pthread_barrier_init(&r.start, NULL, ARRAY_LEN(ends));
  pthread_t threads[ARRAY_LEN(ends)];
  for (size_t i = 0; i < ARRAY_LEN(ends); i++)
    pthread_create(&threads[i], NULL, ends[i], &r);
  for (size_t i = 0; i < ARRAY_LEN(ends); i++)
    pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&r.start);
  CU_ASSERT_EQUAL(r.answer->releases, 1);
  CU_ASSERT_TRUE(r.answer->replies <= 1);
  CU_ASSERT_FALSE(r.answer->written_after_release);
  answer_free(r.answer);
}

static void calls_that_end_in_five_ways_at_once_settle_once(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  for (int i = 0; i < ROUNDS; i++)
    one_round(&f, i % 2 == 0);
  CU_ASSERT_EQUAL(mcp_server_sessions(f.server), 0);
  fixture_stop(&f);
}

/* ---------------------------------------------------------------- streams */

static void changing(struct mcp_server_options *o)
{
  o->tools.lists_change = true;
}

static void *notify(void *arg)
{
  struct round *r = arg;
  pthread_barrier_wait(&r->start);
  mcp_server_changed(r->f->server, r->principal, MCP_TOOLS_CHANGED);
  return NULL;
}

static void *withdraw(void *arg)
{
  struct round *r = arg;
  pthread_barrier_wait(&r->start);
  mcp_server_end_streams(r->f->server, r->principal);
  return NULL;
}

static void *replace(void *arg)
{
  struct round *r = arg;
  pthread_barrier_wait(&r->start);
  get_as(r->f, r->second, r->f->session, "alice");
  return NULL;
}

static void stream_round(struct fixture *f)
{
  static void *(*const ends[])(void *arg) = {notify, withdraw, replace, leave, end_session};
  struct round r = {.f = f};
  fixture_initialize(f, "2025-11-25");
  r.answer = xcalloc(1, sizeof(*r.answer));
  r.second = xcalloc(1, sizeof(*r.second));
  CU_ASSERT_EQUAL(get_as(f, r.answer, f->session, "alice"), 0);
  fixture_now += 60000;
  r.principal = mcp_server_unchecked_stream(f->server);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r.principal);
  pthread_barrier_init(&r.start, NULL, ARRAY_LEN(ends));
  pthread_t threads[ARRAY_LEN(ends)];
  for (size_t i = 0; i < ARRAY_LEN(ends); i++)
    pthread_create(&threads[i], NULL, ends[i], &r);
  for (size_t i = 0; i < ARRAY_LEN(ends); i++)
    pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&r.start);
  r.principal->unref(r.principal);
  if (r.second->exchange != NULL)
    mcp_exchange_gone(r.second->exchange);
  CU_ASSERT_EQUAL(r.answer->releases, 1);
  CU_ASSERT_EQUAL(r.second->releases, r.second->exchange != NULL);
  CU_ASSERT_FALSE(r.answer->written_after_release);
  CU_ASSERT_FALSE(r.second->written_after_release);
  answer_free(r.answer);
  answer_free(r.second);
}

static void streams_that_end_in_five_ways_at_once_end_once(void)
{
  struct fixture f;
  fixture_start(&f, changing);
  for (int i = 0; i < ROUNDS; i++)
    stream_round(&f);
  CU_ASSERT_EQUAL(mcp_server_sessions(f.server), 0);
  fixture_now += 60000;
  CU_ASSERT_PTR_NULL(mcp_server_unchecked_stream(f.server));
  fixture_stop(&f);
}

TEST_MAIN("mcp_race", TEST(streams_that_end_in_five_ways_at_once_end_once),
          TEST(calls_that_end_in_five_ways_at_once_settle_once))
