/* Links: made, listed, shown, revoked. */
#include <stdio.h>
#include <string.h>

#include "auth-svc/connect/internal.h"
#include "auth-svc/dealers/file.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum { INVITE_ID_LEN = 12, LABEL_MAX = 128 };

typedef Analytics__Auth__V1__Invitation invitation;

/* --------------------------------------------------------------------------- making */

static cJSON *dealer_object(const invitation *i)
{
  cJSON *d = cJSON_CreateObject();
  cJSON_AddStringToObject(d, "dealer_id", i->dealer_id);
  cJSON_AddStringToObject(d, "name", i->name);
  cJSON_AddStringToObject(d, "region", i->region);
  if (i->owner[0] != '\0')
    cJSON_AddStringToObject(d, "owner", i->owner);
  cJSON *groups = i->n_groups > 0 ? cJSON_AddArrayToObject(d, "groups") : NULL;
  for (size_t k = 0; k < i->n_groups; k++)
    cJSON_AddItemToArray(groups, cJSON_CreateString(i->groups[k]));
  return d;
}

/* The loader of dealers.json says what is wrong with it: an entry that it takes now it will take
 * with a property and a credential. */
static enum err_code check_dealer(const cJSON *dealer, struct err *e)
{
  const struct dealers_options options = {.names_only = true};
  struct dealers_content content = {0};
  AUTO_JSON cJSON *root = cJSON_CreateObject();
  cJSON *entry = cJSON_Duplicate(dealer, true);
  cJSON *properties = cJSON_AddArrayToObject(entry, "properties");
  cJSON_AddItemToArray(properties, cJSON_CreateString("1"));
  cJSON_AddItemToArray(cJSON_AddArrayToObject(root, "dealers"), entry);
  AUTO_FREE char *text = cJSON_PrintUnformatted(root);
  enum err_code code =
      dealers_file_read(&content, "invitation", text, strlen(text), &options, NULL, e);
  dealers_content_clear(&content);
  return code;
}

static enum err_code taken(struct err *e, const char *id, bool connected)
{
  return err_set(e, ERR_ALREADY_EXISTS, "dealer_taken",
                 connected ? "dealer_id: \"%s\" is connected already; renew its consent with "
                             "auth-svc invite --renew %s"
                           : "dealer_id: \"%s\" is in the dealers file already: take it out of the "
                             "file before it is connected (auth-svc import takes it over)%.0s",
                 id, id);
}

static enum err_code check_free(const struct connect_lists *l, const invitation *i,
                                const struct directory *directory, struct err *e)
{
  if (connect_find_dealer(l, i->dealer_id) != NULL)
    return taken(e, i->dealer_id, true);
  if (connect_is_configured(directory, i->dealer_id))
    return taken(e, i->dealer_id, false);
  return ERR_OK;
}

/* The dealer of a link, as it will be stored but for property and consent. */
static enum err_code make_dealer(cJSON **out, const struct connect_lists *l, const invitation *i,
                                 const struct directory *directory, struct err *e)
{
  if (i->renew) {
    const cJSON *known = connect_find_dealer(l, i->dealer_id);
    if (known == NULL)
      return err_set(e, ERR_NOT_FOUND, "no_such_dealer",
                     "dealer_id: no connected dealer \"%s\"; dealers of the dealers file get a new "
                     "refresh token there",
                     i->dealer_id);
    *out = cJSON_Duplicate(connect_dealer_of(known), true);
    cJSON_DeleteItemFromObjectCaseSensitive(*out, "oauth");
    return ERR_OK;
  }
  if (check_free(l, i, directory, e) != ERR_OK)
    return e->code;
  *out = dealer_object(i);
  enum err_code code = check_dealer(*out, e);
  if (code != ERR_OK)
    cJSON_Delete(TAKE_PTR(*out));
  return code;
}

static enum err_code check_request(const Analytics__Auth__V1__CreateInviteRequest *r,
                                   const struct connect_lists *l, struct err *e)
{
  if (r->invitation == NULL)
    return err_set(e, ERR_INVALID_ARGUMENT, "missing", "invitation: must be given");
  if (r->ttl_s != 0 && (r->ttl_s < CONNECT_TTL_MIN_S || r->ttl_s > CONNECT_TTL_MAX_S))
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_ttl", "ttl_s: must be %d to %d seconds",
                   CONNECT_TTL_MIN_S, CONNECT_TTL_MAX_S);
  if (strlen(r->invitation->label) > LABEL_MAX)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_label", "label: longer than %d bytes", LABEL_MAX);
  if (cJSON_GetArraySize(l->invites) >= CONNECT_INVITES_MAX)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "too_many_invites",
                   "%d links are open already: revoke some, or wait until they expire",
                   CONNECT_INVITES_MAX);
  return ERR_OK;
}

