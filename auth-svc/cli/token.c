/* Subcommand token: mint; inspect stands in inspect.c. */
#include <stdio.h>
#include <string.h>

#include "auth-svc/cli/cli.h"
#include "auth-svc/secret/jwt_sign.h"
#include "auth-svc/dealers/file.h"
#include "auth-svc/identity/jwt_keys.h"
#include "auth-svc/secret/secret.h"
#include "common/base/clock.h"
#include "common/base/config.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/nearest.h"
#include "common/base/random.h"

enum { TTL_DEFAULT_S = 8 * 3600, TOKEN_TEXT_MAX = 16384 };

struct mint {
  const char *sub, *role, *ttl_text, *key_file, *kid, *issuer, *audience, *dealers_file;
  struct cli_list dealers, regions, groups;
  int64_t ttl_s;
  struct settings settings;
  struct jwt_signer signer;
};

static void mint_clear(struct mint *m)
{
  jwt_signer_clear(&m->signer);
  settings_free(&m->settings);
}

/* ------------------------------------------------------------------- command line */

static bool read_mint_options(struct mint *m, int argc, char **argv, const char *help,
                              int *exit_code)
{
  const struct cli_option options[] = {{"sub", .text = &m->sub},
                                       {"role", .text = &m->role},
                                       {"dealer", .list = &m->dealers},
                                       {"region", .list = &m->regions},
                                       {"group", .list = &m->groups},
                                       {"ttl", .text = &m->ttl_text},
                                       {"key", .text = &m->key_file},
                                       {"kid", .text = &m->kid},
                                       {"issuer", .text = &m->issuer},
                                       {"audience", .text = &m->audience},
                                       {"dealers", .text = &m->dealers_file},
                                       {0}};
  /* "mint" itself is left */
  return cli_read(argc, argv, help, options, 1, 1, "mint takes options only", exit_code) != NULL;
}

static enum err_code usage(struct err *e, const char *message)
{
  return err_set(e, ERR_INVALID_ARGUMENT, "usage", "%s", message);
}

static enum err_code check_mint(struct mint *m, struct err *e)
{
  size_t n = m->dealers.n + m->regions.n + m->groups.n;
  m->ttl_s = m->ttl_text != NULL ? cli_seconds(m->ttl_text) : TTL_DEFAULT_S;
  if (m->sub == NULL || *m->sub == '\0' || strlen(m->sub) > 256)
    return usage(e, "--sub: must name the user or service, 1 to 256 bytes");
  if (m->ttl_s == 0)
    return usage(e, "--ttl: must be a time such as 900, 15m, 8h or 1d, at most 90d");
  if (m->kid != NULL && strlen(m->kid) > JWT_KEY_ID_MAX)
    return usage(e, "--kid: longer than 128 bytes");
  if (m->role == NULL)
    return usage(e, "--role: must be admin, group or dealer");
  if (strcmp(m->role, "admin") == 0)
    return n == 0 ? ERR_OK : usage(e, "--role admin reads everything: give no dealer or region");
  if (strcmp(m->role, "dealer") == 0)
    return m->dealers.n > 0 && m->groups.n == 0
               ? ERR_OK
               : usage(e, "--role dealer needs at least one --dealer and no --group");
  if (strcmp(m->role, "group") != 0)
    return usage(e, "--role: must be admin, group or dealer");
  return n > 0 ? ERR_OK : usage(e, "--role group needs at least one --dealer, --region or --group");
}

/* -------------------------------------------------------- claims against the dealers */

static enum err_code no_such(struct err *e, const char *option, const char *name,
                             const char *closest)
{
  if (closest == NULL)
    return err_set(e, ERR_NOT_FOUND, "unknown_name", "%s: the dealers file has no \"%.80s\"",
                   option, name);
  return err_set(e, ERR_NOT_FOUND, "unknown_name",
                 "%s: the dealers file has no \"%.80s\"; closest: \"%s\"", option, name, closest);
}

static enum err_code check_dealer(const struct directory *d, const char *name, struct err *e)
{
  const char *closest = NULL;
  return cli_find_dealer(d, name, &closest) != NULL ? ERR_OK
                                                    : no_such(e, "--dealer", name, closest);
}

static enum err_code check_region(const struct directory *d, const char *name, struct err *e)
{
  struct nearest best = {0};
  if (directory_region(d, name) < d->n_regions)
    return ERR_OK;
  for (size_t i = 0; i < d->n_regions; i++)
    nearest_offer(&best, i, nearest_distance(name, d->regions[i]));
  return no_such(e, "--region", name, best.n > 0 ? d->regions[best.item[0]] : NULL);
}

static enum err_code check_group(const struct directory *d, const char *name, struct err *e)
{
  for (size_t i = 0; i < d->n_dealers; i++)
    if (dealer_in_group(&d->dealers[i], name))
      return ERR_OK;
  return no_such(e, "--group", name, NULL);
}

static enum err_code check_names(const struct directory *d, const struct cli_list *list,
                                 enum err_code (*one)(const struct directory *, const char *,
                                                      struct err *),
                                 struct err *e)
{
  enum err_code code = ERR_OK;
  for (size_t i = 0; i < list->n && code == ERR_OK; i++)
    code = one(d, list->items[i], e);
  return code;
}

static enum err_code check_against_dealers(struct mint *m, struct err *e)
{
  if (m->dealers_file != NULL)
    m->settings.credentials_path = m->dealers_file;
  else if (config_text("GA_CREDENTIALS_PATH") == NULL)
    return ERR_OK;
  __attribute__((cleanup(dealers_content_clear))) struct dealers_content dealers = {0};
  enum err_code code = cli_load_names(&dealers, &m->settings, e);
  if (code != ERR_OK)
    return code;
  const struct directory *d = dealers.directory;
  code = check_names(d, &m->dealers, check_dealer, e);
  if (code == ERR_OK)
    code = check_names(d, &m->regions, check_region, e);
  return code == ERR_OK ? check_names(d, &m->groups, check_group, e) : code;
}

