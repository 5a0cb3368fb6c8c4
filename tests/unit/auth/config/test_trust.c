/* What is trusted is loaded and replaced as one: any bad file keeps the whole old state. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auth-svc/config/reload.h"
#include "auth-svc/config/snapshot.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "tests/unit/auth/support/folder.h"
#include "tests/unit/auth/support/jwt_maker.h"
#include "tests/unit/harness.h"

#define KEY_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define KEY_B "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"
#define SECRET "a shared secret of more than 32 bytes"
#define DEALER(id)                                                                                 \
  "{\"dealer_id\":\"" id "\",\"name\":\"N\",\"region\":\"West\",\"properties\":[\"" id "0\"],"     \
  "\"oauth\":{\"client_id\":\"c\",\"client_secret\":\"s\",\"refresh_token\":\"r\"}}"
#define POLICIES(dealer)                                                                           \
  "{\"policies\":[{\"identity\":\"x\",\"subject\":\"x\",\"role\":\"dealer\",\"dealers\":["         \
  "\"" dealer "\"]}],\n\"revoked\":[{\"subject\":\"mallory\"}]}"

enum { DEALERS, SEAL, JWT, HS256, POLICY, N_FILES };
static const char *const names[N_FILES] = {"dealers.json", "seal.key", "jwt.pem", "hs256.secret",
                                           "policies.json"};

struct broker {
  char *dir, *paths[N_FILES];
  char *good[N_FILES], *other[N_FILES]; /* two contents that load */
  struct trust_source *source;
  struct http_client *http;
  struct tokens *tokens;
  struct snapshot_slot *config;
  struct reload *reload;
};

static enum err_code load(void *user, struct snapshot **out, struct err *e)
{
  const struct broker *b = user;
  struct trust trust;
  enum err_code code = trust_load(&trust, b->source, e);
  if (code == ERR_OK)
    code = snapshot_load(out, b->paths[DEALERS], NULL, e);
  if (code == ERR_OK)
    snapshot_trust(*out, &trust);
  trust_clear(&trust);
  return code;
}

static char *new_pem(void)
{
  EVP_PKEY *key = maker_key(JWT_ES256);
  char *pem = maker_public_pem(key);
  EVP_PKEY_free(key);
  return pem;
}

static void make_files(struct broker *b)
{
  const char *const good[N_FILES] = {"[" DEALER("1") "]", KEY_A "\n", NULL, SECRET "\n",
                                     POLICIES("1")};
  const char *const other[N_FILES] = {"[" DEALER("1") "," DEALER("2") "]", KEY_B "," KEY_A, NULL,
                                      "another " SECRET, "{}"};
  b->dir = folder_make();
  for (size_t i = 0; i < N_FILES; i++) {
    b->paths[i] = xasprintf("%s/%s", b->dir, names[i]);
    b->good[i] = i == JWT ? new_pem() : xstrdup(good[i]);
    b->other[i] = i == JWT ? new_pem() : xstrdup(other[i]);
    folder_write(b->dir, names[i], b->good[i]);
  }
}

static void broker_start(struct broker *b)
{
  struct snapshot *first = NULL;
  struct err e = {0};
  const struct http_client_options http = {.user_agent = "test"};
  *b = (struct broker){0};
  make_files(b);
  const struct trust_options options = {.seal_key_file = b->paths[SEAL],
                                        .jwt_secret_file = b->paths[HS256],
                                        .jwt_key_file = b->paths[JWT],
                                        .policy_file = b->paths[POLICY],
                                        .audience = "test",
                                        .mutual_tls = true};
  CU_ASSERT_EQUAL_FATAL(trust_source_new(&b->source, &options, &e), ERR_OK);
  if (load(b, &first, &e) != ERR_OK)
    printf("\n  %s\n", e.message);
  CU_ASSERT_PTR_NOT_NULL_FATAL(first);
  b->config = snapshot_slot_new(first);
  CU_ASSERT_EQUAL_FATAL(http_client_new(&b->http, &http, NULL), ERR_OK);
  const struct tokens_options tokens = {.env.http = b->http};
  b->tokens = tokens_new(&tokens);
  const struct reload_options reload = {
      .config = b->config, .tokens = b->tokens, .load = load, .user = b};
  b->reload = reload_new(&reload);
}

