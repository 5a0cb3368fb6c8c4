/* A report that Google does not give in one piece: with metrics of a dealer's own events
 * (common/ga4/own.h), or over several properties of a dealer.
 *
 * For each property one batch asks for the parts:
 *
 *     report     the asked dimensions and GA4's metrics
 *     events     the same dimensions and eventName: firings and sessions of the events that count
 *     shoppers   the same dimensions: sessions with a page of inventory
 *     look-back  90 days of the candidates for a lead event, unless it is known (own/plan.c)
 *
 * The answers are joined by the values of the dimensions (own/join.c), ordered and cut as was asked
 * (own/page.c), and look like an answer of Google to whoever reads them. */
#ifndef AMCP_REPORT_OWN_H
#define AMCP_REPORT_OWN_H

#include "common/ga4/leads.h"
#include "report-svc/ask/ask.h"

enum {
  OWN_MAX_PROPERTIES = 10,
  OWN_MAX_COMBINATIONS = 50000, /* of dimension values in one report */
};

/* Whether a report asks for a metric that GA4 does not have. */
bool own_is_asked(const Analytics__Ga4__V1beta__RunReportRequest *asked);
/* Whether a report can be put together. ERR_INVALID_ARGUMENT names the argument that cannot. */
enum err_code own_check(const Analytics__Ga4__V1beta__RunReportRequest *asked, struct err *e);

struct own_job;

/* What it points to must outlive the job. */
struct own_options {
  struct service *service;
  struct rpc_call *parent;
  const char *dealer_id, *property_id; /* as in ask_options */
  Analytics__Auth__V1__Purpose purpose;
  /* Passed own_check(); with a complete order. */
  const Analytics__Ga4__V1beta__RunReportRequest *asked;
  bool all;        /* all rows, whatever limit and offset say */
  bool first_only; /* of several properties only the default one is read */
  /* The end, exactly once; e->code is ERR_OK on success. */
  void (*on_done)(void *user, struct own_job *j, const struct err *e);
  void *user;
};

/* As ask_new(), ask_start(), ... */
struct own_job *own_job_new(const struct own_options *options);
void own_job_start(struct own_job *j);
struct own_job *own_job_ref(struct own_job *j);
void own_job_unref(struct own_job *j);
void own_job_cancel(struct own_job *j);

/* What is to be said of the figures. Texts live as long as the job. */
struct own_facts {
  size_t properties;      /* that were read */
  bool leads, shoppers;   /* figures rest on them */
  bool calls, chats;      /* asked for, and not one in these days */
  bool some_chats;        /* asked for, and some */
  const char *lead_event; /* of the first property; NULL: none is known there */
  bool configured;        /* it is the dealer's setting */
  int shopper;            /* of the first property, see common/ga4/leads.h */
  const char *shopper_event;
  size_t without_leads;    /* properties whose lead event is not known: they count 0 */
  size_t without_shoppers; /* likewise */
  const char *first_only[REQUEST_MAX_METRICS]; /* metrics of the first property alone */
  size_t n_first_only;
};

/* After the end, when it went well. All live as long as the job. */
const Analytics__Ga4__V1beta__RunReportResponse *own_report(const struct own_job *j);
const struct own_facts *own_facts(const struct own_job *j);
/* The first property's ask: token, property, name of the dealer. Also after an error; NULL before
 * the start. */
const struct ask *own_ask(const struct own_job *j);
/* That of property i of facts.properties. */
const struct ask *own_ask_of(const struct own_job *j, size_t i);
/* The first property from number `from` on of which the report has no row though it might have one
 * (first_day_matters()); facts.properties: there is none. */
size_t own_without_rows(const struct own_job *j, size_t from);
/* ask_set_first_day() of property i. */
void own_set_first_day(struct own_job *j, size_t i, int64_t day);

#endif
