/* Sealed grants: only what this broker made, unchanged and in time, opens. */
#include <string.h>

#include "auth-svc/grant/peers.h"
#include "auth-svc/grant/seal.h"
#include "common/base/backoff.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/world.h"
#include "tests/unit/harness.h"

#define KEY_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define KEY_B "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"
#define KEY_C64 "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="

static struct sealer *sealer(const char *keys)
{
  struct sealer *s = NULL;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(sealer_new(&s, "AUTH_SEAL_KEY", keys, "here", &e), ERR_OK);
  return s;
}

static void make_grant(const struct sealer *s, struct buf *out)
{
  char *ids[] = {(char *)(uintptr_t) "d01", (char *)(uintptr_t) "d02"};
  Analytics__Auth__V1__Grant g = ANALYTICS__AUTH__V1__GRANT__INIT;
  struct err e = {0};
  g.subject = (char *)(uintptr_t) "somebody";
  g.role = ANALYTICS__AUTH__V1__ROLE__ROLE_GROUP;
  g.dealer_ids = ids;
  g.n_dealer_ids = 2;
  g.expires_at = 1000;
  CU_ASSERT_EQUAL(seal_message(s, SEAL_GRANT, &g.base, out, &e), ERR_OK);
}

static enum err_code open_at(const struct sealer *s, const void *data, size_t len, int64_t now,
                             struct err *e)
{
  struct arena *arena = arena_new(1 << 16);
  struct unsealed u;
  enum err_code code = seal_open(&u, s, data, len, now, arena, e);
  if (code == ERR_OK)
    CU_ASSERT_TRUE((u.grant != NULL) != (u.benchmark != NULL));
  arena_free(arena);
  return code;
}

static void a_grant_survives_the_round_trip(void)
{
  struct sealer *s = sealer(KEY_A);
  AUTO_BUF struct buf sealed = BUF_INIT(4096);
  make_grant(s, &sealed);
  struct arena *arena = arena_new(1 << 16);
  struct unsealed u;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(seal_open(&u, s, sealed.data, sealed.len, 999, arena, &e), ERR_OK);
  CU_ASSERT_PTR_NOT_NULL_FATAL(u.grant);
  CU_ASSERT_STRING_EQUAL(u.grant->subject, "somebody");
  CU_ASSERT_EQUAL(u.grant->n_dealer_ids, 2);
  CU_ASSERT_STRING_EQUAL(u.grant->dealer_ids[1], "d02");
  arena_free(arena);
  sealer_unref(s);
}

static void every_changed_bit_is_noticed(void)
{
  struct sealer *s = sealer(KEY_A);
  AUTO_BUF struct buf sealed = BUF_INIT(4096);
  make_grant(s, &sealed);
  size_t opened = 0;
  for (size_t bit = 0; bit < sealed.len * 8; bit++) {
    struct err e = {0};
    sealed.data[bit / 8] ^= (char)(1 << (bit % 8));
    opened += open_at(s, sealed.data, sealed.len, 1, &e) == ERR_OK;
    CU_ASSERT_STRING_EQUAL(e.reason, "bad_grant");
    sealed.data[bit / 8] ^= (char)(1 << (bit % 8));
  }
  CU_ASSERT_EQUAL(opened, 0);
  CU_ASSERT_EQUAL(open_at(s, sealed.data, sealed.len, 1, NULL), ERR_OK);
  sealer_unref(s);
}

static void every_other_length_is_noticed(void)
{
  struct sealer *s = sealer(KEY_A);
  AUTO_BUF struct buf sealed = BUF_INIT(4096);
  make_grant(s, &sealed);
  for (size_t len = 0; len < sealed.len; len++) {
    AUTO_FREE char *exact = xmalloc(len + 1); /* so that ASan sees a read past the end */
    memcpy(exact, sealed.data, len);
    CU_ASSERT_EQUAL(open_at(s, exact, len, 1, NULL), ERR_UNAUTHENTICATED);
  }
  buf_putc(&sealed, '\0');
  CU_ASSERT_EQUAL(open_at(s, sealed.data, sealed.len, 1, NULL), ERR_UNAUTHENTICATED);
  sealer_unref(s);
}

static void random_bytes_never_open(void)
{
  struct sealer *s = sealer(NULL);
  for (int i = 0; i < 5000; i++) {
    uint8_t noise[200];
    size_t len = (size_t)random_below(sizeof(noise));
    for (size_t j = 0; j < len; j++)
      noise[j] = (uint8_t)random_below(256);
    if (len > 1) {
      noise[0] = 1;
      noise[1] = (uint8_t)(1 + random_below(2));
    }
    CU_ASSERT_EQUAL(open_at(s, noise, len, 1, NULL), ERR_UNAUTHENTICATED);
  }
  sealer_unref(s);
}