static void broker_stop(struct broker *b)
{
  http_client_free(b->http);
  tokens_free(b->tokens);
  reload_free(b->reload);
  snapshot_slot_free(b->config);
  trust_source_free(b->source);
  folder_remove(b->dir);
  free(b->dir);
  for (size_t i = 0; i < N_FILES; i++) {
    free(b->paths[i]);
    free(b->good[i]);
    free(b->other[i]);
  }
}

static double failures(void)
{
  AUTO_BUF struct buf text = BUF_INIT(1 << 20);
  static const char name[] = "\nauth_config_reloads_total{result=\"failed\"} ";
  metrics_render(&text);
  const char *at = strstr(buf_str(&text), name);
  return at != NULL ? strtod(at + sizeof(name) - 1, NULL) : -1;
}

static void detail_is(const struct broker *b, const char *file, const char *fault)
{
  AUTO_BUF struct buf detail = BUF_INIT(8192);
  struct err e;
  reload_describe(b->reload, &detail);
  const char *text = buf_str(&detail);
  bool good = reload_failure(b->reload, &e) && strstr(e.message, file) != NULL &&
              strstr(e.message, fault) != NULL && strncmp(text, "warn config: ", 13) == 0 &&
              strstr(text, file) == NULL && strstr(text, "; keeps the configuration of 20") != NULL;
  if (!good)
    printf("\n  want %s %s\n  got  %s, %s\n", file, fault, e.message, text);
  CU_ASSERT_TRUE(good);
}

/* All files change, one of them is bad: nothing of any of them is taken. */
static void with_one_bad(struct broker *b, size_t bad, const char *content, const char *fault)
{
  AUTO_SNAPSHOT struct snapshot *before = snapshot_current(b->config);
  double failed = failures();
  for (size_t i = 0; i < N_FILES; i++)
    folder_replace(b->dir, names[i], i == bad ? content : b->other[i]);
  CU_ASSERT_FALSE(reload_run(b->reload));
  AUTO_SNAPSHOT struct snapshot *after = snapshot_current(b->config);
  CU_ASSERT_PTR_EQUAL(before, after);
  detail_is(b, names[bad], fault);
  CU_ASSERT_EQUAL(failures(), failed + 1);
}

static void each_bad_file_keeps_the_whole_old_state(void)
{
  static const struct {
    size_t file;
    const char *content, *fault;
  } table[] = {
      {DEALERS, "[{}]", "dealers.json line 1: [0].dealer_id: missing"},
      {DEALERS, "", "dealers.json: line 1"},
      {SEAL, "", "AUTH_SEAL_KEY_FILE: holds no key"},
      {SEAL, KEY_B "\n" KEY_A "\nshort", "AUTH_SEAL_KEY_FILE: key 3 must be at least 32"},
      {JWT, "-----BEGIN PUBLIC KEY-----\nnonsense\n", "AUTH_JWT_KEY_FILE: holds neither"},
      {JWT, "{\"keys\":[]}", "AUTH_JWT_KEY_FILE: keys: holds no usable key"},
      {HS256, "too short", "AUTH_JWT_HS256_SECRET_FILE: must be at least 32 bytes"},
      {POLICY, "{\"polices\":[]}", "policies.json line 1: polices: unknown key; did you mean"},
      {POLICY, "{\"policies\":[{\"identity\":\"x\"}]}",
       "policies.json line 1: policies[0].subject"},
  };
  struct broker b;
  broker_start(&b);
  for (size_t i = 0; i < ARRAY_LEN(table); i++)
    with_one_bad(&b, table[i].file, table[i].content, table[i].fault);
  AUTO_SNAPSHOT struct snapshot *old = snapshot_current(b.config);
  CU_ASSERT_EQUAL(old->directory->n_dealers, 1);
  CU_ASSERT_EQUAL(sealer_n_keys(old->trust.sealer), 1);
  CU_ASSERT_EQUAL(old->trust.policies->n, 1);
  for (size_t i = 0; i < N_FILES; i++)
    folder_replace(b.dir, names[i], b.other[i]);
  CU_ASSERT_TRUE(reload_run(b.reload)); /* all good: all of it is taken */
  AUTO_SNAPSHOT struct snapshot *now = snapshot_current(b.config);
  CU_ASSERT_EQUAL(now->directory->n_dealers, 2);
  CU_ASSERT_EQUAL(sealer_n_keys(now->trust.sealer), 2);
  CU_ASSERT_EQUAL(now->trust.jwt_keys->n, 2);
  CU_ASSERT_EQUAL(now->trust.policies->n, 0);
  CU_ASSERT_EQUAL(now->number, old->number + 1);
  broker_stop(&b);
}

