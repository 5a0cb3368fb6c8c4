/* Inside of google/call*.c: one call to Google and its phases (the design: call.c). */
#ifndef AMCP_REPORT_GOOGLE_CALL_IMPL_H
#define AMCP_REPORT_GOOGLE_CALL_IMPL_H

#include <pthread.h>

#include "common/base/backoff.h"
#include "common/base/mem.h"
#include "report-svc/google/find.h"
#include "report-svc/google/google_impl.h"

#define CALL_MAGIC 0x676f6f67u

enum phase {
  PHASE_NEW,
  PHASE_TOKEN,
  PHASE_FIND,
  PHASE_PLACE,
  PHASE_TRANSFER,
  PHASE_WAIT,
  PHASE_DONE
};

struct google_call {
  unsigned magic;
  atomic_int refs;
  struct google *google;
  struct google_call_options options;
  char *subject_id;
  struct token *token;
  struct google_target target;
  struct place place;
  struct backoff backoff;
  unsigned attempts, failed_500;
  uint32_t waited_ms;
  bool renewed, token_again;
  unsigned char rejected[32]; /* SHA-256 of the token Google refused */
  bool has_rejected;

  pthread_mutex_t lock;
  enum phase phase;
  bool cancelled;
  struct rpc_client_call *rpc;
  struct find *find;
  struct http_transfer *transfer;
};

/* call.c: ends the call and drops the reference of the chain. */
void call_finish(struct google_call *c, const struct err *e);
void call_finish_cancelled(struct google_call *c);
/* Moves on to a phase; false when the call was cancelled meanwhile. */
bool call_enter(struct google_call *c, enum phase phase);
/* Lets the owner know that the call waits. Before a cancel may end it. */
void call_waits(void *call);
/* What is left until the deadline, at least 1 ms and at most so many. */
uint32_t call_remaining_ms(const struct google_call *c, uint32_t at_most);

/* call_token.c: asks auth-svc for a token, and finds out what is asked with it. */
void call_seek_token(struct google_call *c);
void call_use_token(struct google_call *c);
/* Google refused the token: another one, once. */
void call_renew_token(struct google_call *c);
/* auth-svc's answer to an equal ask, while its lease lasts; NULL when there is none. */
struct token *call_leased_token(const struct google_call *c);

/* call_place.c: waits for a place at the governor, then sends. */
void call_seek_place(struct google_call *c);
/* Takes a ticket back that a cancel missed because it was not queued yet, or finds it. */
void call_leave_queue(struct google_call *c);

/* call_transfer.c: sends the request once there is a place, and sees what came of it. */
void call_start_transfer(struct google_call *c);

#endif
