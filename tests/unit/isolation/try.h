/* Random calls of one caller in one world; each returns the violations it met. */
#ifndef AMCP_TESTS_ISOLATION_TRY_H
#define AMCP_TESTS_ISOLATION_TRY_H

#include "tests/unit/isolation/oracle.h"
#include "tests/unit/isolation/stage.h"

/* What the calls came to, so that a test which proves nothing shows. */
struct tally {
  size_t calls, answered, refused, members_read;
  size_t tokens;                  /* of several dealers at once */
  size_t by_certificate, revoked; /* callers */
  size_t vehicles;                /* answers about vehicles */
  size_t leads, leads_across;     /* answers with leads, of one dealer and of several */
  size_t dealer[5];               /* answers of each tool about one dealer */
  struct oracle_stats disclosure;
};

struct attempt {
  struct stage *stage;
  struct tally *tally;
  struct claimant claimant;
  struct view view;
  char *bearer;              /* NULL: it came by certificate */
  ProtobufCBinaryData grant; /* sealed, for the view */
  struct reply authenticated;
  bool revoked;
  size_t answered_though_revoked;
};

/* A claimant drawn at random, with a signed bearer, or a policy for a certificate, that
 * auth-svc must take. */
size_t attempt_begin(struct attempt *a, struct stage *s, struct tally *t);
/* Revokes it in one of the ways there are; from now on its view is empty, and neither its
 * bearer nor its grant may bring anything. */
size_t attempt_revoke(struct attempt *a);
void attempt_end(struct attempt *a);

typedef size_t try_fn(struct attempt *a);
try_fn try_forged_bearer, try_list_dealers, try_list_cohorts, try_access_token, try_access_tokens,
    try_forged_grant, try_cohort, try_run_report, try_property, try_other_reports,
    try_account_summaries, try_across, try_compare, try_dealer, try_vehicles, try_list_metrics,
    try_fetch_reports;

#endif