static void add_invite(const struct connect_lists *l, const invitation *i, cJSON *dealer,
                       const char *token, int64_t expires_s, const char *by)
{
  char hash[SHA256_HEX_SIZE];
  cJSON *invite = cJSON_CreateObject();
  sha256_hex(token, CONNECT_TOKEN_TEXT, hash);
  cJSON_AddStringToObject(invite, "hash", hash);
  cJSON_AddItemToObject(invite, "dealer", dealer);
  cJSON_AddStringToObject(invite, "label", i->label);
  cJSON_AddBoolToObject(invite, "renew", i->renew);
  cJSON_AddStringToObject(invite, "created_by", by);
  value_set_number(invite, "expires_s", expires_s);
  value_set_number(invite, "starts", 0);
  cJSON_AddItemToArray(l->invites, invite);
}

enum err_code connect_invite(struct connect *c, Analytics__Auth__V1__CreateInviteResponse *out,
                             const Analytics__Auth__V1__CreateInviteRequest *request,
                             const struct directory *directory, const char *by, struct arena *arena,
                             struct err *e)
{
  char token[CONNECT_TOKEN_TEXT + 1];
  struct connect_lists l;
  cJSON *dealer = NULL;
  if (connect_store_begin(c->options.store, &l, e) != ERR_OK)
    return e->code;
  enum err_code code = check_request(request, &l, e);
  if (code == ERR_OK)
    code = make_dealer(&dealer, &l, request->invitation, directory, e);
  if (code != ERR_OK) {
    connect_store_end(c->options.store, false, NULL);
    return code;
  }
  connect_token_make(token);
  out->expires_at = l.now_s + (request->ttl_s != 0 ? request->ttl_s : CONNECT_TTL_DEFAULT_S);
  add_invite(&l, request->invitation, dealer, token, out->expires_at, by);
  code = connect_store_end(c->options.store, true, e);
  if (code == ERR_OK) {
    char hash[SHA256_HEX_SIZE];
    sha256_hex(token, CONNECT_TOKEN_TEXT, hash);
    out->url = arena_printf(arena, "%s?invite=%s", c->options.url, token);
    out->invite_id = arena_printf(arena, "%.*s", INVITE_ID_LEN, hash);
  }
  mem_wipe(token, sizeof(token));
  return code;
}

/* -------------------------------------------------------------------------- showing */

/* A link that a session has is not over for its browser, but is for all others. */
enum err_code connect_show_invite(struct connect *c, Analytics__Auth__V1__ShowInviteResponse *out,
                                  const char *token, struct arena *arena, struct err *e)
{
  struct connect_lists l;
  if (connect_store_begin(c->options.store, &l, e) != ERR_OK)
    return e->code;
  const cJSON *invite = connect_find(l.invites, token);
  const char *holder = value_text(invite, "session");
  bool open = invite != NULL &&
              (holder[0] == '\0' || connect_find_text(l.sessions, "hash", holder) == NULL);
  if (open) {
    out->dealer_name = arena_strdup(arena, value_text(connect_dealer_of(invite), "name"));
    out->renew = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(invite, "renew"));
    out->testing = c->options.testing;
  }
  connect_store_end(c->options.store, false, NULL);
  return open ? ERR_OK : connect_invite_over(e);
}

static cJSON *find_by_id(const cJSON *invites, const char *id)
{
  cJSON *item;
  cJSON_ArrayForEach(item, invites)
  {
    if (strlen(id) == INVITE_ID_LEN && strncmp(value_text(item, "hash"), id, INVITE_ID_LEN) == 0)
      return item;
  }
  return NULL;
}

enum err_code connect_revoke_invite(struct connect *c, const char *invite_id, struct err *e)
{
  struct connect_lists l;
  if (connect_store_begin(c->options.store, &l, e) != ERR_OK)
    return e->code;
  cJSON *invite = find_by_id(l.invites, invite_id);
  if (invite == NULL) {
    connect_store_end(c->options.store, false, NULL);
    return err_set(e, ERR_NOT_FOUND, "no_such_invite",
                   "invite_id: no open link \"%.40s\"; auth-svc connections lists them", invite_id);
  }
  cJSON_Delete(cJSON_DetachItemViaPointer(l.invites, invite));
  return connect_store_end(c->options.store, true, e);
}

