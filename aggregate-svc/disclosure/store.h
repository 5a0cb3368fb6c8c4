/* The store of releases: the first figure released of a cohort, metric, slice and period is kept
 * and served from then on to every viewer who sees the same of the cohort, whatever becomes of its
 * members and their data meanwhile. Otherwise two answers to one question could be subtracted.
 *
 * One store is shared by all replicas. It keeps, per release, the pool and the values of the
 * dealers without their names, and per viewer and day how many new figures were asked for.
 * Opened lazily, and again after it was lost. Calls wait for a disk or a server, at most some
 * seconds: on workers only, never on a poller. Thread-safe. */
#ifndef AMCP_AGGREGATE_STORE_H
#define AMCP_AGGREGATE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"

struct release_store;

struct release_store_options {
  const char *database_url; /* PostgreSQL; NULL for SQLite */
  const char *state_dir;    /* SQLite: folder of releases.db; NULL keeps releases in memory */
  size_t cache_bytes;       /* memory for releases read lately; 0 means 8 MiB */
};

/* Checks the options and makes a store; with SQLite it opens the file. ERR_INVALID_ARGUMENT: a
 * setting is wrong, the message names it and shows no password. A PostgreSQL that cannot be
 * reached is reported by release_store_ready(), not here. */
enum err_code release_store_new(struct release_store **out,
                                const struct release_store_options *options, struct err *e);
/* NULL is fine. */
void release_store_free(struct release_store *s);

/* Appends one line for /readyz. False until the store could be opened once: a replica that never
 * reached it must not take over from one that has. */
bool release_store_ready(struct release_store *s, struct buf *detail);

/* The store as operators see it. */
struct release_store_state {
  const char *kind; /* "memory", "sqlite", "postgresql"; static */
  bool healthy;     /* it is open, or could be opened now */
  int64_t cells;    /* figures released, as counted within the last minute; -1: not known */
};
void release_store_look(struct release_store *s, struct release_store_state *out);

/* What is released. Texts are lent. */
struct release_key {
  const char *cohort; /* id without version */
  const char *view;   /* names the members the viewer sees */
  const char *metric, *slice;
  int64_t first, last; /* days since 1970-01-01 */
};

/* A release. */
struct release_record {
  int64_t numerator, denominator; /* of the pool */
  int32_t asked, dealers;         /* outside members, and those in the figure */
  double dispersion;              /* of the events */
  double *values;                 /* theirs, ascending; n_values */
  size_t n_values;
};
void release_record_free(struct release_record *r);

/* Who asks, and how much more it may. */
struct release_viewer {
  const char *id;  /* opaque */
  int64_t day;     /* of asking, since 1970-01-01 */
  int64_t per_day; /* new figures a day */
};

enum release_outcome {
  RELEASE_FROZEN,  /* *out is what was released before */
  RELEASE_NEW,     /* *out is the candidate, kept now */
  RELEASE_NONE,    /* nothing was released and there is no candidate */
  RELEASE_CHANGED, /* days of the period were released of another version of the cohort */
  RELEASE_SPENT,   /* the viewer's budget of the day is used up */
};

/* Finds a release, or keeps the candidate (NULL to look only) as a release of `version`, at the
 * cost of one from the viewer's budget. Of replicas that try at once, one keeps its candidate and
 * all return that. *out is the caller's to free with RELEASE_FROZEN and RELEASE_NEW.
 * ERR_UNAVAILABLE when the store cannot be reached: release nothing then. */
enum err_code release_store_take(struct release_store *s, const struct release_key *key,
                                 const char *version, const struct release_viewer *viewer,
                                 const struct release_record *candidate,
                                 enum release_outcome *outcome, struct release_record *out,
                                 struct err *e);

/* A text that stands beside the releases of a key: what an answer says of the dealers outside, or
 * why a figure is withheld. The first candidate is kept, for good or for keep_ms (0: for good), and
 * given to all until then; costs nothing. `version` is part of the key here. *out, the caller's to
 * free, is NULL when there is none and candidate is NULL. ERR_UNAVAILABLE as above. */
enum err_code release_store_text(struct release_store *s, const struct release_key *key,
                                 const char *version, const char *candidate, int64_t keep_ms,
                                 char **out, struct err *e);
/* Counts a figure that is withheld. */
void release_store_count_withheld(struct release_store *s);
/* Takes one from the viewer's budget; *spent says that there was none. */
enum err_code release_store_charge(struct release_store *s, const struct release_viewer *viewer,
                                   bool *spent, struct err *e);

#endif
