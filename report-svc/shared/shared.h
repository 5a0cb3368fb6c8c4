/* What all replicas know together, in a Redis or Valkey: the ten places of each property, how often
 * Google failed there, whose tokens are used up, and answers.
 *
 * Laid over the local state of google/ and ask/, which goes on beside it and decides alone whenever
 * Redis is unreachable or does not answer in time: then an operation ends with SHARED_AWAY or
 * without an answer, never with an error. A NULL `struct shared` is a program without REDIS_URL.
 *
 * A place is a lease: it ends SHARED_LEASE_MS after its replica renewed it last, so what a killed
 * replica held is free again. Keys of a property share a hash tag. All functions are thread-safe
 * and never block; callbacks run once, on the caller's thread or Redis's, and must not block
 * either. */
#ifndef AMCP_REPORT_SHARED_H
#define AMCP_REPORT_SHARED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "report-svc/shared/url.h"
#include "report-svc/shared/wire.h"

enum { SHARED_LEASE_MS = 10000, SHARED_PATIENCE_MS = 50 };
/* A larger answer is not shared. */
enum { SHARED_ANSWER_MAX = 1024 * 1024 };

struct shared;

struct shared_options {
  struct redis_url url; /* taken over */
  struct wire_trust trust;
  uint32_t patience_ms; /* 0 means SHARED_PATIENCE_MS */
  uint32_t lease_ms;    /* 0 means SHARED_LEASE_MS; renewed at a third of it */
  uint32_t silence_ms;  /* of Redis, after which the connection is opened again; 0 means 1,500 */
};

struct shared *shared_new(const struct shared_options *options);
/* From now on Redis is unreachable. What is under way ends before this returns. NULL is fine. */
void shared_stop(struct shared *s);
/* After shared_stop(), and when nobody holds a place. NULL is fine. */
void shared_free(struct shared *s);
/* Whether Redis is in use. NULL: false. */
bool shared_is_up(struct shared *s);

/* ------------------------------------------------------------------ places, quota, server errors
 */

/* What a property allows. */
struct shared_limits {
  uint32_t places, guest_places;
  uint32_t server_errors; /* within an hour; 0: not counted */
  int64_t probe_ms; /* between requests sent although the tokens are used up; 0: all are sent */
};

enum shared_verdict {
  SHARED_GRANTED,
  SHARED_FULL,          /* ask again soon */
  SHARED_SERVER_ERRORS, /* Google failed too often, until `until_ms` */
  SHARED_NO_TOKENS,     /* the tokens are used up, until `until_ms` */
  SHARED_AWAY           /* the local state decides */
};

struct shared_decision {
  enum shared_verdict verdict;
  /* Since 1970. With SHARED_GRANTED: not 0 when this request probes whether the tokens are back. */
  int64_t until_ms;
  bool day; /* it is the day's tokens */
};

/* A place of one request, zeroed before its first use. Owned by the caller, who keeps it and the
 * key while it is asked for or held. */
struct shared_place {
  struct shared *shared; /* while held */
  const char *key;
  uint64_t id;
  bool guest;
  struct shared_place *prev, *next;
};

/* Asks for a place of a property ("properties/1"). With SHARED_GRANTED it is held until
 * shared_give_place(); with any other verdict it is not. */
void shared_take_place(struct shared *s, struct shared_place *place, const char *key, bool guest,
                       const struct shared_limits *limits,
                       void (*decided)(void *user, const struct shared_decision *d), void *user);
/* Gives it back; nothing when it is not held. */
void shared_give_place(struct shared_place *place);

/* Google answered 500 or 503. NULL `s`: nothing, as with all that follow. */
void shared_note_server_error(struct shared *s, const char *key);
/* Google itself refuses requests over server errors until then. */
void shared_note_held(struct shared *s, const char *key, int64_t until_ms);
/* The tokens are used up; the next probe may be sent at probe_at_ms. */
void shared_note_gone(struct shared *s, const char *key, int64_t until_ms, bool day,
                      int64_t probe_at_ms);
/* Tokens are left again. */
void shared_note_back(struct shared *s, const char *key);

/* ------------------------------------------------------------------ answers */

/* Looks an answer up. found: its bytes and how long it may still be kept, or NULL when there is
 * none. Of the key, which names a dealer and a question, only a hash leaves the process. */
void shared_get_answer(struct shared *s, const struct buf *key,
                       void (*found)(void *user, const void *data, size_t len, int64_t ttl_ms),
                       void *user);
/* Keeps one for ttl_ms; not when it is larger than SHARED_ANSWER_MAX. */
void shared_put_answer(struct shared *s, const struct buf *key, const void *data, size_t len,
                       int64_t ttl_ms);

#endif
