/* Fuzz target of a token endpoint's answers: two bytes of choices and status, a Retry-After line,
 * the body. A token only with a status of 200, its life within limits, and nothing we sent in an
 * error. */
#include "auth-svc/credential/exchange.h"
#include "tests/fuzz/fuzz.h"

#define CLIENT_SECRET "GOCSPX-fuzz-secret"
#define REFRESH_TOKEN "1//0gFuzz-Refresh"

static void check(const struct token_reply *r, int status)
{
  if (r->outcome == TOKEN_OBTAINED) {
    FUZZ_MUST(status == 200 && secret_len(r->access_token) > 0);
    FUZZ_MUST(secret_len(r->access_token) <= TOKEN_MAX_BYTES);
    FUZZ_MUST(r->expires_in_s > 0 && r->expires_in_s <= TOKEN_LIFE_MAX_S);
    return;
  }
  FUZZ_MUST(r->access_token == NULL && r->error.code != ERR_OK && r->error.message[0] != '\0');
  FUZZ_MUST(strstr(r->error.message, CLIENT_SECRET) == NULL);
  FUZZ_MUST(strstr(r->error.message, REFRESH_TOKEN) == NULL);
  FUZZ_MUST(r->retry_after_ms <= 300 * 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const int statuses[] = {200, 400, 401, 403, 404, 429, 500, 503};
  static const struct form_field form[] = {{"grant_type", "refresh_token", true},
                                           {"client_secret", CLIENT_SECRET, false},
                                           {"refresh_token", REFRESH_TOKEN, false}};
  static const enum grant_kind grants[] = {GRANT_REFRESH_TOKEN, GRANT_JWT_BEARER, GRANT_STS_FILE,
                                           GRANT_STS_AWS, GRANT_REFRESH_SOURCE};
  struct fuzz_input in = {data, size};
  uint8_t choice = fuzz_byte(&in);
  AUTO_FREE char *retry_after = fuzz_line(&in);
  AUTO_FREE char *body = fuzz_rest(&in);
  struct http_response response = {.status = statuses[choice & 7],
                                   .body = body,
                                   .body_len = in.len,
                                   .content_type = "application/json",
                                   .retry_after = retry_after,
                                   .www_authenticate = ""};
  struct token_reply reply = {0};
  token_reply_read(&reply, &response, "oauth2.example", grants[(choice >> 3) % ARRAY_LEN(grants)],
                   form, ARRAY_LEN(form));
  check(&reply, response.status);
  token_reply_clear(&reply);
  return 0;
}
