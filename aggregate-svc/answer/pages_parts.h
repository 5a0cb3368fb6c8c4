/* The counts and rates behind an answer about landing pages. Inside the room. */
#ifndef AMCP_AGGREGATE_PAGES_PARTS_H
#define AMCP_AGGREGATE_PAGES_PARTS_H

#include "aggregate-svc/answer/pages.h"
#include "aggregate-svc/disclosure/outside.h"
#include "aggregate-svc/figures/breakdown.h"

/* A week or month of the door, as GA4 writes it in the rows. */
struct pages_week {
  char text[LATTICE_TEXT_BYTES];
};

struct pages_parts {
  int *lead_events;            /* per member */
  struct breakdown channels;   /* the subject's; of no member */
  struct breakdown pages;      /* the subject's, "TYPE\nTEMPLATE"; a "member" is a channel */
  struct breakdown types;      /* of all members, per member, all channels together */
  struct stats_ratio *rates;   /* types x channels, what is expected of the subject's pages */
  enum disclosure_code *codes; /* per type: why its rate is withheld */
  /* What the others count in each week or month of the door: bases x types x members; NULL where
   * dealers outside are not looked at. */
  struct stats_ratio *bases;
  struct pages_week *weeks;
};

/* The place of a page's type. */
size_t pages_type(const struct pages_parts *p, size_t page);
/* The template of a page, behind its type. */
const char *pages_template(const struct pages_parts *p, size_t page);

void pages_parts_make(struct pages_parts *out, const struct pages_question *q, struct arena *arena);
void pages_parts_free(struct pages_parts *p);

/* Frame, headline and caveats of the result, whose rows are there. */
void pages_words(const struct pages_question *q, const struct outside_view *shown,
                 const struct pages_parts *p,
                 Analytics__Aggregate__V1__CompareLandingPagesResult *r, struct arena *arena);

#endif
