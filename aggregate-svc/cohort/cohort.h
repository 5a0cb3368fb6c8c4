/* The dealers of one question, and what became of each. */
#ifndef AMCP_AGGREGATE_COHORT_H
#define AMCP_AGGREGATE_COHORT_H

#include <stdbool.h>
#include <stddef.h>

#include "analytics/auth/v1/auth.pb-c.h"
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/ga4/leads.h"

enum { COHORT_MAX_DEALERS = 500 };
/* In the place of a first day: there is no data at all. */
enum { COHORT_NO_DATA = -1 };

enum dealer_state {
  DEALER_PENDING,
  DEALER_OK,
  DEALER_FAILED,
  DEALER_NOT_ASKED, /* outside the caller's view, and nothing may be released of it */
};

/* What releases over a cohort are kept under; all empty when nobody is outside the view. */
struct cohort_scope {
  const char *cohort, *version, *view, *viewer;
};

/* What a website calls a model of the catalogue. */
struct vehicle_name {
  const char *value, *make, *model;
};

/* Where a dealer's reports show which vehicle was viewed. "" where nothing is configured. */
struct vehicle_settings {
  const char *make, *model, *condition; /* dimensions of the configuration */
  const char *vdp_path_pattern;         /* RE2, of the paths of vehicle pages */
  const struct vehicle_name *names;     /* of a visible dealer */
  size_t n_names;
  unsigned registered; /* parameters the property has registered, enum event_parameter bits */
};
enum event_parameter {
  VEHICLE_PARAMETER_MAKE = 1,
  VEHICLE_PARAMETER_MODEL = 2,
  VEHICLE_PARAMETER_CONDITION = 4,
  VEHICLE_PARAMETER_FUEL = 8,
  PARAMETER_COMM_TYPE = 16,
  PARAMETERS_KNOWN = 32, /* the property was asked */
};

/* What the chats and texts of a dealer were in the period. */
struct cohort_messages {
  enum {
    MESSAGES_NOT_ASKED,      /* there are none, or it could not be read */
    MESSAGES_NOT_REGISTERED, /* the property does not have comm_type as a custom dimension */
    MESSAGES_TOLD,
  } state;
  int64_t of[LEAD_MESSAGES]; /* MESSAGES_TOLD */
  bool asked;                /* before it was known whether there are some */
};

struct cohort_member {
  const char *ref;                       /* what FetchReports takes */
  bool visible;                          /* name and own figures may be shown */
  const char *dealer_id, *name, *region; /* "" unless visible */
  char **groups;                         /* none unless visible */
  size_t n_groups;
  const char *owner;                /* opaque, never shown */
  const char *lead_event;           /* configured; "" when not */
  struct vehicle_settings vehicles; /* how its vehicle pages are read */
  const char *qualified_session;    /* likewise: what a shopper session is */
  const char *time_zone;            /* likewise: overrides the property's */
  size_t properties;                /* of a visible dealer */
  /* Outcome; written by the fan-out. */
  enum dealer_state state;
  /* Of a visible dealer without data in the period: the first day with data, after the period
   * (since 1970-01-01), or COHORT_NO_DATA; 0: not so, or not known. */
  int64_t first_day;
  struct cohort_messages messages; /* of a visible dealer */
  uint32_t properties_read;        /* that its figures are added up from; 0 means 1 */
  enum err_code code;
  char reason[40];
  char message[400]; /* shown for visible members only, but see cohort_share_spent() */
};

/* Strings live in the arena given when it was filled. Plain data, one owner at a time. */
struct cohort {
  const char *id;
  const char *label;
  struct cohort_member *members;
  size_t n;
  long subject;       /* index of the dealer asked about; -1 when there is none */
  size_t outside;     /* members that are not visible */
  const void *sealed; /* sealed benchmark grant */
  size_t sealed_len;
  struct cohort_scope scope;
  /* Set by the disclosure once a release of this cohort and period is kept: how many members
   * outside the view it rests on, in place of how many answer now. */
  bool outside_frozen;
  size_t outside_asked, outside_ok;
};

/* Copies auth-svc's answer. ERR_INTERNAL when it breaks its contract,
 * ERR_INVALID_ARGUMENT beyond COHORT_MAX_DEALERS, ERR_RESOURCE_EXHAUSTED when the arena's
 * cap is reached. */
enum err_code cohort_from_resolved(struct cohort *out,
                                   const Analytics__Auth__V1__ResolveCohortResponse *r,
                                   struct arena *arena, struct err *e);
/* Appends a page of ListDealers to a zeroed cohort; all members are visible. */
enum err_code cohort_add_listed(struct cohort *c, const Analytics__Auth__V1__ListDealersResponse *r,
                                struct arena *arena, struct err *e);
/* Drops the members that are not visible; returns how many there were. */
size_t cohort_keep_visible(struct cohort *c);

/* Members in a state. */
size_t cohort_count(const struct cohort *c, enum dealer_state state);

/* Members that were asked for, and members in the figures; those outside the view as frozen. */
size_t cohort_asked(const struct cohort *c);
size_t cohort_in_figures(const struct cohort *c);

/* The earliest first day of members whose data begins after the period; 0 when none is known. */
int64_t cohort_first_day(const struct cohort *c);

/* How many dealers the answer rests on; failed visible dealers by name, others counted. */
Analytics__Report__V1__Coverage *cohort_coverage(const struct cohort *c, struct arena *arena);
/* The error of a call for which no dealer answered: every failure, dealers with the same
 * one together, dealers outside the caller's view counted only. The code is that of the
 * failures when they agree. Returns e->code. */
enum err_code cohort_all_failed(const struct cohort *c, struct err *e);
/* A member outside the caller's view that was not asked because the caller's share of such reports
 * is used up; its message, which names nobody, says until when. NULL for none. */
const struct cohort_member *cohort_share_spent(const struct cohort *c);

/* "Northgate Ford, Bay Toyota and 3 dealers you may not see by name": the members for
 * which in(member, arg). At most 5 names. Empty string when there are none. */
typedef bool cohort_filter(const struct cohort *c, size_t member, const void *arg);
char *cohort_names(const struct cohort *c, cohort_filter *in, const void *arg, struct arena *arena);
/* The members that are in no figure, those outside the view as frozen. */
char *cohort_missing_names(const struct cohort *c, struct arena *arena);
size_t cohort_count_if(const struct cohort *c, cohort_filter *in, const void *arg);

#endif
