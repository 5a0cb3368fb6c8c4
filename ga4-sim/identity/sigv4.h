/* AWS Signature Version 4, as AWS's servers check it. */
#ifndef GA4_SIM_SIGV4_H
#define GA4_SIM_SIGV4_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"

enum { SIGV4_HEADERS_MAX = 32, SIGV4_SIGNATURE_SIZE = 65 };

struct sigv4_header {
  const char *name, *value;
};

/* A request as it was signed. Strings are borrowed. */
struct sigv4_request {
  const char *method;
  const char *path;  /* as in the URL, encoded; "" is "/" */
  const char *query; /* without '?'; "" when there is none */
  struct sigv4_header headers[SIGV4_HEADERS_MAX];
  size_t header_count;
  const char *body;
  size_t body_len;
};

/* What an Authorization header says. */
struct sigv4_authorization {
  char access_key_id[128];
  char date[9]; /* YYYYMMDD */
  char region[64];
  char service[64];
  char signed_headers[1024];
  char signature[SIGV4_SIGNATURE_SIZE];
};

/* Reads "AWS4-HMAC-SHA256 Credential=..., SignedHeaders=..., Signature=...". */
bool sigv4_read_authorization(const char *header, struct sigv4_authorization *out);
/* Value of a header, whatever the case of its name; NULL when absent. */
const char *sigv4_header(const struct sigv4_request *q, const char *name);
/* Whether SignedHeaders names it (lower case). */
bool sigv4_is_signed(const struct sigv4_authorization *a, const char *name);
/* The signature the request has to carry. amz_date: YYYYMMDDTHHMMSSZ. False when a signed
 * header is missing. */
bool sigv4_signature(const struct sigv4_request *q, const struct sigv4_authorization *a,
                     const char *secret, const char *amz_date, char out[SIGV4_SIGNATURE_SIZE]);

#endif
