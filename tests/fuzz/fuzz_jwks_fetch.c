/* Fuzz target of keys that are fetched from a URL: a series of steps, each an answer of the
 * issuer (fake_http.h, with its Cache-Control), a token with an unknown key, or the timer.
 *
 * Whatever comes: the URL is asked again between 30 s and a day later, keys at hand stay when an
 * answer is bad, and everybody who waits is told. */
#include "auth-svc/jwks.h"
#include "common/base/log.h"
#include "tests/fuzz/fake_http.h"

#define URL "https://issuer.example/keys"

static const char *const allowed[] = {URL, NULL};

static void on_keys(void *arg)
{
  ++*(int *)arg;
}

static size_t keys_at_hand(struct jwks *j, uint64_t *generation)
{
  const struct jwks_set *set = jwks_acquire(j);
  size_t n = set->keys->n;
  *generation = set->generation;
  jwks_release(j, set);
  return n;
}

static void answer(struct jwks *j, struct fuzz_input *in)
{
  uint64_t before, after;
  size_t had = keys_at_hand(j, &before);
  bool had_timer = fake_http_timer_ms() >= 0; /* one at a time: that one stays */
  fake_http_answer(in);
  size_t has = keys_at_hand(j, &after);
  FUZZ_MUST(after == before ? has == had : has > 0 && after == before + 1);
  FUZZ_MUST(fake_http_timer_ms() >= JWKS_RETRY_MS && fake_http_timer_ms() <= JWKS_MAX_AGE_MS);
  FUZZ_MUST(after == before || had_timer || fake_http_timer_ms() >= JWKS_MIN_AGE_MS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  enum { STEPS_MAX = 32 };
  struct fuzz_input in = {data, size};
  struct jwks *j = NULL;
  struct err e = {0};
  int told = 0, waited = 0;
  uint64_t generation;
  bool retry;
  log_init("fuzz", LOG_LEVEL_OFF);
  const struct jwks_options options = {.http = fake_http(), .url = URL, .retry_ms = JWKS_RETRY_MS};
  FUZZ_MUST(jwks_new(&j, "URL", &options, &e) == ERR_OK);
  for (int i = 0; i < STEPS_MAX && in.len > 0; i++) {
    uint8_t step = fuzz_byte(&in) % 4;
    keys_at_hand(j, &generation);
    if (step == 0 && fake_http_timer_ms() >= 0)
      fake_http_timer_run();
    else if (step == 1)
      waited += jwks_wait(j, generation, on_keys, &told, &retry);
    else if (fake_http_question(allowed) != NULL)
      answer(j, &in);
    FUZZ_MUST(told <= waited);
  }
  fake_http_end();
  FUZZ_MUST(told == waited);
  jwks_free(j);
  return 0;
}
