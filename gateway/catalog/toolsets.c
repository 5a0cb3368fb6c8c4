/* Reads which sets of tools an installation lists. */
#include <stdio.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "gateway/catalog/catalog.h"

enum { WORD_SIZE = 32, DEFAULT_SETS = (1 << CATALOG_ADVANCED) - 1 };

/* In the order of catalog_toolset, from CATALOG_BENCHMARKS. */
static const char *const names[] = {"benchmarks", "vehicles", "reports",
                                    "admin",      "advanced", "operations"};

/* The next word of a comma-separated list without the blanks around it; false at the end. */
static bool next_word(const char **text, char out[WORD_SIZE])
{
  const char *s = *text + strspn(*text, " ,\t");
  size_t len = strcspn(s, ",");
  *text = s + len;
  while (len > 0 && (s[len - 1] == ' ' || s[len - 1] == '\t'))
    len--;
  snprintf(out, WORD_SIZE, "%.*s", (int)(len < WORD_SIZE ? len : WORD_SIZE - 1), s);
  return len > 0;
}

static unsigned set_of(const char *word)
{
  if (ascii_case_equal(word, "all"))
    return DEFAULT_SETS | 1U << CATALOG_ADVANCED | 1U << CATALOG_OPERATIONS;
  for (size_t i = 0; i < ARRAY_LEN(names); i++) {
    if (ascii_case_equal(word, names[i]))
      return 1U << (CATALOG_BENCHMARKS + i);
  }
  return 0;
}

enum err_code catalog_toolsets_read(unsigned *out, const char *text, struct err *e)
{
  char word[WORD_SIZE];
  *out = 1U << CATALOG_ALWAYS;
  bool any = false;
  while (text != NULL && next_word(&text, word)) {
    unsigned set = set_of(word);
    if (set == 0)
      return err_set(e, ERR_INVALID_ARGUMENT, "unknown_toolset",
                     "\"%s\" is not a toolset; must be a comma-separated list of benchmarks, "
                     "vehicles, reports, admin, advanced, operations, or all",
                     word);
    *out |= set;
    any = true;
  }
  if (!any)
    *out = DEFAULT_SETS;
  return ERR_OK;
}
