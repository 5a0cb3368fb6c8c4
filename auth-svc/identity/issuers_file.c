/* Reads the file of issuers, or says everything that is wrong with it.
 *
 * The reader goes on after a fault, so that all are found in one run; the first one is the result.
 * What it takes is what config/issuers.schema.json takes, but for what a schema cannot say: two
 * issuers of one name, and values that depend on the environment. */
#include <stdio.h>
#include <string.h>

#include "auth-svc/identity/discovery.h"
#include "auth-svc/identity/issuers.h"
#include "auth-svc/identity/jwt.h"
#include "auth-svc/identity/names.h"
#include "common/base/codec.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum { ARENA_MAX = 64 << 20, TYP_MAX = 64 };

struct reader {
  const char *name, *text;
  size_t len;
  const struct issuers_options *options;
  struct issuers *out;
  struct field_reader fields;
  struct err *e;
  size_t n_faults;
};

static enum err_code refuse(void *user, const char *field, const char *text)
{
  struct reader *r = user;
  const struct issuers_fault fault = {field_line_of(r->text, r->len, field), field, text};
  if (r->n_faults++ == 0)
    err_set(r->e, ERR_INVALID_ARGUMENT, "bad_issuers_file", "%s line %zu: %s: %s", r->name,
            fault.line, *field != '\0' ? field : "the file", text);
  if (r->options->on_fault != NULL)
    r->options->on_fault(r->options->user, &fault);
  return ERR_INVALID_ARGUMENT;
}

static enum err_code read_path(const struct reader *r, const struct field_at *p,
                               const cJSON *object, const char *key, enum presence presence,
                               struct claim_path *out)
{
  const char *text = NULL;
  enum err_code code = field_text(p, object, key, presence, CLAIM_PATH_MAX, &text);
  if (code != ERR_OK || text == NULL)
    return code;
  const char *why = claim_path_read(out, text, strlen(text), r->out->arena);
  return why == NULL ? ERR_OK : field_refuse(p, key, "%s", why);
}

/* --------------------------------------------------------------------------- tests */

/* One text becomes a list of it. */
static enum err_code read_one_text(const struct reader *r, const struct field_at *p,
                                   const cJSON *object, const char *key, struct claim_test *t)
{
  const char *text = NULL;
  enum err_code code = field_text(p, object, key, OPTIONAL, NAME_BYTES_MAX, &text);
  if (code != ERR_OK || text == NULL)
    return code;
  t->texts.items = arena_xalloc(r->out->arena, sizeof(t->texts.items[0]));
  t->texts.items[t->texts.n++] = arena_xstrdup(r->out->arena, text);
  return ERR_OK;
}

static enum err_code read_any(const struct reader *r, const struct field_at *p, const cJSON *object,
                              struct claim_test *t)
{
  enum err_code code = names_read(p, object, "any", MAPPING_TEXTS_MAX, r->out->arena, &t->texts);
  if (code == ERR_OK && t->texts.n == 0)
    return field_refuse(p, "any", "must hold at least one text");
  return code;
}

/* A claim, and at most one of what it must be. */
static enum err_code read_test(const struct reader *r, const struct field_at *p,
                               const cJSON *object, struct claim_test *t)
{
  static const struct {
    const char *key;
    enum claim_test_kind kind;
  } kinds[] = {{"equals", CLAIM_EQUALS},
               {"contains", CLAIM_CONTAINS},
               {"any", CLAIM_CONTAINS},
               {"prefix", CLAIM_PREFIX}};
  const char *key = NULL;
  enum err_code code = read_path(r, p, object, "claim", REQUIRED, &t->claim);
  for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
    if (cJSON_GetObjectItemCaseSensitive(object, kinds[i].key) == NULL)
      continue;
    if (key != NULL)
      return field_refuse(p, kinds[i].key,
                          "cannot be combined with %s; give one of equals, contains, any "
                          "and prefix, and further tests in \"and\"",
                          key);
    key = kinds[i].key;
    t->kind = kinds[i].kind;
  }
  if (key == NULL)
    return code;
  const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, key);
  if (t->kind == CLAIM_EQUALS && cJSON_IsBool(v)) {
    t->kind = CLAIM_IS;
    t->truth = cJSON_IsTrue(v);
    return code;
  }
  return first_of(code, strcmp(key, "any") == 0 ? read_any(r, p, object, t)
                                                : read_one_text(r, p, object, key, t));
}

