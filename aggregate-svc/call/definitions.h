/* Which parameters of events each property of a call has registered as custom dimensions.
 *
 * A property answers reports over customEvent:item_model only when its owner registered the
 * parameter. report-svc reads that from the property's metadata; what it says is kept for a day,
 * for up to 4,096 dealers of the process. A dealer whose dimensions are configured is
 * not asked, nor one outside the caller's view. */
#ifndef AMCP_AGGREGATE_DEFINITIONS_H
#define AMCP_AGGREGATE_DEFINITIONS_H

#include <stdint.h>

#include "aggregate-svc/cohort/cohort.h"
#include "common/base/error.h"
#include "common/base/table.h"
#include "common/rpc/rpc.h"

enum { DEFINITIONS_DEALERS = 4096, DEFINITIONS_AT_ONCE = 64 };

/* What each dealer has registered, by its id. table_free() ends it. */
void definitions_cache_init(struct table *cache);

struct definitions_options {
  struct table *cache;
  struct rpc_channel *report; /* to report-svc */
  struct rpc_call *parent;    /* the call being served, whose grant is passed on */
  struct cohort *cohort;      /* `registered` of its members is filled in */
  int64_t deadline_ms;        /* on clock_mono_ms()'s scale */
  /* NULL: the dealers that are to be read by vehicle parameters, and one that cannot be asked has
   * failed. Else those it names; the others, and those that cannot be asked, stay as they are. */
  bool (*wanted)(const void *user, size_t member);
  const void *wanted_user;
};

struct definitions;

/* Asks for what is not kept, DEFINITIONS_AT_ONCE dealers at a time. A dealer that cannot be asked
 * has failed, with the reason, in the cohort. finished() runs once, without a lock, possibly before
 * this returns; its status is an error only when the caller's grant is no longer taken. It may free
 * the question. */
void definitions_find(struct definitions **out, const struct definitions_options *options,
                      void (*finished)(void *user, const struct err *status), void *user);
/* After `finished`. NULL is fine. */
void definitions_free(struct definitions *d);

#endif
