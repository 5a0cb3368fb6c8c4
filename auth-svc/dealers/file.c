/* Reads dealers.json, or says exactly what is wrong with it. */
#include "auth-svc/dealers/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth-svc/dealers/reader.h"
#include "auth-svc/secret/json.h"
#include "common/base/codec.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/mem.h"

enum {
  ARENA_MAX = 64 << 20,
};

/* --------------------------------------------------------------------- fields */

/* A text of the dealer; absent gives `fallback` (NULL: it must be there). One that was refused
 * counts as empty for those who look on. */
static enum err_code read_kept(const struct dealers_reader *r, const cJSON *object, const char *key,
                               const char *fallback, const char **out)
{
  const char *text = NULL;
  enum err_code code = field_text(&r->own, object, key, fallback == NULL ? REQUIRED : OPTIONAL,
                                  DIRECTORY_MAX_TEXT, &text);
  *out = text != NULL ? arena_xstrdup(r->arena, text) : code == ERR_OK ? fallback : "";
  return code;
}

/* Blanks around a name are of nobody's choosing: " West" is the region West. */
static const char *trimmed(const struct dealers_reader *r, const char *text)
{
  size_t len = strlen(text);
  ascii_trim(&text, &len);
  if (text[len] == '\0')
    return text;
  char *copy = arena_xstrdup(r->arena, text);
  copy[len] = '\0';
  return copy;
}

static enum err_code read_trimmed(const struct dealers_reader *r, const cJSON *object,
                                  const char *key, const char *fallback, const char **out)
{
  enum err_code code = read_kept(r, object, key, fallback, out);
  if (code != ERR_OK || *out == NULL || **out == '\0')
    return code;
  *out = trimmed(r, *out);
  return **out != '\0' ? ERR_OK : field_refuse(&r->own, key, "holds nothing but blanks");
}

/* Ids travel in requests, messages and metric-free logs: a plain alphabet keeps them apart
 * from opaque references, which start with '~'. */
static enum err_code check_id(const struct dealers_reader *r, const char *field, const char *id)
{
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789._:@/-";
  if (strlen(id) > DIRECTORY_MAX_ID)
    return field_refuse(&r->own, field, "longer than %d bytes", DIRECTORY_MAX_ID);
  if (id[strspn(id, alphabet)] != '\0')
    return field_refuse(&r->own, field, "may hold letters, digits and . _ : @ / - only");
  return ERR_OK;
}

static enum err_code read_ids(struct dealers_reader *r, const cJSON *object, struct dealer *d)
{
  const char *dealer = NULL, *account = NULL;
  bool has_dealer = cJSON_GetObjectItemCaseSensitive(object, "dealer_id") != NULL;
  bool has_account = cJSON_GetObjectItemCaseSensitive(object, "account_id") != NULL;
  if (!has_dealer && !has_account)
    return field_refuse(&r->own, "dealer_id", "missing; give dealer_id, account_id or both");
  enum err_code code;
  if (has_dealer && (code = read_kept(r, object, "dealer_id", NULL, &dealer)) != ERR_OK)
    return code;
  if (has_account && (code = read_kept(r, object, "account_id", NULL, &account)) != ERR_OK)
    return code;
  r->who = dealer != NULL ? dealer : account;
  if ((code = check_id(r, has_dealer ? "dealer_id" : "account_id", r->who)) != ERR_OK)
    return code;
  if (has_dealer && has_account && (code = check_id(r, "account_id", account)) != ERR_OK)
    return code;
  d->dealer_id = r->who;
  d->account_id = account != NULL ? account : dealer;
  return ERR_OK;
}

static bool all_digits(const char *s)
{
  size_t n = strspn(s, "0123456789");
  return n > 0 && n <= 20 && s[n] == '\0';
}

/* "Main Website (web)", or what there is of it. */
static const char *property_label(const struct dealers_reader *r, const char *name,
                                  const char *type)
{
  char label[DIRECTORY_MAX_TEXT + 16] = "";
  if (name != NULL && type != NULL)
    snprintf(label, sizeof(label), "%s (%s)", name, type);
  else if (name != NULL || type != NULL)
    snprintf(label, sizeof(label), "%s", name != NULL ? name : type);
  return arena_xstrdup(r->arena, label);
}

