/* Credentials in dealers.json: what is taken, and the line and field of what is not. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth-svc/config/snapshot.h"
#include "auth-svc/credential/open_host.h"
#include "common/base/mem.h"
#include "tests/unit/auth/credential/fixture.h"
#include "tests/unit/auth/support/jwt_maker.h"
#include "tests/unit/harness.h"

#define POOL "//iam.googleapis.com/projects/7/locations/global/workloadIdentityPools/p/providers/q"
#define OAUTH                                                                                      \
  "\"oauth\":{\"client_id\":\"c\",\"client_secret\":\"s3cret\",\"refresh_token\":\"r3fresh\"}"
#define EXTERNAL(source)                                                                           \
  "\"external_account\":{\"audience\":\"" POOL                                                     \
  "\",\"subject_token_type\":\"urn:ietf:params:oauth:token-type:jwt\",\n"                          \
  "\"credential_source\":" source "}"
#define AWS(source)                                                                                \
  "\"external_account\":{\"audience\":\"" POOL                                                     \
  "\",\"subject_token_type\":\"urn:ietf:params:aws:token-type:aws4_request\",\n"                   \
  "\"credential_source\":" source "}"
#define IAM_URL                                                                                    \
  "\"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@p.iam:"                 \
  "generateAccessToken\""
#define USER                                                                                       \
  "{\"type\":\"authorized_user\",\"client_id\":\"c\",\"client_secret\":\"s3cret\","                \
  "\"refresh_token\":\"r3fresh\"}"
#define IMPERSONATED(source, more)                                                                 \
  "\"impersonated_service_account\":{\"service_account_impersonation_url\":" IAM_URL more          \
  ",\n\"source_credentials\":" source "}"

static char dir[] = "/tmp/auth-config-XXXXXX";
static const char *const files[] = {"dealers.json", "key.json", "user.json", "bad.json", "subject"};

static void remove_dir(void)
{
  for (size_t i = 0; i < ARRAY_LEN(files); i++) {
    AUTO_FREE char *path = xasprintf("%s/%s", dir, files[i]);
    unlink(path);
  }
  rmdir(dir);
}

static void write_file(const char *name, const char *text)
{
  AUTO_FREE char *path = xasprintf("%s/%s", dir, name);
  FILE *f = fopen(path, "w");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  fputs(text, f);
  fclose(f);
  chmod(path, 0600);
}

static void set_up(void)
{
  static bool done;
  if (done)
    return;
  done = true;
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
  atexit(remove_dir);
  EVP_PKEY *key = maker_key(JWT_RS256);
  AUTO_FREE char *pem = maker_private_pem(key);
  AUTO_FREE char *file = cred_key_file(pem, "https://oauth2.googleapis.com/token");
  EVP_PKEY_free(key);
  write_file("key.json", file);
  write_file("user.json", USER);
  write_file("bad.json", "{\"type\":\"service_account\",\n\"client_email\":\"e\"}");
}

static struct credential *read_member(const char *member, char message[600])
{
  set_up();
  AUTO_FREE char *name = xasprintf("%s/dealers.json", dir);
  return cred_of_dealer(member, name, message, 600);
}

static void each_kind_is_taken(void)
{
  static const struct {
    const char *member, *kind;
  } table[] = {
      {OAUTH, "authorized_user"},
      {"\"oauth\":" USER, "authorized_user"},
      {"\"oauth\":{\"file\":\"user.json\"}", "authorized_user"},
      {"\"service_account\":{\"file\":\"key.json\"}", "service_account"},
      {"\"service_account\":{\"file\":\"key.json\",\"self_signed\":true}", "service_account"},
      {"\"service_account\":{\"file\":\"key.json\",\"subject\":\"u@x.example\"}",
       "service_account"},
      {EXTERNAL("{\"file\":\"/var/run/secrets/token\"}"), "external_account"},
      {EXTERNAL(
           "{\"url\":\"http://169.254.169.254/identity\",\"headers\":{\"Metadata\":\"True\"}}"),
       "external_account"},
      {AWS("{\"environment_id\":\"aws1\",\"region_url\":\"http://169.254.169.254/z\",\"url\":"
           "\"http://[fd00:ec2::254]/r\",\"imdsv2_session_token_url\":\"http://169.254.169.254/"
           "t\"}"),
       "external_account"},
      {AWS("{\"environment_id\":\"aws1\"}"), "external_account"},
      {IMPERSONATED(USER, ""), "impersonated_service_account"},
      {IMPERSONATED(USER, ",\"delegates\":[\"b@p.iam\"]"), "impersonated_service_account"},
  };
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    char message[600];
    struct credential *c = read_member(table[i].member, message);
    CU_ASSERT_STRING_EQUAL(message, "");
    CU_ASSERT_STRING_EQUAL(c != NULL ? c->kind->name : "", table[i].kind);
    credential_unref(c);
  }
}

static void the_quota_project_is_carried_and_dealers_json_wins(void)
{
  static const char *const members[] = {
      "\"oauth\":{\"file\":\"user.json\",\"quota_project_id\":\"payer\"}",
      "\"service_account\":{\"file\":\"key.json\",\"quota_project_id\":\"payer\"}",
      "\"oauth\":{\"client_id\":\"c\",\"client_secret\":\"s\",\"refresh_token\":\"r\","
      "\"quota_project_id\":\"payer\"}",
      IMPERSONATED(USER, ",\"quota_project_id\":\"payer\""),
  };
  for (size_t i = 0; i < ARRAY_LEN(members); i++) {
    char message[600];
    struct credential *c = read_member(members[i], message);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    CU_ASSERT_STRING_EQUAL(c->quota_project, "payer");
    credential_unref(c);
  }
}

static void a_relative_token_file_stands_beside_dealers_json(void)
{
  char message[600];
  struct credential *c = read_member(EXTERNAL("{\"file\":\"subject\"}"), message);
  CU_ASSERT_PTR_NOT_NULL_FATAL(c);
  struct token_reply r = cred_obtain(c, 0);
  AUTO_FREE char *path = xasprintf("%s/subject: ", dir);
  cred_expect_failure(&r, TOKEN_OPERATOR_FAULT, "subject_token_unreadable", path, NULL);
  credential_unref(c);
}

static void default_credentials_are_found_once_for_all_dealers(void)
{
  set_up();
  AUTO_FREE char *user = xasprintf("%s/user.json", dir);
  setenv("GOOGLE_APPLICATION_CREDENTIALS", user, 1);
  static const char text[] =
      "[{\"dealer_id\":\"d1\",\"name\":\"N\",\"region\":\"W\",\"properties\":[\"1\"],\"adc\":true},"
      "{\"dealer_id\":\"d2\",\"name\":\"N\",\"region\":\"W\",\"properties\":[\"2\"],\"adc\":true}]";
  struct snapshot *s = NULL;
  CU_ASSERT_EQUAL_FATAL(snapshot_parse(&s, "dealers.json", text, strlen(text), NULL, NULL), ERR_OK);
  CU_ASSERT_PTR_EQUAL(s->credentials[0], s->credentials[1]);
  snapshot_unref(s);
  setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent.json", 1);
  char message[600];
  CU_ASSERT_PTR_NULL(read_member("\"adc\":true", message));
  CU_ASSERT_PTR_NOT_NULL(strstr(message, "line 2: [0].adc (dealer \"d1\"): "
                                         "GOOGLE_APPLICATION_CREDENTIALS: cannot open"));
  unsetenv("GOOGLE_APPLICATION_CREDENTIALS");
}

struct bad {
  const char *member, *expect;
};

static void check(const struct bad *table, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    char message[600];
    struct credential *c = read_member(table[i].member, message);
    bool good = c == NULL && strstr(message, table[i].expect) != NULL &&
                strstr(message, "(dealer \"d1\")") != NULL && strstr(message, "s3cret") == NULL &&
                strstr(message, "r3fresh") == NULL;
    if (!good)
      printf("\n  member %s\n  want   %s\n  got    %s\n", table[i].member, table[i].expect,
             message);
    CU_ASSERT_TRUE(good);
    credential_unref(c);
  }
}

static void a_dealer_has_exactly_one_credential(void)
{
  static const struct bad table[] = {
      {"", "[0] (dealer \"d1\"): has no credential; give exactly one of oauth, service_account, "
           "external_account, impersonated_service_account, adc"},
      {OAUTH ",\n\"adc\":true", "line 3: [0].adc (dealer \"d1\"): cannot be combined with "
                                "\"oauth\"; a dealer has exactly one"},
      {"\"adc\":false", "[0].adc (dealer \"d1\"): must be true"},
      {"\"oauht\":{}", "[0].oauht (dealer \"d1\"): unknown key; did you mean \"oauth\"?"},
      {"\"oauth\":[]", "[0].oauth (dealer \"d1\"): must be an object"},
  };
  check(table, ARRAY_LEN(table));
}

static void files_are_refused_with_their_own_line(void)
{
  static const struct bad table[] = {
      {"\"service_account\":{\"file\":\"bad.json\"}",
       "bad.json line 1: private_key: missing; must be a non-empty string"},
      {"\"service_account\":{\n\"file\":\"none.json\"}",
       "line 3: [0].service_account.file (dealer \"d1\"): credential file: cannot open"},
      {"\"service_account\":{\"file\":\"user.json\"}",
       "user.json line 1: type: is \"authorized_user\"; move the file under \"oauth\""},
      {"\"service_account\":{\"file\":\"key.json\",\"self_singed\":true}",
       "[0].service_account.self_singed (dealer \"d1\"): unknown key; did you mean "
       "\"self_signed\"?"},
      {"\"service_account\":{\"file\":\"key.json\",\"self_signed\":1}",
       "service_account.self_signed (dealer \"d1\"): must be true or false"},
      {"\"service_account\":{\"file\":\"key.json\",\"self_signed\":true,\n\"subject\":\"u@x\"}",
       "line 3: [0].service_account.subject (dealer \"d1\"): cannot be combined with self_signed"},
      {"\"oauth\":{\"file\":\"user.json\",\"client_secret\":\"s3cret\"}",
       "[0].oauth.client_secret (dealer \"d1\"): unknown key"},
  };
  check(table, ARRAY_LEN(table));
}

static void urls_are_https_or_loopback(void)
{
  static const struct bad table[] = {
      {"\"oauth\":{\"client_id\":\"c\",\"client_secret\":\"s3cret\",\"refresh_token\":\"r3fresh\","
       "\n"
       "\"token_uri\":\"http://oauth2.example/token\"}",
       "line 3: [0].oauth.token_uri (dealer \"d1\"): must be an https URL: secrets would travel in "
       "the clear to oauth2.example"},
      {"\"oauth\":{\"client_id\":\"c\",\"client_secret\":\"s3cret\",\"refresh_token\":\"r3fresh\","
       "\"token_uri\":\"http://169.254.169.254/token\"}",
       "oauth.token_uri (dealer \"d1\"): must be an https URL"},
      {"\"oauth\":{\"client_id\":\"c\",\"client_secret\":\"s3cret\",\"refresh_token\":\"r3fresh\","
       "\"token_uri\":\"http://127.0.0.1.evil.example/\"}",
       "in the clear to 127.0.0.1.evil.example"},
      {EXTERNAL("{\"url\":\"http://intranet.example/id\"}"),
       "external_account.credential_source.url (dealer \"d1\"): must be an https URL"},
      {EXTERNAL("{\"url\":\"http://10.0.0.5/id\"}"),
       "credential_source.url (dealer \"d1\"): must be an https URL: secrets would travel in the "
       "clear to 10.0.0.5 (plain http is for loopback and metadata addresses, and for a simulator "
       "that AUTH_ALLOW_HTTP_TOKEN_HOST names)"},
      {EXTERNAL("{\"url\":\"file:///etc/passwd\"}"),
       "credential_source.url (dealer \"d1\"): must be an https URL"},
      {EXTERNAL("{\"url\":\"https://u:p@x.example/\"}"),
       "credential_source.url (dealer \"d1\"): must be an https URL"},
      {"\"external_account\":{\"audience\":\"" POOL
       "\",\"subject_token_type\":\"urn:ietf:params:oauth:token-type:jwt\",\"token_url\":"
       "\"http://sts.googleapis.com/\",\"credential_source\":{\"file\":\"f\"}}",
       "external_account.token_url (dealer \"d1\"): must be an https URL"},
  };
  check(table, ARRAY_LEN(table));
}

/* Every URL of a dealer's credential at a host of its own, over plain http. */
static void check_open_host(const char *host, bool good)
{
  AUTO_FREE char *member = xasprintf(
      "\"external_account\":{\"audience\":\"" POOL
      "\",\"subject_token_type\":\"urn:ietf:params:oauth:token-type:jwt\",\"token_url\":"
      "\"http://%s:8089/v1/token\",\"service_account_impersonation_url\":\"http://%s:8089/v1/"
      "projects/-/serviceAccounts/a@b:generateAccessToken\",\"credential_source\":{\"url\":"
      "\"http://%s:8089/id\"}}",
      host, host, host);
  AUTO_FREE char *oauth =
      xasprintf("\"oauth\":{\"client_id\":\"c\",\"client_secret\":\"s\","
                "\"refresh_token\":\"r\",\"token_uri\":\"http://%s:8089/token\"}",
                host);
  const char *const members[] = {member, oauth};
  for (size_t i = 0; i < ARRAY_LEN(members); i++) {
    char message[512] = "";
    struct credential *c = cred_of_dealer(members[i], "dealers.json", message, sizeof(message));
    CU_ASSERT_EQUAL(c != NULL, good);
    CU_ASSERT_EQUAL(strstr(message, "AUTH_ALLOW_HTTP_TOKEN_HOST") != NULL, !good);
    credential_unref(c);
  }
}

