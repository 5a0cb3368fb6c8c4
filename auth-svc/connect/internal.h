/* What the files of connect/ share; nobody else includes it. */
#ifndef AMCP_AUTH_CONNECT_INTERNAL_H
#define AMCP_AUTH_CONNECT_INTERNAL_H

#include "auth-svc/connect/connect.h"
#include "auth-svc/connect/value.h"
#include "common/base/pool.h"

struct connect {
  struct connect_options options;
  struct pool *pool; /* stores what Google's answers bring: their own thread must not wait */
};

/* The names of a link's or session's stage in the store. */
#define STAGE_STARTED "started"     /* the browser is at Google */
#define STAGE_ASKING "asking"       /* the redirect came; state and verifier are gone */
#define STAGE_CONSENTED "consented" /* to be confirmed */
#define STAGE_CONNECTED "connected"

/* NOT_FOUND with the text for people. */
enum err_code connect_invite_over(struct err *e);
enum err_code connect_session_over(struct err *e);
/* The link of a session; NULL when it is gone or belongs to another session now. */
cJSON *connect_invite_of(const struct connect_lists *l, const cJSON *session);
/* The dealer object of a link or of a connected dealer. */
static inline cJSON *connect_dealer_of(const cJSON *item)
{
  return cJSON_GetObjectItemCaseSensitive(item, "dealer");
}
/* The connected dealer of this id; NULL when there is none. */
cJSON *connect_find_dealer(const struct connect_lists *l, const char *dealer_id);
/* A dealer of the dealers file of this name. Of connected dealers the store knows more than the
 * directory, which learns a little later what other replicas store. */
bool connect_is_configured(const struct directory *directory, const char *name);
/* The number of a property in an entry of dealers.json, where it is an object or a text. */
const char *connect_property_id(const cJSON *property);
/* Whether a property is another dealer's, of the file or of the store. */
bool connect_property_taken(const struct connect_lists *l, const char *dealer_id,
                            const char *property, const struct directory *directory);
/* The session goes on for another ten minutes. */
void connect_prolong(const struct connect_lists *l, cJSON *session);
/* Seals a secret of the session. */
enum err_code connect_seal(const struct connect_lists *l, cJSON *session, const char *key,
                           const char *text, struct err *e);
enum err_code connect_open(struct secret **out, const struct connect_lists *l, const cJSON *session,
                           const char *key, struct err *e);

#endif
