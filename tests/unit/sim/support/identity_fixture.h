/* A simulator without a listener, its endpoints called directly. */
#ifndef TESTS_SIM_IDENTITY_FIXTURE_H
#define TESTS_SIM_IDENTITY_FIXTURE_H

#include <cjson/cJSON.h>

#include "ga4-sim/sim/sim.h"
#include "tests/unit/sim/support/fixture.h"

#define BASE "http://sim.test"
#define JWT_BEARER "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion="
#define ANALYTICS "https://www.googleapis.com/auth/analytics.readonly"
#define PLATFORM "https://www.googleapis.com/auth/cloud-platform"

struct sim *identity_sim(void);
void identity_free(void);

struct answer {
  int status;
  cJSON *json;     /* NULL when the body is not JSON, or longer than 4 MiB */
  char text[4096]; /* the body's beginning */
  const char *header_name;
  char header_value[2048];
};

/* One call. headers: name, value, ..., NULL (also query parameters, as "?name"). body may be
 * NULL. Free with answer_free(). */
struct answer call(const char *method, const char *path, const char *body,
                   const char *const *headers);
void answer_free(struct answer *a);
#define AUTO_ANSWER CLEANUP(answer_free)
/* POST with a body; a bearer may be NULL. */
struct answer post(const char *path, const char *body, const char *bearer);
/* A member of the answer as text; "" when absent. "error.message" looks one level down. */
const char *member(const struct answer *a, const char *name);
/* POST to a switch with ' for ", which must succeed. */
struct answer control(const char *path, const char *json);
/* Status of reading a dealer's metadata with a bearer. */
int read_metadata(size_t dealer, const char *bearer);
int64_t now_s(void);

#endif
