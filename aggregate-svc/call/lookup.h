/* One unary rpc of report-svc for each of some dealers, a few at a time: what a call looks up
 * beside its fan-out. A kind says which dealers are asked what, and what becomes of the answers
 * (definitions.h, first_days.h, messages.h).
 *
 * Only dealers that the caller may see are asked: the caller's own grant is passed on. */
#ifndef AMCP_AGGREGATE_LOOKUP_H
#define AMCP_AGGREGATE_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/cohort/cohort.h"
#include "common/base/error.h"
#include "common/rpc/rpc.h"

enum { LOOKUP_AT_ONCE = 64 };

/* A table; `question` is what lookup_start() was given. The functions run one at a time, under a
 * lock: short, no call back. */
struct lookup_kind {
  const char *method; /* of ReportService; its request has a field dealer_id */
  /* Whether a visible member is asked about; once for each. What is kept of it is filled in. */
  bool (*wanted)(const void *question, size_t member);
  /* May be NULL. Sets the rest of the request, lent until it returns to the rpc layer. */
  void (*fill)(const void *question, ProtobufCMessage *request);
  void (*answered)(const void *question, size_t member, const ProtobufCMessage *response);
  /* NULL: what cannot be looked up stays unknown, and the answer does without. */
  void (*failed)(const void *question, size_t member, const struct err *e);
};

/* Lent until `finished`. */
struct lookup_call {
  struct rpc_channel *report; /* to report-svc */
  struct rpc_call *parent;    /* the call being served */
  struct cohort *cohort;
  int64_t deadline_ms; /* on clock_mono_ms()'s scale */
};

struct lookup;

/* Asks. False: there is nobody to ask, and finished() never runs. Else it runs once, without a
 * lock, possibly before this returns; its status is an error only when the caller's grant is no
 * longer taken. The question is lent until then. */
bool lookup_start(struct lookup **out, const struct lookup_kind *kind,
                  const struct lookup_call *call, const void *question,
                  void (*finished)(void *user, const struct err *status), void *user);
/* After `finished`. NULL is fine. */
void lookup_free(struct lookup *l);

#endif
