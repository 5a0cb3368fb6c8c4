/* Writes the world: reference tables, then the sessions and events of each property (happenings.c).
 */
#include "ga4-sim/world/generate_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "ga4-sim/world/calendar.h"
#include "ga4-sim/world/schema.h"

const struct item_parameter item_parameters[] = {
    {"item_id", "VIN"},
    {"item_number", "Stock number"},
    {"item_condition", "Vehicle condition"},
    {"item_year", "Model year"},
    {"item_make", "Make"},
    {"item_model", "Model"},
    {"item_variant", "Trim"},
    {"item_type", "Body style"},
    {"item_fuel_type", "Fuel type"},
    {"item_color", "Colour"},
    {"item_price", "Price"},
    {"department", "Department"},
    {"page_type", "Page type"},
};
const unsigned item_parameter_count = ARRAY_LEN(item_parameters);

enum err_code generate_error(struct generator *g, const char *what)
{
  return err_set(g->e, ERR_INTERNAL, "sqlite", "the world could not be written (%s): %s", what,
                 sqlite3_errmsg(g->db));
}

enum err_code generate_exec(struct generator *g, const char *sql)
{
  if (sqlite3_exec(g->db, sql, NULL, NULL, NULL) != SQLITE_OK)
    return generate_error(g, "exec");
  return ERR_OK;
}

/* The insertion into a small table of so many columns, prepared when first needed. NULL: it cannot
 * be. table: a literal. */
static sqlite3_stmt *insertion(struct generator *g, const char *table, size_t columns)
{
  size_t i = 0;
  char sql[256];
  while (i < g->insertion_count && strcmp(g->insertions[i].table, table) != 0)
    i++;
  if (i < g->insertion_count)
    return g->insertions[i].stmt;
  int n = snprintf(sql, sizeof(sql), "INSERT INTO %s VALUES(", table);
  for (size_t k = 0; k < columns; k++)
    n += snprintf(sql + n, sizeof(sql) - (size_t)n, k == 0 ? "?" : ",?");
  snprintf(sql + n, sizeof(sql) - (size_t)n, ")");
  sqlite3_stmt *stmt = NULL;
  if (i == ARRAY_LEN(g->insertions) ||
      sqlite3_prepare_v3(g->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL) != SQLITE_OK)
    return NULL;
  g->insertions[g->insertion_count].table = table;
  g->insertions[g->insertion_count++].stmt = stmt;
  return stmt;
}

/* Inserts one row of a small table; types: 's' text (NULL allowed), 'i' int64. */
static enum err_code insert(struct generator *g, const char *table, const char *types, ...)
{
  sqlite3_stmt *stmt = insertion(g, table, strlen(types));
  if (stmt == NULL)
    return generate_error(g, table);
  va_list ap;
  va_start(ap, types);
  for (int i = 0; types[i] != '\0'; i++) {
    if (types[i] == 's')
      sqlite3_bind_text(stmt, i + 1, va_arg(ap, const char *), -1, SQLITE_STATIC);
    else
      sqlite3_bind_int64(stmt, i + 1, va_arg(ap, int64_t));
  }
  va_end(ap);
  sqlite3_step(stmt);
  int rc = sqlite3_reset(stmt);
  sqlite3_clear_bindings(stmt);
  return rc == SQLITE_OK ? ERR_OK : generate_error(g, table);
}

static enum err_code write_meta(struct generator *g)
{
  const struct {
    const char *key;
    int64_t value;
  } numbers[] = {{"schema_version", SCHEMA_VERSION}, {"seed", (int64_t)g->params->seed},
                 {"dealers", g->params->dealers},    {"regions", g->params->regions},
                 {"days", g->params->days},          {"today", g->params->today},
                 {"made_for", g->made_for},          {"planted", plants_number(g->params)},
                 {"part", g->params->part},          {"one", g->params->one}};
  for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
    char text[24];
    snprintf(text, sizeof(text), "%lld", (long long)numbers[i].value);
    if (insert(g, "meta", "ss", numbers[i].key, text) != ERR_OK)
      return ERR_INTERNAL;
  }
  return ERR_OK;
}

