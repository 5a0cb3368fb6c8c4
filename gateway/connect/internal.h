/* What connect.c and calls.c share; nobody else includes it. */
#ifndef AMCP_GATEWAY_CONNECT_INTERNAL_H
#define AMCP_GATEWAY_CONNECT_INTERNAL_H

#include "gateway/connect/connect.h"
#include "gateway/connect/fields.h"
#include "gateway/connect/page.h"
#include "gateway/share/share.h"

enum { CONNECT_VISIT_MAGIC = 0x715171e0 };

struct connect {
  struct rpc_channel *auth;
  char *url;    /* without a slash at its end */
  char *origin; /* of it */
  char *base;   /* its path */
  char *google; /* origin of the consent screen */
  const char *operator_name, *privacy_url;
  struct shares *shares; /* requests by address */
};

/* One request while auth-svc is asked. Goes with the exchange. */
struct visit {
  uint32_t magic;
  struct connect *connect;
  struct exchange *exchange;
  const struct visit_kind *kind;
  const struct connect_words *words;
  char session[CONNECT_SESSION_MAX]; /* of the cookie; "" when there is none */
  struct fields fields;
  bool answered;
};

/* Each asks auth-svc and answers. The visit's exchange is referenced until then. */
typedef void visit_run(struct visit *v);
visit_run visit_invite, visit_start, visit_again, visit_callback, visit_consent, visit_finish;

/* Answers with an error's page. */
void visit_fail(struct visit *v, const char *reason, int status, bool again);
/* Wipes what the request brought, and frees. */
void visit_free(void *visit);

#endif
