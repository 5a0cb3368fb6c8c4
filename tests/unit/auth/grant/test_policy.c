/* Policy: who may see, list, compare and fetch what; and that nothing else shows through. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth-svc/grant/cohort.h"
#include "auth-svc/grant/listing.h"
#include "auth-svc/rpc/target.h"
#include "common/base/mem.h"
#include "common/base/nearest.h"
#include "common/pbjson/pbjson.h"
#include "tests/unit/auth/support/world.h"
#include "tests/unit/harness.h"

typedef Analytics__Auth__V1__Grant grant_t;
typedef Analytics__Auth__V1__ResolveCohortRequest cohort_request;
typedef Analytics__Auth__V1__ResolveCohortResponse cohort_response;
typedef Analytics__Auth__V1__BenchmarkGrant benchmark_t;
typedef Analytics__Auth__V1__GetAccessTokenRequest token_request;

#define TEXT(s) ((char *)(uintptr_t)(s))

/* ------------------------------------------------------------------- a small world */

/* Twelve dealers: West d03 d06 d09 d12, East d01 d04 d07 d10, North d02 d05 d08 d11. */
static struct sealer *the_sealer(void)
{
  static struct sealer *s;
  if (s == NULL)
    CU_ASSERT_EQUAL_FATAL(sealer_new(&s, "KEY", NULL, "test", NULL), ERR_OK);
  return s;
}

static struct snapshot *twelve(void)
{
  struct snapshot *s = world_new(12, NULL);
  snapshot_trust(s, &(struct trust){.sealer = the_sealer()});
  return s;
}

static grant_t grant_of(char **ids, size_t n, char **regions, size_t n_regions)
{
  grant_t g = ANALYTICS__AUTH__V1__GRANT__INIT;
  g.subject = TEXT("ann");
  g.principal_id = TEXT("p");
  g.role = ANALYTICS__AUTH__V1__ROLE__ROLE_DEALER;
  g.expires_at = 1000;
  g.dealer_ids = ids;
  g.n_dealer_ids = n;
  g.benchmark_regions = regions;
  g.n_benchmark_regions = n_regions;
  return g;
}

struct asked {
  struct arena *arena;
  struct snapshot *world;
  grant_t grant;
  const struct scope *scope;
  cohort_response *cohort;
  benchmark_t *benchmark;
  struct target target;
  struct err e;
};

static struct asked ask_as(grant_t grant)
{
  struct asked a = {.arena = arena_new(8 << 20), .world = twelve(), .grant = grant};
  return a;
}

static void done(struct asked *a)
{
  arena_free(a->arena);
  snapshot_unref(a->world);
}

static enum err_code resolve(struct asked *a, const char *const *ids, size_t n, const char *region,
                             const char *subject)
{
  cohort_request r = ANALYTICS__AUTH__V1__RESOLVE_COHORT_REQUEST__INIT;
  r.dealer_ids = (char **)(uintptr_t)ids;
  r.n_dealer_ids = n;
  r.region = TEXT(region);
  r.subject_dealer_id = TEXT(subject);
  a->e = (struct err){0};
  a->scope = scope_new(a->arena, a->world->directory, &a->grant);
  return cohort_resolve(&a->cohort, &a->benchmark, a->scope, a->world->peers, &r, a->arena, &a->e);
}

static enum err_code fetch(struct asked *a, bool benchmark, int field, const char *value)
{
  token_request r = ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__INIT;
  struct unsealed grant = {.grant = benchmark ? NULL : &a->grant,
                           .benchmark = benchmark ? a->benchmark : NULL,
                           .expires_at = 1000};
  r.purpose = benchmark ? ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_BENCHMARK
                        : ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT;
  r.target_case = (Analytics__Auth__V1__GetAccessTokenRequest__TargetCase)field;
  r.dealer_ref = TEXT(value); /* one union: the same place for all three */
  a->e = (struct err){0};
  return target_resolve(&a->target, a->world, &grant, &r, a->arena, &a->e);
}

enum {
  BY_DEFAULT = ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET__NOT_SET,
  BY_DEALER = ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_DEALER_REF,
  BY_PROPERTY = ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_PROPERTY_ID,
  BY_ACCOUNT = ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_ACCOUNT_ID,
};