/* The object form of a property. */
static enum err_code read_property_object(const struct dealers_reader *r, const cJSON *v,
                                          const char *field, const char **id, const char **label)
{
  static const char *const types[] = {"web", "ios", "android", "app"};
  const struct field_at at = dealers_at(&r->own, field);
  const char *name = NULL, *display = NULL, *type = NULL;
  const struct field fields[] = {{"property_id", REQUIRED, DIRECTORY_MAX_ID, id, NULL},
                                 {"name", OPTIONAL, DIRECTORY_MAX_TEXT, &name, NULL},
                                 {"display_name", OPTIONAL, DIRECTORY_MAX_TEXT, &display, NULL},
                                 {"type", OPTIONAL, DIRECTORY_MAX_TEXT, &type, NULL}};
  enum err_code code = field_read(&at, v, fields, ARRAY_LEN(fields));
  if (code == ERR_OK && name != NULL && display != NULL)
    code = field_refuse(&r->own, field, "name and display_name mean the same; give one of them");
  if (code == ERR_OK && type != NULL && !TEXT_IS_IN(types, type))
    code = field_refuse(&r->own, field, "type must be one of web, ios, android, app");
  if (code == ERR_OK)
    *label = property_label(r, name != NULL ? name : display, type);
  return code;
}

static enum err_code read_property(const struct dealers_reader *r, const cJSON *v, size_t i,
                                   const char **out, const char **label)
{
  char field[FIELD_PATH_MAX];
  *out = NULL;
  *label = "";
  snprintf(field, sizeof(field), "properties[%zu]", i);
  const char *id = cJSON_IsString(v) ? v->valuestring : NULL;
  if (cJSON_IsObject(v)) {
    enum err_code code = read_property_object(r, v, field, &id, label);
    if (code != ERR_OK)
      return code;
    snprintf(field, sizeof(field), "properties[%zu].property_id", i);
  }
  if (id != NULL && strncmp(id, "properties/", 11) == 0)
    id += 11;
  if (id == NULL || !all_digits(id))
    return field_refuse(&r->own, field,
                        "must be a GA4 property id: a string of digits such as \"213025502\", or "
                        "\"properties/213025502\"");
  *out = arena_xstrdup(r->arena, id);
  return ERR_OK;
}

/* A list of min to max items; NULL when there is none. */
static enum err_code read_list(const struct dealers_reader *r, const cJSON *object, const char *key,
                               int max, const char *form, int min, const cJSON **list)
{
  *list = cJSON_GetObjectItemCaseSensitive(object, key);
  if (*list == NULL)
    return ERR_OK;
  if (!cJSON_IsArray(*list) || cJSON_GetArraySize(*list) < min)
    return field_refuse(&r->own, key, "must be %s", form);
  if (cJSON_GetArraySize(*list) > max)
    return field_refuse(&r->own, key, "has %d items; at most %d are possible",
                        cJSON_GetArraySize(*list), max);
  return ERR_OK;
}

/* Without the list they are found in Google (docs/internals/auth/dealers.md). */
static enum err_code read_properties(struct dealers_reader *r, const cJSON *object,
                                     struct dealer *d)
{
  static const char form[] = "a non-empty array of GA4 property ids, such as [\"213025502\"]; "
                             "leave it out to have them found in Google Analytics";
  const cJSON *list = NULL;
  enum err_code code = read_list(r, object, "properties", DIRECTORY_MAX_PROPERTIES, form, 1, &list);
  if (code != ERR_OK || list == NULL)
    return code;
  size_t n = (size_t)cJSON_GetArraySize(list);
  d->property_ids = ARENA_ARRAY(r->arena, const char *, n);
  d->property_labels = ARENA_ARRAY(r->arena, const char *, n);
  for (const cJSON *v = list->child; v != NULL; v = v->next) {
    size_t at = d->n_property_ids++;
    code = first_of(code, read_property(r, v, at, &d->property_ids[at], &d->property_labels[at]));
  }
  return code;
}

