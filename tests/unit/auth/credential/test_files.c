/* Google's credential files: what is taken, and the assertion a service account sends. */
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auth-svc/credential/config.h"
#include "auth-svc/credential/credential.h"
#include "auth-svc/credential/exchange.h"
#include "auth-svc/identity/jwt.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/fake_endpoint.h"
#include "tests/unit/auth/support/jwt_maker.h"
#include "tests/unit/harness.h"

static struct credential *from(const char *json, struct err *e)
{
  struct credential *c = NULL;
  *e = (struct err){0};
  enum err_code code = credential_from_adc_json(&c, "adc.json", json, strlen(json), e);
  CU_ASSERT_EQUAL(code == ERR_OK, c != NULL);
  return c;
}

static void an_authorized_user_file_is_taken(void)
{
  struct err e;
  struct credential *c =
      from("{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":\"s\","
           "\"refresh_token\":\"r\",\"quota_project_id\":\"payer\",\"universe_domain\":\"x\"}",
           &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(c);
  CU_ASSERT_STRING_EQUAL(c->kind->name, "authorized_user");
  CU_ASSERT_STRING_EQUAL(c->quota_project, "payer");
  credential_unref(c);
}

static void files_that_do_not_fit_are_refused_by_field(void)
{
  static const struct {
    const char *json, *message;
  } table[] = {
      {"{}", "adc.json line 1: type: must be \"authorized_user\", \"service_account\", "
             "\"external_account\" or \"impersonated_service_account\""},
      {"[]", "adc.json line 1: type: must be \"authorized_user\", \"service_account\", "
             "\"external_account\" or \"impersonated_service_account\""},
      {"{\n\"type\":\"gdch\"}",
       "adc.json line 2: type: must be \"authorized_user\", \"service_account\", "
       "\"external_account\" or \"impersonated_service_account\""},
      {"{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":\"s3cret\"}",
       "adc.json line 1: refresh_token: missing; must be a non-empty string"},
      {"{\"type\":\"service_account\",\n\"client_email\":\"\",\"private_key\":\"x\"}",
       "adc.json line 2: client_email: must be a non-empty string"},
      {"{\"type\":\"service_account\",\"client_email\":\"e\",\n\n\"private_key\":\"x\"}",
       "adc.json line 3: private_key: must be an RSA key of 2048 to 8192 bits in PEM"},
      {"{\"type\":\"service_account\",\"client_email\":\"e\",\"private_key\":\"x\",\"token_uri\":"
       "\"file:///etc\"}",
       "adc.json line 1: token_uri: must be an https URL"},
  };
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    struct err e;
    struct credential *c = from(table[i].json, &e);
    CU_ASSERT_PTR_NULL(c);
    CU_ASSERT_STRING_EQUAL(e.message, table[i].message);
    credential_unref(c);
  }
}

/* ------------------------------------------------------------------ service account */

static char *service_account_json(EVP_PKEY *key, const char *token_uri)
{
  AUTO_FREE char *pem = maker_private_pem(key);
  struct buf b = BUF_INIT(1 << 16);
  buf_puts(&b, "{\"type\":\"service_account\",\"client_email\":\"reader@x.iam\",\"private_key\":");
  buf_put_json_string(&b, pem, strlen(pem));
  buf_printf(&b, ",\"private_key_id\":\"key-1\",\"token_uri\":\"%s\"}", token_uri);
  return buf_take(&b, NULL);
}

/* Where the client's thread leaves a reply. */
struct letter_box {
  sem_t arrived;
  struct token_reply reply;
};

static void on_token(void *user, struct token_reply *reply)
{
  struct letter_box *box = user;
  box->reply = *reply;
  reply->access_token = reply->refresh_token = NULL; /* taken over */
  sem_post(&box->arrived);
}

/* Percent-decodes a form value in place. */
static void percent_decode(char *s)
{
  char *out = s;
  while (*s != '\0') {
    bool coded = *s == '%';
    char hex[3] = {coded ? s[1] : '0', coded ? s[2] : '0', '\0'};
    *out++ = coded ? (char)strtol(hex, NULL, 16) : *s;
    s += coded ? 3 : 1;
  }
  *out = '\0';
}

static struct token_reply obtain(struct credential *c)
{
  struct token_env env = {0};
  struct letter_box box = {0};
  const struct http_client_options options = {.user_agent = "test"};
  sem_init(&box.arrived, 0, 0);
  CU_ASSERT_EQUAL(http_client_new(&env.http, &options, NULL), ERR_OK);
  CU_ASSERT_EQUAL(c->kind->obtain(c, &env, NULL, on_token, &box, NULL), ERR_OK);
  while (sem_wait(&box.arrived) != 0)
    continue; /* a signal */
  http_client_free(env.http);
  sem_destroy(&box.arrived);
  return box.reply;
}

