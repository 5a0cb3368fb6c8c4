/* A token endpoint for tests: one loopback listener whose answers the test sets. */
#ifndef AMCP_TESTS_AUTH_FAKE_ENDPOINT_H
#define AMCP_TESTS_AUTH_FAKE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

struct fake_endpoint;

struct fake_answer {
  int status;
  const char *headers; /* extra lines, each ending in \r\n; NULL for none */
  const char *body;    /* NULL: {"access_token":"token-<n>",...} where n counts the questions */
  int expires_in;      /* for that body */
  unsigned delay_ms;   /* before the answer; see fake_release() */
  bool cut_off;        /* close without an answer */
  size_t padding;      /* spaces after the body */
  size_t body_len;     /* of a body that holds NULs; 0 means strlen */
  bool no_length;      /* no Content-Length: the body ends with the connection */
  size_t missing;      /* bytes of the body that are announced and never sent */
  unsigned drip_ms;    /* pause before each byte of the body */
};

struct fake_endpoint *fake_start(void);
void fake_stop(struct fake_endpoint *f);
/* "http://127.0.0.1:PORT/token" */
const char *fake_url(const struct fake_endpoint *f);
/* What every question gets from now on. The texts must outlive it. */
void fake_set(struct fake_endpoint *f, const struct fake_answer *answer);
/* Ends the delays of the questions counted so far: what is to happen before an answer is tested with
 * a delay that no test waits for. fake_stop() ends them without an answer. */
void fake_release(struct fake_endpoint *f);
/* Questions so far. */
int fake_hits(struct fake_endpoint *f);
/* Waits for the n-th question; false when it does not come within 20 s. */
bool fake_wait_hits(struct fake_endpoint *f, int n);
/* Body of the last question, copied into out. */
void fake_last_form(struct fake_endpoint *f, char *out, size_t size);

#endif