static enum err_code read_groups(struct dealers_reader *r, const cJSON *object, struct dealer *d)
{
  const cJSON *list = NULL;
  enum err_code code =
      read_list(r, object, "groups", DIRECTORY_MAX_GROUPS, "an array of strings", 0, &list);
  if (code != ERR_OK || list == NULL)
    return code;
  d->groups = ARENA_ARRAY(r->arena, const char *, (size_t)cJSON_GetArraySize(list));
  for (const cJSON *v = list->child; v != NULL; v = v->next) {
    char field[FIELD_PATH_MAX];
    snprintf(field, sizeof(field), "groups[%zu]", d->n_groups);
    if (!cJSON_IsString(v) || v->valuestring[0] == '\0' || field_has_control(v->valuestring) ||
        strlen(v->valuestring) > DIRECTORY_MAX_TEXT)
      return field_refuse(&r->own, field, "must be a non-empty string of at most %d bytes",
                          DIRECTORY_MAX_TEXT);
    d->groups[d->n_groups++] = trimmed(r, arena_xstrdup(r->arena, v->valuestring));
  }
  return ERR_OK;
}

static enum err_code read_texts(struct dealers_reader *r, const cJSON *object, struct dealer *d)
{
  const struct {
    const char *key, *fallback;
    const char **out;
  } fields[] = {
      {"name", NULL, &d->name}, {"region", NULL, &d->region}, {"city", "", &d->city},
      {"state", "", &d->state}, {"owner", "", &d->owner},
  };
  enum err_code code = read_kept(r, object, "lead_event", "", &d->lead_event);
  code = first_of(code, read_kept(r, object, "time_zone", "", &d->time_zone));
  for (size_t i = 0; i < ARRAY_LEN(fields); i++)
    code =
        first_of(code, read_trimmed(r, object, fields[i].key, fields[i].fallback, fields[i].out));
  return code;
}

/* ----------------------------------------------------------------- credentials */

static enum err_code check_dealer_keys(struct dealers_reader *r, const cJSON *object,
                                       struct dealer *d)
{
  (void)d;
  static const char *const known[] = {"dealer_id",
                                      "account_id",
                                      "name",
                                      "region",
                                      "city",
                                      "state",
                                      "oauth",
                                      "service_account",
                                      "external_account",
                                      "impersonated_service_account",
                                      "adc",
                                      "properties",
                                      "owner",
                                      "groups",
                                      "lead_event",
                                      "time_zone",
                                      "qualified_session",
                                      "vehicle_dimensions",
                                      "vdp_path_pattern",
                                      "vehicle_overrides"};
  return field_keys(&r->own, object, known, ARRAY_LEN(known));
}

static enum err_code read_dealer(struct dealers_reader *r, const cJSON *object, struct dealer *d,
                                 struct credential **credential)
{
  enum err_code (*const steps[])(struct dealers_reader *, const cJSON *, struct dealer *) = {
      read_ids, check_dealer_keys, read_texts, read_properties, read_groups, dealers_read_settings};
  enum err_code code = ERR_OK;
  r->who = NULL;
  if (!cJSON_IsObject(object))
    return field_refuse(&r->own, "",
                        "must be an object: a dealer with dealer_id, name, region and a "
                        "credential");
  for (size_t i = 0; i < ARRAY_LEN(steps); i++)
    code = first_of(code, steps[i](r, object, d));
  bool skip = r->names_only || r->unopened[r->index] || (*r->n_faults > 0 && r->watch == NULL);
  return skip ? code : first_of(code, credential_config_read(credential, &r->credentials, object));
}

/* ------------------------------------------------------------------- the file */

/* The keys beside the dealers; "$schema" is for editors and ignored here. */
static enum err_code check_root(const struct dealers_reader *r, const cJSON *root)
{
  static const char *const known[] = {"dealers", "cohorts", "$schema"};
  const cJSON *schema = cJSON_GetObjectItemCaseSensitive(root, "$schema");
  if (cJSON_IsArray(root))
    return ERR_OK;
  if (!cJSON_IsObject(root))
    return field_refuse(&r->top, "", "must be an object with \"dealers\", or an array of dealers");
  enum err_code code = field_keys(&r->top, root, known, ARRAY_LEN(known));
  if (schema != NULL && !cJSON_IsString(schema))
    code = first_of(code, field_refuse(&r->top, "$schema",
                                       "must be a string: the path or URL of "
                                       "dealers.schema.json, for editors"));
  return code;
}

