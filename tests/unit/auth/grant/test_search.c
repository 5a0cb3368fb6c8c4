/* Dealers by words: one that fits is found, several are listed, nothing outside the grant is. */
#include <stdio.h>
#include <string.h>

#include "auth-svc/grant/listing.h"
#include "auth-svc/grant/search.h"
#include "common/base/mem.h"
#include "common/pbjson/ambiguity.h"
#include "common/pbjson/borrow.h"
#include "tests/unit/auth/support/world.h"
#include "tests/unit/harness.h"

enum { N = 7 };

static const char *const groups[] = {"Sierra Auto Group"};
static const char *const properties[N] = {"213025501", "213025502", "213025503", "213025504",
                                          "213025505", "213025506", "213025507"};

static struct directory *make_directory(void)
{
  static const struct {
    const char *id, *account, *name, *region, *city, *state, *owner;
  } rows[N] = {{"d01", "acc-1", "Northgate Ford", "West", "Reno", "NV", "Ames"},
               {"d02", "acc-2", "Lakeside Chevrolet", "West", "Dallas", "TX", "Ames"},
               {"d03", "acc-3", "Dallas Chevrolet", "South", "Dallas", "TX", "Boyle"},
               {"d04", "acc-4", "Milwaukee Jeep", "East", "Milwaukee", "WI", "Boyle"},
               {"d05", "acc-5", "Hilton Ford", "East", "Albany", "NY", "Crane"},
               {"d06", "acc-6", "Secret Motors", "East", "Boston", "MA", "Crane"},
               {"d07", "acc-7", "Ford of Reno", "West", "Sparks", "NV", "Dunn"}};
  struct arena *arena = arena_new(1 << 20);
  struct dealer dealers[N] = {0};
  for (size_t i = 0; i < N; i++) {
    struct dealer *d = &dealers[i];
    const char **ids = ARENA_ARRAY(arena, const char *, 1),
               **names = ARENA_ARRAY(arena, const char *, 1);
    const char **labels = ARENA_ARRAY(arena, const char *, 1);
    ids[0] = properties[i];
    names[0] = groups[0];
    labels[0] = "";
    *d = (struct dealer){.dealer_id = rows[i].id,
                         .account_id = rows[i].account,
                         .name = rows[i].name,
                         .region = rows[i].region,
                         .city = rows[i].city,
                         .state = rows[i].state,
                         .owner = rows[i].owner,
                         .lead_event = "",
                         .time_zone = "",
                         .qualified_session = "",
                         .vdp_path_pattern = "",
                         .vehicle_dimensions = {"", "", "", "", ""},
                         .property_ids = ids,
                         .property_labels = labels,
                         .n_property_ids = 1,
                         .groups = names,
                         .n_groups = i < 2,
                         .file_index = i};
  }
  return directory_new(arena, dealers, N);
}

/* Everything but Secret Motors is inside the grant. */
struct stage {
  struct directory *directory;
  struct arena *arena;
  Analytics__Auth__V1__Grant grant;
  struct scope *scope;
};

static const char *granted[] = {"d01", "d02", "d03", "d04", "d05", "d07"};

static void open_stage(struct stage *s)
{
  *s = (struct stage){.directory = make_directory(), .arena = arena_new(1 << 20)};
  s->grant = (Analytics__Auth__V1__Grant)ANALYTICS__AUTH__V1__GRANT__INIT;
  s->grant.dealer_ids = borrow_texts(granted);
  s->grant.n_dealer_ids = ARRAY_LEN(granted);
  s->scope = scope_new(s->arena, s->directory, &s->grant);
}

static void close_stage(struct stage *s)
{
  arena_free(s->arena);
  directory_free(s->directory);
}

/* The id that a text names, or the reason of the refusal. */
static void expect(const struct stage *s, const char *text, const char *expected)
{
  const struct dealer *d = NULL;
  struct err e = {0};
  enum err_code code = scope_find_dealer(s->scope, "dealer_id", text, &d, &e);
  const char *got = code == ERR_OK ? d->dealer_id : e.reason;
  CU_ASSERT_STRING_EQUAL(got, expected);
  CU_ASSERT_PTR_NULL(strstr(e.message, "\"d06\" Secret"));
  if (strcmp(got, expected) != 0)
    printf("\n  \"%s\" gave %s (%s), not %s\n", text, got, e.message, expected);
}

