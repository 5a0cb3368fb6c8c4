/* The end of a consent: what a session shows, and the dealer that is stored. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth-svc/connect/internal.h"
#include "common/base/mem.h"

enum { ASKING_MAGIC = 0xf16e0a5c };

/* ------------------------------------------------------------------------------ show */

static const cJSON *properties_of(const cJSON *object)
{
  return cJSON_GetObjectItemCaseSensitive(object, "properties");
}

const char *connect_property_id(const cJSON *property)
{
  static const char prefix[] = "properties/";
  const char *id =
      cJSON_IsString(property) ? property->valuestring : value_text(property, "property_id");
  return strncmp(id, prefix, sizeof(prefix) - 1) == 0 ? id + sizeof(prefix) - 1 : id;
}

static const char *first_property(const cJSON *dealer)
{
  return connect_property_id(cJSON_GetArrayItem(properties_of(dealer), 0));
}

static bool put_properties(Analytics__Auth__V1__ShowConsentResponse *out, const cJSON *session,
                           struct arena *arena)
{
  const cJSON *p;
  size_t n = (size_t)cJSON_GetArraySize(properties_of(session));
  out->properties = ARENA_ARRAY(arena, Analytics__Auth__V1__OfferedProperty *, n);
  cJSON_ArrayForEach(p, properties_of(session))
  {
    Analytics__Auth__V1__OfferedProperty *seen =
        ARENA_NEW(arena, Analytics__Auth__V1__OfferedProperty);
    if (seen == NULL || out->properties == NULL)
      return false;
    analytics__auth__v1__offered_property__init(seen);
    seen->property_id = arena_strdup(arena, value_text(p, "property_id"));
    seen->name = arena_strdup(arena, value_text(p, "name"));
    seen->account_name = arena_strdup(arena, value_text(p, "account_name"));
    out->properties[out->n_properties++] = seen;
  }
  return true;
}

static bool is_stage(const cJSON *session, const char *stage)
{
  return strcmp(value_text(session, "stage"), stage) == 0;
}

/* Stored, and in use: the directory is what the services answer from. */
static bool is_live(const struct connect_lists *l, const cJSON *session,
                    const struct directory *directory)
{
  const char *id = value_text(session, "dealer_id");
  const struct dealer *owner = directory_by_property(directory, value_text(session, "property_id"));
  return connect_find_dealer(l, id) != NULL && owner != NULL && strcmp(owner->dealer_id, id) == 0;
}

static enum err_code not_live(struct err *e)
{
  return err_set(e, ERR_FAILED_PRECONDITION, "not_live",
                 "the consent is stored, but the configuration refuses the dealer for now; the log "
                 "of auth-svc says why");
}

static void put_figures(Analytics__Auth__V1__ShowConsentResponse *out, const cJSON *session)
{
  const cJSON *figures = cJSON_GetObjectItemCaseSensitive(session, "figures");
  out->has_figures = figures != NULL;
  out->sessions = value_number(figures, "sessions");
  out->active_users = value_number(figures, "active_users");
}

static enum err_code put_session(Analytics__Auth__V1__ShowConsentResponse *out,
                                 const struct connect_lists *l, const cJSON *session,
                                 const struct directory *directory, struct arena *arena,
                                 struct err *e)
{
  bool connected = is_stage(session, STAGE_CONNECTED);
  const cJSON *invite = connected ? NULL : connect_invite_of(l, session);
  if (!connected && invite == NULL)
    return connect_invite_over(e);
  if (connected && !is_live(l, session, directory))
    return not_live(e);
  const cJSON *dealer = connect_dealer_of(
      connected ? connect_find_dealer(l, value_text(session, "dealer_id")) : invite);
  out->stage = connected ? ANALYTICS__AUTH__V1__CONSENT_STAGE__CONSENT_STAGE_CONNECTED
               : is_stage(session, STAGE_CONSENTED)
                   ? ANALYTICS__AUTH__V1__CONSENT_STAGE__CONSENT_STAGE_CONSENTED
                   : ANALYTICS__AUTH__V1__CONSENT_STAGE__CONSENT_STAGE_STARTED;
  out->dealer_name = arena_strdup(arena, value_text(dealer, "name"));
  out->google_account = arena_strdup(arena, value_text(session, "google_account"));
  out->property_id = arena_strdup(arena, first_property(dealer));
  put_figures(out, session);
  return put_properties(out, session, arena)
             ? ERR_OK
             : err_set(e, ERR_RESOURCE_EXHAUSTED, "answer_too_large",
                       "not enough memory for the answer");
}

enum err_code connect_show(struct connect *c, Analytics__Auth__V1__ShowConsentResponse *out,
                           const char *session, const struct directory *directory,
                           struct arena *arena, struct err *e)
{
  struct connect_lists l;
  if (connect_store_begin(c->options.store, &l, e) != ERR_OK)
    return e->code;
  const cJSON *found = connect_find(l.sessions, session);
  enum err_code code =
      found == NULL ? connect_session_over(e) : put_session(out, &l, found, directory, arena, e);
  if (found != NULL)
    out->language = arena_strdup(arena, value_text(found, "language"));
  connect_store_end(c->options.store, false, NULL);
  out->testing = c->options.testing;
  return code;
}

