/* Tokens, the service account's assertions, faults, the OAuth and API answers. */
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/api/api.h"
#include "ga4-sim/login/login.h"
#include "tests/unit/sim/support/fixture.h"

static struct options options = {.token_lifetime_s = 3599};
static struct sim sim;

static struct sim *the_sim(void)
{
  struct err e = {0};
  if (sim.world == NULL)
    CU_ASSERT_EQUAL_FATAL(sim_open(&sim, &options, fixture_world(), NULL, &e), ERR_OK);
  return &sim;
}

static const char *token_of(const struct tokens *t, int64_t identity, int64_t expires)
{
  static char out[TOKEN_MAX_BYTES];
  const struct token token = {.identity = identity,
                              .expires_unix_s = expires,
                              .scopes = SCOPE_ANALYTICS_READONLY,
                              .kind = TOKEN_USER};
  tokens_issue(t, &token, out, sizeof(out));
  return out;
}

static void tokens_say_who_and_until_when(void)
{
  struct tokens t, other;
  struct token read;
  char token[TOKEN_MAX_BYTES];
  tokens_init(&t, 1);
  tokens_init(&other, 2);
  snprintf(token, sizeof(token), "%s", token_of(&t, 5, 1000));
  CU_ASSERT_STRING_NOT_EQUAL(token, token_of(&t, 5, 1000));
  CU_ASSERT_TRUE(tokens_check(&t, token, 999, &read));
  CU_ASSERT_EQUAL(read.identity, 5);
  CU_ASSERT_EQUAL(read.scopes, SCOPE_ANALYTICS_READONLY);
  CU_ASSERT_FALSE(tokens_check(&t, token, 1000, &read));
  CU_ASSERT_FALSE(tokens_check(&other, token, 999, &read));
  token[20] = token[20] == 'A' ? 'B' : 'A';
  CU_ASSERT_FALSE(tokens_check(&t, token, 999, &read));
  CU_ASSERT_FALSE(tokens_check(&t, "ya29.a0", 0, &read));
}

/* Calls the token endpoint; answers the member of the JSON body. */
static const char *token_call(const char *body, const char *name, int *status)
{
  static char out[512];
  struct request q = {.method = "POST", .path = "/token", .body = body, .body_len = strlen(body)};
  struct reply r;
  struct err e;
  AUTO_JSON cJSON *json = NULL;
  reply_init(&r);
  oauth_token(the_sim(), &q, &r);
  *status = r.status;
  CU_ASSERT_EQUAL(json_parse(&json, buf_str(&r.body), r.body.len, NULL, &e), ERR_OK);
  const char *value = json_get_string(json, name);
  snprintf(out, sizeof(out), "%s", value == NULL ? "" : value);
  reply_free(&r);
  return out;
}

static char *refresh_body(const char *id, const char *secret, const char *token)
{
  return xasprintf("grant_type=refresh_token&client_id=%s&client_secret=%s&refresh_token=%s", id,
                   secret, token);
}

static void the_token_endpoint_answers_as_googles(void)
{
  const struct world_property *p = &the_sim()->world->properties[0];
  const struct world_property *other = &the_sim()->world->properties[1];
  AUTO_FREE char *good = refresh_body(p->client_id, p->client_secret, p->refresh_token);
  AUTO_FREE char *revoked = refresh_body(p->client_id, p->client_secret, "1//gone");
  AUTO_FREE char *stranger = refresh_body("nobody", "x", p->refresh_token);
  AUTO_FREE char *secret = refresh_body(p->client_id, "wrong", p->refresh_token);
  AUTO_FREE char *foreign = refresh_body(p->client_id, p->client_secret, other->refresh_token);
  const struct {
    const char *body;
    int status;
    const char *member, *value;
  } cases[] = {
      {good, 200, "token_type", "Bearer"},
      {revoked, 400, "error", "invalid_grant"},
      {stranger, 401, "error", "invalid_client"},
      {secret, 401, "error", "invalid_client"},
      {foreign, 401, "error", "unauthorized_client"},
      {"grant_type=password", 400, "error", "unsupported_grant_type"},
      {"grant_type=password", 400, "error_description", "Invalid grant_type: password"},
      {"", 400, "error", "invalid_request"},
      {"grant_type=refresh_token", 400, "error", "invalid_request"},
      {"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=abc", 400,
       "error", "invalid_request"},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    int status;
    CU_ASSERT_STRING_EQUAL(token_call(cases[i].body, cases[i].member, &status), cases[i].value);
    CU_ASSERT_EQUAL(status, cases[i].status);
  }
}

/* Calls the API on a property; answers the status and the error's message. */
static int api_call(const char *path, const char *bearer, const char *body, char *message,
                    size_t size)
{
  AUTO_FREE char *authorization = bearer == NULL ? NULL : xasprintf("Bearer %s", bearer);
  struct request q = {.method = body == NULL ? "GET" : "POST",
                      .path = path,
                      .authorization = authorization,
                      .body = body == NULL ? "" : body,
                      .body_len = body == NULL ? 0 : strlen(body)};
  struct reply r;
  reply_init(&r);
  api_handle(the_sim(), &q, &r);
  AUTO_JSON cJSON *json = cJSON_Parse(buf_str(&r.body));
  const char *text = json_get_string(cJSON_GetObjectItem(json, "error"), "message");
  snprintf(message, size, "%s", text == NULL ? "" : text);
  int status = r.status;
  reply_free(&r);
  return status;
}