/* Operators leave a bad file lie for days, and a mounted one is looked at again and again. The
 * leak checker sees the ordinary heap, the count that of the secrets. */
static void a_thousand_refused_reloads_leave_nothing_behind(void)
{
  static const struct {
    size_t file;
    const char *content;
  } bad[] = {
      {DEALERS, "[" DEALER("1") "," DEALER("1") "]"},
      {DEALERS,
       "{\"dealers\":[" DEALER("1") "],\"cohorts\":[{\"id\":\"x\",\"dealers\":[\"no\"]}]}"},
      {DEALERS, "[" DEALER("1") ",{}]"},
      {SEAL, KEY_B "," KEY_A ",short"},
      {JWT, "-----BEGIN PUBLIC KEY-----\nnonsense\n"},
      {HS256, "too short"},
      {POLICY, "{\"revoked\":[{\"subject\":\"mallory\"},{\"subject\":7}]}"},
      {POLICY, "{\"policies\":[{\"identity\":\"x\",\"subject\":\"x\",\"role\":\"king\"}]}"},
  };
  struct broker b;
  CU_ASSERT_TRUE(secrets_init());
  broker_start(&b);
  log_init("test", LOG_LEVEL_OFF);
  AUTO_SNAPSHOT struct snapshot *now = snapshot_current(b.config);
  size_t secrets = CRYPTO_secure_used();
  CU_ASSERT_TRUE(secrets > 0);
  for (size_t i = 0; i < 1000; i++) {
    size_t k = i % ARRAY_LEN(bad);
    folder_write(b.dir, names[bad[k].file], bad[k].content);
    CU_ASSERT_FALSE(reload_run(b.reload));
    folder_write(b.dir, names[bad[k].file], b.good[bad[k].file]);
  }
  CU_ASSERT_EQUAL(CRYPTO_secure_used(), secrets);
  CU_ASSERT_EQUAL(atomic_load(&now->refs), 2); /* the slot's and ours */
  for (size_t i = 0; i < 100; i++)
    CU_ASSERT_TRUE(reload_run(b.reload));
  CU_ASSERT_EQUAL(atomic_load(&now->refs), 1);
  snapshot_unref(TAKE_PTR(now));
  CU_ASSERT_EQUAL(CRYPTO_secure_used(), secrets);
  log_init("test", LOG_LEVEL_INFO);
  broker_stop(&b);
}

static void a_file_that_is_gone_keeps_the_old_state(void)
{
  struct broker b;
  broker_start(&b);
  for (size_t i = 0; i < N_FILES; i++) {
    AUTO_SNAPSHOT struct snapshot *before = snapshot_current(b.config);
    unlink(b.paths[i]);
    CU_ASSERT_FALSE(reload_run(b.reload));
    detail_is(&b, names[i], "cannot open");
    AUTO_SNAPSHOT struct snapshot *after = snapshot_current(b.config);
    CU_ASSERT_PTR_EQUAL(before, after);
    folder_write(b.dir, names[i], b.good[i]);
  }
  CU_ASSERT_TRUE(reload_run(b.reload));
  broker_stop(&b);
}

