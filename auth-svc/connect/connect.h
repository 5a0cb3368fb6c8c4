/* Links, sessions and consents: every step between an invitation and a connected dealer, over the
 * store (store.h) and Google (google.h).
 *
 * A link is used up when its dealer is stored; until then it belongs to the session whose consent
 * came first, for as long as that session lives. A session is made new at each start, lives ten
 * minutes from its last step, and its state and verifier are gone before Google is asked. Nothing
 * here shows a dealer as connected that is not on disk.
 *
 * Thread-safe. What changes the store waits for the disk; the arena holds the answers' texts. */
#ifndef AMCP_AUTH_CONNECT_CONNECT_H
#define AMCP_AUTH_CONNECT_CONNECT_H

#include "analytics/auth/v1/connect.pb-c.h"
#include "auth-svc/connect/google.h"
#include "auth-svc/connect/store.h"
#include "auth-svc/dealers/directory.h"
#include "common/base/arena.h"

enum {
  CONNECT_TTL_DEFAULT_S = 1800,
  CONNECT_TTL_MIN_S = 60,
  CONNECT_TTL_MAX_S = 86400,
  CONNECT_SESSION_S = 600,
  CONNECT_STARTS_MAX = 20, /* of one link */
};

struct connect_options {
  struct connect_store *store;
  struct google_endpoints google;
  const char *url;           /* CONNECT_URL, without a slash at its end */
  const char *authorization; /* URL of Google's consent screen */
  bool testing;              /* the consent app is in testing mode */
  bool require_iss;          /* a redirect without iss is refused */
};

struct connect;
/* Everything in the options must outlive it. */
struct connect *connect_new(const struct connect_options *options);
/* No question to Google may be under way: end the HTTP client first. NULL is fine. */
void connect_free(struct connect *c);

/* ------------------------------------------------------------------------ for admins */

/* `directory`: who is there already; `by` made the link. Errors name the field. */
enum err_code connect_invite(struct connect *c, Analytics__Auth__V1__CreateInviteResponse *out,
                             const Analytics__Auth__V1__CreateInviteRequest *request,
                             const struct directory *directory, const char *by, struct arena *arena,
                             struct err *e);
enum err_code connect_revoke_invite(struct connect *c, const char *invite_id, struct err *e);
/* The dealers' `state` is left empty. */
enum err_code connect_list(struct connect *c, Analytics__Auth__V1__ListConnectionsResponse *out,
                           struct arena *arena, struct err *e);
/* Takes a dealer out of the store. *token is its refresh token (secret_unref() it), or NULL with a
 * note in the arena when the consent must stay because another dealer rests on it. */
enum err_code connect_forget(struct connect *c, const char *dealer_id, struct secret **token,
                             const char **note, struct arena *arena, struct err *e);
/* Adds dealers in the form of dealers.json, which dealers_file_read() must have taken with the same
 * ring already. ALREADY_EXISTS `dealer_taken` names the first that is known. */
enum err_code connect_import(struct connect *c, const char *dealers_json,
                             const struct directory *directory, int32_t *n, struct err *e);

/* ------------------------------------------------------------------------ the pages */

enum err_code connect_show_invite(struct connect *c, Analytics__Auth__V1__ShowInviteResponse *out,
                                  const char *token, struct arena *arena, struct err *e);
enum err_code connect_start(struct connect *c, Analytics__Auth__V1__StartConsentResponse *out,
                            const Analytics__Auth__V1__StartConsentRequest *request,
                            struct arena *arena, struct err *e);
typedef void connect_received(void *user, const struct err *error);
/* `done` runs once, before this returns or on another thread, which may wait for the disk. */
void connect_receive(struct connect *c, const Analytics__Auth__V1__ReceiveConsentRequest *request,
                     connect_received *done, void *user);
/* A dealer that is stored but not in the directory with its property is FAILED_PRECONDITION
 * `not_live`. */
enum err_code connect_show(struct connect *c, Analytics__Auth__V1__ShowConsentResponse *out,
                           const char *session, const struct directory *directory,
                           struct arena *arena, struct err *e);
/* Stores the consent. ERR_OK also when that was done before. *dealer_id lives in the arena. */
enum err_code connect_finish(struct connect *c,
                             const Analytics__Auth__V1__FinishConsentRequest *request,
                             const struct directory *directory, const char **dealer_id,
                             struct arena *arena, struct err *e);
/* Asks for the figures of yesterday and keeps them for the page of the session. `done` runs once,
 * on another thread or before this returns, whether they came or not. */
void connect_ask_figures(struct connect *c, const char *session, struct secret *access_token,
                         void (*done)(void *user), void *user);
/* Whose questions go where. */
const struct google_endpoints *connect_google(const struct connect *c);
/* The dealer's id, of the link or session that a call names, in the arena; "" when there is none.
 * For audit lines. */
const char *connect_whose(struct connect *c, const char *token, const char *session,
                          struct arena *arena);

#endif
