/* The reports of a question about vehicles, by what each dealer's property can tell.
 *
 * A dealer that has registered item_make and item_model (or whose configuration names the
 * dimensions that hold them) is asked for views of vehicle pages by these parameters; the event is
 * asc_item_pageview of the Automotive Standards Council. Every other dealer is asked for page views
 * by path and title, of the paths that its vdp_path_pattern matches, or the default pattern. */
#ifndef AMCP_AGGREGATE_VEHICLES_H
#define AMCP_AGGREGATE_VEHICLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/call/fanout.h"
#include "aggregate-svc/call/tool.h"
#include "aggregate-svc/cohort/leads.h"
#include "aggregate-svc/figures/models.h"
#include "aggregate-svc/period/period.h"

/* Paths of vehicle pages where nothing is configured: a folder of the inventory, and below it a
 * model year or a VIN. */
extern const char vehicles_vdp_paths[];

/* What is asked. */
struct vehicle_questions {
  const struct period *periods[MODELS_RANGES];
  size_t n_periods;
  const struct period *look_back; /* for the lead event of dealers; with `leads` */
  bool vdp, kinds, leads;         /* which reports beside the views by model, and sessions by day */
  bool by_condition;              /* views and leads apart for new and used */
  bool by_date, by_week;          /* views apart for each */
  /* By which the days are judged; vehicles_plan() fills them in. */
  struct period baselines[2];
  size_t n_baselines;
};

/* Collects the lead events of the dealers when leads are asked for, makes the reports of every
 * dealer, adds them to the plan and begins the fold. ERR_RESOURCE_EXHAUSTED when the call's arena
 * is full. The question must outlive the plan. */
enum err_code vehicles_plan(struct tool_call *c, struct vehicle_questions *q,
                            struct lead_events *leads, struct plan *p, struct models_fold *fold,
                            struct err *e);

#endif
