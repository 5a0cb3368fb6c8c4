/* The matcher of vehicle names: the known examples, every name of the catalogue, page addresses as
 * three vendors build them, and texts that name no vehicle. */
#include <stdio.h>
#include <string.h>

#include "aggregate-svc/vehicle/tokens.h"
#include "aggregate-svc/vehicle/vehicle.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/aggregate/vehicle/examples.h"
#include "tests/unit/harness.h"

static bool names(const struct vehicle *v, bool found, const char *make, const char *model)
{
  if (make == NULL)
    return !found;
  const struct vehicle_model *m = &vehicle_models[v->model];
  return found && strcmp(vehicle_makes[m->make], make) == 0 && strcmp(m->name, model) == 0;
}

static void report(const char *what, const struct vehicle *v, bool found)
{
  fprintf(stderr, "\"%s\" -> %s %s\n", what,
          found ? vehicle_makes[vehicle_models[v->model].make] : "nothing",
          found ? vehicle_models[v->model].name : "");
}

static void each_field_example_names_its_vehicle(void)
{
  for (size_t i = 0; i < ARRAY_LEN(field_examples); i++) {
    const char *const *x = field_examples[i];
    struct vehicle v = {0};
    bool found = vehicle_match_field(&v, x[0], strlen(x[0]), x[1], strlen(x[1]));
    if (!names(&v, found, x[2], x[3]))
      report(x[0], &v, found);
    CU_ASSERT_TRUE(names(&v, found, x[2], x[3]));
  }
}

static void each_text_example_names_its_vehicle(void)
{
  for (size_t i = 0; i < ARRAY_LEN(text_examples); i++) {
    const char *const *x = text_examples[i];
    struct vehicle v = {0};
    bool found = vehicle_match_text(&v, x[0], strlen(x[0]));
    if (!names(&v, found, x[1], x[2]))
      report(x[0], &v, found);
    CU_ASSERT_TRUE(names(&v, found, x[1], x[2]));
  }
}

static void every_model_is_found_by_its_own_name(void)
{
  for (size_t i = 0; i < vehicle_models_len; i++) {
    const struct vehicle_model *m = &vehicle_models[i];
    const char *make = vehicle_makes[m->make];
    struct vehicle v = {0};
    uint16_t model = UINT16_MAX;
    bool found = vehicle_match_field(&v, m->name, strlen(m->name), make, strlen(make));
    if (!found || v.model != i)
      report(m->name, &v, found);
    CU_ASSERT_TRUE(found && v.model == i);
    CU_ASSERT_TRUE(vehicle_find(&model, make, m->name) && model == i);
  }
  uint16_t none;
  CU_ASSERT_FALSE(vehicle_find(&none, "Honda", "RDX"));
  CU_ASSERT_FALSE(vehicle_find(&none, "Honda", ""));
  CU_ASSERT_FALSE(vehicle_find(&none, "", "Civic"));
}

static void check_alias(const char *make, const char *model, const char *alias)
{
  struct vehicle v = {0};
  bool found = vehicle_match_field(&v, alias, strlen(alias), make, strlen(make));
  bool right = names(&v, found, make, model);
  if (!right)
    report(alias, &v, found);
  CU_ASSERT_TRUE(right);
}

static void every_alias_of_the_catalogue_names_its_model(void)
{
  static char text[1024 * 1024];
  FILE *f = fopen(VEHICLES_JSON, "re");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  size_t len = fread(text, 1, sizeof(text), f);
  fclose(f);
  AUTO_JSON cJSON *root = NULL;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(json_parse(&root, text, len, NULL, &e), ERR_OK);
  const cJSON *make, *model, *alias;
  size_t n = 0;
  cJSON_ArrayForEach(make, cJSON_GetObjectItem(root, "makes"))
  {
    cJSON_ArrayForEach(model, cJSON_GetObjectItem(make, "models"))
    {
      cJSON_ArrayForEach(alias, cJSON_GetObjectItem(model, "aliases"))
      {
        check_alias(json_get_string(make, "name"), json_get_string(model, "name"),
                    alias->valuestring);
        n++;
      }
    }
  }
  CU_ASSERT_TRUE(n > 500);
}

/* -------------------------------------------------------------- page addresses */

static uint64_t seed = 20261130;

static uint32_t draw(uint32_t below)
{
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(seed >> 33) % below;
}

static void random_text(char *out, size_t len, const char *alphabet)
{
  for (size_t i = 0; i < len; i++)
    out[i] = alphabet[draw((uint32_t)strlen(alphabet))];
  out[len] = '\0';
}