/* -------------------------------------------------------------------------- listing */

static invitation *put_invitation(const cJSON *invite, struct arena *arena)
{
  invitation *out = ARENA_NEW(arena, invitation);
  const cJSON *d = connect_dealer_of(invite), *groups, *g;
  if (out == NULL)
    return NULL;
  analytics__auth__v1__invitation__init(out);
  out->dealer_id = arena_strdup(arena, value_text(d, "dealer_id"));
  out->name = arena_strdup(arena, value_text(d, "name"));
  out->region = arena_strdup(arena, value_text(d, "region"));
  out->owner = arena_strdup(arena, value_text(d, "owner"));
  out->label = arena_strdup(arena, value_text(invite, "label"));
  out->renew = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(invite, "renew"));
  groups = cJSON_GetObjectItemCaseSensitive(d, "groups");
  out->groups = ARENA_ARRAY(arena, char *, (size_t)cJSON_GetArraySize(groups));
  cJSON_ArrayForEach(g, groups)
  {
    if (out->groups != NULL)
      out->groups[out->n_groups++] = arena_strdup(arena, cJSON_GetStringValue(g));
  }
  return out;
}

static Analytics__Auth__V1__OpenInvite *put_invite(const cJSON *invite, struct arena *arena)
{
  Analytics__Auth__V1__OpenInvite *out = ARENA_NEW(arena, Analytics__Auth__V1__OpenInvite);
  if (out == NULL)
    return NULL;
  analytics__auth__v1__open_invite__init(out);
  out->invite_id = arena_printf(arena, "%.*s", INVITE_ID_LEN, value_text(invite, "hash"));
  out->invitation = put_invitation(invite, arena);
  out->expires_at = value_number(invite, "expires_s");
  out->created_by = arena_strdup(arena, value_text(invite, "created_by"));
  out->starts = (int32_t)value_number(invite, "starts");
  return out->invitation != NULL ? out : NULL;
}

static Analytics__Auth__V1__ConnectedDealer *put_dealer(const cJSON *item, struct arena *arena)
{
  Analytics__Auth__V1__ConnectedDealer *out =
      ARENA_NEW(arena, Analytics__Auth__V1__ConnectedDealer);
  const cJSON *d = connect_dealer_of(item);
  const cJSON *first = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(d, "properties"), 0);
  if (out == NULL)
    return NULL;
  analytics__auth__v1__connected_dealer__init(out);
  out->dealer_id = arena_strdup(arena, value_text(d, "dealer_id"));
  out->name = arena_strdup(arena, value_text(d, "name"));
  out->property_id = arena_strdup(arena, connect_property_id(first));
  out->google_account = arena_strdup(arena, value_text(item, "google_account"));
  out->connected_at = value_number(item, "connected_s");
  return out;
}

static bool put_lists(Analytics__Auth__V1__ListConnectionsResponse *out,
                      const struct connect_lists *l, struct arena *arena)
{
  const cJSON *item;
  out->invites =
      ARENA_ARRAY(arena, Analytics__Auth__V1__OpenInvite *, (size_t)cJSON_GetArraySize(l->invites));
  out->dealers = ARENA_ARRAY(arena, Analytics__Auth__V1__ConnectedDealer *,
                             (size_t)cJSON_GetArraySize(l->dealers));
  bool ok = out->invites != NULL && out->dealers != NULL;
  cJSON_ArrayForEach(item, l->invites)
  {
    ok = ok && (out->invites[out->n_invites++] = put_invite(item, arena)) != NULL;
  }
  cJSON_ArrayForEach(item, l->dealers)
  {
    ok = ok && (out->dealers[out->n_dealers++] = put_dealer(item, arena)) != NULL;
  }
  return ok;
}

enum err_code connect_list(struct connect *c, Analytics__Auth__V1__ListConnectionsResponse *out,
                           struct arena *arena, struct err *e)
{
  struct connect_lists l;
  if (connect_store_begin(c->options.store, &l, e) != ERR_OK)
    return e->code;
  bool ok = put_lists(out, &l, arena);
  connect_store_end(c->options.store, false, NULL);
  return ok ? ERR_OK
            : err_set(e, ERR_RESOURCE_EXHAUSTED, "answer_too_large",
                      "the list is too large for one answer");
}
