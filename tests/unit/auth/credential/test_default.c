/* Application Default Credentials: Google's order, and the metadata server at its end. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/auth/credential/fixture.h"
#include "tests/unit/side.h"

#define FLAVOR "Metadata-Flavor: Google\r\n"
#define TOKEN_PATH "GET /computeMetadata/v1/instance/service-accounts/default/token?scopes="
#define USER                                                                                       \
  "{\"type\":\"authorized_user\",\"client_id\":\"c\",\"client_secret\":\"s\","                     \
  "\"refresh_token\":\"r\"}"

static char dir[] = "/tmp/auth-adc-XXXXXX";

static void remove_dir(void)
{
  AUTO_FREE char *path = xasprintf("%s/application_default_credentials.json", dir);
  AUTO_FREE char *home = xasprintf("%s/.config/gcloud/application_default_credentials.json", dir);
  AUTO_FREE char *gcloud = xasprintf("%s/.config/gcloud", dir);
  AUTO_FREE char *config = xasprintf("%s/.config", dir);
  unlink(path);
  unlink(home);
  rmdir(gcloud);
  rmdir(config);
  rmdir(dir);
}

static void write_file(const char *path, const char *text)
{
  FILE *f = fopen(path, "w");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  fputs(text, f);
  fclose(f);
}

static void set_up(const char *metadata_host)
{
  static bool made;
  if (!made) {
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
    atexit(remove_dir);
  }
  made = true;
  setenv("CLOUDSDK_CONFIG", dir, 1);
  setenv("GCE_METADATA_HOST", metadata_host, 1);
  unsetenv("NO_GCE_CHECK");
}

static void the_metadata_server_comes_last(void)
{
  struct cloud *cloud = CLOUD({"GET / ", 200, FLAVOR, "computeMetadata/", 0, 0});
  set_up(cloud_host(cloud));
  AUTO_FREE char *known = xasprintf("%s/application_default_credentials.json", dir);
  write_file(known, USER);
  struct credential *c = NULL;
  CU_ASSERT_EQUAL(credential_find_adc(&c, NULL, false, NULL), ERR_OK);
  CU_ASSERT_STRING_EQUAL(c->kind->name, "authorized_user");
  credential_unref(c);
  CU_ASSERT_EQUAL(cloud_hits(cloud), 0);
  /* A file that is there and wrong is a fault, not a reason to look further. */
  write_file(known, "{}");
  struct err e = {0};
  CU_ASSERT_EQUAL(credential_find_adc(&c, NULL, false, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, known));
  CU_ASSERT_EQUAL(cloud_hits(cloud), 0);
  unlink(known);
  CU_ASSERT_EQUAL_FATAL(credential_find_adc(&c, NULL, false, NULL), ERR_OK);
  CU_ASSERT_STRING_EQUAL(c->kind->name, "metadata");
  AUTO_FREE char *flavor = request_header(cloud_request(cloud, 0), "metadata-flavor");
  CU_ASSERT_STRING_EQUAL(flavor, "Google");
  credential_unref(c);
  cloud_stop(cloud);
}

static void home_is_looked_at_without_cloudsdk_config(void)
{
  set_up("127.0.0.1:1");
  unsetenv("CLOUDSDK_CONFIG");
  AUTO_FREE char *home = xstrdup(getenv("HOME"));
  setenv("HOME", dir, 1);
  AUTO_FREE char *make = xasprintf("mkdir -p %s/.config/gcloud", dir);
  CU_ASSERT_EQUAL(system(make), 0);
  AUTO_FREE char *path = xasprintf("%s/.config/gcloud/application_default_credentials.json", dir);
  write_file(path, USER);
  struct credential *c = NULL;
  CU_ASSERT_EQUAL(credential_find_adc(&c, NULL, false, NULL), ERR_OK);
  credential_unref(c);
  if (home != NULL)
    setenv("HOME", home, 1);
}

static void where_nothing_is_found_the_places_are_named(void)
{
  struct credential *c = NULL;
  struct err e = {0};
  set_up("127.0.0.1:1");
  CU_ASSERT_EQUAL(credential_find_adc(&c, NULL, false, &e), ERR_NOT_FOUND);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, dir));
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "no metadata server answers at 127.0.0.1:1"));
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "gcloud auth application-default login"));
  setenv("NO_GCE_CHECK", "true", 1);
  CU_ASSERT_EQUAL(credential_find_adc(&c, NULL, false, &e), ERR_NOT_FOUND);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "NO_GCE_CHECK=true"));
}

