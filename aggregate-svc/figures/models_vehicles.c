/* Which vehicle a row names, and what is kept of rows that name none. */
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/figures/models_parts.h"
#include "aggregate-svc/words/text.h"
#include "common/base/hash.h"
#include "common/base/mem.h"

enum { UNMATCHED_MAX = 2000 };

static void match(struct cell *pair, const struct vehicle_aliases *own, bool fields,
                  const char *make, const char *model)
{
  struct vehicle v = {.powertrain = VEHICLE_POWERTRAIN_UNKNOWN};
  size_t make_len = strlen(make), model_len = strlen(model);
  bool found = (!fields && vehicle_alias_match(&v, own, make, make_len)) ||
               vehicle_alias_match(&v, own, model, model_len);
  if (!found)
    found =
        fields ? vehicle_match_field(&v, model, model_len, make, make_len)
               : vehicle_match_text(&v, make, make_len) || vehicle_match_text(&v, model, model_len);
  pair->events = found ? v.model : MODELS_NONE;
  pair->sessions = v.powertrain;
  pair->engaged_sessions = fields ? CONDITION_UNKNOWN : models_condition_of(make);
  pair->seconds = 1; /* matched before */
}

/* The vehicle of a row's two names. NULL without memory. */
const struct cell *models_vehicle_of(struct models_fold *f, size_t member, struct models_pages *p,
                                     size_t make_column, uint32_t make, uint32_t model)
{
  bool fields = models_source_of(f, member)->fields;
  const struct vehicle_aliases *own = f->aliases != NULL ? &f->aliases[member] : NULL;
  struct cell *pair = cells_at(&p->pairs, &f->budget, (uint64_t)make << 32 | model);
  if (pair != NULL && pair->seconds == 0)
    match(pair, own, fields, p->columns[make_column].texts[make],
          p->columns[make_column + 1].texts[model]);
  return pair;
}

/* "Toyota Camry" of two fields, the path of a page. */
void models_name_unmatched(char *out, size_t size, bool fields, const char *make, const char *model)
{
  text_copy(out, size, make);
  size_t len = strlen(out);
  if (!fields || strcmp(make, model) == 0 || len + 2 > size)
    return;
  out[len] = ' ';
  text_copy(out + len + 1, size - len - 1, model);
}

static bool keep_text(struct models_fold *f, struct models_member *m, const char *text)
{
  struct models_unmatched *u = &m->unmatched;
  size_t bytes = strlen(text) + TEXT_OVERHEAD;
  if (!budget_take(&f->budget, bytes))
    return false;
  m->text_bytes += (long long)bytes;
  if (m->texts == NULL)
    m->texts = arena_new(SIZE_MAX / 4); /* the budget is the cap */
  if (u->cells.n > u->cap) {
    u->cap = 2 * u->cells.n;
    u->texts = xrealloc(u->texts, u->cap * sizeof(*u->texts));
  }
  u->texts[u->cells.n - 1] = arena_strdup(m->texts, text);
  return true;
}

bool models_count_unmatched(struct models_fold *f, struct models_member *m, const char *text,
                            int64_t views)
{
  struct models_unmatched *u = &m->unmatched;
  uint64_t key = hash_text(text);
  size_t before = u->cells.n;
  if (before >= UNMATCHED_MAX && cells_find(&u->cells, key) == NULL)
    return true; /* it is in the totals; more values than can be read are not listed */
  struct cell *c = cells_at(&u->cells, &f->budget, key);
  if (c == NULL || (u->cells.n > before && !keep_text(f, m, text)))
    return false;
  c->events += views;
  return true;
}
