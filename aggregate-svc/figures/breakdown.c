/* Counts by the values of a dimension. */
#include "aggregate-svc/figures/breakdown.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

const char breakdown_other[] = "(other)";
const char breakdown_unset[] = "(not set)";

const char *breakdown_label(const char *value)
{
  return value[0] == '\0' ? breakdown_unset : value;
}

void breakdown_init(struct breakdown *b, size_t n_members, struct arena *arena)
{
  *b = (struct breakdown){.arena = arena, .n_members = n_members};
}

void breakdown_free(struct breakdown *b)
{
  map_free(&b->by_label);
}

static struct breakdown_value *value_of(const struct breakdown *b, const char *label)
{
  struct map_node *node = map_find_text(&b->by_label, label);
  return node != NULL ? CONTAINER_OF(node, struct breakdown_value, in_map) : NULL;
}

static struct breakdown_value *add_value(struct breakdown *b, const char *label)
{
  struct breakdown_value *v = ARENA_NEW(b->arena, struct breakdown_value);
  v->label = arena_strdup(b->arena, label);
  map_add_text(&b->by_label, &v->in_map, v->label);
  return v;
}

void breakdown_propose(struct breakdown *b, const char *label, int64_t sessions)
{
  if (strlen(label) > BREAKDOWN_LABEL_MAX || strcmp(label, breakdown_other) == 0)
    return;
  struct breakdown_value *v = value_of(b, label);
  if (v == NULL)
    v = add_value(b, label);
  v->sessions += sessions;
}

static int most_first(const void *a, const void *b)
{
  const struct breakdown_value *x = *(struct breakdown_value *const *)a;
  const struct breakdown_value *y = *(struct breakdown_value *const *)b;
  if (x->sessions != y->sessions)
    return x->sessions > y->sessions ? -1 : 1;
  return strcmp(x->label, y->label);
}

void breakdown_choose(struct breakdown *b)
{
  size_t n = 0;
  b->values = ARENA_ARRAY(b->arena, struct breakdown_value *, b->by_label.n + 1);
  for (struct map_node *m = map_first(&b->by_label); m != NULL; m = map_next(&b->by_label, m))
    b->values[n++] = CONTAINER_OF(m, struct breakdown_value, in_map);
  qsort(b->values, n, sizeof(b->values[0]), most_first);
  for (; n > BREAKDOWN_VALUES_MAX; n--)
    map_remove(&b->by_label, &b->values[n - 1]->in_map);
  b->values[n] = add_value(b, breakdown_other);
  b->n = n + 1;
  for (size_t i = 0; i < b->n; i++) {
    b->values[i]->parts = ARENA_ARRAY(b->arena, struct stats_ratio, b->n_members + 1);
    b->values[i]->place = i;
  }
}

size_t breakdown_find(const struct breakdown *b, const char *label)
{
  const struct breakdown_value *v = value_of(b, label);
  return v != NULL ? v->place : b->n - 1;
}

struct stats_ratio breakdown_total(const struct breakdown *b, size_t member)
{
  struct stats_ratio sum = {0, 0};
  for (size_t i = 0; i < b->n; i++) {
    sum.numerator += b->values[i]->parts[member].numerator;
    sum.denominator += b->values[i]->parts[member].denominator;
  }
  return sum;
}
