/* Fuzz target of whole ways to an access token, the servers' answers being the input: the first
 * byte chooses the credential, then come answers (fake_http.h) of token endpoint, STS, IAM
 * Credentials, the metadata servers of Google and AWS, or a URL with subject tokens.
 *
 * Whatever they answer: nobody else is asked, `done` runs once, with a token that can be sent or
 * an error that repeats none of our secrets. */
#include "auth-svc/config/snapshot.h"
#include "auth-svc/credential/exchange.h"
#include "common/base/log.h"
#include "tests/fuzz/fake_http.h"
#include "tests/unit/auth/support/jwt_maker.h"

#define CLIENT_SECRET "GOCSPX-fuzz-client-secret"
#define REFRESH_TOKEN "fuzz-refresh-token-of-a-dealer" /* as a form has it: nothing to encode */
#define URL_SECRET "fuzz-header-of-the-token-url"
#define IAM                                                                                        \
  "\"service_account_impersonation_url\":\"https://iamcredentials.googleapis.com/v1/projects/-/"   \
  "serviceAccounts/s@p.iam.gserviceaccount.com:generateAccessToken\""
#define FEDERATED                                                                                  \
  "\"external_account\":{\"audience\":\"//iam.googleapis.com/projects/1/locations/global/"         \
  "workloadIdentityPools/p/providers/q\",\"subject_token_type\":\"urn:ietf:params:"
#define USER                                                                                       \
  "\"client_id\":\"c\",\"client_secret\":\"" CLIENT_SECRET "\",\"refresh_token\":\"" REFRESH_TOKEN \
  "\""

/* %s is the private key of a service account. */
static const char *const credentials[] = {
    "\"oauth\":{" USER "}",
    "\"service_account\":{\"client_email\":\"e@p.example\",\"private_key\":%s}",
    FEDERATED "oauth:token-type:jwt\",\"credential_source\":{\"url\":\"http://169.254.170.2/id\","
              "\"headers\":{\"x-fuzz\":\"" URL_SECRET "\"},\"format\":{\"type\":\"json\","
              "\"subject_token_field_name\":\"id_token\"}}," IAM "}",
    FEDERATED "aws:token-type:aws4_request\",\"credential_source\":{\"environment_id\":\"aws1\","
              "\"region_url\":\"http://169.254.169.254/latest/meta-data/placement/"
              "availability-zone\",\"url\":\"http://169.254.169.254/latest/meta-data/iam/"
              "security-credentials\",\"imdsv2_session_token_url\":\"http://169.254.169.254/latest/"
              "api/token\",\"regional_cred_verification_url\":\"https://sts.{region}.amazonaws.com"
              "?Action=GetCallerIdentity&Version=2011-06-15\"}}",
    "\"impersonated_service_account\":{\"source_credentials\":{\"type\":\"authorized_user\"," USER
    "}," IAM "}",
    FEDERATED "oauth:token-type:jwt\",\"credential_source\":{\"url\":\"http://169.254.170.2/id\"}}",
};
/* The last one is the metadata server's. */
enum { CREDENTIALS = ARRAY_LEN(credentials) + 1 };

static const char *const allowed[] = {
    GOOGLE_TOKEN_ENDPOINT,
    "https://sts.googleapis.com/v1/token",
    "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/",
    "http://169.254.169.254/latest/",
    "http://169.254.170.2/id",
    "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token?",
    NULL};

static struct snapshot *load(size_t i, const char *key)
{
  struct snapshot *s = NULL;
  struct err e = {0};
  struct buf json = BUF_INIT(1 << 16);
  buf_puts(&json, "[{\"account_id\":\"a\",\"name\":\"A\",\"region\":\"R\",\"properties\":[\"1\"],");
  const char *mark = strstr(credentials[i], "%s");
  size_t before = mark != NULL ? (size_t)(mark - credentials[i]) : strlen(credentials[i]);
  buf_append(&json, credentials[i], before);
  if (mark != NULL) {
    buf_put_json_string(&json, key, strlen(key));
    buf_puts(&json, mark + 2);
  }
  buf_puts(&json, "}]");
  if (snapshot_parse(&s, "fuzz", buf_str(&json), json.len, NULL, &e) != ERR_OK) {
    fprintf(stderr, "%s\n", e.message);
    abort();
  }
  buf_free(&json);
  return s;
}

static struct credential *credential_of(uint8_t choice)
{
  static struct credential *all[CREDENTIALS];
  static struct snapshot *worlds[CREDENTIALS];
  if (all[0] == NULL) {
    EVP_PKEY *rsa = maker_key(JWT_RS256);
    AUTO_FREE char *key = maker_private_pem(rsa);
    for (size_t i = 0; i < ARRAY_LEN(credentials); i++) {
      worlds[i] = load(i, key);
      all[i] = snapshot_credential(worlds[i], &worlds[i]->directory->dealers[0]);
    }
    all[CREDENTIALS - 1] = credential_new_metadata("metadata.google.internal", ANALYTICS_SCOPE);
    EVP_PKEY_free(rsa);
  }
  return all[choice % CREDENTIALS];
}

/* A server may say what it likes, but what we told it is not repeated. */
static void check_error(const struct err *e)
{
  static const char *const secrets[] = {CLIENT_SECRET, REFRESH_TOKEN, URL_SECRET};
  FUZZ_MUST(e->code != ERR_OK && e->message[0] != '\0' && e->reason[0] != '\0');
  for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
    FUZZ_MUST(!fake_http_sent(secrets[i]) || strstr(e->message, secrets[i]) == NULL);
}

static void done(void *user, struct token_reply *r)
{
  int *times = user;
  ++*times;
  if (r->outcome != TOKEN_OBTAINED) {
    FUZZ_MUST(r->access_token == NULL && r->retry_after_ms <= 300 * 1000);
    check_error(&r->error);
    return;
  }
  const char *token = secret_text(r->access_token);
  FUZZ_MUST(*token != '\0' && strlen(token) <= TOKEN_MAX_BYTES);
  for (const char *p = token; *p != '\0'; p++)
    FUZZ_MUST(*p > ' ' && *p < 0x7f);
  FUZZ_MUST(r->expires_in_s > 0 && r->expires_in_s <= TOKEN_LIFE_MAX_S);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input in = {data, size};
  int times = 0;
  struct err e = {0};
  log_init("fuzz", LOG_LEVEL_OFF);
  const struct credential *c = credential_of(fuzz_byte(&in));
  const struct token_env env = {.http = fake_http()};
  if (c->kind->obtain(c, &env, NULL, done, &times, &e) != ERR_OK) {
    check_error(&e);
    FUZZ_MUST(times == 0 && fake_http_question(allowed) == NULL);
    return 0;
  }
  for (int asked = 0; fake_http_question(allowed) != NULL; asked++) {
    FUZZ_MUST(times == 0 && asked < 8);
    fake_http_answer(&in);
  }
  FUZZ_MUST(times == 1);
  return 0;
}
