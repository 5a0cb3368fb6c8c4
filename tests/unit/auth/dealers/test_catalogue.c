/* Per-dealer settings and the catalogue of cohorts: what is read, refused and served. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "auth-svc/config/snapshot.h"
#include "auth-svc/dealers/catalogue.h"
#include "auth-svc/dealers/unions.h"
#include "auth-svc/grant/cohort.h"
#include "auth-svc/grant/cohort_listing.h"
#include "auth-svc/grant/listing.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

static size_t region_size = 6;
static struct dealers_options options;

/* Dealers a, b, c, ... with an owner each and one region; `more` stands in the last dealer,
 * `cohorts` beside the list. */
static enum err_code load(struct snapshot **out, size_t n, const char *more, const char *cohorts,
                          struct err *e)
{
  AUTO_BUF struct buf j = BUF_INIT(1 << 16);
  buf_puts(&j, "{\"dealers\":[\n");
  for (size_t i = 0; i < n; i++)
    buf_printf(
        &j,
        "{\"dealer_id\":\"%c\",\"name\":\"N%c\",\"region\":\"Region %zu\",\"owner\":\"O%zu\","
        "\"groups\":[\"%s\"],\"properties\":[\"%zu\"],\"oauth\":{\"client_id\":\"c\","
        "\"client_secret\":\"s\",\"refresh_token\":\"r\"}%s}%s\n",
        (char)('a' + i), (char)('a' + i), i / region_size, i, i % 2 == 0 ? "even" : "odd", 100 + i,
        i + 1 == n ? more : "", i + 1 < n ? "," : "");
  buf_printf(&j, "]%s%s}", cohorts[0] != '\0' ? ",\"cohorts\":" : "", cohorts);
  *e = (struct err){0};
  *out = NULL;
  enum err_code code = snapshot_parse(out, "f.json", buf_str(&j), j.len, &options, e);
  if (code == ERR_OK) {
    struct sealer *sealer = NULL;
    sealer_new(&sealer, "K", "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff",
               "test", NULL);
    snapshot_trust(*out, &(struct trust){.sealer = sealer});
    sealer_unref(sealer);
  }
  return code;
}

static void refused(size_t n, const char *more, const char *cohorts, const char *message)
{
  struct snapshot *s = NULL;
  struct err e;
  CU_ASSERT_EQUAL(load(&s, n, more, cohorts, &e), ERR_INVALID_ARGUMENT);
  if (strcmp(e.message, message) != 0)
    printf("\n  want %s\n  got  %s\n", message, e.message);
  CU_ASSERT_STRING_EQUAL(e.message, message);
  snapshot_unref(s);
}

static struct snapshot *accepted(size_t n, const char *more, const char *cohorts)
{
  struct snapshot *s = NULL;
  struct err e;
  if (load(&s, n, more, cohorts, &e) != ERR_OK)
    printf("\n  %s\n", e.message);
  CU_ASSERT_PTR_NOT_NULL_FATAL(s);
  return s;
}

/* ------------------------------------------------------------------------- settings */

static void settings_of_a_dealer_are_kept(void)
{
  struct snapshot *s = accepted(
      1,
      ",\"qualified_session\":\"event:asc_item_pageview\",\"time_zone\":\"America/Denver\","
      "\"vdp_path_pattern\":\"^/(?:new|used)/(?P<make>[^/]+)/(?P<year>\\\\d{4})\","
      "\"vehicle_dimensions\":{\"make\":\"customEvent:item_make\",\"year\":\"itemCategory5\"},"
      "\"vehicle_overrides\":[{\"value\":\"Work Truck\",\"make\":\"Ford\",\"model\":\"F-150\"},"
      "{\"value\":\"Lobo\",\"make\":\"Ford\",\"model\":\"F-150\"}]",
      "");
  const struct dealer *d = &s->directory->dealers[0];
  CU_ASSERT_STRING_EQUAL(d->qualified_session, "event:asc_item_pageview");
  CU_ASSERT_STRING_EQUAL(d->vdp_path_pattern, "^/(?:new|used)/(?P<make>[^/]+)/(?P<year>\\d{4})");
  CU_ASSERT_STRING_EQUAL(d->vehicle_dimensions[0], "customEvent:item_make");
  CU_ASSERT_STRING_EQUAL(d->vehicle_dimensions[1], "");
  CU_ASSERT_STRING_EQUAL(d->vehicle_dimensions[4], "itemCategory5");
  struct arena *arena = arena_new(1 << 16);
  const Analytics__Auth__V1__Dealer *m = dealer_message(d, arena);
  CU_ASSERT_STRING_EQUAL(m->settings->time_zone, "America/Denver");
  CU_ASSERT_STRING_EQUAL(m->settings->vehicle_dimensions->make, "customEvent:item_make");
  CU_ASSERT_STRING_EQUAL(m->groups[0], "even");
  CU_ASSERT_EQUAL_FATAL(m->settings->n_vehicle_overrides, 2);
  CU_ASSERT_STRING_EQUAL(m->settings->vehicle_overrides[0]->value, "Work Truck");
  CU_ASSERT_STRING_EQUAL(m->settings->vehicle_overrides[1]->make, "Ford");
  CU_ASSERT_STRING_EQUAL(m->settings->vehicle_overrides[1]->model, "F-150");
  arena_free(arena);
  snapshot_unref(s);
}

