/* Certificates of the listeners over TLS: a good one, and the faults that a proxy between a service
 * and Google makes. New ones at every start, with their authority. */
#ifndef GA4_SIM_CERTIFICATE_H
#define GA4_SIM_CERTIFICATE_H

#include <stdbool.h>

#include "common/base/buf.h"

enum certificate_kind {
  CERTIFICATE_GOOD,        /* for localhost and 127.0.0.1, signed by the authority */
  CERTIFICATE_EXPIRED,     /* the same, over since yesterday */
  CERTIFICATE_WRONG_NAME,  /* for another host */
  CERTIFICATE_SELF_SIGNED, /* by nobody else */
  CERTIFICATE_KINDS
};

/* "good", "expired", "wrong_name", "self_signed". */
extern const char *const certificate_names[CERTIFICATE_KINDS];

struct authority;

/* NULL when OpenSSL fails. */
struct authority *authority_new(void);
/* NULL is fine. */
void authority_free(struct authority *a);
/* Appends the authority's own certificate as PEM: what clients are to trust. */
bool authority_put(const struct authority *a, struct buf *pem);
/* Appends a certificate and its key as PEM. */
bool authority_issue(const struct authority *a, enum certificate_kind kind, struct buf *certificate,
                     struct buf *key);

#endif