static void names_of_policies_and_dealers_may_come_apart(void)
{
  struct broker b;
  broker_start(&b);
  AUTO_SNAPSHOT struct snapshot *first = snapshot_current(b.config);
  CU_ASSERT_PTR_NULL(first->unknown_names);
  folder_replace(b.dir, names[DEALERS], "[" DEALER("2") "]");
  CU_ASSERT_TRUE(reload_run(b.reload));
  AUTO_SNAPSHOT struct snapshot *now = snapshot_current(b.config);
  CU_ASSERT_PTR_NOT_NULL_FATAL(now->unknown_names);
  CU_ASSERT_STRING_EQUAL(now->unknown_names, "policies[0].dealers \"1\"");
  broker_stop(&b);
}

/* ------------------------------------------------------------ what is not a file */

static bool has_hs256(const struct jwt_keys *keys, const char *secret)
{
  for (size_t i = 0; i < keys->n; i++)
    if (keys->keys[i].alg == JWT_HS256 && strcmp(secret_text(keys->keys[i].shared), secret) == 0)
      return true;
  return false;
}

static void what_came_by_environment_is_in_every_state(void)
{
  char key[] = KEY_A, secret[] = SECRET;
  const struct trust_options options = {.seal_key = key, .jwt_secret = secret, .audience = "test"};
  struct trust_source *source = NULL;
  struct trust a, b;
  CU_ASSERT_EQUAL_FATAL(trust_source_new(&source, &options, NULL), ERR_OK);
  mem_wipe(key, sizeof(key)); /* as after the start */
  mem_wipe(secret, sizeof(secret));
  CU_ASSERT_EQUAL_FATAL(trust_load(&a, source, NULL), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(trust_load(&b, source, NULL), ERR_OK);
  CU_ASSERT_PTR_EQUAL(a.sealer, b.sealer);
  CU_ASSERT_TRUE(has_hs256(a.jwt_keys, SECRET) && has_hs256(b.jwt_keys, SECRET));
  trust_source_free(source);
  CU_ASSERT_EQUAL(sealer_n_keys(b.sealer), 1); /* the states live on */
  trust_clear(&a);
  trust_clear(&b);
}

static void a_random_key_is_in_every_state(void)
{
  const struct trust_options options = {.audience = "test"};
  struct trust_source *source = NULL;
  struct trust a, b;
  CU_ASSERT_EQUAL_FATAL(trust_source_new(&source, &options, NULL), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(trust_load(&a, source, NULL), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(trust_load(&b, source, NULL), ERR_OK);
  CU_ASSERT_PTR_EQUAL(a.sealer, b.sealer);
  trust_clear(&a);
  trust_clear(&b);
  trust_source_free(source);
}

static void rights_by_certificate_need_mutual_tls(void)
{
  AUTO_FREE char *dir = folder_make(), *path = xasprintf("%s/policies.json", dir);
  const struct trust_options options = {.policy_file = path, .audience = "test"};
  struct trust_source *source = NULL;
  struct trust t;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(trust_source_new(&source, &options, NULL), ERR_OK);
  folder_write(dir, "policies.json", POLICIES("1"));
  CU_ASSERT_EQUAL(trust_load(&t, source, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, path));
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "set GRPC_TLS_CERT, GRPC_TLS_KEY and GRPC_TLS_CA"));
  CU_ASSERT_PTR_NULL(t.sealer);
  folder_write(dir, "policies.json", "{\"revoked\":[{\"subject\":\"mallory\"}]}");
  CU_ASSERT_EQUAL(trust_load(&t, source, &e), ERR_OK); /* revoking needs none */
  trust_clear(&t);
  trust_source_free(source);
  folder_remove(dir);
}

TEST_MAIN("auth trust", TEST(each_bad_file_keeps_the_whole_old_state),
          TEST(a_thousand_refused_reloads_leave_nothing_behind),
          TEST(a_file_that_is_gone_keeps_the_old_state),
          TEST(names_of_policies_and_dealers_may_come_apart),
          TEST(what_came_by_environment_is_in_every_state), TEST(a_random_key_is_in_every_state),
          TEST(rights_by_certificate_need_mutual_tls))