/* from: number of the first day that is not there yet. */
enum err_code generate_days(struct generator *g, uint32_t from)
{
  for (uint32_t i = from; i < g->params->days; i++) {
    struct calendar_day day;
    calendar_fill(&day, g->params->today - (int64_t)(g->params->days - 1 - i));
    if (insert(g, "days", "sisssssssssss", day.date, (int64_t)i, day.year, day.month, day.day,
               day.week, day.year_week, day.year_month, day.iso_year, day.iso_week,
               day.iso_year_iso_week, day.day_of_week, day.day_of_week_name) != ERR_OK)
      return ERR_INTERNAL;
  }
  return ERR_OK;
}

int64_t generate_property_number(const struct plan_dealer *d)
{
  int64_t n = 0;
  for (const char *c = d->property_id; *c != '\0'; c++)
    n = n * 10 + (*c - '0');
  return n;
}

static enum err_code write_definitions(struct generator *g, const struct plan_dealer *d)
{
  static const char *const events[] = {"asc_form_submission", "asc_click_to_call", "generate_lead",
                                       "form_submit", "form_start"};
  int64_t property = generate_property_number(d);
  for (unsigned i = 0; d->asc_registered && i < item_parameter_count; i++)
    if (insert(g, "custom_dimensions", "iss", property, item_parameters[i].parameter,
               item_parameters[i].display_name) != ERR_OK)
      return ERR_INTERNAL;
  if (d->comm_registered && insert(g, "custom_dimensions", "iss", property, "comm_type",
                                   "Kind of conversation") != ERR_OK)
    return ERR_INTERNAL;
  for (size_t i = 0; i < ARRAY_LEN(events); i++)
    if (visit_is_key_event(d, events[i]) &&
        insert(g, "key_events", "is", property, events[i]) != ERR_OK)
      return ERR_INTERNAL;
  return ERR_OK;
}

/* Days as YYYYMMDD before today. */
static enum err_code annotate(struct generator *g, int64_t property, const char *title,
                              const char *description, int64_t first, int64_t last)
{
  struct calendar_day from, to;
  calendar_fill(&from, g->params->today - first);
  calendar_fill(&to, g->params->today - last);
  return insert(g, "annotations", "issss", property, title, description, from.date, to.date);
}

/* What the Admin API lists of a property beside its definitions. Most dealers advertise; one notes
 * the days without data. */
static enum err_code write_extras(struct generator *g, const struct plan_dealer *d)
{
  int64_t property = generate_property_number(d);
  char customer[16];
  snprintf(customer, sizeof(customer), "%010lld", (long long)(4000000000 + property % 1000000000));
  if (d->index % 4 != 3 && insert(g, "google_ads_links", "is", property, customer) != ERR_OK)
    return ERR_INTERNAL;
  if (d->asc_registered && insert(g, "custom_metrics", "iss", property, "comm_duration_seconds",
                                  "Call duration") != ERR_OK)
    return ERR_INTERNAL;
  if (d->tracking_gap &&
      annotate(g, property, "Tag missing", "The tag was missing after a relaunch.", PLAN_GAP_FIRST,
               PLAN_GAP_LAST) != ERR_OK)
    return ERR_INTERNAL;
  if (annotate(g, property, "Month-end sale", "Sale over a long weekend.", 20, 17) != ERR_OK)
    return ERR_INTERNAL;
  return annotate(g, property, "New season stock", "First delivery of the season.", 9, 9);
}

static enum err_code write_dealer(struct generator *g, const struct plan_dealer *d)
{
  int64_t property = generate_property_number(d);
  char display[112], created[32];
  snprintf(display, sizeof(display), "%s - GA4", d->name);
  clock_format_rfc3339((g->params->today - (int64_t)g->params->days - 30) * INT64_C(86400000),
                       created, sizeof(created));
  if (insert(g, "dealers", "ssisssssssssssss", d->dealer_id, d->account_id, property, d->name,
             d->make->name, d->owner, d->region->name, d->metro->city, d->metro->state,
             d->metro->country, d->group_tags[0], d->group_tags[1], d->lead_event, d->client_id,
             d->client_secret, d->refresh_token) != ERR_OK)
    return ERR_INTERNAL;
  if (insert(g, "properties", "issssssssiii", property, d->dealer_id, d->account_id,
             d->region->name, display, d->host, d->metro->time_zone, d->metro->currency, created,
             (int64_t)d->sampled, (int64_t)d->thresholded, (int64_t)d->high_cardinality) != ERR_OK)
    return ERR_INTERNAL;
  enum err_code code = write_definitions(g, d);
  return code == ERR_OK ? write_extras(g, d) : code;
}

