/* Fuzz target of keys that are fetched from a URL: a series of steps, each an answer of the
 * issuer (fake_http.h, with its Cache-Control), a token with an unknown key, or time that passes,
 * by a clock of the target's own.
 *
 * Whatever comes: for its keys' age alone the URL is asked again between 30 s and a day after an
 * answer, after a good one not before five minutes; known keys stay when an answer is bad, and
 * everybody who waits is called. */
#include "auth-svc/identity/jwks.h"
#include "common/base/log.h"
#include "tests/fuzz/fake_http.h"

#define URL "https://issuer.example/keys"

static const char *const allowed[] = {URL, NULL};

/* In place of common/base/clock.h's, at link time. */
static int64_t now_ms;
int64_t __wrap_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void)
{
  return now_ms;
}

/* The last answer. */
static int64_t answered_ms;
static bool answered_well;

static void on_keys(void *arg)
{
  ++*(int *)arg;
}

static size_t keys_at_hand(struct jwks *j, uint64_t *generation)
{
  const struct jwks_set set = jwks_acquire(j);
  size_t n = set.keys->n;
  *generation = set.generation;
  jwt_keys_unref(set.keys);
  return n;
}

static void answer(struct jwks *j, struct fuzz_input *in)
{
  uint64_t before, after;
  size_t had = keys_at_hand(j, &before);
  fake_http_answer(in);
  size_t has = keys_at_hand(j, &after);
  FUZZ_MUST(after == before ? has == had : has > 0 && after == before + 1);
  FUZZ_MUST(fake_http_timer_ms() >= 0 && fake_http_timer_ms() <= JWKS_RETRY_MS);
  answered_ms = now_ms;
  answered_well = after != before;
}

/* Lets the timer run so many times, or until it asks. */
static void pass_time(size_t times)
{
  for (; times > 0 && fake_http_question(allowed) == NULL && fake_http_timer_ms() >= 0; times--) {
    now_ms += fake_http_timer_ms();
    fake_http_timer_run();
    int64_t age = now_ms - answered_ms;
    if (fake_http_question(allowed) != NULL)
      FUZZ_MUST(age >= (answered_well ? JWKS_MIN_AGE_MS : JWKS_RETRY_MS));
    FUZZ_MUST(age <= JWKS_MAX_AGE_MS);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  enum { STEPS_MAX = 32, TICKS_EACH = 16 };
  struct fuzz_input in = {data, size};
  struct jwks *j = NULL;
  struct err e = {0};
  int told = 0, waited = 0;
  uint64_t generation;
  log_init("fuzz", LOG_LEVEL_OFF);
  now_ms = answered_ms = 1000000;
  answered_well = false;
  const struct jwks_options options = {.http = fake_http(), .url = URL, .retry_ms = JWKS_RETRY_MS};
  FUZZ_MUST(jwks_new(&j, "URL", &options, &e) == ERR_OK);
  for (int i = 0; i < STEPS_MAX && in.len > 0; i++) {
    uint8_t step = fuzz_byte(&in) % 4;
    keys_at_hand(j, &generation);
    if (step == 0)
      pass_time((size_t)(1 + fuzz_byte(&in)) * TICKS_EACH);
    else if (step == 1)
      waited += jwks_wait(j, generation, on_keys, &told) == JWKS_WAITS;
    else if (fake_http_question(allowed) != NULL)
      answer(j, &in);
    FUZZ_MUST(told <= waited);
  }
  fake_http_end();
  FUZZ_MUST(told == waited);
  jwks_free(j);
  return 0;
}
