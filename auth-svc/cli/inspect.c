/* Subcommand token inspect: what is in a bearer token, whose it is, what the rules of its issuer
 * make of it, and whether the service would accept it. It is checked by the service's own code
 * (identity/bearer.h) with the keys as they are published now. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth-svc/cli/cli.h"
#include "auth-svc/dealers/file.h"
#include "auth-svc/identity/bearer.h"
#include "auth-svc/identity/jwks.h"
#include "auth-svc/identity/names.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/config.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/wait.h"

enum { TEXT_MAX = 4096, ARENA_MAX = 16 << 20 };

static const struct directory no_dealers;

struct inspection {
  const char *token;
  cJSON *claims; /* as they stand in the token: nobody has checked them yet */
  struct settings settings;
  struct trust_source *source;
  struct jwt_keys *keys;
  struct issuers *issuers;
  struct policies *policies;
  struct dealers_content dealers;
  struct err no_dealers; /* why they are not known */
  struct bearer_policy policy;
  struct http_client *http;
  struct jwks *jwks; /* the issuer's published keys; NULL when it has none */
  struct jwt_keys *published;
  struct arena *arena;
};

static void end(struct inspection *i)
{
  http_client_free(i->http); /* before what it calls */
  jwt_keys_unref(i->published);
  jwks_free(i->jwks);
  dealers_content_clear(&i->dealers);
  policies_unref(i->policies);
  issuers_unref(i->issuers);
  jwt_keys_unref(i->keys);
  trust_source_free(i->source);
  settings_free(&i->settings);
  cJSON_Delete(i->claims);
  arena_free(i->arena);
}

/* ---------------------------------------------------------------------- what it holds */

static cJSON *print_part(const char *title, const char *s, size_t len)
{
  AUTO_BUF struct buf text = BUF_INIT(BEARER_MAX_BYTES);
  cJSON *j = NULL;
  if (!base64_decode(&text, s, len) ||
      json_parse(&j, buf_str(&text), text.len, NULL, NULL) != ERR_OK)
    return NULL;
  AUTO_FREE char *pretty = cJSON_Print(j);
  printf("%s %s\n", title, pretty);
  const double exp = json_get_number(j, "exp", 0);
  if (exp > 0 && exp < 1e11) {
    char time[32];
    clock_format_rfc3339((int64_t)exp * 1000, time, sizeof(time));
    printf("expires %s\n", time);
  }
  return j;
}

/* What "revoked" of AUTH_POLICY_FILE takes. */
static void print_sha256(const char *token)
{
  uint8_t digest[SHA256_SIZE];
  char hex[2 * SHA256_SIZE + 1];
  bearer_sha256(token, strlen(token), digest);
  hex_write(hex, digest, sizeof(digest));
  printf("sha256 %s\n", hex);
}

static bool print_content(struct inspection *i)
{
  const char *dot = strchr(i->token, '.'), *second = dot != NULL ? strchr(dot + 1, '.') : NULL;
  if (second == NULL)
    return false;
  AUTO_JSON cJSON *header = print_part("header", i->token, (size_t)(dot - i->token));
  i->claims = print_part("claims", dot + 1, (size_t)(second - dot - 1));
  if (header == NULL || i->claims == NULL)
    return false;
  print_sha256(i->token);
  return true;
}

/* ------------------------------------------------------------------- what it is held to */

/* The dealers file may be out of reach where tokens are looked at: then what the token opens stays
 * open, and everything else is checked. */
static void load_dealers(struct inspection *i)
{
  if (cli_load_names(&i->dealers, &i->settings, &i->no_dealers) != ERR_OK)
    dealers_content_clear(&i->dealers);
}

static enum err_code load(struct inspection *i, struct err *e)
{
  const struct trust_options *trust = &i->settings.trust;
  enum err_code code = trust_source_new(&i->source, trust, e);
  settings_wipe_secrets(&i->settings);
  if (code == ERR_OK)
    code = trust_load_jwt_keys(&i->keys, i->source, e);
  if (code == ERR_OK)
    code = trust_load_issuers(&i->issuers, i->source, e);
  if (code == ERR_OK && trust->policy_file != NULL)
    code = policies_load(&i->policies, trust->policy_file, e);
  if (code != ERR_OK)
    return code;
  load_dealers(i);
  i->arena = arena_new(ARENA_MAX);
  i->policy = (struct bearer_policy){.enabled = true,
                                     .jwt = {.issuer = i->settings.jwt_issuer,
                                             .audience = i->settings.jwt_audience,
                                             .max_life_s = i->settings.jwt_max_life_s}};
  bearer_policy_choose(&i->policy, i->issuers, i->keys, i->token);
  return ERR_OK;
}

