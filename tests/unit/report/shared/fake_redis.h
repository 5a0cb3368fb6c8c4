/* A server on a loopback port that speaks Redis's protocol and says what a test wants. */
#ifndef AMCP_TESTS_FAKE_REDIS_H
#define AMCP_TESTS_FAKE_REDIS_H

#include <stdatomic.h>
#include <stdbool.h>

enum fake_mode {
  FAKE_GRANTS,        /* everything is fine; a place is always granted */
  FAKE_SLOW,          /* a place is granted after 120 ms */
  FAKE_FULL,          /* all places are taken */
  FAKE_SERVER_ERRORS, /* Google failed too often, until 2100-01-01T06:00Z */
  FAKE_NO_TOKENS,     /* the hour's tokens are used up until then */
  FAKE_ODD_ANSWERS,   /* grants; the answer to every question is "\xff\xff", for a minute */
  FAKE_SILENT,        /* takes commands, answers none of them */
  FAKE_GARBAGE,       /* answers with bytes that are not a reply */
  FAKE_FORGETFUL      /* has no script: NOSCRIPT */
};

struct fake_redis;

struct fake_redis *fake_redis_start(enum fake_mode mode);
void fake_redis_stop(struct fake_redis *f);
unsigned fake_redis_port(const struct fake_redis *f);
void fake_redis_set(struct fake_redis *f, enum fake_mode mode);
/* How often a command whose words begin like this has come: "ZREM", "AUTH app s3cret". */
int fake_redis_saw(struct fake_redis *f, const char *beginning);
/* Waits up to five seconds until it has come so often. */
bool fake_redis_sees(struct fake_redis *f, const char *beginning, int times);

#endif
