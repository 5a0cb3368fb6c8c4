/* Applies the rules of an issuer to the claims of a token. */
#include "auth-svc/identity/mapping.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"

enum { LOOKED_FOR_MAX = 5, LOOKED_FOR_BYTES = 240 };

/* The work on one token. */
struct job {
  const cJSON *token;
  struct arena *arena;
  struct claims *out;
  bool overflow; /* a list is longer than may be, or the arena is full */
};

/* -------------------------------------------------------------------------- texts */

/* The texts of a claim: itself, or those of a list. Anything else counts for nothing. */
static const cJSON *first_text(const cJSON *claim, bool *is_list)
{
  *is_list = cJSON_IsArray(claim);
  const cJSON *at = *is_list ? claim->child : claim;
  while (*is_list && at != NULL && !cJSON_IsString(at))
    at = at->next;
  return cJSON_IsString(at) ? at : NULL;
}

static const cJSON *next_text(const cJSON *at, bool is_list)
{
  if (!is_list)
    return NULL;
  do
    at = at->next;
  while (at != NULL && !cJSON_IsString(at));
  return at;
}

/* What of a text counts for {value}; NULL when the test does not take it. */
static const char *taken(const struct claim_test *t, const char *text)
{
  if (*text == '\0')
    return NULL;
  if (t->kind == CLAIM_PRESENT)
    return text;
  if (t->kind == CLAIM_PREFIX) {
    size_t n = strlen(t->texts.items[0]);
    return strncmp(text, t->texts.items[0], n) == 0 && text[n] != '\0' ? text + n : NULL;
  }
  for (size_t i = 0; i < t->texts.n; i++)
    if (strcmp(text, t->texts.items[i]) == 0)
      return text;
  return NULL;
}

static bool holds(const struct claim_test *t, const cJSON *token)
{
  const cJSON *claim = claim_path_find(&t->claim, token);
  bool is_list;
  if (t->kind == CLAIM_IS)
    return t->truth ? cJSON_IsTrue(claim) : cJSON_IsFalse(claim);
  if (t->kind == CLAIM_EQUALS && !cJSON_IsString(claim))
    return false;
  for (const cJSON *at = first_text(claim, &is_list); at != NULL; at = next_text(at, is_list))
    if (taken(t, at->valuestring) != NULL)
      return true;
  return false;
}

/* --------------------------------------------------------------------------- lists */

static void add(struct job *j, struct claim_list *list, const char *text)
{
  if (list->items == NULL)
    list->items = ARENA_ARRAY(j->arena, const char *, CLAIM_LIST_MAX);
  if (list->items == NULL || list->n == CLAIM_LIST_MAX)
    j->overflow = true;
  else
    list->items[list->n++] = text;
}

static void add_claim(struct job *j, struct claim_list *list, const struct claim_test *t)
{
  bool is_list;
  for (const cJSON *at = first_text(claim_path_find(&t->claim, j->token), &is_list); at != NULL;
       at = next_text(at, is_list)) {
    const char *text = taken(t, at->valuestring);
    if (text != NULL)
      add(j, list, text);
  }
}

static void add_sources(struct job *j, struct claim_list *list, const struct mapping_rule *rule,
                        const struct mapping_sources *from)
{
  for (size_t i = 0; i < from->n && !j->overflow; i++) {
    const struct mapping_source *s = &from->items[i];
    const struct claim_test all = {.claim = s->claim, .kind = CLAIM_PRESENT};
    if (s->kind == SOURCE_TEXT)
      add(j, list, s->text);
    else
      add_claim(j, list, s->kind == SOURCE_VALUE ? &rule->tests[0] : &all);
  }
}

/* Whether the lists have grown by something to read; regions only narrow what a dealer has. */
static bool reads_more(const struct mapping_rule *rule, const struct claims *c,
                       const struct claims *before)
{
  bool dealers = c->dealers.n > before->dealers.n;
  switch (rule->role) {
  case ANALYTICS__AUTH__V1__ROLE__ROLE_ADMIN:
    return true;
  case ANALYTICS__AUTH__V1__ROLE__ROLE_GROUP:
    return dealers || c->regions.n > before->regions.n || c->groups.n > before->groups.n;
  default:
    return dealers;
  }
}

/* --------------------------------------------------------------------------- rules */

static bool fits(const struct mapping_rule *rule, const cJSON *token)
{
  for (size_t i = 0; i < rule->n_tests; i++)
    if (!holds(&rule->tests[i], token))
      return false;
  return true;
}

