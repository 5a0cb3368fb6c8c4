/* Reads the policy file, or says exactly what is wrong with it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth-svc/identity/names.h"
#include "auth-svc/identity/policies.h"
#include "auth-svc/secret/secret.h"
#include "common/base/codec.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum {
  ARENA_MAX = 64 << 20,
  TOKEN_ID_MAX = 256,
  SUBJECT_MAX = 256,
};

#define PRINCIPAL_DOMAIN "analytics-mcp certificate\n"

/* Where the reader stands, for messages. */
struct reader {
  const char *name, *text;
  size_t len;
  const char *who; /* identity of the policy being read; NULL while not known */
  struct policies *out;
  struct field_reader fields;
  struct err *e;
};

static enum err_code refuse(void *user, const char *field, const char *text)
{
  const struct reader *r = user;
  char who[FIELD_NAME_MAX + 16] = "";
  if (r->who != NULL)
    snprintf(who, sizeof(who), " (identity \"%.128s\")", r->who);
  return err_set(r->e, ERR_INVALID_ARGUMENT, "bad_policy_file", "%s line %zu: %s%s: %s", r->name,
                 field_line_of(r->text, r->len, field), *field != '\0' ? field : "the file", who,
                 text);
}

/* ----------------------------------------------------------------------- policies */

static const char *principal_of(const struct reader *r, const char *identity)
{
  char hex[SHA256_HEX_SIZE];
  AUTO_FREE char *text = xasprintf(PRINCIPAL_DOMAIN "%s", identity);
  sha256_hex(text, strlen(text), hex);
  return arena_xstrdup(r->out->arena, hex);
}

/* Identities that differ in letter case only would be mixed up by people. */
static enum err_code check_identity(const struct reader *r, const struct field_at *p, size_t i)
{
  for (size_t k = 0; k < i; k++)
    if (ascii_case_equal(r->out->items[k].identity, r->out->items[i].identity))
      return field_refuse(p, "identity", "is used by policies[%zu] already", k);
  return ERR_OK;
}

static enum err_code read_rights(const struct reader *r, const struct field_at *p,
                                 const cJSON *object, struct claims *c)
{
  struct {
    const char *key;
    struct claim_list *out;
  } lists[] = {{"dealers", &c->dealers}, {"regions", &c->regions}, {"groups", &c->groups}};
  enum err_code code = ERR_OK;
  for (size_t i = 0; i < ARRAY_LEN(lists) && code == ERR_OK; i++)
    code = names_read(p, object, lists[i].key, CLAIM_LIST_MAX, r->out->arena, lists[i].out);
  return code != ERR_OK ? code
                        : names_role(p, object, c->dealers.n, c->regions.n, c->groups.n, &c->role);
}

static enum err_code read_policy(const struct field_at *p, const cJSON *object, size_t i,
                                 void *user)
{
  static const char *const known[] = {"identity", "subject", "role",
                                      "dealers",  "regions", "groups"};
  struct reader *r = user;
  struct policy *out = &r->out->items[i];
  const char *identity = NULL, *subject = NULL;
  r->who = NULL;
  if (!cJSON_IsObject(object))
    return field_refuse(p, "", "must be an object");
  r->who = json_get_string(object, "identity");
  enum err_code code = field_keys(p, object, known, ARRAY_LEN(known));
  if (code == ERR_OK)
    code = field_text(p, object, "identity", REQUIRED, FIELD_NAME_MAX, &identity);
  if (code != ERR_OK)
    return code;
  out->identity = arena_xstrdup(r->out->arena, identity);
  code = check_identity(r, p, i);
  if (code == ERR_OK)
    code = field_text(p, object, "subject", REQUIRED, SUBJECT_MAX, &subject);
  if (code == ERR_OK)
    code = read_rights(r, p, object, &out->claims);
  if (code != ERR_OK)
    return code;
  out->claims.subject = arena_xstrdup(r->out->arena, subject);
  out->claims.principal_id = principal_of(r, identity);
  out->claims.expires_at = INT64_MAX;
  r->out->n = i + 1;
  return ERR_OK;
}

/* -------------------------------------------------------------------- revocations */

/* Kept in lower case. */
static enum err_code read_hash(const struct field_at *p, const char *text,
                               char out[SHA256_HEX_SIZE])
{
  AUTO_BUF struct buf bytes = BUF_INIT(SHA256_SIZE + 1);
  if (!hex_decode(&bytes, text, strlen(text)) || bytes.len != SHA256_SIZE)
    return field_refuse(
        p, "token_sha256",
        "must be 64 hexadecimal digits, the sha256 of a bearer token as auth-svc token "
        "inspect prints it");
  hex_write(out, bytes.data, SHA256_SIZE);
  return ERR_OK;
}