static void what_does_not_say_google_is_no_metadata_server(void)
{
  struct cloud *cloud = CLOUD({"GET / ", 200, NULL, "hello", 0, 0});
  struct credential *c = NULL;
  set_up(cloud_host(cloud));
  CU_ASSERT_EQUAL(credential_find_adc(&c, NULL, false, NULL), ERR_NOT_FOUND);
  cloud_stop(cloud);
  CU_ASSERT_FALSE(credential_metadata_detect("evil.example/path?"));
}

static void a_silent_metadata_server_costs_seconds_at_most(void)
{
  struct cloud *cloud = CLOUD({"GET / ", 200, FLAVOR, "", 1200, 0});
  int64_t start = clock_mono_ms();
  CU_ASSERT_FALSE(credential_metadata_detect(cloud_host(cloud)));
  CU_ASSERT_TRUE(clock_mono_ms() - start < 15000);
  cloud_stop(cloud);
}

static void the_metadata_server_gives_a_token_for_the_scope(void)
{
  struct cloud *cloud = CLOUD(
      {TOKEN_PATH, 200, FLAVOR,
       "{\"access_token\":\"machine-token\",\"expires_in\":1799,\"token_type\":\"Bearer\"}", 0, 0});
  struct credential *c = credential_new_metadata(cloud_host(cloud), ANALYTICS_SCOPE);
  struct token_reply r = cred_obtain(c, 0);
  CU_ASSERT_STRING_EQUAL(secret_text(r.access_token), "machine-token");
  CU_ASSERT_EQUAL(r.expires_in_s, 1799);
  AUTO_FREE char *scopes = request_form(cloud_request(cloud, 0), "scopes");
  AUTO_FREE char *flavor = request_header(cloud_request(cloud, 0), "metadata-flavor");
  CU_ASSERT_STRING_EQUAL(scopes != NULL ? scopes : "", ANALYTICS_SCOPE);
  CU_ASSERT_STRING_EQUAL(flavor != NULL ? flavor : "", "Google");
  token_reply_clear(&r);
  credential_unref(c);
  cloud_stop(cloud);
}

/* A token must never be asked of a proxy that stands in for the metadata server. */
static void the_environments_proxy_is_not_asked_for_tokens(void)
{
  struct cloud *cloud = CLOUD({TOKEN_PATH, 200, FLAVOR, "{\"access_token\":\"t\"}", 0, 0});
  struct cloud *proxy = CLOUD({"GET", 200, FLAVOR, "{\"access_token\":\"stolen\"}", 0, 0});
  AUTO_FREE char *url = cred_at("http://@", cloud_host(proxy));
  setenv("http_proxy", url, 1);
  struct credential *c = credential_new_metadata(cloud_host(cloud), ANALYTICS_SCOPE);
  struct token_reply r = cred_obtain(c, 0);
  unsetenv("http_proxy");
  CU_ASSERT_STRING_EQUAL(secret_text(r.access_token), "t");
  CU_ASSERT_EQUAL(cloud_hits(proxy), 0);
  token_reply_clear(&r);
  credential_unref(c);
  cloud_stop(cloud);
  cloud_stop(proxy);
}

static void each_failure_of_the_metadata_server_is_told_apart(void)
{
  static const struct {
    struct cloud_answer answer;
    enum token_outcome outcome;
    const char *reason, *text;
  } table[] = {
      {{"GET", 200, NULL, "{\"access_token\":\"fake\"}", 0, 0},
       TOKEN_OPERATOR_FAULT,
       "no_metadata_server",
       "check GCE_METADATA_HOST"},
      {{"GET", 200, "Metadata-Flavor: Other\r\n", "{\"access_token\":\"fake\"}", 0, 0},
       TOKEN_OPERATOR_FAULT,
       "no_metadata_server",
       "it is not a metadata server"},
      {{"GET", 404, FLAVOR, "not found", 0, 0},
       TOKEN_OPERATOR_FAULT,
       "metadata_refused",
       "attach a service account"},
      {{"GET", 503, FLAVOR, "later", 0, 0}, TOKEN_PASSING, "metadata_unavailable", "HTTP 503"},
      {{"GET", 200, FLAVOR, "<html>", 0, 0},
       TOKEN_PASSING,
       "token_endpoint_unavailable",
       "not a JSON object"},
      {{"GET", 200, FLAVOR, "{}", 0, 0},
       TOKEN_PASSING,
       "token_endpoint_unavailable",
       "without a usable access_token"},
      {{"GET", 200, FLAVOR, "{}", 0, 1 << 20},
       TOKEN_PASSING,
       "metadata_unavailable",
       "more than 64 KiB"},
      {{"GET", 200, FLAVOR, "{}", 1500, 0},
       TOKEN_PASSING,
       "metadata_unavailable",
       "did not answer in time"},
  };
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    struct cloud *cloud = cloud_start(&table[i].answer, 1);
    struct credential *c = credential_new_metadata(cloud_host(cloud), ANALYTICS_SCOPE);
    struct token_reply r = cred_obtain(c, table[i].answer.delay_ms > 0 ? 300 : 0);
    cred_expect_failure(&r, table[i].outcome, table[i].reason, "metadata server", cloud_host(cloud),
                        table[i].text, NULL);
    credential_unref(c);
    cloud_stop(cloud);
  }
}

