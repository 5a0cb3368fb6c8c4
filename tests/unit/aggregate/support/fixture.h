/* aggregate-svc between the stand-ins of fakes.h, and a client of it. */
#ifndef AMCP_TESTS_AGGREGATE_FIXTURE_H
#define AMCP_TESTS_AGGREGATE_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "aggregate-svc/call/service.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "common/rpc/rpc.h"
#include "tests/unit/aggregate/support/fakes.h"
#include "tests/unit/harness.h"

enum { PATIENCE_MS = 20000 }; /* of a client that is to get an answer */

/* auth-svc and report-svc fakes, and aggregate-svc's rpcs, each on a server of its own. */
struct fixture {
  struct fake_world world;
  bool unplug_auth, unplug_report; /* nothing listens there */
  struct rpc_server *auth, *report, *aggregate;
  struct aggregate_service service;
  struct rpc_channel *client;
};
/* n visible dealers with figures drawn from the seed. Between the two the test changes
 * what it wants; only the world may be changed later, between calls. */
void fixture_init(struct fixture *f, size_t n, unsigned seed);
void fixture_serve(struct fixture *f);
/* Both. */
void fixture_start(struct fixture *f, size_t n, unsigned seed);
void fixture_stop(struct fixture *f);

/* What a call of aggregate-svc brought. */
struct outcome {
  size_t n_progress;
  double last_progress;
  bool progress_increases;
  char last_text[64];
  uint8_t *packed; /* the result as it travelled */
  size_t packed_len;
  Analytics__Aggregate__V1__CompareDealerSessionsResult *compare; /* or */
  Analytics__Aggregate__V1__RunReportAcrossDealersResult *across; /* or */
  Analytics__Aggregate__V1__AnalyzeVehicleInterestResult *vehicles;
  struct err status;
  int64_t took_ms;
};
/* Calls and waits. cancel_after_progress: cancels after so many progress messages. */
void fixture_compare(struct fixture *f, struct outcome *o,
                     const Analytics__Aggregate__V1__CompareDealerSessionsRequest *request,
                     uint32_t timeout_ms, size_t cancel_after_progress);
void fixture_across(struct fixture *f, struct outcome *o,
                    const Analytics__Aggregate__V1__RunReportAcrossDealersRequest *request,
                    uint32_t timeout_ms);
/* report-svc's fake has no rows for reports about vehicles. */
void fixture_vehicles(struct fixture *f, struct outcome *o,
                      const Analytics__Aggregate__V1__AnalyzeVehicleInterestRequest *request,
                      uint32_t timeout_ms);
/* Any streaming rpc, of which only the status is kept. */
void fixture_status(struct fixture *f, struct outcome *o, const char *method,
                    const ProtobufCMessage *request, uint32_t timeout_ms);
void outcome_free(struct outcome *o);
/* Waits until no call is under way in aggregate-svc; false after 5 s. */
bool fixture_is_idle(struct fixture *f);

/* TEST_MAIN() for cases over a fixture. */
#define FIXTURE_MAIN(suite, ...)                                                                   \
  int main(int argc, char **argv)                                                                  \
  {                                                                                                \
    static const struct test_case cases_[] = {__VA_ARGS__};                                        \
    const struct test_program program_ = {(suite),           AMCP_TEST_ROOM, cases_,               \
                                          ARRAY_LEN(cases_), rpc_init,       rpc_shutdown};        \
    return test_run(&program_, argc, argv);                                                        \
  }

#endif
