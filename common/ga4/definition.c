/* Names that a request defines. */
#include "common/ga4/definition.h"

#include <ctype.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/ga4/own.h"

typedef Analytics__Ga4__V1beta__Metric metric_message;
typedef Analytics__Ga4__V1beta__Dimension dimension_message;
typedef Analytics__Ga4__V1beta__DimensionExpression dimension_expression;

#define INVALID(e, ...) err_set((e), ERR_INVALID_ARGUMENT, "invalid_argument", __VA_ARGS__)

/* ------------------------------------------------------------------ look-up */

size_t ga4_name_index(char *const *names, size_t n, const char *name)
{
  return text_find((const char *const *)names, n, name);
}

metric_message *ga4_defined_metric(const struct ga4_definitions *d, const char *name)
{
  for (size_t i = 0; i < d->n_metrics; i++)
    if (strcmp(d->metrics[i]->name, name) == 0)
      return d->metrics[i];
  return NULL;
}

dimension_message *ga4_defined_dimension(const struct ga4_definitions *d, const char *name)
{
  for (size_t i = 0; i < d->n_dimensions; i++)
    if (strcmp(d->dimensions[i]->name, name) == 0)
      return d->dimensions[i];
  return NULL;
}

bool ga4_is_hidden(const struct ga4_definitions *d, const char *metric)
{
  const metric_message *m = ga4_defined_metric(d, metric);
  return m != NULL && m->invisible;
}

/* ------------------------------------------------------------------ operands */

static bool in_name(char c)
{
  return isalnum((unsigned char)c) || c == '_' || c == ':';
}

/* The next operand that is a name, from *at on; NULL after the last. */
static const char *next_operand(const char **at, size_t *len)
{
  const char *p = *at;
  while (*p != '\0' && !in_name(*p))
    p++;
  const char *start = p;
  while (in_name(*p))
    p++;
  *at = p;
  *len = (size_t)(p - start);
  return *len > 0 ? start : NULL;
}

bool ga4_metric_uses(const metric_message *metric, const char *name)
{
  const char *at = metric->expression, *operand;
  size_t len;
  if (at[0] == '\0')
    return strcmp(metric->name, name) == 0;
  while ((operand = next_operand(&at, &len)) != NULL)
    if (strlen(name) == len && memcmp(operand, name, len) == 0)
      return true;
  return false;
}

const char *ga4_dimension_part(const dimension_expression *x, size_t i)
{
  if (x == NULL)
    return NULL;
  switch (x->one_expression_case) {
  case ANALYTICS__GA4__V1BETA__DIMENSION_EXPRESSION__ONE_EXPRESSION_LOWER_CASE:
    return i == 0 ? x->lower_case->dimension_name : NULL;
  case ANALYTICS__GA4__V1BETA__DIMENSION_EXPRESSION__ONE_EXPRESSION_UPPER_CASE:
    return i == 0 ? x->upper_case->dimension_name : NULL;
  case ANALYTICS__GA4__V1BETA__DIMENSION_EXPRESSION__ONE_EXPRESSION_CONCATENATE:
    return i < x->concatenate->n_dimension_names ? x->concatenate->dimension_names[i] : NULL;
  default:
    return NULL;
  }
}

/* ------------------------------------------------------------------ sameness */

bool ga4_same_metric(const metric_message *a, const metric_message *b)
{
  return strcmp(a != NULL ? a->expression : "", b != NULL ? b->expression : "") == 0;
}

static const char *delimiter_of(const dimension_expression *x)
{
  bool joined =
      x != NULL && x->one_expression_case ==
                       ANALYTICS__GA4__V1BETA__DIMENSION_EXPRESSION__ONE_EXPRESSION_CONCATENATE;
  return joined ? x->concatenate->delimiter : "";
}