static enum err_code read_further(const struct field_at *p, const cJSON *object, size_t i,
                                  void *user)
{
  static const char *const known[] = {"claim", "equals", "contains", "any", "prefix"};
  struct mapping_rule *rule = user;
  (void)i;
  if (!cJSON_IsObject(object))
    return field_refuse(p, "", "must be an object with \"claim\"");
  enum err_code code = field_keys(p, object, known, ARRAY_LEN(known));
  return first_of(code, read_test(p->reader->user, p, object, &rule->tests[rule->n_tests++]));
}

static enum err_code read_and(const struct field_at *p, const cJSON *object,
                              struct mapping_rule *rule)
{
  const cJSON *list;
  size_t n;
  enum err_code code = field_list(p, object, "and", MAPPING_TESTS_MAX - 1, &list, &n);
  return code == ERR_OK ? field_each(p, "and", list, read_further, rule) : code;
}

/* ----------------------------------------------------------------------- templates */

static enum err_code read_source(const struct reader *r, const struct field_at *p, const char *item,
                                 const char *text, const struct mapping_rule *rule,
                                 struct mapping_source *out)
{
  static const char claim[] = "{claim:";
  size_t len = strlen(text), head = sizeof(claim) - 1;
  *out = (struct mapping_source){.kind = SOURCE_TEXT, .text = text};
  if (strcmp(text, "{value}") == 0) {
    out->kind = SOURCE_VALUE;
    return rule->tests[0].kind != CLAIM_IS
               ? ERR_OK
               : field_refuse(p, item, "a truth value is not a name; use {claim:...}");
  }
  if (strncmp(text, claim, head) == 0 && text[len - 1] == '}') {
    out->kind = SOURCE_CLAIM;
    const char *why = claim_path_read(&out->claim, text + head, len - head - 1, r->out->arena);
    return why == NULL ? ERR_OK : field_refuse(p, item, "%s", why);
  }
  return strpbrk(text, "{}") == NULL
             ? ERR_OK
             : field_refuse(p, item,
                            "must be a name, {value} or {claim:PATH}, with nothing around it");
}

static enum err_code read_sources(const struct reader *r, const struct field_at *p,
                                  const cJSON *object, const char *key,
                                  const struct mapping_rule *rule, struct mapping_sources *out)
{
  struct claim_list names = {0};
  enum err_code code = names_read(p, object, key, CLAIM_LIST_MAX, r->out->arena, &names);
  out->items = arena_xalloc(r->out->arena, (names.n + 1) * sizeof(out->items[0]));
  for (size_t i = 0; i < names.n; i++) {
    char item[40];
    snprintf(item, sizeof(item), "%s[%zu]", key, i);
    code = first_of(code, read_source(r, p, item, names.items[i], rule, &out->items[out->n++]));
  }
  return code;
}

/* --------------------------------------------------------------------------- rules */

static enum err_code read_rule(const struct field_at *p, const cJSON *object, size_t i, void *user)
{
  static const char *const known[] = {"claim", "equals", "contains", "any",     "prefix",
                                      "and",   "role",   "dealers",  "regions", "groups"};
  const struct reader *r = p->reader->user;
  struct mapping *mapping = user;
  struct mapping_rule *rule = &mapping->rules[i];
  mapping->n = i + 1;
  if (!cJSON_IsObject(object))
    return field_refuse(p, "", "must be an object with \"claim\" and \"role\"");
  enum err_code code = field_keys(p, object, known, ARRAY_LEN(known));
  rule->n_tests = 1;
  code = first_of(code, read_test(r, p, object, &rule->tests[0]));
  code = first_of(code, read_and(p, object, rule));
  enum err_code lists = read_sources(r, p, object, "dealers", rule, &rule->dealers);
  lists = first_of(lists, read_sources(r, p, object, "regions", rule, &rule->regions));
  lists = first_of(lists, read_sources(r, p, object, "groups", rule, &rule->groups));
  if (lists == ERR_OK) /* else the role would be blamed for them */
    lists = names_role(p, object, rule->dealers.n, rule->regions.n, rule->groups.n, &rule->role);
  return first_of(code, lists);
}

static enum err_code read_rules(const struct reader *r, const struct field_at *p,
                                const cJSON *object, struct mapping *out)
{
  const cJSON *list;
  size_t n;
  enum err_code code = field_list(p, object, "rules", MAPPING_RULES_MAX, &list, &n);
  if (code != ERR_OK)
    return code;
  if (n == 0)
    return field_refuse(p, "rules", "%smust hold at least one rule: without one, nobody gets in",
                        list == NULL ? "missing; " : "");
  out->rules = arena_xalloc(r->out->arena, n * sizeof(out->rules[0]));
  return field_each(p, "rules", list, read_rule, out);
}