static void on_fetched(void *arg)
{
  wait_once_over(arg);
}

/* Until the first fetch has ended; how it went is printed. */
static void await_keys(struct jwks *jwks)
{
  struct wait_once fetched = WAIT_ONCE_INIT;
  AUTO_BUF struct buf state = BUF_INIT(TEXT_MAX);
  const struct jwks_set none = jwks_acquire(jwks);
  jwt_keys_unref(none.keys);
  if (jwks_wait(jwks, none.generation, on_fetched, &fetched) == JWKS_WAITS)
    wait_once(&fetched);
  jwks_describe(jwks, &state);
  printf("keys %s", buf_str(&state));
}

/* The issuer's published keys, when it has any. Without them the check says what is missing. */
static enum err_code fetch_keys(struct inspection *i, struct err *e)
{
  const struct http_client_options http = {.user_agent = "analytics-mcp/" AMCP_VERSION};
  const struct issuer *x = i->policy.issuer;
  if (x == NULL && i->settings.jwks_url == NULL)
    return ERR_OK;
  if (http_client_new(&i->http, &http, e) != ERR_OK)
    return e->code;
  const struct jwks_options options = {.http = i->http,
                                       .url = x != NULL ? x->jwks_uri : i->settings.jwks_url,
                                       .issuer = x != NULL ? x->issuer : NULL,
                                       .name = x != NULL ? x->name : NULL};
  if (jwks_new(&i->jwks, "AUTH_JWT_JWKS_URL", &options, e) != ERR_OK)
    return e->code;
  await_keys(i->jwks);
  i->policy.jwt.fetched = i->published = jwks_acquire(i->jwks).keys;
  return ERR_OK;
}

static void print_issuer(const struct inspection *i)
{
  const struct issuer *x = i->policy.issuer;
  const char *iss = json_get_string(i->claims, "iss"), *own = i->settings.jwt_issuer;
  if (x != NULL)
    printf("issuer %s: issuers[%zu] of %s\n", x->name, (size_t)(x - i->issuers->items),
           i->settings.trust.issuers_file);
  else if (iss != NULL && own != NULL && strcmp(iss, own) == 0)
    printf("issuer of AUTH_JWT_ISSUER: role and names are claims of the token\n");
  else
    printf("issuer unknown: neither AUTH_JWT_ISSUER nor one of %s\n",
           i->settings.trust.issuers_file != NULL ? i->settings.trust.issuers_file
                                                  : "AUTH_ISSUERS_FILE, which is not set");
}

/* --------------------------------------------------------------------------- the rules */

static void put_names(struct buf *out, const char *title, const char *const *names, size_t n)
{
  for (size_t i = 0; i < n && out->len + 100 < TEXT_MAX; i++)
    buf_printf(out, "%s\"%.80s\"", i == 0 ? title : ", ", names[i]);
}

/* "realm_access.roles contains \"dealer\"" */
static void put_test(struct buf *out, const struct claim_test *t)
{
  static const char *const words[] = {[CLAIM_PRESENT] = "",
                                      [CLAIM_EQUALS] = " equals ",
                                      [CLAIM_CONTAINS] = " contains ",
                                      [CLAIM_PREFIX] = " begins with "};
  buf_puts(out, t->claim.text);
  if (t->kind == CLAIM_IS)
    buf_puts(out, t->truth ? " is true" : " is false");
  else
    put_names(out, words[t->kind], t->texts.items, t->texts.n);
}

static void print_rule(const char *where, const struct mapping_rule *r, enum mapping_outcome what)
{
  static const char *const words[] = {[RULE_UNFIT] = "does not match",
                                      [RULE_NAMES_NOTHING] = "matches, but names nothing to read",
                                      [RULE_OF_OTHER_ROLE] =
                                          "matches, but an earlier rule gives another role",
                                      [RULE_GIVES] = "matches"};
  AUTO_BUF struct buf tests = BUF_INIT(2 * TEXT_MAX);
  for (size_t k = 0; k < r->n_tests; k++) {
    buf_puts(&tests, k > 0 ? " and " : "");
    put_test(&tests, &r->tests[k]);
  }
  printf("%s for role %s %s: %s\n", where, claims_role_name(r->role), words[what], buf_str(&tests));
}

/* Names that the token is given and the dealers file does not have: they open nothing. */
static void print_unknown(const struct inspection *i, const struct claims *c)
{
  AUTO_BUF struct buf names = BUF_INIT(TEXT_MAX);
  struct unknown_names u = {.directory = i->dealers.directory, .out = &names};
  if (u.directory == NULL)
    return;
  names_look_up(&u, "token", c);
  if (names_unknown(&u) > 0)
    printf("not in %s: %s\n", i->settings.credentials_path, buf_str(&names));
}