static void wrong_settings_are_refused_with_line_field_and_dealer(void)
{
  refused(
      2, ",\"time_zone\":\"America/New_Yrok\"", "",
      "f.json line 3: dealers[1].time_zone (dealer \"b\"): no time zone \"America/New_Yrok\" in "
      "/usr/share/zoneinfo; must be an IANA name such as \"America/Chicago\"");
  refused(1, ",\"time_zone\":\"../../etc/passwd\"", "",
          "f.json line 2: dealers[0].time_zone (dealer \"a\"): must be an IANA name such as "
          "\"America/Chicago\"");
  refused(1, ",\"qualified_session\":\"event:1st\"", "",
          "f.json line 2: dealers[0].qualified_session (dealer \"a\"): must be \"engaged\", "
          "\"inventory_page\", \"vdp_view\" or \"event:\" and a GA4 event name, such as "
          "\"event:asc_item_pageview\"");
  refused(1, ",\"vdp_path_pattern\":\"^/(?P<make>[^/+)/\"", "",
          "f.json line 2: dealers[0].vdp_path_pattern (dealer \"a\"): is not a regular expression: "
          "Unmatched [, [^, [:, [., or [=");
  refused(1, ",\"vdp_path_pattern\":\"^/(?P<brand>[^/]+)/\"", "",
          "f.json line 2: dealers[0].vdp_path_pattern (dealer \"a\"): a group must be one of make, "
          "model, year, condition, type, vin, stock");
  refused(
      1, ",\"vdp_path_pattern\":\"^/new/\"", "",
      "f.json line 2: dealers[0].vdp_path_pattern (dealer \"a\"): has no named group; write for "
      "example \"^/(?:new|used)/(?P<make>[^/]+)/(?P<model>[^/]+)/\"");
  refused(1, ",\"vehicle_dimensions\":{\"modle\":\"x\"}", "",
          "f.json line 2: dealers[0].vehicle_dimensions.modle (dealer \"a\"): unknown key; did you "
          "mean \"model\"?");
  refused(
      1, ",\"vehicle_dimensions\":{\"make\":\"item make\"}", "",
      "f.json line 2: dealers[0].vehicle_dimensions.make (dealer \"a\"): must be the API name of "
      "a GA4 dimension, such as \"customEvent:item_make\"");
}

static void wrong_names_of_vehicles_are_refused_with_their_place(void)
{
  static const struct {
    const char *json, *expected;
  } cases[] = {
      {"{}", "vehicle_overrides (dealer \"a\"): must be an array of objects with value, make and "
             "model"},
      {"[7]", "vehicle_overrides[0] (dealer \"a\"): must be an object with value, make and model"},
      {"[{\"value\":\"x y\",\"make\":\"Ford\"}]",
       "vehicle_overrides[0].model (dealer \"a\"): missing; must be a non-empty string"},
      {"[{\"value\":\"x y\",\"make\":\"Ford\",\"model\":\"F-150\",\"modle\":1}]",
       "vehicle_overrides[0].modle (dealer \"a\"): unknown key; did you mean \"model\"?"},
      {"[{\"value\":\"-x-\",\"make\":\"Ford\",\"model\":\"F-150\"}]",
       "vehicle_overrides[0].value (dealer \"a\"): must have at least two letters or digits, "
       "such as \"Work Truck\""},
      {"[{\"value\":\"The Lobo\",\"make\":\"Ford\",\"model\":\"F-150\"},"
       "{\"value\":\"the-lobo\",\"make\":\"Ford\",\"model\":\"Ranger\"}]",
       "vehicle_overrides[1].value (dealer \"a\"): is a duplicate of vehicle_overrides[0].value"},
  };
  char more[600], expected[300];
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    snprintf(more, sizeof(more), ",\"vehicle_overrides\":%s", cases[i].json);
    snprintf(expected, sizeof(expected), "f.json line 2: dealers[0].%s", cases[i].expected);
    refused(1, more, "", expected);
  }
}

