/* Connected dealers leave the store, or come into it from the form of dealers.json. */
#include <stdio.h>
#include <string.h>

#include "auth-svc/connect/internal.h"
#include "auth-svc/secret/json.h"
#include "common/base/mem.h"

/* ---------------------------------------------------------------------------- forget */

/* Google knows one consent for a person and a client: to revoke one refresh token ends all. */
static const cJSON *shares_consent(const struct connect_lists *l, const cJSON *item)
{
  const char *sub = value_text(item, "google_sub");
  const cJSON *oauth = cJSON_GetObjectItemCaseSensitive(connect_dealer_of(item), "oauth"), *other;
  cJSON_ArrayForEach(other, l->dealers)
  {
    const cJSON *its = cJSON_GetObjectItemCaseSensitive(connect_dealer_of(other), "oauth");
    if (other != item && sub[0] != '\0' && strcmp(sub, value_text(other, "google_sub")) == 0 &&
        strcmp(value_text(oauth, "client_id"), value_text(its, "client_id")) == 0)
      return other;
  }
  return NULL;
}

static enum err_code open_token(struct secret **out, const struct connect_lists *l,
                                const cJSON *item, struct err *e)
{
  const cJSON *dealer = connect_dealer_of(item);
  const struct keyring_record place = value_place_of_dealer(dealer, "oauth.refresh_token");
  return value_open(out, cJSON_GetObjectItemCaseSensitive(dealer, "oauth"), "refresh_token",
                    l->ring, &place, e);
}

enum err_code connect_forget(struct connect *c, const char *dealer_id, struct secret **token,
                             const char **note, struct arena *arena, struct err *e)
{
  struct connect_lists l;
  *token = NULL;
  *note = "";
  if (connect_store_begin(c->options.store, &l, e) != ERR_OK)
    return e->code;
  cJSON *item = connect_find_dealer(&l, dealer_id);
  const cJSON *other = item != NULL ? shares_consent(&l, item) : NULL;
  enum err_code code =
      item == NULL    ? err_set(e, ERR_NOT_FOUND, "no_such_dealer",
                                "dealer_id: no connected dealer \"%.64s\"; auth-svc connections lists "
                                   "them",
                                dealer_id)
      : other != NULL ? ERR_OK
                      : open_token(token, &l, item, e);
  if (code != ERR_OK) {
    connect_store_end(c->options.store, false, NULL);
    return code;
  }
  if (other != NULL)
    *note = arena_printf(arena,
                         "not revoked at Google: dealer \"%s\" rests on the same person's consent, "
                         "which would end too",
                         value_text(connect_dealer_of(other), "dealer_id"));
  cJSON_Delete(cJSON_DetachItemViaPointer(l.dealers, item));
  code = connect_store_end(c->options.store, true, e);
  if (code != ERR_OK) {
    secret_unref(*token);
    *token = NULL;
  }
  return code;
}

/* ---------------------------------------------------------------------------- import */

/* Seals what is in the clear; what is sealed must open at its place. */
static enum err_code seal_member(const struct connect_lists *l, cJSON *dealer, const char *key,
                                 const char *path, struct err *e)
{
  cJSON *oauth = cJSON_GetObjectItemCaseSensitive(dealer, "oauth");
  const struct keyring_record place = value_place_of_dealer(dealer, path);
  const cJSON *value = cJSON_GetObjectItemCaseSensitive(oauth, key);
  AUTO_SECRET struct secret *ignored = NULL;
  return cJSON_IsString(value) ? value_seal(oauth, key, l->ring, &place, value->valuestring, e)
                               : value_open(&ignored, oauth, key, l->ring, &place, e);
}

/* One that is configured elsewhere would have the whole configuration refused. */
static enum err_code check_properties(const struct connect_lists *l, const cJSON *dealer,
                                      const struct directory *directory, struct err *e)
{
  const cJSON *p;
  cJSON_ArrayForEach(p, cJSON_GetObjectItemCaseSensitive(dealer, "properties"))
  {
    const char *id = connect_property_id(p);
    if (connect_property_taken(l, value_text(dealer, "dealer_id"), id, directory))
      return err_set(e, ERR_ALREADY_EXISTS, "property_taken",
                     "dealer \"%s\": property %s belongs to another dealer already",
                     value_text(dealer, "dealer_id"), id);
  }
  return ERR_OK;
}

static enum err_code take_in(const struct connect_lists *l, cJSON *dealer,
                             const struct directory *directory, struct err *e)
{
  const char *id = value_text(dealer, "dealer_id");
  if (id[0] == '\0' || cJSON_GetObjectItemCaseSensitive(dealer, "oauth") == NULL)
    return err_set(e, ERR_INVALID_ARGUMENT, "not_connectable",
                   "dealer \"%s\": needs a dealer_id and an OAuth client with a refresh token "
                   "(oauth)",
                   id);
  if (connect_find_dealer(l, id) != NULL || connect_is_configured(directory, id))
    return err_set(e, ERR_ALREADY_EXISTS, "dealer_taken",
                   "dealer \"%s\" is connected or in the dealers file already: take it out there "
                   "first",
                   id);
  if (check_properties(l, dealer, directory, e) != ERR_OK ||
      seal_member(l, dealer, "client_secret", "oauth.client_secret", e) != ERR_OK)
    return e->code;
  return seal_member(l, dealer, "refresh_token", "oauth.refresh_token", e);
}

static enum err_code take_all(const struct connect_lists *l, const cJSON *list,
                              const struct directory *directory, cJSON *taken, struct err *e)
{
  const cJSON *dealer;
  if (cJSON_GetArraySize(list) + cJSON_GetArraySize(l->dealers) > CONNECT_DEALERS_MAX)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "state_full", "more than %d dealers",
                   CONNECT_DEALERS_MAX);
  cJSON_ArrayForEach(dealer, list)
  {
    cJSON *item = cJSON_CreateObject(), *copy = cJSON_Duplicate(dealer, true);
    cJSON_AddItemToObject(item, "dealer", copy);
    value_set_number(item, "connected_s", l->now_s);
    cJSON_AddItemToArray(taken, item);
    if (take_in(l, copy, directory, e) != ERR_OK)
      return e->code;
  }
  return ERR_OK;
}

enum err_code connect_import(struct connect *c, const char *dealers_json,
                             const struct directory *directory, int32_t *n, struct err *e)
{
  struct connect_lists l;
  AUTO_WIPED_JSON cJSON *root = NULL;
  AUTO_WIPED_JSON cJSON *taken = cJSON_CreateArray();
  if (json_parse(&root, dealers_json, strlen(dealers_json), NULL, e) != ERR_OK)
    return e->code;
  const cJSON *list =
      cJSON_IsArray(root) ? root : cJSON_GetObjectItemCaseSensitive(root, "dealers");
  if (connect_store_begin(c->options.store, &l, e) != ERR_OK)
    return e->code;
  enum err_code code = take_all(&l, list, directory, taken, e);
  *n = (int32_t)cJSON_GetArraySize(taken);
  if (code != ERR_OK) {
    connect_store_end(c->options.store, false, NULL);
    return code;
  }
  while (taken->child != NULL)
    cJSON_AddItemToArray(l.dealers, cJSON_DetachItemFromArray(taken, 0));
  return connect_store_end(c->options.store, true, e);
}