static void print_rules(const struct inspection *i)
{
  const struct issuer *x = i->policy.issuer;
  enum mapping_outcome outcomes[MAPPING_RULES_MAX] = {RULE_UNFIT};
  struct claims c = {0};
  struct err e = {0};
  if (x == NULL)
    return;
  enum err_code code = mapping_apply(&c, &x->mapping, x->name, i->claims, i->arena, outcomes, &e);
  for (size_t k = 0; k < x->mapping.n; k++) {
    char where[64];
    snprintf(where, sizeof(where), "issuers[%zu].rules[%zu]", (size_t)(x - i->issuers->items), k);
    print_rule(where, &x->mapping.rules[k], outcomes[k]);
  }
  if (code == ERR_OK)
    print_unknown(i, &c);
}

/* -------------------------------------------------------------------------- the verdict */

static void print_grant(const struct inspection *i, const Analytics__Auth__V1__Grant *g)
{
  AUTO_BUF struct buf text = BUF_INIT(2 * TEXT_MAX);
  printf("subject %s\nrole %s\n", g->subject, claims_role_name(g->role));
  if (g->all_dealers)
    printf("dealers all\n");
  else if (i->dealers.directory == NULL)
    printf("dealers unknown: %s\n", i->no_dealers.message);
  else {
    put_names(&text, "", (const char *const *)g->dealer_ids, g->n_dealer_ids);
    printf("dealers %zu: %s\n", g->n_dealer_ids, buf_str(&text));
    buf_clear(&text);
    put_names(&text, "benchmarks of regions: ", (const char *const *)g->benchmark_regions,
              g->n_benchmark_regions);
    printf("%s%s", buf_str(&text), text.len > 0 ? "\n" : "");
  }
  buf_clear(&text);
  put_names(&text, "scopes ", (const char *const *)g->scopes, g->n_scopes);
  if (g->scoped)
    printf("%s\n", text.len > 0 ? buf_str(&text) : "scopes none: no tool may be called");
}

/* As the service does at Authenticate. */
static enum err_code check(const struct inspection *i, Analytics__Auth__V1__Grant **g,
                           struct err *e)
{
  const struct directory *dealers = i->dealers.directory;
  enum bearer_form form;
  enum err_code code = bearer_grant(g, &form, &i->policy, dealers != NULL ? dealers : &no_dealers,
                                    i->token, clock_unix_ms() / 1000, i->arena, e);
  /* Rules gave it a role; whom they name is not known without the file. */
  if (code == ERR_PERMISSION_DENIED && dealers == NULL && *g != NULL &&
      (*g)->role != ANALYTICS__AUTH__V1__ROLE__ROLE_UNSPECIFIED)
    code = ERR_OK;
  if (code == ERR_OK && i->policies != NULL)
    code =
        policies_check_revoked(i->policies, (*g)->subject, (*g)->token_id, (*g)->principal_id, e);
  return code;
}

static int inspect_token(struct inspection *i)
{
  Analytics__Auth__V1__Grant *g = NULL;
  struct err e = {0};
  if (!print_content(i))
    return cli_fail(EXIT_FAILED, "token inspect",
                    "is not a JWT: not three parts of base64url JSON");
  if (cli_settings(&i->settings, &e) != ERR_OK || load(i, &e) != ERR_OK)
    return cli_fail(EXIT_CONFIG, "token inspect", "%s", e.message);
  print_issuer(i);
  if (fetch_keys(i, &e) != ERR_OK)
    return cli_fail(EXIT_CONFIG, "token inspect", "%s", e.message);
  print_rules(i);
  enum err_code code = check(i, &g, &e);
  if (code == ERR_OK)
    print_grant(i, g);
  printf("accepted: %s%s\n", code == ERR_OK ? "yes" : "no: ", code == ERR_OK ? "" : e.message);
  return code == ERR_OK ? EXIT_OK : EXIT_FAILED;
}

int cli_inspect(int argc, char **argv, const char *help)
{
  static const struct cli_option none[] = {{0}};
  char line[BEARER_MAX_BYTES + 2] = "";
  int exit_code;
  char **words = cli_read(argc, argv, help, none, 1, 2, "inspect takes one TOKEN", &exit_code);
  if (words == NULL)
    return exit_code;
  const char *token = words[1] != NULL ? words[1] : "-";
  if (strcmp(token, "-") == 0) {
    if (fgets(line, sizeof(line), stdin) == NULL)
      return cli_fail(EXIT_USAGE, "token inspect", "no token on standard input");
    line[strcspn(line, "\r\n")] = '\0';
    token = line;
  }
  __attribute__((cleanup(end))) struct inspection i = {.token = token};
  return inspect_token(&i);
}
