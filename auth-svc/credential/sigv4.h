/* AWS Signature Version 4 of requests without a body, such as GetCallerIdentity of STS. Pure. */
#ifndef AMCP_AUTH_SIGV4_H
#define AMCP_AUTH_SIGV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/http/client.h"

enum { SIGV4_DATE_SIZE = 17, SIGV4_MAX_HEADERS = 16 };

struct sigv4_request {
  const char *method;
  const char *url; /* https or http, percent-encoded, its path without "." and ".." segments */
  /* All that is signed besides host, without outer or doubled blanks: x-amz-date (or date) must be
   * among them. */
  const struct http_header *headers;
  size_t n_headers;
  const char *region;
  const char *service;
  const char *access_key_id;
  const char *secret_access_key;
  const char *date; /* as sigv4_date() writes it */
};

/* Writes 20201122T150405Z. */
void sigv4_date(int64_t unix_s, char out[SIGV4_DATE_SIZE]);

/* The host of a URL as it is signed: lower case, without the scheme's own port. False when
 * there is none or it does not fit. */
bool sigv4_host(const char *url, char *out, size_t size);

/* Appends the value of the Authorization header. Source: AWS, "Create a signed AWS API
 * request". False for a URL without host, more than SIGV4_MAX_HEADERS headers, or an `out`
 * that is full. */
bool sigv4_authorization(struct buf *out, const struct sigv4_request *r);

#endif
