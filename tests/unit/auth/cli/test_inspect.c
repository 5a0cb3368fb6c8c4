/* token inspect of the tokens of an issuer of AUTH_ISSUERS_FILE, whose keys are published. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/fake_endpoint.h"
#include "tests/unit/auth/support/jwt_maker.h"
#include "tests/unit/harness.h"

#define HEADER "{\"alg\":\"ES256\",\"kid\":\"k1\"}"
#define DEALER(id, region)                                                                         \
  "{\"dealer_id\":\"" id "\",\"name\":\"N of " id "\",\"region\":\"" region                        \
  "\",\"properties\":[\"1" id "\"],\"oauth\":{\"client_id\":\"c\",\"client_secret\":\"s\","        \
  "\"refresh_token\":\"r" id "\"}}"

static char folder[] = "/tmp/auth-inspect-XXXXXX";
static char text[1 << 16]; /* output of the last program, both streams */
static struct fake_endpoint *endpoint;
static struct fake_answer published = {.status = 200};
static char *jwks;
static EVP_PKEY *key, *other_key;

static void write_file(const char *name, const char *content)
{
  AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
  FILE *f = fopen(path, "w");
  if (f == NULL)
    abort();
  fputs(content, f);
  fclose(f);
}

static void write_issuers(void)
{
  AUTO_FREE char *issuers = xasprintf(
      "{\"issuers\":[{\"issuer\":\"https://id.example\",\"name\":\"id\",\"jwks_uri\":\"%s\","
      "\"audiences\":[\"mcp\"],\"rules\":["
      "{\"claim\":\"roles\",\"contains\":\"boss\",\"role\":\"admin\"},"
      "{\"claim\":\"roles\",\"contains\":\"dealer\",\"and\":[{\"claim\":\"verified\",\"equals\":"
      "true}],\"role\":\"dealer\",\"dealers\":[\"{claim:dealer_ids}\"]},"
      "{\"claim\":\"dealer_ids\",\"role\":\"group\",\"dealers\":[\"{value}\"]}]}]}",
      fake_url(endpoint));
  write_file("i.json", issuers);
}

static void begin(void)
{
  if (mkdtemp(folder) == NULL)
    abort();
  key = maker_key(JWT_ES256);
  other_key = maker_key(JWT_ES256);
  endpoint = fake_start();
  AUTO_FREE char *jwk = maker_jwk(key, "k1");
  jwks = xasprintf("{\"keys\":[%s]}", jwk);
  write_file("d.json", "[" DEALER("1", "West") "," DEALER("2", "East") "]");
  write_issuers();
}

static void set_up(void)
{
  published = (struct fake_answer){.status = 200, .body = jwks};
  fake_set(endpoint, &published);
}

static void end(void)
{
  AUTO_FREE char *command = xasprintf("rm -rf %s", folder);
  if (system(command) != 0)
    perror(command);
  EVP_PKEY_free(key);
  EVP_PKEY_free(other_key);
  fake_stop(endpoint);
  free(jwks);
}

static char *token_of(const char *iss, const char *aud, int life_s, const char *claims,
                      EVP_PKEY *signer)
{
  long long now = clock_unix_ms() / 1000;
  AUTO_FREE char *all =
      xasprintf("{\"iss\":\"%s\",\"aud\":\"%s\",\"sub\":\"ann\",\"iat\":%lld,"
                "\"exp\":%lld%s%s}",
                iss, aud, now - 7200, now + life_s, *claims != '\0' ? "," : "", claims);
  return maker_token(signer != NULL ? HEADER : "{\"alg\":\"none\"}", all, signer, NULL);
}

/* What the program prints of a token from its standard input. */
static void inspect(int wanted, const char *variables, const char *token)
{
  write_file("t", token);
  AUTO_FREE char *command = xasprintf("cd %s && env -u AUTH_KEYRING_FILE AUTH_ISSUERS_FILE=i.json "
                                      "GA_CREDENTIALS_PATH=d.json %s '%s' token inspect < t 2>&1",
                                      folder, variables, AUTH_SVC);
  FILE *f = popen(command, "r");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
  int status = pclose(f);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != wanted)
    printf("\n  wanted %d, got: %s\n", wanted, text);
  CU_ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == wanted);
}

static void shows(const char *line)
{
  if (strstr(text, line) == NULL)
    printf("\n  lacks: %s\n  got: %s\n", line, text);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, line));
}

static void hides(const char *line)
{
  CU_ASSERT_PTR_NULL(strstr(text, line));
}

#define GOOD "\"roles\":[\"x\",\"dealer\"],\"verified\":true,\"dealer_ids\":[\"2\",\"9\"]"