static enum err_code read_revoked(const struct field_at *p, const cJSON *object, size_t i,
                                  void *user)
{
  static const char *const known[] = {"subject", "token_id", "token_sha256"};
  struct reader *r = user;
  const char *value[ARRAY_LEN(known)] = {NULL};
  struct claim_list *const lists[] = {&r->out->subjects, &r->out->token_ids, &r->out->token_hashes};
  char hash[SHA256_HEX_SIZE];
  size_t which = 0, n = 0;
  (void)i;
  if (!cJSON_IsObject(object))
    return field_refuse(p, "", "must be an object");
  enum err_code code = field_keys(p, object, known, ARRAY_LEN(known));
  for (size_t k = 0; k < ARRAY_LEN(known) && code == ERR_OK; k++) {
    code = field_text(p, object, known[k], OPTIONAL, TOKEN_ID_MAX, &value[k]);
    if (value[k] != NULL) {
      n++;
      which = k;
    }
  }
  if (code == ERR_OK && n != 1)
    return field_refuse(p, "", "must hold one of subject, token_id and token_sha256");
  if (code == ERR_OK && which == 2) {
    code = read_hash(p, value[2], hash);
    value[2] = hash;
  }
  if (code == ERR_OK)
    lists[which]->items[lists[which]->n++] = arena_xstrdup(r->out->arena, value[which]);
  return code;
}

static int in_order(const void *a, const void *b)
{
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void sort(struct claim_list *list)
{
  if (list->n > 1)
    qsort(list->items, list->n, sizeof(list->items[0]), in_order);
}

/* ------------------------------------------------------------------------ the file */

static enum err_code read_all_policies(struct reader *r, const struct field_at *root,
                                       const cJSON *object)
{
  const cJSON *list;
  size_t n;
  enum err_code code = field_list(root, object, "policies", POLICIES_MAX, &list, &n);
  if (code != ERR_OK)
    return code;
  r->out->items = arena_xalloc(r->out->arena, (n + 1) * sizeof(r->out->items[0]));
  code = field_each(root, "policies", list, read_policy, r);
  r->who = code == ERR_OK ? NULL : r->who;
  return code;
}

static enum err_code read_all_revoked(struct reader *r, const struct field_at *root,
                                      const cJSON *object)
{
  const cJSON *list;
  size_t n;
  enum err_code code = field_list(root, object, "revoked", REVOKED_MAX, &list, &n);
  if (code != ERR_OK)
    return code;
  r->out->subjects.items = arena_xalloc(r->out->arena, (n + 1) * sizeof(char *));
  r->out->token_ids.items = arena_xalloc(r->out->arena, (n + 1) * sizeof(char *));
  r->out->token_hashes.items = arena_xalloc(r->out->arena, (n + 1) * sizeof(char *));
  code = field_each(root, "revoked", list, read_revoked, r);
  sort(&r->out->subjects);
  sort(&r->out->token_ids);
  sort(&r->out->token_hashes);
  return code;
}

static enum err_code read_file(struct reader *r, const cJSON *root)
{
  static const char *const known[] = {"policies", "revoked", "$schema"};
  const struct field_at top = {.reader = &r->fields, .strict = true};
  if (!cJSON_IsObject(root))
    return field_refuse(&top, "", "must be an object with \"policies\" and \"revoked\"");
  enum err_code code = field_keys(&top, root, known, ARRAY_LEN(known));
  if (code == ERR_OK)
    code = read_all_policies(r, &top, root);
  return code == ERR_OK ? read_all_revoked(r, &top, root) : code;
}

enum err_code policies_parse(struct policies **out, const char *name, const char *text, size_t len,
                             struct err *e)
{
  struct err ignored;
  struct reader r = {.name = name, .text = text, .len = len, .e = e != NULL ? e : &ignored};
  const struct json_limits limits = {.max_bytes = POLICY_FILE_MAX};
  AUTO_JSON cJSON *root = NULL;
  enum err_code code = json_parse(&root, text, len, &limits, r.e);
  if (code != ERR_OK) {
    err_prefix(r.e, "%s: ", name);
    return code;
  }
  r.fields = (struct field_reader){.refuse = refuse, .user = &r};
  r.out = policies_none();
  r.out->arena = arena_new(ARENA_MAX);
  code = read_file(&r, root);
  if (code == ERR_OK)
    *out = r.out;
  else
    policies_unref(r.out);
  return code;
}

enum err_code policies_load(struct policies **out, const char *path, struct err *e)
{
  AUTO_BUF struct buf text = BUF_INIT(POLICY_FILE_MAX);
  enum err_code code = file_read(&text, "AUTH_POLICY_FILE", path, POLICY_FILE_MAX, false, e);
  return code != ERR_OK ? code : policies_parse(out, path, text.data, text.len, e);
}
