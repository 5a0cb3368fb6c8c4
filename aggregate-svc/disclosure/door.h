/* The only door from dealers outside a caller's view to an answer.
 *
 * One door per call, with these steps, all on workers:
 *
 *   door_admit    before anything is asked: may these dealers be asked at all? The period must be
 *                 whole weeks or months that are complete, and the caller must have budget left.
 *                 Otherwise they are not asked, and spend no quota. Nor are they where something
 *                 was released of the period before: the answer is first tried without them.
 *   door_settle   after they have answered: is one of them late? Then nothing new is released.
 *   door_figure   each figure: what was released before is served again; else the policy decides,
 *                 and what it lets pass is kept.
 *   door_reopen   when the answer needed a figure on which nothing has been decided yet: the
 *                 dealers outside are asked after all, and the answer is made again.
 *
 * What comes out is one pool of the outside dealers per figure, the same for all of the caller's
 * own dealers, in the forms of forms.h. The design is described in docs/internals/aggregate-svc.md.
 */
#ifndef AMCP_AGGREGATE_DOOR_H
#define AMCP_AGGREGATE_DOOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/cohort/cohort.h"
#include "aggregate-svc/disclosure/disclosure.h"
#include "aggregate-svc/disclosure/forms.h"
#include "aggregate-svc/disclosure/lattice.h"
#include "aggregate-svc/disclosure/store.h"
#include "common/base/buf.h"

struct door_options {
  struct release_store *store; /* NULL: nothing is released */
  struct disclosure_policy policy;
  int64_t cells_per_day; /* new figures of one viewer */
};

struct dealer_figures;

/* The members' figures of each week or month of a period: base x members, lent. What is suspect in
 * them is found in these days alone, so that every release over them has the same dealers. */
struct door_bases {
  const struct dealer_figures *figures;
  const struct lattice_span *spans; /* their days */
  size_t n;                         /* 0: nobody knows */
};
enum { DOOR_NOW, DOOR_BEFORE, DOOR_PERIODS };

/* Plain data of one call, one thread at a time. Ends with door_close(). */
struct door {
  struct door_options options;
  struct cohort *cohort;
  struct lattice_span period;
  int64_t now_unix_ms;
  /* Why nothing may be asked of dealers outside; DISCLOSURE_RESTRICTED when something may,
   * DISCLOSURE_OPEN when nobody is outside. */
  enum disclosure_code withheld;
  bool late; /* a dealer outside has not answered yet */
  /* When a late dealer is asked again without the caller; 0 when it is not. The owner sets it. */
  int64_t again_unix_ms;
  /* The answer is first tried from what is kept; it uses outside.h. The owner sets it before
   * door_admit(). */
  bool kept_first;
  /* Dealers outside are not asked: what is released of them comes from the store. A figure on which
   * nothing was decided is then `missing`, or withheld by `unasked` when that is set. */
  bool kept_only, missing;
  enum disclosure_code unasked;
  /* Figures of the members as they answered now, lent; outside_show() sets it. NULL: those that
   * cell_figure() is given. */
  const struct dealer_figures *live;
  /* Of the door's period and of the equally long one before. */
  struct door_bases bases[DOOR_PERIODS];
  /* One that was not asked since the caller's share of reports is used up; its message says until
   * when. NULL for none. Set by door_settle(). */
  const struct cohort_member *spent;
  size_t released; /* figures that went through */
  struct buf log;  /* their names, for audit */
};

/* A door that is open: nobody is outside, or nothing has been decided. */
void door_init(struct door *d, const struct door_options *options, struct cohort *cohort,
               int64_t now_unix_ms);
void door_close(struct door *d);

/* Decides whether dealers outside may be asked; else their state becomes DEALER_NOT_ASKED.
 * `relative`: the dates depend on each property's zone, so not all share the same days. */
void door_admit(struct door *d, struct lattice_span period, bool relative);
/* Freezes how many of them the answer rests on, once none is late. */
void door_settle(struct door *d);
/* Makes the late dealers outside DEALER_PENDING: they are to be asked again, then door_settle()
 * comes again. */
void door_retry(struct door *d);
/* When something is `missing`: makes the dealers outside DEALER_PENDING, at the cost of one from
 * the caller's budget, and returns true: they must be asked, then door_settle() and the answer come
 * again. False when the budget is used up: the answer is made again without them. */
bool door_reopen(struct door *d);
/* What the answer says of dealers outside beside figures (outside.h): keeps `now`, unless something
 * is kept already, and gives what is; NULL for nothing. `of` tells answers apart that know
 * different things. The caller's to free. */
char *door_keep_text(struct door *d, const char *of, const char *now);

/* A figure over the members of the cohort. */
struct door_cell {
  const char
      *metric; /* and what else tells it from others: "leads_per_100_sessions generate_lead" */
  struct lattice_span period; /* of the lattice, too; zeros: the door's */
  const char *slice; /* "" for all; else as slices.h released it: "deviceCategory=mobile" */
  /* Per member; `contributes`: it has a value. The denominator is 0 for none. */
  const struct disclosure_member *members;
  /* The same for each week or month of the period, of whose parts the figure is then the sum: a
   * dealer is in it with the weeks in which it contributes. Each must have the dealers and owners
   * by itself, and none that dominates it, or the difference of two periods would give one away
   * (disclosure_base_allowed()). One that nobody outside is in (before the first day of all)
   * withholds the figure: it would stand for fewer days than its period has. n_bases 0: the period
   * is one. */
  const struct disclosure_member *const *bases;
  size_t n_bases;
  /* Of a slice, which may be missing in a week: nobody outside has anything in one of them,
   * whatever the slice, and somebody in another. */
  bool gap;
  bool rate;         /* numerator / denominator; else a count, of which only ranks are shown */
  bool share;        /* the rest (denominator - numerator) must pass, too */
  double scale;      /* of the value, 100 for events per 100 sessions */
  double dispersion; /* over-dispersion of the events, kept with the release for its intervals */
};

/* A released figure of the dealers outside. */
struct door_figure {
  /* DISCLOSURE_OPEN: nobody is outside, nothing else is set. DISCLOSURE_RESTRICTED: released.
   * Others: withheld, nothing else is set. */
  enum disclosure_code code;
  double pooled; /* rates: as shown */
  struct form_typical typical;
  int32_t asked, dealers; /* outside members, and those in the figure; as shown */
  /* For ranks and verdicts, never shown. */
  struct release_record record;
};
/* Free *out with door_figure_free() in any case. */
void door_figure(struct door *d, const struct door_cell *cell, struct door_figure *out);
void door_figure_free(struct door_figure *f);

/* Why figures are withheld, in sentences for the caller: "Benchmarks are given for whole
 * ISO weeks ... nearest are ..."; "" when there is nothing to say. Text in the buffer. */
void door_explain(const struct door *d, struct buf *out);

#endif