/* ------------------------------------------------------------------------- issuers */

static enum err_code check_issuer(const struct field_at *p, const char *key, const char *text)
{
  const char *why = discovery_issuer_problem(text);
  return why == NULL ? ERR_OK : field_refuse(p, key, "%s", why);
}

static enum err_code check_jwks_uri(const struct field_at *p, const char *key, const char *text)
{
  return discovery_url_is_safe(text)
             ? ERR_OK
             : field_refuse(p, key,
                            "must be an https URL of at most 1024 bytes (http only to a "
                            "loopback address)");
}

/* It stands in subjects ("keycloak:ann") and metrics. */
static enum err_code check_name(const struct field_at *p, const char *key, const char *text)
{
  return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(text) && *text != '-'
             ? ERR_OK
             : field_refuse(p, key,
                            "must be lower-case letters, digits and dashes, such as keycloak");
}

static enum err_code read_texts(const struct reader *r, const struct field_at *p,
                                const cJSON *object, struct issuer *out)
{
  const char *issuer = NULL, *name = NULL, *jwks_uri = NULL, *typ = NULL;
  const struct {
    const char *key;
    enum presence presence;
    size_t max;
    const char **text, **out;
    field_check *check;
  } fields[] = {
      {"issuer", REQUIRED, DISCOVERY_URL_MAX, &issuer, &out->issuer, check_issuer},
      {"name", REQUIRED, ISSUER_NAME_MAX, &name, &out->name, check_name},
      {"jwks_uri", OPTIONAL, DISCOVERY_URL_MAX, &jwks_uri, &out->jwks_uri, check_jwks_uri},
      {"typ", OPTIONAL, TYP_MAX, &typ, &out->typ, NULL}};
  enum err_code all = ERR_OK;
  for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
    enum err_code code =
        field_text(p, object, fields[i].key, fields[i].presence, fields[i].max, fields[i].text);
    if (code == ERR_OK && *fields[i].text != NULL) {
      *fields[i].out = arena_xstrdup(r->out->arena, *fields[i].text);
      if (fields[i].check != NULL)
        code = fields[i].check(p, fields[i].key, *fields[i].text);
    }
    all = first_of(all, code);
  }
  return all;
}

/* Public keys alone are fetched, so that a shared secret cannot be among them. */
static enum err_code read_algorithms(const struct reader *r, const struct field_at *p,
                                     const cJSON *object, unsigned *out)
{
  static const enum jwt_alg known[] = {JWT_RS256, JWT_ES256, JWT_EDDSA};
  struct claim_list names = {0};
  enum err_code code = names_read(p, object, "algorithms", ARRAY_LEN(known), r->out->arena, &names);
  for (size_t i = 0; i < names.n; i++) {
    unsigned bit = 0;
    char item[40];
    snprintf(item, sizeof(item), "algorithms[%zu]", i);
    for (size_t k = 0; k < ARRAY_LEN(known); k++)
      if (strcmp(names.items[i], jwt_alg_name(known[k])) == 0)
        bit = 1U << known[k];
    if (bit == 0)
      code = first_of(code, field_refuse(p, item,
                                         "must be RS256, ES256 or EdDSA; secrets for HS256 "
                                         "are set by AUTH_JWT_HS256_SECRET"));
    *out |= bit;
  }
  if (code == ERR_OK && names.n == 0) {
    if (cJSON_GetObjectItemCaseSensitive(object, "algorithms") != NULL)
      return field_refuse(p, "algorithms", "must name at least one, or be left out");
    for (size_t k = 0; k < ARRAY_LEN(known); k++)
      *out |= 1U << known[k];
  }
  return code;
}

static enum err_code read_audiences(const struct reader *r, const struct field_at *p,
                                    const cJSON *object, struct issuer *out)
{
  enum err_code code =
      names_read(p, object, "audiences", ISSUER_AUDIENCES_MAX, r->out->arena, &out->audiences);
  out->own_audiences = out->audiences.n > 0;
  if (code != ERR_OK || out->own_audiences)
    return code;
  if (cJSON_GetObjectItemCaseSensitive(object, "audiences") != NULL)
    return field_refuse(p, "audiences", "must name at least one, or be left out");
  if (r->options->audience == NULL)
    return field_refuse(p, "audiences",
                        "missing; name what tokens must be made for, or set "
                        "ANALYTICS_MCP_RESOURCE_URL, which is the default");
  out->audiences.items[out->audiences.n++] = arena_xstrdup(r->out->arena, r->options->audience);
  return ERR_OK;
}

