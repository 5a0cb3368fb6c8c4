/* Consents of the consent screen: codes are good once, with their verifier, for a minute. */
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/identity/consents.h"
#include "ga4-sim/identity/scopes.h"
#include "tests/unit/harness.h"

/* The pair of RFC 7636, appendix B. */
#define VERIFIER "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
#define CHALLENGE "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
#define URI "https://set.example/connect/callback"

static char host0[] = "www.a.example", host1[] = "www.b.example";
static struct world_property properties[] = {{.host = host0}, {.host = host1, .index = 1}};
static const struct world world = {.properties = properties, .property_count = 2};

static struct consent consent_of(const char *email)
{
  struct consent c = {.challenge = CHALLENGE, .redirect_uri = URI, .scopes = SCOPE_OPENID};
  strncpy(c.email, email, sizeof(c.email) - 1);
  return c;
}

struct taken {
  enum consent_verdict verdict;
  int64_t identity;
  char token[128];
};

static struct taken take(struct consents *c, const char *code, const char *verifier,
                         const char *uri, int64_t now_ms)
{
  struct taken t = {0};
  struct consent what;
  t.verdict =
      consents_take_code(c, code, verifier, uri, now_ms, &what, &t.identity, t.token, 128);
  return t;
}

static void a_code_is_good_once_with_its_verifier_and_redirect(void)
{
  static const struct {
    const char *verifier, *uri;
    int64_t now_ms;
    enum consent_verdict verdict;
  } cases[] = {{VERIFIER, URI, 59999, CONSENT_GOOD},
               {VERIFIER, URI, 60000, CONSENT_DEAD},
               {VERIFIER "x", URI, 0, CONSENT_DEAD},
               {CHALLENGE, URI, 0, CONSENT_DEAD},
               {VERIFIER, URI "/", 0, CONSENT_DEAD}};
  struct consents *c = consents_new(&world);
  const struct consent what = consent_of("owner@www.b.example");
  char code[128];
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    CU_ASSERT_TRUE(consents_add(c, &what, 0, code, sizeof(code)));
    CU_ASSERT_EQUAL(take(c, code, cases[i].verifier, cases[i].uri, cases[i].now_ms).verdict,
                    cases[i].verdict);
    CU_ASSERT_EQUAL(take(c, code, VERIFIER, URI, 0).verdict, CONSENT_DEAD);
  }
  CU_ASSERT_EQUAL(take(c, "4/0other", VERIFIER, URI, 0).verdict, CONSENT_UNKNOWN);
  consents_free(c);
}

static void a_code_that_comes_twice_ends_its_tokens(void)
{
  struct consents *c = consents_new(&world);
  const struct consent what = consent_of("owner@www.a.example");
  char code[128];
  int64_t identity;
  uint32_t scopes;
  consents_add(c, &what, 0, code, sizeof(code));
  const struct taken t = take(c, code, VERIFIER, URI, 0);
  CU_ASSERT_EQUAL(consents_find(c, t.token, &identity, &scopes), CONSENT_GOOD);
  CU_ASSERT_EQUAL(scopes, SCOPE_OPENID);
  take(c, code, VERIFIER, URI, 0);
  CU_ASSERT_EQUAL(consents_find(c, t.token, &identity, &scopes), CONSENT_DEAD);
  consents_free(c);
}

static void a_person_reads_what_is_his_until_he_withdraws(void)
{
  static const struct {
    const char *email;
    size_t first, count;
  } people[] = {{"owner@www.a.example", 0, 1},
                {"owner@www.b.example", 1, 1},
                {"agency@example.com", 0, 2},
                {"nobody@example.com", 2, 0}};
  for (size_t i = 0; i < ARRAY_LEN(people); i++) {
    struct consents *c = consents_new(&world);
    const struct consent what = consent_of(people[i].email);
    char code[2][128];
    size_t first = 9, count = 9;
    struct taken t[2];
    for (size_t k = 0; k < 2; k++) {
      CU_ASSERT_TRUE(consents_add(c, &what, 0, code[k], sizeof(code[k])));
      t[k] = take(c, code[k], VERIFIER, URI, 0);
      CU_ASSERT_TRUE(consents_reads(c, t[k].identity, &first, &count));
      CU_ASSERT_EQUAL(first, people[i].first);
      CU_ASSERT_EQUAL(count, people[i].count);
    }
    CU_ASSERT_TRUE(consents_revoke(c, t[0].token)); /* Google ends all of a person and client */
    CU_ASSERT_FALSE(consents_reads(c, t[1].identity, &first, &count));
    CU_ASSERT_FALSE(consents_revoke(c, t[1].token));
    consents_free(c);
  }
  struct consents *c = consents_new(&world);
  const struct consent stranger = consent_of("somebody@example.com");
  char code[128];
  CU_ASSERT_FALSE(consents_add(c, &stranger, 0, code, sizeof(code)));
  consents_free(c);
}

TEST_MAIN("sim_consents", TEST(a_code_is_good_once_with_its_verifier_and_redirect),
          TEST(a_code_that_comes_twice_ends_its_tokens),
          TEST(a_person_reads_what_is_his_until_he_withdraws))
