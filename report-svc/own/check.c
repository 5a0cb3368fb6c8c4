/* Which reports can be put together. */
#include <string.h>

#include "common/base/mem.h"
#include "report-svc/own/impl.h"

bool own_is_asked(const own_request *asked)
{
  for (size_t i = 0; i < asked->n_metrics; i++)
    if (own_metric_find(asked->metrics[i]->name) != NULL)
      return true;
  return false;
}

static const char *first_own(const own_request *asked)
{
  for (size_t i = 0; i < asked->n_metrics; i++)
    if (own_metric_find(asked->metrics[i]->name) != NULL)
      return asked->metrics[i]->name;
  return "several properties";
}

static enum err_code refuse(struct err *e, const own_request *asked, const char *argument)
{
  return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                 "%s: cannot be used with %s, which is not GA4's own; leave it out, or ask for "
                 "GA4's metrics alone",
                 argument, first_own(asked));
}

/* The first name that the request defines; NULL: all are Google's or the dealer's. */
static const char *definition_of(const own_request *asked)
{
  for (size_t i = 0; i < asked->n_metrics; i++)
    if (asked->metrics[i]->expression[0] != '\0' || asked->metrics[i]->invisible)
      return "metric_expressions";
  for (size_t i = 0; i < asked->n_dimensions; i++)
    if (asked->dimensions[i]->dimension_expression != NULL)
      return "dimension_expressions";
  return NULL;
}

enum err_code own_check(const own_request *asked, struct err *e)
{
  static const char *const of_events[] = {"eventName", "isKeyEvent"};
  if (asked->metric_filter != NULL)
    return refuse(e, asked, "metric_filter");
  if (asked->n_metric_aggregations > 0)
    return refuse(e, asked, "metric_aggregations");
  if (asked->n_comparisons > 0)
    return refuse(e, asked, "comparisons");
  if (asked->cohort_spec != NULL)
    return refuse(e, asked, "cohort_spec");
  if (definition_of(asked) != NULL)
    return refuse(e, asked, definition_of(asked));
  for (size_t i = 0; own_is_asked(asked) && i < asked->n_dimensions; i++)
    for (size_t k = 0; k < ARRAY_LEN(of_events); k++)
      if (strcmp(asked->dimensions[i]->name, of_events[k]) == 0)
        return refuse(e, asked, of_events[k]);
  if (own_is_asked(asked) && asked->n_dimensions >= REQUEST_MAX_DIMENSIONS)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "dimensions: at most %d beside %s, which takes one itself",
                   REQUEST_MAX_DIMENSIONS - 1, first_own(asked));
  return own_check_order(asked, e);
}