/* ------------------------------------------------------------------------ catalogue */

static void every_region_is_a_cohort_written_or_not(void)
{
  struct snapshot *s = accepted(
      12, "", "[{\"id\":\"west\",\"region\":\"region 1\",\"label\":\"The West\",\"version\":7}]");
  CU_ASSERT_EQUAL_FATAL(s->directory->n_cohorts, 2);
  const struct catalogued *own = &s->directory->cohorts[0], *west = &s->directory->cohorts[1];
  CU_ASSERT_STRING_EQUAL(own->id, "region-0");
  CU_ASSERT_STRING_EQUAL(own->label, "Region 0");
  CU_ASSERT_STRING_EQUAL(west->id, "west");
  CU_ASSERT_STRING_EQUAL(west->label, "The West");
  CU_ASSERT_STRING_EQUAL(peers_cohort_version(s->peers, west), "v7");
  CU_ASSERT_EQUAL(strlen(peers_cohort_version(s->peers, own)), 7);
  CU_ASSERT_EQUAL(west->n_members, 6);
  CU_ASSERT_TRUE(west->benchmark);
  snapshot_unref(s);
}

static void a_derived_version_changes_with_the_members_only(void)
{
  struct snapshot *six = accepted(6, "", ""), *again = accepted(6, ",\"city\":\"Reno\"", ""),
                  *five = accepted(5, "", "");
  const char *version = peers_cohort_version(six->peers, &six->directory->cohorts[0]);
  CU_ASSERT_STRING_EQUAL(version,
                         peers_cohort_version(again->peers, &again->directory->cohorts[0]));
  CU_ASSERT_STRING_NOT_EQUAL(version,
                             peers_cohort_version(five->peers, &five->directory->cohorts[0]));
  CU_ASSERT_FALSE(five->directory->cohorts[0].benchmark); /* four others at most */
  /* Two cohorts with the same members cannot be distinguished by it. */
  struct snapshot *twins =
      accepted(6, "", "[{\"id\":\"x\",\"dealers\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\"]}]");
  const struct directory *d = twins->directory;
  const struct catalogued *x = catalogue_find(d, "x", 1), *y = catalogue_region(d, 0);
  CU_ASSERT_EQUAL(x->n_members, y->n_members);
  CU_ASSERT_STRING_NOT_EQUAL(peers_cohort_version(twins->peers, x),
                             peers_cohort_version(twins->peers, y));
  snapshot_unref(twins);
  snapshot_unref(six);
  snapshot_unref(again);
  snapshot_unref(five);
}

#define A_TO_G "\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\""
#define P11                                                                                        \
  "[{\"id\":\"eight\",\"dealers\":[" A_TO_G ",\"h\"]},{\"id\":\"seven\",\"dealers\":[" A_TO_G "]}" \
  "]"

static void cohorts_whose_difference_isolates_dealers_are_refused(void)
{
  refused(
      14, "", P11, /* P11 */
      "f.json line 16: cohorts[0]: cohorts \"eight\" and \"region-0\" differ by fewer than 5 "
      "dealers of 3 owners, so that one subtracted from the other would disclose single dealers' "
      "figures; change their members, or start with AUTH_COHORT_RULES=warn, which takes "
      "\"eight\" out of benchmarks");
  region_size = 2; /* too small to be released: the two stand against each other */
  refused(
      8, "", P11,
      "f.json line 10: cohorts[1]: cohorts \"eight\" and \"seven\" differ by fewer than 5 "
      "dealers of 3 owners, so that one subtracted from the other would disclose single dealers' "
      "figures; change their members, or start with AUTH_COHORT_RULES=warn, which takes "
      "\"seven\" out of benchmarks");
  region_size = 6;
}