/* --------------------------------------------------------------------------- checks */

bool connect_property_taken(const struct connect_lists *l, const char *dealer_id,
                            const char *property, const struct directory *directory)
{
  const struct dealer *owner = directory_by_property(directory, property);
  bool taken = owner != NULL && !owner->connected && strcmp(owner->dealer_id, dealer_id) != 0;
  const cJSON *item, *p;
  cJSON_ArrayForEach(item, l->dealers)
  {
    const cJSON *d = connect_dealer_of(item);
    bool other = strcmp(value_text(d, "dealer_id"), dealer_id) != 0;
    cJSON_ArrayForEach(p, properties_of(d))
    {
      taken = taken || (other && strcmp(connect_property_id(p), property) == 0);
    }
  }
  return taken;
}

static enum err_code check_dealer(const struct connect_lists *l, const char *dealer_id, bool renew,
                                  const struct directory *directory, struct err *e)
{
  bool stored = connect_find_dealer(l, dealer_id) != NULL;
  if (renew && !stored)
    return connect_invite_over(e);
  if (!renew && (stored || connect_is_configured(directory, dealer_id)))
    return err_set(e, ERR_ALREADY_EXISTS, "dealer_taken",
                   "dealer \"%s\" exists already: it was connected or configured meanwhile",
                   dealer_id);
  return !renew && cJSON_GetArraySize(l->dealers) >= CONNECT_DEALERS_MAX
             ? err_set(e, ERR_RESOURCE_EXHAUSTED, "state_full", "%d dealers are connected already",
                       CONNECT_DEALERS_MAX)
             : ERR_OK;
}

/* --------------------------------------------------------------------------- storing */

/* Adds "properties": the chosen one; further ones that a renewal finds stay. */
static void set_property(cJSON *dealer, const cJSON *seen)
{
  const char *id = value_text(seen, "property_id");
  cJSON *old = cJSON_DetachItemFromObjectCaseSensitive(dealer, "properties");
  cJSON *list = cJSON_AddArrayToObject(dealer, "properties"), *p = cJSON_CreateObject();
  cJSON_AddStringToObject(p, "property_id", id);
  if (value_text(seen, "name")[0] != '\0')
    cJSON_AddStringToObject(p, "name", value_text(seen, "name"));
  cJSON_AddItemToArray(list, p);
  for (cJSON *o = old != NULL ? old->child : NULL, *next; o != NULL; o = next) {
    next = o->next;
    const char *own = connect_property_id(o);
    if (strcmp(own, id) != 0 && strcmp(own, first_property(dealer)) != 0 && o != old->child)
      cJSON_AddItemToArray(list, cJSON_DetachItemViaPointer(old, o));
  }
  cJSON_Delete(old);
}

/* The credential of the entry, sealed as in dealers.json. */
static enum err_code set_oauth(const struct connect *c, const struct connect_lists *l,
                               cJSON *dealer, const cJSON *session, struct err *e)
{
  AUTO_SECRET struct secret *token = NULL;
  cJSON *oauth = cJSON_AddObjectToObject(dealer, "oauth");
  const struct keyring_record of_secret = value_place_of_dealer(dealer, "oauth.client_secret"),
                              of_token = value_place_of_dealer(dealer, "oauth.refresh_token");
  cJSON_AddStringToObject(oauth, "client_id", c->options.google.client_id);
  if (connect_open(&token, l, session, "refresh_token", e) != ERR_OK ||
      value_seal(oauth, "client_secret", l->ring, &of_secret,
                 secret_text(c->options.google.client_secret), e) != ERR_OK)
    return e->code;
  return value_seal(oauth, "refresh_token", l->ring, &of_token, secret_text(token), e);
}

static cJSON *make_item(const struct connect_lists *l, cJSON *dealer, const cJSON *session)
{
  cJSON *item = cJSON_CreateObject();
  cJSON_AddItemToObject(item, "dealer", dealer);
  cJSON_AddStringToObject(item, "google_account", value_text(session, "google_account"));
  cJSON_AddStringToObject(item, "google_sub", value_text(session, "google_sub"));
  value_set_number(item, "connected_s", l->now_s);
  return item;
}

/* Everything that changes, changes here: the link goes, the dealer comes. */
static void put_dealer(const struct connect_lists *l, cJSON *invite, cJSON *session, cJSON *dealer)
{
  cJSON *before = connect_find_dealer(l, value_text(dealer, "dealer_id"));
  cJSON *item = make_item(l, dealer, session);
  value_set_text(session, "dealer_id", value_text(dealer, "dealer_id"));
  value_set_text(session, "property_id", first_property(dealer));
  value_set_text(session, "stage", STAGE_CONNECTED);
  value_set_text(session, "refresh_token", NULL);
  connect_prolong(l, session);
  if (before != NULL)
    cJSON_ReplaceItemViaPointer(l->dealers, before, item);
  else
    cJSON_AddItemToArray(l->dealers, item);
  cJSON_Delete(cJSON_DetachItemViaPointer(l->invites, invite));
}

