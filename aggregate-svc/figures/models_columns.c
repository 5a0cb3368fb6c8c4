/* The values of a report's dimensions while it arrives, as texts or numbers. */
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/figures/models_parts.h"
#include "aggregate-svc/period/week.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

typedef Analytics__Report__V1__ColumnChunk ColumnChunk;
typedef Analytics__Report__V1__DimensionColumn DimensionColumn;

enum err_code models_no_memory(struct err *e)
{
  return fold_no_memory(e, "the vehicles of all dealers",
                        "ask for a shorter period or fewer dealers");
}

bool models_is_name(uint8_t role)
{
  return role == ROLE_MAKE || role == ROLE_MODEL;
}

static int64_t digits(const char *s, size_t n)
{
  int64_t x = 0;
  for (size_t i = 0; i < n; i++) {
    if (s[i] < '0' || s[i] > '9') /* the end, too */
      return -1;
    x = 10 * x + (s[i] - '0');
  }
  return s[n] == '\0' ? x : -1;
}

/* "20261129" or "202648" as the day or the Monday; -1 for other texts. */
static int64_t day_of(const char *text, bool week)
{
  int64_t x = strlen(text) == (week ? 6 : 8) ? digits(text, week ? 6 : 8) : -1, day = -1;
  if (x < 0)
    return -1;
  if (week)
    return iso_week_first_day((int)(x / 100), (int)(x % 100), &day) ? day : -1;
  unsigned month = (unsigned)(x / 100 % 100), date = (unsigned)(x % 100);
  if (month < 1 || month > 12 || date < 1 || date > 31)
    return -1;
  return clock_days_from_civil((int)(x / 10000), month, date);
}

/* A value as a number; -1 for a value that cannot come. */
static int64_t code_of(const struct models_fold *f, uint8_t role, const char *text)
{
  int64_t day;
  switch (role) {
  case ROLE_DATE:
  case ROLE_WEEK:
    day = day_of(text, role == ROLE_WEEK);
    return day > 0 && day <= UINT16_MAX ? day : -1;
  case ROLE_EVENT:
    return lead_events_find(f->leads, text);
  case ROLE_CONDITION:
    return models_condition_of(text);
  case ROLE_FUEL:
    return models_powertrain_of(text);
  case ROLE_RANGE:
    return strncmp(text, "date_range_", 11) == 0 ? digits(text + 11, 1) : -1;
  default:
    return 0;
  }
}

static bool take(struct models_fold *f, struct models_pages *p, size_t bytes)
{
  if (!budget_take(&f->budget, bytes))
    return false;
  p->bytes += (long long)bytes;
  return true;
}

static enum err_code grow_column(struct models_fold *f, struct models_pages *p, struct column *c,
                                 uint8_t role, const DimensionColumn *d, struct err *e)
{
  size_t need = c->n + d->n_dictionary, bytes = d->n_dictionary * TEXT_OVERHEAD;
  for (size_t i = 0; models_is_name(role) && i < d->n_dictionary; i++)
    bytes += strlen(d->dictionary[i]);
  if (!take(f, p, bytes))
    return models_no_memory(e);
  if (need > c->cap) {
    c->cap = need < 16 ? 16 : 2 * need;
    c->texts = xrealloc(c->texts, c->cap * sizeof(*c->texts));
    c->codes = xrealloc(c->codes, c->cap * sizeof(*c->codes));
  }
  for (size_t i = 0; i < d->n_dictionary; i++, c->n++) {
    c->texts[c->n] = models_is_name(role) ? arena_strdup(p->texts, d->dictionary[i]) : NULL;
    c->codes[c->n] = (int32_t)code_of(f, role, d->dictionary[i]);
  }
  return ERR_OK;
}

/* Takes over the new values of a chunk. */
enum err_code models_grow_columns(struct models_fold *f, struct models_pages *p,
                                  const struct models_layout *layout, const ColumnChunk *c,
                                  struct err *e)
{
  enum err_code code = ERR_OK;
  if (c->n_dimensions != layout->n)
    return fold_bad_data(e, "its dimensions are not those asked for");
  for (size_t i = 0; i < layout->n && code == ERR_OK; i++) {
    code = grow_column(f, p, &p->columns[i], layout->roles[i], c->dimensions[i], e);
    if (code == ERR_OK && c->dimensions[i]->n_indices != c->row_count)
      code = fold_bad_data(e, "a dimension column has the wrong length");
  }
  return code;
}
