/* What is odd about a secret, by its first and last characters and the words of examples. */
#include "auth-svc/cli/odd_secrets.h"

#include <ctype.h>

#include "common/base/codec.h"
#include "common/base/mem.h"

enum { PLACEHOLDER_MAX = 80 }; /* bytes; longer ones are real, whatever they spell */

/* "GOCSPX-replace-me" of the example, "<your secret>", "xxxx", "". */
static bool is_placeholder(const char *text, size_t len)
{
  static const char *const words[] = {"replace-me", "replace_me", "replaceme",   "change-me",
                                      "change_me",  "changeme",   "placeholder", "your-",
                                      "your_",      "xxxx",       "todo"};
  if (len > PLACEHOLDER_MAX)
    return false;
  for (size_t i = 0; i < ARRAY_LEN(words); i++)
    if (ascii_case_find(text, words[i]) != NULL)
      return true;
  return len >= 2 && text[0] == '<' && text[len - 1] == '>';
}

static bool is_quote(char c)
{
  return c == '"' || c == '\'' || c == '`';
}

/* A PEM key ends with a line end of its own. */
static bool has_blanks(const char *text, size_t len)
{
  if (len == 0 || ascii_case_find(text, "-----BEGIN ") != NULL)
    return false;
  return isspace((unsigned char)text[0]) || isspace((unsigned char)text[len - 1]);
}

void validation_look_at_secret(struct validation *v, const char *file,
                               const struct sealed_value *value, bool bare)
{
  char path[SEALED_PATH_MAX + 40];
  const char *s = value->text;
  size_t len = value->len;
  sealed_place_path(value->place, bare, path, sizeof(path));
  if (is_placeholder(s, len))
    validation_warn(v, "placeholder", file, path,
                    "is a placeholder, such as the example has: put the secret in its place");
  if (has_blanks(s, len))
    validation_warn(v, "odd_secret", file, path,
                    "begins or ends with a blank or a line end, which was copied along: remove it");
  if (len >= 2 && (is_quote(s[0]) || is_quote(s[len - 1])))
    validation_warn(v, "odd_secret", file, path,
                    "has quotes of its own, which were copied along: remove them");
}