bool ga4_same_dimension(const dimension_message *a, const dimension_message *b)
{
  const dimension_expression *x = a != NULL ? a->dimension_expression : NULL;
  const dimension_expression *y = b != NULL ? b->dimension_expression : NULL;
  if (x == NULL || y == NULL)
    return x == y;
  if (x->one_expression_case != y->one_expression_case ||
      strcmp(delimiter_of(x), delimiter_of(y)) != 0)
    return false;
  for (size_t i = 0;; i++) {
    const char *p = ga4_dimension_part(x, i), *q = ga4_dimension_part(y, i);
    if (p == NULL || q == NULL)
      return p == q;
    if (strcmp(p, q) != 0)
      return false;
  }
}

/* ------------------------------------------------------------------ check */

/* The dealer's own metric among the operands, as a name that is static; NULL: none. */
static const char *own_operand(const char *expression)
{
  const char *at = expression, *operand;
  char name[64];
  size_t len;
  while ((operand = next_operand(&at, &len)) != NULL) {
    if (len >= sizeof(name))
      continue;
    memcpy(name, operand, len);
    name[len] = '\0';
    const struct own_metric *own = own_metric_find(name);
    if (own != NULL)
      return own->name;
  }
  return NULL;
}

static enum err_code check_metric(const metric_message *m, size_t i, const struct ga4_names *names,
                                  struct err *e)
{
  const char *own = own_operand(m->expression);
  if (m->name[0] == '\0')
    return INVALID(e, "metric_expressions[%zu].name: missing; give the name it has in metrics", i);
  if (ga4_name_index(names->metrics, names->n_metrics, m->name) == names->n_metrics)
    return INVALID(e, "metric_expressions[%zu].name: %.80s is not in metrics; name it there, too",
                   i, m->name);
  if (m->expression[0] == '\0' && !m->invisible)
    return INVALID(e,
                   "metric_expressions[%zu].expression: missing; give metrics joined by + - * / "
                   "such as eventCount/activeUsers, or leave the item out",
                   i);
  if (own_metric_find(m->name) != NULL)
    return INVALID(e,
                   "metric_expressions[%zu].name: %.80s has a meaning here that is not Google's; "
                   "give another name",
                   i, m->name);
  if (own != NULL)
    return INVALID(e,
                   "metric_expressions[%zu].expression: Google, which evaluates it, does not know "
                   "%s; ask for %s in metrics by itself",
                   i, own, own);
  return ERR_OK;
}

static enum err_code check_dimension(const dimension_message *d, size_t i,
                                     const struct ga4_names *names, struct err *e)
{
  if (d->name[0] == '\0')
    return INVALID(
        e, "dimension_expressions[%zu].name: missing; give the name it has in dimensions", i);
  if (ga4_name_index(names->dimensions, names->n_dimensions, d->name) == names->n_dimensions)
    return INVALID(
        e, "dimension_expressions[%zu].name: %.80s is not in dimensions; name it there, too", i,
        d->name);
  const char *part = ga4_dimension_part(d->dimension_expression, 0);
  if (part == NULL || part[0] == '\0')
    return INVALID(e,
                   "dimension_expressions[%zu].dimension_expression: give lower_case or upper_case "
                   "with a dimension_name, or concatenate with dimension_names and a delimiter",
                   i);
  return ERR_OK;
}

enum err_code ga4_definitions_check(const struct ga4_definitions *d, const struct ga4_names *names,
                                    struct err *e)
{
  for (size_t i = 0; i < d->n_metrics; i++) {
    if (check_metric(d->metrics[i], i, names, e) != ERR_OK)
      return e->code;
    if (ga4_defined_metric(d, d->metrics[i]->name) != d->metrics[i])
      return INVALID(e, "metric_expressions[%zu].name: duplicate; give each its own", i);
  }
  for (size_t i = 0; i < d->n_dimensions; i++) {
    if (check_dimension(d->dimensions[i], i, names, e) != ERR_OK)
      return e->code;
    if (ga4_defined_dimension(d, d->dimensions[i]->name) != d->dimensions[i])
      return INVALID(e, "dimension_expressions[%zu].name: duplicate; give each its own", i);
  }
  return ERR_OK;
}
