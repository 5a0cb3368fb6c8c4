/* Finds the words of a language. */
#include "gateway/connect/words.h"

#include <string.h>
#include <strings.h>

#include "common/base/mem.h"

static const struct connect_words *const languages[] = {&connect_words_en, &connect_words_fr};

size_t connect_languages(void)
{
  return ARRAY_LEN(languages);
}

const struct connect_words *connect_language(size_t i)
{
  return languages[i];
}

/* Browsers list languages in the order of preference; the weights only repeat it. */
const struct connect_words *connect_words_of(const char *list)
{
  while (list != NULL && *list != '\0') {
    list += strspn(list, " ,\t");
    size_t n = strcspn(list, "-;, \t");
    for (size_t i = 0; i < ARRAY_LEN(languages); i++)
      if (n == strlen(languages[i]->language) && strncasecmp(list, languages[i]->language, n) == 0)
        return languages[i];
    list += strcspn(list, ",");
  }
  return languages[0];
}

const struct error_words *connect_error_words(const struct connect_words *w, const char *reason)
{
  const struct error_words *fallback = NULL;
  for (size_t i = 0; i < w->n_errors; i++) {
    if (strcmp(w->errors[i].reason, reason) == 0)
      return &w->errors[i];
    if (strcmp(w->errors[i].reason, "unavailable") == 0)
      fallback = &w->errors[i];
  }
  return fallback;
}
