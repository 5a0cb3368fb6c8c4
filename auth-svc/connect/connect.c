/* What all steps stand on. */
#include "auth-svc/connect/connect.h"

#include <stdlib.h>
#include <string.h>

#include "auth-svc/connect/internal.h"
#include "common/base/mem.h"

enum { THREADS = 2, QUEUE_MAX = 1024 };

struct connect *connect_new(const struct connect_options *options)
{
  struct connect *c = xcalloc(1, sizeof(*c));
  c->options = *options;
  c->pool = pool_new("connect", THREADS, QUEUE_MAX);
  return c;
}

void connect_free(struct connect *c)
{
  if (c == NULL)
    return;
  pool_free(c->pool);
  free(c);
}

const struct google_endpoints *connect_google(const struct connect *c)
{
  return &c->options.google;
}

enum err_code connect_invite_over(struct err *e)
{
  return err_set(e, ERR_NOT_FOUND, "invite_over",
                 "this link is unknown, used, revoked or expired: ask for a new one");
}

enum err_code connect_session_over(struct err *e)
{
  return err_set(e, ERR_NOT_FOUND, "session_over",
                 "this session is unknown or has ended: open the link again");
}

cJSON *connect_invite_of(const struct connect_lists *l, const cJSON *session)
{
  cJSON *invite = connect_find_text(l->invites, "hash", value_text(session, "invite"));
  const char *holder = value_text(invite, "session");
  bool free_or_own = holder[0] == '\0' || strcmp(holder, value_text(session, "hash")) == 0 ||
                     connect_find_text(l->sessions, "hash", holder) == NULL;
  return invite != NULL && free_or_own ? invite : NULL;
}

cJSON *connect_find_dealer(const struct connect_lists *l, const char *dealer_id)
{
  cJSON *item;
  cJSON_ArrayForEach(item, l->dealers)
  {
    if (strcmp(value_text(connect_dealer_of(item), "dealer_id"), dealer_id) == 0)
      return item;
  }
  return NULL;
}

bool connect_is_configured(const struct directory *directory, const char *name)
{
  const struct dealer *d = directory_by_name(directory, name);
  return d != NULL && !d->connected;
}

void connect_prolong(const struct connect_lists *l, cJSON *session)
{
  value_set_number(session, "expires_s", l->now_s + CONNECT_SESSION_S);
}

enum err_code connect_seal(const struct connect_lists *l, cJSON *session, const char *key,
                           const char *text, struct err *e)
{
  const struct keyring_record place = value_place_of_session(session, key);
  return value_seal(session, key, l->ring, &place, text, e);
}

enum err_code connect_open(struct secret **out, const struct connect_lists *l, const cJSON *session,
                           const char *key, struct err *e)
{
  const struct keyring_record place = value_place_of_session(session, key);
  return value_open(out, session, key, l->ring, &place, e);
}

const char *connect_whose(struct connect *c, const char *token, const char *session,
                          struct arena *arena)
{
  struct connect_lists l;
  if (connect_store_begin(c->options.store, &l, NULL) != ERR_OK)
    return ""; /* the call itself says why */
  const cJSON *s = connect_find(l.sessions, session);
  const cJSON *invite = s != NULL ? connect_find_text(l.invites, "hash", value_text(s, "invite"))
                                  : connect_find(l.invites, token);
  const char *id = invite != NULL ? value_text(connect_dealer_of(invite), "dealer_id")
                                  : value_text(s, "dealer_id");
  id = arena_strdup(arena, id);
  connect_store_end(c->options.store, false, NULL);
  return id != NULL ? id : "";
}