static enum err_code finish(const struct connect *c, const struct connect_lists *l, cJSON *session,
                            const char *property, const struct directory *directory, struct err *e)
{
  cJSON *invite = is_stage(session, STAGE_CONSENTED) ? connect_invite_of(l, session) : NULL;
  if (invite == NULL)
    return is_stage(session, STAGE_CONSENTED) ? connect_invite_over(e) : connect_session_over(e);
  const char *id = value_text(connect_dealer_of(invite), "dealer_id");
  bool renew = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(invite, "renew"));
  const cJSON *seen = connect_find_text(properties_of(session), "property_id", property);
  if (property[0] == '\0' || seen == NULL)
    return err_set(e, ERR_INVALID_ARGUMENT, "property_unknown",
                   "property_id: must be one of the properties that were shown");
  if (connect_property_taken(l, id, property, directory))
    return err_set(e, ERR_ALREADY_EXISTS, "property_taken",
                   "property_id: this property belongs to another dealer already");
  if (check_dealer(l, id, renew, directory, e) != ERR_OK)
    return e->code;
  cJSON *dealer = cJSON_Duplicate(connect_dealer_of(invite), true);
  set_property(dealer, seen);
  if (set_oauth(c, l, dealer, session, e) != ERR_OK) {
    cJSON_Delete(dealer);
    return e->code;
  }
  put_dealer(l, invite, session, dealer);
  return ERR_OK;
}

enum err_code connect_finish(struct connect *c,
                             const Analytics__Auth__V1__FinishConsentRequest *request,
                             const struct directory *directory, const char **dealer_id,
                             struct arena *arena, struct err *e)
{
  struct connect_lists l;
  *dealer_id = NULL;
  if (connect_store_begin(c->options.store, &l, e) != ERR_OK)
    return e->code;
  cJSON *session = connect_find(l.sessions, request->session);
  bool done = session != NULL && is_stage(session, STAGE_CONNECTED);
  enum err_code code = session == NULL ? connect_session_over(e)
                       : done          ? ERR_OK
                                       : finish(c, &l, session, request->property_id, directory, e);
  *dealer_id = session != NULL ? arena_strdup(arena, value_text(session, "dealer_id")) : NULL;
  if (code != ERR_OK || done) {
    connect_store_end(c->options.store, false, NULL);
    return code;
  }
  return connect_store_end(c->options.store, true, e);
}

/* --------------------------------------------------------------------------- figures */

/* Yesterday's figures on their way to the session's page. */
struct asking {
  uint32_t magic;
  struct connect *connect;
  void (*done)(void *user);
  void *user;
  char session[SHA256_HEX_SIZE]; /* digest */
  struct google_figures figures;
};

/* They are to be seen once: not for a disk, but for the replica that shows the page. */
static void keep_figures(const struct asking *a)
{
  struct connect_store *store = a->connect->options.store;
  struct connect_lists l;
  if (!a->figures.known || connect_store_begin(store, &l, NULL) != ERR_OK)
    return;
  cJSON *session = connect_find_text(l.sessions, "hash", a->session);
  if (session != NULL) {
    cJSON_DeleteItemFromObjectCaseSensitive(session, "figures");
    cJSON *kept = cJSON_AddObjectToObject(session, "figures");
    value_set_number(kept, "sessions", a->figures.sessions);
    value_set_number(kept, "active_users", a->figures.active_users);
  }
  connect_store_end(store, session != NULL && connect_store_is_shared(store), NULL);
}

static void asking_end(struct asking *a)
{
  a->done(a->user);
  a->magic = 0;
  free(a);
}

static void on_pool(void *arg)
{
  struct asking *a = arg;
  MAGIC_CHECK(a, ASKING_MAGIC);
  keep_figures(a);
  asking_end(a);
}

static void on_figures(void *user, const struct google_figures *figures)
{
  struct asking *a = user;
  MAGIC_CHECK(a, ASKING_MAGIC);
  a->figures = *figures;
  if (!pool_submit(a->connect->pool, on_pool, a))
    asking_end(a);
}

/* Of the session's property; "" when it is gone. */
static void find_property(struct connect *c, const char *token, struct asking *a, char out[32])
{
  struct connect_lists l;
  out[0] = '\0';
  if (connect_store_begin(c->options.store, &l, NULL) != ERR_OK)
    return;
  const cJSON *session = connect_find(l.sessions, token);
  snprintf(a->session, sizeof(a->session), "%s", value_text(session, "hash"));
  snprintf(out, 32, "%s", value_text(session, "property_id"));
  connect_store_end(c->options.store, false, NULL);
}

void connect_ask_figures(struct connect *c, const char *session, struct secret *access_token,
                         void (*done)(void *user), void *user)
{
  char property[32];
  struct asking *a = xcalloc(1, sizeof(*a));
  *a = (struct asking){.magic = ASKING_MAGIC, .connect = c, .done = done, .user = user};
  find_property(c, session, a, property);
  google_figures_ask(&c->options.google, access_token, property, on_figures, a);
}