static void plain_http_goes_to_the_simulator_that_is_named_and_nowhere_else(void)
{
  static const char *const refused[] = {"",
                                        "*",
                                        "*.example",
                                        "http://ga4-sim",
                                        "ga4-sim:8089",
                                        "a b",
                                        "a,b",
                                        ".",
                                        "oauth2.googleapis.com",
                                        "OAUTH2.GoogleAPIs.com.",
                                        "googleapis.com",
                                        "evilgoogleapis.com",
                                        "sts.us-east-1.amazonaws.com",
                                        "accounts.google.com"};
  unsetenv("AUTH_ALLOW_HTTP_TOKEN_HOST");
  check_open_host("ga4-sim", false);
  setenv("AUTH_ALLOW_HTTP_TOKEN_HOST", "ga4-sim", 1);
  CU_ASSERT_PTR_NULL(open_host_problem("ga4-sim"));
  check_open_host("ga4-sim", true);
  check_open_host("GA4-Sim.", true);
  check_open_host("ga4-sim.evil.example", false);
  check_open_host("evil-ga4-sim", false);
  check_open_host("ga4", false);
  check_open_host("oauth2.googleapis.com", false);
  for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
    CU_ASSERT_PTR_NOT_NULL(open_host_problem(refused[i]));
    setenv("AUTH_ALLOW_HTTP_TOKEN_HOST", refused[i], 1);
    check_open_host("oauth2.googleapis.com", false);
    check_open_host("ga4-sim", false);
  }
  unsetenv("AUTH_ALLOW_HTTP_TOKEN_HOST");
}

