/* One unary rpc of report-svc for each of some dealers, a few at a time.
 *
 * The request has a field dealer_id, and what `fill` sets. Only dealers that the caller may
 * see are asked about: the caller's own grant is passed on. */
#ifndef AMCP_AGGREGATE_EACH_H
#define AMCP_AGGREGATE_EACH_H

#include "aggregate-svc/cohort/cohort.h"
#include "common/base/error.h"
#include "common/rpc/rpc.h"

struct each_options {
  struct rpc_channel *report; /* to report-svc */
  struct rpc_call *parent;    /* the call being served */
  int64_t deadline_ms;        /* on clock_mono_ms()'s scale */
  const struct cohort *cohort;
  const char *method; /* of ReportService */
  size_t at_once;
  /* May be NULL. Sets the rest of the request, lent until it returns to the rpc layer. */
  void (*fill)(void *user, size_t member, ProtobufCMessage *request);
  /* Whether a member is asked about; called once for each. */
  bool (*wanted)(void *user, size_t member);
  /* What came of it, one at a time, under a lock: short, no call back. */
  void (*answered)(void *user, size_t member, const ProtobufCMessage *response);
  void (*failed)(void *user, size_t member, const struct err *e);
  /* The end, once, without a lock, possibly before each_start() returns. An error only when the
   * caller's grant is no longer taken. May free the question. */
  void (*finished)(void *user, const struct err *status);
  void *user;
};

struct each;

void each_start(struct each **out, const struct each_options *options);
/* After `finished`. NULL is fine. */
void each_free(struct each *e);

#endif
