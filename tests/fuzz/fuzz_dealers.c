/* Fuzz target of the loader of dealers.json: everything or nothing; what is loaded can be looked
 * up, and no cohort of it shows a dealer of a caller a dealer of another. The text @KEY@ becomes
 * a private key as JSON writes it. */
#include "auth-svc/config/snapshot.h"
#include "auth-svc/dealers/catalogue.h"
#include "auth-svc/grant/cohort.h"
#include "auth-svc/grant/cohort_listing.h"
#include "common/base/log.h"
#include "tests/fuzz/dealers_faults.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/auth/support/jwt_maker.h"

enum { TEXT_MAX = 4 << 20, ARENA_MAX = 16 << 20 };

static void check_directory(const struct snapshot *s)
{
  const struct directory *d = s->directory;
  for (size_t i = 0; i < d->n_dealers; i++) {
    const struct dealer *dealer = &d->dealers[i];
    FUZZ_MUST(directory_by_id(d, dealer->dealer_id) == dealer);
    FUZZ_MUST(directory_by_account(d, dealer->account_id) == dealer);
    FUZZ_MUST(directory_region(d, dealer->region) == dealer->region_index);
    FUZZ_MUST(snapshot_credential(s, dealer) != NULL); /* without properties they are found later */
    for (size_t j = 0; j < dealer->n_property_ids; j++)
      FUZZ_MUST(directory_by_property(d, dealer->property_ids[j]) == dealer);
  }
}

static void check_catalogue(const struct directory *d)
{
  for (size_t i = 0; i < d->n_cohorts; i++) {
    const struct catalogued *c = &d->cohorts[i];
    FUZZ_MUST(catalogue_find(d, c->id, strlen(c->id)) == c && c->n_members > 0);
    for (size_t k = 1; k < c->n_members; k++)
      FUZZ_MUST(c->members[k - 1] < c->members[k] && c->members[k] < d->n_dealers);
    for (size_t k = 0; k < i; k++)
      FUZZ_MUST(!catalogue_conflict(d, c, &d->cohorts[k]) || !c->benchmark ||
                !d->cohorts[k].benchmark);
  }
}

/* The first dealer compares itself within one cohort. */
static void check_cohort(const struct snapshot *s, const struct scope *scope, const char *id,
                         struct arena *arena)
{
  Analytics__Auth__V1__ResolveCohortResponse *out = NULL;
  Analytics__Auth__V1__BenchmarkGrant *benchmark = NULL;
  Analytics__Auth__V1__ResolveCohortRequest r;
  struct err e = {0};
  analytics__auth__v1__resolve_cohort_request__init(&r);
  r.cohort = (char *)(uintptr_t)id;
  r.subject_dealer_id = scope->grant->dealer_ids[0];
  if (cohort_resolve(&out, &benchmark, scope, s->peers, &r, arena, &e) != ERR_OK)
    return;
  FUZZ_MUST(out->subject_index >= 0 && (size_t)out->subject_index < out->n_members);
  FUZZ_MUST(benchmark->members.len == out->n_members * PEER_TAG_BYTES);
  for (size_t i = 0; i < out->n_members; i++) {
    const Analytics__Auth__V1__CohortMember *m = out->members[i];
    bool own = (int32_t)i == out->subject_index;
    FUZZ_MUST(m->visible == own && (m->dealer != NULL) == own && (*m->dealer_ref != '~' || !own));
    FUZZ_MUST(own || peers_resolve(s->peers, m->dealer_ref) != NULL);
  }
}

static void check_cohorts(struct snapshot *s)
{
  static struct sealer *sealer;
  struct err e = {0};
  if (sealer == NULL)
    FUZZ_MUST(sealer_new(&sealer, "KEY", NULL, "fuzz", &e) == ERR_OK);
  const struct directory *d = s->directory;
  struct arena *arena = arena_new(ARENA_MAX);
  char *dealer = (char *)(uintptr_t)d->dealers[0].dealer_id;
  char *region = (char *)(uintptr_t)d->dealers[0].region;
  Analytics__Auth__V1__Grant g;
  analytics__auth__v1__grant__init(&g);
  g.role = ANALYTICS__AUTH__V1__ROLE__ROLE_DEALER;
  g.n_dealer_ids = g.n_benchmark_regions = 1;
  g.dealer_ids = &dealer;
  g.benchmark_regions = &region;
  g.benchmark_cohorts = ARENA_ARRAY(arena, char *, d->n_cohorts);
  for (size_t i = 0; i < d->n_cohorts; i++)
    g.benchmark_cohorts[g.n_benchmark_cohorts++] = (char *)(uintptr_t)d->cohorts[i].id;
  const struct trust trust = {.sealer = sealer};
  snapshot_trust(s, &trust);
  const struct scope *scope = scope_new(arena, d, &g);
  Analytics__Auth__V1__ListCohortsRequest all;
  Analytics__Auth__V1__ListCohortsResponse *list = NULL;
  analytics__auth__v1__list_cohorts_request__init(&all);
  FUZZ_MUST(scope != NULL && scope->n_direct == 1);
  FUZZ_MUST(cohort_listing_make(&list, scope, s->peers, &all, arena, &e) == ERR_OK);
  for (size_t i = 0; i < list->n_cohorts; i++)
    check_cohort(s, scope, list->cohorts[i]->id, arena);
  arena_free(arena);
}

/* The input with every @KEY@ replaced. */
static void write_text(struct buf *out, const char *text)
{
  static char *key;
  if (key == NULL) {
    EVP_PKEY *rsa = maker_key(JWT_RS256);
    AUTO_FREE char *pem = maker_private_pem(rsa);
    struct buf json = BUF_INIT(1 << 16);
    buf_put_json_string(&json, pem, strlen(pem));
    key = buf_take(&json, NULL);
    EVP_PKEY_free(rsa);
  }
  for (const char *mark; (mark = strstr(text, "@KEY@")) != NULL; text = mark + 5) {
    buf_append(out, text, (size_t)(mark - text));
    buf_append(out, key + 1, strlen(key) - 2); /* without the quotes */
  }
  buf_puts(out, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct fuzz_input in = {data, size};
  AUTO_FREE char *rest = fuzz_rest(&in);
  struct buf text = BUF_INIT(TEXT_MAX);
  struct snapshot *s = NULL;
  struct err e = {0};
  log_init("fuzz", LOG_LEVEL_OFF);
  setenv("NO_GCE_CHECK", "true", 1); /* "adc": true must not look for a metadata server */
  if (memchr(rest, '\0', size) == NULL)
    write_text(&text, rest);
  else
    buf_append(&text, rest, size);
  enum err_code code = snapshot_parse(&s, "dealers.json", buf_str(&text), text.len, NULL, &e);
  FUZZ_MUST((code == ERR_OK) == (s != NULL));
  if (code == ERR_OK) {
    check_directory(s);
    check_catalogue(s->directory);
    check_cohorts(s);
  } else {
    FUZZ_MUST(strstr(e.message, "dealers.json") != NULL);
  }
  check_all_faults(buf_str(&text), text.len, &e);
  snapshot_unref(s);
  buf_free(&text);
  return 0;
}