static void a_union_of_whole_cohorts_is_accepted(void)
{
  /* P12: regions {a..f}, {g..l} and their union */
  struct snapshot *s = accepted(
      12, "", "[{\"id\":\"both\",\"dealers\":[" A_TO_G ",\"h\",\"i\",\"j\",\"k\",\"l\"]}]");
  CU_ASSERT_EQUAL(s->directory->n_cohorts, 3);
  CU_ASSERT_STRING_EQUAL(s->directory->cohorts[2].id, "both");
  CU_ASSERT_TRUE(s->directory->cohorts[2].benchmark);
  snapshot_unref(s);
}

#define I_TO_P "\"i\",\"j\",\"k\",\"l\",\"m\",\"n\",\"o\",\"p\""
#define P19                                                                                        \
  "[{\"id\":\"west\",\"dealers\":[" A_TO_G ",\"h\"]},{\"id\":\"east\",\"dealers\":[" I_TO_P        \
  "]},{\"id\":\"all\",\"dealers\":[" A_TO_G ",\"h\"," I_TO_P ",\"x\"]}]"

static void P19_a_cohort_that_is_others_and_one_more_is_refused(void)
{
  region_size = 2; /* too small to be released */
  refused(24, "", P19,
          "f.json line 26: cohorts[2]: cohorts \"west\", \"east\" and \"all\", added and "
          "subtracted, leave 1 dealer (dealer \"x\"), fewer than 5 of 3 owners, so that together "
          "they would disclose single dealers' figures; change their members, or start with "
          "AUTH_COHORT_RULES=warn, which takes \"all\" out of benchmarks");
  options.warn_of_cohorts = true;
  struct snapshot *s = accepted(24, "", P19);
  options.warn_of_cohorts = false;
  region_size = 6;
  CU_ASSERT_FALSE(catalogue_find(s->directory, "all", 3)->benchmark);
  CU_ASSERT_TRUE(catalogue_find(s->directory, "west", 4)->benchmark);
  CU_ASSERT_TRUE(catalogue_find(s->directory, "east", 4)->benchmark);
  snapshot_unref(s);
}

/* Each pair leaves crowds, but (P + R + x) - R - ((P + S) - S) is x. */
static void cohorts_that_isolate_by_sums_alone_are_refused(void)
{
#define P "\"a\",\"b\",\"c\",\"d\",\"e\",\"f\""
#define R "\"g\",\"h\",\"i\",\"j\",\"k\",\"l\""
#define S "\"m\",\"n\",\"o\",\"p\",\"q\",\"r\""
  static const char four[] =
      "[{\"id\":\"one\",\"dealers\":[" P "," R ",\"x\"]},{\"id\":\"two\",\"dealers\":[" R
      "]},{\"id\":\"three\",\"dealers\":[" P "," S "]},{\"id\":\"four\",\"dealers\":[" S "]}]";
  struct snapshot *s = NULL;
  struct err e;
  region_size = 2;
  CU_ASSERT_EQUAL(load(&s, 24, "", four, &e), ERR_INVALID_ARGUMENT);
  region_size = 6;
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "cohorts[3]: cohorts \"one\", \"two\", \"three\" and "
                                           "\"four\", added and subtracted, leave 1 dealer (dealer "
                                           "\"x\")"));
  snapshot_unref(s);
}

/* ------------------------------------------------------- against every combination */

enum { RANDOM_DEALERS = 16, RANDOM_COHORTS = 4, FACTOR = 2 };

/* Whether some combination, with factors from -FACTOR to FACTOR, leaves too few. */
static bool isolates_by_brute_force(const struct directory *d, const struct catalogued *c, size_t n)
{
  size_t ways = 1;
  for (size_t i = 0; i < n; i++)
    ways *= 2 * FACTOR + 1;
  for (size_t way = 0; way < ways; way++) {
    int sum[RANDOM_DEALERS] = {0};
    uint16_t left[RANDOM_DEALERS];
    size_t n_left = 0;
    for (size_t i = 0, x = way; i < n; i++, x /= 2 * FACTOR + 1)
      for (size_t k = 0; k < c[i].n_members; k++)
        sum[c[i].members[k]] += (int)(x % (2 * FACTOR + 1)) - FACTOR;
    for (size_t k = 0; k < d->n_dealers; k++)
      if (sum[k] != 0)
        left[n_left++] = (uint16_t)k;
    if (n_left > 0 && !catalogue_is_crowd(d, left, n_left))
      return true;
  }
  return false;
}

