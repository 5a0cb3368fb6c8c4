/* What a tool over dealers is: plan, fold, result. Everything else is the skeleton's: reading
 * and checking the fields that requests share, resolving the cohort, the fan-out, progress,
 * the envelope, the audit of what was released, and errors.
 *
 *   check    the tool's own arguments
 *   plan     the reports each dealer is asked for, from request, period and cohort
 *   fold     how their columns become figures (figures/fold.h)
 *   result   figures to message
 *
 * A request may have the fields dealer_ids, region, cohort, subject and date_range; they are
 * found by name, and one that is missing counts as empty. The response is a
 * `oneof { mcp.v1.Progress progress; X result; }`. tools/NAME.c defines one struct tool;
 * methods.c lists it. */
#ifndef AMCP_AGGREGATE_TOOL_H
#define AMCP_AGGREGATE_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/call/fanout.h"
#include "aggregate-svc/call/request.h"
#include "aggregate-svc/cohort/cohort.h"
#include "aggregate-svc/disclosure/door.h"
#include "aggregate-svc/figures/budget.h"
#include "aggregate-svc/figures/fold.h"
#include "aggregate-svc/period/period.h"
#include "aggregate-svc/suspect/lately.h"
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/ga4/lookback.h"

/* The reports that each dealer of a call is asked for. */
struct plan {
  struct query_set all; /* of every dealer, unless there are sets */
  /* Where dealers are asked for different reports; lent by the tool. */
  const struct query_set *sets;
  const uint16_t *set_of;      /* a member's set */
  bool add_properties;         /* of a dealer that has several; else the default one is read */
  int64_t max_rows_per_report; /* 0 for report-svc's own limit */
};
/* Adds a report of all dealers. False, and nothing added, when query is NULL (no memory) or none
 * fits. */
bool tool_plan_add(struct plan *p, Analytics__Report__V1__ReportQuery *query);
/* ERR_RESOURCE_EXHAUSTED: the reports of so many dealers do not fit into the call's arena. what:
 * "question", "comparison". */
enum err_code tool_cohort_too_large(struct err *e, const char *what);

/* One call as its tool sees it. */
struct tool_call {
  const ProtobufCMessage *request; /* lives as long as the call */
  struct request_fields fields;    /* of it */
  struct period period;            /* date_range, checked */
  struct lookback *lookback;       /* of the service, as the next */
  struct suspect_lately *lately;   /* suspect data is noted there */
  int64_t now_unix_ms;             /* when the question was asked */
  struct cohort cohort;            /* known from plan on */
  size_t not_visible;              /* TOOL_VISIBLE: dealers that were left out */
  struct arena *arena;             /* for check and plan; capped */
  struct budget budget;            /* for rows, over all calls */
  int64_t max_rows;                /* over all dealers of the call */
  struct err without;              /* of an optional tool: why no dealer could be asked */
  struct door door; /* every figure of dealers outside the caller's view goes through it */
  void *state;      /* the tool's own, zeroed at the start; the fold's figures come first */
};

/* Which dealers take part. */
enum tool_dealers {
  TOOL_PEERS,   /* all of the cohort; those the caller may not see through the disclosure */
  TOOL_VISIBLE, /* those the caller may read; by default all of them */
};

/* The period of a request that names none. */
enum tool_period {
  TOOL_LAST_28_DAYS, /* full days, in each property's zone */
  TOOL_LAST_4_WEEKS, /* ISO weeks that Google has finished, the same for every caller */
};

/* Of which dealers it is looked up what their properties have registered, before the plan. */
enum tool_definitions {
  TOOL_NO_DEFINITIONS,
  TOOL_VEHICLE_DEFINITIONS, /* those read by vehicle parameters; one that cannot be asked fails */
  TOOL_ALL_DEFINITIONS,     /* every one; of those that cannot be asked it stays unknown */
};

struct tool {
  const char *rpc;
  enum tool_dealers dealers;
  enum tool_period period;
  enum tool_definitions definitions;
  /* Its result stands without a dealer: none found, or all failed, does not end the call. */
  bool optional;
  bool kept; /* its result uses disclosure/outside.h: released figures may do by themselves */
  size_t state_size;
  const struct fold *fold; /* over the state */
  /* May be NULL. Whether a dealer had chats or texts in the period: of those that had some, it is
   * looked up which they were (call/messages.h). */
  bool (*has_messages)(const void *state, size_t member);
  /* May be NULL. ERR_INVALID_ARGUMENT names the field. */
  enum err_code (*check)(struct tool_call *c, struct err *e);
  /* May be NULL. Chooses other days than those that were asked for, before the dealers are found:
   * whether they may be asked depends on the days. */
  enum err_code (*days)(struct tool_call *c, struct err *e);
  enum err_code (*plan)(struct tool_call *c, struct plan *p, struct err *e);
  /* Computes the result, on a worker; at least one dealer is in the figures. Runs a second time
   * when the first one needed dealers that had not been asked (door.h). It may live in the arena,
   * which has no cap: inputs are capped where they enter. NULL when *e is set. */
  ProtobufCMessage *(*result)(struct tool_call *c, struct arena *arena, struct err *e);
};

struct aggregate_service;
struct rpc_call;

/* Serves one call of a tool; rpc_handler's contract. */
void tool_serve(const struct tool *tool, struct aggregate_service *service, struct rpc_call *call,
                const ProtobufCMessage *request);

#endif
