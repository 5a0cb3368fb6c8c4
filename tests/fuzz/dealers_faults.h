/* Reading dealers.json to its end comes to the verdict that reading it to the first fault came to.
 */
#ifndef AMCP_TESTS_FUZZ_DEALERS_FAULTS_H
#define AMCP_TESTS_FUZZ_DEALERS_FAULTS_H

#include <stdio.h>

#include "auth-svc/config/snapshot.h"
#include "tests/fuzz/fuzz.h"

struct told {
  const struct err *first;
  size_t n;
  bool has_first;
};

static inline void on_fault(void *user, const struct dealers_fault *f)
{
  struct told *t = user;
  char text[100]; /* a long message is cut */
  FUZZ_MUST(f->text[0] != '\0' && f->field != NULL && f->dealer != NULL);
  snprintf(text, sizeof(text), "%s", f->text);
  t->has_first = t->has_first || strstr(t->first->message, text) != NULL;
  t->n++;
}

static inline void on_keys(void *user, const char *field, const char *const *known, size_t n)
{
  (void)user;
  FUZZ_MUST(field != NULL && n > 0 && known[n - 1] != NULL);
}

/* `first` is what the service would say; its code is ERR_OK when it takes the file. */
static inline void check_all_faults(const char *text, size_t size, const struct err *first)
{
  struct told told = {.first = first};
  const struct dealers_watch watch = {on_fault, on_keys, &told};
  struct dealers_content content;
  struct err e = {0};
  const struct dealers_options options = {.sealed = NULL};
  enum err_code code =
      dealers_file_read(&content, "dealers.json", text, size, &options, &watch, &e);
  FUZZ_MUST(code == first->code && (code == ERR_OK) == (content.directory != NULL));
  FUZZ_MUST((told.n == 0) == (code == ERR_OK));
  FUZZ_MUST(code == ERR_OK || told.has_first);
  dealers_content_clear(&content);
}

#endif
