/* Folds reports over vehicles into cells. */
#include "aggregate-svc/figures/models.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/figures/models_parts.h"
#include "aggregate-svc/stats/sum.h"
#include "common/base/mem.h"

typedef Analytics__Report__V1__ColumnChunk ColumnChunk;
typedef Analytics__Report__V1__DimensionColumn DimensionColumn;

enum { UNMATCHED_TEXT_MAX = 120 };

/* ------------------------------------------------------------------------- keys */

uint64_t models_pack(struct models_key k)
{
  return (uint64_t)k.query << 56 | (uint64_t)k.range << 52 | (uint64_t)k.condition << 48 |
         (uint64_t)k.powertrain << 44 | (uint64_t)k.model << 16 | k.slot;
}

struct models_key models_unpack(uint64_t key)
{
  return (struct models_key){.query = (enum models_query)(key >> 56 & 0xf),
                             .range = (unsigned)(key >> 52 & 0xf),
                             .condition = (enum models_condition)(key >> 48 & 0xf),
                             .powertrain = (unsigned)(key >> 44 & 0xf),
                             .model = (uint16_t)(key >> 16),
                             .slot = (uint16_t)key};
}

/* --------------------------------------------------------------- beginning and end */

void models_fold_init(struct models_fold *f, const struct models_source *sources,
                      const uint16_t *source_of, const struct lead_events *leads, size_t n_members,
                      struct budget budget)
{
  memset(f, 0, sizeof(*f));
  f->sources = sources;
  f->source_of = source_of;
  f->leads = leads;
  f->n = n_members;
  f->budget = budget;
  f->members = xcalloc(n_members + 1, sizeof(*f->members));
  f->notes = xcalloc(n_members + 1, sizeof(*f->notes));
}

static void close_pages(struct models_fold *f, struct models_pages **pages)
{
  struct models_pages *p = TAKE_PTR(*pages);
  if (p == NULL)
    return;
  for (size_t i = 0; i < MODELS_DIMENSIONS; i++) {
    free(p->columns[i].texts);
    free(p->columns[i].codes);
  }
  cells_free(&p->pairs, &f->budget);
  arena_free(p->texts);
  budget_give(&f->budget, p->bytes);
  free(p);
}

static void drop(void *figures, size_t member)
{
  struct models_fold *f = figures;
  struct models_member *m = &f->members[member];
  for (size_t i = 0; i < MODELS_QUERIES; i++)
    close_pages(f, &m->open[i]);
  cells_free(&m->cells, &f->budget);
  cells_free(&m->unmatched.cells, &f->budget);
  free(m->unmatched.texts);
  free(m->lead_events);
  free(m->lead_sessions);
  arena_free(m->texts);
  if (m->text_bytes > 0)
    budget_give(&f->budget, m->text_bytes);
  memset(m, 0, sizeof(*m));
  memset(&f->notes[member], 0, sizeof(f->notes[member]));
}

static void free_fold(void *figures)
{
  struct models_fold *f = figures;
  for (size_t i = 0; i < f->n; i++)
    drop(f, i);
  free(f->members);
  free(f->notes);
  memset(f, 0, sizeof(*f));
}

const int64_t *models_lead_events(const struct models_fold *f, size_t member, unsigned range)
{
  const int64_t *all = f->members[member].lead_events;
  return all != NULL ? all + range * f->leads->n : NULL;
}

const int64_t *models_lead_sessions(const struct models_fold *f, size_t member, unsigned range)
{
  const int64_t *all = f->members[member].lead_sessions;
  return all != NULL ? all + range * f->leads->n : NULL;
}

/* --------------------------------------------------------------------------- rows */

/* Counts of a row: events, sessions, engaged sessions, mean seconds of a session. */
struct row_values {
  int64_t counts[3];
  double seconds;
};

static enum err_code read_values(const ColumnChunk *c, size_t row, struct row_values *v,
                                 struct err *e)
{
  *v = (struct row_values){{0, 0, 0}, 0};
  for (size_t k = 0; k < c->n_metrics; k++) {
    double x = c->metrics[k]->values[row];
    if (k == 3 ? !(isfinite(x) && x >= 0) : !stats_count_from_double(x, &v->counts[k]))
      return fold_bad_data(e,
                           k == 3 ? "a mean duration is not a number" : "a value is not a count");
    if (k == 3)
      v->seconds = x;
  }
  return ERR_OK;
}

static enum err_code add_to_cell(struct models_fold *f, struct models_member *m,
                                 struct models_key key, const struct row_values *v, struct err *e)
{
  struct cell *c = cells_at(&m->cells, &f->budget, models_pack(key));
  if (c == NULL)
    return models_no_memory(e);
  if (!stats_count_add(&c->events, v->counts[0]) || !stats_count_add(&c->sessions, v->counts[1]) ||
      !stats_count_add(&c->engaged_sessions, v->counts[2]))
    return fold_bad_data(e, "a sum is too large");
  c->seconds += v->seconds * (double)v->counts[1];
  return ERR_OK;
}

