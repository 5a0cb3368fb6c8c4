/* Dealers that were connected by consent join those of the file. */
#include <string.h>

#include "auth-svc/dealers/reader.h"
#include "auth-svc/secret/json.h"
#include "common/base/mem.h"

static enum err_code refuse(struct dealers_reader *r, const struct err *why, const char *dealer)
{
  AUTO_FREE char *text = xasprintf("the connected dealers (AUTH_STATE_DIR, DATABASE_URL): %s%s%s",
                                   dealer, dealer[0] != '\0' ? ": " : "", why->message);
  return dealers_fault(r, "", dealer, text);
}

static enum err_code open_all(struct dealers_reader *r, cJSON *root,
                              const struct sealed_policy *sealed, struct key_use *use)
{
  struct sealed_place place = {0};
  struct err e = {0};
  const struct sealed_policy policy = {
      .keyring = sealed != NULL ? sealed->keyring : NULL, .require_sealed = true, .use = use};
  return sealed_tree_open(root, &policy, &place, &e) == ERR_OK ? ERR_OK
                                                               : refuse(r, &e, place.dealer);
}

/* A client's secret that was changed at Google is changed for all that were connected with it. */
static void renew_secret(const struct dealers_connected *c, cJSON *dealer)
{
  cJSON *oauth = cJSON_GetObjectItemCaseSensitive(dealer, "oauth");
  const char *id = json_get_string(oauth, "client_id");
  cJSON *secret = cJSON_GetObjectItemCaseSensitive(oauth, "client_secret");
  if (c->client_id != NULL && c->client_secret != NULL && id != NULL && cJSON_IsString(secret) &&
      strcmp(id, c->client_id) == 0)
    cJSON_SetValuestring(secret, secret_text(c->client_secret));
}

enum err_code dealers_join(struct dealers_reader *r, cJSON *list,
                           const struct sealed_policy *sealed, struct key_use *use)
{
  AUTO_WIPED_JSON cJSON *root = NULL;
  struct err e = {0};
  if (r->connected == NULL || r->connected->len == 0)
    return ERR_OK;
  const struct json_limits limits = {.max_bytes = (size_t)64 << 20};
  if (json_parse(&root, r->connected->text, r->connected->len, &limits, &e) != ERR_OK)
    return refuse(r, &e, "");
  enum err_code code = r->names_only ? ERR_OK : open_all(r, root, sealed, use);
  cJSON *connected = cJSON_GetObjectItemCaseSensitive(root, "dealers");
  if (code == ERR_OK && cJSON_GetArraySize(connected) > DIRECTORY_MAX_DEALERS - (int)r->n_own) {
    err_set(&e, ERR_INVALID_ARGUMENT, "too_many", "%d and %zu of the file are more than %d dealers",
            cJSON_GetArraySize(connected), r->n_own, DIRECTORY_MAX_DEALERS);
    code = refuse(r, &e, "");
  }
  r->warn_of_cohorts = r->warn_of_cohorts || cJSON_GetArraySize(connected) > 0;
  while (code == ERR_OK && connected != NULL && connected->child != NULL) {
    renew_secret(r->connected, connected->child);
    cJSON_AddItemToArray(list, cJSON_DetachItemFromArray(connected, 0));
  }
  return code;
}
