/* Starts and stops the three services. */
#include "tests/unit/aggregate/support/fixture.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "aggregate-svc/methods.h"

static struct rpc_server *serve(const struct fake_service *what, void *service)
{
  struct rpc_server *s = NULL;
  struct err e = {0};
  struct rpc_server_options o = {.listen = "127.0.0.1:0", .drain_ms = 1, .grace_ms = 2000};
  CU_ASSERT_EQUAL_FATAL(rpc_server_new(&s, &o, &e), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(rpc_server_add(s, what->descriptor, what->methods, what->n, service, &e),
                        ERR_OK);
  CU_ASSERT_EQUAL_FATAL(rpc_server_start(s, &e), ERR_OK);
  return s;
}

static struct rpc_channel *connect_to(uint16_t port, const char *name)
{
  char target[64];
  struct rpc_channel *ch = NULL;
  struct err e = {0};
  snprintf(target, sizeof(target), "127.0.0.1:%u", port);
  struct rpc_channel_options o = {.target = target, .name = name};
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&ch, &o, &e), ERR_OK);
  return ch;
}

void fixture_init(struct fixture *f, size_t n, unsigned seed)
{
  memset(f, 0, sizeof(*f));
  pthread_mutex_init(&f->world.lock, NULL);
  fake_dealers(&f->world, n, seed);
  f->service.options = AGGREGATE_OPTIONS_DEFAULT;
  f->service.options.batch_dealers = 5;
}

void fixture_serve(struct fixture *f)
{
  f->auth = serve(&fake_auth, &f->world);
  f->report = serve(&fake_report, &f->world);
  f->service.auth = connect_to(f->unplug_auth ? 1 : rpc_server_port(f->auth), "auth-svc");
  f->service.report = connect_to(f->unplug_report ? 1 : rpc_server_port(f->report), "report-svc");
  f->service.pool = pool_new("test", 2, 16);
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(
      release_store_new(&f->service.store, &(struct release_store_options){0}, &e), ERR_OK);
  aggregate_service_init(&f->service);
  const struct fake_service aggregate = {&analytics__aggregate__v1__aggregate_service__descriptor,
                                         aggregate_methods, aggregate_n_methods};
  f->aggregate = serve(&aggregate, &f->service);
  f->client = connect_to(rpc_server_port(f->aggregate), "aggregate-svc");
}

void fixture_start(struct fixture *f, size_t n, unsigned seed)
{
  fixture_init(f, n, seed);
  fixture_serve(f);
}

void fixture_stop(struct fixture *f)
{
  rpc_channel_free(f->client);
  aggregate_service_stop(&f->service);
  rpc_server_stop(f->aggregate);
  rpc_channel_free(f->service.auth);
  rpc_channel_free(f->service.report);
  pool_free(f->service.pool);
  aggregate_service_free(&f->service);
  release_store_free(f->service.store);
  rpc_server_stop(f->auth);
  rpc_server_stop(f->report);
  CU_ASSERT_EQUAL(atomic_load(&f->service.bytes), 0);
  CU_ASSERT_EQUAL(atomic_load(&f->service.calls), 0);
  pthread_mutex_destroy(&f->world.lock);
}

bool fixture_is_idle(struct fixture *f)
{
  for (int i = 0; i < 500; i++) {
    if (atomic_load(&f->service.calls) == 0)
      return true;
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  }
  return false;
}