static void check_error(const struct asked *a, const char *message)
{
  if (strcmp(a->e.message, message) != 0)
    printf("\n  want %s\n  got  %s\n", message, a->e.message);
  CU_ASSERT_STRING_EQUAL(a->e.message, message);
}

/* ------------------------------------------------------------------------- cohorts */

static void a_dealer_is_compared_with_its_region_whose_others_stay_unnamed(void)
{
  char *ids[] = {TEXT("d06")}, *regions[] = {TEXT("West")};
  struct asked a = ask_as(grant_of(ids, 1, regions, 1));
  CU_ASSERT_EQUAL_FATAL(resolve(&a, NULL, 0, "", ""), ERR_OK);
  CU_ASSERT_EQUAL(strncmp(a.cohort->cohort_id, "west@v", 6), 0);
  CU_ASSERT_STRING_EQUAL(a.cohort->label, "West");
  CU_ASSERT_EQUAL_FATAL(a.cohort->n_members, 4);
  CU_ASSERT_EQUAL(a.cohort->subject_index, 1);
  for (size_t i = 0; i < 4; i++) {
    const Analytics__Auth__V1__CohortMember *m = a.cohort->members[i];
    CU_ASSERT_EQUAL(m->visible, i == 1);
    CU_ASSERT_EQUAL(m->dealer != NULL, i == 1);
    CU_ASSERT_EQUAL(m->dealer_ref[0], i == 1 ? 'd' : '~');
    CU_ASSERT_EQUAL(m->owner_ref[0], '~');
    CU_ASSERT_EQUAL(fetch(&a, true, BY_DEALER, m->dealer_ref), ERR_OK);
    CU_ASSERT_EQUAL(a.target.opaque, i != 1);
    CU_ASSERT_EQUAL(fetch(&a, false, BY_DEALER, m->dealer_ref) == ERR_OK, i == 1);
  }
  /* The benchmark grant names its members only as ResolveCohort did. */
  CU_ASSERT_EQUAL(fetch(&a, true, BY_DEALER, "d03"), ERR_NOT_FOUND);
  CU_ASSERT_EQUAL(fetch(&a, true, BY_DEALER, "d01"), ERR_NOT_FOUND);
  CU_ASSERT_EQUAL(fetch(&a, true, BY_PROPERTY, "2000006"), ERR_INVALID_ARGUMENT);
  char ref[PEER_REF_SIZE];
  const struct dealer *east = directory_by_id(a.world->directory, "d01");
  peers_write_ref(peers_tag(a.world->peers, 0, east, false), ref);
  CU_ASSERT_EQUAL(fetch(&a, true, BY_DEALER, ref), ERR_NOT_FOUND);
  done(&a);
}

/* What list_cohorts and answers print as a cohort's id stands where a region is asked for. */
static void a_region_is_found_by_its_id_and_version(void)
{
  char *ids[] = {TEXT("d06")}, *regions[] = {TEXT("West")};
  struct asked a = ask_as(grant_of(ids, 1, regions, 1));
  CU_ASSERT_EQUAL_FATAL(resolve(&a, NULL, 0, "West", ""), ERR_OK);
  AUTO_FREE char *id = xstrdup(a.cohort->cohort_id);
  CU_ASSERT_EQUAL_FATAL(resolve(&a, NULL, 0, id, ""), ERR_OK);
  CU_ASSERT_STRING_EQUAL(a.cohort->label, "West");
  CU_ASSERT_STRING_EQUAL(a.cohort->cohort_id, id);
  CU_ASSERT_EQUAL(resolve(&a, NULL, 0, "west@v000000", ""), ERR_FAILED_PRECONDITION);
  AUTO_FREE char *message =
      xasprintf("region: \"west@v000000\" is not its current version; give \"west\" or \"%s\"", id);
  check_error(&a, message);
  CU_ASSERT_EQUAL(resolve(&a, NULL, 0, "east@v000000", ""),
                  ERR_NOT_FOUND); /* as if there were none */
  done(&a);
}

