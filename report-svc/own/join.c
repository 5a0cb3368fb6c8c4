/* Rows of several reports with the same dimensions, by the values of these. */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "report-svc/own/impl.h"

typedef Analytics__Ga4__V1beta__Row row;

enum { KEY_MAX = 64 * 1024, FIRST_ROOM = 64 };

static const char range_dimension[] = "dateRange";

const char own_too_large[] =
    "the parts of the report are too large to be put together; ask for fewer dimensions or days, "
    "or filter";

static enum err_code no_memory(struct err *e)
{
  return err_set(e, ERR_RESOURCE_EXHAUSTED, "answer_too_large", "%s", own_too_large);
}

void own_join_free(struct own_join *j)
{
  map_free(&j->by_key);
  free(j->combinations);
  j->combinations = NULL;
}

bool own_join_count(struct own_join *j)
{
  size_t each = sizeof(*j->combinations) + 2 * sizeof(struct map_node *); /* in list and map */
  size_t now = arena_used(j->arena) + j->cap * each;
  j->full = j->full || !room_take(j->room, now - j->counted);
  if (!j->full)
    j->counted = now;
  return !j->full;
}

/* Where the columns of a report's rows are. */
struct columns {
  size_t n;     /* of the asked dimensions, which come first */
  size_t event; /* n_dimension_headers: none */
  size_t range; /* likewise */
};

static size_t find(const own_response *r, const char *name)
{
  size_t i = 0;
  while (i < r->n_dimension_headers && strcmp(r->dimension_headers[i]->name, name) != 0)
    i++;
  return i;
}

/* Which date range a value names; 0 where there is one. */
static size_t range_at(const own_request *asked, const char *value)
{
  char google[] = "date_range_0";
  for (size_t i = 0; i < asked->n_date_ranges && i < OWN_MAX_RANGES; i++) {
    const char *name = asked->date_ranges[i]->name;
    google[sizeof(google) - 2] = (char)('0' + i);
    if (strcmp(value, name[0] != '\0' ? name : google) == 0)
      return i;
  }
  return 0;
}

static bool put_key(struct buf *key, const row *r, size_t n)
{
  for (size_t i = 0; i < n; i++)
    buf_printf(key, "%zu:%s", strlen(r->dimension_values[i]->value), r->dimension_values[i]->value);
  return !key->failed;
}

static bool make_room(struct own_join *j)
{
  if (j->n == j->cap) {
    j->cap = j->cap == 0 ? FIRST_ROOM : 2 * j->cap;
    j->combinations = xrealloc(j->combinations, j->cap * sizeof(*j->combinations));
  }
  return j->n < (size_t)OWN_MAX_COMBINATIONS * OWN_MAX_PROPERTIES;
}

/* The combination of a row, made when it is the first; NULL when there is no memory. */
static struct own_combination *combination_of(struct own_join *j, const row *r, struct buf *key)
{
  size_t n = j->asked->n_dimensions;
  buf_clear(key);
  if (!put_key(key, r, n))
    return NULL;
  struct map_node *node = map_find(&j->by_key, buf_str(key), key->len);
  if (node != NULL)
    return CONTAINER_OF(node, struct own_combination, in_map);
  struct own_combination *c = ARENA_NEW(j->arena, struct own_combination);
  char *text = arena_strndup(j->arena, buf_str(key), key->len);
  if (c == NULL || text == NULL || !make_room(j))
    return NULL;
  c->join = j;
  c->dimensions = r->dimension_values;
  map_add(&j->by_key, &c->in_map, text, key->len);
  j->combinations[j->n++] = c;
  return c;
}

static struct own_cell *cell_of(struct own_join *j, const row *r, const struct columns *at,
                                struct buf *key)
{
  struct own_combination *c = combination_of(j, r, key);
  bool ranged = at->range < r->n_dimension_values;
  size_t range = ranged ? range_at(j->asked, r->dimension_values[at->range]->value) : 0;
  if (c == NULL)
    return NULL;
  if (c->cells[range] == NULL)
    c->cells[range] = ARENA_NEW(j->arena, struct own_cell);
  if (c->cells[range] != NULL && ranged)
    c->cells[range]->range = r->dimension_values[at->range];
  return c->cells[range];
}

static double number(const row *r, size_t metric)
{
  return strtod(r->metric_values[metric]->value, NULL);
}

/* ------------------------------------------------------------------ what a row adds */

/* The metrics of GA4. */
static void add_report(struct own_join *j, const struct own_plan *p, struct own_cell *cell,
                       const row *r)
{
  const struct own_shape *s = j->shape;
  bool first = j->properties == 0;
  bool weighted[REQUEST_MAX_METRICS] = {false};
  (void)p;
  for (size_t i = 0; i < s->n; i++) {
    const struct own_column *c = &s->columns[i];
    if (c->own != NULL || (c->merge == OWN_FIRST && !first))
      continue;
    if (c->merge == OWN_POOLED) {
      weighted[c->at] = true;
      cell->values[c->at] += number(r, c->at) * number(r, c->weight);
    }
  }
  for (size_t k = 0; k < s->n_metrics; k++) {
    if (!weighted[k])
      cell->values[k] += number(r, k);
    if (first)
      cell->google[k] = r->metric_values[k];
  }
}

