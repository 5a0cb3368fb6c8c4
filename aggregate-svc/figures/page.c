/* Kinds and templates of page paths. */
#include "aggregate-svc/figures/page.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "aggregate-svc/figures/models.h"
#include "common/base/buf.h"
#include "common/base/mem.h"

enum { VIN_CHARS = 17, ID_DIGITS = 5, HEX_CHARS = 12, WORD_MAX = 40 };

/* A run of letters and digits of a path. */
struct run {
  const char *at;
  size_t n, digits;
  bool hex;
};

static bool next_run(const char **p, struct run *out)
{
  while (**p != '\0' && **p != '?' && !isalnum((unsigned char)**p))
    ++*p;
  *out = (struct run){.at = *p, .hex = true};
  for (; isalnum((unsigned char)**p); ++*p) {
    out->n++;
    out->digits += isdigit((unsigned char)**p) != 0;
    out->hex = out->hex && isxdigit((unsigned char)**p);
  }
  return out->n > 0;
}

static bool is_year(const struct run *r)
{
  return r->n == 4 && r->digits == 4 &&
         (strncmp(r->at, "19", 2) == 0 || strncmp(r->at, "20", 2) == 0);
}

static bool is_vin(const struct run *r)
{
  return r->n == VIN_CHARS && r->digits > 0;
}

static bool is_id(const struct run *r)
{
  return (r->digits == r->n && r->n >= ID_DIGITS) || (r->hex && r->digits > 0 && r->n >= HEX_CHARS);
}

static bool is_word(const struct run *r, const char *const *words, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (strlen(words[i]) == r->n && strncasecmp(words[i], r->at, r->n) == 0)
      return true;
  return false;
}

/* The first run whose word is one of these; false when there is none. */
static bool has_word(const char *path, const char *const *words, size_t n)
{
  struct run r;
  for (const char *p = path; next_run(&p, &r);)
    if (is_word(&r, words, n))
      return true;
  return false;
}

/* Folders of the inventory, by the first words of a path. */
static bool in_inventory(const char *path)
{
  static const char *const folders[] = {
      "new",  "used",    "certified", "cpo",         "preowned",    "inventory",   "auto",
      "cars", "vehicle", "vehicles",  "viewdetails", "searchnew",   "searchused",  "trucks",
      "suvs", "pre",     "newcars",   "usedcars",    "newvehicles", "usedvehicles"};
  struct run r;
  const char *p = path;
  return next_run(&p, &r) && is_word(&r, folders, ARRAY_LEN(folders));
}

static bool has_vehicle(const char *path)
{
  struct run r;
  for (const char *p = path; next_run(&p, &r);)
    if (is_vin(&r) || is_id(&r) || (is_year(&r) && *p != '\0' && *p != '?'))
      return true;
  return false;
}

const char *page_type(const char *path)
{
  static const struct {
    const char *type;
    const char *words[8];
  } kinds[] = {
      {"service", {"service", "maintenance", "schedule", "tires", "collision", "repair", "oil"}},
      {"parts", {"parts", "accessories"}},
      {"specials", {"specials", "special", "offers", "incentives", "deals", "promotions"}},
      {"finance", {"finance", "financing", "credit", "payment", "calculator", "lease"}},
      {"trade", {"trade", "tradein", "appraisal", "sell"}},
      {"contact", {"contact", "directions", "hours", "about", "staff", "location", "team"}},
  };
  if (path[0] == '\0' || strcmp(path, "(not set)") == 0)
    return "(not set)";
  if (path[0] == '(')
    return "(other)";
  bool inventory = in_inventory(path);
  if (inventory && has_vehicle(path))
    return "vehicle";
  for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
    size_t n = 0;
    while (n < ARRAY_LEN(kinds[i].words) && kinds[i].words[n] != NULL)
      n++;
    if (has_word(path, kinds[i].words, n))
      return kinds[i].type;
  }
  if (inventory)
    return "list";
  struct run r;
  const char *p = path;
  static const char *const index[] = {"index", "home", "default"};
  return !next_run(&p, &r) || is_word(&r, index, ARRAY_LEN(index)) ? "home" : "other";
}

static bool match_vehicle(const char *path, const struct vehicle_aliases *own, struct vehicle *v)
{
  size_t len = strcspn(path, "?");
  return strcmp(page_type(path), "vehicle") == 0 &&
         (vehicle_alias_match(v, own, path, len) || vehicle_match_text(v, path, len));
}

void page_model(const char *path, const struct vehicle_aliases *own, char *out, size_t size)
{
  struct vehicle v;
  out[0] = '\0';
  if (!match_vehicle(path, own, &v))
    return;
  const struct vehicle_model *m = &vehicle_models[v.model];
  snprintf(out, size, "%s %s", vehicle_makes[m->make], m->name);
}

/* "Ford F-150" as "ford-f-150". */
static void put_slug(struct buf *b, const char *text)
{
  bool gap = false;
  for (const char *p = text; *p != '\0'; p++) {
    if (!isalnum((unsigned char)*p)) {
      gap = true;
      continue;
    }
    if (gap && b->len > 0)
      buf_putc(b, '-');
    gap = false;
    buf_putc(b, (char)tolower((unsigned char)*p));
  }
}

/* "/inventory/{vehicle}/new/ford-f-150" */
static void put_vehicle(struct buf *b, const char *path, const char *model)
{
  static const char *const conditions[] = {[CONDITION_NEW] = "/new", [CONDITION_USED] = "/used"};
  struct run folder;
  const char *p = path;
  enum models_condition condition = models_condition_of(path);
  next_run(&p, &folder);
  buf_putc(b, '/');
  for (size_t i = 0; i < folder.n; i++)
    buf_putc(b, (char)tolower((unsigned char)folder.at[i]));
  buf_puts(b, "/{vehicle}");
  if (condition != CONDITION_UNKNOWN)
    buf_puts(b, conditions[condition]);
  buf_putc(b, '/');
  AUTO_BUF struct buf slug = BUF_INIT(PAGE_TEXT_MAX);
  put_slug(&slug, model);
  buf_puts(b, buf_str(&slug));
}

/* The path with runs that are ids or years replaced. */
static void put_folded(struct buf *b, const char *path)
{
  struct run r;
  const char *p = path, *from = path;
  size_t end = strcspn(path, "?");
  while (next_run(&p, &r)) {
    for (; from < r.at; from++)
      buf_putc(b, *from);
    if (is_vin(&r) || is_id(&r))
      buf_puts(b, "{id}");
    else if (is_year(&r))
      buf_puts(b, "{year}");
    else
      for (size_t i = 0; i < r.n; i++)
        buf_putc(b, (char)tolower((unsigned char)r.at[i]));
    from = r.at + r.n;
  }
  for (; from < path + end; from++)
    buf_putc(b, *from);
}

void page_template(const char *path, const struct vehicle_aliases *own,
                   char out[static PAGE_TEXT_MAX + 1])
{
  AUTO_BUF struct buf b = BUF_INIT(4096);
  char model[PAGE_TEXT_MAX];
  const char *type = page_type(path);
  if (type[0] == '(') {
    snprintf(out, PAGE_TEXT_MAX + 1, "%s", type);
    return;
  }
  page_model(path, own, model, sizeof(model));
  if (model[0] != '\0')
    put_vehicle(&b, path, model);
  else
    put_folded(&b, path);
  snprintf(out, PAGE_TEXT_MAX + 1, "%s", b.len <= PAGE_TEXT_MAX ? buf_str(&b) : "(other)");
}
