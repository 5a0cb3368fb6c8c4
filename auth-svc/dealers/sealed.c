/* Finds, opens and replaces the secrets of dealers.json. */
#include "auth-svc/dealers/sealed.h"

#include <stdio.h>
#include <string.h>

#include "auth-svc/secret/json.h"
#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"

enum {
  FILE_MAX = 16 << 20,
  EDIT_MAX = 2 * SEALED_TEXT_MAX,
  DEPTH_MAX = 16, /* of a field inside a dealer */
};

bool sealed_is_secret_key(const char *key)
{
  static const char *const names[] = {
      "client_secret", "refresh_token", "private_key",     "access_token",
      "id_token",      "password",      "secret",          "api_key",
      "session_token", "authorization", "private_key_pem", "secret_access_key",
      "subject_token", "token",
  };
  for (size_t i = 0; i < ARRAY_LEN(names); i++)
    if (ascii_case_equal(key, names[i]))
      return true;
  return false;
}

struct keyring_record sealed_record(const struct sealed_place *place)
{
  return (struct keyring_record){place->dealer, SEALED_FILE_KIND, place->field};
}

void sealed_place_path(const struct sealed_place *place, bool bare, char *path, size_t size)
{
  snprintf(path, size, "%s[%zu]%s%s", bare ? "" : "dealers", place->index,
           place->field[0] != '\0' ? "." : "", place->field);
}

/* Puts file, line, path and dealer before the message of an error. */
static void prefix_place(const struct sealed_place *place, const char *name, const char *text,
                         size_t len, bool bare, struct err *e)
{
  char path[SEALED_PATH_MAX + 40];
  sealed_place_path(place, bare, path, sizeof(path));
  size_t line = json_line_of(text, len, path);
  bool named = place->dealer[0] != '\0';
  err_prefix(e, "%s line %zu: %s%s%s%s: ", name, line != 0 ? line : 1, path,
             named ? " (dealer \"" : "", place->dealer, named ? "\")" : "");
}

/* ------------------------------------------------------------------ the walk */

typedef enum err_code on_value(void *user, cJSON *node, const struct sealed_value *value,
                               struct err *e);

struct walk {
  struct sealed_place *place;
  on_value *on_value;
  /* Takes a fault, so that the walk goes on; NULL: it ends the walk. */
  void (*on_fault)(void *user, const struct sealed_place *place, const struct err *e);
  void *user;
  struct err *e;
};

/* {"sealed": "..."} and nothing else. */
static const char *sealed_text(const cJSON *node)
{
  const cJSON *child = cJSON_IsObject(node) ? node->child : NULL;
  bool shaped = child != NULL && child->next == NULL && cJSON_IsString(child) &&
                strcmp(child->string, "sealed") == 0;
  return shaped ? child->valuestring : NULL;
}

static enum err_code visit(const struct walk *w, cJSON *node, const char *text, bool is_sealed,
                           bool is_secret)
{
  if (w->place->dealer[0] == '\0')
    return err_set(w->e, ERR_INVALID_ARGUMENT, "no_dealer_id",
                   "a secret is bound to its dealer: give the dealer a dealer_id of 1 to 64 bytes");
  const struct sealed_value value = {w->place, is_sealed, is_secret, text, strlen(text)};
  return w->on_value(w->user, node, &value, w->e);
}

static enum err_code walk_children(const struct walk *w, cJSON *parent, size_t depth);

/* place->field is the node's path already. */
static enum err_code walk_node(const struct walk *w, cJSON *node, bool secret_key, size_t depth)
{
  const char *sealed = sealed_text(node);
  if (sealed != NULL)
    return visit(w, node, sealed, true, secret_key);
  if (cJSON_IsObject(node) && cJSON_GetObjectItemCaseSensitive(node, "sealed") != NULL)
    return err_set(w->e, ERR_INVALID_ARGUMENT, "malformed_seal",
                   "must be {\"sealed\": \"v1:<key id>:<base64>\"} and hold nothing else");
  if (cJSON_IsString(node) && secret_key && node->valuestring[0] != '\0')
    return visit(w, node, node->valuestring, false, true);
  return cJSON_IsObject(node) || cJSON_IsArray(node) ? walk_children(w, node, depth + 1) : ERR_OK;
}

/* Headers of a credential source may carry a key under any name. */
static bool holds_secret(const cJSON *parent, const cJSON *child)
{
  bool headers = parent->string != NULL && ascii_case_equal(parent->string, "headers");
  return cJSON_IsObject(parent) && (headers || sealed_is_secret_key(child->string));
}