/* A row's dimensions, as far as they are numbers. */
struct row_place {
  struct models_key key;
  int32_t event;
  bool known; /* no value that cannot come */
  bool named;
  size_t make_column;
  uint32_t names[2];
  int32_t fuel; /* -1: none */
};

static void place_code(struct row_place *p, uint8_t role, int32_t code)
{
  p->known = p->known && (code >= 0 || role == ROLE_EVENT);
  if (code < 0 && role != ROLE_EVENT)
    return;
  if (role == ROLE_DATE || role == ROLE_WEEK)
    p->key.slot = (uint16_t)code;
  else if (role == ROLE_EVENT)
    p->event = code;
  else if (role == ROLE_CONDITION)
    p->key.condition = (enum models_condition)code;
  else if (role == ROLE_FUEL)
    p->fuel = code;
  else if (role == ROLE_RANGE)
    p->key.range = (unsigned)code;
}

static enum err_code place_row(const struct models_pages *pages, const struct models_layout *layout,
                               const ColumnChunk *c, size_t row, struct row_place *p, struct err *e)
{
  *p = (struct row_place){.event = LEAD_UNKNOWN, .known = true, .fuel = -1};
  p->key.powertrain = VEHICLE_POWERTRAIN_UNKNOWN;
  p->key.model = MODELS_NONE;
  for (size_t i = 0; i < layout->n; i++) {
    uint32_t index = c->dimensions[i]->indices[row];
    if (index >= pages->columns[i].n)
      return fold_bad_data(e, "a row names a value that was not sent");
    if (layout->roles[i] == ROLE_MAKE)
      p->make_column = i;
    if (models_is_name(layout->roles[i])) {
      p->names[layout->roles[i] == ROLE_MODEL] = index;
      p->named = true;
      continue;
    }
    place_code(p, layout->roles[i], pages->columns[i].codes[index]);
  }
  return p->known ? ERR_OK
                  : fold_bad_data(e, "a day or a date range is not one that was asked for");
}

/* Which vehicle the row is about. */
static enum err_code place_vehicle(struct models_fold *f, size_t member, struct models_pages *pages,
                                   struct row_place *p, struct err *e)
{
  bool fields = models_source_of(f, member)->fields;
  const struct cell *v =
      models_vehicle_of(f, member, pages, p->make_column, p->names[0], p->names[1]);
  if (v == NULL)
    return models_no_memory(e);
  p->key.model = (uint16_t)v->events;
  p->key.powertrain = (unsigned)v->sessions;
  if (!fields)
    p->key.condition = (enum models_condition)v->engaged_sessions;
  if (p->fuel >= 0 && p->fuel != VEHICLE_POWERTRAIN_UNKNOWN)
    p->key.powertrain = (unsigned)p->fuel;
  return ERR_OK;
}

static enum err_code note_unmatched(struct models_fold *f, size_t member,
                                    const struct models_pages *pages, const struct row_place *p,
                                    int64_t views, struct err *e)
{
  char text[UNMATCHED_TEXT_MAX];
  models_name_unmatched(text, sizeof(text), models_source_of(f, member)->fields,
                        pages->columns[p->make_column].texts[p->names[0]],
                        pages->columns[p->make_column + 1].texts[p->names[1]]);
  return models_count_unmatched(f, &f->members[member], text, views) ? ERR_OK : models_no_memory(e);
}

/* ------------------------------------------------------------------------- reports */

static bool is_look_back(const struct models_fold *f, unsigned range)
{
  return f->look_back > 0 && range == f->look_back;
}

/* Lead events of the dealer, also those without a vehicle. */
static enum err_code add_leads(struct models_fold *f, struct models_member *m,
                               const struct row_place *p, const struct row_values *v, struct err *e)
{
  if (p->event == LEAD_UNKNOWN)
    return ERR_OK;
  if (is_look_back(f, p->key.range))
    return p->event >= LEAD_DEFAULTS || stats_count_add(&m->firings[p->event], v->counts[0])
               ? ERR_OK
               : fold_bad_data(e, "a sum is too large");
  if (m->lead_events == NULL) {
    m->lead_events = xcalloc(MODELS_RANGES * f->leads->n + 1, sizeof(*m->lead_events));
    m->lead_sessions = xcalloc(MODELS_RANGES * f->leads->n + 1, sizeof(*m->lead_sessions));
  }
  size_t i = p->key.range * f->leads->n + (size_t)p->event;
  if (!stats_count_add(&m->lead_events[i], v->counts[0]) ||
      !stats_count_add(&m->lead_sessions[i], v->counts[1]))
    return fold_bad_data(e, "a sum is too large");
  return ERR_OK;
}