/* Of each iss there is one, and of each name. */
static enum err_code check_unique(const struct reader *r, const struct field_at *p,
                                  const struct issuer *x, size_t i)
{
  const char *own = r->options->own_issuer;
  if (x->issuer != NULL && own != NULL && strcmp(own, x->issuer) == 0)
    return field_refuse(p, "issuer", "is AUTH_JWT_ISSUER already; set it here or there");
  for (size_t k = 0; k < i; k++) {
    const struct issuer *other = &r->out->items[k];
    if (x->issuer != NULL && other->issuer != NULL && strcmp(x->issuer, other->issuer) == 0)
      return field_refuse(p, "issuer", "is used by issuers[%zu] already", k);
    if (x->name != NULL && other->name != NULL && strcmp(x->name, other->name) == 0)
      return field_refuse(p, "name", "is used by issuers[%zu] already", k);
  }
  return ERR_OK;
}

static enum err_code read_issuer(const struct field_at *p, const cJSON *object, size_t i,
                                 void *user)
{
  static const char *const known[] = {"issuer",         "name",       "jwks_uri", "audiences",
                                      "audience_claim", "algorithms", "typ",      "leeway_s",
                                      "max_life_s",     "rules"};
  static const char seconds[] = " of seconds";
  struct reader *r = user;
  struct issuer *out = &r->out->items[i];
  r->out->n = i + 1;
  if (!cJSON_IsObject(object))
    return field_refuse(p, "", "must be an object");
  enum err_code code = field_keys(p, object, known, ARRAY_LEN(known));
  code = first_of(code, read_texts(r, p, object, out));
  code = first_of(code, check_unique(r, p, out, i));
  code = first_of(code, read_audiences(r, p, object, out));
  code = first_of(code, read_path(r, p, object, "audience_claim", OPTIONAL, &out->audience_claim));
  code = first_of(code, read_algorithms(r, p, object, &out->algorithms));
  code = first_of(
      code, field_number(p, object, "leeway_s", 1, ISSUER_LEEWAY_MAX_S, seconds, &out->leeway_s));
  code = first_of(code,
                  field_number(p, object, "max_life_s", 60, 31622400, seconds, &out->max_life_s));
  return first_of(code, read_rules(r, p, object, &out->mapping));
}

static enum err_code read_file(struct reader *r, const cJSON *root)
{
  static const char *const known[] = {"issuers", "$schema"};
  const struct field_at top = {.reader = &r->fields, .strict = true};
  const cJSON *list;
  size_t n;
  if (!cJSON_IsObject(root))
    return field_refuse(&top, "", "must be an object with \"issuers\"");
  enum err_code code = field_keys(&top, root, known, ARRAY_LEN(known));
  enum err_code found = field_list(&top, root, "issuers", ISSUERS_MAX, &list, &n);
  if (found != ERR_OK || n == 0)
    return found != ERR_OK ? first_of(code, found)
                           : field_refuse(&top, "issuers", "must hold at least one issuer");
  r->out->items = arena_xalloc(r->out->arena, n * sizeof(r->out->items[0]));
  return first_of(code, field_each(&top, "issuers", list, read_issuer, r));
}

/* ------------------------------------------------------------------------ the file */

enum err_code issuers_parse(struct issuers **out, const char *name, const char *text, size_t len,
                            const struct issuers_options *options, struct err *e)
{
  struct err ignored;
  struct reader r = {
      .name = name, .text = text, .len = len, .options = options, .e = e != NULL ? e : &ignored};
  const struct json_limits limits = {.max_bytes = ISSUERS_FILE_MAX};
  AUTO_JSON cJSON *root = NULL;
  enum err_code code = json_parse(&root, text, len, &limits, r.e);
  if (code != ERR_OK)
    return err_prefix(r.e, "%s: ", name);
  r.fields = (struct field_reader){.refuse = refuse, .user = &r, .go_on = true};
  r.out = issuers_none();
  r.out->arena = arena_new(ARENA_MAX);
  code = read_file(&r, root);
  if (code == ERR_OK)
    *out = r.out;
  else
    issuers_unref(r.out);
  return code;
}

enum err_code issuers_load(struct issuers **out, const char *path,
                           const struct issuers_options *options, struct err *e)
{
  AUTO_BUF struct buf text = BUF_INIT(ISSUERS_FILE_MAX);
  enum err_code code = file_read(&text, "AUTH_ISSUERS_FILE", path, ISSUERS_FILE_MAX, false, e);
  return code != ERR_OK ? code : issuers_parse(out, path, text.data, text.len, options, e);
}
