/* The parts of an explanation. Inside the room. */
#ifndef AMCP_AGGREGATE_EXPLAIN_PARTS_H
#define AMCP_AGGREGATE_EXPLAIN_PARTS_H

#include "aggregate-svc/answer/explain.h"
#include "aggregate-svc/disclosure/outside.h"
#include "aggregate-svc/figures/group.h"
#include "aggregate-svc/verdict/change.h"

/* The members' figures in both periods, with a place for each day of both. */
struct explain_figures {
  struct dealer_figures *dealers; /* per member, with `before` */
  int64_t days, days_before;      /* of the periods */
};
void explain_figures_make(struct explain_figures *out, const struct explain_question *q,
                          struct arena *arena);
static inline struct cohort_figures explain_cohort(const struct explain_question *q,
                                                   const struct explain_figures *f)
{
  return (struct cohort_figures){q->of.cohort, f->dealers, q->of.leads};
}
/* Whether a row is of the period before. */
bool explain_is_before(const struct across_tables *t, size_t member, size_t row);

/* The own change and the market's, as measured. *code says why the market is withheld. */
struct change_row explain_row(const struct explain_question *q, const struct explain_figures *f,
                              struct arena *arena, enum disclosure_code *code);

/* Adds the axes and parts of the subject's change to the result. */
void explain_axes(const struct explain_question *q, const struct explain_figures *f,
                  Analytics__Aggregate__V1__ExplainChangeResult *r, struct arena *arena);

/* Frame, headline and caveats of the result, whose figures are there. */
void explain_words(const struct explain_question *q, const struct outside_view *shown,
                   const struct explain_figures *f,
                   Analytics__Aggregate__V1__ExplainChangeResult *r, struct arena *arena);

#endif