static void random_catalogues_agree_with_every_combination(void)
{
  struct snapshot *s = accepted(RANDOM_DEALERS, "", "");
  unsigned seed = 5;
  size_t refusals = 0, wrong = 0;
  for (int round = 0; round < 3000; round++) {
    uint16_t members[RANDOM_COHORTS][RANDOM_DEALERS];
    struct catalogued c[RANDOM_COHORTS];
    unsigned blocks[4];
    struct isolation found;
    for (size_t i = 0; i < 4; i++) {
      seed = seed * 1103515245u + 12345u;
      blocks[i] = seed >> 16; /* atoms of 5, 5, 4 and 2 dealers, now and then split */
    }
    for (size_t i = 0; i < RANDOM_COHORTS; i++) {
      c[i] = (struct catalogued){.id = "x", .members = members[i], .benchmark = true};
      for (size_t k = 0; k < RANDOM_DEALERS; k++) {
        size_t block = k < 5 ? 0 : k < 10 ? 1 : k < 14 ? 2 : 3;
        bool split = blocks[3] % 3 == 0 && k == 4;
        if ((blocks[split ? 3 : block] >> (4 + i)) & 1)
          members[i][c[i].n_members++] = (uint16_t)k;
      }
      c[i].benchmark = catalogue_is_benchmark(s->directory, &c[i]);
    }
    struct catalogued released[RANDOM_COHORTS];
    size_t n = 0;
    for (size_t i = 0; i < RANDOM_COHORTS; i++)
      if (c[i].benchmark)
        released[n++] = c[i];
    bool truth = isolates_by_brute_force(s->directory, released, n);
    bool told = unions_isolate(s->directory, c, RANDOM_COHORTS, &found);
    wrong += truth != told;
    refusals += told;
  }
  CU_ASSERT_EQUAL(wrong, 0);
  CU_ASSERT_TRUE(refusals > 300 && refusals < 2700);
  snapshot_unref(s);
}

static void a_catalogue_too_entangled_to_check_is_refused_in_bounded_time(void)
{
  enum { DEALERS = 900, COHORTS = 1100 };
  struct dealer *dealers = xcalloc(DEALERS, sizeof(*dealers));
  struct directory d = {.dealers = dealers, .n_dealers = DEALERS};
  struct catalogued *c = xcalloc(COHORTS, sizeof(*c));
  uint16_t *members = xcalloc((size_t)COHORTS * DEALERS, sizeof(*members));
  struct isolation found;
  unsigned seed = 9;
  for (size_t i = 0; i < DEALERS; i++)
    dealers[i].owner = "";
  for (size_t i = 0; i < COHORTS; i++) {
    c[i] = (struct catalogued){.id = "x", .members = members + i * DEALERS, .benchmark = true};
    for (size_t k = 0; k < DEALERS; k++) {
      seed = seed * 1103515245u + 12345u;
      if ((seed >> 16) & 1)
        c[i].members[c[i].n_members++] = (uint16_t)k;
    }
  }
  CU_ASSERT_TRUE(unions_isolate(&d, c, COHORTS, &found));
  CU_ASSERT_TRUE(found.too_large);
  CU_ASSERT_TRUE(unions_isolate(&d, c, 100, &found)); /* 900 atoms of one dealer each */
  free(members);
  free(c);
  free(dealers);
}

static void warn_starts_with_the_cohort_out_of_benchmarks(void)
{
  options.warn_of_cohorts = true;
  struct snapshot *s = accepted(14, "", P11);
  options.warn_of_cohorts = false;
  for (size_t i = 0; i < s->directory->n_cohorts; i++) {
    const struct catalogued *c = &s->directory->cohorts[i];
    CU_ASSERT_EQUAL(c->benchmark, c->is_region && c->n_members > 5);
  }
  snapshot_unref(s);
}