static void an_expired_grant_says_so(void)
{
  struct sealer *s = sealer(KEY_A);
  AUTO_BUF struct buf sealed = BUF_INIT(4096);
  struct err e = {0};
  make_grant(s, &sealed);
  CU_ASSERT_EQUAL(open_at(s, sealed.data, sealed.len, 999, &e), ERR_OK);
  CU_ASSERT_EQUAL(open_at(s, sealed.data, sealed.len, 1000, &e), ERR_UNAUTHENTICATED);
  CU_ASSERT_STRING_EQUAL(e.reason, "expired_grant");
  CU_ASSERT_EQUAL(open_at(s, NULL, 0, 1, &e), ERR_UNAUTHENTICATED);
  CU_ASSERT_STRING_EQUAL(e.reason, "missing_grant");
  sealer_unref(s);
}

static void another_key_does_not_open(void)
{
  struct sealer *a = sealer(KEY_A), *b = sealer(KEY_B), *r = sealer(NULL);
  AUTO_BUF struct buf sealed = BUF_INIT(4096);
  make_grant(a, &sealed);
  CU_ASSERT_EQUAL(open_at(b, sealed.data, sealed.len, 1, NULL), ERR_UNAUTHENTICATED);
  CU_ASSERT_EQUAL(open_at(r, sealed.data, sealed.len, 1, NULL), ERR_UNAUTHENTICATED);
  sealer_unref(a);
  sealer_unref(b);
  sealer_unref(r);
}

static void an_older_key_still_opens_after_a_change(void)
{
  struct sealer *old = sealer(KEY_A), *both = sealer(KEY_B ", " KEY_A "\n" KEY_C64),
                *new = sealer(KEY_B);
  AUTO_BUF struct buf by_old = BUF_INIT(4096), by_both = BUF_INIT(4096);
  make_grant(old, &by_old);
  make_grant(both, &by_both);
  CU_ASSERT_EQUAL(open_at(both, by_old.data, by_old.len, 1, NULL), ERR_OK);
  CU_ASSERT_EQUAL(open_at(new, by_both.data, by_both.len, 1, NULL), ERR_OK);
  CU_ASSERT_EQUAL(open_at(old, by_both.data, by_both.len, 1, NULL), ERR_UNAUTHENTICATED);
  sealer_unref(old);
  sealer_unref(both);
  sealer_unref(new);
}

static void one_type_cannot_pass_for_the_other(void)
{
  struct sealer *s = sealer(KEY_A);
  AUTO_BUF struct buf sealed = BUF_INIT(4096);
  Analytics__Auth__V1__BenchmarkGrant g = ANALYTICS__AUTH__V1__BENCHMARK_GRANT__INIT;
  struct err e = {0};
  g.expires_at = 1000;
  CU_ASSERT_EQUAL(seal_message(s, SEAL_BENCHMARK, &g.base, &sealed, &e), ERR_OK);
  struct arena *arena = arena_new(1 << 16);
  struct unsealed u;
  CU_ASSERT_EQUAL(seal_open(&u, s, sealed.data, sealed.len, 1, arena, &e), ERR_OK);
  CU_ASSERT_PTR_NULL(u.grant);
  CU_ASSERT_PTR_NOT_NULL(u.benchmark);
  arena_free(arena);
  sealed.data[1] = SEAL_GRANT;
  CU_ASSERT_EQUAL(open_at(s, sealed.data, sealed.len, 1, NULL), ERR_UNAUTHENTICATED);
  sealer_unref(s);
}

static void another_installation_does_not_open_it_with_the_same_key(void)
{
  struct sealer *here = sealer(KEY_A), *there = NULL;
  AUTO_BUF struct buf sealed = BUF_INIT(4096);
  struct err e = {0};
  static const char *const others[] = {"there", "her", "heree", "Here", ""};
  for (size_t i = 0; i < ARRAY_LEN(others); i++) {
    CU_ASSERT_EQUAL_FATAL(sealer_new(&there, "K", KEY_A, others[i], NULL), ERR_OK);
    buf_clear(&sealed);
    make_grant(there, &sealed);
    CU_ASSERT_EQUAL(open_at(there, sealed.data, sealed.len, 1, &e), ERR_OK);
    CU_ASSERT_EQUAL(open_at(here, sealed.data, sealed.len, 1, &e), ERR_UNAUTHENTICATED);
    CU_ASSERT_STRING_EQUAL(e.reason, "wrong_audience");
    sealed.data[sealed.len / 2] ^= 1; /* told only after the MAC */
    CU_ASSERT_EQUAL(open_at(here, sealed.data, sealed.len, 1, &e), ERR_UNAUTHENTICATED);
    CU_ASSERT_STRING_EQUAL(e.reason, "bad_grant");
    sealer_unref(there);
  }
  sealer_unref(here);
}