static enum err_code add_vdp(struct models_totals *t, const struct row_values *v, struct err *e)
{
  return stats_count_add(&t->vdp_sessions, v->counts[1]) &&
                 stats_count_add(&t->vdp_views, v->counts[0])
             ? ERR_OK
             : fold_bad_data(e, "a sum is too large");
}

static unsigned ranges_of(const struct models_fold *f)
{
  return f->ranges > 0 ? f->ranges : MODELS_RANGES;
}

/* A day of one of the periods, or of what their days are judged by. The day tells the range. */
static enum err_code add_day(struct models_fold *f, struct models_member *m, struct models_key key,
                             const struct row_values *v, struct err *e)
{
  if (key.range < ranges_of(f) && !stats_count_add(&m->totals[key.range].sessions, v->counts[1]))
    return fold_bad_data(e, "a sum is too large");
  key.range = 0;
  return add_to_cell(f, m, key, v, e);
}

/* A row that names a vehicle, or should. */
static enum err_code add_vehicle(struct models_fold *f, size_t member, struct models_pages *pages,
                                 enum models_query query, struct row_place *p,
                                 const struct row_values *v, struct err *e)
{
  struct models_member *m = &f->members[member];
  enum err_code code = place_vehicle(f, member, pages, p, e);
  p->key.query = query;
  if (query == MODELS_LEADS) {
    if (p->event == LEAD_UNKNOWN)
      return code;
    p->key.slot = (uint16_t)p->event;
    if (code == ERR_OK && models_source_of(f, member)->layouts[MODELS_LEAD_TOTALS].n == 0)
      code = add_leads(f, m, p, v, e);
    if (is_look_back(f, p->key.range))
      return code;
  }
  if (code == ERR_OK && query == MODELS_VIEWS && p->key.model == MODELS_NONE && p->key.range == 0)
    code = note_unmatched(f, member, pages, p, v->counts[0], e);
  return code == ERR_OK ? add_to_cell(f, m, p->key, v, e) : code;
}

static enum err_code add_row(struct models_fold *f, size_t member, struct models_pages *pages,
                             enum models_query query, const ColumnChunk *c, size_t row,
                             struct err *e)
{
  struct models_member *m = &f->members[member];
  struct row_values v;
  struct row_place p;
  enum err_code code = read_values(c, row, &v, e);
  if (code == ERR_OK)
    code = place_row(pages, &models_source_of(f, member)->layouts[query], c, row, &p, e);
  if (code != ERR_OK)
    return code;
  p.key.query = query;
  if (query == MODELS_DAYS)
    return add_day(f, m, p.key, &v, e);
  if (p.key.range >= MODELS_RANGES && !is_look_back(f, p.key.range))
    return fold_bad_data(e, "a date range is not one that was asked for");
  if (p.named)
    return add_vehicle(f, member, pages, query, &p, &v, e);
  if (query == MODELS_LEAD_TOTALS)
    return add_leads(f, m, &p, &v, e);
  return add_vdp(&m->totals[p.key.range], &v, e);
}

static struct models_pages *pages_of(struct models_fold *f, size_t member, enum models_query query)
{
  struct models_pages **p = &f->members[member].open[query];
  if (*p == NULL) {
    *p = xcalloc(1, sizeof(**p));
    (*p)->texts = arena_new(SIZE_MAX / 4); /* the budget is the cap */
  }
  return *p;
}

static enum err_code chunk(void *figures, size_t member, const ColumnChunk *c, struct err *e)
{
  struct models_fold *f = figures;
  enum models_query query = (enum models_query)c->query_id;
  struct models_pages *pages = pages_of(f, member, query);
  enum err_code code =
      models_grow_columns(f, pages, &models_source_of(f, member)->layouts[query], c, e);
  for (size_t k = 0; k < c->n_metrics && code == ERR_OK; k++)
    if (k > 3 || c->metrics[k]->n_values != c->row_count)
      code = fold_bad_data(e, "a metric column has the wrong length");
  for (size_t i = 0; i < c->row_count && code == ERR_OK; i++)
    code = add_row(f, member, pages, query, c, i, e);
  return code;
}

static void query_done(void *figures, size_t member, const Analytics__Report__V1__QueryDone *done)
{
  struct models_fold *f = figures;
  close_pages(f, &f->members[member].open[done->query_id]);
  notes_add(&f->notes[member], done->metadata, done->query_id == MODELS_DAYS);
}

const struct fold models_fold = {chunk, query_done, drop, free_fold};
