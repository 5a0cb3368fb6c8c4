/* What Google says about the quality of a dealer's reports, and the sentences it makes. */
#ifndef AMCP_AGGREGATE_NOTES_H
#define AMCP_AGGREGATE_NOTES_H

#include <stdbool.h>
#include <stddef.h>

#include "aggregate-svc/cohort/cohort.h"
#include "analytics/ga4/v1beta/data.pb-c.h"
#include "common/base/arena.h"

/* Notes on all reports of one dealer, taken together. Zeroed means none. */
struct dealer_notes {
  bool thresholding; /* small numbers withheld */
  bool other_row;    /* rows folded into "(other)" */
  bool restricted;   /* metrics the credential may not see come back as 0 */
  bool truncated;    /* some of the asked data is missing */
  bool empty;        /* Google says why there are no rows */
  bool sampled;
  double sample_rate; /* smallest share read, 0 to 1, when sampled */
  char truncation[160];
  char empty_reason[100];
  char time_zone[65]; /* of the first report that names one */
  char currency[4];   /* likewise */
};

/* Adds the notes of one report; metadata may be NULL. The empty reason is kept only when
 * keep_empty: a filtered report may well be empty. */
void notes_add(struct dealer_notes *n, const Analytics__Ga4__V1beta__ResponseMetaData *metadata,
               bool keep_empty);

/* Sentences of an answer. The list and the texts live in the arena. */
struct caveats {
  struct arena *arena;
  char **items;
  size_t n, cap;
};
void caveats_add(struct caveats *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* One sentence per kind of note that a dealer in the figures has. notes[i] belongs to
 * member i. Dealers outside the caller's view are counted, not named. */
void caveats_add_notes(struct caveats *c, const struct cohort *cohort,
                       const struct dealer_notes *notes);
/* Dealers that are missing from the figures, those whose data begins after the period, and those of
 * which several properties are in them. */
void caveats_add_missing(struct caveats *c, const struct cohort *cohort);

/* Distinct time zones of the visible dealers in the figures; the texts stay in notes. */
size_t notes_time_zones(const struct cohort *cohort, const struct dealer_notes *notes,
                        struct arena *arena, char ***out);
/* Zone of the first dealer in the figures, visible ones first; "" when none is known. */
const char *notes_first_zone(const struct cohort *cohort, const struct dealer_notes *notes);
/* The currency all dealers in the figures share; NULL when they differ, "" when none is
 * known. */
const char *notes_shared_currency(const struct cohort *cohort, const struct dealer_notes *notes);

#endif