/* A rule whose lists come out empty leaves the claims as they were. */
static enum mapping_outcome apply(struct job *j, const struct mapping_rule *rule)
{
  struct claims *c = j->out;
  const struct claims before = *c;
  if (!fits(rule, j->token))
    return RULE_UNFIT;
  if (c->role != ANALYTICS__AUTH__V1__ROLE__ROLE_UNSPECIFIED && c->role != rule->role)
    return RULE_OF_OTHER_ROLE;
  add_sources(j, &c->dealers, rule, &rule->dealers);
  add_sources(j, &c->regions, rule, &rule->regions);
  add_sources(j, &c->groups, rule, &rule->groups);
  if (reads_more(rule, c, &before)) {
    c->role = rule->role;
    return RULE_GIVES;
  }
  c->dealers.n = before.dealers.n;
  c->regions.n = before.regions.n;
  c->groups.n = before.groups.n;
  return RULE_NAMES_NOTHING;
}

/* Entra leaves groups out of a token when there are more than it has room for, and says where they
 * are to be asked for instead. */
static bool is_overage(const cJSON *token)
{
  const cJSON *names = cJSON_GetObjectItemCaseSensitive(token, "_claim_names");
  return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(token, "hasgroups")) ||
         cJSON_GetObjectItemCaseSensitive(names, "groups") != NULL;
}

/* The claims that a rule wants and has not got. */
static size_t missing_of(const struct mapping_rule *rule, const cJSON *token,
                         const struct claim_path *out[], size_t max)
{
  const struct mapping_sources *lists[] = {&rule->dealers, &rule->regions, &rule->groups};
  size_t n = 0;
  for (size_t i = 0; i < rule->n_tests && n < max; i++)
    if (!holds(&rule->tests[i], token))
      out[n++] = &rule->tests[i].claim;
  for (size_t k = 0; n == 0 && k < ARRAY_LEN(lists); k++)
    for (size_t i = 0; i < lists[k]->n && n < max; i++)
      if (lists[k]->items[i].kind == SOURCE_CLAIM)
        out[n++] = &lists[k]->items[i].claim;
  return n;
}

static bool is_named(const struct claim_path *const *seen, size_t n, const char *text)
{
  for (size_t i = 0; i < n; i++)
    if (strcmp(seen[i]->text, text) == 0)
      return true;
  return false;
}

/* "groups (not in the token), realm_access.roles (no rule for what it holds)" */
static void put_looked_for(struct buf *out, const struct mapping *m, const cJSON *token)
{
  const struct claim_path *seen[LOOKED_FOR_MAX];
  size_t n = 0;
  for (size_t i = 0; i < m->n; i++) {
    const struct claim_path *missing[MAPPING_TESTS_MAX];
    size_t k = missing_of(&m->rules[i], token, missing, MAPPING_TESTS_MAX);
    for (size_t x = 0; x < k; x++) {
      if (is_named(seen, n, missing[x]->text))
        continue;
      if (n == LOOKED_FOR_MAX || out->len > LOOKED_FOR_BYTES) {
        buf_puts(out, " and others");
        return;
      }
      bool there = claim_path_find(missing[x], token) != NULL;
      buf_printf(out, "%s%s (%s)", n > 0 ? ", " : "", missing[x]->text,
                 there ? "no rule for what it holds" : "not in the token");
      seen[n++] = missing[x];
    }
  }
}

static enum err_code refuse(struct err *e, const char *why)
{
  return err_set(e, ERR_PERMISSION_DENIED, "no_mapping", "bearer token: %s", why);
}

static enum err_code refuse_unmapped(const struct mapping *m, const char *issuer_name,
                                     const cJSON *token, struct err *e)
{
  AUTO_BUF struct buf why = BUF_INIT(1024);
  buf_printf(&why, "no rule of the issuer %s gives it access; looked for ", issuer_name);
  put_looked_for(&why, m, token);
  if (is_overage(token))
    buf_puts(&why, "; the token leaves its groups out because there are too many (overage): use "
                   "app roles, or limit the claim to groups of the application");
  return refuse(e, buf_str(&why));
}

enum err_code mapping_names_nobody(const char *issuer_name, struct err *e)
{
  AUTO_FREE char *why =
      xasprintf("its rule of the issuer %s names no dealer that is set up here", issuer_name);
  return refuse(e, why);
}

enum err_code mapping_apply(struct claims *out, const struct mapping *m, const char *issuer_name,
                            const cJSON *token, struct arena *arena, enum mapping_outcome *outcomes,
                            struct err *e)
{
  struct job j = {.token = token, .arena = arena, .out = out};
  out->role = ANALYTICS__AUTH__V1__ROLE__ROLE_UNSPECIFIED;
  for (size_t i = 0; i < m->n && !j.overflow; i++) {
    enum mapping_outcome outcome = apply(&j, &m->rules[i]);
    if (outcomes != NULL)
      outcomes[i] = outcome;
  }
  if (j.overflow)
    return refuse(e, "its claims list more than 1,000 dealers, regions or groups");
  return out->role != ANALYTICS__AUTH__V1__ROLE__ROLE_UNSPECIFIED
             ? ERR_OK
             : refuse_unmapped(m, issuer_name, token, e);
}
