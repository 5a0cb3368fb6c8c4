/* Names of Universal Analytics as callers write them. The table is common/ga4/former.c. */
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "gateway/arguments/ga4.h"
#include "gateway/arguments/text.h"

static const struct ga4_former numbered[] = {
    {"dimension", NULL,
     "GA4 names custom dimensions customEvent:NAME; "
     "get_custom_dimensions_and_metrics lists them",
     false},
    {"metric", NULL,
     "GA4 names custom metrics customEvent:NAME; get_custom_dimensions_and_metrics "
     "lists them",
     false},
    {"goal", NULL,
     "GA4 names key events by their event: keyEvents:NAME, such as "
     "keyEvents:generate_lead",
     false},
};

/* dimension1, metric12, goal3Completions */
static const struct ga4_former *find_numbered(const char *folded)
{
  for (size_t i = 0; i < ARRAY_LEN(numbered); i++) {
    size_t len = strlen(numbered[i].name), digits;
    if (strncmp(folded, numbered[i].name, len) != 0)
      continue;
    digits = strspn(folded + len, "0123456789");
    const char *rest = folded + len + digits;
    if (digits > 0 && digits <= 3 && (*rest == '\0' || numbered[i].name[0] == 'g'))
      return &numbered[i];
  }
  return NULL;
}

const struct ga4_former *ua_find(enum ga4_kind kind, const char *text, bool *prefixed)
{
  char folded[FOLD_SIZE];
  *prefixed = ascii_case_find(text, "ga:") == text;
  text_fold(folded, *prefixed ? text + 3 : text);
  if (!*prefixed && ga4_find(kind, text) != NULL)
    return NULL;
  const struct ga4_former *found = ga4_former_find(kind, folded);
  return found != NULL ? found : find_numbered(folded);
}
