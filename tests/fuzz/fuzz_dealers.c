/* Fuzz target of the loader of dealers.json: everything or nothing, what is loaded can be looked
 * up, and reading on after the first fault comes to the same verdict. */
#include "auth-svc/catalogue.h"
#include "auth-svc/dealers_file.h"
#include "common/base/log.h"
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
    for (size_t j = 0; j < VEHICLE_ATTRIBUTES; j++)
      FUZZ_MUST(dealer->vehicle_dimensions[j] != NULL);
    FUZZ_MUST(dealer->qualified_session != NULL && dealer->vdp_path_pattern != NULL);
  }
}

static void check_cohorts(const struct directory *d)
{
  size_t regions = 0;
  for (size_t i = 0; i < d->n_cohorts; i++) {
    const struct catalogued *c = &d->cohorts[i];
    regions += c->is_region;
    FUZZ_MUST(catalogue_find(d, c->id, strlen(c->id)) != NULL);
    FUZZ_MUST(c->label != NULL && c->label[0] != '\0' && c->n_members > 0);
    FUZZ_MUST(!c->is_region || catalogue_region(d, c->region) == c);
    for (size_t k = 0; k < c->n_members; k++)
      FUZZ_MUST(c->members[k] < d->n_dealers && (k == 0 || c->members[k - 1] < c->members[k]));
    for (size_t k = 0; k < i; k++)
      FUZZ_MUST(strcmp(d->cohorts[k].id, c->id) != 0);
  }
  FUZZ_MUST(regions == d->n_regions);
}

struct told {
  const struct err *first;
  size_t n;
  bool has_first;
};

static void on_fault(void *user, const struct dealers_fault *f)
{
  struct told *t = user;
  FUZZ_MUST(f->text[0] != '\0' && f->field != NULL && f->dealer != NULL);
  char text[100]; /* a long message is cut */
  snprintf(text, sizeof(text), "%s", f->text);
  t->has_first = t->has_first || strstr(t->first->message, text) != NULL;
  t->n++;
}

static void on_keys(void *user, const char *field, const char *const *known, size_t n)
{
  (void)user;
  FUZZ_MUST(field != NULL && n > 0 && known[n - 1] != NULL);
}

/* The fault that the service would name is among them. */
static void check_all_faults(const char *text, size_t size, const struct err *first)
{
  struct told told = {.first = first};
  const struct dealers_watch watch = {on_fault, on_keys, &told};
  struct snapshot *s = NULL;
  struct err e = {0};
  enum err_code code = dealers_file_check(&s, "dealers.json", text, size, NULL, &watch, &e);
  FUZZ_MUST(code == first->code && (code == ERR_OK) == (s != NULL));
  FUZZ_MUST((told.n == 0) == (code == ERR_OK));
  FUZZ_MUST(code == ERR_OK || told.has_first);
  snapshot_unref(s);
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
  if (code == ERR_OK) {
    check_loaded(s);
    check_cohorts(s->directory);
  } else {
    FUZZ_MUST(strstr(e.message, "dealers.json") != NULL);
  }
  check_all_faults(text, size, &e);
  snapshot_unref(s);
  return 0;
}
