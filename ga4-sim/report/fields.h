/* The dimensions and metrics the simulator knows, and how each is computed. */
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
  NEED_EVENTS = 2,   /* e: the dimension tells events apart, not sessions */
  NEED_PAGES = 4,    /* p */
  NEED_VEHICLES = 8, /* v */
  NEED_KEYS = 16     /* k */
};

struct dimension_field {
  const char *api_name;
  const char *ui_name;
  const char *category;
  const char *description;
  const char *deprecated; /* former name that is still taken; NULL: none */
  unsigned needs;
  const char *sql;
};

struct metric_field {
  const char *api_name;
  const char *ui_name;
  const char *category;
  const char *description;
  const char *deprecated;
  enum metric_type type;
  /* Over the primitives of one group (query.c). */
  const char *sql;
};

extern const struct dimension_field dimension_fields_all[];
extern const size_t dimension_field_count;
extern const struct metric_field metric_fields_all[];
extern const size_t metric_field_count;

/* Standard fields by name or former name; NULL when there is none. */
const struct dimension_field *dimension_field_find(const char *name);
const struct metric_field *metric_field_find(const char *name);
/* SQL of customEvent:<parameter> with what it needs; false when the property has not
 * registered it. */
bool dimension_custom_sql(const struct world_property *p, const char *name, struct buf *sql,
                          unsigned *needs);
/* The known field nearest to a misspelt one, or NULL. */
const char *field_suggestion(const char *name, bool metric);

#endif
