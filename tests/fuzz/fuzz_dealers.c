/* Fuzz target of the loader of dealers.json: everything or nothing, and what is loaded can be
 * looked up. */
#include "auth-svc/dealers_file.h"
#include "common/base/log.h"
#include "tests/fuzz/dealers_faults.h"
#include "tests/fuzz/fuzz.h"

static void check_loaded(const struct snapshot *s)
{
  const struct directory *d = s->directory;
  for (size_t i = 0; i < d->n_dealers; i++) {
    const struct dealer *dealer = &d->dealers[i];
    FUZZ_MUST(directory_by_id(d, dealer->dealer_id) == dealer);
    FUZZ_MUST(directory_by_account(d, dealer->account_id) == dealer);
    FUZZ_MUST(directory_region(d, dealer->region) == dealer->region_index);
    FUZZ_MUST(snapshot_credential(s, dealer) != NULL && dealer->n_property_ids > 0);
    for (size_t j = 0; j < dealer->n_property_ids; j++)
      FUZZ_MUST(directory_by_property(d, dealer->property_ids[j]) == dealer);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input in = {data, size};
  AUTO_FREE char *text = fuzz_rest(&in);
  struct snapshot *s = NULL;
  struct err e = {0};
  log_init("fuzz", LOG_LEVEL_OFF);
  setenv("NO_GCE_CHECK", "true", 1); /* "adc": true must not look for a metadata server */
  enum err_code code = dealers_file_parse(&s, "dealers.json", text, size, &e);
  FUZZ_MUST((code == ERR_OK) == (s != NULL));
  if (code == ERR_OK)
    check_loaded(s);
  else
    FUZZ_MUST(strstr(e.message, "dealers.json") != NULL);
  check_all_faults(text, size, &e);
  snapshot_unref(s);
  return 0;
}
