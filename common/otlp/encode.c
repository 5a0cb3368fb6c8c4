/* The messages of OTLP around spans: they borrow the spans' memory until they are packed. */
#include "common/otlp/encode.h"

#include <string.h>

#include "opentelemetry/proto/collector/trace/v1/trace_service.pb-c.h"

typedef Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceRequest Request;
typedef Opentelemetry__Proto__Trace__V1__ResourceSpans ResourceSpans;
typedef Opentelemetry__Proto__Trace__V1__ScopeSpans ScopeSpans;
typedef Opentelemetry__Proto__Trace__V1__Span Span;
typedef Opentelemetry__Proto__Trace__V1__Span__Link Link;
typedef Opentelemetry__Proto__Trace__V1__Status Status;
typedef Opentelemetry__Proto__Resource__V1__Resource Resource;
typedef Opentelemetry__Proto__Common__V1__InstrumentationScope Scope;
typedef Opentelemetry__Proto__Common__V1__KeyValue KeyValue;
typedef Opentelemetry__Proto__Common__V1__AnyValue AnyValue;

struct attribute {
  KeyValue pair;
  AnyValue value;
};

/* What the message of one span consists of. */
struct made {
  struct span_view view;
  Span span;
  Status status;
  Link link, *links[1];
  struct attribute attributes[SPAN_ATTRIBUTES];
  KeyValue *pairs[SPAN_ATTRIBUTES];
};

/* Generated messages take what they only read without const. */
static char *lend(const char *s)
{
  char *lent;
  memcpy(&lent, &s, sizeof(lent));
  return lent;
}

static ProtobufCBinaryData bytes(const uint8_t *data, size_t len)
{
  ProtobufCBinaryData lent = {.len = len};
  memcpy(&lent.data, &data, sizeof(lent.data));
  return lent;
}

static void make_text(struct attribute *a, const char *key, const char *text)
{
  opentelemetry__proto__common__v1__key_value__init(&a->pair);
  opentelemetry__proto__common__v1__any_value__init(&a->value);
  a->pair.key = lend(key);
  a->pair.value = &a->value;
  a->value.value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_STRING_VALUE;
  a->value.string_value = lend(text);
}

static void make_number(struct attribute *a, const char *key, int64_t number)
{
  make_text(a, key, "");
  a->value.value_case = OPENTELEMETRY__PROTO__COMMON__V1__ANY_VALUE__VALUE_INT_VALUE;
  a->value.int_value = number;
}

static void make_attributes(struct made *m)
{
  for (size_t i = 0; i < m->view.n_attributes; i++) {
    const struct span_attribute *from = &m->view.attributes[i];
    if (from->text != NULL)
      make_text(&m->attributes[i], from->key, from->text);
    else
      make_number(&m->attributes[i], from->key, from->number);
    m->pairs[i] = &m->attributes[i].pair;
  }
  m->span.attributes = m->pairs;
  m->span.n_attributes = m->view.n_attributes;
  m->span.dropped_attributes_count = m->view.dropped_attributes;
}

static void make_link(struct made *m)
{
  const struct trace_context *other = m->view.link;
  if (other == NULL)
    return;
  opentelemetry__proto__trace__v1__span__link__init(&m->link);
  m->link.trace_id = bytes(other->trace_id, TRACE_ID_BYTES);
  m->link.span_id = bytes(other->span_id, SPAN_ID_BYTES);
  m->link.trace_state = lend(other->state);
  m->link.flags = other->flags;
  m->links[0] = &m->link;
  m->span.links = m->links;
  m->span.n_links = 1;
}

static void make(struct made *m, const struct span *from)
{
  span_look(from, &m->view);
  const struct span_view *v = &m->view;
  Span *s = &m->span;
  opentelemetry__proto__trace__v1__span__init(s);
  s->trace_id = bytes(v->trace_id, TRACE_ID_BYTES);
  s->span_id = bytes(v->span_id, SPAN_ID_BYTES);
  if (v->parent_id != NULL)
    s->parent_span_id = bytes(v->parent_id, SPAN_ID_BYTES);
  s->trace_state = lend(v->state);
  s->flags = v->flags;
  s->name = lend(v->name);
  s->kind = (Opentelemetry__Proto__Trace__V1__Span__SpanKind)v->kind;
  s->start_time_unix_nano = v->start_unix_ns;
  s->end_time_unix_nano = v->end_unix_ns;
  make_attributes(m);
  make_link(m);
  if (!v->failed)
    return;
  opentelemetry__proto__trace__v1__status__init(&m->status);
  m->status.code = OPENTELEMETRY__PROTO__TRACE__V1__STATUS__STATUS_CODE__STATUS_CODE_ERROR;
  s->status = &m->status;
}

static bool pack(struct buf *out, const Request *request)
{
  size_t len =
      opentelemetry__proto__collector__trace__v1__export_trace_service_request__get_packed_size(
          request);
  char *to = buf_reserve(out, len);
  if (to == NULL)
    return false;
  out->len += opentelemetry__proto__collector__trace__v1__export_trace_service_request__pack(
      request, (uint8_t *)to);
  return true;
}

/* The spans' messages under their resource and scope. */
static bool pack_under(struct buf *out, Resource *resource, Span **spans, size_t n)
{
  Scope scope = OPENTELEMETRY__PROTO__COMMON__V1__INSTRUMENTATION_SCOPE__INIT;
  scope.name = lend("analytics-mcp");
  scope.version = lend(AMCP_VERSION);
  ScopeSpans of_scope = OPENTELEMETRY__PROTO__TRACE__V1__SCOPE_SPANS__INIT,
             *scopes[1] = {&of_scope};
  of_scope.scope = &scope;
  of_scope.spans = spans;
  of_scope.n_spans = n;
  ResourceSpans of_resource = OPENTELEMETRY__PROTO__TRACE__V1__RESOURCE_SPANS__INIT;
  ResourceSpans *resources[1] = {&of_resource};
  of_resource.resource = resource;
  of_resource.scope_spans = scopes;
  of_resource.n_scope_spans = 1;
  Request request = OPENTELEMETRY__PROTO__COLLECTOR__TRACE__V1__EXPORT_TRACE_SERVICE_REQUEST__INIT;
  request.resource_spans = resources;
  request.n_resource_spans = 1;
  return pack(out, &request);
}

bool otlp_encode(struct buf *out, const struct otlp_pairs *resource, struct span *const *spans,
                 size_t n)
{
  struct attribute attributes[OTLP_PAIRS_ROOM];
  KeyValue *pairs[OTLP_PAIRS_ROOM];
  Resource r = OPENTELEMETRY__PROTO__RESOURCE__V1__RESOURCE__INIT;
  for (; r.n_attributes < resource->n; r.n_attributes++) {
    const struct otlp_pair *p = &resource->items[r.n_attributes];
    make_text(&attributes[r.n_attributes], p->key, p->value);
    pairs[r.n_attributes] = &attributes[r.n_attributes].pair;
  }
  r.attributes = pairs;
  AUTO_FREE struct made *made = xcalloc(n + 1, sizeof(*made));
  AUTO_FREE Span **messages = xcalloc(n + 1, sizeof(*messages));
  for (size_t i = 0; i < n; i++) {
    make(&made[i], spans[i]);
    messages[i] = &made[i].span;
  }
  return pack_under(out, &r, messages, n);
}
