/* The field catalogue: every dimension and metric of the public schema, one row each. */
#ifndef GA4_SIM_FIELDS_H
#define GA4_SIM_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "ga4-sim/report/messages.h"
#include "ga4-sim/world/world.h"

/* Tables a dimension's SQL speaks of. Sessions (s) are always there. */
enum field_need {
  NEED_DAYS = 1,     /* d */
  NEED_EVENTS = 2,   /* e: the dimension distinguishes events, not sessions */
  NEED_PAGES = 4,    /* p */
  NEED_VEHICLES = 8, /* v */
  NEED_KEYS = 16     /* k */
};

/* What a value belongs to. */
enum field_scope { SCOPE_EVENT, SCOPE_SESSION, SCOPE_USER, SCOPE_ITEM };

/* Fields of GROUP_COMMON go with all others, fields of another group with their own and those
 * named in field_groups_compatible(). */
enum field_group {
  GROUP_COMMON, /* time, place, device, traffic source */
  GROUP_EVENT,  /* events, pages, sessions, users */
  GROUP_ITEM,   /* items of online shops */
  GROUP_ADS,    /* cost and clicks imported from advertising accounts */
  GROUP_SEARCH, /* Google organic search, from Search Console */
  GROUP_COHORT  /* only with a cohortSpec */
};

struct field {
  const char *api_name, *ui_name;
  enum field_scope scope;
  enum metric_type type; /* METRIC_TYPE_UNSPECIFIED: a dimension */
  const char *category;
  enum field_group group;
  const char *sql; /* over the tables (dimension) or a group's primitives (metric); NULL: the world
                      has no data for it */
  unsigned needs;  /* enum field_need */
  const char *description;
  const char *deprecated; /* former name that is still taken; NULL: none */
};

struct field_list {
  const struct field *rows;
  size_t count;
};

/* The tables, each in Google's order: dimensions.c, dimensions_traffic.c, metrics.c. */
extern const struct field_list dimension_fields, traffic_fields, metric_fields;

/* A walk over all dimensions or metrics: field number i, NULL at the end. */
const struct field *field_at(bool metric, size_t i);
/* Standard fields by name or former name; NULL when there is none. */
const struct field *dimension_field_find(const char *name);
const struct field *metric_field_find(const char *name);
/* Whether a report may have fields of both groups. */
bool field_groups_compatible(enum field_group a, enum field_group b);
/* SQL of customEvent:<parameter> with what it needs; false when the property has not
 * registered it. */
bool dimension_custom_sql(const struct world_property *p, const char *name, struct buf *sql,
                          unsigned *needs);
/* The metrics that a registered custom metric gives: <prefix><parameter>. Events of this world do
 * not carry such parameters. */
struct custom_metric_form {
  const char *prefix, *ui_prefix, *description;
  enum metric_type type;
};
extern const struct custom_metric_form custom_metric_forms[];
extern const size_t custom_metric_form_count;
/* The form of customEvent:<parameter> and its like; NULL when the property has not registered it.
 */
const struct custom_metric_form *custom_metric_find(const struct world_property *p,
                                                    const char *name);
/* The known field nearest to a misspelt one, or NULL. */
const char *field_suggestion(const char *name, bool metric);

#endif
