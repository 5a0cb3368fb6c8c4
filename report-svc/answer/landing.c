/* Rows of sessions without a landing page. */
#include "report-svc/answer/landing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/hash.h"
#include "common/base/mem.h"

typedef Analytics__Ga4__V1beta__Row ga4_row;
typedef Analytics__Ga4__V1beta__RunReportResponse ga4_report;

/* Metrics whose values for two landing pages may be added: a session, and what happened in it, has
 * one landing page. Users may have several. */
static const char *const additive[] = {"engagedSessions", "eventCount",   "keyEvents",
                                       "screenPageViews", "sessions",     "userEngagementDuration",
                                       "purchaseRevenue", "totalRevenue", "eventValue"};

static bool is_additive(const char *metric)
{
  for (size_t i = 0; i < ARRAY_LEN(additive); i++) {
    size_t len = strlen(additive[i]);
    if (strncmp(metric, additive[i], len) == 0 && (metric[len] == '\0' || metric[len] == ':'))
      return true;
  }
  return false;
}

static bool all_additive(const ga4_report *report)
{
  for (size_t i = 0; i < report->n_metric_headers; i++)
    if (!is_additive(report->metric_headers[i]->name))
      return false;
  return true;
}

/* The column; n_dimension_headers when there is none. */
static size_t landing_column(const ga4_report *report)
{
  size_t i = 0;
  while (i < report->n_dimension_headers &&
         strncmp(report->dimension_headers[i]->name, "landingPage", 11) != 0)
    i++;
  return i;
}

static ga4_row *copy_row(const ga4_row *in, size_t column, struct arena *arena)
{
  static char not_set[] = "(not set)";
  ga4_row *row = ARENA_NEW(arena, ga4_row);
  Analytics__Ga4__V1beta__DimensionValue *value =
      ARENA_NEW(arena, Analytics__Ga4__V1beta__DimensionValue);
  Analytics__Ga4__V1beta__DimensionValue **dimensions =
      ARENA_ARRAY(arena, Analytics__Ga4__V1beta__DimensionValue *, in->n_dimension_values);
  Analytics__Ga4__V1beta__MetricValue **metrics =
      ARENA_ARRAY(arena, Analytics__Ga4__V1beta__MetricValue *, in->n_metric_values);
  if (row == NULL || value == NULL || dimensions == NULL || metrics == NULL)
    return NULL;
  *row = *in;
  memcpy(dimensions, in->dimension_values, in->n_dimension_values * sizeof(*dimensions));
  if (in->n_metric_values > 0)
    memcpy(metrics, in->metric_values, in->n_metric_values * sizeof(*metrics));
  analytics__ga4__v1beta__dimension_value__init(value);
  value->value = not_set;
  dimensions[column] = value;
  row->dimension_values = dimensions;
  row->metric_values = metrics;
  return row;
}

static bool same_key(const ga4_row *a, const ga4_row *b)
{
  for (size_t i = 0; i < a->n_dimension_values; i++)
    if (strcmp(a->dimension_values[i]->value, b->dimension_values[i]->value) != 0)
      return false;
  return true;
}

/* Adds the metrics of a row to those of another, which is a copy. */
static bool add_row(ga4_row *to, const ga4_row *row, struct arena *arena)
{
  for (size_t i = 0; i < to->n_metric_values; i++) {
    char text[32];
    double sum =
        strtod(to->metric_values[i]->value, NULL) + strtod(row->metric_values[i]->value, NULL);
    Analytics__Ga4__V1beta__MetricValue *value =
        ARENA_NEW(arena, Analytics__Ga4__V1beta__MetricValue);
    if (value == NULL)
      return false;
    snprintf(text, sizeof(text), "%.15g", sum);
    analytics__ga4__v1beta__metric_value__init(value);
    value->value = arena_strdup(arena, text);
    to->metric_values[i] = value;
    if (value->value == NULL)
      return false;
  }
  return true;
}

struct joining {
  ga4_row **rows;
  size_t n, column;
  size_t *places; /* of the rows without a landing page, and the hashes of their keys */
  uint64_t *hashes;
  size_t n_places;
  bool add, joined, apart;
};

static uint64_t key_hash(const ga4_row *row)
{
  uint64_t hash = 0;
  for (size_t i = 0; i < row->n_dimension_values; i++)
    hash = hash * 31 + hash_text(row->dimension_values[i]->value);
  return hash;
}

/* The row before it with the same key; NULL when there is none. */
static ga4_row *find(const struct joining *j, const ga4_row *row, uint64_t hash)
{
  for (size_t i = 0; i < j->n_places; i++)
    if (j->hashes[i] == hash && same_key(j->rows[j->places[i]], row))
      return j->rows[j->places[i]];
  return NULL;
}

/* A row without a landing page goes to the one with the same key, or gets a place of its own. It is
 * a copy, because it may become a sum. */
static bool place(struct joining *j, const ga4_row *in, struct arena *arena)
{
  ga4_row *row = copy_row(in, j->column, arena);
  if (row == NULL)
    return false;
  uint64_t hash = key_hash(row);
  ga4_row *same = find(j, row, hash);
  j->joined |= same != NULL && j->add;
  j->apart |= same != NULL && !j->add;
  if (same != NULL && j->add)
    return add_row(same, row, arena);
  j->places[j->n_places] = j->n;
  j->hashes[j->n_places++] = hash;
  j->rows[j->n++] = row;
  return true;
}

bool landing_join(ga4_row ***rows, size_t *n, const ga4_report *report,
                  struct answer_texts *caveats, struct arena *arena)
{
  struct joining j = {.column = landing_column(report), .add = all_additive(report)};
  if (j.column == report->n_dimension_headers || *n == 0)
    return true;
  j.rows = ARENA_ARRAY(arena, ga4_row *, *n);
  j.places = ARENA_ARRAY(arena, size_t, *n);
  j.hashes = ARENA_ARRAY(arena, uint64_t, *n);
  if (j.rows == NULL || j.places == NULL || j.hashes == NULL)
    return false;
  for (size_t i = 0; i < *n; i++) {
    const char *page = (*rows)[i]->dimension_values[j.column]->value;
    bool none = page[0] == '\0' || strcmp(page, "(not set)") == 0;
    if (!none)
      j.rows[j.n++] = (*rows)[i];
    else if (!place(&j, (*rows)[i], arena))
      return false;
  }
  if (j.joined)
    answer_say(caveats, "Sessions without a landing page, which Google counts as \"\" and as "
                        "\"(not set)\", are one row here: \"(not set)\".");
  if (j.apart)
    answer_say(caveats,
               "Sessions without a landing page are in two rows \"(not set)\", because not "
               "all of these metrics may be added.");
  *rows = j.rows;
  *n = j.n;
  return true;
}