static enum err_code write_site(struct generator *g, const struct plan_dealer *d,
                                const struct inventory *inv)
{
  int64_t property = generate_property_number(d);
  for (uint32_t i = 0; i < inv->page_count; i++) {
    const struct inventory_page *p = &inv->pages[i];
    if (insert(g, "pages", "iisss", p->page_id, property, p->path, p->title, p->page_type) !=
        ERR_OK)
      return ERR_INTERNAL;
  }
  for (uint32_t i = 0; i < inv->vehicle_count; i++) {
    const struct inventory_vehicle *v = &inv->vehicles[i];
    char year[8], price[16];
    snprintf(year, sizeof(year), "%u", v->year);
    snprintf(price, sizeof(price), "%u", v->price);
    if (insert(g, "vehicles", "iiisssssssssss", v->vehicle_id, property,
               inv->pages[v->page].page_id, v->vin, v->stock, v->condition, year, v->make->name,
               v->model->name, v->trim, v->model->body, v->model->fuel, v->color, price) != ERR_OK)
      return ERR_INTERNAL;
  }
  return ERR_OK;
}

/* Lays out a property as it was when the world was first made. */
void generate_lay_out(struct generator *g, struct property_writer *w, uint32_t index)
{
  struct prng p;
  int year;
  unsigned month, day;
  plan_dealer_fill(&w->dealer, g->params, index);
  prng_init(&p, g->params->seed, UINT64_C(0x60000) + index);
  clock_civil_from_days(g->made_for, &year, &month, &day);
  inventory_build(&w->inventory, &w->dealer, &p, year);
  visit_context_init(&w->visits, &w->dealer, &w->inventory, g->params->seed);
  plants_init(&w->plants, &w->dealer, g->params->seed, g->made_for);
}

static enum err_code write_property(struct generator *g, uint32_t index)
{
  AUTO_FREE struct property_writer *w = xcalloc(1, sizeof(*w));
  if (g->params->part == PLAN_DIRECTORY) {
    plan_dealer_fill(&w->dealer, g->params, index);
    return write_dealer(g, &w->dealer);
  }
  generate_lay_out(g, w, index);
  enum err_code code = write_dealer(g, &w->dealer);
  if (code == ERR_OK)
    code = write_site(g, &w->dealer, &w->inventory);
  return code == ERR_OK ? generate_visits(g, w, g->params->today - (int64_t)g->params->days + 1)
                        : code;
}

static enum err_code write_all(struct generator *g)
{
  enum err_code code = write_meta(g);
  if (code == ERR_OK)
    code = generate_days(g, 0);
  uint32_t first, end;
  plan_dealers_of(g->params, &first, &end);
  for (uint32_t i = first; code == ERR_OK && i < end; i++)
    code = write_property(g, i);
  return code;
}

enum err_code generate_prepare(struct generator *g)
{
  return rows_prepare(&g->rows, g->db) == SQLITE_OK ? ERR_OK : generate_error(g, "prepare");
}

void generate_finalize(struct generator *g)
{
  rows_finalize(&g->rows);
  for (size_t i = 0; i < g->insertion_count; i++)
    sqlite3_finalize(g->insertions[i].stmt);
}

enum err_code generate_world(sqlite3 *db, const struct world_params *params, struct err *e)
{
  struct generator g = {.db = db,
                        .params = params,
                        .made_for = params->today,
                        .next_session = 1,
                        .next_event = 1,
                        .e = e};
  enum err_code code = generate_exec(&g, "PRAGMA page_size=16384;"
                                         "PRAGMA synchronous=OFF; PRAGMA journal_mode=OFF;"
                                         "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16384;"
                                         "PRAGMA analysis_limit=1000; BEGIN;");
  if (code == ERR_OK)
    code = generate_exec(&g, schema_tables);
  if (code == ERR_OK)
    code = generate_exec(&g, schema_indices);
  if (code == ERR_OK)
    code = generate_prepare(&g);
  if (code == ERR_OK)
    code = write_all(&g);
  generate_finalize(&g);
  if (code == ERR_OK)
    code = generate_exec(&g, schema_views);
  return code == ERR_OK ? generate_exec(&g, "COMMIT; ANALYZE;") : code;
}
