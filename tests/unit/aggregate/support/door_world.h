/* A cohort, and a caller of it who asks the door for figures. */
#ifndef AMCP_TESTS_AGGREGATE_DOOR_WORLD_H
#define AMCP_TESTS_AGGREGATE_DOOR_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/cohort/cohort.h"
#include "aggregate-svc/disclosure/door.h"

enum { MEMBERS_MAX = 12 };

/* A cohort with figures, and a caller of it. */
struct world {
  struct release_store *store;
  struct cohort_member members[MEMBERS_MAX];
  struct disclosure_member figures[MEMBERS_MAX];
  struct cohort cohort;
  struct lattice_span period;
  int64_t now_unix_ms;
  bool relative, rate, share;
  int64_t cells_per_day;
};

/* What the members answer when they are asked. */
struct answers {
  enum dealer_state of[MEMBERS_MAX];
};

/* Days since 1970-01-01 of YYYY-MM-DD. */
int64_t world_day(const char *text);
/* n dealers of owners of their own, the first `own` of them the caller's. */
void world_init(struct world *w, size_t n, size_t own);
void world_free(struct world *w);
/* What they have, and the same given again: a door may have said that they are not asked. */
struct answers world_answers(const struct world *w);
void world_give(struct world *w, const struct answers *a);
/* Up to the first figure. */
void world_begin(struct world *w, struct door *d);
/* The same with everybody asked, whatever was released before. */
void world_begin_anew(struct world *w, struct door *d);
/* One call with one figure; *asked says whether dealers outside were. */
enum disclosure_code world_ask_seen(struct world *w, const char *metric, struct door_figure *out,
                                    bool *asked);
enum disclosure_code world_ask(struct world *w, const char *metric, struct door_figure *out);
/* Of the metric "m". */
enum disclosure_code world_code(struct world *w);
/* The exact pool of the members from one on, per 100. */
double world_pool(struct world *w, size_t from);
/* To 3 significant digits. */
bool rounds_to(double exact, double shown);

#endif
