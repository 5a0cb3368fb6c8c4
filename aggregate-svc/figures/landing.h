/* Sessions without a landing page: Google has "" and "(not set)" for them, which are one row to a
 * person. */
#ifndef AMCP_AGGREGATE_FIGURES_LANDING_H
#define AMCP_AGGREGATE_FIGURES_LANDING_H

#include "aggregate-svc/figures/pool.h"

struct landing_rows {
  bool joined; /* rows of a dealer became one */
  bool apart;  /* a dealer has two rows that are equal but for metrics that may not be added */
};

/* Names "" "(not set)" where a dimension is a landing page, and joins the rows of a dealer that are
 * equal then, if all its metrics may be added or averaged over a weight. `columns`: of every metric
 * that a reader sees; n_columns less than n_shown says that some may not. Call it when all dealers
 * have answered. */
struct landing_rows across_join_landing(struct across_tables *t, char *const *dimensions,
                                        const struct pooled_column *columns, size_t n_columns,
                                        size_t n_shown);

#endif
