/* Reports over vehicles become sums per dealer, model and day. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "aggregate-svc/figures/models.h"
#include "aggregate-svc/vehicle/vehicle.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

typedef Analytics__Report__V1__ColumnChunk Chunk;
typedef Analytics__Report__V1__DimensionColumn Dimension;
typedef Analytics__Report__V1__MetricColumn Metric;

enum { ROWS_MAX = 8, DIMENSIONS_MAX = 6, METRICS_MAX = 4 };

/* A chunk whose columns have a dictionary entry per row. */
struct made {
  Chunk chunk;
  Dimension dimensions[DIMENSIONS_MAX], *dimension_list[DIMENSIONS_MAX];
  Metric metrics[METRICS_MAX], *metric_list[METRICS_MAX];
  char *texts[DIMENSIONS_MAX][ROWS_MAX];
  uint32_t indices[ROWS_MAX];
  double values[METRICS_MAX][ROWS_MAX];
};

/* `first` is how many values the dictionaries hold from earlier chunks. */
static void begin(struct made *m, unsigned query, size_t dimensions, size_t metrics, size_t rows,
                  uint32_t first)
{
  memset(m, 0, sizeof(*m));
  analytics__report__v1__column_chunk__init(&m->chunk);
  m->chunk.query_id = query;
  m->chunk.row_count = (uint32_t)rows;
  m->chunk.dimensions = m->dimension_list;
  m->chunk.n_dimensions = dimensions;
  m->chunk.metrics = m->metric_list;
  m->chunk.n_metrics = metrics;
  for (size_t i = 0; i < rows; i++)
    m->indices[i] = first + (uint32_t)i;
  for (size_t k = 0; k < dimensions; k++) {
    m->dimension_list[k] = &m->dimensions[k];
    analytics__report__v1__dimension_column__init(&m->dimensions[k]);
    m->dimensions[k].dictionary = m->texts[k];
    m->dimensions[k].n_dictionary = rows;
    m->dimensions[k].indices = m->indices;
    m->dimensions[k].n_indices = rows;
  }
  for (size_t k = 0; k < metrics; k++) {
    m->metric_list[k] = &m->metrics[k];
    analytics__report__v1__metric_column__init(&m->metrics[k]);
    m->metrics[k].values = m->values[k];
    m->metrics[k].n_values = rows;
  }
}

static void set_row(struct made *m, size_t row, const char *const *texts, const double *values)
{
  for (size_t k = 0; k < m->chunk.n_dimensions; k++)
    m->texts[k][row] = (char *)(uintptr_t)texts[k];
  for (size_t k = 0; k < m->chunk.n_metrics; k++)
    m->values[k][row] = values[k];
}
#define ROW(m, row, values, ...) set_row(m, row, (const char *const[]){__VA_ARGS__}, values)

/* -------------------------------------------------------------------------- a fold */

static atomic_llong used;
static char *event_names[] = {(char *)"asc_form_submission", (char *)"generate_lead"};
static const struct lead_events leads = {event_names, 2};
static const uint16_t source_of[] = {0, 1};

/* Member 0 is read by fields, member 1 by paths. */
static const struct models_source sources[] = {
    {.fields = true,
     .layouts = {[MODELS_VIEWS] = {{ROLE_DATE, ROLE_MAKE, ROLE_MODEL, ROLE_RANGE}, 4},
                 [MODELS_KINDS] = {{ROLE_MAKE, ROLE_MODEL, ROLE_CONDITION, ROLE_FUEL}, 4},
                 [MODELS_LEADS] = {{ROLE_EVENT, ROLE_MAKE, ROLE_MODEL, ROLE_RANGE}, 4},
                 [MODELS_DAYS] = {{ROLE_DATE, ROLE_RANGE}, 2}}},
    {.fields = false,
     .layouts = {[MODELS_VIEWS] = {{ROLE_WEEK, ROLE_MAKE, ROLE_MODEL}, 3},
                 [MODELS_LEADS] = {{ROLE_EVENT, ROLE_MAKE, ROLE_MODEL}, 3},
                 [MODELS_LEAD_TOTALS] = {{ROLE_EVENT}, 1}}},
};

static void fold_begin(struct models_fold *f, long long max_bytes)
{
  models_fold_init(f, sources, source_of, &leads, 2, (struct budget){&used, max_bytes, 0});
}

