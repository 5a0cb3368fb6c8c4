/* The forms of bearer tokens. */
#include "auth-svc/identity/bearer.h"

#include <string.h>

#include "auth-svc/credential/field.h"
#include "auth-svc/identity/claims.h"
#include "auth-svc/identity/discovery.h"
#include "auth-svc/identity/scopes.h"
#include "auth-svc/secret/json.h"
#include "common/base/codec.h"
#include "common/base/mem.h"

enum { SUBJECT_MAX = 256 }; /* of a token id too */

/* What every form works with. */
struct attempt {
  const struct bearer_policy *policy;
  const struct directory *directory;
  const char *bearer;
  size_t len;
  int64_t now_s;
  struct arena *arena;
  struct err *e;
  const char *principal_id;
};

const char *bearer_form_name(enum bearer_form form)
{
  static const char *const names[] = {"none",  "jwt",     "account",    "unsigned",
                                      "local", "unknown", "certificate"};
  return names[form];
}

static enum err_code reject(const struct attempt *a, const char *why)
{
  return err_set(a->e, ERR_UNAUTHENTICATED, "invalid_credentials", "bearer token: %s", why);
}

static enum err_code grant(Analytics__Auth__V1__Grant **out, const struct attempt *a,
                           struct claims *c)
{
  c->principal_id = a->principal_id;
  *out = claims_grant(c, a->directory, a->now_s, a->arena);
  if (*out == NULL)
    return err_set(a->e, ERR_RESOURCE_EXHAUSTED, "grant_too_large",
                   "the bearer token names too many dealers");
  return ERR_OK;
}

/* ------------------------------------------------------------------------ JWT */

/* An array of strings; absent counts as empty. */
static bool read_list(const struct attempt *a, const cJSON *root, const char *name,
                      struct claim_list *out)
{
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, name), *item;
  int n = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
  if (list != NULL && (!cJSON_IsArray(list) || n > CLAIM_LIST_MAX))
    return false;
  out->items = ARENA_ARRAY(a->arena, const char *, (size_t)n);
  if (out->items == NULL)
    return false;
  cJSON_ArrayForEach(item, list)
  {
    const char *s = cJSON_IsString(item) ? arena_strdup(a->arena, item->valuestring) : NULL;
    if (s == NULL)
      return false;
    out->items[out->n++] = s;
  }
  return true;
}

static bool read_role(const cJSON *root, Analytics__Auth__V1__Role *role)
{
  const char *s = json_get_string(root, "role");
  return s != NULL && claims_role(s, role);
}

static bool good_subject(const char *s)
{
  size_t n = s != NULL ? strlen(s) : 0;
  return n > 0 && n <= SUBJECT_MAX && !field_has_control(s);
}

/* With the leeway the check allowed, or a token in its last seconds would give a grant that
 * has expired already. */
static int64_t read_exp(const struct attempt *a, const cJSON *root)
{
  return (int64_t)json_get_number(root, "exp", 0) + jwt_leeway_s(&a->policy->jwt);
}

/* A token that cannot be named cannot be revoked by its name, so a jti must make sense. */
static bool read_token_id(const cJSON *root, const char **out)
{
  const cJSON *jti = cJSON_GetObjectItemCaseSensitive(root, "jti");
  *out = cJSON_GetStringValue(jti);
  return jti == NULL || good_subject(*out);
}

/* What every issuer's tokens have. */
static enum err_code read_who(const struct attempt *a, const cJSON *root, struct claims *c)
{
  c->subject = json_get_string(root, "sub");
  c->expires_at = read_exp(a, root);
  if (!good_subject(c->subject))
    return reject(a, "claim sub must be a text of 1 to 256 bytes");
  if (!read_token_id(root, &c->token_id))
    return reject(a, "claim jti must be a text of 1 to 256 bytes");
  return ERR_OK;
}

/* Our own claims. */
static enum err_code read_claims(const struct attempt *a, const cJSON *root, struct claims *c)
{
  const struct issuers *others = a->policy->issuers;
  if (read_who(a, root, c) != ERR_OK)
    return a->e->code;
  if (others != NULL && issuers_own_subject(others, c->subject))
    return reject(a, "claim sub begins like the subjects of an issuer of AUTH_ISSUERS_FILE");
  if (!read_role(root, &c->role))
    return reject(a, "claim role must be \"admin\", \"group\" or \"dealer\"");
  if (!read_list(a, root, "dealers", &c->dealers) || !read_list(a, root, "regions", &c->regions) ||
      !read_list(a, root, "groups", &c->groups))
    return reject(a, "claims dealers, regions and groups must be arrays of at most 1,000 texts");
  return ERR_OK;
}

/* Nothing but who asked, for the audit log. */
static enum err_code grant_nothing(Analytics__Auth__V1__Grant **out, const struct attempt *a,
                                   const struct claims *who)
{
  const struct claims c = {.subject = who->subject,
                           .principal_id = a->principal_id,
                           .token_id = who->token_id,
                           .expires_at = who->expires_at};
  *out = claims_grant(&c, a->directory, a->now_s, a->arena);
  return a->e->code;
}

