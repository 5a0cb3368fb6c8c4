/* Steps of Authenticate, GetAccessToken and ResolveCohort, each in a loop of its own. */
#include "tests/bench/bench_auth_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "auth-svc/audit/audit.h"
#include "auth-svc/config/snapshot.h"
#include "auth-svc/grant/cohort.h"
#include "auth-svc/grant/listing.h"
#include "auth-svc/identity/bearer.h"
#include "auth-svc/rpc/target.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "tests/bench/bench_auth_world.h"

enum { ROUNDS_MAX = 9, ROUND_MS = 100, ARENA_MAX = 8 << 20, ALGS = 4 };

struct sealed_grant {
  char *data;
  size_t len;
};

struct parts {
  struct snapshot *config;
  struct sealer *sealer;
  struct jwt_keys *keys;
  struct verified *verified;
  struct audit *audit[2]; /* synced by the second, never */
  char *audit_path[2];
  char *text[ALGS], **tokens[ALGS]; /* by enum jwt_alg */
  size_t n_tokens[ALGS], next;
  char *admin, *dealer, *listed, *account; /* bearers */
  struct sealed_grant admin_grant, dealer_grant, listed_grant;
  struct arena *arena; /* of the step that runs */
};

static void must(bool ok, const struct err *e)
{
  if (ok)
    return;
  fprintf(stderr, "bench_auth: %s\n", e->message);
  exit(1);
}

static int64_t now_s(void)
{
  return clock_unix_ms() / 1000;
}

/* ------------------------------------------------------------------------ steps */

static void step_arena(struct parts *p)
{
  arena_alloc(p->arena, 64);
}

static void verify(struct parts *p, enum jwt_alg alg, struct verified *verified, size_t i)
{
  const struct jwt_policy policy = {.keys = p->keys,
                                    .issuer = WORLD_ISSUER,
                                    .audience = WORLD_AUDIENCE,
                                    .verified = verified,
                                    .generation = {1, 1}};
  const char *token = p->tokens[alg][i];
  AUTO_JSON cJSON *claims = NULL;
  struct err e = {0};
  must(jwt_verify(&claims, &policy, token, strlen(token), now_s(), &e) == ERR_OK, &e);
}

static void verify_next(struct parts *p, enum jwt_alg alg)
{
  verify(p, alg, NULL, p->next++ % p->n_tokens[alg]);
}

static void step_rs256(struct parts *p)
{
  verify_next(p, JWT_RS256);
}

static void step_es256(struct parts *p)
{
  verify_next(p, JWT_ES256);
}

static void step_eddsa(struct parts *p)
{
  verify_next(p, JWT_EDDSA);
}

static void step_hs256(struct parts *p)
{
  verify_next(p, JWT_HS256);
}

static void step_known(struct parts *p)
{
  verify(p, JWT_RS256, p->verified, 0);
}

static bool holds(void *user, const struct dealer *dealer, const uint8_t digest[SHA256_SIZE])
{
  struct parts *p = user;
  return credential_holds(snapshot_credential(p->config, dealer), digest);
}

static const char *bad_standing(void *user, const struct dealer *dealer)
{
  (void)user;
  (void)dealer;
  return NULL;
}

static Analytics__Auth__V1__Grant *grant_of(struct parts *p, const char *bearer)
{
  const struct bearer_policy policy = {.enabled = true,
                                       .account_tokens = true,
                                       .jwt = {.keys = p->keys,
                                               .issuer = WORLD_ISSUER,
                                               .audience = WORLD_AUDIENCE,
                                               .verified = p->verified,
                                               .generation = {1, 1}},
                                       .holds = holds,
                                       .bad_standing = bad_standing,
                                       .user = p};
  Analytics__Auth__V1__Grant *grant = NULL;
  enum bearer_form form;
  struct err e = {0};
  must(bearer_grant(&grant, &form, &policy, p->config->directory, bearer, now_s(), p->arena, &e) ==
           ERR_OK,
       &e);
  return grant;
}

static void step_bearer_admin(struct parts *p)
{
  grant_of(p, p->admin);
}

static void step_bearer_dealer(struct parts *p)
{
  grant_of(p, p->dealer);
}

static void step_bearer_listed(struct parts *p)
{
  grant_of(p, p->listed);
}

static void step_bearer_account(struct parts *p)
{
  grant_of(p, p->account);
}

static struct sealed_grant seal_grant(struct parts *p, const char *bearer)
{
  struct buf out = BUF_INIT(SEALED_MAX_BYTES);
  struct err e = {0};
  struct sealed_grant g;
  p->arena = arena_new(ARENA_MAX);
  must(seal_message(p->sealer, SEAL_GRANT, &grant_of(p, bearer)->base, &out, &e) == ERR_OK, &e);
  arena_free(p->arena);
  g.data = buf_take(&out, &g.len);
  return g;
}

static const Analytics__Auth__V1__Grant *unseal(struct parts *p, const struct sealed_grant *g)
{
  struct unsealed u;
  struct err e = {0};
  must(seal_open(&u, p->sealer, g->data, g->len, now_s(), p->arena, &e) == ERR_OK, &e);
  return u.grant;
}

