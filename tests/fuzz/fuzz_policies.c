/* Fuzz target of the policy file: everything or nothing; whoever is in a file that was taken is
 * found in it, has rights that its role allows, and is refused when it is revoked there. */
#include "auth-svc/config/snapshot.h"
#include "auth-svc/identity/policies.h"
#include "tests/fuzz/auth_world.h"
#include "tests/fuzz/fuzz.h"

enum { ARENA_MAX = 1 << 20 };

static void check_lists(const struct claims *c)
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

static void check_policy(const struct policies *all, const struct policy *p,
                         const struct directory *d)
{
  struct arena *arena = arena_new(ARENA_MAX);
  Analytics__Auth__V1__Grant *g = NULL;
  struct err e = {0};
  FUZZ_MUST(policies_find(all, p->identity) == p);
  check_lists(&p->claims);
  if (certificate_grant(&g, all, p->identity, d, FUZZ_NOW, arena, &e) == ERR_OK) {
    FUZZ_MUST(g->all_dealers == (p->claims.role == ANALYTICS__AUTH__V1__ROLE__ROLE_ADMIN));
    FUZZ_MUST(g->expires_at == FUZZ_NOW + GRANT_LIFE_S && strlen(g->principal_id) == 64);
    for (size_t i = 0; i < g->n_dealer_ids; i++)
      FUZZ_MUST(directory_by_id(d, g->dealer_ids[i]) != NULL);
  } else {
    FUZZ_MUST(e.code == ERR_RESOURCE_EXHAUSTED);
  }
  arena_free(arena);
}

static void check_revoked(const struct policies *p)
{
  for (size_t i = 0; i < p->subjects.n; i++)
    FUZZ_MUST(policies_check_revoked(p, p->subjects.items[i], "", "", NULL) != ERR_OK);
  for (size_t i = 0; i < p->token_ids.n; i++)
    FUZZ_MUST(policies_check_revoked(p, "", p->token_ids.items[i], "", NULL) != ERR_OK);
  for (size_t i = 0; i < p->token_hashes.n; i++) {
    const char *hash = p->token_hashes.items[i];
    FUZZ_MUST(strlen(hash) == 64 && strspn(hash, "0123456789abcdef") == 64);
    FUZZ_MUST(policies_check_revoked(p, "", "", hash, NULL) != ERR_OK);
  }
  FUZZ_MUST(policies_check_revoked(p, "", "", "", NULL) == ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static struct snapshot *world;
  struct fuzz_input in = {data, size};
  AUTO_FREE char *text = fuzz_rest(&in);
  AUTO_BUF struct buf names = BUF_INIT(1024);
  struct policies *p = NULL;
  struct err e = {0};
  if (world == NULL)
    world = fuzz_snapshot();
  enum err_code code = policies_parse(&p, "policies.json", text, size, &e);
  FUZZ_MUST((code == ERR_OK) == (p != NULL));
  if (code != ERR_OK) {
    FUZZ_MUST(code == ERR_INVALID_ARGUMENT && strncmp(e.message, "policies.json", 13) == 0);
    return 0;
  }
  for (size_t i = 0; i < p->n; i++)
    check_policy(p, &p->items[i], world->directory);
  check_revoked(p);
  policies_unknown_names(p, world->directory, &names);
  FUZZ_MUST(!names.failed);
  policies_unref(p);
  return 0;
}