static enum err_code take_claims(Analytics__Auth__V1__Grant **out, const struct attempt *a,
                                 const cJSON *root)
{
  struct claims c = {0};
  enum err_code code = read_claims(a, root, &c);
  return code == ERR_OK ? grant(out, a, &c) : code;
}

/* The rules of an issuer of the file. Two issuers may use one sub for two people: the subject says
 * whose it is. */
static enum err_code map_claims(Analytics__Auth__V1__Grant **out, const struct attempt *a,
                                const cJSON *root)
{
  const struct issuer *issuer = a->policy->issuer;
  struct claims c = {0};
  if (read_who(a, root, &c) != ERR_OK)
    return a->e->code;
  c.subject = arena_printf(a->arena, "%s:%s", issuer->name, c.subject);
  if (c.subject == NULL)
    return err_set(a->e, ERR_RESOURCE_EXHAUSTED, "arena",
                   "not enough memory to check the bearer token");
  if (mapping_apply(&c, &issuer->mapping, issuer->name, root, a->arena, NULL, a->e) != ERR_OK)
    return grant_nothing(out, a, &c);
  enum err_code code = grant(out, a, &c);
  if (code == ERR_OK && !(*out)->all_dealers && (*out)->n_dealer_ids == 0)
    code = mapping_names_nobody(issuer->name, a->e);
  return code;
}

static enum err_code from_jwt(Analytics__Auth__V1__Grant **out, const struct attempt *a)
{
  const struct jwt_policy *p = &a->policy->jwt;
  bool others = a->policy->issuers != NULL && a->policy->issuers->n > 0;
  if ((p->keys == NULL || p->keys->n == 0) && p->fetched == NULL)
    return reject(a, others ? "wrong issuer (iss)"
                            : "signed tokens are not set up here; set AUTH_JWT_KEY_FILE, "
                              "AUTH_JWT_JWKS_URL, AUTH_JWT_HS256_SECRET or AUTH_ISSUERS_FILE");
  AUTO_JSON cJSON *root = NULL;
  enum err_code code = jwt_verify(&root, p, a->bearer, a->len, a->now_s, a->e);
  if (code == ERR_OK)
    code = (a->policy->issuer != NULL ? map_claims : take_claims)(out, a, root);
  if (code == ERR_OK && !scopes_read(*out, root, a->arena)) {
    *out = NULL;
    code = reject(a, "claims scope and scp must be texts or arrays of at most 100 scopes");
  }
  return code;
}

/* -------------------------------------------------------------- account tokens */

/* One text for every way an account token can be wrong. */
static enum err_code reject_account(const struct attempt *a)
{
  return reject(a, "no account accepts it; it must hold account_id and the account's current "
                   "refresh_token; an access token proves nothing");
}

/* Whether a member proves that the caller holds the account's refresh token. Digests are
 * compared, so the time of the comparison discloses nothing of the secret, whatever its length. */
static bool proves(const struct attempt *a, const struct dealer *d, const cJSON *member)
{
  uint8_t digest[SHA256_SIZE];
  const char *secret = cJSON_GetStringValue(member);
  if (d == NULL || secret == NULL || *secret == '\0')
    return false;
  sha256_of(secret, strlen(secret), digest);
  return a->policy->holds(a->policy->user, d, digest);
}

/* After the proof, so that nobody else learns how an account is doing. */
static enum err_code check_standing(const struct attempt *a, const struct dealer *d)
{
  const char *state = a->policy->bad_standing(a->policy->user, d);
  if (state == NULL)
    return ERR_OK;
  return err_set(a->e, ERR_PERMISSION_DENIED, state,
                 "bearer token: the account is not in good standing (%s), so its refresh token "
                 "opens nothing; %s",
                 state,
                 strcmp(state, "needs_reconsent") == 0
                     ? "its dealer must consent again, and the new refresh token be configured"
                     : "Google refuses the OAuth client or credential as it is configured");
}

static enum err_code grant_account(Analytics__Auth__V1__Grant **out, const struct attempt *a,
                                   const struct dealer *d)
{
  const char *ids[] = {d->dealer_id};
  struct claims c = {.subject = d->account_id,
                     .role = ANALYTICS__AUTH__V1__ROLE__ROLE_DEALER,
                     .dealers = {ids, 1},
                     .expires_at = INT64_MAX};
  return grant(out, a, &c);
}

static bool is_given(const cJSON *member)
{
  return member != NULL && !cJSON_IsNull(member);
}

/* The dealer that account_id names, by account or by dealer id: no text is both for two. */
static const struct dealer *dealer_of(const struct attempt *a, const cJSON *root)
{
  const char *id = json_get_string(root, "account_id");
  return id != NULL ? directory_by_name(a->directory, id) : NULL;
}

/* access_token, expires_at and dealer_name may be there and count for nothing: report-svc and
 * Google's own servers see access tokens. */
