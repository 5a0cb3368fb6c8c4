/* Answers about one dealer beside the others that are made of rows by dimensions: what they are
 * given, and the frame around their rows. */
#ifndef AMCP_AGGREGATE_SUBJECT_H
#define AMCP_AGGREGATE_SUBJECT_H

#include "aggregate-svc/cohort/cohort.h"
#include "aggregate-svc/cohort/notes.h"
#include "aggregate-svc/disclosure/door.h"
#include "aggregate-svc/disclosure/outside.h"
#include "aggregate-svc/figures/metrics.h"
#include "aggregate-svc/figures/tables.h"
#include "aggregate-svc/period/message.h"
#include "aggregate-svc/period/period.h"
#include "aggregate-svc/vehicle/vehicle.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "common/base/arena.h"
#include "common/base/buf.h"

struct subject_question {
  const struct cohort *cohort; /* has a subject */
  struct door *door;
  const struct report_tables *tables;
  const struct lead_events *leads;
  struct dealer_figures
      *dealers; /* per member, of signs_find(); NULL where the answer makes them */
  const struct dealer_notes *notes; /* per member */
  struct vehicle_aliases names;     /* of the subject's website */
  const struct period *period;
  int64_t now_unix_ms;
};

static inline const struct cohort_member *subject_member(const struct subject_question *q)
{
  return &q->cohort->members[q->cohort->subject];
}
/* Whether nothing suspect speaks against a member's rates, by q->dealers. */
bool subject_usable(const struct subject_question *q, size_t member);
/* Whether a member answered and counts the subject's lead event; lead_events: per member. */
bool subject_same_leads(const struct cohort *c, const int *lead_events, size_t member);

/* Where a result keeps what all have. */
struct subject_frame {
  Analytics__Aggregate__V1__Cohort **cohort;
  Analytics__Aggregate__V1__Period **period;
  Analytics__Report__V1__Coverage **coverage;
  char ***caveats;
  size_t *n_caveats;
};
#define SUBJECT_FRAME(r)                                                                           \
  ((struct subject_frame){&(r)->cohort, &(r)->period, &(r)->coverage, &(r)->caveats,               \
                          &(r)->n_caveats})

/* Caveats under way; the tool's own are added between the two calls. */
struct subject_words {
  const struct subject_question *q;
  const struct outside_view *shown;
  struct subject_frame frame;
  struct caveats caveats;
  struct resolved_period resolved;
};
/* Sets cohort, period and coverage, and says first what is suspect and who is missing. dealers: per
 * member. */
void subject_words_begin(struct subject_words *w, const struct subject_question *q,
                         const struct outside_view *shown, const struct dealer_figures *dealers,
                         struct subject_frame frame, struct arena *arena);
/* Says what is shown of dealers outside the view, what counts as a lead (lead_events: per member;
 * NULL: no leads are in the answer), and what is to be known of the days. */
void subject_words_end(struct subject_words *w, const int *lead_events);

/* "Smith Ford", and when it could not be read ", so " and the consequence. */
void subject_put_name(struct buf *b, const struct subject_question *q, const char *consequence);
/* " against the other dealers of West (22 of 24 dealers), 2026-10-05 to 2026-11-01" */
void subject_put_scope(struct buf *b, const struct subject_frame *frame);
/* Where the subject has no session in the period: ": no sessions, so there is nothing to compare",
 * or that the period has not begun. False, and nothing is put, where there is something. */
bool subject_put_nothing(struct buf *b, const struct subject_words *w, int64_t sessions);

#endif