static void step_seal(struct parts *p)
{
  AUTO_BUF struct buf out = BUF_INIT(SEALED_MAX_BYTES);
  struct err e = {0};
  const Analytics__Auth__V1__Grant *g = unseal(p, &p->dealer_grant);
  must(seal_message(p->sealer, SEAL_GRANT, &g->base, &out, &e) == ERR_OK, &e);
}

static void step_unseal_dealer(struct parts *p)
{
  unseal(p, &p->dealer_grant);
}

static void step_unseal_listed(struct parts *p)
{
  unseal(p, &p->listed_grant);
}

static void target(struct parts *p, const struct sealed_grant *g)
{
  const struct unsealed u = {.grant = unseal(p, g)};
  struct target t;
  struct err e = {0};
  Analytics__Auth__V1__GetAccessTokenRequest r;
  analytics__auth__v1__get_access_token_request__init(&r);
  r.target_case = ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_DEALER_REF;
  r.purpose = ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT;
  r.dealer_ref = (char *)(uintptr_t) "d00001";
  must(target_resolve(&t, p->config, &u, &r, p->arena, &e) == ERR_OK, &e);
}

static void step_target_admin(struct parts *p)
{
  target(p, &p->admin_grant);
}

static void step_target_listed(struct parts *p)
{
  target(p, &p->listed_grant);
}

static void step_cohort(struct parts *p)
{
  Analytics__Auth__V1__ResolveCohortResponse *out;
  Analytics__Auth__V1__BenchmarkGrant *benchmark;
  Analytics__Auth__V1__ResolveCohortRequest r;
  struct err e = {0};
  analytics__auth__v1__resolve_cohort_request__init(&r);
  r.subject_dealer_id = (char *)(uintptr_t) "d00001";
  const struct scope *s = scope_new(p->arena, p->config->directory, unseal(p, &p->dealer_grant));
  must(cohort_resolve(&out, &benchmark, s, p->config->peers, &r, p->arena, &e) == ERR_OK, &e);
}

static void list(struct parts *p, const char *query)
{
  struct err e = {0};
  Analytics__Auth__V1__ListDealersResponse *out = NULL;
  Analytics__Auth__V1__ListDealersRequest r = ANALYTICS__AUTH__V1__LIST_DEALERS_REQUEST__INIT;
  r.query = (char *)(uintptr_t)query;
  const struct scope *s = scope_new(p->arena, p->config->directory, unseal(p, &p->admin_grant));
  must(listing_make(&out, s, &r, p->arena, &e) == ERR_OK, &e);
}

static void step_list_name(struct parts *p)
{
  list(p, "the dealer 17 of springfeild");
}

static void step_list_misspelt(struct parts *p)
{
  list(p, "chevrolett");
}

static void audit(struct audit *a)
{
  const struct audit_event event = {.event = "get_access_token",
                                    .result = "ok",
                                    .subject = "user-17",
                                    .role = "dealer",
                                    .account = "account-0",
                                    .dealer = "d00001",
                                    .purpose = "direct",
                                    .peer = "ipv4:127.0.0.1:40000",
                                    .trace_id = "0af7651916cd43dd8448eb211c80319c"};
  struct err e = {0};
  must(audit_write(a, &event, &e) == ERR_OK, &e);
}

static void step_audit_second(struct parts *p)
{
  audit(p->audit[0]);
}

static void step_audit_never(struct parts *p)
{
  audit(p->audit[1]);
}

static const struct step {
  const char *name;
  void (*run)(struct parts *p);
} steps[] = {
    {"an arena, as in every step below", step_arena},
    {"jwt_verify RS256", step_rs256},
    {"jwt_verify ES256", step_es256},
    {"jwt_verify EdDSA", step_eddsa},
    {"jwt_verify HS256", step_hs256},
    {"jwt_verify, remembered", step_known},
    {"bearer_grant, role admin", step_bearer_admin},
    {"bearer_grant, role dealer, one dealer", step_bearer_dealer},
    {"bearer_grant, role group, all dealers listed (at most 1,000)", step_bearer_listed},
    {"bearer_grant, account token", step_bearer_account},
    {"seal_open, one dealer", step_unseal_dealer},
    {"seal_open, all listed", step_unseal_listed},
    {"seal_open and seal_message, one dealer", step_seal},
    {"seal_open and target_resolve, role admin", step_target_admin},
    {"seal_open and target_resolve, all listed", step_target_listed},
    {"seal_open, scope_new and listing_make, three words", step_list_name},
    {"seal_open, scope_new and listing_make, a word of nobody", step_list_misspelt},
    {"seal_open, scope_new and cohort_resolve", step_cohort},
    {"audit_write, fsync never", step_audit_never},
    {"audit_write, fsync second", step_audit_second},
};

/* ----------------------------------------------------------------------- timing */