/* ------------------------------------------------------------------------- signing */

static enum err_code load_signer(struct mint *m, struct err *e)
{
  const struct trust_options *s = &m->settings.trust;
  static const char what[] = "AUTH_JWT_HS256_SECRET_FILE";
  AUTO_SECRET struct secret *shared = NULL;
  m->signer.kid = m->kid;
  if (m->key_file != NULL)
    return jwt_signer_from_pem_file(&m->signer, "--key", m->key_file, e);
  if (s->jwt_secret != NULL)
    return jwt_signer_from_secret(&m->signer, "AUTH_JWT_HS256_SECRET", s->jwt_secret,
                                  strlen(s->jwt_secret), e);
  if (s->jwt_secret_file == NULL)
    return err_set(e, ERR_FAILED_PRECONDITION, "no_key",
                   "nothing to sign with: give --key FILE, or set AUTH_JWT_HS256_SECRET or "
                   "AUTH_JWT_HS256_SECRET_FILE");
  enum err_code code = secret_from_file(&shared, what, s->jwt_secret_file, e);
  return code != ERR_OK
             ? code
             : jwt_signer_from_secret(&m->signer, what, secret_text(shared), secret_len(shared), e);
}

static void put_names(cJSON *claims, const char *key, const struct cli_list *list)
{
  if (list->n > 0)
    cJSON_AddItemToObject(claims, key, cJSON_CreateStringArray(list->items, (int)list->n));
}

static enum err_code sign_claims(const struct mint *m, struct buf *token, struct err *e)
{
  AUTO_JSON cJSON *claims = cJSON_CreateObject();
  int64_t now = clock_unix_ms() / 1000;
  char id[RANDOM_ID_SIZE];
  random_id(id);
  cJSON_AddStringToObject(claims, "iss", m->issuer);
  cJSON_AddStringToObject(claims, "sub", m->sub);
  cJSON_AddStringToObject(claims, "aud", m->audience);
  cJSON_AddNumberToObject(claims, "iat", (double)now);
  cJSON_AddNumberToObject(claims, "exp", (double)(now + m->ttl_s));
  cJSON_AddStringToObject(claims, "jti", id);
  cJSON_AddStringToObject(claims, "role", m->role);
  put_names(claims, "dealers", &m->dealers);
  put_names(claims, "regions", &m->regions);
  put_names(claims, "groups", &m->groups);
  AUTO_FREE char *text = cJSON_PrintUnformatted(claims);
  return jwt_sign(token, &m->signer, text, e);
}

/* What the service would refuse is not minted. */
static enum err_code check_life(const struct mint *m, struct err *e)
{
  if (m->ttl_s <= m->settings.jwt_max_life_s)
    return ERR_OK;
  return err_set(e, ERR_INVALID_ARGUMENT, "too_long",
                 "--ttl: longer than the %lld s that the service accepts; ask for less, or set "
                 "AUTH_JWT_MAX_LIFE_S as the service has it",
                 (long long)m->settings.jwt_max_life_s);
}

static enum err_code mint_token(struct mint *m, struct buf *token, struct err *e)
{
  if (check_life(m, e) != ERR_OK || check_against_dealers(m, e) != ERR_OK ||
      load_signer(m, e) != ERR_OK)
    return e->code;
  m->issuer = m->issuer != NULL ? m->issuer : m->settings.jwt_issuer;
  m->audience = m->audience != NULL ? m->audience : m->settings.jwt_audience;
  if (m->issuer == NULL)
    return err_set(e, ERR_FAILED_PRECONDITION, "no_issuer",
                   "no issuer: set AUTH_JWT_ISSUER as the service has it, or give --issuer");
  return sign_claims(m, token, e);
}

static int mint(int argc, char **argv, const char *help)
{
  __attribute__((cleanup(mint_clear))) struct mint m = {0};
  AUTO_BUF struct buf token = BUF_SECRET(TOKEN_TEXT_MAX);
  struct err e = {0};
  int exit_code = EXIT_OK;
  if (!read_mint_options(&m, argc, argv, help, &exit_code))
    return exit_code;
  if (check_mint(&m, &e) != ERR_OK)
    return cli_fail(EXIT_USAGE, "token mint", "%s", e.message);
  if (cli_settings(&m.settings, &e) != ERR_OK)
    return cli_fail(EXIT_CONFIG, "token mint", "%s", e.message);
  enum err_code code = mint_token(&m, &token, &e);
  settings_wipe_secrets(&m.settings);
  if (code != ERR_OK)
    return cli_fail(code == ERR_FAILED_PRECONDITION ? EXIT_CONFIG : EXIT_FAILED, "token mint", "%s",
                    e.message);
  printf("%s\n", token.data);
  return EXIT_OK;
}

int cli_token(int argc, char **argv, const char *help)
{
  const char *what = argc > 1 ? argv[1] : "";
  if (strcmp(what, "mint") == 0)
    return mint(argc, argv, help);
  if (strcmp(what, "inspect") == 0)
    return cli_inspect(argc, argv, help);
  if (strcmp(what, "--help") == 0 || strcmp(what, "-h") == 0) {
    fputs(help, stdout);
    return EXIT_OK;
  }
  return cli_fail(EXIT_USAGE, "token", "must be token mint or token inspect; see --help");
}