static enum err_code feed(struct models_fold *f, size_t member, struct made *m, struct err *e)
{
  *e = (struct err){0};
  return models_fold.chunk(f, member, &m->chunk, e);
}

static void done(struct models_fold *f, size_t member, unsigned query)
{
  Analytics__Report__V1__QueryDone d = ANALYTICS__REPORT__V1__QUERY_DONE__INIT;
  d.query_id = query;
  models_fold.query_done(f, member, &d);
}

static const struct cell *cell_of(const struct models_fold *f, size_t member, struct models_key key)
{
  return cells_find(&f->members[member].cells, models_pack(key));
}

static uint16_t model(const char *make, const char *name)
{
  uint16_t m = 0;
  CU_ASSERT_TRUE_FATAL(vehicle_find(&m, make, name));
  return m;
}

/* 2026-11-03 in days since 1970-01-01. */
enum { DAY = 20760, MONDAY = 20759 };

/* -------------------------------------------------------------------------- cases */

static void keys_survive_packing(void)
{
  for (unsigned i = 0; i < 1000; i++) {
    struct models_key k = {.query = (enum models_query)(i % MODELS_QUERIES),
                           .range = i % MODELS_RANGES,
                           .condition = (enum models_condition)(i % MODELS_CONDITIONS),
                           .powertrain = i % 5,
                           .model = (uint16_t)(i * 65),
                           .slot = (uint16_t)(i * 61)};
    struct models_key back = models_unpack(models_pack(k));
    CU_ASSERT_TRUE(back.query == k.query && back.range == k.range &&
                   back.condition == k.condition && back.powertrain == k.powertrain &&
                   back.model == k.model && back.slot == k.slot);
  }
}

static void rows_of_one_model_and_day_add_up_over_chunks(void)
{
  struct models_fold f;
  struct made m;
  struct err e;
  fold_begin(&f, 1 << 20);
  begin(&m, MODELS_VIEWS, 4, 4, 3, 0);
  ROW(&m, 0, ((double[]){5, 4, 3, 100}), "20261103", "Ford", "F-150 XLT", "date_range_0");
  ROW(&m, 1, ((double[]){2, 2, 1, 40}), "20261103", "Ford", "F150", "date_range_0");
  ROW(&m, 2, ((double[]){7, 7, 7, 10}), "20261103", "Ford", "F-150", "date_range_1");
  CU_ASSERT_EQUAL(feed(&f, 0, &m, &e), ERR_OK);
  begin(&m, MODELS_VIEWS, 4, 4, 1, 3);
  ROW(&m, 0, ((double[]){1, 1, 1, 60}), "20261103", "Ford", "F-150", "date_range_0");
  CU_ASSERT_EQUAL(feed(&f, 0, &m, &e), ERR_OK);
  done(&f, 0, MODELS_VIEWS);
  struct models_key key = {.query = MODELS_VIEWS,
                           .powertrain = VEHICLE_POWERTRAIN_UNKNOWN,
                           .model = model("Ford", "F-150"),
                           .slot = DAY};
  const struct cell *c = cell_of(&f, 0, key);
  CU_ASSERT_PTR_NOT_NULL_FATAL(c);
  CU_ASSERT_TRUE(c->events == 8 && c->sessions == 7 && c->engaged_sessions == 5);
  CU_ASSERT_TRUE(fabs(c->seconds - (400 + 80 + 60)) < 1e-9);
  key.range = 1;
  c = cell_of(&f, 0, key);
  CU_ASSERT_TRUE(c != NULL && c->events == 7);
  models_fold.free(&f);
  CU_ASSERT_EQUAL(atomic_load(&used), 0);
}