/* "F-150" as "f-150": lower case, what is not a letter or digit as one hyphen. */
static void slug(char *out, size_t cap, const char *text, bool lower)
{
  size_t n = 0;
  for (const char *p = text; *p != '\0' && n + 1 < cap; p++) {
    char c = *p;
    bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (kept)
      out[n++] = lower && c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    else if (n > 0 && out[n - 1] != '-')
      out[n++] = '-';
  }
  out[n > 0 && out[n - 1] == '-' ? n - 1 : n] = '\0';
}

static void make_address(char *out, size_t cap, const char *make, const char *model,
                         uint32_t vendor)
{
  static const char *const trims[] = {"xlt-4wd", "premium", "limited-awd",
                                      "sel",     "touring", "base"};
  char vin[18], hash[33], a[64], b[64];
  const char *trim = trims[draw(ARRAY_LEN(trims))];
  unsigned year = 2018 + draw(9);
  random_text(vin, 17, "ABCDEFGHJKLMNPRSTUVWXYZ0123456789");
  random_text(hash, 32, "0123456789abcdef");
  slug(a, sizeof(a), make, vendor != 1);
  slug(b, sizeof(b), model, vendor != 1);
  if (vendor == 0)
    snprintf(out, cap, "/inventory/new-%u-%s-%s-%s-%s/", year, a, b, trim, vin);
  else if (vendor == 1)
    snprintf(out, cap, "/used/%s/%u-%s-%s-%s.htm", a, year, a, b, hash);
  else
    snprintf(out, cap, "Used %u %s %s %s for Sale in Tucson, AZ | Bob Smith %s", year, make, model,
             trim, make);
}

static void of_9000_page_addresses_99_percent_are_read_right_and_none_wrong_by_much(void)
{
  size_t right = 0, wrong = 0;
  enum { TRIES = 9000 };
  for (size_t i = 0; i < TRIES; i++) {
    size_t k = draw((uint32_t)vehicle_models_len);
    char address[512];
    struct vehicle v = {0};
    make_address(address, sizeof(address), vehicle_makes[vehicle_models[k].make],
                 vehicle_models[k].name, (uint32_t)(i % 3));
    bool found = vehicle_match_text(&v, address, strlen(address));
    bool daytona = found && strcmp(vehicle_models[k].name, "Charger Daytona") == 0 &&
                   strcmp(vehicle_models[v.model].name, "Charger") == 0 && v.year < 2024;
    if (found && (v.model == k || daytona))
      right++;
    else if (getenv("SHOW_ADDRESSES") != NULL)
      report(address, &v, found);
    wrong += found && v.model != k && !daytona;
  }
  printf("%zu of %d right, %zu wrong\n", right, TRIES, wrong);
  CU_ASSERT_TRUE(right * 100 >= 99 * TRIES);
  CU_ASSERT_TRUE(wrong * 1000 <= 2 * TRIES);
}

/* -------------------------------------------------------------- texts of all kinds */

static void spelling_makes_no_difference(void)
{
  static const char *const spellings[] = {"Ford F-150",
                                          "ford f150",
                                          "FORD%20F%2D150",
                                          "Ford F 150",
                                          "Ford\xc2\xae F-150\xe2\x84\xa2",
                                          "2024 Ford F-150",
                                          "Ford_F_150",
                                          "ford/f-150",
                                          "Ford+F-150",
                                          "F-150 Ford",
                                          "new FORD F150 4x4"};
  for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
    struct vehicle v = {0};
    bool found = vehicle_match_text(&v, spellings[i], strlen(spellings[i]));
    if (!names(&v, found, "Ford", "F-150"))
      report(spellings[i], &v, found);
    CU_ASSERT_TRUE(names(&v, found, "Ford", "F-150"));
  }
  struct vehicle v;
  static const char accent[] = "Lamborghini Hurac\xc3\xa1n EVO";
  CU_ASSERT_TRUE(vehicle_match_text(&v, accent, sizeof(accent) - 1));
  CU_ASSERT_STRING_EQUAL(vehicle_models[v.model].name, "Huracan");
}

static void the_powertrain_is_hinted_within_what_the_model_has(void)
{
  static const struct {
    const char *model, *make;
    enum vehicle_powertrain expected;
  } rows[] = {
      {"RAV4 Hybrid", "Toyota", VEHICLE_HYBRID},
      {"RAV4 Prime XSE", "Toyota", VEHICLE_PHEV},
      {"RAV4", "Toyota", VEHICLE_POWERTRAIN_UNKNOWN},
      {"Camaro EV", "Chevrolet", VEHICLE_ICE}, /* there is none: the word proves nothing */
      {"Mustang Mach-E", "Ford", VEHICLE_EV},
      {"Escape Plug-In Hybrid", "Ford", VEHICLE_PHEV},
      {"GV70 Electrified", "Genesis", VEHICLE_EV},
  };
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    struct vehicle v = {0};
    CU_ASSERT_TRUE(vehicle_match_field(&v, rows[i].model, strlen(rows[i].model), rows[i].make,
                                       strlen(rows[i].make)));
    if (v.powertrain != rows[i].expected)
      fprintf(stderr, "%s: %s\n", rows[i].model, vehicle_powertrain_name(v.powertrain));
    CU_ASSERT_EQUAL(v.powertrain, rows[i].expected);
  }
}

