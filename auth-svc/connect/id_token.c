/* The claims of an ID token. */
#include <string.h>

#include "auth-svc/connect/google.h"
#include "auth-svc/secret/json.h"
#include "common/base/codec.h"
#include "common/base/mem.h"

enum { ID_TOKEN_MAX = 16 * 1024, LEEWAY_S = 60 };

static enum err_code bad(struct err *e, const char *what)
{
  return err_set(e, ERR_UNAUTHENTICATED, "bad_id_token",
                 "the ID token that came with Google's answer is not usable: %s", what);
}

static bool copy_claim(const cJSON *claims, const char *key, char *out, size_t size)
{
  const char *text = json_get_string(claims, key);
  if (text == NULL || text[0] == '\0' || strlen(text) >= size)
    return false;
  memcpy(out, text, strlen(text) + 1);
  return true;
}

static bool is_google(const char *iss)
{
  return iss != NULL && (strcmp(iss, "https://accounts.google.com") == 0 ||
                         strcmp(iss, "accounts.google.com") == 0);
}

static enum err_code check(const cJSON *claims, const char *client_id, const char *nonce,
                           int64_t now_s, struct err *e)
{
  const char *aud = json_get_string(claims, "aud"), *own = json_get_string(claims, "nonce");
  if (!is_google(json_get_string(claims, "iss")))
    return bad(e, "iss is not Google");
  if (aud == NULL || strcmp(aud, client_id) != 0)
    return bad(e, "aud is another client");
  if (json_get_number(claims, "exp", 0) + LEEWAY_S < (double)now_s)
    return bad(e, "exp has passed; is this machine's clock right?");
  if (own == NULL || strcmp(own, nonce) != 0)
    return bad(e, "nonce belongs to another session");
  return ERR_OK;
}

enum err_code google_id_token(struct google_tokens *out, const char *id_token,
                              const char *client_id, const char *nonce, int64_t now_s,
                              struct err *e)
{
  AUTO_BUF struct buf text = BUF_INIT(ID_TOKEN_MAX);
  AUTO_JSON cJSON *claims = NULL;
  const char *begin = strchr(id_token, '.');
  size_t len = begin != NULL ? strcspn(begin + 1, ".") : 0;
  if (len == 0 || !base64_decode(&text, begin + 1, len) ||
      json_parse(&claims, text.data, text.len, NULL, NULL) != ERR_OK)
    return bad(e, "it is not a JWT");
  enum err_code code = check(claims, client_id, nonce, now_s, e);
  if (code != ERR_OK)
    return code;
  if (!copy_claim(claims, "sub", out->google_sub, sizeof(out->google_sub)) ||
      !copy_claim(claims, "email", out->google_account, sizeof(out->google_account)))
    return bad(e, "sub or email is missing");
  return ERR_OK;
}
