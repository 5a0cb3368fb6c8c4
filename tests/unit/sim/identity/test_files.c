/* dealers.json with every kind of credentials, and the files it refers to. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/base/file.h"
#include "ga4-sim/dealers_file.h"
#include "tests/unit/sim/support/identity_fixture.h"

static const char *const kinds[] = {"oauth", "service_account", "external_account",
                                    "impersonated_service_account"};

static char dir[] = "/tmp/ga4-sim-dealers-XXXXXX";

static cJSON *written(enum credential_kinds k)
{
  struct options options = {.token_lifetime_s = 3599, .credential_kinds = k};
  struct sim *s = identity_sim();
  const struct options *usual = s->options;
  struct err e = {0};
  struct stat st;
  AUTO_BUF struct buf text = BUF_INIT(4 << 20);
  AUTO_FREE char *path = xasprintf("%s/dealers.json", dir);
  cJSON *json = NULL;
  s->options = &options;
  CU_ASSERT_EQUAL(dealers_file_write(s, path, &e), ERR_OK);
  s->options = usual;
  CU_ASSERT_TRUE(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
  CU_ASSERT_TRUE(file_read(path, &text));
  CU_ASSERT_EQUAL_FATAL(json_parse(&json, buf_str(&text), text.len, NULL, &e), ERR_OK);
  unlink(path);
  return json;
}

static void every_dealer_has_an_oauth_client_by_default(void)
{
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
  AUTO_JSON cJSON *json = written(CREDENTIALS_OAUTH);
  const cJSON *d, *dealers = cJSON_GetObjectItem(json, "dealers");
  CU_ASSERT_EQUAL(cJSON_GetArraySize(dealers), 24);
  cJSON_ArrayForEach(d, dealers)
  {
    const cJSON *oauth = cJSON_GetObjectItem(d, "oauth");
    CU_ASSERT_STRING_EQUAL(json_get_string(oauth, "token_uri"), BASE "/token");
    CU_ASSERT_PTR_NOT_NULL(json_get_string(oauth, "refresh_token"));
    CU_ASSERT_EQUAL(cJSON_GetArraySize(cJSON_GetObjectItem(d, "properties")), 1);
  }
}

static void check_token_file(const cJSON *external)
{
  const char *path = json_get_string(cJSON_GetObjectItem(external, "credential_source"), "file");
  struct stat st;
  if (path == NULL)
    return;
  CU_ASSERT_EQUAL(path[0], '/');
  CU_ASSERT_TRUE(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
  unlink(path);
}

static void mixed_kinds_give_each_dealer_exactly_one(void)
{
  AUTO_JSON cJSON *json = written(CREDENTIALS_MIXED);
  const cJSON *d;
  int seen[4] = {0}, files = 0, aws = 0, urls = 0, direct = 0, users = 0;
  cJSON_ArrayForEach(d, cJSON_GetObjectItem(json, "dealers"))
  {
    int own = 0;
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
      if (cJSON_HasObjectItem(d, kinds[k])) {
        own++;
        seen[k]++;
      }
    CU_ASSERT_EQUAL(own, 1);
    const cJSON *external = cJSON_GetObjectItem(d, "external_account");
    const cJSON *source = cJSON_GetObjectItem(external, "credential_source");
    files += cJSON_HasObjectItem(source, "file");
    aws += cJSON_HasObjectItem(source, "environment_id");
    urls += cJSON_HasObjectItem(source, "url") && !cJSON_HasObjectItem(source, "environment_id");
    direct +=
        external != NULL && !cJSON_HasObjectItem(external, "service_account_impersonation_url");
    const cJSON *from = cJSON_GetObjectItem(cJSON_GetObjectItem(d, "impersonated_service_account"),
                                            "source_credentials");
    users += from != NULL && strcmp(json_get_string(from, "type"), "authorized_user") == 0;
    check_token_file(external);
  }
  for (size_t k = 0; k < 4; k++)
    CU_ASSERT_EQUAL(seen[k], 6);
  CU_ASSERT_TRUE(files >= 3 && aws >= 1 && urls >= 1 && direct >= 1);
  CU_ASSERT_EQUAL(users, 3);
  CU_ASSERT_EQUAL(rmdir(dir), 0);
}

static void a_missing_folder_is_named(void)
{
  struct err e = {0};
  CU_ASSERT_NOT_EQUAL(dealers_file_write(identity_sim(), "/nowhere/dealers.json", &e), ERR_OK);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "/nowhere/dealers.json"));
  identity_free();
}

TEST_MAIN("sim_identity_files", TEST(every_dealer_has_an_oauth_client_by_default),
          TEST(mixed_kinds_give_each_dealer_exactly_one), TEST(a_missing_folder_is_named))
