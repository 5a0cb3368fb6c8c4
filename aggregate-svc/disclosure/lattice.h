/* The periods that figures of dealers outside the caller's view are given for.
 *
 * Two periods that differ by a day would disclose that day, so an outside viewer gets whole ISO
 * weeks, one or several in a row, or whole calendar months, and no other period: facts of the
 * policy, the same for every viewer. Days are days since 1970-01-01. Pure, thread-safe. */
#ifndef AMCP_AGGREGATE_LATTICE_H
#define AMCP_AGGREGATE_LATTICE_H

#include <stddef.h>
#include <stdint.h>

enum lattice { LATTICE_NONE, LATTICE_WEEKS, LATTICE_MONTHS };

struct lattice_span {
  int64_t first, last;
};

/* Which lattice a period belongs to. A period that is both, such as February 2027, is weeks. */
enum lattice lattice_of(struct lattice_span period);

/* The allowed periods nearest to one, that end at or before `through`: whole weeks, and whole
 * months. Their lengths are nearest to the asked one, at least a week and a month. */
struct lattice_nearest {
  struct lattice_span weeks, months;
};
struct lattice_nearest lattice_nearest(struct lattice_span period, int64_t through);

/* The weeks or months of a period of the lattice, in order, as many as `max` in out (NULL for 0).
 * Returns how many there are; 0 for a period of no lattice. */
size_t lattice_bases(struct lattice_span period, struct lattice_span *out, size_t max);

/* GA4's text for a base of a period: "202648" of the dimension isoYearIsoWeek, or "202611" of
 * yearMonth. "" for a period of no lattice. */
enum { LATTICE_TEXT_BYTES = 16 };
void lattice_text(struct lattice_span period, struct lattice_span base,
                  char out[LATTICE_TEXT_BYTES]);
/* The dimension; NULL for a period of no lattice. */
const char *lattice_dimension(struct lattice_span period);

/* The last day whose figures no longer change, wherever a property is: Google needs up to two days
 * after the day has ended in the property's zone. The same for every viewer. */
int64_t lattice_complete_through(int64_t now_unix_ms);

#endif