static void a_token_of_one_dealer_does_not_open_another(void)
{
  struct sim *s = the_sim();
  char text[512];
  const char *token = token_of(&s->tokens, 0, clock_unix_ms() / 1000 + 60);
  const char *body = fixture_json("{'metrics':[{'name':'sessions'}],'dateRanges':[{'startDate':"
                                  "'7daysAgo','endDate':'yesterday'}]}");
  AUTO_FREE char *own =
      xasprintf("/v1beta/properties/%s:runReport", s->world->properties[0].id_text);
  AUTO_FREE char *other =
      xasprintf("/v1beta/properties/%s:runReport", s->world->properties[1].id_text);
  CU_ASSERT_EQUAL(api_call(own, token, body, text, sizeof(text)), 200);
  CU_ASSERT_EQUAL(api_call(other, token, body, text, sizeof(text)), 403);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "User does not have sufficient permissions"));
  CU_ASSERT_EQUAL(api_call("/v1beta/properties/1:runReport", token, body, text, sizeof(text)), 403);
  CU_ASSERT_EQUAL(api_call("/v1beta/properties/abc:runReport", token, body, text, sizeof(text)),
                  400);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "Invalid property ID: abc. A numeric"));
  CU_ASSERT_EQUAL(api_call(own, NULL, body, text, sizeof(text)), 401);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "missing required authentication credential"));
  CU_ASSERT_EQUAL(api_call(own, "ya29.nonsense", body, text, sizeof(text)), 401);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "invalid authentication credentials"));
  /* The wrong verb is not a method. */
  CU_ASSERT_EQUAL(api_call(own, token, NULL, text, sizeof(text)), 404);
}

static enum err_code add(const char *fault, struct err *e)
{
  const char *text = fixture_json(fault);
  AUTO_JSON cJSON *json = cJSON_Parse(text);
  AUTO_JSON cJSON *added = NULL;
  return faults_add(the_sim()->faults, the_sim()->world, json, &added, e);
}

static void faults_hit_their_target_as_often_as_asked(void)
{
  struct faults *f = the_sim()->faults;
  struct err e = {0};
  CU_ASSERT_EQUAL(add("{'dealer_id':'d02','kind':'503','times':2}", &e), ERR_OK);
  CU_ASSERT_EQUAL(add("{'dealer_id':'*','kind':'latency','ms':30}", &e), ERR_OK);
  CU_ASSERT_EQUAL(faults_take(f, 0, ENDPOINT_REPORT).kind, FAULT_NONE);
  CU_ASSERT_EQUAL(faults_take(f, 0, ENDPOINT_REPORT).delay_ms, 30);
  CU_ASSERT_EQUAL(faults_take(f, 1, ENDPOINT_TOKEN).kind, FAULT_NONE);
  CU_ASSERT_EQUAL(faults_take(f, 1, ENDPOINT_REPORT).kind, FAULT_503);
  CU_ASSERT_EQUAL(faults_take(f, 1, ENDPOINT_ADMIN).kind, FAULT_503);
  CU_ASSERT_EQUAL(faults_take(f, 1, ENDPOINT_REPORT).kind, FAULT_NONE);
  CU_ASSERT_EQUAL(faults_clear(f, 0), 1);
  CU_ASSERT_EQUAL(faults_take(f, 1, ENDPOINT_REPORT).delay_ms, 0);
}

static void faults_that_make_no_sense_are_refused_with_a_reason(void)
{
  static const char *const bad[][2] = {
      {"{'kind':'503'}", "exactly one of"},
      {"{'dealer_id':'d99','kind':'503'}", "d99"},
      {"{'dealer_id':'d01','kind':'teapot'}", "kind must be"},
      {"{'dealer_id':'d01','kind':'503','times':0}", "times must be"},
      {"{'dealer_id':'d01','kind':'latency','ms':-1}", "ms must be"},
      {"{'dealer_id':'d01','kind':'invalid_grant','endpoint':'report'}", "endpoint must be"},
      {"[]", "JSON object"},
  };
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    struct err e = {0};
    CU_ASSERT_NOT_EQUAL(add(bad[i][0], &e), ERR_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, bad[i][1]));
  }
}

static void server_errors_use_up_their_quota(void)
{
  struct sim *s = the_sim();
  struct err e = {0};
  char text[512];
  const char *token = token_of(&s->tokens, 2, clock_unix_ms() / 1000 + 60);
  AUTO_FREE char *path =
      xasprintf("/v1beta/properties/%s/metadata", s->world->properties[2].id_text);
  CU_ASSERT_EQUAL(add("{'dealer_id':'d03','kind':'500'}", &e), ERR_OK);
  for (int i = 0; i < QUOTA_SERVER_ERRORS_HOUR; i++)
    CU_ASSERT_EQUAL(api_call(path, token, NULL, text, sizeof(text)), 500);
  CU_ASSERT_EQUAL(api_call(path, token, NULL, text, sizeof(text)), 429);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, "Exhausted server errors quota"));
  faults_clear(s->faults, 0);
  quota_reset(s->quota);
  CU_ASSERT_EQUAL(api_call(path, token, NULL, text, sizeof(text)), 200);
}

static void cleanup_last(void)
{
  sim_close(&sim);
  fixture_free();
}

TEST_MAIN("sim_access", TEST(tokens_say_who_and_until_when),
          TEST(the_token_endpoint_answers_as_googles),
          TEST(a_token_of_one_dealer_does_not_open_another),
          TEST(faults_hit_their_target_as_often_as_asked),
          TEST(faults_that_make_no_sense_are_refused_with_a_reason),
          TEST(server_errors_use_up_their_quota), TEST(cleanup_last))