static enum err_code walk_children(const struct walk *w, cJSON *parent, size_t depth)
{
  char *field = w->place->field;
  size_t base = strlen(field), i = 0;
  if (depth > DEPTH_MAX)
    return err_set(w->e, ERR_INVALID_ARGUMENT, "too_deep", "nested deeper than %d levels",
                   DEPTH_MAX);
  for (cJSON *c = parent->child; c != NULL; c = c->next, i++) {
    int n = cJSON_IsArray(parent) ? snprintf(field + base, SEALED_PATH_MAX - base, "[%zu]", i)
                                  : snprintf(field + base, SEALED_PATH_MAX - base, "%s%s",
                                             base > 0 ? "." : "", c->string);
    /* A path that was cut would bind two fields alike. */
    if (n < 0 || (size_t)n >= SEALED_PATH_MAX - base)
      return err_set(w->e, ERR_INVALID_ARGUMENT, "too_deep", "the path is longer than %d bytes",
                     SEALED_PATH_MAX - 1);
    enum err_code code = walk_node(w, c, holds_secret(parent, c), depth);
    if (code != ERR_OK && w->on_fault != NULL)
      w->on_fault(w->user, w->place, w->e);
    else if (code != ERR_OK)
      return code; /* the place stays where the fault is */
    field[base] = '\0';
  }
  return ERR_OK;
}

static void name_dealer(struct sealed_place *place, const cJSON *dealer)
{
  const char *id = json_get_string(dealer, "dealer_id");
  if (id == NULL)
    id = json_get_string(dealer, "account_id");
  place->dealer[0] = '\0';
  if (id != NULL && strlen(id) <= 64)
    snprintf(place->dealer, sizeof(place->dealer), "%s", id);
}

static enum err_code walk_tree(cJSON *root, struct walk *w)
{
  struct sealed_place *place = w->place;
  cJSON *list = cJSON_IsArray(root) ? root : cJSON_GetObjectItemCaseSensitive(root, "dealers");
  *place = (struct sealed_place){0};
  for (cJSON *d = cJSON_IsArray(list) ? list->child : NULL; d != NULL; d = d->next) {
    name_dealer(place, d);
    place->field[0] = '\0';
    enum err_code code = cJSON_IsObject(d) ? walk_children(w, d, 1) : ERR_OK;
    if (code != ERR_OK && w->on_fault != NULL)
      w->on_fault(w->user, place, w->e);
    else if (code != ERR_OK)
      return code;
    place->index++;
  }
  return ERR_OK;
}

/* ---------------------------------------------------------- opening for the loader */

struct opening {
  const struct sealed_policy *policy;
  size_t n_sealed, n_plain;
  struct sealed_place first_plain;
};

static void drop_value(cJSON *node)
{
  if (cJSON_IsString(node))
    mem_wipe(node->valuestring, strlen(node->valuestring));
  cJSON_free(TAKE_PTR(node->valuestring));
  cJSON_Delete(TAKE_PTR(node->child));
}

static void become_text(cJSON *node, const char *text)
{
  drop_value(node);
  node->type = cJSON_String | (node->type & cJSON_StringIsConst);
  node->valuestring = xstrdup(text);
}

static enum err_code open_node(cJSON *node, const struct sealed_value *value,
                               const struct keyring *keyring, struct err *e)
{
  AUTO_SECRET struct secret *plain = NULL;
  char id[KEYRING_ID_MAX + 1] = "?";
  keyring_id_of(value->text, value->len, id);
  if (keyring == NULL)
    return err_set(e, ERR_FAILED_PRECONDITION, "no_keyring",
                   "sealed with key \"%s\", but AUTH_KEYRING_FILE is not set", id);
  const struct keyring_record record = sealed_record(value->place);
  enum err_code code = keyring_open(&plain, keyring, &record, value->text, value->len, e);
  if (code != ERR_OK)
    return code;
  if (strlen(secret_text(plain)) != secret_len(plain))
    return err_set(e, ERR_INVALID_ARGUMENT, "malformed_seal", "holds a NUL character");
  become_text(node, secret_text(plain));
  return ERR_OK;
}

static enum err_code on_open(void *user, cJSON *node, const struct sealed_value *value,
                             struct err *e)
{
  struct opening *o = user;
  if (value->is_sealed && !value->is_secret)
    return err_set(e, ERR_INVALID_ARGUMENT, "malformed_seal",
                   "is sealed, but only secrets may be: write it as it is");
  if (value->is_sealed) {
    o->n_sealed++;
    if (o->policy->use != NULL)
      key_use_add_sealed(o->policy->use, value->text, value->len);
    return open_node(node, value, o->policy->keyring, e);
  }
  if (o->n_plain++ == 0)
    o->first_plain = *value->place;
  if (o->policy->use != NULL)
    o->policy->use->plain++;
  if (o->policy->require_sealed)
    return err_set(e, ERR_FAILED_PRECONDITION, SEALED_PLAIN_SECRET,
                   "is in the clear and AUTH_REQUIRE_SEALED=true: run auth-svc seal on the file");
  return ERR_OK;
}

static void on_fault(void *user, const struct sealed_place *place, const struct err *e)
{
  const struct opening *o = user;
  o->policy->on_fault(o->policy->user, place, e);
}

