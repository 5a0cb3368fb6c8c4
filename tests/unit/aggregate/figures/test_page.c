/* Kinds and templates of page paths as dealer websites write them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/figures/page.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

static const struct {
  const char *path, *type, *model, *template;
} pages[] = {
    {"/", "home", "", "/"},
    {"/index.htm", "home", "", "/index.htm"},
    {"", "(not set)", "", "(not set)"},
    {"(not set)", "(not set)", "", "(not set)"},
    {"(other)", "(other)", "", "(other)"},
    {"/inventory/new-2024-ford-f-150-xlt-4wd-supercrew-1FTFW1E52PFA00001/", "vehicle", "Ford F-150",
     "/inventory/{vehicle}/new/ford-f-150"},
    {"/used/Honda/2019-Honda-CR-V-4d2e1b7a0a0e0a17.htm", "vehicle", "Honda CR-V",
     "/used/{vehicle}/used/honda-cr-v"},
    {"/viewdetails/new/1C6SRFFT0RN100001/2024-ram-1500-crew-cab", "vehicle", "Ram 1500",
     "/viewdetails/{vehicle}/new/ram-1500"},
    {"/inventory/used-2019-zzz-unknown-1FTFW1E52PFA00001/", "vehicle", "",
     "/inventory/used-{year}-zzz-unknown-{id}/"},
    {"/new-vehicles/rav4/", "list", "", "/new-vehicles/rav4/"},
    {"/used-vehicles/?page=3", "list", "", "/used-vehicles/"},
    {"/searchnew.aspx?year=2024&vin=1FTFW1E52PFA00001", "list", "", "/searchnew.aspx"},
    {"/Schedule-Service/", "service", "", "/schedule-service/"},
    {"/parts/", "parts", "", "/parts/"},
    {"/value-your-trade/", "trade", "", "/value-your-trade/"},
    {"/finance/apply", "finance", "", "/finance/apply"},
    {"/new-specials/", "specials", "", "/new-specials/"},
    {"/specials/lease-escape-the-ordinary", "specials", "", "/specials/lease-escape-the-ordinary"},
    {"/about-us/", "contact", "", "/about-us/"},
    {"/blog/2024/10/738291/winter-tips", "other", "", "/blog/{year}/10/{id}/winter-tips"},
    {"/civic-center-parking", "other", "", "/civic-center-parking"},
};

static void paths_have_their_kind_model_and_template(void)
{
  char model[64], template[PAGE_TEXT_MAX + 1];
  for (size_t i = 0; i < ARRAY_LEN(pages); i++) {
    page_model(pages[i].path, NULL, model, sizeof(model));
    page_template(pages[i].path, NULL, template);
    if (strcmp(page_type(pages[i].path), pages[i].type) != 0 ||
        strcmp(model, pages[i].model) != 0 || strcmp(template, pages[i].template) != 0)
      printf("  %s: %s, \"%s\", %s\n", pages[i].path, page_type(pages[i].path), model, template);
    CU_ASSERT_STRING_EQUAL(page_type(pages[i].path), pages[i].type);
    CU_ASSERT_STRING_EQUAL(model, pages[i].model);
    CU_ASSERT_STRING_EQUAL(template, pages[i].template);
  }
}

/* What the website calls a model stands above the catalogue, on pages of vehicles alone. */
static void own_names_of_the_website_stand_above_the_catalogue(void)
{
  static const struct {
    const char *path, *model, *template;
  } named[] = {
      {"/inventory/used-2019-work-truck-1FTFW1E52PFA00001/?from=f-150", "Ford Ranger",
       "/inventory/{vehicle}/used/ford-ranger"},
      {"/inventory/new-2024-ford-f-150-work-truck-1FTFW1E52PFA00001/", "Ford Ranger",
       "/inventory/{vehicle}/new/ford-ranger"},
      {"/inventory/new-2024-ford-f-150-1FTFW1E52PFA00001/", "Ford F-150",
       "/inventory/{vehicle}/new/ford-f-150"},
      {"/work-truck/", "", "/work-truck/"},
      {"/inventory/new-2024-zzz-1FTFW1E52PFA00001/?to=work-truck", "",
       "/inventory/new-{year}-zzz-{id}/"},
  };
  char model[64], template[PAGE_TEXT_MAX + 1];
  struct vehicle_alias alias;
  CU_ASSERT_TRUE_FATAL(vehicle_alias_make(&alias, "Work Truck", "Ford", "Ranger"));
  struct vehicle_aliases own = {&alias, 1};
  for (size_t i = 0; i < ARRAY_LEN(named); i++) {
    page_model(named[i].path, &own, model, sizeof(model));
    page_template(named[i].path, &own, template);
    CU_ASSERT_STRING_EQUAL(model, named[i].model);
    CU_ASSERT_STRING_EQUAL(template, named[i].template);
  }
}

static void any_bytes_are_taken(void)
{
  unsigned seed = 5;
  char path[400], template[PAGE_TEXT_MAX + 1];
  for (int i = 0; i < 3000; i++) {
    size_t n = (size_t)rand_r(&seed) % (sizeof(path) - 1);
    for (size_t k = 0; k < n; k++)
      path[k] = (char)(1 + rand_r(&seed) % 255);
    path[n] = '\0';
    page_template(path, NULL, template);
    CU_ASSERT_TRUE(strlen(template) <= PAGE_TEXT_MAX);
    CU_ASSERT_TRUE(strlen(page_type(path)) > 0);
  }
}

TEST_MAIN("aggregate page", TEST(paths_have_their_kind_model_and_template),
          TEST(own_names_of_the_website_stand_above_the_catalogue), TEST(any_bytes_are_taken))