static void a_service_account_sends_an_assertion_google_would_take(void)
{
  struct fake_endpoint *fake = fake_start();
  EVP_PKEY *key = maker_key(JWT_RS256);
  AUTO_FREE char *json = service_account_json(key, fake_url(fake));
  struct err e;
  struct credential *c = from(json, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(c);
  struct token_reply reply = obtain(c);
  CU_ASSERT_STRING_EQUAL(secret_text(reply.access_token), "token-1");
  token_reply_clear(&reply);

  char form[16384];
  fake_last_form(fake, form, sizeof(form));
  percent_decode(form);
  static const char start[] = "grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=";
  CU_ASSERT_EQUAL_FATAL(strncmp(form, start, strlen(start)), 0);
  const char *assertion = form + strlen(start);

  /* Checked with the verifier of bearer tokens, as Google checks it. */
  struct jwt_keys *keys = jwt_keys_new();
  AUTO_FREE char *pem = maker_public_pem(key);
  jwt_keys_add_pem(keys, "k", pem, strlen(pem), NULL);
  const struct jwt_policy policy = {
      .keys = keys, .issuer = "reader@x.iam", .audience = fake_url(fake)};
  AUTO_JSON cJSON *claims = NULL;
  int64_t now = clock_unix_ms() / 1000;
  CU_ASSERT_EQUAL_FATAL(jwt_verify(&claims, &policy, assertion, strlen(assertion), now, &e),
                        ERR_OK);
  CU_ASSERT_STRING_EQUAL(json_get_string(claims, "scope"), ANALYTICS_SCOPE);
  double iat = json_get_number(claims, "iat", 0);
  CU_ASSERT_TRUE(iat >= (double)now - 5 && iat <= (double)now);
  CU_ASSERT_EQUAL(json_get_number(claims, "exp", 0), iat + 3600);
  AUTO_BUF struct buf header = BUF_INIT(1024);
  base64_decode(&header, assertion, strcspn(assertion, "."));
  CU_ASSERT_STRING_EQUAL(buf_str(&header), "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"key-1\"}");
  jwt_keys_unref(keys);
  credential_unref(c);
  EVP_PKEY_free(key);
  fake_stop(fake);
}

static void a_refused_key_is_the_operators_fault(void)
{
  struct fake_endpoint *fake = fake_start();
  fake_set(fake, &(struct fake_answer){.status = 400,
                                       .body = "{\"error\":\"invalid_grant\",\"error_description\":"
                                               "\"Invalid JWT Signature.\"}"});
  EVP_PKEY *key = maker_key(JWT_RS256);
  AUTO_FREE char *json = service_account_json(key, fake_url(fake));
  struct err e;
  struct credential *c = from(json, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(c);
  struct token_reply reply = obtain(c);
  CU_ASSERT_EQUAL(reply.outcome, TOKEN_OPERATOR_FAULT);
  CU_ASSERT_PTR_NOT_NULL(strstr(reply.error.message, "Invalid JWT Signature."));
  CU_ASSERT_PTR_NULL(strstr(reply.error.message, "re-consent"));
  credential_unref(c);
  EVP_PKEY_free(key);
  fake_stop(fake);
}

/* -------------------------------------------------------------------- where it is found */

static void default_credentials_are_found_in_googles_order(void)
{
  char dir[] = "/tmp/auth-adc-XXXXXX";
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
  AUTO_FREE char *path = xasprintf("%s/application_default_credentials.json", dir);
  FILE *f = fopen(path, "w");
  fputs("{\"type\":\"authorized_user\",\"client_id\":\"i\",\"client_secret\":\"s\","
        "\"refresh_token\":\"r\"}",
        f);
  fclose(f);
  setenv("CLOUDSDK_CONFIG", dir, 1);
  setenv("NO_GCE_CHECK", "true", 1); /* test_cred_default.c has the metadata server */
  struct credential *c = NULL;
  struct err e = {0};
  CU_ASSERT_EQUAL(credential_find_adc(&c, NULL, false, &e), ERR_OK);
  credential_unref(c);
  CU_ASSERT_EQUAL(credential_find_adc(&c, path, false, &e), ERR_OK);
  credential_unref(c);
  /* A file that was named must be there: no silent fallback. */
  CU_ASSERT_EQUAL(credential_find_adc(&c, "/nonexistent.json", false, &e), ERR_NOT_FOUND);
  CU_ASSERT_EQUAL(strncmp(e.message, "GOOGLE_APPLICATION_CREDENTIALS: cannot open", 43), 0);
  unlink(path);
  CU_ASSERT_EQUAL(credential_find_adc(&c, NULL, false, &e), ERR_NOT_FOUND);
  unsetenv("CLOUDSDK_CONFIG");
  unsetenv("NO_GCE_CHECK");
  rmdir(dir);
}

static void hosts_of_urls_are_read_carefully(void)
{
  char host[32];
  CU_ASSERT_TRUE(url_host("https://oauth2.googleapis.com/token", host, sizeof(host)));
  CU_ASSERT_STRING_EQUAL(host, "oauth2.googleapis.com");
  CU_ASSERT_TRUE(url_host("HTTP://127.0.0.1:80?x", host, sizeof(host)));
  CU_ASSERT_STRING_EQUAL(host, "127.0.0.1:80");
  CU_ASSERT_FALSE(url_host("ftp://x/", host, sizeof(host)));
  CU_ASSERT_FALSE(url_host("https:///x", host, sizeof(host)));
  CU_ASSERT_FALSE(url_host("https://user:pw@x/", host, sizeof(host)));
  CU_ASSERT_FALSE(url_host("https://a-name-that-is-far-too-long-for-this/", host, sizeof(host)));
}

TEST_MAIN("auth credential", TEST(an_authorized_user_file_is_taken),
          TEST(files_that_do_not_fit_are_refused_by_field),
          TEST(a_service_account_sends_an_assertion_google_would_take),
          TEST(a_refused_key_is_the_operators_fault),
          TEST(default_credentials_are_found_in_googles_order),
          TEST(hosts_of_urls_are_read_carefully))