enum err_code sealed_tree_open(cJSON *root, const struct sealed_policy *policy,
                               struct sealed_place *place, struct err *e)
{
  static const struct sealed_policy none = {.keyring = NULL};
  struct opening o = {.policy = policy != NULL ? policy : &none};
  struct walk w = {place, on_open, policy != NULL && policy->on_fault != NULL ? on_fault : NULL, &o,
                   e};
  enum err_code code = walk_tree(root, &w);
  if (code != ERR_OK)
    return code;
  if (o.n_sealed > 0 && o.n_plain > 0 && !o.policy->allow_mixed) {
    *place = o.first_plain;
    code = err_set(e, ERR_FAILED_PRECONDITION, SEALED_PLAIN_SECRET,
                   "is in the clear while %zu other secrets of the file are sealed: run auth-svc "
                   "seal on the file, or set AUTH_ALLOW_PLAINTEXT_SECRETS=true",
                   o.n_sealed);
    if (w.on_fault == NULL)
      return code;
    on_fault(&o, place, e);
  }
  if (o.n_plain > 0 && o.policy->warn_plain)
    log_warn("the dealers file holds secrets in the clear: auth-svc seal encrypts them",
             LOG_I("plain", o.n_plain), LOG_I("sealed", o.n_sealed));
  return ERR_OK;
}

/* ---------------------------------------------------------------- editing the file */

struct editing {
  sealed_visit *visit;
  void *user;
};

/* The node becomes {"sealed": text}. */
static void become_sealed(cJSON *node, const char *text)
{
  cJSON *object = cJSON_CreateObject();
  cJSON_AddStringToObject(object, "sealed", text);
  drop_value(node);
  node->child = TAKE_PTR(object->child);
  node->type = cJSON_Object | (node->type & cJSON_StringIsConst);
  cJSON_Delete(object);
}

static enum err_code on_edit(void *user, cJSON *node, const struct sealed_value *value,
                             struct err *e)
{
  const struct editing *d = user;
  AUTO_BUF struct buf out = BUF_SECRET(EDIT_MAX);
  enum sealed_edit edit = SEALED_KEEP;
  enum err_code code = d->visit(d->user, value, &edit, &out, e);
  if (code != ERR_OK || edit == SEALED_KEEP)
    return code;
  if (out.failed)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "too_large", "the value is too large");
  if (strlen(buf_str(&out)) != out.len)
    return err_set(e, ERR_INVALID_ARGUMENT, "malformed_seal", "holds a NUL character");
  if (edit == SEALED_AS_SEALED)
    become_sealed(node, buf_str(&out));
  else
    become_text(node, buf_str(&out));
  return ERR_OK;
}

/* cJSON puts a tab between key and value; inside strings it escapes tabs. */
static void tidy(char *p)
{
  for (; *p != '\0'; p++)
    if (p[0] == ':' && p[1] == '\t')
      p[1] = ' ';
}

/* Into memory of ours, since cJSON would leave copies of secrets behind while it grows. */
static bool try_print(struct buf *out, const cJSON *root, size_t size)
{
  char *p = buf_reserve(out, size);
  if (p == NULL)
    return false;
  if (!cJSON_PrintPreallocated((cJSON *)(uintptr_t)root, p, (int)size, true)) {
    mem_wipe(p, size);
    return false;
  }
  tidy(p);
  out->len += strlen(p);
  return true;
}

static enum err_code print_tree(struct buf *out, const cJSON *root, size_t about, struct err *e)
{
  size_t most = out->max - 1, size = 2 * about + 1024;
  for (size = size < most ? size : most; !try_print(out, root, size);
       size = 2 * size < most ? 2 * size : most)
    if (size == most)
      return err_set(e, ERR_RESOURCE_EXHAUSTED, "too_large", "the file would become too large");
  buf_putc(out, '\n');
  return ERR_OK;
}

enum err_code sealed_text_edit(struct buf *out, const char *name, const char *text, size_t len,
                               sealed_visit *visitor, void *user, struct err *e)
{
  struct editing d = {visitor, user};
  const struct json_limits limits = {.max_bytes = FILE_MAX};
  struct sealed_place place;
  struct walk w = {&place, on_edit, NULL, &d, e};
  AUTO_WIPED_JSON cJSON *root = NULL;
  enum err_code code = json_parse(&root, text, len, &limits, e);
  if (code != ERR_OK) {
    err_prefix(e, "%s: ", name);
    return code;
  }
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, "dealers");
  if (!cJSON_IsArray(root) && !cJSON_IsArray(list))
    code = err_set(e, ERR_INVALID_ARGUMENT, "bad_dealers_file",
                   "%s: is not a dealers file: must hold an array, or an object with the array "
                   "\"dealers\"",
                   name);
  if (code == ERR_OK && (code = walk_tree(root, &w)) != ERR_OK)
    prefix_place(&place, name, text, len, cJSON_IsArray(root), e);
  if (code == ERR_OK && out != NULL && (code = print_tree(out, root, len, e)) != ERR_OK)
    err_prefix(e, "%s: ", name);
  return code;
}
