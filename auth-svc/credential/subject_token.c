/* What the sources of subject tokens share. */
#include "auth-svc/credential/subject_token.h"

#include <string.h>

#include "auth-svc/credential/answer.h"
#include "auth-svc/secret/json.h"
#include "common/base/json.h"
#include "common/base/mem.h"

void subject_free(struct subject_source *s)
{
  if (s != NULL)
    s->kind->destroy(s);
}

static bool is_blank(char c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Files end with a newline that is not part of the token. */
static bool take(struct secret **out, const char *text, size_t len, const char **why)
{
  while (len > 0 && is_blank(text[len - 1]))
    len--;
  while (len > 0 && is_blank(*text)) {
    text++;
    len--;
  }
  *why = len == 0 ? "is empty" : "holds a token of more than 16 KiB";
  if (len == 0 || len > SUBJECT_TOKEN_MAX)
    return false;
  *why = "holds something that is not a token; is credential_source.format right?";
  for (size_t i = 0; i < len; i++)
    if ((unsigned char)text[i] < 0x20 || (unsigned char)text[i] >= 0x7f)
      return false;
  *out = secret_new(text, len);
  return true;
}

bool subject_extract(struct secret **out, const char *text, size_t len, const char *json_field,
                     const char **why)
{
  if (json_field == NULL)
    return take(out, text, len, why);
  AUTO_WIPED_JSON cJSON *body = NULL;
  *why = "is not a JSON object";
  if (json_parse(&body, text, len, NULL, NULL) != ERR_OK || !cJSON_IsObject(body))
    return false;
  const char *token = json_get_string(body, json_field);
  *why = "has no string under credential_source.format.subject_token_field_name";
  return token != NULL && take(out, token, strlen(token), why);
}