static void what_names_no_model_is_counted_and_listed_as_it_came(void)
{
  struct models_fold f;
  struct made m;
  struct err e;
  fold_begin(&f, 1 << 20);
  begin(&m, MODELS_VIEWS, 4, 4, 3, 0);
  ROW(&m, 0, ((double[]){5, 4, 3, 1}), "20261103", "Ford", "Raptor", "date_range_0");
  ROW(&m, 1, ((double[]){2, 2, 1, 1}), "20261104", "Ford", "Raptor", "date_range_0");
  ROW(&m, 2, ((double[]){9, 2, 1, 1}), "20261103", "(not set)", "(not set)", "date_range_1");
  CU_ASSERT_EQUAL(feed(&f, 0, &m, &e), ERR_OK);
  const struct models_unmatched *u = &f.members[0].unmatched;
  CU_ASSERT_EQUAL_FATAL(u->cells.n, 1); /* the first range only */
  CU_ASSERT_STRING_EQUAL(u->texts[0], "Ford Raptor");
  CU_ASSERT_EQUAL(u->cells.list[0].events, 7);
  models_fold.free(&f);
  CU_ASSERT_EQUAL(atomic_load(&used), 0);
}

static void a_websites_own_names_are_those_of_its_dealer_alone(void)
{
  struct models_fold f;
  struct made m;
  struct err e;
  struct vehicle_alias alias;
  CU_ASSERT_TRUE_FATAL(vehicle_alias_make(&alias, "Raptor", "Ford", "F-150"));
  const struct vehicle_aliases own[] = {{&alias, 1}, {NULL, 0}};
  fold_begin(&f, 1 << 20);
  f.aliases = own;
  begin(&m, MODELS_VIEWS, 4, 4, 1, 0);
  ROW(&m, 0, ((double[]){5, 4, 3, 1}), "20261103", "Ford", "Raptor", "date_range_0");
  CU_ASSERT_EQUAL(feed(&f, 0, &m, &e), ERR_OK);
  begin(&m, MODELS_VIEWS, 3, 4, 1, 0);
  ROW(&m, 0, ((double[]){7, 4, 3, 1}), "202645", "/new/2024-raptor/", "Raptor");
  CU_ASSERT_EQUAL(feed(&f, 1, &m, &e), ERR_OK);
  struct models_key key = {.query = MODELS_VIEWS,
                           .powertrain = VEHICLE_POWERTRAIN_UNKNOWN,
                           .model = model("Ford", "F-150"),
                           .slot = DAY};
  const struct cell *c = cell_of(&f, 0, key);
  CU_ASSERT_TRUE(c != NULL && c->events == 5);
  CU_ASSERT_EQUAL(f.members[0].unmatched.cells.n, 0);
  CU_ASSERT_EQUAL(f.members[1].unmatched.cells.n, 1);
  models_fold.free(&f);
  CU_ASSERT_EQUAL(atomic_load(&used), 0);
}

static void condition_and_fuel_come_from_their_parameters(void)
{
  struct models_fold f;
  struct made m;
  struct err e;
  fold_begin(&f, 1 << 20);
  begin(&m, MODELS_KINDS, 4, 1, 2, 0);
  ROW(&m, 0, (double[]){5}, "Toyota", "RAV4", "new", "Plug-In Hybrid");
  ROW(&m, 1, (double[]){3}, "Toyota", "RAV4", "oem_cpo", "hybrid");
  CU_ASSERT_EQUAL(feed(&f, 0, &m, &e), ERR_OK);
  struct models_key key = {.query = MODELS_KINDS,
                           .condition = CONDITION_NEW,
                           .powertrain = VEHICLE_PHEV,
                           .model = model("Toyota", "RAV4")};
  CU_ASSERT_TRUE(cell_of(&f, 0, key) != NULL && cell_of(&f, 0, key)->events == 5);
  key.condition = CONDITION_USED;
  key.powertrain = VEHICLE_HYBRID;
  CU_ASSERT_TRUE(cell_of(&f, 0, key) != NULL && cell_of(&f, 0, key)->events == 3);
  models_fold.free(&f);
}