static void charger_daytona_is_a_trim_before_2024(void)
{
  struct vehicle v;
  static const char old[] = "/used/Dodge/2021-Dodge-Charger-Daytona.htm";
  static const char fresh[] = "/new/Dodge/2025-Dodge-Charger-Daytona.htm";
  CU_ASSERT_TRUE(vehicle_match_text(&v, old, sizeof(old) - 1));
  CU_ASSERT_STRING_EQUAL(vehicle_models[v.model].name, "Charger");
  CU_ASSERT_EQUAL(v.year, 2021);
  CU_ASSERT_TRUE(vehicle_match_text(&v, fresh, sizeof(fresh) - 1));
  CU_ASSERT_STRING_EQUAL(vehicle_models[v.model].name, "Charger Daytona");
}

/* Whatever comes, nothing is read beyond the text and the caps hold. */
static void a_websites_own_names_stand_above_the_catalogue(void)
{
  struct vehicle_alias list[4];
  struct vehicle v;
  static const char path[] = "/inventory/new-2024-ford-lobo-work-truck/",
                    other[] = "/inventory/new-2024-ford-lobos-ranger/", field[] = "LOBO Platinum";
  CU_ASSERT_TRUE(vehicle_alias_make(&list[0], "Work-Truck", "ford", "Transit Connect"));
  CU_ASSERT_TRUE(vehicle_alias_make(&list[1], "Lobo", "Ford", "F150"));
  CU_ASSERT_TRUE(vehicle_alias_make(&list[2], "Ranger", "Ford", "F-250"));
  CU_ASSERT_FALSE(vehicle_alias_make(&list[3], "Work Truck", "Ford", "Falcon"));
  CU_ASSERT_FALSE(vehicle_alias_make(&list[3], "certified used", "Ford", "F-150")); /* no name */
  const struct vehicle_aliases own = {list, 3}, none = {NULL, 0};
  CU_ASSERT_TRUE(names(&v, vehicle_alias_match(&v, &own, field, strlen(field)), "Ford", "F-150"));
  bool found = vehicle_alias_match(&v, &own, path, strlen(path)); /* the longer of two */
  CU_ASSERT_TRUE(names(&v, found, "Ford", "Transit Connect"));
  CU_ASSERT_EQUAL(v.year, 2024);
  found = vehicle_alias_match(&v, &own, other, strlen(other)); /* whole words */
  CU_ASSERT_TRUE(names(&v, found, "Ford", "F-250"));
  CU_ASSERT_FALSE(vehicle_alias_match(&v, &own, "/lobos/", 7));
  CU_ASSERT_FALSE(vehicle_alias_match(&v, &none, path, strlen(path)));
  CU_ASSERT_FALSE(vehicle_alias_match(&v, NULL, path, strlen(path)));
}

static void any_bytes_are_taken(void)
{
  char text[2048];
  for (size_t i = 0; i < 20000; i++) {
    size_t len = draw(sizeof(text));
    for (size_t k = 0; k < len; k++)
      text[k] = (char)(i % 2 == 0 ? draw(256) : (uint32_t) "f150 %ab-\xc3 2024"[draw(15)]);
    char *exact = malloc(len + 1); /* so that a sanitizer sees what is behind it */
    memcpy(exact, text, len);
    struct vehicle v;
    char squeezed[64];
    vehicle_match_text(&v, exact, len);
    vehicle_match_field(&v, exact, len, exact, len / 2);
    CU_ASSERT_TRUE(vehicle_squeeze(squeezed, sizeof(squeezed), exact, len) < sizeof(squeezed));
    free(exact);
  }
}

TEST_MAIN("aggregate vehicle", TEST(each_field_example_names_its_vehicle),
          TEST(each_text_example_names_its_vehicle), TEST(every_model_is_found_by_its_own_name),
          TEST(every_alias_of_the_catalogue_names_its_model),
          TEST(of_9000_page_addresses_99_percent_are_read_right_and_none_wrong_by_much),
          TEST(spelling_makes_no_difference),
          TEST(the_powertrain_is_hinted_within_what_the_model_has),
          TEST(charger_daytona_is_a_trim_before_2024),
          TEST(a_websites_own_names_stand_above_the_catalogue), TEST(any_bytes_are_taken))