static void federated_credentials_are_refused_by_field(void)
{
  static const struct bad table[] = {
      {"\"external_account\":{}", "external_account.audience (dealer \"d1\"): missing"},
      {"\"external_account\":{\"audience\":\"https://x\"}",
       "external_account.audience (dealer \"d1\"): must be //iam.googleapis.com/projects/"},
      {"\"external_account\":{\"audience\":\"//iam.googleapis.com/locations/global/"
       "workforcePools/p/providers/q\"}",
       "names a workforce pool"},
      {"\"external_account\":{\"type\":\"service_account\"}",
       "external_account.type (dealer \"d1\"): must be \"external_account\" here"},
      {"\"external_account\":{\"audience\":\"" POOL "\",\"subject_token_type\":\"jwt\"}",
       "subject_token_type (dealer \"d1\"): must be urn:ietf:params:oauth:token-type:jwt"},
      {EXTERNAL("{\"executable\":{\"command\":\"/bin/x\"}}"),
       "line 3: [0].external_account.credential_source.executable (dealer \"d1\"): is not "
       "supported: auth-svc runs no programs; let a sidecar write the token"},
      {EXTERNAL("{\"certificate\":{}}"), "credential_source.certificate (dealer \"d1\"): is not"},
      {EXTERNAL("{}"), "must hold exactly one of file, url and environment_id"},
      {EXTERNAL("{\"file\":\"f\",\"url\":\"https://x.example/\"}"),
       "must hold exactly one of file, url and environment_id"},
      {EXTERNAL("{\"fiel\":\"f\"}"), "credential_source.fiel (dealer \"d1\"): unknown key; did you "
                                     "mean \"file\"?"},
      {EXTERNAL("{\"environment_id\":\"aws1\"}"),
       "subject_token_type (dealer \"d1\"): must be urn:ietf:params:aws:token-type:aws4_request"},
      {AWS("{\"file\":\"f\"}"), "of AWS needs credential_source.environment_id"},
      {AWS("{\"environment_id\":\"aws2\"}"), "environment_id (dealer \"d1\"): must be \"aws1\""},
      {EXTERNAL("{\"file\":\"f\",\"format\":{\"type\":\"json\"}}"),
       "credential_source.format.subject_token_field_name (dealer \"d1\"): missing"},
      {EXTERNAL("{\"file\":\"f\",\"format\":{\"type\":\"xml\"}}"),
       "format.type (dealer \"d1\"): must be \"text\" or \"json\""},
      {EXTERNAL("{\"url\":\"https://x.example/\",\"headers\":{\"a b\":\"c\"}}"),
       "headers (dealer \"d1\"): \"a b\" is not the name of a header"},
      {EXTERNAL("{\"url\":\"https://x.example/\",\"headers\":{\"a\":\"c\\r\\nd: e\"}}"),
       "headers.a (dealer \"d1\"): holds a control character"},
      {EXTERNAL("{\"file\":\"f\"},\"service_account_impersonation_url\":\"https://x.example/\""),
       "must end in serviceAccounts/EMAIL:generateAccessToken"},
      {EXTERNAL("{\"file\":\"f\"},\"service_account_impersonation_url\":" IAM_URL
                ",\"service_account_impersonation\":{\"token_lifetime_seconds\":10}"),
       "token_lifetime_seconds (dealer \"d1\"): must be a whole number of seconds from 600 to "
       "43200"},
      {IMPERSONATED("{\"type\":\"impersonated_service_account\"}", ""),
       "source_credentials.type (dealer \"d1\"): must be \"authorized_user\", \"service_account\" "
       "or \"external_account\""},
      {IMPERSONATED(USER, ",\"delegates\":[\"x\"]"),
       "delegates[0] (dealer \"d1\"): must be the email of a service account"},
      {"\"impersonated_service_account\":{\"source_credentials\":" USER "}",
       "service_account_impersonation_url (dealer \"d1\"): missing"},
      {"\"impersonated_service_account\":{\"service_account_impersonation_url\":" IAM_URL "}",
       "source_credentials (dealer \"d1\"): missing; must be an object"},
  };
  check(table, ARRAY_LEN(table));
}

static void the_example_is_good(void)
{
  struct snapshot *s = NULL;
  struct err e = {0};
  CU_ASSERT_EQUAL(snapshot_load(&s, DEALERS_EXAMPLE, NULL, &e), ERR_OK);
  CU_ASSERT_STRING_EQUAL(e.message, "");
  if (s == NULL)
    return;
  const struct dealer *d = directory_by_id(s->directory, "d03");
  CU_ASSERT_PTR_NOT_NULL_FATAL(d);
  CU_ASSERT_STRING_EQUAL(snapshot_credential(s, d)->kind->name, "external_account");
  snapshot_unref(s);
}

TEST_MAIN("auth cred config", TEST(each_kind_is_taken),
          TEST(the_quota_project_is_carried_and_dealers_json_wins),
          TEST(a_relative_token_file_stands_beside_dealers_json),
          TEST(default_credentials_are_found_once_for_all_dealers),
          TEST(a_dealer_has_exactly_one_credential), TEST(files_are_refused_with_their_own_line),
          TEST(urls_are_https_or_loopback),
          TEST(plain_http_goes_to_the_simulator_that_is_named_and_nowhere_else),
          TEST(federated_credentials_are_refused_by_field), TEST(the_example_is_good))
