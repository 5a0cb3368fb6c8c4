/* One call of an API method, and the table of the methods. */
#ifndef GA4_SIM_CALL_H
#define GA4_SIM_CALL_H

#include "ga4-sim/report/quota.h"
#include "ga4-sim/report/request.h"
#include "ga4-sim/report/transcode.h"
#include "ga4-sim/sim/sim.h"

enum { CALL_PROPERTY_MAX = 64 };

struct route;

/* Valid while the request is answered. */
struct call {
  struct sim *sim;
  const struct request *request;
  const struct route *route;
  char property[CALL_PROPERTY_MAX];    /* {property} as in the path */
  int64_t identity;                    /* whose properties are open to the caller */
  size_t first, count;                 /* those, where the identity is a consent */
  unsigned project;                    /* of the quota's books */
  const struct world_property *target; /* NULL: the method is of none, or of properties/0 */
  const cJSON *body;                   /* transcoded; an empty object for methods without one */
  struct report_conditions conditions; /* what makes answers of the property differ */
};

/* What a method is about. */
enum route_subject {
  SUBJECT_CALLER,            /* nothing in the path */
  SUBJECT_PROPERTY,          /* a property that the caller may read */
  SUBJECT_PROPERTY_OR_SCHEMA /* or properties/0, which is everyone's */
};

struct route {
  const char *verb;
  const char *path; /* with at most one {property} */
  void (*handle)(const struct call *c, struct reply *r);
  const char *rpc; /* full name */
  enum route_subject subject;
  enum quota_category quota;
  enum fault_endpoint faults;      /* those that apply, and what the call is counted as */
  const struct message_type *body; /* NULL: the method has none */
  const struct message_type *response;
};

/* The method of a request, with {property} of its path; NULL: there is none. */
const struct route *route_find(const char *verb, const char *path,
                               char property[CALL_PROPERTY_MAX]);
/* "analyticsdata.googleapis.com" */
const char *route_service(const struct route *route);

/* Handlers: reports.c, compatibility.c, quotas.c, metadata.c, admin.c, lists.c. */
void api_run_report(const struct call *c, struct reply *r);
void api_run_alpha_report(const struct call *c, struct reply *r);
void api_batch_run_reports(const struct call *c, struct reply *r);
void api_run_pivot_report(const struct call *c, struct reply *r);
void api_batch_run_pivot_reports(const struct call *c, struct reply *r);
void api_run_realtime_report(const struct call *c, struct reply *r);
void api_run_funnel_report(const struct call *c, struct reply *r);
void api_check_compatibility(const struct call *c, struct reply *r);
void api_get_quotas_snapshot(const struct call *c, struct reply *r);
void api_get_metadata(const struct call *c, struct reply *r);
void api_list_account_summaries(const struct call *c, struct reply *r);
void api_get_property(const struct call *c, struct reply *r);
void api_list_key_events(const struct call *c, struct reply *r);
void api_list_google_ads_links(const struct call *c, struct reply *r);
void api_list_custom_dimensions(const struct call *c, struct reply *r);
void api_list_custom_metrics(const struct call *c, struct reply *r);
void api_list_data_streams(const struct call *c, struct reply *r);
void api_list_annotations(const struct call *c, struct reply *r);

#endif