/* CPU time of this thread: other programs on the machine do not count. */
static int64_t cpu_ns(void)
{
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static double round_ns(struct parts *p, const struct step *s)
{
  int64_t n = 0, began = cpu_ns(), now;
  do {
    for (int i = 0; i < 16; i++) {
      p->arena = arena_new(ARENA_MAX);
      s->run(p);
      arena_free(p->arena);
    }
    n += 16;
    now = cpu_ns();
  } while (now - began < (int64_t)ROUND_MS * 1000000);
  return (double)(now - began) / (double)n;
}

static int by_value(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static double median_ns(struct parts *p, const struct step *s, size_t rounds)
{
  double ns[ROUNDS_MAX];
  round_ns(p, s); /* warms up */
  for (size_t i = 0; i < rounds; i++)
    ns[i] = round_ns(p, s);
  qsort(ns, rounds, sizeof(*ns), by_value);
  return ns[rounds / 2];
}

/* ------------------------------------------------------------------------ setting up */

static void read_tokens(struct parts *p, const char *dir)
{
  for (size_t i = 0; i < ALGS; i++) {
    p->text[i] = world_read(NULL, dir, "tokens-%s", jwt_alg_name((enum jwt_alg)i));
    p->tokens[i] = world_lines(&p->n_tokens[i], p->text[i]);
  }
}

static void read_keys(struct parts *p, const char *dir)
{
  struct err e = {0};
  AUTO_FREE char *path = xasprintf("%s/keys.json", dir);
  AUTO_FREE char *secret = world_read(NULL, dir, "hs256.secret");
  p->keys = jwt_keys_new();
  must(jwt_keys_add_file(p->keys, "keys.json", path, &e) == ERR_OK &&
           jwt_keys_add_hs256(p->keys, "hs256.secret", secret, strlen(secret), &e) == ERR_OK,
       &e);
  must(sealer_new(&p->sealer, "a random key", NULL, "bench", &e) == ERR_OK, &e);
  p->verified = verified_new(0);
}

static void read_dealers(struct parts *p, const char *dir, size_t n)
{
  struct err e = {0};
  AUTO_FREE char *path = xasprintf("%s/dealers-%zu.json", dir, n);
  must(snapshot_load(&p->config, path, NULL, &e) == ERR_OK, &e);
  const struct trust trust = {.sealer = p->sealer};
  snapshot_trust(p->config, &trust);
  p->admin = world_read(NULL, dir, "bearer-admin-%zu", n);
  p->dealer = world_read(NULL, dir, "bearer-dealer-%zu", n);
  p->listed = world_read(NULL, dir, "bearer-listed-%zu", n);
  p->account = world_read(NULL, dir, "bearer-account");
  p->admin_grant = seal_grant(p, p->admin);
  p->dealer_grant = seal_grant(p, p->dealer);
  p->listed_grant = seal_grant(p, p->listed);
}

static void open_audits(struct parts *p, const char *dir)
{
  static const enum audit_fsync fsync[] = {AUDIT_FSYNC_SECOND, AUDIT_FSYNC_NEVER};
  struct err e = {0};
  struct keyring *ring = NULL;
  static const char key[] = "k: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
  must(keyring_parse(&ring, "a ring", key, sizeof(key) - 1, &e) == ERR_OK, &e);
  for (size_t i = 0; i < ARRAY_LEN(fsync); i++) {
    p->audit_path[i] = xasprintf("%s/audit-%zu.log", dir, i);
    const struct audit_options options = {
        .path = p->audit_path[i], .keyring = ring, .fsync = fsync[i]};
    must(audit_open(&p->audit[i], &options, &e) == ERR_OK, &e);
  }
  keyring_unref(ring);
}

static void clear(struct parts *p)
{
  for (size_t i = 0; i < 2; i++) {
    audit_close(p->audit[i]);
    AUTO_FREE char *head = xasprintf("%s.head", p->audit_path[i]);
    unlink(head);
    unlink(p->audit_path[i]);
    free(p->audit_path[i]);
  }
  for (size_t i = 0; i < ALGS; i++) {
    free(p->tokens[i]);
    free(p->text[i]);
  }
  char *texts[] = {p->admin,
                   p->dealer,
                   p->listed,
                   p->account,
                   p->admin_grant.data,
                   p->dealer_grant.data,
                   p->listed_grant.data};
  for (size_t i = 0; i < ARRAY_LEN(texts); i++)
    free(texts[i]);
  snapshot_unref(p->config);
  verified_free(p->verified);
  jwt_keys_unref(p->keys);
  sealer_unref(p->sealer);
}

int parts_run(const char *dir, size_t n_dealers, size_t rounds)
{
  struct parts p = {0};
  log_init("bench_auth", LOG_LEVEL_ERROR);
  read_tokens(&p, dir);
  read_keys(&p, dir);
  read_dealers(&p, dir, n_dealers);
  open_audits(&p, dir);
  for (size_t i = 0; i < ARRAY_LEN(steps); i++)
    printf("%-62s %10.0f ns\n", steps[i].name, median_ns(&p, &steps[i], rounds));
  clear(&p);
  return 0;
}
