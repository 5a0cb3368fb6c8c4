/* A client of aggregate-svc. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/aggregate/support/finite.h"
#include "tests/unit/aggregate/support/fixture.h"

struct waiter {
  struct outcome *outcome;
  bool compare, across, vehicles; /* whose messages are kept */
  size_t cancel_after;
  struct rpc_client_call *call;
  pthread_mutex_t lock;
  pthread_cond_t ended;
  bool done;
};

static void take_progress(struct waiter *w, const Mcp__V1__Progress *p)
{
  struct outcome *o = w->outcome;
  o->progress_increases =
      (o->n_progress == 0 || o->progress_increases) && p->progress > o->last_progress;
  o->last_progress = p->progress;
  o->n_progress++;
  snprintf(o->last_text, sizeof(o->last_text), "%s", p->message);
  if (o->n_progress == w->cancel_after)
    rpc_client_cancel(w->call);
}

static void keep_result(struct outcome *o, const ProtobufCMessage *m)
{
  CU_ASSERT_PTR_NULL(o->packed); /* exactly one result */
  CU_ASSERT_TRUE(all_numbers_are_finite(m));
  o->packed_len = protobuf_c_message_get_packed_size(m);
  o->packed = xmalloc(o->packed_len + 1);
  protobuf_c_message_pack(m, o->packed);
}

static bool on_vehicles(struct waiter *w, const ProtobufCMessage *message)
{
  const Analytics__Aggregate__V1__AnalyzeVehicleInterestResponse *r = (const void *)message;
  if (r->event_case ==
      ANALYTICS__AGGREGATE__V1__ANALYZE_VEHICLE_INTEREST_RESPONSE__EVENT_PROGRESS) {
    take_progress(w, r->progress);
    return true;
  }
  keep_result(w->outcome, &r->result->base);
  w->outcome->vehicles = analytics__aggregate__v1__analyze_vehicle_interest_result__unpack(
      NULL, w->outcome->packed_len, w->outcome->packed);
  return true;
}

static bool on_message(void *user, const ProtobufCMessage *message)
{
  struct waiter *w = user;
  struct outcome *o = w->outcome;
  if (w->vehicles)
    return on_vehicles(w, message);
  if (w->compare) {
    const Analytics__Aggregate__V1__CompareDealerSessionsResponse *r = (const void *)message;
    if (r->event_case ==
        ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_RESPONSE__EVENT_PROGRESS) {
      take_progress(w, r->progress);
      return true;
    }
    keep_result(o, &r->result->base);
    o->compare = analytics__aggregate__v1__compare_dealer_sessions_result__unpack(
        NULL, o->packed_len, o->packed);
    return true;
  }
  if (!w->across)
    return true;
  const Analytics__Aggregate__V1__RunReportAcrossDealersResponse *r = (const void *)message;
  if (r->event_case ==
      ANALYTICS__AGGREGATE__V1__RUN_REPORT_ACROSS_DEALERS_RESPONSE__EVENT_PROGRESS) {
    take_progress(w, r->progress);
    return true;
  }
  keep_result(o, &r->result->base);
  o->across = analytics__aggregate__v1__run_report_across_dealers_result__unpack(
      NULL, o->packed_len, o->packed);
  return true;
}

static void on_done(void *user, const struct err *status)
{
  struct waiter *w = user;
  pthread_mutex_lock(&w->lock);
  w->outcome->status = *status;
  w->done = true;
  pthread_cond_signal(&w->ended);
  pthread_mutex_unlock(&w->lock);
}

static void run(struct fixture *f, struct outcome *o, const char *method,
                const ProtobufCMessage *request, uint32_t timeout_ms, size_t cancel_after)
{
  struct waiter w = {.outcome = o,
                     .compare = strcmp(method, "CompareDealerSessions") == 0,
                     .across = strcmp(method, "RunReportAcrossDealers") == 0,
                     .vehicles = strcmp(method, "AnalyzeVehicleInterest") == 0,
                     .cancel_after = cancel_after,
                     .lock = PTHREAD_MUTEX_INITIALIZER,
                     .ended = PTHREAD_COND_INITIALIZER};
  struct rpc_metadata grant = {RPC_META_GRANT, FAKE_CALLER_GRANT, sizeof(FAKE_CALLER_GRANT)};
  struct rpc_client_options options = {
      .timeout_ms = timeout_ms, .metadata = &grant, .n_metadata = 1};
  struct rpc_client_callbacks callbacks = {on_message, on_done};
  struct err e = {0};
  memset(o, 0, sizeof(*o));
  int64_t start = clock_mono_ms();
  pthread_mutex_lock(&f->world.lock); /* hands the world over to the fakes */
  pthread_mutex_unlock(&f->world.lock);
  CU_ASSERT_EQUAL_FATAL(
      rpc_client_start(&w.call, f->client, &analytics__aggregate__v1__aggregate_service__descriptor,
                       method, RPC_SERVER_STREAMING, request, &options, &callbacks, &w, &e),
      ERR_OK);
  pthread_mutex_lock(&w.lock);
  while (!w.done)
    pthread_cond_wait(&w.ended, &w.lock);
  pthread_mutex_unlock(&w.lock);
  pthread_mutex_lock(&f->world.lock); /* and takes it back */
  pthread_mutex_unlock(&f->world.lock);
  rpc_client_release(w.call);
  o->took_ms = clock_mono_ms() - start;
}

void fixture_compare(struct fixture *f, struct outcome *o,
                     const Analytics__Aggregate__V1__CompareDealerSessionsRequest *request,
                     uint32_t timeout_ms, size_t cancel_after_progress)
{
  run(f, o, "CompareDealerSessions", &request->base, timeout_ms, cancel_after_progress);
}

void fixture_across(struct fixture *f, struct outcome *o,
                    const Analytics__Aggregate__V1__RunReportAcrossDealersRequest *request,
                    uint32_t timeout_ms)
{
  run(f, o, "RunReportAcrossDealers", &request->base, timeout_ms, 0);
}

void fixture_vehicles(struct fixture *f, struct outcome *o,
                      const Analytics__Aggregate__V1__AnalyzeVehicleInterestRequest *request,
                      uint32_t timeout_ms)
{
  run(f, o, "AnalyzeVehicleInterest", &request->base, timeout_ms, 0);
}

void fixture_status(struct fixture *f, struct outcome *o, const char *method,
                    const ProtobufCMessage *request, uint32_t timeout_ms)
{
  run(f, o, method, request, timeout_ms, 0);
}

void outcome_free(struct outcome *o)
{
  free(o->packed);
  if (o->compare != NULL)
    protobuf_c_message_free_unpacked(&o->compare->base, NULL);
  if (o->across != NULL)
    protobuf_c_message_free_unpacked(&o->across->base, NULL);
  if (o->vehicles != NULL)
    protobuf_c_message_free_unpacked(&o->vehicles->base, NULL);
  memset(o, 0, sizeof(*o));
}