/* What the caller put there itself does not count, and its message stays as it was. */
static void the_audience_is_the_sealers(void)
{
  struct sealer *s = sealer(KEY_A);
  AUTO_BUF struct buf sealed = BUF_INIT(4096);
  Analytics__Auth__V1__BenchmarkGrant g = ANALYTICS__AUTH__V1__BENCHMARK_GRANT__INIT;
  struct arena *arena = arena_new(1 << 16);
  struct unsealed u;
  g.expires_at = 1000;
  g.audience = (char *)(uintptr_t) "elsewhere";
  g.subject = (char *)(uintptr_t) "ann";
  g.principal_id = (char *)(uintptr_t) "p";
  g.token_id = (char *)(uintptr_t) "t";
  g.grant_id = (char *)(uintptr_t) "g";
  CU_ASSERT_EQUAL(seal_message(s, SEAL_BENCHMARK, &g.base, &sealed, NULL), ERR_OK);
  CU_ASSERT_STRING_EQUAL(g.audience, "elsewhere");
  CU_ASSERT_EQUAL_FATAL(seal_open(&u, s, sealed.data, sealed.len, 1, arena, NULL), ERR_OK);
  CU_ASSERT_STRING_EQUAL(u.benchmark->audience, "here");
  CU_ASSERT_STRING_EQUAL(u.subject, "ann");
  CU_ASSERT_STRING_EQUAL(u.principal_id, "p");
  CU_ASSERT_STRING_EQUAL(u.token_id, "t");
  CU_ASSERT_STRING_EQUAL(u.grant_id, "g");
  arena_free(arena);
  sealer_unref(s);
}

static void weak_and_malformed_keys_are_refused(void)
{
  static const char *const bad[] = {"",
                                    " , ",
                                    "00112233",
                                    "not a key at all!",
                                    KEY_A "0",
                                    KEY_A ",short",
                                    KEY_A "," KEY_A "," KEY_A "," KEY_A "," KEY_A};
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    struct sealer *s = NULL;
    struct err e = {0};
    CU_ASSERT_EQUAL(sealer_new(&s, "AUTH_SEAL_KEY", bad[i], "here", &e), ERR_INVALID_ARGUMENT);
    CU_ASSERT_EQUAL(strncmp(e.message, "AUTH_SEAL_KEY: ", 15), 0);
    CU_ASSERT_PTR_NULL(strstr(e.message, "00112233"));
  }
}

static void a_grant_too_large_to_travel_is_refused(void)
{
  struct sealer *s = sealer(KEY_A);
  AUTO_BUF struct buf sealed = BUF_INIT(1 << 20);
  char *ids[4000];
  Analytics__Auth__V1__Grant g = ANALYTICS__AUTH__V1__GRANT__INIT;
  struct err e = {0};
  for (size_t i = 0; i < ARRAY_LEN(ids); i++)
    ids[i] = (char *)(uintptr_t) "a-rather-long-dealer-id";
  g.dealer_ids = ids;
  g.n_dealer_ids = ARRAY_LEN(ids);
  CU_ASSERT_EQUAL(seal_message(s, SEAL_GRANT, &g.base, &sealed, &e), ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_STRING_EQUAL(e.reason, "grant_too_large");
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "covers too many dealers"));
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "role admin"));
  CU_ASSERT_EQUAL(sealed.len, 0);
  /* 1,000 dealers, the most that a token may list, travel with ids of 32 bytes. */
  for (size_t i = 0; i < ARRAY_LEN(ids); i++)
    ids[i] = (char *)(uintptr_t) "a-dealer-id-of-thirty-two-bytes.";
  g.n_dealer_ids = 1000;
  CU_ASSERT_EQUAL(seal_message(s, SEAL_GRANT, &g.base, &sealed, &e), ERR_OK);
  CU_ASSERT_TRUE(sealed.len < SEALED_MAX_BYTES);
  sealer_unref(s);
}

