/* Builds a dealer's fixed pages, model list pages and vehicle pages. */
#include "ga4-sim/world/inventory.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

static uint32_t add_page(struct inventory *inv, const struct plan_dealer *d, const char *type)
{
  uint32_t i = inv->page_count++;
  inv->pages[i].page_id = (int64_t)d->index * 1000 + i + 1;
  inv->pages[i].page_type = type;
  return i;
}

static void add_fixed_pages(struct inventory *inv, const struct plan_dealer *d)
{
  static const struct {
    const char *path, *title, *type;
  } fixed[PAGE_FIXED_COUNT] = {
      [PAGE_HOME] = {"/", "", "home"},
      [PAGE_NEW] = {"/new-vehicles/", "New Vehicles | ", "itemlist"},
      [PAGE_USED] = {"/used-vehicles/", "Used Vehicles | ", "itemlist"},
      [PAGE_SPECIALS] = {"/specials/", "Specials | ", "specials"},
      [PAGE_SERVICE] = {"/service/", "Service | ", "service"},
      [PAGE_SCHEDULE] = {"/schedule-service/", "Schedule Service | ", "service"},
      [PAGE_PARTS] = {"/parts/", "Parts | ", "parts"},
      [PAGE_FINANCE] = {"/finance/", "Finance | ", "finance"},
      [PAGE_TRADE] = {"/value-your-trade/", "Value Your Trade | ", "trade"},
      [PAGE_CONTACT] = {"/contact-us/", "Contact Us | ", "contact"},
      [PAGE_ABOUT] = {"/about-us/", "About Us | ", "custom"},
      [PAGE_DIRECTIONS] = {"/directions/", "Directions | ", "directions"},
  };
  for (size_t i = 0; i < PAGE_FIXED_COUNT; i++) {
    uint32_t page = add_page(inv, d, fixed[i].type);
    snprintf(inv->pages[page].path, sizeof(inv->pages[page].path), "%s", fixed[i].path);
    snprintf(inv->pages[page].title, sizeof(inv->pages[page].title), "%s%s", fixed[i].title,
             d->name);
  }
}

static void random_vin(struct prng *p, char out[static 20])
{
  static const char alphabet[] = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"; /* no I, O, Q */
  for (int i = 0; i < 17; i++)
    out[i] = alphabet[prng_below(p, sizeof(alphabet) - 1)];
  out[17] = '\0';
}

static void vehicle_page(struct inventory *inv, const struct plan_dealer *d,
                         struct inventory_vehicle *v)
{
  v->page = add_page(inv, d, "item");
  struct inventory_page *page = &inv->pages[v->page];
  char text[120], slug[120];
  bool is_new = strcmp(v->condition, "new") == 0;
  if (d->asc_events) {
    snprintf(text, sizeof(text), "%s %u %s %s %s %s", is_new ? "new" : "used", v->year,
             v->make->name, v->model->name, v->trim, v->vin);
    plan_slug(slug, sizeof(slug), text);
    snprintf(page->path, sizeof(page->path), "/inventory/%s/", slug);
  } else {
    char model[40];
    snprintf(model, sizeof(model), "%s", v->model->name);
    for (char *c = model; *c != '\0'; c++)
      if (*c == ' ')
        *c = '-';
    /* Built aside: the compiler cannot see that the path is not a part of the vehicle. */
    snprintf(text, sizeof(text), "/%s/%s/%u-%s-%s-%s.htm", is_new ? "new" : "used", v->make->name,
             v->year, v->make->name, model, v->vin);
    snprintf(page->path, sizeof(page->path), "%s", text);
  }
  snprintf(page->title, sizeof(page->title), "%s %u %s %s %s | %s", is_new ? "New" : "Used",
           v->year, v->make->name, v->model->name, v->trim, d->name);
}

static void add_vehicle(struct inventory *inv, const struct plan_dealer *d, struct prng *p,
                        const struct atlas_make *make, const struct atlas_model *model,
                        const char *condition, int base_year)
{
  static const char *const trims[] = {"Base", "S", "SE", "Sport", "Limited", "Premium", "Touring"};
  static const char *const colors[] = {"white", "black", "silver", "gray", "blue", "red", "green"};
  uint32_t i = inv->vehicle_count++;
  struct inventory_vehicle *v = &inv->vehicles[i];
  bool is_new = strcmp(condition, "new") == 0;
  v->vehicle_id = (int64_t)d->index * 1000 + i + 1;
  v->make = make;
  v->model = model;
  v->condition = condition;
  v->trim = trims[prng_below(p, ARRAY_LEN(trims))];
  v->color = colors[prng_below(p, ARRAY_LEN(colors))];
  v->year =
      is_new ? (uint32_t)base_year + prng_below(p, 2) : (uint32_t)base_year - prng_between(p, 1, 8);
  v->price = model->price * prng_between(p, 92, 124) / 100;
  if (!is_new)
    v->price = v->price * prng_between(p, 38, 84) / 100;
  v->price -= v->price % 5;
  random_vin(p, v->vin);
  snprintf(v->stock, sizeof(v->stock), "%c%05u", is_new ? 'N' : 'U', prng_below(p, 100000));
  vehicle_page(inv, d, v);
}

static void add_line(struct inventory *inv, const struct plan_dealer *d, struct prng *p,
                     const struct atlas_make *make, const struct atlas_model *model,
                     const char *condition, uint32_t units, int base_year)
{
  struct inventory_line *line = &inv->lines[inv->line_count++];
  bool is_new = strcmp(condition, "new") == 0;
  line->model = model;
  line->first = inv->vehicle_count;
  line->count = units;
  line->weight = model->weight * (is_new ? 10 : 4) * prng_between(p, 70, 140) / 100 + 1;
  line->drift_pm = model->drift_pm + (int32_t)prng_below(p, 121) - 60;
  for (uint32_t i = 0; i < units; i++)
    add_vehicle(inv, d, p, make, model, condition, base_year);
  line->list_page = is_new ? (uint32_t)PAGE_NEW : (uint32_t)PAGE_USED;
  if (!is_new)
    return;
  char slug[64];
  plan_slug(slug, sizeof(slug), model->name);
  line->list_page = add_page(inv, d, "itemlist");
  struct inventory_page *page = &inv->pages[line->list_page];
  snprintf(page->path, sizeof(page->path), "/new-vehicles/%s/", slug);
  snprintf(page->title, sizeof(page->title), "New %s %s | %s", make->name, model->name, d->name);
}

void inventory_build(struct inventory *inv, const struct plan_dealer *d, struct prng *p,
                     int base_year)
{
  memset(inv, 0, sizeof(*inv));
  add_fixed_pages(inv, d);
  for (size_t m = 0; m < d->make->model_count; m++)
    add_line(inv, d, p, d->make, &d->make->models[m], "new", prng_between(p, 5, 18), base_year);
  for (size_t m = 0; m < d->make->model_count; m++)
    add_line(inv, d, p, d->make, &d->make->models[m], prng_chance(p, 600) ? "cpo" : "used",
             prng_between(p, 2, 5), base_year);
  for (size_t k = 0; k < atlas_make_count; k++) {
    const struct atlas_make *make = &atlas_makes[k];
    if (make == d->make)
      continue;
    for (size_t m = 0; m < make->model_count; m++)
      if (prng_chance(p, 450))
        add_line(inv, d, p, make, &make->models[m], "used", prng_between(p, 1, 2), base_year);
  }
}