static void a_path_tells_model_and_condition_and_the_title_helps_where_it_does_not(void)
{
  struct models_fold f;
  struct made m;
  struct err e;
  fold_begin(&f, 1 << 20);
  begin(&m, MODELS_VIEWS, 3, 4, 2, 0);
  ROW(&m, 0, ((double[]){4, 4, 4, 1}), "202645", "/used/Honda/2019-Honda-CR-V-4d2e1b7a0a0e0a17.htm",
      "Any title");
  ROW(&m, 1, ((double[]){6, 6, 6, 1}), "202645", "/inventory/3MZBPABL6MM200001/",
      "New 2024 Honda CR-V | Bob");
  CU_ASSERT_EQUAL(feed(&f, 1, &m, &e), ERR_OK);
  struct models_key key = {.query = MODELS_VIEWS,
                           .condition = CONDITION_USED,
                           .powertrain = VEHICLE_POWERTRAIN_UNKNOWN,
                           .model = model("Honda", "CR-V"),
                           .slot = MONDAY}; /* of 2026-W45 */
  CU_ASSERT_TRUE(cell_of(&f, 1, key) != NULL && cell_of(&f, 1, key)->events == 4);
  key.condition = CONDITION_UNKNOWN;
  CU_ASSERT_TRUE(cell_of(&f, 1, key) != NULL && cell_of(&f, 1, key)->events == 6);
  models_fold.free(&f);
}

static void leads_of_fields_count_with_and_without_a_vehicle(void)
{
  struct models_fold f;
  struct made m;
  struct err e;
  fold_begin(&f, 1 << 20);
  begin(&m, MODELS_LEADS, 4, 2, 3, 0);
  ROW(&m, 0, ((double[]){3, 2}), "generate_lead", "Ford", "F-150", "date_range_0");
  ROW(&m, 1, ((double[]){4, 4}), "generate_lead", "(not set)", "(not set)", "date_range_0");
  ROW(&m, 2, ((double[]){9, 9}), "another_event", "Ford", "F-150", "date_range_0");
  CU_ASSERT_EQUAL(feed(&f, 0, &m, &e), ERR_OK);
  CU_ASSERT_EQUAL(models_lead_events(&f, 0, 0)[1], 7);
  CU_ASSERT_EQUAL(models_lead_sessions(&f, 0, 0)[1], 6);
  CU_ASSERT_EQUAL(models_lead_events(&f, 0, 0)[0], 0);
  CU_ASSERT_PTR_NULL(models_lead_events(&f, 1, 0));
  models_fold.free(&f);
}

static void leads_of_paths_count_as_their_totals_say(void)
{
  struct models_fold f;
  struct made m;
  struct err e;
  fold_begin(&f, 1 << 20);
  begin(&m, MODELS_LEADS, 3, 2, 1, 0);
  ROW(&m, 0, ((double[]){3, 2}), "generate_lead", "/new/Ford/2024-Ford-F-150-x.htm", "t");
  CU_ASSERT_EQUAL(feed(&f, 1, &m, &e), ERR_OK);
  begin(&m, MODELS_LEAD_TOTALS, 1, 2, 1, 0);
  ROW(&m, 0, ((double[]){10, 9}), "generate_lead");
  CU_ASSERT_EQUAL(feed(&f, 1, &m, &e), ERR_OK);
  CU_ASSERT_EQUAL(models_lead_events(&f, 1, 0)[1], 10);
  models_fold.free(&f);
}

static void data_that_cannot_be_fails_its_dealer(void)
{
  static const struct {
    const char *date, *range;
    double events, seconds;
  } bad[] = {{"20261199", "date_range_0", 1, 1},  {"x", "date_range_0", 1, 1},
             {"20261103", "date_range_7", 1, 1},  {"20261103", "date_range_0", 0.5, 1},
             {"20261103", "date_range_0", -1, 1}, {"20261103", "date_range_0", 1, NAN},
             {"20261103", "date_range_0", NAN, 1}};
  struct models_fold f;
  struct made m;
  struct err e;
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    fold_begin(&f, 1 << 20);
    begin(&m, MODELS_VIEWS, 4, 4, 1, 0);
    ROW(&m, 0, ((double[]){bad[i].events, 1, 1, bad[i].seconds}), bad[i].date, "Ford", "F-150",
        bad[i].range);
    CU_ASSERT_EQUAL(feed(&f, 0, &m, &e), ERR_DATA_LOSS);
    CU_ASSERT_STRING_EQUAL(e.reason, "invalid_data");
    models_fold.free(&f);
  }
  fold_begin(&f, 1 << 20);
  begin(&m, MODELS_VIEWS, 3, 4, 1, 0); /* a dimension is missing */
  ROW(&m, 0, ((double[]){1, 1, 1, 1}), "20261103", "Ford", "F-150");
  CU_ASSERT_EQUAL(feed(&f, 0, &m, &e), ERR_DATA_LOSS);
  models_fold.free(&f);
  CU_ASSERT_EQUAL(atomic_load(&used), 0);
}

