/* One call being served: find the dealers at auth-svc (dealers.h), ask report-svc for their reports
 * (reports.h), compute on a worker and answer (compute.h). A state machine driven by callbacks;
 * nothing in it blocks a poller.
 *
 * Each step hands the job on to the next one; at any time one callback owns it, except
 * during the fan-out, whose lock covers the fold. The call's cancellation ends every step
 * through the rpc layer (rpc_client_options.parent). Private to call/: tools see tool.h. */
#ifndef AMCP_AGGREGATE_JOB_H
#define AMCP_AGGREGATE_JOB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "aggregate-svc/call/fanout.h"
#include "aggregate-svc/call/finish.h"
#include "aggregate-svc/call/first_days.h"
#include "aggregate-svc/call/lookup.h"
#include "aggregate-svc/call/messages.h"
#include "aggregate-svc/call/service.h"
#include "aggregate-svc/call/tool.h"
#include "common/base/error.h"
#include "common/rpc/rpc.h"

enum { JOB_MAGIC = 0x4a6f6221, JOB_ARENA_BYTES = 16 * 1024 * 1024 };

/* What is looked up after the fan-out, one after the other. */
enum job_lookup {
  JOB_FIRST_DAYS,
  JOB_MESSAGES_REGISTERED,
  JOB_MESSAGES,
  JOB_LOOKUPS,
};

struct job {
  uint32_t magic;
  const struct tool *tool;
  struct aggregate_service *service;
  struct rpc_call *rpc;
  struct tool_call call;
  struct plan plan;
  struct presence presence;
  struct definitions_question registered_question, messages_registered_question;
  struct first_days_question first_days_question;
  struct messages_question messages_question;
  /* Before the fan-out, while it runs, and after it; NULL where nobody was asked. */
  struct lookup *registered, *early, *after[JOB_LOOKUPS];
  size_t next_lookup; /* of those after it; they are not repeated */
  struct fanout *fanout;
  atomic_int waiting;         /* for the fan-out and what is looked up while it runs */
  struct err error;           /* of the step under way */
  struct err early_error;     /* of what is looked up while the fan-out runs */
  int64_t started_ms;         /* monotonic */
  int64_t deadline_ms;        /* for asking; an answer still gets out before the caller's */
  size_t asked;               /* dealers that are asked */
  size_t ended;               /* those that ended before the fan-out under way */
  int64_t progress_step;      /* dealers between two progress messages */
  struct finish_entry finish; /* in the queue of late jobs */
  bool detached;              /* the call has ended; the job goes on in that queue (late.h) */
};

/* A job that takes over the call's reference. When too many calls are under way it answers
 * RESOURCE_EXHAUSTED and returns NULL. */
struct job *job_begin(const struct tool *tool, struct aggregate_service *service,
                      struct rpc_call *rpc, const ProtobufCMessage *request);
/* Ends the call with an error (or well, when it is NULL) and frees the job. */
void job_end(struct job *j, const struct err *e);

/* The same, because no worker is free. */
void job_end_busy(struct job *j);
/* The two halves of job_end(), for late.h. */
void job_close(struct job *j, const struct err *e);
void job_free(struct job *j);

/* What a lookup of the job's dealers needs to know of the call. */
struct lookup_call job_lookup_call(struct job *j);

#endif