/* Finds the array of dealers. A fault beside it does not hide it. */
static enum err_code find_dealers(struct dealers_reader *r, cJSON *root, cJSON **list)
{
  r->bare = cJSON_IsArray(root);
  cJSON *found = r->bare ? root : cJSON_GetObjectItemCaseSensitive(root, "dealers");
  enum err_code code = check_root(r, root);
  if (!r->bare && !cJSON_IsObject(root))
    return code;
  if (!cJSON_IsArray(found))
    return first_of(code, field_refuse(&r->top, "dealers", "%smust be an array of dealers",
                                       found == NULL ? "missing; " : ""));
  int n = cJSON_GetArraySize(found);
  if ((n == 0 && r->connected == NULL) || n > DIRECTORY_MAX_DEALERS)
    return first_of(code, field_refuse(&r->top, "dealers", "has %d dealers; 1 to %d are possible",
                                       n, DIRECTORY_MAX_DEALERS));
  r->n_own = (size_t)n;
  *list = found;
  return code;
}

static enum err_code read_dealers(struct dealers_reader *r, const cJSON *list,
                                  struct dealer *dealers, struct credential **credentials, size_t n)
{
  enum err_code code = ERR_OK;
  size_t i = 0;
  for (const cJSON *v = list->child; v != NULL; v = v->next, i++) {
    r->index = dealers[i].file_index = i;
    dealers[i].connected = i >= r->n_own;
    code = first_of(code, read_dealer(r, v, &dealers[i], &credentials[i]));
  }
  code = first_of(code, dealers_check_ids(r, dealers, n));
  code = first_of(code, dealers_check_properties(r, dealers, n));
  return first_of(code, dealers_check_credentials(r, dealers, credentials, n));
}

/* ----------------------------------------------------------------- the content */

void dealers_content_clear(struct dealers_content *c)
{
  for (size_t i = 0; c->credentials != NULL && i < c->directory->n_dealers; i++)
    credential_unref(c->credentials[i]);
  free(TAKE_PTR(c->credentials));
  directory_free(TAKE_PTR(c->directory));
}

/* Puts the dealers in order and the credentials beside them. */
static void assemble(struct dealers_content *out, struct arena *arena, const struct dealer *dealers,
                     struct credential **credentials, size_t n)
{
  out->directory = directory_new(arena, dealers, n);
  out->credentials = xcalloc(n, sizeof(struct credential *));
  for (size_t i = 0; i < n; i++)
    out->credentials[i] = TAKE_PTR(credentials[out->directory->dealers[i].file_index]);
}

static enum err_code parse_list(struct dealers_content *out, struct dealers_reader *r,
                                const cJSON *root, const cJSON *list)
{
  size_t n = (size_t)cJSON_GetArraySize(list);
  AUTO_FREE struct dealer *dealers = xcalloc(n, sizeof(*dealers));
  AUTO_FREE struct credential **credentials = xcalloc(n, sizeof(struct credential *));
  r->arena = arena_new(ARENA_MAX);
  enum err_code code = read_dealers(r, list, dealers, credentials, n);
  if (code == ERR_OK) {
    assemble(out, r->arena, dealers, credentials, n);
    return dealers_read_cohorts(r, root, out->directory);
  }
  (void)dealers_read_cohorts(r, root, NULL);
  for (size_t i = 0; i < n; i++)
    credential_unref(credentials[i]);
  arena_free(r->arena);
  return code;
}

/* ------------------------------------------------------------------- sealed values */

/* A dealer whose secrets did not open: its credential would be refused for that alone. */
static void on_seal_fault(void *user, const struct sealed_place *place, const struct err *e)
{
  struct dealers_reader *r = user;
  char path[SEALED_PATH_MAX + 40];
  bool first = *r->n_faults == 0;
  sealed_place_path(place, r->bare, path, sizeof(path));
  if (strcmp(e->reason, SEALED_PLAIN_SECRET) != 0)
    r->unopened[place->index] = true;
  dealers_fault(r, path, place->dealer, e->message);
  if (first)
    memcpy(r->e->reason, e->reason, sizeof(e->reason));
}

/* Sealed values become plain strings of the tree, so the rest of the loader knows nothing
 * of them. */