static void cohorts_that_make_no_sense_are_refused_with_line_and_field(void)
{
  refused(2, "", "[{\"id\":\"x\",\"dealers\":[\"a\",\"z\"]}]",
          "f.json line 4: cohorts[0].dealers[1]: no dealer has the dealer_id \"z\"");
  refused(2, "", "[{\"id\":\"x\",\"region\":\"Atlantis\"}]",
          "f.json line 4: cohorts[0].region: no dealer is in region \"Atlantis\"");
  refused(2, "", "[{\"id\":\"x\",\"group\":\"even\",\"region\":\"Region 0\"}]",
          "f.json line 4: cohorts[0]: must have exactly one of dealers, region and group");
  refused(2, "", "[{\"id\":\"X\",\"group\":\"even\"}]",
          "f.json line 4: cohorts[0].id: may hold lower-case letters, digits and . _ - only");
  refused(2, "", "[{\"id\":\"x\",\"group\":\"even\",\"version\":1.5}]",
          "f.json line 4: cohorts[0].version: must be a whole number from 1 to 1000000000");
  refused(2, "", "[{\"id\":\"x\",\"group\":\"even\"},{\"id\":\"x\",\"group\":\"odd\"}]",
          "f.json line 4: cohorts[1].id: \"x\" is used by cohorts[0] already");
}

/* -------------------------------------------------------------------------- serving */

#define TEXT(s) ((char *)(uintptr_t)(s))

