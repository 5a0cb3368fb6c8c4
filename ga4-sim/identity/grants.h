/* The users' consents: refresh tokens, their rotation and revocation, token lifetimes, and
 * the state of OAuth clients. */
#ifndef GA4_SIM_GRANTS_H
#define GA4_SIM_GRANTS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "ga4-sim/world/world.h"

struct grants;

struct grants *grants_new(const struct world *w);
void grants_free(struct grants *g);

enum grants_verdict {
  GRANTS_GOOD,
  GRANTS_UNKNOWN, /* no such refresh token */
  GRANTS_DEAD     /* revoked, or rotated away */
};
/* Whose refresh token this is: identity (property index or IDENTITY_OPERATOR), or
 * IDENTITY_NONE. */
enum grants_verdict grants_find(struct grants *g, const char *refresh_token, int64_t now_ms,
                                int64_t *identity);
/* Bits of what the user consented to. */
uint32_t grants_scopes(struct grants *g, int64_t identity);
/* Called when a refresh is answered: with rotation on, writes the new refresh token into
 * out (else the empty text) and starts the old one's grace. */
void grants_refreshed(struct grants *g, int64_t identity, const char *used, int64_t now_ms,
                      char *out, size_t size);
/* Revokes what a refresh token stands for; false when nobody has it. */
bool grants_revoke_token(struct grants *g, const char *refresh_token, int64_t now_ms);
void grants_revoke(struct grants *g, int64_t identity, int64_t now_ms);
/* Whether an access token issued then is dead by revocation. */
bool grants_revoked_since(struct grants *g, int64_t identity, int64_t issued_ms);

/* The operator's own credentials: consented to cloud-platform only. */
const char *grants_operator_client_id(const struct grants *g);
const char *grants_operator_secret(const struct grants *g);
const char *grants_operator_refresh_token(const struct grants *g);

enum client_state { CLIENT_ACTIVE, CLIENT_DELETED, CLIENT_DISABLED, CLIENT_UNKNOWN };
/* State of a client; *secret is its secret when it is known. */
enum client_state grants_client(struct grants *g, const char *client_id, const char **secret);
const char *grants_client_of(const struct grants *g, int64_t identity);

/* The expires_in that answers report: a JSON value, or left out. */
struct grants_lifetime {
  char expires_in[256]; /* JSON text as it stands in the answer; empty: the usual number */
  bool omit;
  int64_t lifetime_s; /* how long the token really lives; 0: as usual */
};
void grants_lifetime(struct grants *g, int64_t identity, struct grants_lifetime *out);

/* The switches of /sim/: each reads a JSON object and answers the new state. */
enum err_code grants_set_rotation(struct grants *g, const cJSON *body, cJSON **state,
                                  struct err *e);
enum err_code grants_set_lifetime(struct grants *g, const cJSON *body, cJSON **state,
                                  struct err *e);
enum err_code grants_set_revocation(struct grants *g, const cJSON *body, cJSON **state,
                                    struct err *e);
/* The user consents (again): a new refresh token, for the scopes named in the body. */
enum err_code grants_set_consent(struct grants *g, const cJSON *body, cJSON **state, struct err *e);
enum err_code grants_set_client(struct grants *g, const cJSON *body, cJSON **state, struct err *e);

#endif
