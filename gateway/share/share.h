/* How much one caller may use: shares per principal, and what all of them may use together.
 *
 * A share counts calls under way, calls and requests per minute, bytes of large bodies on their way
 * in, and bytes of answers that were not read yet. It lives while somebody holds it and as long as
 * its minute counts; a caller that uses nothing costs nothing. Which share ran out is counted in
 * gateway_share_refusals_total{cause} and logged once a minute for each principal.
 *
 * Calls beyond what may run at once wait in line, not for each other: the lines of the principals
 * take turns, so one caller's many calls delay another's by at most what runs already.
 * Thread-safe. */
#ifndef AMCP_GATEWAY_SHARE_SHARE_H
#define AMCP_GATEWAY_SHARE_SHARE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct shares;
struct share;

enum share_cause {
  SHARE_GRANTED,
  SHARE_CALLS,        /* too many calls under way */
  SHARE_CALL_RATE,    /* too many calls in this minute */
  SHARE_REQUEST_RATE, /* too many requests in this minute */
  SHARE_BODIES,       /* too many bytes of bodies under way */
  SHARE_ANSWERS,      /* too many bytes of answers not read */
  SHARE_STRANGERS,    /* too many unknown bearers from an address in this minute */
  SHARE_CAUSES,
};

/* What a call is in for. A caller's long ones have a line of their own, so that his others do not
 * wait behind them, and he cannot fill the services' threads with them. */
enum share_kind {
  SHARE_SHORT,
  SHARE_LONG, /* a comparison */
  SHARE_KINDS,
};

/* Of one principal, unless they say "all". 0 means the default. */
struct share_limits {
  size_t calls;               /* under way, waiting ones included; 256 */
  size_t calls_per_minute;    /* 3,000; as many may come at once */
  size_t requests_per_minute; /* 12,000; as many may come at once */
  size_t body_bytes;          /* 64 MiB */
  size_t answer_bytes;        /* 64 MiB */
  size_t running;             /* short calls that run at once; 32 */
  size_t running_long;        /* long ones that do; 4 */
  size_t all_running;         /* 128 */
  size_t all_answer_bytes;    /* 512 MiB */
  size_t principals;          /* shares kept for their minute; 10,000 */
  bool addresses;             /* they are those of strangers' addresses: SHARE_STRANGERS takes the
                                 place of SHARE_REQUEST_RATE */
  int64_t (*now_ms)(void);    /* NULL means clock_mono_ms() */
};

struct shares *shares_new(const struct share_limits *limits);
/* Nobody may hold a share. */
void shares_free(struct shares *s);

/* The share of a principal, with a reference; label names it in the log (a hash). */
struct share *share_of(struct shares *s, const char *principal, const char *label);
/* NULL is fine for both. */
void share_ref(struct share *share);
void share_unref(struct share *share);

/* Takes one request out of the minute. *retry_ms: when another will be granted. A NULL share grants
 * everything, here and below. */
enum share_cause share_request(struct share *share, int64_t *retry_ms);

/* A call that waits for its turn. Embedded in the object that knows what to run. */
struct share_turn {
  struct share *share; /* NULL: not begun */
  enum share_kind kind;
  struct share_turn *next;
  void (*run)(struct share_turn *turn);
  bool running;
};

/* Takes a call out of the share. Granted: run(turn) follows once, at once or on a thread that ends
 * another call, and share_call_end() must come, before or after it. Refused: neither. The turn's
 * memory must last until run() came or was called off. */
enum share_cause share_call_begin(struct share *share, struct share_turn *turn,
                                  enum share_kind kind, void (*run)(struct share_turn *turn),
                                  int64_t *retry_ms);
/* The call is over. True when it had not had its turn: run() was called off and never comes. Else
 * it came, is coming, or was never asked for: a second end does nothing. */
bool share_call_end(struct share_turn *turn);

/* Bytes of large bodies, and of answers: taken, and given back by whoever took them. */
enum share_cause share_body(struct share *share, size_t bytes);
void share_body_end(struct share *share, size_t bytes);
enum share_cause share_answer(struct share *share, size_t bytes);
void share_answer_end(struct share *share, size_t bytes);

/* For messages: what ran out. */
const char *share_cause_text(enum share_cause cause);
/* Shares in memory. */
size_t shares_count(struct shares *s);

#endif
