/* A queue of questions whose figures of others were withheld, since a dealer outside the caller's
 * view was late: when they are tried again, how often, and for how long.
 *
 * It knows nothing of calls. An entry is the owner's, embedded in what it stands for; the queue
 * says when to start an attempt, the owner says how it ended. Bounded in entries, entries of one
 * viewer, attempts and time; an entry beyond a bound is refused or given back. Thread-safe. */
#ifndef AMCP_AGGREGATE_FINISH_H
#define AMCP_AGGREGATE_FINISH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum finish_state { FINISH_OUT, FINISH_ADMITTED, FINISH_WAITING, FINISH_RUNNING };

/* Zeroed is out of the queue. Only the queue touches it while it is in. */
struct finish_entry {
  enum finish_state state;
  char *key, *viewer;
  int64_t due_ms, until_ms; /* on clock_mono_ms()'s scale */
  int64_t attempts;         /* started */
  struct finish_entry *next;
};

struct finish_options {
  int64_t max_entries; /* 0: every entry is refused */
  int64_t max_per_viewer;
  int64_t delay_ms;     /* before the first attempt; doubles with each */
  int64_t max_attempts; /* of an entry */
  int64_t longest_ms;   /* an entry is in the queue */
  /* Starts an attempt, on the queue's thread; must not wait. The entry is FINISH_RUNNING until
   * finish_again() or finish_leave(), which may come before this returns. */
  void (*start)(struct finish_entry *x);
  /* Makes an attempt under way end soon. Under the queue's lock, never after the entry has left
   * FINISH_RUNNING. */
  void (*cancel)(struct finish_entry *x);
  /* The queue ends: the entry has left it. */
  void (*drop)(struct finish_entry *x);
};

struct finish_queue;

/* Starts the thread. */
struct finish_queue *finish_new(const struct finish_options *options);
/* Drops what waits, cancels what runs, and waits until it has ended. Afterwards every entry is
 * refused. Before what attempts need goes away. */
void finish_stop(struct finish_queue *q);
/* After finish_stop(), and after the last entry has left. NULL is fine. */
void finish_free(struct finish_queue *q);

enum finish_admission {
  FINISH_REFUSED, /* there is no room */
  FINISH_THERE,   /* one with this key is in already */
  FINISH_TAKEN,   /* has a place, and begins to wait with finish_again() */
};
/* Takes a place. *due_unix_ms, unless refused: when the next attempt is likely to start. */
enum finish_admission finish_admit(struct finish_queue *q, struct finish_entry *x, const char *key,
                                   const char *viewer, int64_t *due_unix_ms);
/* Waits for the next attempt. False when there is none: attempts or time are used up, or the queue
 * has ended; the entry has left it. When true the entry must not be touched afterwards. */
bool finish_again(struct finish_queue *q, struct finish_entry *x);
/* Leaves the queue; fine when it is out. */
void finish_leave(struct finish_queue *q, struct finish_entry *x);
/* Entries in the queue. */
size_t finish_count(struct finish_queue *q);

#endif