static enum err_code check_account(Analytics__Auth__V1__Grant **out, enum bearer_form *form,
                                   const struct attempt *a, const cJSON *root)
{
  const cJSON *refresh = cJSON_GetObjectItemCaseSensitive(root, "refresh_token");
  bool bare =
      !is_given(refresh) && !is_given(cJSON_GetObjectItemCaseSensitive(root, "access_token"));
  const struct dealer *d = dealer_of(a, root);
  *form = bare ? BEARER_UNSIGNED : BEARER_ACCOUNT;
  if (!a->policy->account_tokens)
    return reject(a, "account tokens are not accepted here (AUTH_ACCOUNT_TOKENS=off); use a "
                     "signed JWT");
  if (bare && !a->policy->allow_unsigned)
    return reject(a, "holds no proof; give refresh_token beside account_id");
  if (bare ? d == NULL : !proves(a, d, refresh))
    return reject_account(a);
  enum err_code code = bare ? ERR_OK : check_standing(a, d);
  return code == ERR_OK ? grant_account(out, a, d) : code;
}

static enum err_code from_account_token(Analytics__Auth__V1__Grant **out, enum bearer_form *form,
                                        const struct attempt *a)
{
  AUTO_BUF struct buf text = BUF_SECRET(BEARER_MAX_BYTES);
  AUTO_WIPED_JSON cJSON *root = NULL;
  *form = BEARER_UNKNOWN;
  if (buf_reserve(&text, a->len) == NULL || !base64_decode(&text, a->bearer, a->len) ||
      json_parse(&root, text.data, text.len, NULL, NULL) != ERR_OK || !cJSON_IsObject(root))
    return reject(a, "neither a signed JWT nor base64 of a JSON object with account_id");
  return check_account(out, form, a, root);
}

/* ---------------------------------------------------------------------- the issuer */

/* The issuer of the file that the token says it is of; NULL: that of AUTH_JWT_*, or none. */
static const struct issuer *issuer_of(const struct issuers *issuers, const char *bearer)
{
  size_t len = issuers->n > 0 ? strlen(bearer) : 0;
  char iss[DISCOVERY_URL_MAX + 1];
  if (len == 0 || len > BEARER_MAX_BYTES || !jwt_looks_like(bearer, len))
    return NULL;
  jwt_peek_issuer(bearer, len, iss, sizeof(iss));
  return issuers_find(issuers, iss);
}

/* Nothing of AUTH_JWT_* counts for a token of an issuer of the file. */
static struct jwt_policy policy_of(const struct issuer *x)
{
  return (struct jwt_policy){.issuer = x->issuer,
                             .audiences = x->audiences.items,
                             .n_audiences = x->audiences.n,
                             .audience_claim = &x->audience_claim,
                             .max_life_s = x->max_life_s,
                             .algorithms = x->algorithms,
                             .typ = x->typ,
                             .leeway_s = x->leeway_s,
                             .of_file = true};
}

void bearer_policy_choose(struct bearer_policy *p, const struct issuers *issuers,
                          const struct jwt_keys *keys, const char *bearer)
{
  p->issuers = issuers;
  p->issuer = issuer_of(issuers, bearer);
  if (p->issuer != NULL)
    p->jwt = policy_of(p->issuer);
  else
    p->jwt.keys = keys;
}

/* ----------------------------------------------------------------------- entry */

void bearer_sha256(const char *bearer, size_t len, uint8_t out[SHA256_SIZE])
{
  if (jwt_looks_like(bearer, len))
    while (len > 0 && bearer[len - 1] != '.')
      len--;
  sha256_of(bearer, len, out);
}

static const char *principal_of(const struct attempt *a)
{
  uint8_t digest[SHA256_SIZE];
  char hex[SHA256_HEX_SIZE];
  bearer_sha256(a->bearer, a->len, digest);
  hex_write(hex, digest, sizeof(digest));
  return arena_strdup(a->arena, hex);
}

static enum err_code grant_local(Analytics__Auth__V1__Grant **out, const struct attempt *a)
{
  struct claims c = {.subject = "local-development",
                     .role = ANALYTICS__AUTH__V1__ROLE__ROLE_ADMIN,
                     .expires_at = INT64_MAX};
  return grant(out, a, &c);
}

enum err_code bearer_grant(Analytics__Auth__V1__Grant **out, enum bearer_form *form,
                           const struct bearer_policy *policy, const struct directory *directory,
                           const char *bearer, int64_t now_s, struct arena *arena, struct err *e)
{
  struct attempt a = {policy, directory, bearer, strlen(bearer), now_s, arena, e, NULL};
  a.principal_id = principal_of(&a);
  *form = policy->enabled ? BEARER_NONE : BEARER_LOCAL;
  if (a.principal_id == NULL)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "arena",
                   "not enough memory to check the bearer token");
  if (!policy->enabled)
    return grant_local(out, &a);
  if (a.len == 0)
    return err_set(e, ERR_UNAUTHENTICATED, "missing_credentials", "Missing credentials");
  *form = BEARER_UNKNOWN;
  if (a.len > BEARER_MAX_BYTES)
    return reject(&a, "longer than 16 KiB");
  if (!jwt_looks_like(bearer, a.len))
    return from_account_token(out, form, &a);
  *form = BEARER_JWT;
  return from_jwt(out, &a);
}
