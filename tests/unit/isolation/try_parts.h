/* What the random calls share: counting, naming a dealer, asking for its token. */
#ifndef AMCP_TESTS_ISOLATION_TRY_PARTS_H
#define AMCP_TESTS_ISOLATION_TRY_PARTS_H

#include <stdint.h>

#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "analytics/auth/v1/auth.pb-c.h"
#include "analytics/report/v1/report.pb-c.h"
#include "tests/unit/isolation/scan.h"
#include "tests/unit/isolation/try.h"

#define AUTH (&analytics__auth__v1__auth_service__descriptor)
#define REPORT (&analytics__report__v1__report_service__descriptor)
#define AGGREGATE (&analytics__aggregate__v1__aggregate_service__descriptor)
#define DIRECT ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT
#define BENCHMARK ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_BENCHMARK
#define TEXT(s) ((char *)(uintptr_t)(s))

long long now_s(void);
/* Prints a violation and counts it. */
size_t wrong(const char *what, const struct reply *r);
/* Adds a call to the tally. */
void count(struct attempt *a, const struct reply *r);

/* A text that names a dealer, inside the grant or not, or nobody. */
struct named {
  char text[48];
  int shop; /* -1: nobody */
  int kind; /* 0 dealer id, 1 property, 2 account, 3 other */
};

/* A dealer drawn at random, one of the caller's own often; kind as above. */
struct named name_dealer(const struct attempt *a, int kind);
bool may_read(const struct attempt *a, int shop);

void ask_token(struct attempt *a, const ProtobufCBinaryData *grant,
               Analytics__Auth__V1__Purpose purpose, const struct named *target, struct reply *out);
/* Whose token an answer holds. */
int owner_of(const struct reply *r);

/* A question over several dealers, and who must answer it. */
struct question {
  struct named ids[3], subject;
  char *id_texts[3];
  size_t n_ids;
  bool with_subject;
  const char *region;
  char club[40]; /* "" for none */
  size_t club_index;
  bool members[PLAN_SHOPS];
  bool valid;
};

void draw_question(const struct attempt *a, struct question *q);
/* The texts of a question, which an error may repeat; returns how many. */
size_t asked_of(const struct question *q, const char *asked[8]);

#endif
