/* Finds the argument that Google's answer is about. */
#include <stdbool.h>
#include <string.h>

#include "common/base/mem.h"
#include "report-svc/request/request.h"

typedef Analytics__Ga4__V1beta__RunReportRequest ga4_request;

/* Google: "Field visits is not a valid metric.", after a suggestion perhaps. */
static const char before_name[] = "Field ";
static const char after_name[] = " is not a valid ";

struct named {
  const char *name;
  size_t len;
  bool metric;
};

static bool find_name(const char *message, struct named *out)
{
  const char *end = strstr(message, after_name);
  if (end == NULL)
    return false;
  out->name = NULL;
  for (const char *p = strstr(message, before_name); p != NULL && p < end;
       p = strstr(p + 1, before_name))
    out->name = p + strlen(before_name);
  if (out->name == NULL || out->name > end)
    return false;
  out->len = (size_t)(end - out->name);
  out->metric = strncmp(end + strlen(after_name), "metric", 6) == 0;
  return true;
}

static bool is(const struct named *n, const char *text)
{
  return strlen(text) == n->len && memcmp(text, n->name, n->len) == 0;
}

static bool in_list(const ga4_request *r, const struct named *n, size_t *at)
{
  size_t count = n->metric ? r->n_metrics : r->n_dimensions;
  for (*at = 0; *at < count; (*at)++)
    if (is(n, n->metric ? r->metrics[*at]->name : r->dimensions[*at]->name))
      return true;
  return false;
}

static bool in_orders(const ga4_request *r, const struct named *n, size_t *at)
{
  for (*at = 0; *at < r->n_order_bys; (*at)++) {
    const Analytics__Ga4__V1beta__OrderBy *o = r->order_bys[*at];
    bool metric = o->one_order_by_case == ANALYTICS__GA4__V1BETA__ORDER_BY__ONE_ORDER_BY_METRIC;
    bool dimension =
        o->one_order_by_case == ANALYTICS__GA4__V1BETA__ORDER_BY__ONE_ORDER_BY_DIMENSION;
    if ((metric && is(n, o->metric->metric_name)) ||
        (dimension && is(n, o->dimension->dimension_name)))
      return true;
  }
  return false;
}

/* The definition that has the name in it; NULL: none. */
static const char *in_definitions(const ga4_request *r, const struct named *n)
{
  const char *part;
  char name[128];
  if (n->len >= sizeof(name))
    return NULL;
  memcpy(name, n->name, n->len);
  name[n->len] = '\0';
  for (size_t i = 0; n->metric && i < r->n_metrics; i++)
    if (r->metrics[i]->expression[0] != '\0' && ga4_metric_uses(r->metrics[i], name))
      return r->metrics[i]->name;
  for (size_t i = 0; !n->metric && i < r->n_dimensions; i++)
    for (size_t k = 0;
         (part = ga4_dimension_part(r->dimensions[i]->dimension_expression, k)) != NULL; k++)
      if (is(n, part))
        return r->dimensions[i]->name;
  return NULL;
}

bool request_is_unknown_everywhere(const struct err *e)
{
  struct named n;
  return e->code == ERR_INVALID_ARGUMENT && find_name(e->message, &n) &&
         memchr(n.name, ':', n.len) == NULL;
}

void request_locate(const ga4_request *report, struct err *e)
{
  struct named n;
  size_t at;
  const char *defined;
  if (e->code != ERR_INVALID_ARGUMENT || !find_name(e->message, &n))
    return;
  /* The name lies in the message, so it is used up before the message changes. */
  if (in_list(report, &n, &at))
    err_prefix(e, "%s[%zu]: ", n.metric ? "metrics" : "dimensions", at);
  else if (in_orders(report, &n, &at))
    err_prefix(e, "order_bys[%zu]: ", at);
  else if ((defined = in_definitions(report, &n)) != NULL)
    err_prefix(e, "%s_expressions (%.80s): ", n.metric ? "metric" : "dimension", defined);
  else if (n.metric ? report->metric_filter != NULL : report->dimension_filter != NULL)
    err_prefix(e, "%s: ", n.metric ? "metric_filter" : "dimension_filter");
}

/* Lends a field to the report where the body has one of that name; its type is the same there. */
static void lend(ga4_request *report, const ProtobufCMessage *body, const char *name)
{
  const ProtobufCFieldDescriptor *to =
      protobuf_c_message_descriptor_get_field_by_name(report->base.descriptor, name);
  const ProtobufCFieldDescriptor *from =
      protobuf_c_message_descriptor_get_field_by_name(body->descriptor, name);
  if (from == NULL)
    return;
  memcpy((char *)report + to->offset, (const char *)body + from->offset, sizeof(void *));
  if (to->label == PROTOBUF_C_LABEL_REPEATED)
    memcpy((char *)report + to->quantifier_offset, (const char *)body + from->quantifier_offset,
           sizeof(size_t));
}

void request_locate_body(const ProtobufCMessage *body, struct err *e)
{
  static const char *const shared[] = {"dimensions", "metrics", "order_bys", "dimension_filter",
                                       "metric_filter"};
  ga4_request report = ANALYTICS__GA4__V1BETA__RUN_REPORT_REQUEST__INIT;
  for (size_t i = 0; i < ARRAY_LEN(shared); i++)
    lend(&report, body, shared[i]);
  request_locate(&report, e);
}
