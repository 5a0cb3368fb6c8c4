/* Segments of funnels (v1alpha): which events of a user are in them.
 *
 * A filter of a segment is a condition on one event. How many events it is evaluated on is its
 * scope: within a session or a user a filter holds when it does for any of the events, or for their
 * number within some days (segment_counts.c), and the expression joins what so holds. A user's
 * segment has all events of the users that meet all its groups, a session's those of sessions, an
 * event's the events themselves. An exclusion that is temporary takes out the events, sessions or
 * the user that meet it; a permanent one the whole member. */
#ifndef GA4_SIM_SEGMENT_H
#define GA4_SIM_SEGMENT_H

#include "ga4-sim/report/checks.h"

enum {
  SEGMENT_MAX = 4,        /* of a request */
  SEGMENT_MAX_GROUPS = 8, /* of one criteria; more are refused */
  SEGMENT_MAX_STEPS = 10, /* of a sequence */
  SEGMENT_MAX_FILTERS = 64,
};

/* The numbers of the published enums: a scope is never larger than the member. */
enum segment_scope { WITHIN_UNSPECIFIED, WITHIN_EVENT, WITHIN_SESSION, WITHIN_USER };
enum segment_exclusion { EXCLUDE_UNSPECIFIED, EXCLUDE_TEMPORARY, EXCLUDE_PERMANENT };

enum segment_join { SEGMENT_AND, SEGMENT_OR, SEGMENT_NOT, SEGMENT_FILTER };

struct segment_expression {
  enum segment_join join;
  const struct segment_expression **parts; /* of and, or, not */
  size_t n;
  unsigned filter; /* bit of an event's filters */
  bool any_time;   /* holds for all events when it does for one */
};

struct segment_step {
  const struct segment_expression *expression;
  enum segment_scope scope;
  bool directly;
};

/* One condition group, or one sequence of steps. */
struct segment_group {
  enum segment_scope scope;
  const struct segment_expression *expression; /* NULL: a sequence */
  struct segment_step steps[SEGMENT_MAX_STEPS];
  size_t n_steps;
  double within_s; /* from the first step to the last; 0: any time */
};

struct segment_criteria {
  struct segment_group groups[SEGMENT_MAX_GROUPS]; /* all must be met */
  size_t n;
};

struct segment {
  const char *name;          /* "1. Segment" */
  enum segment_scope member; /* what it is a set of */
  struct segment_criteria in, out;
  enum segment_exclusion exclusion;
};

/* How often events happened within so many days in a row. */
struct segment_count {
  unsigned filter; /* bit of the events that are counted */
  unsigned bit;    /* set for a run of events in which it holds; of no single event */
  int64_t days;
  double from, to; /* bounds, included */
};

struct segments {
  struct segment of[SEGMENT_MAX];
  size_t n;
  const char *filters[SEGMENT_MAX_FILTERS]; /* conditions on an event, in SQL */
  size_t n_filters;
  struct segment_count counts[SEGMENT_MAX_FILTERS / 2];
  size_t n_counts;
};

/* Reads the segments of a transcoded request. ERR_INVALID_ARGUMENT and ERR_UNIMPLEMENTED as
 * Google's messages and the simulator's own have it. */
enum err_code segments_read(struct segments *out, struct reader *x);

/* An event as segments see it; those of a user are in the order of time. */
struct segment_event {
  int64_t session;
  double time_s;
  double count;     /* how many events this one stands for */
  uint64_t filters; /* a bit per filter that the event meets */
};

/* The days of the report, as events have them: time_s / 86,400. */
struct segment_days {
  int64_t first, last;
};

/* Sets in[i] for each of a user's events that is in the segment, which is one of `all`. */
void segment_mark(const struct segments *all, const struct segment *s,
                  const struct segment_days *days, const struct segment_event *events, size_t n,
                  bool *in);

#endif
