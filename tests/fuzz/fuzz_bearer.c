/* Fuzz target of bearer tokens. The first byte chooses the form: as it is, base64 of the rest,
 * or a rightly signed JWT over the rest; whether unsigned tokens and account tokens are taken,
 * and whether accounts are in bad standing. A grant never holds more than the token proves. */
#include "auth-svc/identity/claims.h"
#include "common/base/json.h"
#include "tests/fuzz/auth_world.h"

static bool holds(void *user, const struct dealer *dealer, const uint8_t digest[SHA256_SIZE])
{
  uint8_t own[SHA256_SIZE];
  (void)user;
  sha256_of(FUZZ_REFRESH_TOKEN, strlen(FUZZ_REFRESH_TOKEN), own);
  return strcmp(dealer->dealer_id, "d1") == 0 && memcmp(own, digest, SHA256_SIZE) == 0;
}

/* `user` is whether accounts are in bad standing. */
static const char *bad_standing(void *user, const struct dealer *dealer)
{
  (void)dealer;
  return *(const bool *)user ? "needs_reconsent" : NULL;
}

static char *make_bearer(uint8_t form, const struct fuzz_input *in)
{
  static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
  AUTO_FREE char *rest = fuzz_rest(in);
  if (form == 0)
    return TAKE_PTR(rest);
  if (form == 1)
    return fuzz_signed_token(header, sizeof(header) - 1, rest, in->len);
  struct buf b = BUF_INIT(4 << 20);
  base64_encode(&b, rest, in->len);
  return buf_take(&b, NULL);
}

/* Whether the token's text has the secret under refresh_token: an access token never opens. */
static bool offers_refresh_token(const char *bearer)
{
  AUTO_BUF struct buf text = BUF_INIT(BEARER_MAX_BYTES);
  AUTO_JSON cJSON *root = NULL;
  base64_decode(&text, bearer, strlen(bearer));
  json_parse(&root, text.data, text.len, NULL, NULL);
  const char *secret = json_get_string(root, "refresh_token");
  return secret != NULL && strcmp(secret, FUZZ_REFRESH_TOKEN) == 0;
}

static void check_grant(const Analytics__Auth__V1__Grant *g, enum bearer_form form,
                        const struct bearer_policy *policy, const char *bearer)
{
  FUZZ_MUST(g->subject != NULL && *g->subject != '\0');
  FUZZ_MUST(g->expires_at <= FUZZ_NOW + GRANT_LIFE_S);
  FUZZ_MUST(form == BEARER_JWT || form == BEARER_ACCOUNT || form == BEARER_UNSIGNED);
  FUZZ_MUST(form != BEARER_UNSIGNED || policy->allow_unsigned);
  FUZZ_MUST(form == BEARER_JWT || policy->account_tokens);
  if (form == BEARER_ACCOUNT) {
    FUZZ_MUST(g->n_dealer_ids == 1 && strcmp(g->dealer_ids[0], "d1") == 0);
    FUZZ_MUST(!*(const bool *)policy->user && offers_refresh_token(bearer));
  }
  if (form != BEARER_JWT)
    FUZZ_MUST(g->role == ANALYTICS__AUTH__V1__ROLE__ROLE_DEALER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static struct snapshot *world;
  static struct jwt_keys *keys;
  if (world == NULL) {
    world = fuzz_snapshot();
    keys = fuzz_jwt_keys();
  }
  struct fuzz_input in = {data, size};
  uint8_t choice = fuzz_byte(&in);
  bool bad = choice & 16;
  struct bearer_policy policy = {.enabled = true,
                                 .account_tokens = !(choice & 8),
                                 .allow_unsigned = choice & 4,
                                 .jwt = {.keys = keys, .issuer = "issuer", .audience = "audience"},
                                 .holds = holds,
                                 .bad_standing = bad_standing,
                                 .user = &bad};
  AUTO_FREE char *bearer = make_bearer(choice & 3, &in);
  struct arena *arena = arena_new(1 << 20);
  Analytics__Auth__V1__Grant *grant = NULL;
  enum bearer_form form = BEARER_LOCAL;
  struct err e = {0};
  if (bearer_grant(&grant, &form, &policy, world->directory, bearer, FUZZ_NOW, arena, &e) == ERR_OK)
    check_grant(grant, form, &policy, bearer);
  else
    FUZZ_MUST(strstr(e.message, FUZZ_REFRESH_TOKEN) == NULL);
  arena_free(arena);
  return 0;
}