static void issuer_rules_and_what_they_give_are_shown(void)
{
  set_up();
  AUTO_FREE char *token = token_of("https://id.example", "mcp", 600, GOOD, key);
  inspect(0, "", token);
  shows("issuer id: issuers[0] of i.json\n");
  shows("keys ok issuer id: 1 keys, fetched ");
  shows("issuers[0].rules[0] for role admin does not match: roles contains \"boss\"\n");
  shows("issuers[0].rules[1] for role dealer matches: roles contains \"dealer\" and verified is "
        "true\n");
  shows("issuers[0].rules[2] for role group matches, but an earlier rule gives another role: "
        "dealer_ids\n");
  shows("not in d.json: token.dealers \"9\"\n");
  shows("subject id:ann\nrole dealer\ndealers 1: \"2\"\nbenchmarks of regions: \"East\"\n");
  shows("accepted: yes\n");
  hides("scopes");
  AUTO_FREE char *limited =
      token_of("https://id.example", "mcp", 600, GOOD ",\"scope\":\"analytics.read openid\"", key);
  inspect(0, "", limited);
  shows("scopes \"analytics.read\", \"openid\"\n");
  AUTO_FREE char *boss = token_of("https://id.example", "mcp", 600, "\"roles\":\"boss\"", key);
  inspect(0, "", boss);
  shows("issuers[0].rules[0] for role admin matches: roles contains \"boss\"\n");
  shows("role admin\ndealers all\n");
}

static void a_refusal_has_its_one_reason(void)
{
  set_up();
  const struct {
    const char *iss, *aud;
    int life_s;
    const char *claims;
    EVP_PKEY *signer;
    const char *reason;
  } table[] = {
      {"https://id.example", "other", 600, GOOD, key, "made for another audience (aud)"},
      {"https://id.example", "mcp", -600, GOOD, key, "has expired (exp)"},
      {"https://id.example", "mcp", 600, GOOD, other_key, "the signature does not match"},
      {"https://id.example", "mcp", 600, GOOD, NULL, "not three parts of base64url"},
      {"https://else.example", "mcp", 600, GOOD, key, "wrong issuer (iss)"},
      {"https://id.example", "mcp", 600, "\"roles\":[\"x\"]", key,
       "no rule of the issuer id gives it access; looked for roles (no rule for what it holds), "
       "verified (not in the token), dealer_ids (not in the token)"},
      {"https://id.example", "mcp", 600, "\"dealer_ids\":[\"9\"]", key,
       "its rule of the issuer id names no dealer that is set up here"},
  };
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    AUTO_FREE char *token =
        token_of(table[i].iss, table[i].aud, table[i].life_s, table[i].claims, table[i].signer);
    inspect(1, "", token);
    shows("accepted: no: bearer token: ");
    shows(table[i].reason);
    hides("role dealer\ndealers"); /* nothing is given */
    if (strstr(table[i].iss, "else") != NULL)
      shows("issuer unknown: neither AUTH_JWT_ISSUER nor one of i.json\n");
  }
}

static void a_revoked_subject_is_the_issuers(void)
{
  set_up();
  AUTO_FREE char *token = token_of("https://id.example", "mcp", 600, GOOD, key);
  write_file("p.json", "{\"revoked\":[{\"subject\":\"ann\"}]}");
  inspect(0, "AUTH_POLICY_FILE=p.json", token);
  write_file("p.json", "{\"revoked\":[{\"subject\":\"id:ann\"}]}");
  inspect(1, "AUTH_POLICY_FILE=p.json", token);
  shows("accepted: no: this subject has been revoked");
}

static void without_the_dealers_file_all_but_the_dealers_is_shown(void)
{
  set_up();
  AUTO_FREE char *token = token_of("https://id.example", "mcp", 600, GOOD, key);
  inspect(0, "GA_CREDENTIALS_PATH=none.json", token);
  shows("role dealer\ndealers unknown: ");
  shows("none.json");
  shows("accepted: yes\n");
}

static void keys_that_cannot_be_fetched_are_the_reason(void)
{
  set_up();
  published = (struct fake_answer){.status = 500, .body = "no"};
  fake_set(endpoint, &published);
  AUTO_FREE char *token = token_of("https://id.example", "mcp", 600, GOOD, key);
  inspect(1, "", token);
  shows("keys warn issuer id: no keys yet, its tokens cannot be checked; ");
  shows("500");
  shows("accepted: no: ");
}

static void published_keys_of_auth_jwt_count_too(void)
{
  set_up();
  AUTO_FREE char *token =
      token_of("https://own.example", "mcp", 600, "\"role\":\"dealer\",\"dealers\":[\"1\"]", key);
  AUTO_FREE char *variables =
      xasprintf("AUTH_JWT_ISSUER=https://own.example AUTH_JWT_AUDIENCE=mcp AUTH_JWT_JWKS_URL=%s",
                fake_url(endpoint));
  inspect(0, variables, token);
  shows("issuer of AUTH_JWT_ISSUER: role and names are claims of the token\n");
  shows("subject ann\nrole dealer\ndealers 1: \"1\"\n");
  AUTO_FREE char *no_role = token_of("https://own.example", "mcp", 600, "", key);
  inspect(1, variables, no_role);
  shows("accepted: no: bearer token: claim role must be");
}

int main(int argc, char **argv)
{
  static const struct test_case cases[] = {
      TEST(issuer_rules_and_what_they_give_are_shown),
      TEST(a_refusal_has_its_one_reason),
      TEST(a_revoked_subject_is_the_issuers),
      TEST(without_the_dealers_file_all_but_the_dealers_is_shown),
      TEST(keys_that_cannot_be_fetched_are_the_reason),
      TEST(published_keys_of_auth_jwt_count_too)};
  const struct test_program program = {.suite = "auth token inspect",
                                       .room = AMCP_TEST_ROOM,
                                       .cases = cases,
                                       .n = ARRAY_LEN(cases),
                                       .begin = begin,
                                       .end = end};
  return test_run(&program, argc, argv);
}