/* Firings and sessions of an event, for the counts it belongs to. */
static void add_event(const struct own_plan *p, struct own_cell *cell, const char *event,
                      const row *r)
{
  double firings = number(r, 0), sessions = number(r, 1);
  if (p->lead_event != NULL && strcmp(event, p->lead_event) == 0) {
    cell->parts[OWN_LEADS] += firings;
    cell->parts[OWN_LEAD_SESSIONS] += sessions;
  }
  if (p->form_event != NULL && strcmp(event, p->form_event) == 0)
    cell->parts[OWN_FORMS] += firings;
  if (p->shopper == SHOPPER_EVENT && strcmp(event, p->shopper_event) == 0)
    cell->parts[OWN_SHOPPER_SESSIONS] += sessions;
  for (int i = 0; i < LEAD_FIXED; i++) {
    static const enum own_part part_of[LEAD_KINDS] = {OWN_CALLS, OWN_CHATS, OWN_APPOINTMENTS};
    if (lead_kind_of(i) != LEAD_KINDS && strcmp(event, lead_fixed_event(i)) == 0)
      cell->parts[part_of[lead_kind_of(i)]] += firings;
  }
}

static void add_row(struct own_join *j, const struct own_plan *p, enum own_part_report which,
                    struct own_cell *cell, const row *r, const struct columns *at)
{
  const struct own_shape *s = j->shape;
  if (which == OWN_EVENTS) {
    add_event(p, cell, r->dimension_values[at->event]->value, r);
  } else if (which == OWN_SHOPPERS) {
    if (p->shopper == SHOPPER_INVENTORY)
      cell->parts[OWN_SHOPPER_SESSIONS] += number(r, 0);
  } else {
    add_report(j, p, cell, r);
    if (s->parts & (1U << OWN_SESSIONS))
      cell->parts[OWN_SESSIONS] += number(r, s->sessions);
    if (p->shopper == SHOPPER_ENGAGED && (s->parts & (1U << OWN_SHOPPER_SESSIONS)))
      cell->parts[OWN_SHOPPER_SESSIONS] += number(r, s->engaged);
  }
}

/* Whether rows of events that do not count would make combinations of their own. */
static bool counts(const struct own_plan *p, enum own_part_report which, const row *r,
                   const struct columns *at)
{
  if (which != OWN_EVENTS)
    return which == OWN_REPORT || p->shopper == SHOPPER_INVENTORY;
  const char *event = r->dimension_values[at->event]->value;
  struct own_cell probe = {0};
  add_event(p, &probe, event, r);
  for (size_t i = 0; i < OWN_PARTS; i++)
    if (probe.parts[i] != 0)
      return true;
  return false;
}

static enum err_code add_rows(struct own_join *j, const struct own_plan *p,
                              enum own_part_report which, const own_response *r, struct err *e)
{
  AUTO_BUF struct buf key = BUF_INIT(KEY_MAX);
  struct columns at = {j->asked->n_dimensions, find(r, "eventName"), find(r, range_dimension)};
  if (r->row_count > OWN_MAX_COMBINATIONS)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "too_many_rows",
                   "a part of the report has %d combinations of dimension values, at most %d can "
                   "be put together; ask for fewer dimensions or days, or filter",
                   r->row_count, OWN_MAX_COMBINATIONS);
  for (size_t i = 0; i < r->n_rows; i++) {
    if (!counts(p, which, r->rows[i], &at))
      continue;
    struct own_cell *cell = cell_of(j, r->rows[i], &at, &key);
    if (cell == NULL)
      return no_memory(e);
    if (!own_join_count(j))
      return room_refused(j->room, own_too_large, e);
    add_row(j, p, which, cell, r->rows[i], &at);
  }
  return ERR_OK;
}

enum err_code own_join_add(struct own_join *j, const struct own_plan *p,
                           own_response *const *reports, struct err *e)
{
  for (enum own_part_report which = OWN_REPORT; which <= OWN_SHOPPERS; which++)
    if (p->place[which] >= 0 && add_rows(j, p, which, reports[p->place[which]], e) != ERR_OK)
      return e->code;
  j->properties++;
  return ERR_OK;
}

double own_value(const struct own_join *j, const struct own_column *c, const struct own_cell *cell)
{
  if (cell == NULL)
    return 0;
  if (c->own == NULL) {
    bool alone = j->properties == 1 || c->merge == OWN_FIRST;
    if (alone)
      return cell->google[c->at] == NULL ? 0 : strtod(cell->google[c->at]->value, NULL);
    if (c->merge == OWN_ADDED)
      return cell->values[c->at];
    return cell->values[c->weight] > 0 ? cell->values[c->at] / cell->values[c->weight] : 0;
  }
  double of = cell->parts[c->own->of], per = c->own->rate ? cell->parts[c->own->per] : 1;
  return per > 0 ? c->own->scale * of / per : 0;
}