/* Of Google's own variable, the one that names the project at large, and the file. */
static void the_quota_project_is_the_files_then_the_environments(void)
{
  static const struct {
    const char *file, *quota, *project, *expected;
  } cases[] = {
      {USER, NULL, NULL, NULL},
      {USER, NULL, "analytics-prod-1", "analytics-prod-1"},
      {USER, "payer-2", "analytics-prod-1", "payer-2"},
      {USER, "", "example.com:old-style", "example.com:old-style"},
      {"{\"type\":\"authorized_user\",\"client_id\":\"c\",\"client_secret\":\"s\","
       "\"refresh_token\":\"r\",\"quota_project_id\":\"own\"}",
       "payer-2", "analytics-prod-1", "own"},
  };
  set_up("127.0.0.1:1");
  AUTO_FREE char *path = xasprintf("%s/application_default_credentials.json", dir);
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    write_file(path, cases[i].file);
    unsetenv("GOOGLE_CLOUD_QUOTA_PROJECT");
    unsetenv("GOOGLE_CLOUD_PROJECT");
    if (cases[i].quota != NULL)
      setenv("GOOGLE_CLOUD_QUOTA_PROJECT", cases[i].quota, 1);
    if (cases[i].project != NULL)
      setenv("GOOGLE_CLOUD_PROJECT", cases[i].project, 1);
    struct credential *c = NULL;
    CU_ASSERT_EQUAL_FATAL(credential_find_adc(&c, NULL, false, NULL), ERR_OK);
    if (cases[i].expected == NULL) {
      CU_ASSERT_PTR_NULL(c->quota_project);
    } else {
      CU_ASSERT_STRING_EQUAL(c->quota_project, cases[i].expected);
    }
    credential_unref(c);
  }
  unsetenv("GOOGLE_CLOUD_QUOTA_PROJECT");
}

static void a_quota_project_that_is_none_is_refused_by_the_variables_name(void)
{
  struct credential *c = NULL;
  struct err e = {0};
  set_up("127.0.0.1:1");
  AUTO_FREE char *path = xasprintf("%s/application_default_credentials.json", dir);
  write_file(path, USER);
  setenv("GOOGLE_CLOUD_PROJECT", "one\r\nx-forged: 1", 1);
  CU_ASSERT_EQUAL(credential_find_adc(&c, NULL, false, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "GOOGLE_CLOUD_PROJECT"));
  CU_ASSERT_PTR_NULL(strstr(e.message, "forged"));
  unsetenv("GOOGLE_CLOUD_PROJECT");
  unlink(path);
}

TEST_MAIN_SIDE_BY_SIDE("auth cred default", TEST(the_metadata_server_comes_last),
                       TEST(home_is_looked_at_without_cloudsdk_config),
                       TEST(where_nothing_is_found_the_places_are_named),
                       TEST(what_does_not_say_google_is_no_metadata_server),
                       TEST(a_silent_metadata_server_costs_seconds_at_most),
                       TEST(the_metadata_server_gives_a_token_for_the_scope),
                       TEST(the_environments_proxy_is_not_asked_for_tokens),
                       TEST(each_failure_of_the_metadata_server_is_told_apart),
                       TEST(the_quota_project_is_the_files_then_the_environments),
                       TEST(a_quota_project_that_is_none_is_refused_by_the_variables_name))