static void a_dealer_lists_and_compares_within_the_cohorts_it_is_in(void)
{
  struct snapshot *s = accepted(18, "",
                                "[{\"id\":\"both\",\"version\":3,\"dealers\":[" A_TO_G
                                ",\"h\",\"i\",\"j\",\"k\",\"l\"]}]");
  struct arena *arena = arena_new(1 << 20);
  char *ids[] = {TEXT("b")}, *regions[] = {TEXT("Region 0")}, *cohorts[] = {TEXT("both")};
  Analytics__Auth__V1__Grant g = ANALYTICS__AUTH__V1__GRANT__INIT;
  g.dealer_ids = ids;
  g.benchmark_regions = regions;
  g.benchmark_cohorts = cohorts;
  g.n_dealer_ids = g.n_benchmark_regions = g.n_benchmark_cohorts = 1;
  const struct scope *scope = scope_new(arena, s->directory, &g);
  Analytics__Auth__V1__ListCohortsRequest q = ANALYTICS__AUTH__V1__LIST_COHORTS_REQUEST__INIT;
  Analytics__Auth__V1__ListCohortsResponse *list = NULL;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(cohort_listing_make(&list, scope, s->peers, &q, arena, &e), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(list->n_cohorts, 2);
  CU_ASSERT_STRING_EQUAL(list->cohorts[1]->id, "both");
  CU_ASSERT_STRING_EQUAL(list->cohorts[1]->version, "v3");
  CU_ASSERT_EQUAL(list->cohorts[1]->dealers, 12);
  CU_ASSERT_EQUAL(list->cohorts[1]->visible_dealers, 1);
  CU_ASSERT_TRUE(list->cohorts[1]->benchmark);
  CU_ASSERT_STRING_EQUAL(list->cohorts[1]->withheld, "");
  Analytics__Auth__V1__ResolveCohortRequest r = ANALYTICS__AUTH__V1__RESOLVE_COHORT_REQUEST__INIT;
  Analytics__Auth__V1__ResolveCohortResponse *m = NULL;
  Analytics__Auth__V1__BenchmarkGrant *b = NULL;
  r.cohort = TEXT("both@v3");
  CU_ASSERT_EQUAL_FATAL(cohort_resolve(&m, &b, scope, s->peers, &r, arena, &e), ERR_OK);
  CU_ASSERT_STRING_EQUAL(m->cohort_id, "both@v3");
  CU_ASSERT_EQUAL(m->n_members, 12);
  r.cohort = TEXT("both@v2");
  CU_ASSERT_EQUAL(cohort_resolve(&m, &b, scope, s->peers, &r, arena, &e), ERR_FAILED_PRECONDITION);
  CU_ASSERT_STRING_EQUAL(e.message,
                         "cohort: \"both@v2\" is not its current version; give \"both\" or "
                         "\"both@v3\"");
  r.cohort = TEXT("region-2"); /* one it is not in reads like one that is not there */
  CU_ASSERT_EQUAL(cohort_resolve(&m, &b, scope, s->peers, &r, arena, &e), ERR_NOT_FOUND);
  CU_ASSERT_STRING_EQUAL(e.message, "cohort: no cohort \"region-2\"; closest: \"region-0\"");
  r.cohort = TEXT("region-9");
  CU_ASSERT_EQUAL(cohort_resolve(&m, &b, scope, s->peers, &r, arena, &e), ERR_NOT_FOUND);
  CU_ASSERT_STRING_EQUAL(e.message, "cohort: no cohort \"region-9\"; closest: \"region-0\"");
  r.region = TEXT("Region 0");
  CU_ASSERT_EQUAL(cohort_resolve(&m, &b, scope, s->peers, &r, arena, &e), ERR_INVALID_ARGUMENT);
  arena_free(arena);
  snapshot_unref(s);
}

/* What resolves for a text as cohort and as region: the same members, or the same refusal. */
static void a_group_stands_where_a_region_is_asked_for(void)
{
  struct snapshot *s = accepted(18, "",
                                "[{\"id\":\"both\",\"label\":\"Both Lands\",\"version\":3,"
                                "\"dealers\":[" A_TO_G ",\"h\",\"i\",\"j\",\"k\",\"l\"]}]");
  struct arena *arena = arena_new(1 << 20);
  char *ids[] = {TEXT("b"), TEXT("h"), TEXT("m")}, *cohorts[] = {TEXT("both")};
  Analytics__Auth__V1__Grant g = ANALYTICS__AUTH__V1__GRANT__INIT, stranger = g;
  g.dealer_ids = ids;
  g.benchmark_cohorts = cohorts;
  g.n_dealer_ids = ARRAY_LEN(ids);
  g.n_benchmark_cohorts = 1;
  stranger.dealer_ids = ids + 2;
  stranger.n_dealer_ids = 1;
  static const char *const texts[] = {"both", "Both Lands", "BOTH LANDS"};
  struct err e = {0};
  for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
    Analytics__Auth__V1__ResolveCohortRequest r = ANALYTICS__AUTH__V1__RESOLVE_COHORT_REQUEST__INIT;
    Analytics__Auth__V1__ResolveCohortResponse *m = NULL;
    Analytics__Auth__V1__BenchmarkGrant *b = NULL;
    Analytics__Auth__V1__ListDealersRequest q = ANALYTICS__AUTH__V1__LIST_DEALERS_REQUEST__INIT;
    Analytics__Auth__V1__ListDealersResponse *list = NULL;
    const struct scope *scope = scope_new(arena, s->directory, &g);
    r.region = q.region = (char *)(uintptr_t)texts[i];
    CU_ASSERT_EQUAL_FATAL(cohort_resolve(&m, &b, scope, s->peers, &r, arena, &e), ERR_OK);
    CU_ASSERT_STRING_EQUAL(m->cohort_id, "both@v3");
    CU_ASSERT_EQUAL(m->n_members, 12);
    CU_ASSERT_EQUAL_FATAL(listing_make(&list, scope, &q, arena, &e), ERR_OK);
    CU_ASSERT_EQUAL_FATAL(list->n_dealers, 2); /* of the group, those that may be seen */
    CU_ASSERT_STRING_EQUAL(list->dealers[0]->dealer_id, "b");
    CU_ASSERT_STRING_EQUAL(list->dealers[1]->dealer_id, "h");
    /* Who is in none of it reads what would be said of any text. */
    scope = scope_new(arena, s->directory, &stranger);
    CU_ASSERT_EQUAL(cohort_resolve(&m, &b, scope, s->peers, &r, arena, &e), ERR_NOT_FOUND);
    CU_ASSERT_PTR_NULL(strstr(e.message, "groups"));
    CU_ASSERT_EQUAL(listing_make(&list, scope, &q, arena, &e), ERR_NOT_FOUND);
  }
  Analytics__Auth__V1__ListDealersRequest wrong = ANALYTICS__AUTH__V1__LIST_DEALERS_REQUEST__INIT;
  Analytics__Auth__V1__ListDealersResponse *none = NULL;
  wrong.region = TEXT("Region 9");
  CU_ASSERT_EQUAL(listing_make(&none, scope_new(arena, s->directory, &g), &wrong, arena, &e),
                  ERR_NOT_FOUND);
  CU_ASSERT_STRING_EQUAL(e.message,
                         "region: no region \"Region 9\"; closest: \"Region 0\", \"Region 1\", "
                         "\"Region 2\"; regions: \"Region 0\", \"Region 1\", \"Region 2\"; "
                         "groups: \"both\"");
  arena_free(arena);
  snapshot_unref(s);
}