static void without_benchmark_scope_only_own_dealers_are_members(void)
{
  char *ids[] = {TEXT("d03"), TEXT("d12"), TEXT("d01")};
  struct asked a = ask_as(grant_of(ids, 3, NULL, 0));
  CU_ASSERT_EQUAL_FATAL(resolve(&a, NULL, 0, "wEST", "d12"), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(a.cohort->n_members, 2);
  CU_ASSERT_EQUAL(a.cohort->subject_index, 1);
  CU_ASSERT_STRING_EQUAL(a.cohort->label, "West (your dealers)");
  CU_ASSERT_EQUAL(strncmp(a.cohort->cohort_id, "west/", 5), 0);
  /* The subject joins a region it is not in. */
  CU_ASSERT_EQUAL_FATAL(resolve(&a, NULL, 0, "West", "d01"), ERR_OK);
  CU_ASSERT_EQUAL(a.cohort->n_members, 3);
  CU_ASSERT_EQUAL(a.cohort->subject_index, 0);
  done(&a);
}

static void listed_dealers_make_a_cohort_of_their_own(void)
{
  char *ids[] = {TEXT("d03"), TEXT("d12"), TEXT("d01")};
  static const char *const listed[] = {"d12", "d03", "d12"}, *const other[] = {"d01"};
  struct asked a = ask_as(grant_of(ids, 3, NULL, 0));
  CU_ASSERT_EQUAL_FATAL(resolve(&a, listed, 3, "", ""), ERR_OK);
  CU_ASSERT_EQUAL(a.cohort->n_members, 2);
  CU_ASSERT_EQUAL(a.cohort->subject_index, -1);
  CU_ASSERT_STRING_EQUAL(a.cohort->members[0]->dealer_ref, "d03"); /* in order of ids */
  AUTO_FREE char *id = xstrdup(a.cohort->cohort_id);
  CU_ASSERT_EQUAL_FATAL(resolve(&a, other, 1, "", "d03"), ERR_OK);
  CU_ASSERT_EQUAL(a.cohort->n_members, 2);
  CU_ASSERT_EQUAL(a.cohort->subject_index, 1);
  CU_ASSERT_STRING_NOT_EQUAL(a.cohort->cohort_id, id);
  done(&a);
}

static void cohorts_that_make_no_sense_are_refused_with_the_field(void)
{
  char *ids[] = {TEXT("d03"), TEXT("d12")}, *regions[] = {TEXT("West")};
  static const char *const d03[] = {"d03"}, *const d01[] = {"d01"}, *const d99[] = {"d99"};
  struct asked a = ask_as(grant_of(ids, 2, regions, 1));
  CU_ASSERT_EQUAL(resolve(&a, d03, 1, "West", ""), ERR_INVALID_ARGUMENT);
  check_error(&a, "dealer_ids: give dealer_ids or region, not both");
  CU_ASSERT_EQUAL(resolve(&a, NULL, 0, "", ""), ERR_INVALID_ARGUMENT);
  CU_ASSERT_EQUAL(resolve(&a, d01, 1, "", ""), ERR_NOT_FOUND);
  check_error(&a, "dealer_ids: no dealer \"d01\"; closest: \"d03\" Jasper Honda No03, \"d12\" "
                  "Quokka Ford No12");
  CU_ASSERT_EQUAL(resolve(&a, d99, 1, "", ""), ERR_NOT_FOUND); /* reads the same */
  check_error(&a, "dealer_ids: no dealer \"d99\"; closest: \"d03\" Jasper Honda No03, \"d12\" "
                  "Quokka Ford No12");
  CU_ASSERT_EQUAL(resolve(&a, NULL, 0, "Wset", ""), ERR_NOT_FOUND);
  check_error(&a, "region: no region \"Wset\"; closest: \"West\"; regions: \"West\"");
  CU_ASSERT_EQUAL(resolve(&a, NULL, 0, "East", ""), ERR_NOT_FOUND);
  CU_ASSERT_EQUAL(resolve(&a, NULL, 0, "West", "d06"), ERR_NOT_FOUND);
  CU_ASSERT_EQUAL(strncmp(a.e.message, "subject_dealer_id: no dealer \"d06\"", 34), 0);
  done(&a);
}

static void a_changed_configuration_never_widens_a_grant(void)
{
  char *ids[] = {TEXT("d03"), TEXT("gone")}, *regions[] = {TEXT("West"), TEXT("Atlantis")};
  struct asked a = ask_as(grant_of(ids, 2, regions, 2));
  CU_ASSERT_EQUAL(resolve(&a, NULL, 0, "", ""), ERR_OK); /* d03 is the only one left */
  CU_ASSERT_EQUAL(a.cohort->subject_index, 0);
  CU_ASSERT_EQUAL(resolve(&a, NULL, 0, "Atlantis", ""), ERR_NOT_FOUND);
  done(&a);
}

/* ------------------------------------------------------------------------- targets */

static void tokens_are_for_dealers_inside_the_grant(void)
{
  char *ids[] = {TEXT("d03"), TEXT("d12")};
  struct asked a = ask_as(grant_of(ids, 2, NULL, 0));
  CU_ASSERT_EQUAL(fetch(&a, false, BY_DEALER, "d03"), ERR_OK);
  CU_ASSERT_STRING_EQUAL(a.target.account_id, "a03");
  CU_ASSERT_EQUAL(fetch(&a, false, BY_PROPERTY, "2000012"), ERR_OK);
  CU_ASSERT_EQUAL(fetch(&a, false, BY_PROPERTY, "properties/2000012"), ERR_OK);
  CU_ASSERT_STRING_EQUAL(a.target.ref, "d12");
  CU_ASSERT_EQUAL(fetch(&a, false, BY_ACCOUNT, "a12"), ERR_OK);
  CU_ASSERT_EQUAL(fetch(&a, false, BY_DEFAULT, ""), ERR_INVALID_ARGUMENT);
  CU_ASSERT_EQUAL(fetch(&a, false, BY_DEALER, "d01"), ERR_NOT_FOUND);
  CU_ASSERT_EQUAL(fetch(&a, false, BY_ACCOUNT, "a01"), ERR_NOT_FOUND);
  CU_ASSERT_EQUAL(fetch(&a, false, BY_PROPERTY, "2000001"), ERR_NOT_FOUND);
  check_error(&a, "property_id: no dealer you may read is configured with property \"2000001\"; "
                  "give dealer_id as well, list_dealers names them");
  CU_ASSERT_EQUAL(fetch(&a, false, BY_PROPERTY, "9"), ERR_NOT_FOUND);
  a.grant.n_dealer_ids = 1;
  CU_ASSERT_EQUAL(fetch(&a, false, BY_DEFAULT, ""), ERR_OK);
  CU_ASSERT_STRING_EQUAL(a.target.ref, "d03");
  done(&a);
}

static void a_purpose_goes_with_its_grant_only(void)
{
  char *ids[] = {TEXT("d03")};
  struct asked a = ask_as(grant_of(ids, 1, NULL, 0));
  CU_ASSERT_EQUAL_FATAL(resolve(&a, NULL, 0, "", ""), ERR_OK);
  struct unsealed direct = {.grant = &a.grant, .expires_at = 1000};
  struct unsealed benchmark = {.benchmark = a.benchmark, .expires_at = 1000};
  token_request r = ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__INIT;
  r.target_case = (Analytics__Auth__V1__GetAccessTokenRequest__TargetCase)BY_DEALER;
  r.dealer_ref = TEXT("d03");
  CU_ASSERT_EQUAL(target_resolve(&a.target, a.world, &direct, &r, a.arena, &a.e),
                  ERR_INVALID_ARGUMENT);
  r.purpose = ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_BENCHMARK;
  CU_ASSERT_EQUAL(target_resolve(&a.target, a.world, &direct, &r, a.arena, &a.e),
                  ERR_PERMISSION_DENIED);
  r.purpose = ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT;
  CU_ASSERT_EQUAL(target_resolve(&a.target, a.world, &benchmark, &r, a.arena, &a.e),
                  ERR_PERMISSION_DENIED);
  done(&a);
}

static void an_unknown_property_falls_back_to_an_only_account(void)
{
  struct snapshot *one = world_new(1, NULL);
  struct arena *arena = arena_new(1 << 20);
  grant_t all = grant_of(NULL, 0, NULL, 0);
  all.all_dealers = true;
  struct asked a = {.arena = arena, .world = one, .grant = all};
  CU_ASSERT_EQUAL(fetch(&a, false, BY_PROPERTY, "777"), ERR_OK);
  CU_ASSERT_STRING_EQUAL(a.target.account_id, "a01");
  a.grant.all_dealers = false;
  CU_ASSERT_EQUAL(fetch(&a, false, BY_PROPERTY, "777"), ERR_NOT_FOUND);
  done(&a);
  a = ask_as(all);
  CU_ASSERT_EQUAL(fetch(&a, false, BY_PROPERTY, "777"), ERR_NOT_FOUND);
  done(&a);
}

static void default_credentials_serve_any_property_of_an_unlimited_grant(void)
{
  struct credential *adc = credential_new_refresh_token("c", "s", "r", NULL, "payer", false);
  struct asked a = {.arena = arena_new(1 << 20), .grant = grant_of(NULL, 0, NULL, 0)};
  a.world = snapshot_new(directory_new(arena_new(1 << 16), NULL, 0), NULL, adc);
  a.grant.all_dealers = true;
  CU_ASSERT_EQUAL(fetch(&a, false, BY_PROPERTY, "777"), ERR_OK);
  CU_ASSERT_PTR_NULL(a.target.dealer);
  CU_ASSERT_STRING_EQUAL(a.target.account_id, ADC_ACCOUNT_ID);
  CU_ASSERT_EQUAL(fetch(&a, false, BY_DEFAULT, ""), ERR_OK);
  CU_ASSERT_EQUAL(fetch(&a, false, BY_ACCOUNT, ADC_ACCOUNT_ID), ERR_OK);
  CU_ASSERT_EQUAL(fetch(&a, false, BY_DEALER, "d01"), ERR_NOT_FOUND);
  check_error(&a, "dealer_id: no dealer \"d01\"; no dealers are configured here: give property_id "
                  "alone");
  a.grant.all_dealers = false;
  CU_ASSERT_EQUAL(fetch(&a, false, BY_PROPERTY, "777"), ERR_NOT_FOUND);
  CU_ASSERT_EQUAL(fetch(&a, false, BY_DEFAULT, ""), ERR_INVALID_ARGUMENT);
  done(&a);
}

/* ------------------------------------------------------------------------- listing */

static void dealers_are_listed_searched_and_paged(void)
{
  struct asked a = ask_as(grant_of(NULL, 0, NULL, 0));
  a.grant.all_dealers = true;
  a.scope = scope_new(a.arena, a.world->directory, &a.grant);
  Analytics__Auth__V1__ListDealersRequest r = ANALYTICS__AUTH__V1__LIST_DEALERS_REQUEST__INIT;
  Analytics__Auth__V1__ListDealersResponse *l = NULL;
  CU_ASSERT_EQUAL_FATAL(listing_make(&l, a.scope, &r, a.arena, &a.e), ERR_OK);
  CU_ASSERT_EQUAL(l->n_dealers, 12);
  CU_ASSERT_EQUAL(l->total, 12);
  CU_ASSERT_EQUAL(l->next_offset, 0);
  CU_ASSERT_EQUAL(l->n_regions, 3);
  r.limit = 5;
  r.offset = 5;
  CU_ASSERT_EQUAL_FATAL(listing_make(&l, a.scope, &r, a.arena, &a.e), ERR_OK);
  CU_ASSERT_EQUAL(l->n_dealers, 5);
  CU_ASSERT_STRING_EQUAL(l->dealers[0]->dealer_id, "d06");
  CU_ASSERT_EQUAL(l->next_offset, 10);
  r.offset = 10;
  CU_ASSERT_EQUAL_FATAL(listing_make(&l, a.scope, &r, a.arena, &a.e), ERR_OK);
  CU_ASSERT_EQUAL(l->n_dealers, 2);
  CU_ASSERT_EQUAL(l->next_offset, 0);
  r = (Analytics__Auth__V1__ListDealersRequest)ANALYTICS__AUTH__V1__LIST_DEALERS_REQUEST__INIT;
  r.query = TEXT("KIA");
  r.region = TEXT("east");
  CU_ASSERT_EQUAL_FATAL(listing_make(&l, a.scope, &r, a.arena, &a.e), ERR_OK);
  CU_ASSERT_EQUAL(l->n_dealers, 1); /* d01: Zephyr Kia, East */
  CU_ASSERT_EQUAL(l->n_regions, 3);
  r.limit = 501;
  CU_ASSERT_EQUAL(listing_make(&l, a.scope, &r, a.arena, &a.e), ERR_INVALID_ARGUMENT);
  check_error(&a, "limit: 501; must be 1 to 500");
  r.limit = 0;
  r.offset = -1;
  CU_ASSERT_EQUAL(listing_make(&l, a.scope, &r, a.arena, &a.e), ERR_INVALID_ARGUMENT);
  r.offset = 0;
  r.region = TEXT("Nroth");
  CU_ASSERT_EQUAL(listing_make(&l, a.scope, &r, a.arena, &a.e), ERR_NOT_FOUND);
  check_error(
      &a,
      "region: no region \"Nroth\"; closest: \"North\"; regions: \"East\", \"North\", \"West\"");
  done(&a);
}

static void closest_matches_are_close(void)
{
  CU_ASSERT_EQUAL(nearest_distance("d99", "D99"), 0);
  CU_ASSERT_EQUAL(nearest_distance("northgate", "Northgate Ford"), 1);
  CU_ASSERT_EQUAL(nearest_distance("d90", "d09"), 1); /* swapped */
  CU_ASSERT_EQUAL(nearest_distance("kitten", "sitting"), 3);
  CU_ASSERT_EQUAL(nearest_distance("banana", "West"), NEAREST_FAR);
  CU_ASSERT_EQUAL(nearest_distance("", "West"), NEAREST_FAR);
  struct nearest best = {0};
  const unsigned d[] = {5, 2, NEAREST_FAR, 2, 1, 9};
  for (size_t i = 0; i < ARRAY_LEN(d); i++)
    nearest_offer(&best, i, d[i]);
  CU_ASSERT_EQUAL_FATAL(best.n, 3);
  CU_ASSERT_EQUAL(best.item[0], 4);
  CU_ASSERT_EQUAL(best.item[1], 1);
  CU_ASSERT_EQUAL(best.item[2], 3);
}

static void texts_of_callers_are_cut_at_a_character(void)
{
  char out[SHOWN_SIZE];
  AUTO_BUF struct buf b = BUF_INIT(1024);
  for (int i = 0; i < 40; i++)
    buf_puts(&b, "\xc3\xa9"); /* é, twice 40 bytes; 64 falls between characters */
  CU_ASSERT_EQUAL(strlen(shown(out, buf_str(&b))), 67);
  CU_ASSERT_EQUAL(strlen(shown(out, buf_str(&b) + 1)), 63 + 3);
  CU_ASSERT_STRING_EQUAL(shown(out, "a\nb"), "a?b");
}

/* --------------------------------------------------------------- isolation, at random */

/* AMCP_GRANT_WORLDS takes another number of worlds. */
enum { WORLDS = 2000, MAX_DEALERS = 24 };

static uint64_t seed = 20261122;

static size_t pick(size_t bound)
{
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return (size_t)(seed % bound);
}

static const char *const region_names[] = {"Westmark", "Eastvale", "Northern", "Southby"};

/* Every text of a dealer is one that nothing else could contain. */
static struct snapshot *random_world(size_t n)
{
  struct buf j = BUF_INIT(1 << 20);
  for (size_t i = 0; i < n; i++)
    buf_printf(
        &j,
        "%c{\"dealer_id\":\"shop-%02zuk\",\"account_id\":\"acct-%02zuk\",\"name\":\"Name %02zuk"
        "\",\"region\":\"%s\",\"city\":\"Town %02zuk\",\"owner\":\"Owner %02zuk\",\"properties\":"
        "[\"77000%02zu\"],\"oauth\":{\"client_id\":\"c\",\"client_secret\":\"secret %02zuk\","
        "\"refresh_token\":\"refresh %02zuk\"}}",
        i == 0 ? '[' : ',', i, i, i, region_names[pick(4)], i, i, i, i, i);
  buf_putc(&j, ']');
  struct snapshot *s = world_parse(buf_str(&j));
  snapshot_trust(s, &(struct trust){.sealer = the_sealer()});
  buf_free(&j);
  return s;
}

static const char *random_id(char out[32])
{
  static const char *const forms[] = {"shop-%02zuk", "shop-%02zu", "acct-%02zuk",
                                      "Name %02zuk", "77000%02zu", "secret %02zuk"};
  size_t form = pick(9); /* an id most of the time */
  /* The formats are the constants above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  snprintf(out, 32, forms[form < ARRAY_LEN(forms) ? form : 0], pick(MAX_DEALERS + 3));
#pragma GCC diagnostic pop
  return out;
}

/* Takes the first quoted text out of an error: that is the echo of what was asked. */
static void strip_echo(char *text)
{
  char *open = strchr(text, '"'), *close = open != NULL ? strchr(open + 1, '"') : NULL;
  if (close != NULL)
    memmove(open, close + 1, strlen(close + 1) + 1);
}

/* Looks for anything of a dealer outside the grant, or of a region it may not know. */
static size_t leaks(const struct scope *s, const char *text)
{
  size_t found = 0;
  for (size_t i = 0; i < s->directory->n_dealers; i++) {
    const struct dealer *d = &s->directory->dealers[i];
    const char *const texts[] = {d->dealer_id, d->account_id, d->name,
                                 d->city,      d->owner,      d->property_ids[0]};
    for (size_t k = 0; !s->direct[i] && k < ARRAY_LEN(texts); k++)
      if (strstr(text, texts[k]) != NULL) {
        printf("\n  leaks \"%s\": %s\n", texts[k], text);
        found++;
      }
  }
  for (size_t i = 0; i < s->directory->n_regions; i++)
    found += !scope_knows_region(s, i) && strstr(text, s->directory->regions[i]) != NULL;
  return found + (strstr(text, "secret ") != NULL) + (strstr(text, "refresh ") != NULL);
}

static size_t leaks_of(struct asked *a, enum err_code code, const ProtobufCMessage *response)
{
  struct buf json = BUF_INIT(1 << 20);
  if (code == ERR_OK) {
    CU_ASSERT_EQUAL(pbjson_write(&json, response, NULL, NULL), ERR_OK);
  } else {
    strip_echo(a->e.message);
    buf_puts(&json, a->e.message);
  }
  size_t n = leaks(a->scope, buf_str(&json));
  buf_free(&json);
  return n;
}

static size_t try_listing(struct asked *a)
{
  char query[32];
  const char *region = pick(2) == 0 ? "" : region_names[pick(4)];
  Analytics__Auth__V1__ListDealersRequest r = ANALYTICS__AUTH__V1__LIST_DEALERS_REQUEST__INIT;
  Analytics__Auth__V1__ListDealersResponse *l = NULL;
  r.query = pick(2) == 0 ? TEXT("") : TEXT(random_id(query));
  r.region = TEXT(region);
  r.limit = (int32_t)pick(30);
  r.offset = (int32_t)pick(5);
  a->e = (struct err){0};
  enum err_code code = listing_make(&l, a->scope, &r, a->arena, &a->e);
  return leaks_of(a, code, l != NULL ? &l->base : NULL);
}

static size_t try_fetch(struct asked *a)
{
  char id[32];
  static const int fields[] = {BY_DEFAULT, BY_DEALER, BY_PROPERTY, BY_ACCOUNT};
  int field = fields[pick(ARRAY_LEN(fields))];
  random_id(id);
  enum err_code code = fetch(a, false, field, id);
  if (code == ERR_OK) {
    CU_ASSERT_TRUE(scope_sees(a->scope, a->target.dealer));
    return scope_sees(a->scope, a->target.dealer) ? 0 : 1;
  }
  strip_echo(a->e.message);
  return leaks(a->scope, a->e.message);
}

/* Every member can be fetched for the benchmark, and nobody else. */
static size_t check_benchmark(struct asked *a)
{
  size_t wrong = 0;
  bool *member = ARENA_ARRAY(a->arena, bool, a->world->directory->n_dealers);
  for (size_t i = 0; i < a->cohort->n_members; i++) {
    const Analytics__Auth__V1__CohortMember *m = a->cohort->members[i];
    wrong += fetch(a, true, BY_DEALER, m->dealer_ref) != ERR_OK;
    member[a->target.dealer->index] = true;
    wrong += m->visible != scope_sees(a->scope, a->target.dealer);
    wrong += !m->visible && !a->scope->benchmark[a->target.dealer->region_index];
  }
  for (size_t i = 0; i < a->world->directory->n_dealers; i++) {
    const struct dealer *d = &a->world->directory->dealers[i];
    char ref[PEER_REF_SIZE];
    peers_write_ref(peers_tag(a->world->peers, 0, d, false), ref);
    bool opaque = member[i] && !scope_sees(a->scope, d);
    bool visible = member[i] && scope_sees(a->scope, d);
    wrong += (fetch(a, true, BY_DEALER, ref) == ERR_OK) != opaque;
    wrong += (fetch(a, true, BY_DEALER, d->dealer_id) == ERR_OK) != visible;
  }
  return wrong;
}

static size_t try_cohort(struct asked *a)
{
  char id1[32], id2[32], subject[32] = "";
  const char *ids[] = {random_id(id1), random_id(id2)};
  const char *region = pick(3) == 0 ? "" : region_names[pick(4)];
  size_t n = pick(3) == 0 ? pick(3) : 0;
  if (pick(2) == 0)
    random_id(subject);
  enum err_code code = resolve(a, ids, n, region, subject);
  size_t wrong = leaks_of(a, code, code == ERR_OK ? &a->cohort->base : NULL);
  return wrong + (code == ERR_OK ? check_benchmark(a) : 0);
}

static void nothing_outside_the_grant_shows_in_random_worlds(void)
{
  const char *text = getenv("AMCP_GRANT_WORLDS");
  size_t wrong = 0, worlds = text != NULL ? (size_t)strtoull(text, NULL, 10) : WORLDS;
  for (size_t i = 0; i < worlds; i++) {
    size_t n = 1 + pick(MAX_DEALERS);
    struct asked a = {.arena = arena_new(8 << 20), .world = random_world(n)};
    char *ids[MAX_DEALERS], *regions[4];
    size_t n_ids = 0, n_regions = 0;
    for (size_t k = 0; k < n; k++)
      if (pick(4) == 0)
        ids[n_ids++] = TEXT(a.world->directory->dealers[k].dealer_id);
    for (size_t k = 0; k < 4; k++)
      if (pick(3) == 0)
        regions[n_regions++] = TEXT(region_names[k]);
    a.grant = grant_of(ids, n_ids, regions, n_regions);
    a.scope = scope_new(a.arena, a.world->directory, &a.grant);
    for (size_t k = 0; k < n; k++) {
      const struct dealer *d = &a.world->directory->dealers[k];
      wrong += scope_grant_sees(&a.grant, d) != scope_sees(a.scope, d);
    }
    for (int k = 0; k < 4; k++)
      wrong += try_listing(&a) + try_fetch(&a) + try_cohort(&a);
    done(&a);
  }
  CU_ASSERT_EQUAL(wrong, 0);
}

TEST_MAIN("auth policy", TEST(a_dealer_is_compared_with_its_region_whose_others_stay_unnamed),
          TEST(a_region_is_found_by_its_id_and_version),
          TEST(without_benchmark_scope_only_own_dealers_are_members),
          TEST(listed_dealers_make_a_cohort_of_their_own),
          TEST(cohorts_that_make_no_sense_are_refused_with_the_field),
          TEST(a_changed_configuration_never_widens_a_grant),
          TEST(tokens_are_for_dealers_inside_the_grant), TEST(a_purpose_goes_with_its_grant_only),
          TEST(an_unknown_property_falls_back_to_an_only_account),
          TEST(default_credentials_serve_any_property_of_an_unlimited_grant),
          TEST(dealers_are_listed_searched_and_paged), TEST(closest_matches_are_close),
          TEST(texts_of_callers_are_cut_at_a_character),
          TEST(nothing_outside_the_grant_shows_in_random_worlds))
