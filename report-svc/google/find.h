/* Finds the properties of a dealer for whom the configuration names none: reads accountSummaries
 * with the dealer's token, and lets auth-svc, which owns the dealers, say which of them are the
 * dealer's. What comes of it is kept (found.h) for google_options.properties_ttl_ms, that there are
 * none for a minute. Not for use outside of google/.
 *
 * Nothing here blocks; callbacks run on the threads of common/http and common/rpc. */
#ifndef AMCP_REPORT_FIND_H
#define AMCP_REPORT_FIND_H

#include "report-svc/google/found.h"
#include "report-svc/google/google.h"

struct find;

struct find_options {
  struct google *google;
  const struct google_call_options *call; /* for whom: parent, subject, purpose, deadline */
  const char *subject_id;
  struct token *token; /* auth-svc's answer for the same */
  /* The end, exactly once, perhaps before find_start() returns. e->code ERR_OK: `found` is borrowed
   * and has properties. */
  void (*on_done)(void *user, const struct found *found, const struct err *e);
  void *user;
};

/* One reference for the owner; copies what it keeps. The call's options outlive it. */
struct find *find_new(const struct find_options *options);
void find_start(struct find *f);
struct find *find_ref(struct find *f);
/* NULL is fine. */
void find_unref(struct find *f);
/* on_done follows with ERR_CANCELLED, perhaps before this returns, unless it ran. Thread-safe. */
void find_cancel(struct find *f);

#endif