/* The listing of a caller over dealers; the last cohort's word on why there is no benchmark. */
static const char *why_withheld(const struct snapshot *s, const char *dealers, bool granted,
                                struct arena *arena)
{
  char *ids[16], letters[16][2], *cohorts[] = {TEXT("x")};
  Analytics__Auth__V1__Grant g = ANALYTICS__AUTH__V1__GRANT__INIT;
  for (; dealers[g.n_dealer_ids] != '\0'; g.n_dealer_ids++) {
    snprintf(letters[g.n_dealer_ids], 2, "%c", dealers[g.n_dealer_ids]);
    ids[g.n_dealer_ids] = letters[g.n_dealer_ids];
  }
  g.dealer_ids = ids;
  g.benchmark_cohorts = cohorts;
  g.n_benchmark_cohorts = granted;
  const struct scope *scope = scope_new(arena, s->directory, &g);
  Analytics__Auth__V1__ListCohortsRequest q = ANALYTICS__AUTH__V1__LIST_COHORTS_REQUEST__INIT;
  Analytics__Auth__V1__ListCohortsResponse *list = NULL;
  q.query = TEXT("x");
  CU_ASSERT_EQUAL_FATAL(cohort_listing_make(&list, scope, s->peers, &q, arena, NULL), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(list->n_cohorts, 1);
  CU_ASSERT_EQUAL(list->cohorts[0]->benchmark, list->cohorts[0]->withheld[0] == '\0');
  return list->cohorts[0]->withheld;
}

static void a_listing_says_why_a_cohort_has_no_benchmark(void)
{
  struct arena *arena = arena_new(1 << 20);
  region_size = 2;
  struct snapshot *s =
      accepted(8, "", "[{\"id\":\"x\",\"version\":1,\"dealers\":[" A_TO_G ",\"h\"]}]");
  CU_ASSERT_STRING_EQUAL(why_withheld(s, "a", true, arena), "");
  CU_ASSERT_STRING_EQUAL(why_withheld(s, "abc", true, arena), "");
  CU_ASSERT_STRING_EQUAL(why_withheld(s, "abcd", true, arena), "min_contributors");
  CU_ASSERT_STRING_EQUAL(why_withheld(s, "abcdefgh", true, arena), ""); /* all its own */
  CU_ASSERT_STRING_EQUAL(why_withheld(s, "a", false, arena), "not_granted");
  snapshot_unref(s);
  options.warn_of_cohorts = true;
  s = accepted(9, "",
               "[{\"id\":\"eight\",\"dealers\":[" A_TO_G ",\"h\"]},"
               "{\"id\":\"x\",\"dealers\":[" A_TO_G "]}]");
  options.warn_of_cohorts = false;
  region_size = 6;
  CU_ASSERT_STRING_EQUAL(why_withheld(s, "a", true, arena), "isolates_dealers");
  snapshot_unref(s);
  arena_free(arena);
}

TEST_MAIN("auth catalogue", TEST(settings_of_a_dealer_are_kept),
          TEST(wrong_settings_are_refused_with_line_field_and_dealer),
          TEST(wrong_names_of_vehicles_are_refused_with_their_place),
          TEST(every_region_is_a_cohort_written_or_not),
          TEST(a_derived_version_changes_with_the_members_only),
          TEST(cohorts_whose_difference_isolates_dealers_are_refused),
          TEST(a_union_of_whole_cohorts_is_accepted),
          TEST(P19_a_cohort_that_is_others_and_one_more_is_refused),
          TEST(cohorts_that_isolate_by_sums_alone_are_refused),
          TEST(random_catalogues_agree_with_every_combination),
          TEST(a_catalogue_too_entangled_to_check_is_refused_in_bounded_time),
          TEST(warn_starts_with_the_cohort_out_of_benchmarks),
          TEST(cohorts_that_make_no_sense_are_refused_with_line_and_field),
          TEST(a_dealer_lists_and_compares_within_the_cohorts_it_is_in),
          TEST(a_group_stands_where_a_region_is_asked_for),
          TEST(a_listing_says_why_a_cohort_has_no_benchmark))
