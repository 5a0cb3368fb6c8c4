/* The sentence that an answer begins with, and whose it is. */
#ifndef AMCP_REPORT_ANSWER_HEADLINE_H
#define AMCP_REPORT_ANSWER_HEADLINE_H

#include "common/base/buf.h"
#include "common/ga4/definition.h"
#include "report-svc/answer/period.h"
#include "report-svc/google/token.h"

enum { HEADLINE_MAX = 1024 };

/* A report in short. */
struct headline {
  int64_t rows, first, row_count; /* in this answer, from which on (0 is the first), in all */
  char *const *metrics;
  size_t n_metrics;
  struct ga4_definitions definitions; /* of metrics: those that are not shown are not named */
  char *const *dimensions;
  size_t n_dimensions;
  const struct answer_days *ranges; /* NULL: none, such as of realtime */
  size_t n_ranges;
};

/* Appends "Ford of Reno (d01)", or the property of no dealer. */
void headline_put_dealer(struct buf *out, const struct token *t, const char *property);
/* Appends "s" unless n is 1. */
const char *headline_s(int64_t n);
/* Appends "12 rows of sessions by channel for Ford of Reno (d01), 26 Oct to 22 Nov 2026". */
void headline_put_report(struct buf *out, const struct headline *h, const struct token *t,
                         const char *property);

#endif
