/* The published keys of the issuers of AUTH_ISSUERS_FILE. They outlive a reload: an issuer that is
 * still there keeps the keys it has, and one that is down keeps nobody from the others.
 * Thread-safe; nothing waits. */
#ifndef AMCP_AUTH_KEY_SOURCES_H
#define AMCP_AUTH_KEY_SOURCES_H

#include "auth-svc/identity/issuers.h"
#include "auth-svc/identity/jwks.h"

/* Issuers that a process may have had, those that are gone included. */
enum { KEY_SOURCES_MAX = 64 };

struct key_sources;

/* `http` must outlive the object's use. */
struct key_sources *key_sources_new(struct http_client *http);
/* After the HTTP client has ended. NULL is fine. */
void key_sources_free(struct key_sources *k);

/* Starts fetching for issuers that are new. RESOURCE_EXHAUSTED when there were too many since the
 * start of the process. */
enum err_code key_sources_add(struct key_sources *k, const struct issuers *issuers, struct err *e);
/* Keeps the keys of these up to date, and no others. */
void key_sources_keep(struct key_sources *k, const struct issuers *issuers);
/* Of an issuer that was added. Borrowed; lives as long as the object. NULL: never added. */
struct jwks *key_sources_find(struct key_sources *k, const struct issuer *issuer);
/* Appends a line for each of them, for /readyz. */
void key_sources_describe(struct key_sources *k, const struct issuers *issuers, struct buf *detail);

#endif
