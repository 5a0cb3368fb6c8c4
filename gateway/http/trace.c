/* The part of a trace that is one HTTP request. */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/trace/tracer.h"
#include "gateway/http/internal.h"

/* Names of methods are the client's text: what HTTP does not know is one name. */
static const char *known_method(const char *method)
{
  static const char *const known[] = {"GET", "POST", "DELETE", "OPTIONS", "HEAD", "PUT", "PATCH"};
  for (size_t i = 0; i < ARRAY_LEN(known); i++)
    if (strcmp(method, known[i]) == 0)
      return known[i];
  return "_OTHER";
}

void exchange_trace_begin(struct exchange *x, const char *route)
{
  char name[SPAN_NAME_MAX + 1];
  const char *method = known_method(x->method);
  trace_context_read(&x->trace, exchange_header(x, TRACE_HEADER_PARENT),
                     exchange_header(x, TRACE_HEADER_STATE));
  if (x->span != NULL || !trace_on())
    return;
  snprintf(name, sizeof(name), "%s %s", method, route);
  x->span = span_begin(&x->trace, SPAN_SERVER, name, &x->trace);
  span_text(x->span, "http.request.method", method);
  span_text(x->span, "http.route", route);
}

const struct trace_context *exchange_trace(const struct exchange *x)
{
  return &x->trace;
}

void exchange_trace_end(struct exchange *x, int status)
{
  char text[16];
  struct span *s = TAKE_PTR(x->span);
  if (s == NULL)
    return;
  snprintf(text, sizeof(text), "%d", status);
  if (status != 0)
    span_number(s, "http.response.status_code", status);
  if (status == 0)
    span_fail(s, "no_answer");
  else if (status >= 500)
    span_fail(s, text);
  span_end(s);
}
