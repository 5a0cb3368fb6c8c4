/* One call being served: resolve the cohort at auth-svc, fan out over report-svc, compute
 * on a worker, answer. A state machine driven by callbacks; nothing in it blocks a poller.
 *
 * Each step hands the job on to the next one; at any time one callback owns it, except
 * during the fan-out, whose lock covers the fold. The call's cancellation ends every step
 * through the rpc layer (rpc_client_options.parent). */
#ifndef AMCP_AGGREGATE_JOB_H
#define AMCP_AGGREGATE_JOB_H

#include <stdint.h>

#include "aggregate-svc/cohort/cohort.h"
#include "aggregate-svc/call/fanout.h"
#include "aggregate-svc/call/service.h"
#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/rpc/rpc.h"
#include "mcp/v1/options.pb-c.h"

enum { JOB_MAGIC = 0x4a6f6221, JOB_ARENA_BYTES = 16 * 1024 * 1024 };

struct job;

/* What differs between the rpcs. */
struct job_type {
  const char *rpc;
  /* The cohort is known: sets queries, purpose, grant and max_rows_per_report. */
  enum err_code (*plan)(struct job *j, struct fanout_options *o, struct err *e);
  /* As in struct fanout_callbacks. */
  enum err_code (*chunk)(void *job, size_t member, const Analytics__Report__V1__ColumnChunk *chunk,
                         struct err *e);
  void (*query_done)(void *job, size_t member, const Analytics__Report__V1__QueryDone *done);
  void (*drop)(void *job, size_t member);
  /* Wraps and sends one message of the stream. */
  void (*send_progress)(struct job *j, Mcp__V1__Progress *progress);
  /* Computes the answer, on a worker; at least one dealer is in the figures. The message
   * may live in the arena, which has no cap. NULL when *e is set. */
  const ProtobufCMessage *(*result)(struct job *j, struct arena *arena, struct err *e);
  void (*free)(struct job *j); /* frees the job itself, too */
};

/* First member of the rpcs' own structs. */
struct job {
  uint32_t magic;
  const struct job_type *type;
  struct aggregate_service *service;
  struct rpc_call *call;
  struct arena *arena; /* cohort, queries */
  struct cohort cohort;
  struct fanout *fanout;
  struct err error;      /* of the step under way */
  int64_t started_ms;    /* monotonic */
  int64_t now_unix_ms;   /* when the question was asked */
  int64_t deadline_ms;   /* for asking; an answer still gets out before the caller's */
  int64_t progress_step; /* dealers between two progress messages */
};

/* Fills a zeroed job and takes over the call's reference. When too many calls are under way
 * it answers RESOURCE_EXHAUSTED, frees the job and returns false. */
bool job_begin(struct job *j, const struct job_type *type, struct aggregate_service *service,
               struct rpc_call *call);
/* Go on with the cohort: by ids or region or subject, or with every dealer the caller may
 * read. The job must not be touched afterwards. */
void job_resolve(struct job *j, const Analytics__Auth__V1__ResolveCohortRequest *request);
void job_list_visible(struct job *j);
/* Ends the call with an error (or well, when it is NULL) and frees the job. */
void job_end(struct job *j, const struct err *e);

/* When asking must end so that an answer is out by the caller's deadline (INT64_MAX for
 * none): a tenth of the time, at least 100 ms and at most 2 s, is kept back. */
int64_t job_work_deadline(int64_t now_ms, int64_t call_deadline_ms, int64_t timeout_ms);

#endif
