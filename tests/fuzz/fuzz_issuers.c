/* Fuzz target of the issuers file and of its rules: a file is taken whole or not at all, and its
 * rules give nobody more than they name.
 *
 * Input: a line with the claims of a token, then the file. The file gets a good beginning where the
 * line begins with a blank, so that mutations of the rules alone get far. */
#include "auth-svc/identity/discovery.h"
#include "auth-svc/identity/issuers.h"
#include "common/base/json.h"
#include "tests/fuzz/auth_world.h"
#include "tests/fuzz/fuzz.h"

enum { ARENA_MAX = 4 << 20 };

#define HEAD "{\"issuers\":[{\"issuer\":\"https://id.example\",\"name\":\"id\",\"rules\":["
#define TAIL "]}]}"

/* Whether the token holds the text anywhere. */
static bool holds_text(const cJSON *v, const char *text)
{
  if (cJSON_IsString(v) && strstr(v->valuestring, text) != NULL)
    return true;
  for (const cJSON *c = v->child; c != NULL; c = c->next)
    if (holds_text(c, text))
      return true;
  return false;
}

static bool is_literal(const struct mapping_sources *list, const char *text)
{
  for (size_t i = 0; i < list->n; i++)
    if (list->items[i].kind == SOURCE_TEXT && strcmp(list->items[i].text, text) == 0)
      return true;
  return false;
}

static const struct mapping_sources *sources_of(const struct mapping_rule *r, size_t which)
{
  return which == 0 ? &r->dealers : which == 1 ? &r->regions : &r->groups;
}

/* Every name is one that a rule of the role names, or stands in the token. */
static void check_lists(const struct claims *c, const struct mapping *m, const cJSON *token)
{
  const struct claim_list *lists[] = {&c->dealers, &c->regions, &c->groups};
  for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
    FUZZ_MUST(lists[k]->n <= CLAIM_LIST_MAX);
    for (size_t i = 0; i < lists[k]->n; i++) {
      bool literal = false;
      for (size_t r = 0; r < m->n && !literal; r++)
        literal = m->rules[r].role == c->role &&
                  is_literal(sources_of(&m->rules[r], k), lists[k]->items[i]);
      FUZZ_MUST(literal || holds_text(token, lists[k]->items[i]));
    }
  }
}

static void check_role(const struct claims *c)
{
  size_t n = c->dealers.n + c->regions.n + c->groups.n;
  if (c->role == ANALYTICS__AUTH__V1__ROLE__ROLE_ADMIN)
    FUZZ_MUST(n == 0);
  else if (c->role == ANALYTICS__AUTH__V1__ROLE__ROLE_GROUP)
    FUZZ_MUST(n > 0);
  else
    FUZZ_MUST(c->role == ANALYTICS__AUTH__V1__ROLE__ROLE_DEALER && c->dealers.n > 0 &&
              c->groups.n == 0);
}

/* Whether a rule of the role could fit: its first claim is there. */
static bool has_a_rule(const struct claims *c, const struct mapping *m, const cJSON *token)
{
  for (size_t r = 0; r < m->n; r++)
    if (m->rules[r].role == c->role && claim_path_find(&m->rules[r].tests[0].claim, token) != NULL)
      return true;
  return false;
}

static void apply(const struct issuer *x, const cJSON *token)
{
  struct arena *arena = arena_new(ARENA_MAX);
  struct claims c = {0};
  struct err e = {0};
  enum mapping_outcome outcomes[MAPPING_RULES_MAX];
  enum err_code code = mapping_apply(&c, &x->mapping, x->name, token, arena, outcomes, &e);
  if (code == ERR_OK) {
    check_role(&c);
    check_lists(&c, &x->mapping, token);
    FUZZ_MUST(has_a_rule(&c, &x->mapping, token));
  } else {
    FUZZ_MUST(code == ERR_PERMISSION_DENIED && strcmp(e.reason, "no_mapping") == 0);
  }
  arena_free(arena);
}

static void check_issuer(const struct issuers *all, const struct issuer *x)
{
  FUZZ_MUST(issuers_find(all, x->issuer) == x && discovery_issuer_problem(x->issuer) == NULL);
  FUZZ_MUST(x->jwks_uri == NULL || discovery_url_is_safe(x->jwks_uri));
  FUZZ_MUST(x->audiences.n > 0 && x->algorithms != 0 && x->mapping.n > 0);
  for (int oauth = 0; oauth < 2; oauth++) {
    AUTO_BUF struct buf url = BUF_INIT(2 * DISCOVERY_URL_MAX);
    discovery_put_url(&url, x->issuer, oauth != 0);
    FUZZ_MUST(!url.failed && strstr(buf_str(&url), "/.well-known/") != NULL);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static struct snapshot *world;
  static const struct issuers_options options = {.audience = "https://mcp.example/mcp"};
  struct fuzz_input in = {data, size};
  AUTO_FREE char *claims = fuzz_line(&in);
  AUTO_FREE char *rest = fuzz_rest(&in);
  AUTO_FREE char *text =
      claims[0] == ' ' ? xasprintf(HEAD "%s" TAIL, rest) : fuzz_copy(in.data, in.len);
  AUTO_BUF struct buf names = BUF_INIT(1024);
  AUTO_JSON cJSON *token = NULL;
  struct issuers *all = NULL;
  struct err e = {0};
  if (world == NULL)
    world = fuzz_snapshot();
  enum err_code code = issuers_parse(&all, "issuers.json", text,
                                     claims[0] == ' ' ? strlen(text) : in.len, &options, &e);
  FUZZ_MUST((code == ERR_OK) == (all != NULL));
  if (code != ERR_OK) {
    FUZZ_MUST(code == ERR_INVALID_ARGUMENT && strncmp(e.message, "issuers.json", 12) == 0);
    return 0;
  }
  bool is_token =
      json_parse(&token, claims, strlen(claims), NULL, NULL) == ERR_OK && cJSON_IsObject(token);
  for (size_t i = 0; i < all->n; i++) {
    check_issuer(all, &all->items[i]);
    if (is_token)
      apply(&all->items[i], token);
  }
  issuers_unknown_names(all, world->directory, &names);
  FUZZ_MUST(!names.failed);
  issuers_unref(all);
  return 0;
}