static void names_of_an_older_key_resolve_while_it_is_listed(void)
{
  struct sealer *a = sealer(KEY_A), *both = sealer(KEY_B "," KEY_A), *b = sealer(KEY_B);
  struct snapshot *world = world_new(50, NULL);
  struct peers *pa = peers_new(world->directory, a), *pboth = peers_new(world->directory, both),
               *pb = peers_new(world->directory, b);
  for (size_t i = 0; i < 50; i++) {
    char old[PEER_REF_SIZE], new[PEER_REF_SIZE];
    const struct dealer *d = &world->directory->dealers[i];
    peers_write_ref(peers_tag(pa, 0, d, false), old);
    peers_write_ref(peers_tag(pboth, 0, d, false), new);
    CU_ASSERT_STRING_NOT_EQUAL(old, new);
    CU_ASSERT_PTR_EQUAL(peers_resolve(pboth, old), d);
    CU_ASSERT_PTR_EQUAL(peers_resolve(pboth, new), d);
    CU_ASSERT_PTR_NULL(peers_resolve(pb, old));
    CU_ASSERT_PTR_EQUAL(peers_resolve(pb, new), d);
    for (int visible = 0; visible < 2; visible++) {
      CU_ASSERT_EQUAL(
          memcmp(peers_tag(pboth, 1, d, visible), peers_tag(pa, 0, d, visible), PEER_TAG_BYTES), 0);
      CU_ASSERT_EQUAL(
          memcmp(peers_tag(pboth, 0, d, visible), peers_tag(pb, 0, d, visible), PEER_TAG_BYTES), 0);
    }
  }
  peers_free(pa);
  peers_free(pboth);
  peers_free(pb);
  snapshot_unref(world);
  sealer_unref(a);
  sealer_unref(both);
  sealer_unref(b);
}

static void names_of_peers_resolve_here_only(void)
{
  struct sealer *a = sealer(KEY_A), *b = sealer(KEY_B);
  struct snapshot *world = world_new(50, NULL);
  struct peers *pa = peers_new(world->directory, a), *pb = peers_new(world->directory, b);
  for (size_t i = 0; i < 50; i++) {
    char ref[PEER_REF_SIZE];
    const struct dealer *d = &world->directory->dealers[i];
    peers_write_ref(peers_tag(pa, 0, d, false), ref);
    CU_ASSERT_PTR_EQUAL(peers_resolve(pa, ref), d);
    CU_ASSERT_PTR_NULL(peers_resolve(pb, ref));
    CU_ASSERT_PTR_NULL(strstr(ref, d->dealer_id));
    peers_write_ref(peers_tag(pa, 0, d, true), ref);
    CU_ASSERT_PTR_NULL(peers_resolve(pa, ref));
  }
  const struct dealer *d3 = directory_by_id(world->directory, "d03");
  const struct dealer *d4 = directory_by_id(world->directory, "d04");
  const struct dealer *d6 = directory_by_id(world->directory, "d06");
  CU_ASSERT_EQUAL(memcmp(peers_owner_tag(pa, d3), peers_owner_tag(pa, d4), PEER_TAG_BYTES), 0);
  CU_ASSERT_NOT_EQUAL(memcmp(peers_owner_tag(pa, d3), peers_owner_tag(pa, d6), PEER_TAG_BYTES), 0);
  CU_ASSERT_PTR_NULL(peers_resolve(pa, "~"));
  CU_ASSERT_PTR_NULL(peers_resolve(pa, "d01"));
  CU_ASSERT_PTR_NULL(peers_resolve(pa, "~00000000000000000"));
  peers_free(pa);
  peers_free(pb);
  snapshot_unref(world);
  sealer_unref(a);
  sealer_unref(b);
}

TEST_MAIN("auth seal", TEST(a_grant_survives_the_round_trip), TEST(every_changed_bit_is_noticed),
          TEST(every_other_length_is_noticed), TEST(random_bytes_never_open),
          TEST(an_expired_grant_says_so), TEST(another_key_does_not_open),
          TEST(an_older_key_still_opens_after_a_change), TEST(one_type_cannot_pass_for_the_other),
          TEST(weak_and_malformed_keys_are_refused), TEST(a_grant_too_large_to_travel_is_refused),
          TEST(another_installation_does_not_open_it_with_the_same_key),
          TEST(the_audience_is_the_sealers), TEST(names_of_peers_resolve_here_only),
          TEST(names_of_an_older_key_resolve_while_it_is_listed))
