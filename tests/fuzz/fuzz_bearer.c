/* Fuzz target of bearer tokens. The first byte chooses the form: as it is, base64 of the rest,
 * or a rightly signed JWT over the rest; and whether unsigned tokens are taken. A grant never
 * holds more than the token proves. */
#include "auth-svc/identity/claims.h"
#include "tests/fuzz/auth_world.h"

static bool holds(void *user, const struct dealer *dealer, const uint8_t digest[SHA256_SIZE])
{
  uint8_t own[SHA256_SIZE];
  (void)user;
  sha256_of(FUZZ_REFRESH_TOKEN, strlen(FUZZ_REFRESH_TOKEN), own);
  return strcmp(dealer->dealer_id, "d1") == 0 && memcmp(own, digest, SHA256_SIZE) == 0;
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

static void check_grant(const Analytics__Auth__V1__Grant *g, enum bearer_form form,
                        bool allow_unsigned)
{
  FUZZ_MUST(g->subject != NULL && *g->subject != '\0');
  FUZZ_MUST(g->expires_at <= FUZZ_NOW + GRANT_LIFE_S);
  FUZZ_MUST(form == BEARER_JWT || form == BEARER_ACCOUNT || form == BEARER_UNSIGNED);
  FUZZ_MUST(form != BEARER_UNSIGNED || allow_unsigned);
  if (form == BEARER_ACCOUNT)
    FUZZ_MUST(g->n_dealer_ids == 1 && strcmp(g->dealer_ids[0], "d1") == 0);
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
  struct bearer_policy policy = {.enabled = true,
                                 .allow_unsigned = choice & 4,
                                 .jwt = {keys, "issuer", "audience"},
                                 .holds = holds};
  AUTO_FREE char *bearer = make_bearer(choice & 3, &in);
  struct arena *arena = arena_new(1 << 20);
  Analytics__Auth__V1__Grant *grant = NULL;
  enum bearer_form form = BEARER_LOCAL;
  struct err e = {0};
  if (bearer_grant(&grant, &form, &policy, world->directory, bearer, FUZZ_NOW, arena, &e) == ERR_OK)
    check_grant(grant, form, policy.allow_unsigned);
  else
    FUZZ_MUST(strstr(e.message, FUZZ_REFRESH_TOKEN) == NULL);
  arena_free(arena);
  return 0;
}