static enum err_code open_sealed(struct dealers_reader *r, cJSON *root,
                                 const struct sealed_policy *sealed, struct key_use *use)
{
  struct sealed_policy policy = sealed != NULL ? *sealed : (struct sealed_policy){0};
  struct sealed_place place;
  struct err ignored;
  size_t before = *r->n_faults;
  policy.use = use;
  policy.on_fault = on_seal_fault;
  policy.user = r;
  (void)sealed_tree_open(root, &policy, &place, &ignored);
  return *r->n_faults == before ? ERR_OK : ERR_INVALID_ARGUMENT;
}

/* ------------------------------------------------------------------------- the whole */

static enum err_code parse_tree(struct dealers_content *out, struct dealers_reader *r, cJSON *root,
                                const struct sealed_policy *sealed)
{
  cJSON *list = NULL;
  enum err_code code = find_dealers(r, root, &list);
  if (list == NULL)
    return code;
  AUTO_FREE bool *unopened = xcalloc(DIRECTORY_MAX_DEALERS, sizeof(bool));
  r->unopened = unopened;
  if (!r->names_only)
    code = first_of(code, open_sealed(r, root, sealed, &out->sealed_with));
  code = first_of(code, dealers_join(r, list, sealed, &out->sealed_with));
  code = first_of(code, parse_list(out, r, root, list));
  if (code != ERR_OK)
    dealers_content_clear(out);
  return code;
}

/* "line 3, column 14: ..." of the JSON reader is a fault like the others. */
static void report_syntax(const struct dealers_reader *r)
{
  size_t line = 1;
  const char *text = r->e->message;
  if (sscanf(text, "line %zu, ", &line) == 1)
    text += strcspn(text, ",") + 2;
  const struct dealers_fault fault = {line, "", "", text};
  r->watch->on_fault(r->watch->user, &fault);
}

static void add_file(void *user, const char *path, const char *text, size_t len)
{
  const struct dealers_reader *r = user;
  if (r->files != NULL)
    read_files_add(r->files, path, text, len);
}

static enum err_code parse_text(struct dealers_content *out, struct dealers_reader *r,
                                const struct sealed_policy *sealed)
{
  const char *slash = strrchr(r->name, '/');
  AUTO_FREE char *dir = slash != NULL ? xstrndup(r->name, (size_t)(slash - r->name) + 1) : NULL;
  size_t n_faults = 0;
  r->n_faults = &n_faults;
  dealers_set_fields(r);
  r->credentials = (struct credential_config){
      .dir = dir, .fields = r->own_fields, .on_file = add_file, .offline = r->watch != NULL};
  r->credentials.fields.go_on = false; /* a credential ends at its first fault */
  const struct json_limits limits = {.max_bytes = DEALERS_FILE_MAX};
  AUTO_WIPED_JSON cJSON *root = NULL;
  enum err_code code = json_parse(&root, r->text, r->len, &limits, r->e);
  if (code != ERR_OK && r->watch != NULL)
    report_syntax(r);
  if (code != ERR_OK) {
    err_prefix(r->e, "%s: ", r->name);
    return code;
  }
  code = parse_tree(out, r, root, sealed);
  credential_config_clear(&r->credentials);
  return code;
}

enum err_code dealers_file_read(struct dealers_content *out, const char *name, const char *text,
                                size_t len, const struct dealers_options *options,
                                const struct dealers_watch *watch, struct err *e)
{
  static const struct dealers_options plain;
  const struct dealers_options *o = options != NULL ? options : &plain;
  struct err ignored;
  struct dealers_reader r = {.name = name,
                             .text = text,
                             .len = len,
                             .warn_of_cohorts = o->warn_of_cohorts,
                             .names_only = o->names_only,
                             .files = o->files,
                             .connected = o->connected,
                             .e = e != NULL ? e : &ignored,
                             .watch = watch};
  *out = (struct dealers_content){0};
  return parse_text(out, &r, o->sealed);
}

enum err_code dealers_file_load(struct dealers_content *out, const char *path,
                                const struct dealers_options *options, struct err *e)
{
  AUTO_BUF struct buf text = BUF_SECRET(DEALERS_FILE_MAX);
  *out = (struct dealers_content){0};
  enum err_code code = file_read(&text, "GA_CREDENTIALS_PATH", path, DEALERS_FILE_MAX, true, e);
  return code == ERR_OK ? dealers_file_read(out, path, text.data, text.len, options, NULL, e)
                        : code;
}