static void a_text_that_fits_one_dealer_names_it(void)
{
  static const char *const cases[][2] = {
      {"d01", "d01"},
      {"D03", "d03"},
      {"acc-3", "d03"},
      {"213025504", "d04"},
      {"properties/213025504", "d04"},
      {"northgate ford", "d01"},
      {"Ford Northgate", "d01"},
      {"Northgate", "d01"},
      {"Nortgate Ford", "d01"},
      {"Dallas Chevrolt", "d03"},
      {"Lakeside", "d02"},
      {"the dealership in Milwaukee", "d04"},
      {"Milwaukee", "d04"},
      {"Jeep", "d04"},
      {"Ford Albany NY", "d05"},
      {"Ford of Reno", "d07"},
      {"Dallas Chevrolet", "d03"},
  };
  struct stage s;
  open_stage(&s);
  for (size_t i = 0; i < ARRAY_LEN(cases); i++)
    expect(&s, cases[i][0], cases[i][1]);
  close_stage(&s);
}

/* The details of a failure: "DEALER ford: d01=Northgate Ford d05=Hilton Ford". */
static void expect_details(const struct err *e, const char *expected)
{
  static const char *const kinds[] = {"?", "DEALER", "REGION", "DAY"};
  AUTO_BUF struct buf got = BUF_INIT(4096);
  Analytics__Error__V1__Ambiguity *a = ambiguity_get(e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(a);
  buf_printf(&got, "%s %s:", kinds[a->kind], a->asked);
  for (size_t i = 0; i < a->n_candidates; i++)
    buf_printf(&got, " %s=%s", a->candidates[i]->value, a->candidates[i]->title);
  CU_ASSERT_FALSE(a->more);
  if (strcmp(buf_str(&got), expected) != 0)
    printf("\n  got %s\n", buf_str(&got));
  CU_ASSERT_STRING_EQUAL(buf_str(&got), expected);
  analytics__error__v1__ambiguity__free_unpacked(a, NULL);
}

static void what_fits_several_is_named_for_programs(void)
{
  const struct dealer *d = NULL;
  struct stage s;
  struct err e = {0};
  open_stage(&s);
  scope_find_dealer(s.scope, "dealer_id", "Chevrolet", &d, &e);
  CU_ASSERT_STRING_EQUAL(e.reason, "several_dealers");
  expect_details(&e, "DEALER Chevrolet: d02=Lakeside Chevrolet d03=Dallas Chevrolet");
  scope_find_dealer(s.scope, "dealer_id", "Secret Motors", &d, &e);
  CU_ASSERT_EQUAL(e.details_len, 0);
  close_stage(&s);
}

#define DEALER(id, region)                                                                         \
  "{\"dealer_id\":\"d" id "\",\"account_id\":\"a" id "\",\"name\":\"N" id                          \
  "\",\"region\":\"" region "\",\"properties\":[\"200000" id                                       \
  "\"],\"oauth\":{\"client_id\":\"i\",\"client_secret\":\"s\","                                    \
  "\"refresh_token\":\"r" id "\"}}"

static void expect_region(const struct scope *s, const char *text, const char *reason,
                          const char *details)
{
  const struct catalogued *c = NULL;
  struct err e = {0};
  scope_find_region(s, NULL, "region", text, &c, &e);
  CU_ASSERT_STRING_EQUAL(e.reason, reason);
  CU_ASSERT_EQUAL(e.details_len > 0, details[0] != '\0');
  CU_ASSERT_PTR_NULL(strstr(e.message, "Midwest\" "));
  if (details[0] != '\0')
    expect_details(&e, details);
}

/* Of four regions, Midwest is outside the grant. */
static void a_region_that_fits_several_is_refused_with_those(void)
{
  struct snapshot *world = world_parse("{\"dealers\":[" DEALER("1", "West") "," DEALER(
      "2", "Southwest") "," DEALER("3", "East") "," DEALER("4", "Midwest") "]}");
  const char *ids[] = {"d1", "d2", "d3"};
  Analytics__Auth__V1__Grant grant = ANALYTICS__AUTH__V1__GRANT__INIT;
  struct arena *arena = arena_new(1 << 20);
  grant.dealer_ids = borrow_texts(ids);
  grant.n_dealer_ids = ARRAY_LEN(ids);
  const struct scope *s = scope_new(arena, world->directory, &grant);
  expect_region(s, "WES", "several_regions", "REGION WES: southwest=Southwest west=West");
  expect_region(s, "est", "several_regions", "REGION est: southwest=Southwest west=West");
  expect_region(s, "West", "", "");
  expect_region(s, "we", "unknown_region", "");
  expect_region(s, "Midwes", "unknown_region", "");
  expect_region(s, "outhwe", "unknown_region", "");
  arena_free(arena);
  snapshot_unref(world);
}

static void what_fits_several_or_none_is_refused(void)
{
  static const char *const cases[][2] = {
      {"Ford", "several_dealers"},
      {"Chevrolet", "several_dealers"},
      {"Dallas", "several_dealers"},
      {"d9", "unknown_dealer"},
      {"d08", "unknown_dealer"},
      {"d06", "unknown_dealer"},
      {"D06", "unknown_dealer"},
      {"Secret Motors", "unknown_dealer"},
      {"acc-6", "unknown_dealer"},
      {"213025506", "unknown_dealer"},
      {"21302550", "unknown_dealer"},
      {"Milton Ford", "unknown_dealer"},
      {"West", "unknown_dealer"},
      {"NV", "unknown_dealer"},
      {"Ames", "unknown_dealer"},
      {"Northgate Kia", "unknown_dealer"},
      {"Ford Chevrolet", "unknown_dealer"},
      {"the dealership", "unknown_dealer"},
      {"  ", "unknown_dealer"},
      {"acc-", "unknown_dealer"},
      {"North", "unknown_dealer"},
  };
  struct stage s;
  open_stage(&s);
  for (size_t i = 0; i < ARRAY_LEN(cases); i++)
    expect(&s, cases[i][0], cases[i][1]);
  close_stage(&s);
}

static void several_that_fit_are_named(void)
{
  struct stage s;
  const struct dealer *d = NULL;
  struct err e = {0};
  open_stage(&s);
  CU_ASSERT_EQUAL(scope_find_dealer(s.scope, "subject", "Chevrolet", &d, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_STRING_EQUAL(e.message,
                         "subject: \"Chevrolet\" matches 2 dealers: \"d02\" Lakeside Chevrolet, "
                         "\"d03\" Dallas Chevrolet; give one dealer_id");
  close_stage(&s);
}

/* The ids that a query lists, joined. */
static void expect_listed(const struct stage *s, const char *query, const char *expected,
                          bool noted)
{
  Analytics__Auth__V1__ListDealersRequest r = ANALYTICS__AUTH__V1__LIST_DEALERS_REQUEST__INIT;
  Analytics__Auth__V1__ListDealersResponse *l = NULL;
  struct err e = {0};
  AUTO_BUF struct buf ids = BUF_INIT(200);
  r.query = borrow_text(query);
  CU_ASSERT_EQUAL_FATAL(listing_make(&l, s->scope, &r, s->arena, &e), ERR_OK);
  for (size_t i = 0; i < l->n_dealers; i++)
    buf_printf(&ids, "%s%s", i > 0 ? " " : "", l->dealers[i]->dealer_id);
  CU_ASSERT_STRING_EQUAL(buf_str(&ids), expected);
  CU_ASSERT_EQUAL(l->n_notes > 0, noted);
  CU_ASSERT_EQUAL((size_t)l->total, l->n_dealers);
  if (strcmp(buf_str(&ids), expected) != 0)
    printf("\n  \"%s\" listed %s, not %s\n", query, buf_str(&ids), expected);
}

static void a_query_ranks_by_its_words(void)
{
  struct stage s;
  open_stage(&s);
  expect_listed(&s, "", "d01 d02 d03 d04 d05 d07", false);
  expect_listed(&s, "ford", "d01 d05 d07", false);
  expect_listed(&s, "Ford Reno", "d01 d07", false);
  expect_listed(&s, "chevrolt dallas", "d02 d03", false);
  expect_listed(&s, "Ames", "d01 d02", false);
  expect_listed(&s, "sierra group", "d01 d02", false);
  expect_listed(&s, "213025503", "d03", false);
  expect_listed(&s, "Boston", "", false);
  expect_listed(&s, "Hiltn Frd", "d05", true);
  close_stage(&s);
}

TEST_MAIN("auth search", TEST(a_text_that_fits_one_dealer_names_it),
          TEST(what_fits_several_is_named_for_programs),
          TEST(a_region_that_fits_several_is_refused_with_those),
          TEST(what_fits_several_or_none_is_refused), TEST(several_that_fit_are_named),
          TEST(a_query_ranks_by_its_words))