static void a_dealer_that_is_dropped_leaves_nothing(void)
{
  struct models_fold f;
  struct made m;
  struct err e;
  fold_begin(&f, 1 << 20);
  begin(&m, MODELS_VIEWS, 4, 4, 1, 0);
  ROW(&m, 0, ((double[]){1, 1, 1, 1}), "20261103", "Nobody", "Knows", "date_range_0");
  CU_ASSERT_EQUAL(feed(&f, 0, &m, &e), ERR_OK);
  CU_ASSERT_TRUE(atomic_load(&used) > 0);
  models_fold.drop(&f, 0);
  CU_ASSERT_EQUAL(atomic_load(&used), 0);
  CU_ASSERT_EQUAL(f.members[0].cells.n, 0);
  CU_ASSERT_EQUAL(f.members[0].unmatched.cells.n, 0);
  models_fold.free(&f);
}

static void the_byte_budget_ends_the_call_not_the_process(void)
{
  struct models_fold f;
  struct made m;
  struct err e;
  enum err_code code = ERR_OK;
  fold_begin(&f, 20000);
  for (unsigned i = 0; i < 1000 && code == ERR_OK; i++) {
    char text[20];
    snprintf(text, sizeof(text), "unknown-%u", i);
    begin(&m, MODELS_VIEWS, 4, 4, 1, i);
    ROW(&m, 0, ((double[]){1, 1, 1, 1}), "20261103", "Nobody", text, "date_range_0");
    code = feed(&f, 0, &m, &e);
  }
  CU_ASSERT_EQUAL(code, ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_TRUE(atomic_load(&used) <= 20000);
  models_fold.free(&f);
  CU_ASSERT_EQUAL(atomic_load(&used), 0);
}

static void words_tell_condition_and_fuel(void)
{
  static const struct {
    const char *text;
    enum models_condition condition;
  } conditions[] = {{"new", CONDITION_NEW},
                    {"Used", CONDITION_USED},
                    {"dealer_cpo", CONDITION_USED},
                    {"/inventory/certified-used-2021-mazda/", CONDITION_USED},
                    {"/inventory/new-2024-ford/", CONDITION_NEW},
                    {"/vehicle/renew-2024/", CONDITION_UNKNOWN},
                    {"(not set)", CONDITION_UNKNOWN},
                    {"", CONDITION_UNKNOWN}};
  static const struct {
    const char *text;
    unsigned powertrain;
  } fuels[] = {{"Gasoline", VEHICLE_ICE},        {"diesel", VEHICLE_ICE},
               {"Gas/Electric", VEHICLE_HYBRID}, {"hybrid", VEHICLE_HYBRID},
               {"mild hybrid", VEHICLE_ICE},     {"Plug-in Hybrid", VEHICLE_PHEV},
               {"Electric", VEHICLE_EV},         {"(not set)", VEHICLE_POWERTRAIN_UNKNOWN}};
  for (size_t i = 0; i < ARRAY_LEN(conditions); i++)
    CU_ASSERT_EQUAL(models_condition_of(conditions[i].text), conditions[i].condition);
  for (size_t i = 0; i < ARRAY_LEN(fuels); i++)
    CU_ASSERT_EQUAL(models_powertrain_of(fuels[i].text), fuels[i].powertrain);
}

TEST_MAIN("aggregate models", TEST(keys_survive_packing),
          TEST(rows_of_one_model_and_day_add_up_over_chunks),
          TEST(what_names_no_model_is_counted_and_listed_as_it_came),
          TEST(a_websites_own_names_are_those_of_its_dealer_alone),
          TEST(condition_and_fuel_come_from_their_parameters),
          TEST(a_path_tells_model_and_condition_and_the_title_helps_where_it_does_not),
          TEST(leads_of_fields_count_with_and_without_a_vehicle),
          TEST(leads_of_paths_count_as_their_totals_say),
          TEST(data_that_cannot_be_fails_its_dealer), TEST(a_dealer_that_is_dropped_leaves_nothing),
          TEST(the_byte_budget_ends_the_call_not_the_process), TEST(words_tell_condition_and_fuel))
